"""ddbackupd against the emulator: what falls due is made, followed, said and remembered."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import threading
import time

import pytest

from harness import KEY_ID, REGION, SECRET, backup, compact, conf, export, select, soon, wait_until


def shared_credentials(key_id=KEY_ID, secret=SECRET):
    return f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"


def put(path, text):
    """A file appears, or is replaced, in one step."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.rename(path)


# --- what falls due ---


def test_a_backup_and_an_export_settle(emulator, daemon, ctl):
    e = emulator("orders:pitr:items=3:size=4096", "users", backup_time="1s", export_time="2s")
    when, slot = soon()
    d = daemon(
        conf(
            e,
            backup("nightly", when, 'max_age = "1d";') + export("full", when, 'max_age = "8d";'),
            select(["orders", "users"], "nightly") + "," + select("orders", "full"),
        )
    )
    runs = d.wait_runs(3, 30)
    assert [run["state"] for run in runs] == ["succeeded"] * 3
    assert {(run["name"], run["schedule"], run["status"]) for run in runs} == {
        ("orders", "nightly", "AVAILABLE"),
        ("users", "nightly", "AVAILABLE"),
        ("orders", "full", "COMPLETED"),
    }

    name = rf"acme\.nightly\.{compact(slot)}\.[0-9a-f]{{8}}"
    for table in ("orders", "users"):
        d.wait_line(rf"info +{table}: backup nightly {slot} is AVAILABLE: {name}.*, took \d")
    arn = rf"arn:aws:dynamodb:{REGION}:\d{{12}}:table/orders/export/\S+"
    d.wait_line(rf"info +orders: export full {slot} is COMPLETED: {arn}, 3 items, .* billed, took \d")
    assert len(d.lines(r" is (AVAILABLE|COMPLETED): ")) == 3, "one line per settled run"

    assert len(e.calls("CreateBackup")) == 2
    assert len(e.calls("ExportTableToPointInTime")) == 1

    listed = ctl(d, "list")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("AVAILABLE") == 2 and listed.stdout.count("COMPLETED") == 1, listed.stdout
    for verb in (["status"], ["list"], ["show", str(runs[0]["id"])], ["plan", "--days", "1"]):
        done = ctl(d, *verb, "--json")
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)
    check = ctl(d, "check")
    assert check.returncode == 0, check.stdout + check.stderr

    for run in runs:
        assert d.ledger.notes(run["id"]) == ["prepared", "sent", "accepted", "finished", "verified"]
        shown = ctl(d, "show", str(run["id"])).stdout
        for word in (run["name"], run["schedule"], run["handle"], run["arn"], "verified"):
            assert word in shown


def test_what_cannot_be_made_fails_with_a_hint(emulator, daemon):
    e = emulator("orders")
    when, slot = soon()
    tables = select("gone", "nightly") + "," + select("orders", "full")
    d = daemon(conf(e, backup("nightly", when) + export("full", when), tables))
    runs = d.wait_runs(2)
    assert [run["state"] for run in runs] == ["failed"] * 2
    missing = d.wait_line(rf"error +gone: backup nightly {slot} failed: ")
    assert "ResourceNotFoundException" in missing and "; HINT: " in missing
    off = d.wait_line(rf"error +orders: export full {slot} failed: ")
    assert "PointInTimeRecoveryUnavailableException" in off and "; HINT: " in off
    assert not [call for call in e.calls() if call["effect"]]


def test_stale_and_recovered_are_said(emulator, daemon, ctl):
    e = emulator("orders", backup_time="0s")
    when, _ = soon(4)
    d = daemon(conf(e, backup("nightly", when, 'max_age = "2s";'), select("orders", "nightly")))
    line = d.wait_line(r"error +orders: stale: schedule nightly has made no verified artefact yet")
    assert "HINT: " in line
    check = ctl(d, "check")
    assert check.returncode == 2 and "orders" in check.stdout, check.stdout
    d.wait_line(r"notice +orders: recovered: schedule nightly is fresh again")


# --- what the service does to us ---


def test_throttling_and_errors_of_the_service_are_outlasted(emulator, daemon):
    e = emulator("orders:pitr", backup_time="0s")
    e.faults(
        "DescribeTable times=2 error InternalServerError 500",
        "CreateBackup times=2 error ThrottlingException",
        "DescribeBackup times=2 error InternalServerError 500",
        "ExportTableToPointInTime error InternalServerError 500",
        "DescribeExport error ThrottlingException",
    )
    when, _ = soon()
    d = daemon(conf(e, backup("nightly", when) + export("full", when), select("orders", "nightly", "full")))
    runs = d.wait_runs(2, 60)
    assert [run["state"] for run in runs] == ["succeeded"] * 2, d.text()
    state = e.state()
    assert len(state["backups"]) == 1 and len(state["exports"]) == 1


