"""Chains of incremental exports after the ledger was lost: ddbackupctl rebuild finds them in the bucket and at the
service, and the daemon goes on with them where they were."""

import datetime
import json
import shutil

import pytest

from harness import Daemon, conf, end, select, wait_until
from test_rebuild import lose, mutations, rebuild, run, token_of
from test_records import BUCKET, outcomes, records, spans

CHAIN = "state, schedule, table_id, base_arn, base, start, covered, record"
LINK = "from_wall, to_wall, attempt, state, life, arn, handle, s3_bucket, s3_prefix, record"
S3 = f's3 = {{ bucket = "{BUCKET}"; prefix = "%{{table}}"; }};'


def schedules(slot, full="full", half="half", full_more="", half_more=""):
    verify = f'verify = "manifest"; {S3}'
    return (
        f'{full} = {{ action = "export"; when = "{slot:%H:%M}"; {verify} {full_more} }};'
        f'{half} = {{ action = "incremental"; base = "{full}"; when = "*:0/15"; max_age = "4h"; {verify} {half_more} }};'
    )


def rows(d):
    """Chains and links, without their numbers."""
    return [d.ledger.query(f"SELECT {CHAIN} FROM chains ORDER BY base"),
            d.ledger.query(f"SELECT {LINK} FROM links ORDER BY from_wall, attempt")]


@pytest.fixture
def old(emulator, tmp_path):
    """make(export_time) -> (emulator, daemon that was not started): a full export of three hours ago and no ledger."""
    made = []

    def make(export_time="200ms"):
        e = emulator("orders:pitr:items=50", export_time=export_time, rates=False)
        slot = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)).replace(
            second=0, microsecond=0)
        text = conf(e, schedules(slot), select("orders", "full", "half"))
        d = Daemon(tmp_path / "daemon", text, env={"AWS_ENDPOINT_URL_S3": e.url})
        d.slot = slot
        made.append(d)
        ddb = e.client("dynamodb")
        table = ddb.describe_table(TableName="orders")["Table"]
        ddb.export_table_to_point_in_time(
            TableArn=table["TableArn"], ExportTime=slot, S3Bucket=BUCKET, S3Prefix="orders",
            ClientToken=token_of("full", slot.strftime("%Y-%m-%dT%H:%M:%SZ"), table["TableId"]))
        wait_until(lambda: ddb.list_exports()["ExportSummaries"][0]["ExportStatus"] == "COMPLETED", 20)
        rebuild(d)
        return e, d

    yield make
    for d in made:
        if d.process and d.process.poll() is None:
            end(d.process)


def recorded(d):
    return len(outcomes(d)) >= 2 and set(outcomes(d)) == {"written"}


def grow(d):
    """Base and link are made, verified and recorded; then the daemon stops."""
    d.start()
    wait_until(lambda: recorded(d), 30)
    assert d.stop() == 0


def test_the_same_chain_goes_on(old):
    e, d = old()
    grow(d)
    before, made, covered = rows(d), mutations(e), spans(d)
    lose(d)
    done = run(d, "rebuild", "--dry-run")
    assert done.returncode == 0 and "1 run and 1 link would be taken in" in done.stdout, done.stdout + done.stderr
    found = rebuild(d)
    [chain] = found["chains"]
    assert (chain["chains"], chain["links"], chain["recorded"], chain["under_way"]) == (1, 1, 1, 0)
    assert (chain["watermark"], chain["lost"]) == (covered[0], [])
    assert rows(d) == before and spans(d) == covered
    [check] = d.ledger.query("SELECT level, found FROM links")
    assert (check["level"], check["found"]) == ("manifest", "as its record has it")
    again = rebuild(d)
    assert (again["runs"], again["links"], again["chains"][0]["chains"]) == (0, 0, 0)
    assert rows(d) == before
    puts = len([call for call in e.calls() if call["op"] == "PutObject"])
    d.start()
    wait_until(lambda: len([c for c in e.calls("DescribeContinuousBackups")]) >= 2)
    assert d.stop() == 0
    assert mutations(e) == made, "nothing is exported twice, and no record written again"
    assert puts == len([call for call in e.calls() if call["op"] == "PutObject"])
    assert rows(d) == before and spans(d) == covered


