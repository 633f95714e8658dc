"""Records of chains in their bucket: written once by the daemon, and what ddbackupctl chain --remote makes of them."""

import datetime
import json
import re
import sqlite3
import subprocess

import pytest
from botocore.exceptions import ClientError

from harness import BUILD, Daemon, conf, end, select, wait_until
from test_rebuild import lose, rebuild, token_of

BUCKET = "acme-exports"
FOLDER = "orders/ddbackupd/123456789012/eu-central-1/orders/"


def chain(d, *more):
    command = [str(BUILD / "ddbackupctl"), "chain", "orders", f"--state-directory={d.state}", "--json", *more]
    if "--remote" in more:
        command.append(f"--config={d.config}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=d.env)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def spans(d, *more):
    """What is covered and lost, as both ways of asking have it."""
    status, answer, error = chain(d, *more)
    assert answer, (status, error)
    [one] = answer["chains"]
    names = ("span", "from", "to", "base_arn", "links")
    return one["watermark"], [{n: s[n] for n in names} for s in one["spans"] if s["span"] in ("COVERED", "LOST")]


def records(s3):
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=FOLDER).get("Contents", [])
    return {entry["Key"]: json.loads(s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()) for entry in listed}


def outcomes(d):
    return [row["record"] for row in d.ledger.query("SELECT record FROM chains UNION ALL SELECT record FROM links")]


@pytest.fixture
def old(emulator, tmp_path):
    """(emulator, daemon that was not started): a ledger that was rebuilt, with a full export of three hours ago."""
    e = emulator("orders:pitr:items=50", export_time="200ms", rates=False)
    slot = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3)).replace(second=0, microsecond=0)
    s3 = f's3 = {{ bucket = "{BUCKET}"; prefix = "%{{table}}"; }};'
    full = f'full = {{ action = "export"; when = "{slot:%H:%M}"; verify = "manifest"; {s3} }};'
    half = f'half = {{ action = "incremental"; base = "full"; when = "*:0/15"; max_age = "4h"; verify = "manifest"; {s3} }};'
    d = Daemon(tmp_path / "daemon", conf(e, full + half, select("orders", "full", "half")), env={"AWS_ENDPOINT_URL_S3": e.url})
    ddb = e.client("dynamodb")
    table = ddb.describe_table(TableName="orders")["Table"]
    token = token_of("full", slot.strftime("%Y-%m-%dT%H:%M:%SZ"), table["TableId"])
    ddb.export_table_to_point_in_time(TableArn=table["TableArn"], ExportTime=slot, S3Bucket=BUCKET, S3Prefix="orders",
                                      ClientToken=token)
    wait_until(lambda: ddb.list_exports()["ExportSummaries"][0]["ExportStatus"] == "COMPLETED")
    rebuild(d)
    yield e, d
    if d.process and d.process.poll() is None:
        end(d.process)


def strange(s3, found):
    """What others may have put among the records: one of them in another place, and of another deployment in its own."""
    [(key, record)] = [(key, record) for key, record in found.items() if not key.endswith("/base.json")]
    folder = key.rsplit("/", 1)[0]
    theirs = record["baseArn"][:-8] + "ffffffff"
    for name, body in {
        f"{folder}/empty.json": "",
        f"{folder}/garbage.json": "{",
        f"{folder}/elsewhere.json": json.dumps(record),
        f"{folder}/read.me": "",
        f"{folder[:-8]}ffffffff/base.json": json.dumps(
            record | {"deployment": "other", "baseArn": theirs, "exportArn": theirs, "previousArn": None}),
    }.items():
        s3.put_object(Bucket=BUCKET, Key=name, Body=body.encode())


def test_without_the_ledger(old):
    """Base and link are recorded, and say the same when the ledger is gone."""
    e, d = old
    s3 = e.client("s3")
    d.start()
    wait_until(lambda: outcomes(d) and set(outcomes(d)) == {"written"} and len(outcomes(d)) >= 2)
    found = records(s3)
    [base] = [r for key, r in found.items() if key.endswith("/base.json")]
    [link] = [r for key, r in found.items() if not key.endswith("/base.json")]
    assert base["exportArn"] == base["baseArn"] == link["baseArn"] == link["previousArn"] and base["previousArn"] is None
    assert base["itemCount"] == 50 and link["itemCount"] >= 0
    md5 = s3.get_object(Bucket=BUCKET, Key=link["manifestSummaryS3Key"].replace(".json", ".md5"))["Body"].read().decode()
    assert link["manifestSummaryMd5"] == md5 and link["manifestFilesMd5"]
    [row] = d.ledger.query("SELECT * FROM links")
    assert link["exportArn"] == row["arn"]
    assert d.stop() == 0
    local = spans(d)
    assert [span["links"] for span in local[1]] == [1]
    assert spans(d, "--remote") == local
    lose(d)
    assert spans(d, "--remote") == local
    strange(s3, found)
    assert spans(d, "--remote") == local
    error = chain(d, "--remote")[2]
    for key, why in (("empty", "it is empty"), ("garbage", "the body ends too early"), ("elsewhere", "what it says belongs elsewhere")):
        assert re.search(f"/{key}.json is no record and is passed over: .*{why}", error), error
    assert len(error.splitlines()) == 3, error
    # an export that is gone covers nothing, whatever its record says
    s3.delete_object(Bucket=BUCKET, Key=link["manifestSummaryS3Key"])
    assert spans(d, "--remote")[1][0]["links"] == 0
    # what cannot be asked is not known
    e.control("faults", "ListObjectsV2 times=forever error AccessDenied 403")
    status, answer, error = chain(d, "--remote")
    assert (status, answer) == (2, None) and "s3:ListBucket" in error, error
    assert d.env.pop("AWS_ACCESS_KEY_ID")
    status, answer, error = chain(d, "--remote")
    assert (status, answer) == (2, None) and error.startswith("ddbackupctl: no AWS credentials: "), error


def test_tried_for_ever(old):
    """The chain does not wait for a record that S3 refuses."""
    e, d = old
    e.control("faults", "PutObject times=1 error AccessDenied 403")
    d.start()
    line = d.wait_line("record s3://")
    assert "could not be written, and goes on being tried: AccessDenied" in line and "HINT: allow s3:PutObject" in line
    wait_until(lambda: [row["state"] for row in d.ledger.query("SELECT state FROM links")] == ["succeeded"])
    assert set(outcomes(d)) == {None}
    assert d.stop() == 0
    d.start()
    wait_until(lambda: set(outcomes(d)) == {"written"})
    assert len(records(e.client("s3"))) == 2


def test_others_were_first(old):
    """A reply that is lost does no harm; what others have written is left alone, and said."""
    e, d = old
    s3 = e.client("s3")
    e.control("faults", "PutObject times=1 drop-after")
    d.start()
    wait_until(lambda: outcomes(d) and set(outcomes(d)) == {"written"} and len(outcomes(d)) >= 2)
    assert not d.lines("is not as this daemon")
    assert d.stop() == 0
    [key] = [key for key in records(s3) if key.endswith("/base.json")]
    theirs = json.dumps(records(s3)[key] | {"itemCount": 7}).encode()
    s3.put_object(Bucket=BUCKET, Key=key, Body=theirs)
    with sqlite3.connect(d.state / "ledger.db") as db:
        db.execute("UPDATE chains SET record = NULL")
    d.start()
    line = d.wait_line("record s3://")
    assert "is not as this daemon would have written it: its itemCount is another" in line
    wait_until(lambda: sorted(outcomes(d)) == ["differs", "written"])
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == theirs
    with pytest.raises(ClientError):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"", IfNoneMatch="*")