@pytest.mark.parametrize("fault", ["error-after InternalServerError 500", "drop-after"])
def test_a_backup_whose_reply_is_lost_is_found_again(emulator, daemon, fault):
    e = emulator("orders", backup_time="0s")
    e.faults(f"CreateBackup {fault}")
    when, slot = soon()
    d = daemon(conf(e, backup("nightly", when), select("orders", "nightly")))
    (run,) = d.wait_runs(1, 30)
    assert d.ledger.notes(run["id"]) == ["prepared", "sent", "unsure", "adopted", "finished", "verified"]
    d.wait_line(rf"warning +orders: backup nightly {slot} may or may not have been made; looking for it")
    d.wait_line(rf"notice +orders: backup nightly {slot} adopted: found as {run['arn']}")
    assert len(e.state()["backups"]) == 1 and len(e.calls("CreateBackup")) == 1


def test_a_stuck_export_delays_no_other(emulator, daemon):
    e = emulator("orders:pitr", "stuck:pitr", export_time="1s")
    e.faults("DescribeExport table=stuck times=forever delay 1h")
    when, _ = soon()
    d = daemon(conf(e, export("full", when), select(["orders", "stuck"], "full")))
    (run,) = d.wait_runs(1, 20)
    assert run["name"] == "orders" and run["state"] == "succeeded"
    assert d.ledger.runs(name="stuck")[0]["state"] == "in_progress"


# --- which tables ---


def test_a_pattern_finds_tables_and_leaves_the_excluded(emulator, daemon):
    e = emulator("app-orders", "app-users", "app-cache-tmp", "other")
    when, _ = soon(60)
    d = daemon(conf(e, backup("nightly", when), select("app-*", "nightly", more='exclude = ["*-tmp"];')))
    d.wait_line("app-users: enrolled in schedule nightly")
    assert sorted(re.findall(r"(\S+): enrolled", d.text())) == ["app-orders", "app-users"]


def test_150_tables_are_found_over_pages(emulator, daemon):
    names = [f"t{i:03}" for i in range(150)]
    e = emulator(*names)
    when, _ = soon(600)
    d = daemon(conf(e, backup("nightly", when), select("t*", "nightly")))
    wait_until(lambda: len(d.lines(": enrolled in ")) == 150, 30, "150 enrolments")
    assert len(e.calls("ListTables")) >= 2
    rows = d.ledger.query("SELECT name FROM enrolments WHERE active ORDER BY name")
    assert [row["name"] for row in rows] == names


# --- ends and beginnings ---


def test_a_killed_daemon_goes_on_where_it_was(emulator, daemon):
    e = emulator("orders:pitr", backup_time="3s", export_time="3s")
    when, _ = soon()
    d = daemon(
        conf(e, backup("nightly", when) + export("full", when), select("orders", "nightly", "full")),
    )
    wait_until(lambda: len(d.ledger.runs(state="in_progress")) == 2, what="two runs in progress")
    d.kill()
    d.start()
    d.wait_line("started: .*, 2 unsettled runs taken up")
    runs = d.wait_runs(2, 30)
    assert [run["state"] for run in runs] == ["succeeded"] * 2
    assert len(e.calls("CreateBackup")) == 1 and len(e.calls("ExportTableToPointInTime")) == 1


def test_a_stop_takes_less_than_two_seconds_and_loses_nothing(emulator, daemon):
    e = emulator("orders", backup_time="1s")
    when, _ = soon()
    d = daemon(conf(e, backup("nightly", when), select("orders", "nightly")))
    wait_until(lambda: d.ledger.runs(state="in_progress"), what="a run in progress")
    begun = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - begun < 2
    assert d.lines("notice +.*stopped")
    d.start()
    (run,) = d.wait_runs(1)
    assert run["state"] == "succeeded" and len(e.calls("CreateBackup")) == 1


@pytest.mark.parametrize("delay, known", [("1s", True), ("20s", False)])
def test_a_stop_waits_a_little_for_a_backup_that_was_asked_for(emulator, daemon, delay, known):
    e = emulator("orders", backup_time="0s")
    e.faults(f"CreateBackup delay {delay}")
    when, _ = soon()
    d = daemon(conf(e, backup("nightly", when), select("orders", "nightly")))
    wait_until(lambda: d.ledger.runs(state="requested"), what="a request under way")
    begun = time.monotonic()
    assert d.stop() == 0
    assert time.monotonic() - begun < 2
    (run,) = d.ledger.runs()
    assert run["state"] == ("in_progress" if known else "requested")
    d.start()
    (run,) = d.wait_runs(1, 30)
    assert run["state"] == "succeeded"
    assert ("adopted" in d.ledger.notes(run["id"])) == (not known)
    assert len(e.state()["backups"]) == 1