def test_a_link_under_way_is_followed(old):
    e, d = old("5s")
    d.start()
    wait_until(lambda: d.ledger.query("SELECT 1 FROM links WHERE state = 'in_progress'"), 40)
    d.kill()
    [before] = d.ledger.query(f"SELECT {LINK} FROM links")
    lose(d)
    [chain] = rebuild(d)["chains"]
    assert (chain["chains"], chain["links"], chain["under_way"]) == (1, 1, 1)
    [row] = d.ledger.query(f"SELECT {LINK} FROM links")
    assert [row[n] for n in ("from_wall", "to_wall", "attempt", "arn", "handle")] == [
        before[n] for n in ("from_wall", "to_wall", "attempt", "arn", "handle")]
    d.start()
    wait_until(lambda: recorded(d), 40)
    assert mutations(e).count("ExportTableToPointInTime") == 2
    assert [r["state"] for r in d.ledger.query("SELECT state FROM chains")] == ["growing"]


def test_what_has_no_record_is_verified_again(old):
    e, d = old()
    e.control("faults", "PutObject times=forever error AccessDenied 403")
    d.start()
    wait_until(lambda: [r["state"] for r in d.ledger.query("SELECT state FROM links")] == ["succeeded"], 30)
    assert d.stop() == 0
    before, covered = rows(d), spans(d)
    lose(d)
    found = rebuild(d)
    assert (found["enrolments"][0]["under_way"], found["chains"][0]["under_way"]) == (1, 1)
    [states] = d.ledger.query("SELECT c.state AS chain, k.state AS link FROM chains c JOIN links k ON k.chain = c.id")
    assert (states["chain"], states["link"]) == ("forming", "verifying")
    d.start()
    wait_until(lambda: [r["state"] for r in d.ledger.query("SELECT state FROM links")] == ["succeeded"], 30)
    wait_until(lambda: rows(d) == before, 10)
    assert spans(d) == covered and d.stop() == 0
    assert mutations(e).count("ExportTableToPointInTime") == 2


def test_an_older_ledger_comes_further(old):
    e, d = old("3s")
    d.start()
    wait_until(lambda: d.ledger.query("SELECT 1 FROM chains WHERE state = 'growing'"), 40)
    d.kill()
    shutil.copytree(d.state, d.directory / "old")
    d.start()
    wait_until(lambda: recorded(d), 40)
    assert d.stop() == 0
    before, made = rows(d), mutations(e)
    shutil.rmtree(d.state)
    shutil.copytree(d.directory / "old", d.state)
    rebuild(d)
    d.start()
    wait_until(lambda: rows(d) == before, 30)
    assert d.stop() == 0
    assert mutations(e) == made


def test_a_bucket_that_cannot_be_read(old):
    e, d = old()
    grow(d)
    before = rows(d)
    lose(d)
    e.control("faults", "ListObjectsV2 times=forever error AccessDenied 403")
    done = run(d, "rebuild", "--json")
    assert done.returncode == 1 and "s3:ListBucket" in done.stderr and "; HINT: rebuild again" in done.stderr
    found = json.loads(done.stdout)
    assert (found["runs"], found["links"], found["complete"]) == (0, 0, False)
    assert found["tables"][0]["outcome"] == "failed"
    assert rows(d) == [[], []] and d.ledger.runs() == []
    e.heal()
    assert rebuild(d)["links"] == 1
    assert rows(d) == before


def test_schedules_had_other_names(old):
    """The chain stays under the name that it was made under; its new name begins with the newest base."""
    e, d = old()
    grow(d)
    before = rows(d)
    lose(d)
    text = schedules(d.slot, "weekly", "often", 'formerly = ["full"];', 'formerly = ["half"];')
    d.configure(conf(e, text, select("orders", "weekly", "often")))
    found = rebuild(d)
    [row] = found["enrolments"]
    [chain] = found["chains"]
    assert (row["schedule"], row["found"], row["succeeded"]) == ("weekly", 1, 1)
    assert (chain["schedule"], chain["chains"], chain["recorded"]) == ("often", 1, 1)
    assert rows(d) == before
    assert [r["schedule"] for r in d.ledger.runs()] == ["full"]
    [often] = d.ledger.query("SELECT newest FROM enrolments WHERE schedule = 'often'")
    assert often["newest"] == before[0][0]["covered"]
