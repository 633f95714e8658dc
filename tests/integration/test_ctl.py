"""ddbackupctl against ledgers written by store_tool: every verb for people and for programs, and the exit status of
check in every case. No daemon is needed; a store_tool that waits stands for one that runs."""

import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys

import pytest

BUILD = pathlib.Path(os.environ.get("DDB_BUILD", "."))
CTL = BUILD / "ddbackupctl"
TOOL = BUILD / "tests/integration/store_tool"
UTC = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")
ARN = "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
GROUP = 43210  # of nobody
NO_CONFIG = "/nonexistent/ddbackupd.conf"


def line(word, **fields):
    return "\t".join([word] + [f"{key.rstrip('_')}={value}" for key, value in fields.items()]) + "\n"


def enrolment(table="orders", schedule="nightly", newest="9h", **fields):
    known = {"newest": newest} if newest else {}
    fields = {"max_age": "27h", "first_seen": "10d", "cursor": "9h", "when": "02:00 in Europe/Berlin"} | known | fields
    return line("enrolment", table=table, schedule=schedule, **fields)


def succeeded(run_id=1, table="orders", schedule="nightly", slot="9h", **fields):
    arn = f"{ARN}/backup/0179150476251{run_id}-2779fadd"
    name = f"acme.{schedule}.20261123T020000Z.0000000{run_id}"
    details = {"BackupArn": arn, "BackupName": name, "BackupStatus": "AVAILABLE", "BackupSizeBytes": 1536000000}
    return (
        line("run", id=run_id, table=table, schedule=schedule, state="succeeded", action="backup", slot=slot, due="8h",
             settled="7h", intent="8h", first_sent="8h", sent="8h", n_sends=1, name=name, table_id="id-1",
             table_arn=ARN, request_id="REQUEST1", **fields)
        + line("artefact", life="verified", arn=arn, status="AVAILABLE", name=name, table_id="id-1", created="9h",
               finished="8h", verified="8h", size=1536000000, items=12345, details=json.dumps(details))
        + line("note", wall="8h", event="prepared", state="intended")
        + line("note", wall="8h", event="sent", state="requested")
        + line("note", wall="7h", event="verified", state="succeeded")
    )


def failed(run_id=2, table="orders", schedule="nightly", slot="1h", why="refused: recovery is off", **fields):
    return line("run", id=run_id, table=table, schedule=schedule, state="failed", action="backup", slot=slot,
                settled="30min", why=why, hint="enable it", name="lost", **fields)


def export(run_id=5):
    """Failed once, then completed."""
    first, second = f"{ARN}/export/01695097218000-first", f"{ARN}/export/01695353076000-second"
    details = {"ExportArn": second, "ExportStatus": "COMPLETED", "ExportManifest": "x/manifest-summary.json"}
    return (
        line("run", id=run_id, table="orders", schedule="weekly", state="succeeded", action="export", slot="2d",
             settled="1d", name="token-2", table_id="id-1", table_arn=ARN, s3_bucket="acme-exports",
             s3_bucket_owner="333333333333", s3_prefix="own/orders", s3_sse_algorithm="KMS", s3_kms_key_id="key-1",
             s3_format="DYNAMODB_JSON", attempt=2, n_sends=2)
        + line("failed", life="failed", arn=first, status="FAILED", name="token-1",
               details=json.dumps({"FailureCode": "S3AccessDenied", "FailureMessage": "denied\x1b[31m by ü"}))
        + line("artefact", life="verified", arn=second, status="COMPLETED", name="token-2", created="2d", finished="1d",
               verified="1d", size=7, items=3, details=json.dumps(details))
        + line("note", wall="2d", event="failed there", state="in_progress", why="S3 said no")
        + line("note", wall="1d", event="verified", state="succeeded")
    )