def test_a_second_daemon_on_the_same_state_is_refused(emulator, daemon, tmp_path):
    e = emulator("orders")
    when, _ = soon(600)
    config = conf(e, backup("nightly", when), select("orders", "nightly"))
    d = daemon(config)
    other = daemon(config, directory=d.directory, start=False)
    other.output = tmp_path / "second.log"
    other.start(wait=False)
    assert other.process.wait(10) == 1
    assert other.lines("another ddbackupd uses this state directory; HINT: ")
    assert d.process.poll() is None


# --- configuration at run time ---


def test_a_bad_file_on_sighup_changes_nothing(emulator, daemon):
    e = emulator("orders", "users")
    when, slot = soon(2)
    config = conf(e, backup("nightly", when), select("orders", "nightly"))
    d = daemon(config)
    d.configure(config.replace('action = "backup"', 'acton = "backup"'))
    d.reload()
    line = d.wait_line("error +.*reload refused, the running configuration stays: ")
    assert "acton" in d.text() and line
    d.wait_line(rf"orders: backup nightly {slot} is AVAILABLE")


def test_a_good_file_on_sighup_is_taken(emulator, daemon):
    e = emulator("orders", "users")
    when, _ = soon(600)
    d = daemon(conf(e, backup("nightly", when), select("orders", "nightly")))
    d.wait_line("orders: enrolled in schedule nightly")
    sooner, slot = soon(2)
    d.configure(conf(e, backup("hourly", sooner), select("users", "hourly")))
    d.reload()
    d.wait_line("notice +configuration reloaded")
    d.wait_line("users: enrolled in schedule hourly")
    d.wait_line("warning +orders: withdrawn from schedule nightly: the configuration no longer selects it")
    d.wait_line(rf"users: backup hourly {slot} is AVAILABLE")


def test_a_bad_file_does_not_start(emulator, daemon):
    e = emulator("orders")
    when, _ = soon(600)
    d = daemon(conf(e, backup("nightly", when, "color = 3;"), select("orders", "nightly")), start=False)
    d.start(wait=False)
    assert d.process.wait(10) == 78
    assert d.lines("ddbackupd.conf:4: .*color")
    checked = d.once("--check-config")
    assert checked.returncode == 78 and "color" in checked.stderr


# --- credentials ---


def test_credentials_are_read_again_when_their_file_is_replaced(emulator, daemon, tmp_path):
    e = emulator("orders", backup_time="0s")
    file = tmp_path / "credentials"
    put(file, shared_credentials())
    d = daemon(
        conf(e, backup("often", "*:*:0/2"), select("orders", "often")),
        credentials=False,
        env={"AWS_SHARED_CREDENTIALS_FILE": str(file)},
    )
    d.wait_runs(1, state="succeeded")
    put(file, shared_credentials(secret="notthesecret"))
    d.wait_line(r"error +eu-central-1: the credentials are not taken, and runs wait: \w+Exception.*; HINT: ")
    before = len(d.ledger.runs(state="succeeded"))
    put(file, shared_credentials())
    d.wait_runs(before + 2, state="succeeded")
    assert len(d.lines("credentials: key AKIA")) == 3
    assert SECRET not in d.text() and "notthesecret" not in d.text()


def test_a_run_waits_for_credentials(emulator, daemon, tmp_path):
    e = emulator("orders")
    file = tmp_path / "credentials"
    when, slot = soon()
    d = daemon(
        conf(e, backup("nightly", when), select("orders", "nightly")),
        credentials=False,
        env={"AWS_SHARED_CREDENTIALS_FILE": str(file)},
    )
    line = d.wait_line("error +credentials: no AWS credentials")
    assert str(file) in line and "; HINT: " in line
    time.sleep(2)
    assert e.calls() == []
    put(file, shared_credentials())
    d.wait_line(rf"credentials: key AKIA.* from profile default of {file}")
    d.wait_line(rf"orders: backup nightly {slot} is AVAILABLE")


# --- dry run ---


