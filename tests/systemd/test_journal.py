"""What the daemon says reaches a journal, with fields, and each kind of message is explained there."""

import re
import subprocess

import pytest

import boxes
from harness import TOP, Daemon, Emulator, backup, conf, select, soon

ROWS = dict(
    re.findall(r'\[REPORT_(\w+)\] = \{"([0-9a-f]{32})"', (TOP / "src" / "core" / "engine" / "report.c").read_text())
)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    boxes.need("unshare", "nsenter", "setpriv", "journalctl")
    one = boxes.JournalBox(tmp_path_factory.mktemp("journalbox"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def logged(box, tmp_path_factory):
    """One backup of a table, done by a daemon that logs into the box; a table that is missing beside it."""
    directory = tmp_path_factory.mktemp("logged")
    emulator = Emulator(directory / "emulator", ["orders"], backup_time="0s", enter=box.enter)
    when, slot = soon()
    text = conf(emulator, backup("nightly", when), select(["orders", "gone"], "nightly"))
    daemon = Daemon(directory / "daemon", text, enter=box.enter, options=["--log=journal"])
    daemon.start(wait=False)
    try:
        daemon.wait_runs(2)
        assert daemon.stop() == 0
    finally:
        daemon.process.kill()
        emulator.process.kill()
        emulator.process.wait()
    assert daemon.text() == "", "with the journal, nothing is written to standard error"
    return daemon, slot


@pytest.fixture
def catalog(tmp_path):
    """The compiled catalog, as text by id."""
    place = tmp_path / "root" / "usr" / "lib" / "systemd" / "catalog"
    place.mkdir(parents=True)
    (tmp_path / "root" / "var" / "lib" / "systemd" / "catalog").mkdir(parents=True)
    (place / "ddbackupd.catalog").write_text((TOP / "systemd" / "ddbackupd.catalog").read_text())
    root = f"--root={tmp_path / 'root'}"
    done = subprocess.run(["journalctl", root, "--update-catalog"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    dump = subprocess.run(["journalctl", root, "--dump-catalog"], capture_output=True, text=True).stdout
    entries = re.split(r"^-- ([0-9a-f]{32})$", dump, flags=re.M)
    return dict(zip(entries[1::2], entries[2::2], strict=True))


def test_every_message_id_is_explained(catalog):
    assert len(ROWS) > 20 and len(set(ROWS.values())) == len(ROWS)
    assert set(catalog) == set(ROWS.values())
    for text in catalog.values():
        assert "Subject: " in text and "Defined-By: ddbackupd" in text and "Documentation: man:ddbackupd" in text


def test_outcomes_reach_the_journal_with_their_fields(box, logged):
    daemon, slot = logged
    (run,) = daemon.ledger.runs(state="succeeded")
    (good,) = box.journal(f"MESSAGE_ID={ROWS['SUCCEEDED']}", f"DDB_BACKUP_ARN={run['arn']}")
    assert good["MESSAGE"].startswith(f"orders: backup nightly {slot} is AVAILABLE: {run['handle']}")
    wanted = {
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "ddbackupd",
        "DDB_TABLE": "orders",
        "DDB_SCHEDULE": "nightly",
        "DDB_SLOT": slot,
        "DDB_RUN_ID": str(run["id"]),
        "_COMM": "ddbackupd",
    }
    assert {name: good.get(name) for name in wanted} == wanted
    assert int(good["DURATION_USEC"]) > 0

    (failed,) = box.journal(f"MESSAGE_ID={ROWS['FAILED']}")
    assert failed["DDB_TABLE"] == "gone" and failed["PRIORITY"] == "3" and "; HINT: " in failed["MESSAGE"]
    assert re.fullmatch(r"\S{20,}", failed["AWS_REQUEST_ID"])

    ids = {entry["MESSAGE_ID"] for entry in box.journal("SYSLOG_IDENTIFIER=ddbackupd")}
    assert {ROWS["STARTED"], ROWS["STOPPED"], ROWS["ENROLLED"], ROWS["CREDENTIALS_FOUND"]} <= ids <= set(ROWS.values())


def test_the_journal_explains_itself(box, logged):
    """journalctl -x, with the fields of the entry put into the text of the catalog."""
    place = "/usr/lib/systemd/catalog"
    box.run("mount", "-t", "tmpfs", "tmpfs", place)
    box.run("cp", str(TOP / "systemd" / "ddbackupd.catalog"), place)
    box.run("journalctl", "--update-catalog")
    text = box.run("journalctl", *box.where, "-x", "--no-pager", f"MESSAGE_ID={ROWS['SUCCEEDED']}").stdout
    assert "Subject: A backup or export was made and verified" in text
    assert "orders is protected as schedule nightly asks" in text and "ddbackupctl show " in text
