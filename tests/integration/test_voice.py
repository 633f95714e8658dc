"""What keeps a running daemon from its work is in status and check, by the daemon's own word, and goes when it is over."""

import copy
import json
import signal
import time

import pytest

from harness import backup, conf, ctl, select, wait_until

# Nothing falls due, and the tables are listed again and again.
IDLE = backup("nightly", "*-01-01 00:00", 'max_age = "60d";')


def idle(emulator):
    text = conf(emulator, IDLE, select("orders*", "nightly"))
    return text.replace("aws = {", 'aws = { discovery_interval = "1s";', 1)


def problems(one, *arguments):
    return [p["text"] for p in json.loads(ctl(one, "status", "--json", *arguments).stdout)["problems"]]


@pytest.fixture
def fresh(emulator, daemon):
    """A daemon whose one table is fresh: all is well with it."""
    e = emulator("orders")
    d = daemon(idle(e))
    assert ctl(d, "run", "nightly", "--wait").returncode == 0, "one that has just started is waited for"
    assert ctl(d, "check").returncode == 0
    return e, d


@pytest.mark.parametrize(
    "fault, said",
    [
        ("drop-before", "eu-central-1: the service cannot be reached, and runs wait: "),
        ("error UnrecognizedClientException", "eu-central-1: the credentials are not taken, and runs wait: "),
        ("error AccessDeniedException", "eu-central-1: the tables could not be listed: AccessDeniedException"),
    ],
)
def test_trouble_with_the_service(fresh, fault, said):
    e, d = fresh
    e.faults(f"* times=forever {fault}")
    (text,) = wait_until(lambda: problems(d), what=said)
    assert text.startswith(said) and "; HINT: " in text
    answer = ctl(d, "check")
    first, whole = answer.stdout.splitlines()
    assert first.startswith(f"DDBACKUPD WARNING - the daemon is held up; the daemon is running: {said}")
    assert "HINT" not in first and " troubles=1;0;;0" in first and whole == f"WARNING: {text}"
    assert answer.returncode == 1
    assert ctl(d, "status").stdout.startswith("PROTECTED, BUT LOOK: the daemon is held up")
    e.heal()
    wait_until(lambda: ctl(d, "check").returncode == 0, what="the end of it")


def test_no_credentials(emulator, daemon, tmp_path):
    e = emulator("orders")
    d = daemon(idle(e), credentials=False, env={"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")})
    found = wait_until(lambda: [p for p in problems(d) if "credentials" in p], what="credentials")
    assert found[0].startswith("credentials: no AWS credentials: ") and str(tmp_path / "none") in found[0]


def test_a_reload_that_was_refused(fresh):
    e, d = fresh
    good = d.config.read_text()
    d.configure(good + "bogus = 1;")
    d.reload()
    d.wait_line("reload refused")
    assert [p.split(":")[0] for p in problems(d)] == ["the configuration is bad, and the daemon would not start with it"]
    d.configure(good)
    (text,) = problems(d)
    assert text.startswith("the last reload was refused, and the daemon goes on with") and "bogus: unknown key" in text
    d.reload()
    wait_until(lambda: not problems(d), what="a good reload")


def test_a_daemon_that_does_not_answer(fresh):
    _, d = fresh
    d.process.send_signal(signal.SIGSTOP)
    try:
        answer = ctl(d, "check")
        assert answer.returncode == 1 and "WARNING: the daemon runs and does not answer; HINT: " in answer.stdout
    finally:
        d.process.send_signal(signal.SIGCONT)
    assert ctl(d, "check").returncode == 0


def test_the_daemon_of_another_ledger_is_not_asked(fresh, daemon):
    e, d = fresh
    second, other = daemon(idle(e)), copy.copy(d)
    other.runtime = second.runtime
    e.faults("* times=forever drop-before")
    for one in d, second:
        wait_until(lambda: any("cannot be reached" in p for p in problems(one)), what="trouble")
    assert ctl(d, "check").returncode == 1 and ctl(other, "check").returncode == 0


def test_what_keeps_backups_from_going(emulator, daemon):
    """Denied for good, it is no secret of the journal's."""
    e = emulator("orders", "users")
    rules = 'max_age = "60d"; keep = { last = 1; }; expire = "delete";'
    d = daemon(conf(e, backup("nightly", "*-01-01 00:00", rules), select(["orders", "users"], "nightly")))
    ctl(d, "resume", "--expiry")
    e.faults("DeleteBackup times=forever error AccessDeniedException 400 no")
    for _ in range(2):
        assert ctl(d, "run", "nightly", "--wait").returncode == 0
        time.sleep(1)
    found = wait_until(lambda: problems(d), what="the refusal")
    assert any("could not be deleted: AccessDeniedException: no; HINT: allow dynamodb:DeleteBackup" in p for p in found)
    assert ctl(d, "check").returncode == 1


def test_a_restart_changes_no_verdict(fresh):
    e, d = fresh
    e.faults("CreateBackup times=forever error ValidationException 400 no")
    for wanted in 0, 1:
        verdicts = []
        for _ in range(2):
            answer = ctl(d, "check")
            verdicts.append((answer.returncode, answer.stdout.splitlines()[0].split("|")[0].split("(")[0]))
            d.stop()
            d.start()
        assert verdicts[0] == verdicts[1] and verdicts[0][0] == wanted
        time.sleep(1)  # the next run has a slot of its own
        ctl(d, "run", "nightly", "--wait")