class Ledger:
    def __init__(self, tmp):
        self.dir = tmp / "state"
        self.dir.mkdir(mode=0o750)

    def write(self, *lines):
        """A daemon that ran and was stopped."""
        script = "".join(lines) + "commit\n"
        subprocess.run([TOOL, self.dir], input=script, text=True, check=True, timeout=30)
        return self

    @contextlib.contextmanager
    def running(self, *lines):
        """A daemon that runs, with what it wrote in the WAL."""
        tool = subprocess.Popen([TOOL, self.dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            tool.stdin.write("".join(lines) + ("commit\n" if lines else "") + "wait\n")
            tool.stdin.flush()
            assert tool.stdout.readline() == "ready\n"
            yield tool
        finally:
            tool.stdin.close()
            tool.wait(timeout=30)
            tool.stdout.close()

    def ctl(self, *args, status=0, user=None, config=None):
        before = list(user) if user else []
        verb, rest = args[0], list(args[1:])
        if config:
            rest.append(f"--config={config}")
        command = [*before, str(CTL), verb, *rest, f"--state-directory={self.dir}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]})
        assert done.returncode == status, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout if status == 0 or verb == "check" else done.stderr

    def json(self, *args, **kwargs):
        return json.loads(self.ctl(*args, "--json", **kwargs))

    def tamper(self, sql):
        with contextlib.closing(sqlite3.connect(self.dir / "ledger.db", isolation_level=None)) as db:
            db.execute(sql)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


@pytest.fixture
def full(ledger):
    """One of everything."""
    return ledger.write(
        line("target", table="orders", table_id="id-1", table_arn=ARN, described="1h"),
        enrolment(),
        enrolment(schedule="weekly", newest="9d", max_age="8d", stale="1d", when="Sun 03:00 in UTC"),
        enrolment(table="users", newest=None, first_seen="2h"),
        enrolment(table="gone", active=0),
        succeeded(),
        failed(2, slot="10h", why="bad\x1b[2J thing"),
        export(),
        line("run", id=3, table="users", state="uncertain", action="backup", slot="1h", finish_by="+5h",
             name="acme.nightly.20261123T030000Z.00000003", table_id="i", table_arn="a", why="no reply", hint="wait"),
        line("range", table="orders", schedule="nightly", from_="5d", to="2d", slots=3),
    )


# --- list


def test_list_for_people(full):
    out = full.ctl("list")
    rows = out.splitlines()
    assert rows[0].split() == ["RUN", "SLOT", "TABLE", "SCHEDULE", "ACTION", "STATE", "STATUS", "CREATED", "SIZE",
                               "ITEMS", "REASON"]
    assert [row.split()[0] for row in rows[1:5]] == ["3", "1", "2", "5"]  # newest slot first
    assert re.search(r"orders +nightly +backup +succeeded +AVAILABLE +\S+Z +1\.4G +12345", out)
    assert re.search(r"orders +weekly +export +succeeded +COMPLETED +\S+Z +7B +3", out)
    assert re.search(r"failed .* bad\?\[2J thing; HINT: enable it", out)
    assert "\x1b" not in out and ARN not in out
    assert re.search(r"Slots that did not run:\n.*\n.* 3  orders +nightly", out)
    assert not any(row != row.rstrip() for row in rows)


def test_list_filters(full):
    def ids(*args):
        return [run["id"] for run in full.json("list", *args)["runs"]]

    assert ids() == [3, 1, 2, 5]
    assert ids("--table=orders") == [1, 2, 5]
    assert ids("--table", "own/*/us*") == [3]
    assert ids("--table=own/us-east-1/*") == []
    assert ids("--schedule=weekly") == [5]
    assert ids("--action=export") == [5]
    assert ids("--limit=2") == [3, 1]
    assert ids("--limit=2", "--action=backup", "--table=o*") == [1, 2]
    assert "No runs that were asked for." in full.ctl("list", "--table=nothing")
    assert ARN in full.ctl("list", "--arn")


def test_list_stops_at_fifty_unless_asked(ledger):
    ledger.write(*(failed(n, slot=f"{n}h") for n in range(1, 61)))
    assert len(ledger.json("list")["runs"]) == 50
    assert len(ledger.json("list", "--all")["runs"]) == 60
    assert "The newest 50 runs; --limit=N or --all shows more." in ledger.ctl("list")
    assert "--all" not in ledger.ctl("list", "--all")


def test_list_names_account_and_region_when_they_differ(ledger):
    ledger.write(failed(1), failed(2, region="us-east-1"))
    out = ledger.ctl("list")
    assert "own/eu-central-1/orders" in out and "own/us-east-1/orders" in out


def test_list_names_them_of_one_run_where_tables_differ(ledger):
    ledger.write(enrolment(), enrolment().replace("\t", "\tregion=us-east-1\t", 1), failed(1))
    assert "own/eu-central-1/orders" in ledger.ctl("list")


def test_list_json_has_every_field(full):
    answer = full.json("list")
    assert set(answer) == {"now", "runs", "retention", "ranges"}
    run = next(run for run in answer["runs"] if run["id"] == 1)
    assert set(run) == {
        "id", "account", "region", "table", "schedule", "action", "state", "slot", "due", "start_by", "warn_at",
        "finish_by", "name", "table_id", "table_arn", "s3", "attempt", "intent", "first_sent", "sent", "sends",
        "deferrals", "settled", "why", "hint", "request_id", "artefact"}
    assert set(run["artefact"]) == {"arn", "action", "life", "status", "name", "table_id", "created", "finished",
                                    "verified", "level", "found", "size_bytes", "item_count", "details"}
    assert run["artefact"]["size_bytes"] == 1536000000 and run["artefact"]["item_count"] == 12345
    assert run["artefact"]["details"]["BackupStatus"] == "AVAILABLE"
    assert run["start_by"] is None and run["s3"] is None and run["why"] is None
    for key in ("slot", "due", "intent", "first_sent", "sent", "settled"):
        assert UTC.match(run[key]), key
    bad = next(run for run in answer["runs"] if run["id"] == 2)
    assert bad["why"] == "bad\x1b[2J thing"
    assert bad["artefact"] is None
    assert [entry["slots"] for entry in answer["ranges"]] == [3]
    assert set(answer["ranges"][0]) == {"account", "region", "table", "schedule", "from", "to", "slots", "decided",
                                        "why"}


# --- show


@pytest.mark.parametrize("word", ["5", "token-2", "token-1", f"{ARN}/export/01695097218000-first",
                                  f"{ARN}/export/01695353076000-second"])
def test_show_finds_a_run_by_any_of_its_names(full, word):
    answer = full.json("show", word)
    assert answer["run"]["id"] == 5
    assert answer["run"]["s3"] == {"bucket": "acme-exports", "bucket_owner": "333333333333", "prefix": "own/orders",
                                   "sse_algorithm": "KMS", "kms_key_id": "key-1", "format": "DYNAMODB_JSON"}
    assert [artefact["life"] for artefact in answer["artefacts"]] == ["failed", "verified"]
    assert answer["artefacts"][0]["details"]["FailureCode"] == "S3AccessDenied"
    assert [(note["event"], note["state"], note["why"]) for note in answer["notes"]] == [
        ("failed there", "in_progress", "S3 said no"), ("verified", "succeeded", None)]


def test_show_tells_people_the_whole_story(full):
    out = full.ctl("show", "5")
    for words in ("Run 5: own/eu-central-1/orders, schedule weekly, export of", "succeeded", "acme-exports",
                  "own/orders", "key-1", "attempt          2", "S3AccessDenied", "denied?[31m by ü",
                  "manifest-summary.json", "failed there", "S3 said no", "COMPLETED",
                  f"{ARN}/export/01695097218000-first"):
        assert words in out, words
    assert "\x1b" not in out
    out = full.ctl("show", "acme.nightly.20261123T020000Z.00000001")
    assert "REQUEST1" in out and "BackupSizeBytes" in out and "1536000000" in out
    out = full.ctl("show", "2")
    assert "enable it" in out and "nothing has happened yet" in out


def test_show_of_no_run(full):
    assert "99: no run has this number, name, ARN or window; HINT: " in full.ctl("show", "99", status=1)
    assert "no run has" in full.ctl("show", "' OR 1=1 --", status=1)


def test_show_of_a_name_that_two_have(ledger):
    ledger.write(failed(1, slot="1h"), failed(2, slot="2h"))
    assert "lost: so 2 runs are called: " in ledger.ctl("show", "lost", status=1)


# --- status


def test_status_answers_in_the_first_line(ledger):
    with ledger.running(enrolment(), succeeded()):
        first = ledger.ctl("status").splitlines()[0]
        assert first == ("PROTECTED: every enrolment of 1 table is fresh (1 of 1, the oldest artefact is of 9h ago); "
                         "the daemon is running")
    first = ledger.ctl("status").splitlines()[0]
    assert first.startswith("PROTECTED, BUT LOOK: ") and first.endswith("; the daemon is NOT running")


def test_status_for_people(full):
    out = full.ctl("status")
    assert out.splitlines()[0] == (
        "NOT PROTECTED: 1 of 3 enrolments stale, 1 without a verified artefact yet, 1 run uncertain; "
        "the daemon is NOT running")
    assert "deployment acme" in out.splitlines()[1]
    table = out[out.index("Enrolments:"):].splitlines()
    assert [row.split()[:3] for row in table[2:5]] == [["orders", "weekly", "stale"], ["users", "nightly", "pending"],
                                                      ["orders", "nightly", "fresh"]]
    assert re.search(r"3 +users +nightly +backup +\S+ +uncertain +1h.* no reply; HINT: wait", out)
    assert "gone" not in out


def test_status_fits_a_screen(ledger):
    ledger.write(*(enrolment(table=f"table-{n:03}") for n in range(100)), enrolment(table="zzz", newest="2d"))
    out = ledger.ctl("status")
    assert len(out.splitlines()) < 40
    assert "and 81 more; --all shows them" in out
    assert re.search(r"Enrolments:\n.*\n +zzz", out)  # the stale one stands first
    assert "table-099" in ledger.ctl("status", "--all")


def test_status_json(full):
    answer = full.json("status")
    assert answer["protected"] is False and answer["level"] == "critical" and answer["daemon"] == "stopped"
    assert answer["deployment"] == "acme"
    assert answer["counts"] == {"tables": 2, "enrolments": 3, "fresh": 1, "stale": 1, "pending": 1, "unwatched": 0,
                                "not_enrolled": 0, "failed": 0, "under_way": 1, "uncertain": 1, "late": 0, "overdue": 0,
                                "troubles": 0, "too_few": 0, "gone": 0, "unrecoverable": 0}
    stale, pending, fresh = answer["enrolments"]
    assert stale["freshness"] == "stale" and stale["level"] == "critical" and UTC.match(stale["stale_since"])
    assert stale["max_age_seconds"] == 8 * 86400 and 9 * 86400 <= stale["age_seconds"] < 9 * 86400 + 60
    assert stale["last_success"]["id"] == 5
    assert pending["newest"] is None and pending["last_success"] is None and pending["latest_run"] is None
    assert fresh["latest_run"]["id"] == 1 and fresh["last_success"]["id"] == 1
    assert fresh["calendar"] == "02:00 in Europe/Berlin"
    assert UTC.match(fresh["next_slot"]) and fresh["next_slot"][11:] in ("00:00:00Z", "01:00:00Z")
    assert fresh["newest"] < fresh["next_slot"]  # the cursor is as old
    assert [run["id"] for run in answer["runs"]] == [3]
    assert {problem["level"] for problem in answer["problems"]} == {"critical", "warning"}


def test_status_knows_the_latest_run_and_the_last_success(ledger):
    ledger.write(enrolment(), succeeded(1, slot="30h"), succeeded(4), failed(2, slot="2h"), failed(3, slot="40h"))
    status = ledger.json("status")
    [standing] = status["enrolments"]
    assert standing["latest_run"]["id"] == 2 and standing["last_success"]["id"] == 4
    assert status["counts"]["failed"] == 1  # newest runs, not all of them


def test_problems_stand_worst_first(ledger):
    with ledger.running(enrolment(table="aaa", newest=None, first_seen="1h"), enrolment(table="zzz", newest="30h")):
        answer = ledger.json("status")
        assert [problem["level"] for problem in answer["problems"]] == ["critical", "warning"]
        assert answer["problems"][0]["text"].startswith("zzz/nightly: stale")


def test_a_table_is_not_protected_while_a_schedule_of_it_has_nothing(ledger):
    with ledger.running(enrolment(), enrolment(schedule="weekly", newest=None, max_age="0"), succeeded()):
        assert ledger.json("status")["protected"] is False
        check(ledger, 1, "orders/weekly: nothing verified yet, and no max_age")


# --- check


def check(ledger, status, *words, args=(), user=None):
    out = ledger.ctl("check", *args, status=status, user=user)
    first = out.splitlines()[0]
    assert first.startswith("DDBACKUPD " + ("OK", "WARNING", "CRITICAL")[status] + " - "), first
    for word in words:
        assert word in out, (word, out)
    assert out.count("|") <= 1
    return first


def test_check_is_ok_when_all_is_fresh(ledger):
    with ledger.running(enrolment(), succeeded()):
        first = check(ledger, 0, "every enrolment of 1 table is fresh")
        text, perfdata = first.split("|")
        values = dict(item.split("=") for item in perfdata.split())
        assert values["fresh"] == "1;;;0" and values["stale"] == "0;;0;0"
        assert re.fullmatch(r"324\d\ds;;;0", values["oldest"])
        answer = ledger.json("check")
        assert answer["level"] == "ok" and answer["exit_status"] == 0 and answer["problems"] == []


@pytest.mark.parametrize("status, words, lines", [
    pytest.param(2, "orders/nightly: stale: the newest verified artefact is 30h old", [enrolment(newest="30h")],
                 id="stale"),
    pytest.param(2, "made no verified artefact since it was enrolled", [enrolment(newest=None)], id="never"),
    pytest.param(1, "nothing verified yet; enrolled 2h ago", [enrolment(newest=None, first_seen="2h")], id="pending"),
    pytest.param(1, "the newest run failed", [enrolment(), succeeded(), failed()], id="failed-newest"),
    pytest.param(1, "the newest run was skipped", [
        enrolment(), line("run", id=3, table="orders", state="skipped", slot="1h", settled="10min", why="a|b")],
        id="skipped-newest"),
    pytest.param(0, "is fresh", [enrolment(), succeeded(1, slot="1h"), failed(2, slot="5h")], id="failed-before"),
    pytest.param(2, "the newest run failed", [enrolment(newest="30h"), failed()], id="stale-and-failed"),
    pytest.param(1, "run 3 (", [
        enrolment(), line("run", id=3, table="orders", state="uncertain", action="backup", slot="1h", name="n",
                          table_id="i", table_arn="a", finish_by="+1h")], id="uncertain"),
    pytest.param(1, "is late: in_progress, due 1h ago", [
        enrolment(), line("run", id=3, table="orders", state="in_progress", action="backup", slot="1h", name="n",
                          table_id="i", table_arn="a", warn_at="10min", finish_by="+1h")], id="late"),
    pytest.param(1, "is late: due", [
        enrolment(), line("run", id=3, table="orders", state="due", action="backup", slot="1h", warned=1,
                          start_by="+1h")], id="warned"),
    pytest.param(0, "is fresh", [
        enrolment(), line("run", id=3, table="orders", state="in_progress", action="backup", slot="1h", name="n",
                          table_id="i", table_arn="a", warn_at="+10min", finish_by="+1h")], id="under-way"),
    pytest.param(2, "the daemon does not act", [
        enrolment(), line("run", id=3, table="orders", state="due", action="backup", slot="1h", start_by="10min",
                          finish_by="+1h")], id="overdue-start"),
    pytest.param(2, "the daemon does not act", [
        enrolment(), line("run", id=3, table="orders", state="verifying", action="backup", slot="9h", name="n",
                          table_id="i", table_arn="a", start_by="8h", finish_by="1h")], id="overdue-finish"),
    pytest.param(1, "no schedule of it has a max_age", [enrolment(max_age="0"), succeeded()], id="unwatched"),
    pytest.param(0, "is fresh", [enrolment(max_age="0"), enrolment(schedule="weekly"), succeeded()],
                 id="unwatched-beside-watched"),
    pytest.param(2, "no table that was asked about is enrolled", [enrolment(active=0)], id="ended"),
    pytest.param(2, "no table that was asked about is enrolled", [], id="empty"),
])
def test_check_by_what_the_ledger_holds(ledger, status, words, lines):
    with ledger.running(*lines):
        check(ledger, status, words)


def test_check_names_the_worst_in_its_first_line(ledger):
    with ledger.running(enrolment(), *(enrolment(table=f"old-{n}", newest=f"{30 + n}h") for n in range(5))):
        first = check(ledger, 2, "5 of 6 enrolments stale")
        assert ": old-4/nightly, old-3/nightly, old-2/nightly and 2 more|" in first


def test_check_filters(ledger):
    with ledger.running(enrolment(), enrolment(table="old", newest="30h"), enrolment(schedule="weekly", newest="30h")):
        check(ledger, 2)
        check(ledger, 0, args=("--table=ord*", "--schedule=nightly"))
        check(ledger, 2, "orders/weekly", args=("--schedule=weekly",))
        check(ledger, 2, "is enrolled", args=("--table=misspelt",))


def test_check_when_the_daemon_does_not_run(ledger):
    ledger.write(enrolment(), succeeded())
    check(ledger, 2, "is fresh", "CRITICAL: the daemon is not running; HINT: systemctl start ddbackupd")


def test_check_without_a_ledger(ledger):
    check(ledger, 2, "not known: ", "there is no ledger yet; HINT: ")
    answer = ledger.json("check", status=2)
    assert answer["level"] == "critical" and answer["exit_status"] == 2 and "no ledger yet" in answer["summary"]
    ledger.dir.rmdir()
    check(ledger, 2, "there is no ledger yet")


def test_check_of_a_damaged_ledger(ledger):
    (ledger.dir / "ledger.db").write_bytes(b"\xa5" * 8192)
    check(ledger, 2, "file is not a database; HINT: ")
    assert "file is not a database; HINT: " in ledger.ctl("status", status=1)


def test_a_row_that_makes_no_sense(ledger):
    ledger.write(enrolment(), succeeded())
    ledger.tamper("DROP TRIGGER runs_settled")
    ledger.tamper("UPDATE runs SET state='dreaming'")
    check(ledger, 2, "holds a run that makes no sense: it was edited or is damaged; HINT: ")
    for verb in ("status", "list"):
        assert "holds a run that makes no sense: it was edited or is damaged; HINT: " in ledger.ctl(verb, status=1)


@pytest.mark.parametrize("version, words", [(99, "has schema 99, and this program knows up to"),
                                            (0, "HINT: start ddbackupd once")])
def test_check_of_another_schema(ledger, version, words):
    ledger.write(enrolment(), succeeded())
    ledger.tamper(f"PRAGMA user_version={version}")
    check(ledger, 2, words)
    for verb in (["status"], ["list"], ["show", "1"]):
        assert words in ledger.ctl(*verb, status=1)


def test_check_of_a_foreign_database(ledger):
    ledger.tamper("CREATE TABLE mine (x)")
    check(ledger, 2, "not a ledger of ddbackupd; HINT: ")


def test_check_with_wrong_usage(ledger):
    for args in (["--limit=3"], ["--tabel=x"], ["--table"], ["extra"]):
        done = subprocess.run([CTL, "check", *args], capture_output=True, text=True, timeout=30)
        assert done.returncode == 3 and done.stdout == "" and "; HINT: " in done.stderr, args


# --- who may read, and when


def as_other(ledger, group=GROUP):
    """Another user, alone in that group."""
    if os.geteuid() != 0:
        pytest.skip("only root can run it as somebody else")
    for path in [ledger.dir, *ledger.dir.iterdir()]:
        os.chown(path, -1, GROUP)
    os.chmod(ledger.dir, 0o2750)
    for parent in ledger.dir.parents:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o011)
    demote = "import os, sys; os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(43211); " \
             "os.execv(sys.argv[2], sys.argv[2:])"
    return [sys.executable, "-c", demote, str(group)]


def test_a_member_of_the_group_reads_a_running_daemons_ledger(ledger):
    ledger.write(enrolment())
    user = as_other(ledger)
    with ledger.running(succeeded()):
        assert [run["id"] for run in ledger.json("list", user=user)["runs"]] == [1]
        check(ledger, 0, user=user)


def test_a_member_of_the_group_reads_a_stopped_daemons_ledger(ledger):
    ledger.write(enrolment(), succeeded())
    user = as_other(ledger)
    before = sorted((path.name, path.stat().st_size) for path in ledger.dir.iterdir())
    assert {name for name, _ in before} == {"ledger.db", "ledger.db-shm", "ledger.db-wal", "lock"}
    assert [run["id"] for run in ledger.json("list", user=user)["runs"]] == [1]
    check(ledger, 2, "the daemon is not running", user=user)
    assert sorted((path.name, path.stat().st_size) for path in ledger.dir.iterdir()) == before


def test_a_killed_daemons_ledger_is_read_by_all(ledger):
    ledger.write(enrolment())
    user = as_other(ledger)
    with ledger.running(succeeded()) as tool:
        tool.send_signal(signal.SIGKILL)
        tool.wait(timeout=30)
    assert (ledger.dir / "ledger.db-wal").stat().st_size > 0
    for who in (user, None, user):
        assert [run["id"] for run in ledger.json("list", user=who)["runs"]] == [1]
        check(ledger, 2, "the daemon is not running", user=who)
    with ledger.running(failed(2)):  # and the daemon goes on
        assert [run["id"] for run in ledger.json("list", user=user)["runs"]] == [2, 1]


def test_a_killed_daemons_ledger_is_read_without_root(ledger):
    """The same for whoever runs the tests."""
    with ledger.running(enrolment(), succeeded()) as tool:
        tool.send_signal(signal.SIGKILL)
        tool.wait(timeout=30)
    assert [run["id"] for run in ledger.json("list")["runs"]] == [1]


def test_a_stranger_is_told_what_to_do(ledger):
    ledger.write(enrolment(), succeeded())
    user = as_other(ledger, group=43999)
    error = ledger.ctl("status", user=user, status=1)
    assert "no permission to read the ledger; HINT: join group" in error
    check(ledger, 2, "not known: ", "no permission", user=user)


def test_a_lock_that_cannot_be_read_leaves_the_daemon_unknown(ledger):
    ledger.write(enrolment(), succeeded())
    user = as_other(ledger)
    (ledger.dir / "lock").chmod(0o600)
    check(ledger, 2, "may or may not be running", "CRITICAL: whether the daemon runs cannot be told", user=user)
    assert ledger.json("status", user=user)["daemon"] == "unknown"


def test_readers_do_not_disturb_a_daemon_that_starts(ledger):
    ledger.write(enrolment())
    readers = [subprocess.Popen([CTL, "check", f"--state-directory={ledger.dir}"], stdout=subprocess.DEVNULL)
               for _ in range(10)]
    try:
        with ledger.running(succeeded()):
            pass
    finally:
        for reader in readers:
            reader.wait(timeout=30)


# --- the configuration

CONFIG = """
deployment = "acme";
aws = { region = "eu-central-1"; };
schedules = {
  nightly = { action = "backup"; when = "02:00"; timezone = "Europe/Berlin"; spread = "1h"; max_age = "27h"; };
  weekly = { action = "export"; when = "Sun 03:00"; max_age = "8d"; s3 = { bucket = "acme-exports"; }; };
};
tables = (
  { match = ["orders", "app-*"]; schedules = ["nightly", "weekly"]; },
  { match = "users"; schedules = ["nightly"]; }
);
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "ddbackupd.conf"
    path.write_text(CONFIG)
    return path


def test_check_sees_what_the_daemon_was_not_told(ledger, config):
    with ledger.running(enrolment(), enrolment(schedule="weekly"), succeeded()):
        out = ledger.ctl("check", status=1, config=config)
        assert "users/nightly: the configuration selects it, and the daemon does not know it yet; HINT: " in out
        assert "1 configured and not enrolled" in out.splitlines()[0]
        ledger.ctl("check", "--table=orders", config=config)
        assert ledger.ctl("status", config=config).startswith("NOT PROTECTED: ")
    with ledger.running(enrolment(table="users", active=0)):
        ledger.ctl("check", status=1, config=config)
    with ledger.running(enrolment(table="users")):
        ledger.ctl("check", config=config)
        config.write_text(CONFIG.replace("nightly =", "nightly ;"))
        assert "the configuration is bad" in ledger.ctl("check", status=1, config=config)
        assert "the configuration is bad" in ledger.ctl("check", status=1, config=NO_CONFIG)


def test_plan_for_people(ledger, config):
    out = ledger.ctl("plan", "--days=2", config=config)
    assert out.startswith("Deployment acme, the next 2 days, by ")
    assert re.search(r"nightly +backup +02:00 +Europe/Berlin +1h +27h", out)
    rows = [row.split() for row in out.splitlines() if " backup" in row and "T" in row.split()[0]]
    assert [row[-3] for row in rows].count("orders") == 2
    assert [row[-3] for row in rows].count("app-*") == 2
    assert re.search(r"T\S+Z +1h +\S+ 02:00:00 CES?T +\S+Z +app-\* +nightly +backup", out)
    assert "the ledger would tell: " in out and "there is no ledger yet" in out


def test_plan_json(ledger, config):
    answer = ledger.json("plan", "--days=14", config=config)
    assert answer["deployment"] == "acme" and answer["ledger_read"] is False
    assert [schedule["schedule"] for schedule in answer["schedules"]] == ["nightly", "weekly"]
    slots = [slot for slot in answer["slots"] if slot["table"] == "orders" and slot["schedule"] == "nightly"]
    assert len(slots) in (13, 14, 15)
    for slot in slots:
        assert slot["slot"] <= slot["due"] == slot["due_latest"] and not slot["pattern"]
        assert slot["slot_local"][11:16] == "02:00" and slot["slot_local"][-6:] in ("+01:00", "+02:00")
        assert slot["account"] == "own" and slot["region"] == "eu-central-1"
    assert len({slot["due"][14:] for slot in slots}) == 1  # the share of the spread is stable
    users = [slot for slot in answer["slots"] if slot["table"] == "users"]
    assert users[0]["due"][14:] != slots[0]["due"][14:]
    weekly = [slot for slot in answer["slots"] if slot["schedule"] == "weekly" and slot["table"] == "orders"]
    assert len(weekly) == 2 and all(slot["due"] == slot["slot"] for slot in weekly)
    pattern = next(slot for slot in answer["slots"] if slot["table"] == "app-*" and slot["schedule"] == "nightly")
    assert pattern["pattern"] and pattern["due"] is None and pattern["due_latest"] > pattern["slot"]
    dues = [slot["due"] or slot["slot"] for slot in answer["slots"]]
    assert dues == sorted(dues)


def test_plan_knows_the_ledgers_tables(ledger, config):
    ledger.write(enrolment(table="app-1"), enrolment(table="app-1", schedule="weekly"), enrolment(table="other"),
                 enrolment(table="orders"))
    answer = ledger.json("plan", "--days=1", config=config)
    tables = {slot["table"] for slot in answer["slots"] if slot["schedule"] == "nightly"}
    assert answer["ledger_read"] is True and tables == {"orders", "users", "app-1"}
    nightly = [slot for slot in answer["slots"] if slot["schedule"] == "nightly"]
    assert len(nightly) == len({(slot["table"], slot["slot"]) for slot in nightly})
    answer = ledger.json("plan", "--days=1", "--table=app-*", config=config)
    assert {slot["table"] for slot in answer["slots"]} <= {"app-1"}


def test_plan_waits_for_the_end_of_not_during(ledger, config):
    config.write_text("""deployment = "acme";
aws = { region = "eu-central-1"; };
schedules = { hourly = { action = "backup"; when = "hourly"; not_during = ["00:00..12:00", "12:00..23:59"]; }; };
tables = ( { match = "orders"; schedules = ["hourly"]; } );
""")
    answer = ledger.json("plan", "--days=3", config=config)
    slots = answer["slots"]
    assert answer["schedules"][0]["not_during"] == ["00:00..12:00", "12:00..23:59"]
    assert "00:00..12:00, 12:00..23:59" in ledger.ctl("plan", config=config)
    assert [(slot["slot"][10:], slot["due"][10:]) for slot in slots] == [("T23:00:00Z", "T23:59:00Z")] * 3


def test_plan_begins_with_what_is_due_next_whatever_its_slot(ledger, config):
    names = ", ".join(f'"table-{n}"' for n in range(20))
    config.write_text(f"""deployment = "acme";
aws = {{ region = "eu-central-1"; }};
schedules = {{ often = {{ action = "backup"; when = "*:0/10"; spread = "9min"; }}; }};
tables = ( {{ match = [{names}]; schedules = ["often"]; }} );
""")
    answer = ledger.json("plan", "--days=1", config=config)
    first = {}
    for slot in answer["slots"]:
        first.setdefault(slot["table"], slot["due"])
    parse = datetime.datetime.fromisoformat
    now = parse(answer["now"].replace("Z", "+00:00"))
    waits = [(parse(due.replace("Z", "+00:00")) - now).total_seconds() for due in first.values()]
    assert len(waits) == 20 and 0 <= min(waits) and max(waits) <= 600
    assert len(answer["slots"]) in range(20 * 143, 20 * 145 + 1)


def test_plan_of_a_bad_configuration(ledger, config):
    config.write_text(CONFIG.replace("spread", "spraed"))
    error = ledger.ctl("plan", config=config, status=1)
    assert f"{config}:5: " in error and "did you mean" in error
    assert "No such file" in ledger.ctl("plan", config=NO_CONFIG, status=1)


def test_plan_of_no_schedule(ledger, config):
    assert "nihgtly: the configuration has no such schedule; HINT: " in ledger.ctl("plan", "--schedule=nihgtly", config=config, status=1)


# --- the command line


@pytest.mark.parametrize("args, words", [
    ([], "VERB: it is missing; HINT: "),
    (["stats"], "stats: no such verb; HINT: did you mean status?"),
    (["--json", "status"], "--json: the verb comes first; HINT: "),
    (["list", "--limt=3"], "--limt=3: no such option; HINT: did you mean --limit?"),
    (["list", "--limit"], "--limit: its value is missing; HINT: "),
    (["list", "--limit=0"], "--limit=0: no such number; HINT: a whole number from 1 to"),
    (["list", "--json=1"], "--json=1: it takes no value; HINT: "),
    (["list", "--action=juggle"], "juggle: no such action; HINT: backup, export or incremental"),
    (["status", "--days=3"], "status --days: this verb does not take that option; HINT: plan does"),
    (["plan", "--days=367"], "--days=367: no such number; HINT: a whole number from 1 to 366"),
    (["prune", "--dry-run", "--confirm=2"], "--confirm: it does not go with --dry-run; HINT: give one of them"),
    (["prune"], "prune: the daemon deletes what its configuration says, by itself; HINT: ddbackupctl prune --dry-run"),
    (["show"], "show: which run?; HINT: "),
    (["list", "--foreign", "--limit=3"], "list: --limit and --action are of runs; HINT: leave them out, or the other list"),
    (["list", "--action=backup", "--orphaned"], "list: --limit and --action are of runs; HINT: leave them out"),
    (["calendar"], "calendar: which expression?; HINT: "),
    (["calendar", "0", "2", "*"], "2: one argument too many; HINT: put the expression in quotes"),
    (["calendar", "daily", "--iterations=0"], "--iterations=0: no such number; HINT: a whole number from 1 to 100000"),
    (["plan", "--timezone=UTC"], "plan --timezone: this verb does not take that option; HINT: calendar does"),
    (["show", "1", "2"], "2: one argument too many; HINT: "),
])
def test_wrong_usage_is_explained(args, words):
    done = subprocess.run([CTL, *args], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("ddbackupctl: " + words), done.stderr


def test_help_and_version():
    for args in (["--help"], ["list", "--help"], ["check", "--help"]):
        done = subprocess.run([CTL, *args], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and done.stdout.startswith("Usage: ddbackupctl VERB [OPTION]...\n")
    done = subprocess.run([CTL, "--version"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and re.fullmatch(r"ddbackupctl \S+\n", done.stdout)


def test_the_man_page_names_options_and_members(full, config):
    page = (pathlib.Path(__file__).resolve().parents[2] / "man/ddbackupctl.1").read_text()
    words = set(re.findall(r"[a-z0-9_-]+", page))

    def members(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                if key != "details":
                    yield from members(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from members(inner)

    answers = [full.json(*args) for args in (["status"], ["list"], ["show", "5"])]
    answers += [full.json("check", status=2), full.json("plan", config=config)]
    full.tamper("INSERT INTO brakes (account, region, name, schedule, table_id, n_delete, n_all, since, n_confirmed)"
                " VALUES ('own', 'eu-central-1', 'orders', 'nightly', 'id-1', 5, 9, 1772323200000000, 0)")
    config.write_text(CONFIG.replace('max_age = "27h";', 'max_age = "27h"; keep = { last = 3; };'))
    answers += [full.json("prune", "--dry-run", config=config)]
    assert {key for answer in answers for key in members(answer)} - words == set()
    usage = subprocess.run([CTL, "--help"], capture_output=True, text=True, timeout=30).stdout
    options = set(re.findall(r"--([a-z-]+)", usage))
    assert options - {option.lstrip("-") for option in re.findall(r"-[a-z-]+", page)} == set()


def test_the_state_directory_comes_from_systemd_too(ledger):
    ledger.write(enrolment(), succeeded())
    env = {"PATH": os.environ["PATH"], "STATE_DIRECTORY": f"{ledger.dir}:/other"}
    done = subprocess.run([CTL, "list", "--json"], capture_output=True, text=True, timeout=30, env=env)
    assert [run["id"] for run in json.loads(done.stdout)["runs"]] == [1]


def test_a_full_disk_is_no_answer(ledger):
    ledger.write(enrolment(), succeeded())
    for verb, status in (("list", 1), ("check", 2)):
        with open("/dev/full", "w") as full:
            done = subprocess.run([CTL, verb, f"--state-directory={ledger.dir}"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=30)
        assert done.returncode == status and "No space left" in done.stderr
