"""The installed programs under a real systemd: start, reload, kill, hang, stop, and what systemctl and the journal show."""

import os
import re
import subprocess
import time

import pytest

import boxes
from harness import BUILD, KEY_ID, REGION, SECRET, TOP, soon, wait_until

EMULATOR = """
[Service]
ExecStart=/usr/bin/ddbackup-emulator --port 8000 --table orders --table users --backup-time 1s --export-time 1s
"""

# The unit as it is, but for waiting times that a test has no time for.
DROP_IN = """
[Service]
RestartSec=200ms
WatchdogSec=2s
"""

CREDENTIALS = f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"


def conf(when, tables='"orders"', more=""):
    return f"""
deployment = "box";
aws = {{ region = "{REGION}"; endpoint_url = "http://127.0.0.1:8000"; }};
schedules = {{ nightly = {{ action = "backup"; when = "{when}"; {more} }}; }};
tables = ( {{ match = [{tables}]; schedules = ["nightly"]; }} );
"""


def message_id(kind):
    rows = (TOP / "src" / "core" / "engine" / "report.c").read_text()
    return "MESSAGE_ID=" + re.search(rf'\[REPORT_{kind}\] = {{"([0-9a-f]{{32}})"', rows).group(1)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    boxes.need("systemd-nspawn", "unshare", "nsenter", "setpriv", "pgrep")
    directory = tmp_path_factory.mktemp("systemd")
    files = directory / "box.files"
    files.mkdir(mode=0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    installed = subprocess.run(
        ["make", "-s", "-C", str(BUILD), "install", f"DESTDIR={files}"], capture_output=True, text=True, env=environment
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    one = boxes.SystemdBox(directory)
    one.write("/etc/systemd/system/emulator.service", EMULATOR)
    one.write("/etc/systemd/system/ddbackupd.service.d/test.conf", DROP_IN)
    one.run("systemctl", "daemon-reload")
    one.run("journalctl", "--update-catalog")
    one.run("systemctl", "start", "emulator")
    yield one
    one.close()


@pytest.fixture
def service(box):
    """The unit, stopped, with an empty ledger, good credentials and a configuration for next week."""
    box.write("/etc/ddbackupd/ddbackupd.conf", conf("Mon 03:00"))
    box.write("/etc/credstore/ddbackupd.aws-credentials", CREDENTIALS, 0o600)
    yield box
    box.run("systemctl", "stop", "ddbackupd", check=False)
    box.run("systemctl", "reset-failed", "ddbackupd", check=False)
    box.run("rm", "-rf", "/var/lib/ddbackupd")
    box.run("journalctl", "--rotate", "--vacuum-time=1s")


def test_a_backup_is_made_and_told(service):
    when, slot = soon()
    service.write("/etc/ddbackupd/ddbackupd.conf", conf(when))
    service.run("systemctl", "start", "ddbackupd")
    assert service.show("ActiveState", "SubState") == {"ActiveState": "active", "SubState": "running"}
    status = service.run("systemctl", "status", "--no-pager", "ddbackupd").stdout
    assert re.search(rf'Status: "1 table in 1 enrolment.*next orders/nightly at {slot}', status), status

    (entry,) = service.wait_journal(message_id("SUCCEEDED"))
    assert entry["MESSAGE"].startswith(f"orders: backup nightly {slot} is AVAILABLE: box.nightly.")
    assert (entry["_SYSTEMD_UNIT"], entry["DDB_TABLE"], entry["DDB_SLOT"]) == ("ddbackupd.service", "orders", slot)
    explained = service.run("journalctl", "-x", "-u", "ddbackupd", "--no-pager", message_id("SUCCEEDED")).stdout
    assert "ddbackupctl show 1" in explained, explained
    assert service.show("User")["User"] == "ddbackupd"
    assert service.run("stat", "-c", "%U:%G %a", "/var/lib/ddbackupd").stdout.strip() == "ddbackupd:ddbackupd 750"


def test_the_ledger_is_for_the_group_to_read(service):
    when, _ = soon()
    service.write("/etc/ddbackupd/ddbackupd.conf", conf(when))
    service.run("systemctl", "start", "ddbackupd")
    service.wait_journal(message_id("SUCCEEDED"))
    member = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=ddbackupd"]
    stranger = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    for state in ("running", "stopped", "killed"):
        if state == "stopped":
            service.run("systemctl", "stop", "ddbackupd")
        if state == "killed":
            service.run("systemctl", "start", "ddbackupd")
            service.run("systemctl", "kill", "-s", "KILL", "ddbackupd")
            service.run("systemctl", "stop", "ddbackupd")
        listed = service.run(*member, "ddbackupctl", "list", check=False)
        assert listed.returncode == 0 and "AVAILABLE" in listed.stdout, f"{state}: {listed.stdout}{listed.stderr}"
        assert service.run(*stranger, "ddbackupctl", "list", check=False).returncode != 0, state


def test_orders_are_for_those_who_may(service):
    """Of the kernel's word for who calls: a sandbox that hid it would refuse everybody but root."""
    service.write("/etc/ddbackupd/ddbackupd.conf", 'control_group = "users";' + conf("2100-01-01"))
    service.run("systemctl", "start", "ddbackupd")
    assert service.run("stat", "-c", "%U:%G %a", "/run/ddbackupd", "/run/ddbackupd/control").stdout.split("\n")[:2] == [
        "ddbackupd:ddbackupd 755",
        "ddbackupd:ddbackupd 666",
    ]

    def ordered(*groups):
        nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", *groups]
        return service.run(*nobody, "ddbackupctl", "run", "nightly", "--wait", check=False)

    wait_until(lambda: ordered("--groups=users").returncode == 0, what="a run by a member of control_group")
    assert "orders are for root and the members of control_group; HINT:" in ordered("--groups=ddbackupd").stderr
    assert "the daemon answers its group; HINT:" in ordered("--clear-groups").stderr
    assert service.run("ddbackupctl", "run", "nightly", "--wait").stdout.endswith("1 of 1 succeeded\n")
    (entry, *_) = service.wait_journal(message_id("ORDERED"))
    assert entry["MESSAGE"] == "schedule nightly: 1 run ordered by uid 65534"
    service.run("systemctl", "stop", "ddbackupd")
    assert service.run("test", "-e", "/run/ddbackupd/control", check=False).returncode != 0


def test_reload_takes_a_good_file_and_fails_on_a_bad_one(service):
    service.run("systemctl", "start", "ddbackupd")
    pid = service.show("MainPID")
    service.write("/etc/ddbackupd/ddbackupd.conf", conf("Mon 03:00", '"orders", "users"'))
    service.run("systemctl", "reload", "ddbackupd")
    service.wait_journal(message_id("RELOADED"))
    assert "2 tables in 2 enrolments" in service.show("StatusText")["StatusText"]

    service.write("/etc/ddbackupd/ddbackupd.conf", conf("Mon 03:00", more='colour = "red";'))
    assert service.run("systemctl", "reload", "ddbackupd", check=False).returncode != 0
    said = service.wait_journal(message_id("CONFIG_BAD"))[-1]
    assert "colour" in said["MESSAGE"] and said["PRIORITY"] == "3", "the journal says what is wrong"
    assert service.show("ActiveState")["ActiveState"] == "active" and service.show("MainPID") == pid

    service.run("systemctl", "kill", "-s", "HUP", "ddbackupd")
    service.wait_journal(message_id("RELOAD_REFUSED"))
    wait_until(
        lambda: "the last reload was refused" in service.show("StatusText")["StatusText"], what="the refusal in STATUS="
    )
    assert service.show("ActiveState")["ActiveState"] == "active"


def test_a_bad_file_does_not_start_and_is_not_tried_again(service):
    service.write("/etc/ddbackupd/ddbackupd.conf", conf("Mon 03:00", more='colour = "red"; shape = "round";'))
    assert service.run("systemctl", "start", "ddbackupd", check=False).returncode != 0
    time.sleep(0.5)
    assert service.show("ActiveState", "ExecMainStatus", "NRestarts") == {
        "ActiveState": "failed",
        "ExecMainStatus": "78",
        "NRestarts": "0",
    }
    colour, shape = service.journal(message_id("CONFIG_BAD"))[-2:]
    assert "colour" in colour["MESSAGE"] and "shape" in shape["MESSAGE"] and shape["PRIORITY"] == "3"


def test_a_killed_daemon_is_started_again_and_goes_on(service):
    when, slot = soon()
    service.write("/etc/ddbackupd/ddbackupd.conf", conf(when))
    service.run("systemctl", "start", "ddbackupd")
    wait_until(lambda: "1 run under way" in service.show("StatusText")["StatusText"], what="a run")
    service.run("systemctl", "kill", "-s", "KILL", "ddbackupd")
    (entry,) = service.wait_journal(message_id("SUCCEEDED"))
    assert slot in entry["MESSAGE"]
    assert service.show("NRestarts")["NRestarts"] == "1"


def test_a_hanging_daemon_is_ended_by_the_watchdog(service):
    service.run("systemctl", "start", "ddbackupd")
    time.sleep(3)
    assert service.show("NRestarts")["NRestarts"] == "0", "it pets the watchdog"
    service.run("systemctl", "kill", "-s", "STOP", "ddbackupd")
    wait_until(lambda: service.show("NRestarts")["NRestarts"] == "1", what="the restart")


def test_stop_takes_less_than_two_seconds(service):
    service.run("systemctl", "start", "ddbackupd")
    begun = time.monotonic()
    service.run("systemctl", "stop", "ddbackupd")
    assert time.monotonic() - begun < 2
    assert service.show("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    service.wait_journal(message_id("STOPPED"))


def test_without_a_credentials_file_it_starts_and_says_so(service):
    service.run("rm", "/etc/credstore/ddbackupd.aws-credentials")
    service.run("systemctl", "start", "ddbackupd")
    (entry,) = service.wait_journal(message_id("CREDENTIALS"))
    assert "no AWS credentials" in entry["MESSAGE"] and "; HINT: " in entry["MESSAGE"]