def test_a_dry_run_only_reads(emulator, daemon):
    e = emulator("orders:pitr", "users", "scratch")
    when, slot = soon(600)
    d = daemon(
        conf(
            e,
            backup("nightly", when) + export("full", when),
            select(["orders", "use*"], "nightly") + "," + select("orders", "full"),
        ),
        start=False,
    )
    done = d.once("--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "orders: ACTIVE" in done.stdout and "users: ACTIVE" in done.stdout and "scratch" not in done.stdout
    named = rf"nightly: backup at \S+ \(slot {slot}\) as acme\.nightly\.{compact(slot)}\."
    assert len(re.findall(named, done.stdout)) == 2
    assert "to s3://acme-exports/orders/AWSDynamoDB/" in done.stdout
    assert "2 of 2 tables are ready" in done.stdout
    reading = {"ListTables", "DescribeTable", "DescribeContinuousBackups"}
    assert {call["op"] for call in e.calls()} == reading
    assert not d.ledger.path.exists(), "a dry run leaves no ledger"


def test_a_dry_run_tells_what_is_not_ready(emulator, daemon):
    e = emulator("orders")
    when, _ = soon(600)
    d = daemon(conf(e, export("full", when), select(["orders", "gone"], "full")), start=False)
    done = d.once("--dry-run")
    assert done.returncode == 1
    assert "point-in-time recovery is off" in done.stdout and "gone:" in done.stdout
    assert "0 of 2 tables are ready" in done.stdout


# --- what the service manager is told ---


class Manager:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.messages = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                text = self.socket.recv(65536).decode()
            except OSError:
                return
            self.messages.append(dict(line.split("=", 1) for line in text.splitlines()))

    def wait(self, name, pattern="", after=0):
        """The index of the first message from `after` on that assigns to the name what matches."""

        def found():
            for i, message in enumerate(self.messages[after:], after):
                if name in message and re.search(pattern, message[name]):
                    return i + 1
            return None

        return wait_until(found, what=f"{name}={pattern} among {self.messages}") - 1


@pytest.fixture
def manager(tmp_path):
    one = Manager(tmp_path / "notify")
    yield one
    one.socket.close()


def test_the_service_manager_hears_of_every_stage(emulator, daemon, manager):
    e = emulator("orders", backup_time="1s")
    when, slot = soon()
    config = conf(e, backup("nightly", when), select("orders", "nightly"))
    d = daemon(config, env={"NOTIFY_SOCKET": str(manager.path)}, start=False)
    d.start(wait=False)

    ready = manager.wait("READY", "1")
    with sqlite3.connect(f"file:{d.ledger.path}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] > 0, "ready before the ledger was open"
    status = manager.wait("STATUS", rf"1 table in 1 enrolment.*next orders/nightly at {slot}")
    assert status <= ready, "a status goes with READY or before it"
    manager.wait("STATUS", "1 run under way")
    d.wait_runs(1)

    before = len(manager.messages)
    d.configure(config + "nonsense")
    d.reload()
    reloading = manager.wait("RELOADING", "1", before)
    assert int(manager.messages[reloading]["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    assert manager.wait("READY", "1", reloading) > reloading
    manager.wait("STATUS", "the last reload was refused: ", reloading)

    before = len(manager.messages)
    d.configure(config)
    d.reload()
    reloading = manager.wait("RELOADING", "1", before)
    good = manager.wait("READY", "1", reloading)
    assert "refused" not in manager.messages[good]["STATUS"]

    assert d.stop() == 0
    manager.wait("STOPPING", "1", good)
    assert not any("WATCHDOG" in message for message in manager.messages), "no watchdog was asked for"


def test_the_watchdog_is_petted(emulator, daemon, manager):
    e = emulator("orders")
    when, _ = soon(600)
    d = daemon(
        conf(e, backup("nightly", when), select("orders", "nightly")),
        env={"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "1000000"},
    )
    first = manager.wait("WATCHDOG", "1")
    time.sleep(2)
    pets = sum("WATCHDOG" in message for message in manager.messages[first:])
    assert 3 <= pets <= 8, f"{pets} in 2 s, for one a second"
    d.process.send_signal(signal.SIGSTOP)
    count = len(manager.messages)
    time.sleep(1.2)
    assert len(manager.messages) == count, "a daemon that hangs does not pet"
    d.process.send_signal(signal.SIGCONT)


# --- at rest ---


def n_connections(pid, url):
    """Of a process to the port of a URL."""
    port = f":{int(url.rsplit(':', 1)[1]):04X}"
    inodes = {row[9] for row in (line.split() for line in open(f"/proc/{pid}/net/tcp")) if row[2].endswith(port)}
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return sum(f"socket:[{inode}]" in links for inode in inodes)


def test_a_daemon_at_rest_holds_no_connection(emulator, daemon, ctl):
    e = emulator("orders", backup_time="1s")
    when, _ = soon()
    d = daemon(conf(e, backup("once", when) + backup("yearly", "yearly"), select("orders", "once", "yearly")))
    for n in (1, 2):
        wait_until(lambda: n_connections(d.process.pid, e.url) > 0, what="a connection")
        d.wait_runs(n)
        wait_until(lambda: n_connections(d.process.pid, e.url) == 0, what="no connection")
        if n == 1:
            assert ctl(d, "run", "yearly").returncode == 0
