"""A ledger that was lost or damaged: ddbackupctl rebuild and set-aside, with the real daemon against the emulator."""

import datetime
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

import harness
from harness import BUILD, REGION, Ledger, backup, compact, conf, export, select, soon, wait_until

ACCOUNT = "123456789012"
KEPT = ("state", "action", "schedule", "account", "region", "name", "slot", "due", "handle", "table_id", "table_arn",
        "s3_bucket", "s3_prefix", "attempt", "arn", "status", "life")
SECOND = 1_000_000


def run(daemon, verb, *arguments, config=True, env=None):
    command = [str(BUILD / "ddbackupctl"), verb, "--state-directory", str(daemon.state), *arguments]
    if config:
        command += ["--config", str(daemon.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env or daemon.env)


def rebuild(daemon, *arguments):
    """What it says, for programs."""
    done = run(daemon, "rebuild", "--json", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert not harness.undocumented("rebuild", answer)
    return answer


def rows(found):
    return {(row["table"], row["schedule"]): row for row in found["enrolments"]}


def tables(found):
    return {row["table"]: row for row in found["tables"]}


def set_aside(daemon, *arguments):
    return run(daemon, "set-aside", *arguments, config=False)


def lose(daemon):
    for file in daemon.state.glob("ledger.db*"):
        file.unlink()


def kept(daemon):
    """What is worth keeping of every run, in an order that does not depend on their numbers."""
    runs = [{name: run[name] for name in KEPT} for run in daemon.ledger.runs()]
    return sorted(runs, key=lambda run: (run["name"], run["schedule"], run["slot"]))


def everything(daemon):
    """Every row of the ledger but when tables were described."""
    names = ("enrolments", "runs", "artefacts", "notes", "ranges")
    return {name: daemon.ledger.query(f"SELECT * FROM {name} ORDER BY 1, 2, 3, 4") for name in names}


def enrolments(daemon):
    return {(row["name"], row["schedule"]): row for row in daemon.ledger.query("SELECT * FROM enrolments")}


def usec(slot):
    return int(datetime.datetime.fromisoformat(slot.replace("Z", "+00:00")).timestamp()) * SECOND


def name_of(schedule, slot, table="orders", deployment="acme"):
    """A backup's name, as ddbackupd(8) documents it."""
    parts = (deployment, ACCOUNT, REGION, table, schedule)
    digest = hashlib.sha256(b"".join(part.encode() + b"\0" for part in parts)).hexdigest()
    return f"{deployment}.{schedule}.{compact(slot)}.{digest[:8]}"


def token_of(schedule, slot, table_id, attempt=1, deployment="acme"):
    """An export's client token."""
    parts = (deployment, ACCOUNT, table_id, schedule, compact(slot), str(attempt))
    return hashlib.sha256(b"".join(part.encode() + b"\0" for part in parts)).hexdigest()


def mutations(e):
    return [call["op"] for call in e.calls() if call["effect"]]


def live_for_a_while(daemon, e, seconds=2.5):
    """The daemon starts, learns the time from the service, and does what it wants to do."""
    before = len(e.calls())
    daemon.start()
    wait_until(lambda: len(e.calls()) > before)
    time.sleep(seconds)


@pytest.fixture
def protected(emulator, daemon):
    """Two tables with backups, one of them with an export, all made; the daemon is stopped."""

    def make(**options):
        e = emulator("orders:pitr", "users", backup_time="200ms", export_time="1s", **options)
        when, slot = soon()
        text = backup("nightly", when, 'max_age = "1d";') + export("full", when)
        d = daemon(conf(e, text, select(["orders", "users"], "nightly") + "," + select("orders", "full")))
        runs = d.wait_runs(3, 30)
        assert [run["state"] for run in runs] == ["succeeded"] * 3
        assert d.stop() == 0
        return e, d, slot

    return make


@pytest.fixture
def made(emulator, daemon):
    """The same, made by hand under the names and the token that the daemon would give, and no ledger yet."""

    def make():
        e = emulator("orders:pitr", "users", backup_time="0s", export_time="0s", rates=False)
        slot, client = "2026-01-02T02:00:00Z", e.client()
        for table in ("orders", "users"):
            client.create_backup(TableName=table, BackupName=name_of("nightly", slot, table))
        table = client.describe_table(TableName="orders")["Table"]
        client.export_table_to_point_in_time(
            TableArn=table["TableArn"],
            ClientToken=token_of("full", slot, table["TableId"]),
            S3Bucket="acme-exports",
            S3Prefix="orders",
        )
        text = backup("nightly", "2026-01-02 02:00:00") + export("full", "2026-01-02 02:00:00")
        d = daemon(
            conf(e, text, select(["orders", "users"], "nightly") + "," + select("orders", "full")), start=False
        )
        return e, d, slot

    return make


# --- what was lost is found again ---


def test_what_was_made_is_found_again(protected, ctl):
    e, d, slot = protected()
    before, known = kept(d), enrolments(d)
    made = mutations(e)
    lose(d)
    found = rebuild(d)
    assert (found["runs"], found["complete"], found["deployment"], found["dry_run"]) == (3, True, "acme", False)
    assert set(rows(found)) == {("orders", "nightly"), ("orders", "full"), ("users", "nightly")}
    for row in found["enrolments"]:
        assert (row["found"], row["known"], row["succeeded"], row["under_way"], row["failed"]) == (1, 0, 1, 0, 0)
        assert (row["newest_slot"], row["uncertain_slot"]) == (slot, None)
    assert kept(d) == before
    for key, row in enrolments(d).items():
        assert row["cursor"] == row["first_seen"] == usec(slot)
        assert row["newest"] == known[key]["newest"] and row["calendar"] == known[key]["calendar"]
    first = d.ledger.runs(action="backup")[0]
    assert first["handle"] == name_of("nightly", slot, first["name"])
    assert d.ledger.notes(first["id"]) == ["adopted", "finished", "verified"]
    assert "found at the service when the ledger was rebuilt" in ctl(d, "show", str(first["id"])).stdout

    live_for_a_while(d, e)
    assert ctl(d, "check").returncode == 0
    assert ctl(d, "status").stdout.startswith("PROTECTED")
    assert mutations(e) == made and d.stop() == 0
    assert kept(d) == before


def test_it_says_what_it_found_and_what_it_cannot_find(made):
    e, d, slot = made()
    done = run(d, "rebuild", "--dry-run")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "3 runs would be taken in; nothing was written (--dry-run)" in done.stdout
    assert not list(d.state.glob("ledger.db*")), "a dry run leaves no ledger"
    done = run(d, "rebuild")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert done.stdout.startswith(f"Deployment acme in {REGION}, credentials from environment")
    for words in ("3 runs taken in", slot, "orders", "users", "full", "ranges of slots", "holds", "skipped"):
        assert words in done.stdout
    assert done.stdout.endswith("Next: start ddbackupd\n")


def test_a_second_rebuild_adds_nothing(made):
    e, d, slot = made()
    assert rebuild(d, "--dry-run")["runs"] == 3
    rebuild(d)
    before = everything(d)
    for options in ([], ["--dry-run"]):
        again = rebuild(d, *options)
        assert again["runs"] == 0
        assert {(row["found"], row["known"]) for row in again["enrolments"]} == {(1, 1)}
        assert everything(d) == before


def test_a_whole_ledger_stays_as_it_is(protected):
    e, d, slot = protected()
    before = everything(d)
    assert rebuild(d)["runs"] == 0
    assert everything(d) == before


def test_nothing_is_made_twice_on_an_older_ledger(emulator, daemon):
    """The ledger is a copy from before the slot: its cursor would run the slot again."""
    e = emulator("orders:pitr", backup_time="200ms", export_time="1s")
    when, slot = soon(6)
    d = daemon(conf(e, backup("nightly", when) + export("full", when), select("orders", "nightly", "full")))
    wait_until(lambda: len(enrolments(d)) == 2)
    assert d.stop() == 0
    old = d.directory / "old"
    shutil.copytree(d.state, old)
    assert not Ledger(old).runs()
    d.start()
    d.wait_runs(2, 30)
    assert d.stop() == 0
    before, made = kept(d), mutations(e)
    seen = {key: row["first_seen"] for key, row in enrolments(d).items()}
    shutil.rmtree(d.state)
    shutil.copytree(old, d.state)
    assert rebuild(d)["runs"] == 2
    assert kept(d) == before
    live_for_a_while(d, e)
    assert mutations(e) == made
    assert {row["cursor"] for row in enrolments(d).values()} == {usec(slot)}
    assert {key: row["first_seen"] for key, row in enrolments(d).items()} == seen


def test_what_is_being_made_is_followed_to_its_end(emulator, daemon):
    e = emulator("orders:pitr", backup_time="8s", export_time="8s")
    when, slot = soon()
    d = daemon(conf(e, backup("nightly", when) + export("full", when), select("orders", "nightly", "full")))
    wait_until(lambda: len(d.ledger.runs(state="in_progress")) == 2, 7)
    d.kill()
    before = kept(d)
    lose(d)
    found = rebuild(d)
    assert {key: row["under_way"] for key, row in rows(found).items()} == {
        ("orders", "nightly"): 1,
        ("orders", "full"): 1,
    }
    assert kept(d) == before
    d.start()
    runs = d.wait_runs(2, 30)
    assert {run["state"] for run in runs} == {"succeeded"}
    assert sorted(mutations(e)) == ["CreateBackup", "ExportTableToPointInTime"]
    d.wait_line(rf"orders: backup nightly {slot} is AVAILABLE")
    d.wait_line(rf"orders: export full {slot} is COMPLETED")


def test_a_long_history_is_found_page_by_page(emulator, daemon, ctl):
    e = emulator("orders", backup_time="0s", rates=False)
    today = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    slots = [(today - datetime.timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(230)]
    client = e.client()
    for slot in slots:
        client.create_backup(TableName="orders", BackupName=name_of("hourly", slot))
    d = daemon(conf(e, backup("hourly", "*:00"), select("or*", "hourly")), start=False)
    found = rebuild(d)
    assert len(e.calls("ListBackups")) == 3 and e.calls("ListTables")
    row = rows(found)["orders", "hourly"]
    if row["uncertain_slot"] is None:  # else an hour has just begun
        assert (found["runs"], row["found"], row["newest_slot"]) == (230, 230, slots[0])
        assert len(d.ledger.runs(state="succeeded")) == 230
        by_id = [run["slot"] for run in d.ledger.runs()]
        assert by_id == sorted(usec(slot) for slot in slots), "ids rise with the slots"
        assert enrolments(d)["orders", "hourly"]["first_seen"] == usec(slots[-1])
    made = mutations(e)
    live_for_a_while(d, e)
    assert mutations(e) == made
    assert json.loads(ctl(d, "list", "--all", "--json").stdout)["runs"][0]["slot"] >= slots[0]


def test_an_export_that_was_asked_for_twice_is_one_run(emulator, daemon):
    e = emulator("orders:pitr", export_time="500ms")
    e.faults("ExportTableToPointInTime fail-export InternalError it broke")
    when, slot = soon()
    d = daemon(conf(e, export("full", when), select("orders", "full")))
    (failed,) = wait_until(lambda: [one for one in d.ledger.runs() if one["life"] == "failed"], 15)
    assert (failed["state"], failed["attempt"]) == ("intended", 2)
    assert d.stop() == 0
    lose(d)
    found = rows(rebuild(d))["orders", "full"]
    assert (found["found"], found["under_way"]) == (1, 1)
    (again,) = d.ledger.runs()
    assert [again[key] for key in ("state", "attempt", "handle", "arn")] == [
        failed[key] for key in ("state", "attempt", "handle", "arn")
    ]
    d.start()
    d.wait_runs(1, 20)
    assert d.stop() == 0
    runs = d.ledger.runs()
    assert [(run["attempt"], run["state"], run["life"]) for run in runs] == [
        (2, "succeeded", "failed"),
        (2, "succeeded", "verified"),
    ]
    before = kept(d)
    lose(d)
    assert rebuild(d)["runs"] == 1
    assert kept(d) == before
    assert mutations(e) == ["ExportTableToPointInTime"] * 2


def test_an_export_that_failed_for_good_has_failed(emulator, daemon):
    e = emulator("orders:pitr", export_time="500ms")
    e.faults("ExportTableToPointInTime fail-export S3AccessDenied no")
    when, slot = soon()
    d = daemon(conf(e, export("full", when), select("orders", "full")))
    (before,) = d.wait_runs(1)
    assert d.stop() == 0 and before["state"] == "failed"
    lose(d)
    assert rows(rebuild(d))["orders", "full"]["failed"] == 1
    (run_,) = d.ledger.runs()
    assert (run_["state"], run_["why"], run_["hint"]) == ("failed", before["why"], before["hint"])
    assert enrolments(d)["orders", "full"]["newest"] is None


# --- what is not ours ---


def test_backups_of_similar_names_are_not_taken(emulator, daemon):
    e = emulator("orders", "users", backup_time="0s", rates=False)
    slot = "2026-01-02T02:00:00Z"
    foreign = [
        "acme.nightly.20260102T020000Z.00000000",
        name_of("nightly", slot) + "x",
        name_of("nightly", slot).upper(),
        name_of("nightly", slot, table="users"),
        name_of("nightly", slot, deployment="acme2"),
        "acme.nightly",
        "acme.nightly.20260102T020000.00000000",
        "x" + name_of("nightly", slot),
        "acme.by-hand-x",
    ]
    for name in foreign:
        e.client().create_backup(TableName="orders", BackupName=name)
    d = daemon(conf(e, backup("nightly", "02:00"), select(["orders", "users"], "nightly")), start=False)
    found = rebuild(d)
    assert (found["runs"], d.ledger.runs()) == (0, [])
    assert all(row["unconfigured"] == [] for row in found["tables"])
    assert {row["first_seen"] == row["cursor"] for row in enrolments(d).values()} == {True}
    e.client().create_backup(TableName="orders", BackupName=name_of("nightly", slot))
    assert rebuild(d)["runs"] == 1


def test_two_deployments_share_a_table(emulator, daemon):
    e = emulator("orders:pitr", backup_time="0s", export_time="500ms")
    when, slot = soon(2.5)
    text = conf(e, backup("nightly", when) + export("full", when), select("orders", "nightly", "full"))
    both = [daemon(text), daemon(text.replace('deployment = "acme"', 'deployment = "beta"'))]
    before = []
    for d in both:
        d.wait_runs(2, 30)
        assert d.stop() == 0
        before.append(kept(d))
    assert len(e.state()["backups"]) == len(e.state()["exports"]) == 2
    for d, runs in zip(both, before):
        lose(d)
        found = rebuild(d)
        assert (found["runs"], tables(found)["orders"]["unknown_exports"]) == (2, 1)
        assert kept(d) == runs


def test_backups_of_the_table_before_are_no_success(made, ctl):
    e, d, slot = made()
    client = e.client()
    client.delete_table(TableName="orders")
    wait_until(lambda: [table["name"] for table in e.state()["tables"]] == ["users"])
    client.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    found = rows(rebuild(d))
    assert (found["orders", "nightly"]["failed"], found["users", "nightly"]["succeeded"]) == (1, 1)
    (run_,) = d.ledger.runs(name="orders", action="backup")
    assert (run_["state"], run_["life"]) == ("failed", "disproved")
    assert "the table was deleted and created again" in run_["why"]
    assert enrolments(d)["orders", "nightly"]["newest"] is None
    assert enrolments(d)["orders", "nightly"]["cursor"] == usec(slot)
    assert ctl(d, "status").stdout.startswith("NOT PROTECTED")


def test_schedules_that_are_no_longer_configured_are_counted(emulator, daemon):
    e = emulator("orders", backup_time="0s")
    for schedule, day in (("old", 2), ("old", 3), ("export", 3)):
        slot = f"2026-01-0{day}T02:00:00Z"
        e.client().create_backup(TableName="orders", BackupName=name_of(schedule, slot))
    text = backup("nightly", "02:00") + export("export", "03:00")
    d = daemon(conf(e, text, select("orders", "nightly", "export")), start=False)
    found = rebuild(d)
    assert found["runs"] == 0
    counted = {row["schedule"]: row["backups"] for row in tables(found)["orders"]["unconfigured"]}
    assert counted == {"old": 2, "export": 1}
    assert "2 backups of schedule old, which the configuration does not give the table" in run(d, "rebuild").stdout


def test_surplus_backups_of_a_slot_are_told(made):
    e, d, slot = made()
    assert rebuild(d)["runs"] == 3
    before = kept(d)
    again = e.client().create_backup(TableName="orders", BackupName=name_of("nightly", slot))["BackupDetails"]
    wait_until(lambda: all(one["status"] == "AVAILABLE" for one in e.state()["backups"]))
    lose(d)
    found = rebuild(d)
    assert {name: row["surplus"] for name, row in tables(found).items()} == {"orders": 1, "users": 0}
    assert kept(d) == before, "the earliest is the run's"
    assert again["BackupArn"] in run(d, "rebuild").stdout


def test_a_listing_without_table_ids_is_looked_up(made):
    e, d, slot = made()
    assert rebuild(d)["runs"] == 3
    before = kept(d)
    e.faults("ListBackups times=forever omit TableId")
    lose(d)
    described = len(e.calls("DescribeBackup"))
    assert rebuild(d)["runs"] == 3
    assert kept(d) == before
    assert len(e.calls("DescribeBackup")) == described + 2


# --- what is in doubt ---


def test_a_slot_of_which_nothing_shows_is_looked_for_before_it_is_asked_for(emulator, daemon):
    """Its CreateBackup may have left just before the ledger was lost, and not be listed yet."""
    e = emulator("orders", backup_time="0s")
    first = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=3)
    if first.second > 50:
        time.sleep(61 - first.second)
        first = first.replace(second=3) + datetime.timedelta(minutes=1)
    second = first + datetime.timedelta(seconds=5)
    when = first.strftime("%Y-%m-%d %H:%M:") + f"{first.second},{second.second}"
    d = daemon(conf(e, backup("nightly", when), select("orders", "nightly")))
    d.wait_runs(1)
    assert d.stop() == 0
    wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > second)
    lose(d)
    found = rows(rebuild(d))["orders", "nightly"]
    slot = second.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (found["found"], found["succeeded"], found["under_way"], found["uncertain_slot"]) == (1, 1, 1, slot)
    (doubt,) = d.ledger.runs(state="uncertain")
    assert (doubt["slot"], doubt["handle"]) == (usec(slot), name_of("nightly", slot))
    assert rebuild(d)["runs"] == 0
    listed = len(e.calls("ListBackups"))
    live_for_a_while(d, e)
    assert len(e.calls("ListBackups")) > listed and mutations(e) == ["CreateBackup"]
    e.client().create_backup(TableName="orders", BackupName=name_of("nightly", slot))  # the late one
    runs = d.wait_runs(2, 30)
    assert [run["state"] for run in runs] == ["succeeded"] * 2
    assert len(e.state()["backups"]) == 2


# --- when it cannot ---


def test_it_is_refused_while_the_daemon_runs(emulator, daemon):
    e = emulator("orders", backup_time="0s")
    d = daemon(conf(e, backup("nightly", "02:00"), select("orders", "nightly")))
    wait_until(lambda: enrolments(d))
    e.client().create_backup(TableName="orders", BackupName=name_of("nightly", "2026-01-02T02:00:00Z"))
    before = everything(d)
    for done in (run(d, "rebuild"), set_aside(d, "--yes")):
        assert (done.returncode, done.stdout) == (1, "")
        assert "ddbackupd runs" in done.stderr and "; HINT: stop it first: systemctl stop ddbackupd" in done.stderr
    assert everything(d) == before
    assert rebuild(d, "--dry-run")["runs"] == 1, "a dry run disturbs nobody"
    assert everything(d) == before


def test_a_table_that_cannot_be_searched_is_left_for_the_next_time(made):
    e, d, slot = made()
    assert rebuild(d)["runs"] == 3
    before = kept(d)
    lose(d)
    e.faults("DescribeExport table=orders error AccessDeniedException")
    done = run(d, "rebuild", "--json")
    assert done.returncode == 1 and "; HINT: rebuild again" in done.stderr
    found = json.loads(done.stdout)
    assert (found["runs"], found["complete"]) == (1, False)
    assert tables(found)["orders"]["outcome"] == "failed" and "AccessDenied" in tables(found)["orders"]["error"]
    assert [run["name"] for run in d.ledger.runs()] == ["users"]
    assert set(enrolments(d)) == {("users", "nightly")}
    assert rebuild(d)["runs"] == 2
    assert kept(d) == before


def test_a_table_that_is_gone_is_told(made):
    e, d, slot = made()
    e.client().delete_table(TableName="orders")
    wait_until(lambda: [table["name"] for table in e.state()["tables"]] == ["users"])
    found = rebuild(d)
    assert tables(found)["orders"]["outcome"] == "no such table"
    assert [run["name"] for run in d.ledger.runs()] == ["users"]
    assert "orders: there is no such table now" in run(d, "rebuild").stdout


@pytest.mark.parametrize(
    "fault", ["error InternalServerError 500", "truncate", "drop-after", "error ThrottlingException"]
)
def test_hiccups_of_the_service_are_outlasted(made, fault):
    e, d, slot = made()
    assert rebuild(d)["runs"] == 3
    before = kept(d)
    lose(d)
    for operation in ("DescribeTable", "ListBackups", "ListExports", "DescribeExport"):
        e.faults(f"{operation} {fault}")
    assert rebuild(d)["runs"] == 3
    assert kept(d) == before


def test_a_clock_that_is_wrong_writes_nothing(emulator, daemon):
    e = emulator("orders", options=["--clock-offset=1h"])
    d = daemon(conf(e, backup("nightly", "02:00"), select("orders", "nightly")), start=False)
    done = run(d, "rebuild")
    assert (done.returncode, done.stdout) == (1, "")
    assert "s behind the service's; HINT: set it" in done.stderr
    assert enrolments(d) == {}


def test_what_it_needs_is_asked_for(emulator, daemon):
    e = emulator("orders")
    d = daemon(conf(e, backup("nightly", "02:00"), select("orders", "nightly")), start=False, credentials=False)
    done = run(d, "rebuild")
    assert done.returncode == 1 and "; HINT: " in done.stderr
    d.configure("deployment = ")
    assert run(d, "rebuild").returncode == 1
    d.configure(conf(e, backup("nightly", "02:00"), select("orders", "nightly")))
    d.state.rmdir()
    assert "HINT: start ddbackupd once" in set_aside(d, "--yes").stderr
    assert run(d, "list", "--dry-run", config=False).returncode == 2
    assert run(d, "rebuild", "--days", "3").returncode == 2


# --- a ledger that is damaged ---


def cut(path):
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2 // 4096 * 4096)


def garble(path):
    with open(path, "r+b") as file:
        file.write(b"\xa5" * 5000)


def garble_inside(path):
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


def empty(path):
    """SQLite alone would take it for a new one."""
    with open(path, "r+b") as file:
        file.truncate(0)


@pytest.mark.parametrize("damage", [cut, garble, garble_inside, empty])
def test_a_damaged_ledger_is_set_aside_by_order_alone(made, damage):
    e, d, slot = made()
    assert rebuild(d)["runs"] == 3
    before, made = kept(d), mutations(e)
    damage(d.ledger.path)
    files = {file.name: file.read_bytes() for file in d.state.glob("ledger.db*") if not file.name.endswith("-shm")}

    d.start(wait=False)
    line = d.wait_line(r"ledger\.db.*HINT: ")
    assert d.process.wait(10) == 1
    done = run(d, "rebuild")
    assert (done.returncode, done.stdout) == (1, "")
    for words in (line, done.stderr):
        assert str(d.ledger.path) in words
        assert "'ddbackupctl set-aside --yes'" in words and "'ddbackupctl rebuild'" in words

    unsure = set_aside(d)
    assert unsure.returncode == 2 and "--yes" in unsure.stderr
    assert {name: (d.state / name).read_bytes() for name in files} == files, "nothing was touched"

    done = set_aside(d, "--yes")
    assert done.returncode == 0 and "'ddbackupctl rebuild'" in done.stdout, done.stderr
    (aside,) = [file for file in d.state.glob("ledger.db.damaged-*Z")]
    assert str(aside) in done.stdout
    assert {name: (d.state / name.replace("ledger.db", aside.name)).read_bytes() for name in files} == files
    assert not list(d.state.glob("ledger.db")) + list(d.state.glob("ledger.db-*"))
    assert set_aside(d, "--yes").returncode == 1, "there is nothing any more"

    assert rebuild(d)["runs"] == 3
    assert kept(d) == before
    live_for_a_while(d, e, 1)
    assert mutations(e) == made


def test_set_aside_answers_programs(made):
    e, d, slot = made()
    assert rebuild(d)["runs"] == 3
    done = set_aside(d, "--yes", "--json")
    assert done.returncode == 0
    path = json.loads(done.stdout)["set_aside"]
    assert Ledger(d.state).runs() == [] and path.startswith(str(d.state / "ledger.db.damaged-"))
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (3,)
    db.close()


# --- whose files these are ---


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another")
def test_root_leaves_files_that_the_daemon_can_use(made):
    e, d, slot = made()
    os.chown(d.state, 65534, 43210)
    for directory in [d.state, *d.state.parents][:-2]:
        directory.chmod(directory.stat().st_mode | 0o711)
    assert rebuild(d)["runs"] == 3
    files = list(d.state.iterdir())
    assert {file.name for file in files} >= {"lock", "ledger.db"}
    stats = [file.stat() for file in files]
    assert {(st.st_uid, st.st_gid, st.st_mode & 0o777) for st in stats} == {(65534, 43210, 0o640)}
    assert set_aside(d, "--yes").returncode == 0
