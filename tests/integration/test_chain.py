"""ddbackupctl chain against ledgers: what is covered, in flight, late and lost, for people, programs and monitoring."""

import datetime
import json
import os
import re
import subprocess
import types

import pytest

import harness
from test_ctl import ARN, CTL, Ledger, enrolment, line

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def usec(hours_ago):
    return int((NOW.timestamp() - hours_ago * 3600) * 1_000_000)


def iso(hours_ago):
    return (NOW - datetime.timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    return made.write(
        line("target", table="orders", table_id="id-1", table_arn=ARN, described="1h"),
        enrolment(schedule="half", newest="3h", max_age="270min", when="*:0/30 in UTC"),
    )


def chain(ledger, number, state, base, covered, ends=None, settled=False, table="orders"):
    ledger.tamper(
        "INSERT INTO chains (id, state, account, region, name, schedule, table_id, table_arn, base_run, base_arn, base,"
        f" base_made, start, covered, ends, begun, settled) VALUES ({number}, '{state}', 'own', 'eu-central-1', '{table}', 'half',"
        f" 'id-1', '{ARN}', 1, '{ARN}/export/base-{number}', {usec(base)}, 1, {usec(base) - 60_000_000}, {usec(covered)},"
        f" {'NULL' if ends is None else usec(ends)}, {usec(base)}, {usec(covered) if settled else 'NULL'})"
    )


def link(ledger, number, of, start, end, state, attempt=1, arn=None, why=None):
    ledger.tamper(
        "INSERT INTO links (id, chain, from_wall, to_wall, attempt, state, handle, warned, n_sends, n_deferred, verify,"
        f" settled, why, arn, life, level) VALUES ({number}, {of}, {usec(start)}, {usec(end)}, {attempt}, '{state}',"
        f" 'token-{number}', 0, 1, 0, 'service', {usec(end) if state in ('succeeded', 'failed') else 'NULL'},"
        + (f" '{why}'," if why else " NULL,")
        + (f" '{arn}', 'in_progress', 'service')" if arn else " NULL, NULL, NULL)")
    )


def lost(ledger, of, start, end, why):
    ledger.tamper(
        "INSERT INTO losses (account, region, name, schedule, from_wall, to_wall, chain, noticed, why) VALUES ('own',"
        f" 'eu-central-1', 'orders', 'half', {usec(start)}, {'NULL' if end is None else usec(end)}, {of}, {usec(start)}, '{why}')"
    )


def ask(ledger, *args, status):
    """Its answer; what it says on standard error has no place beside one."""
    command = [str(CTL), "chain", *args, f"--state-directory={ledger.dir}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]})
    assert done.returncode == status, (done.stdout, done.stderr)
    assert bool(done.stdout) != bool(done.stderr)
    return done.stdout or done.stderr


def spans(ledger, status, *args):
    answer = json.loads(ask(ledger, "orders", "--json", *args, status=status))
    assert not harness.undocumented("chain", answer)
    assert answer["exit_status"] == status
    return answer["chains"]


@pytest.fixture
def eventful(ledger):
    """A chain that broke, what was lost after it, and one that grows behind a window that failed."""
    chain(ledger, 1, "broken", 50, 40, ends=40, settled=True)
    link(ledger, 10, 1, 50, 40, "succeeded")
    lost(ledger, 1, 40, 30, "point-in-time recovery is off")
    chain(ledger, 2, "growing", 30, 5)
    link(ledger, 11, 2, 30, 5, "succeeded")
    link(ledger, 12, 2, 5, 4, "failed", why="FAILED")
    link(ledger, 13, 2, 4, 2, "in_progress", arn=f"{ARN}/export/link-13")
    return ledger


def test_for_people(eventful):
    lines = ask(eventful, "orders", status=1).splitlines()
    assert re.fullmatch(rf"orders/half: LATE: what came after {iso(5)} is not exported yet; the table can be restored to every "
                        r"instant that is covered, the last of 5h( 1min)? ago", lines[0])
    rows = [re.split(r" {2,}", row.strip()) for row in lines[1:]]
    assert rows[0] == ["SPAN", "FROM", "TO", "LENGTH", "WHAT"]
    assert rows[1] == ["COVERED", iso(50), iso(40), "10h", f"chain 1: 1 link on {ARN}/export/base-1"]
    assert rows[2] == ["LOST", iso(40), iso(30), "10h", "point-in-time recovery is off"]
    assert rows[3] == ["COVERED", iso(30), iso(5), "25h", f"chain 2: 1 link on {ARN}/export/base-2"]
    assert rows[4] == ["LATE", iso(5), iso(4), "1h", "attempt 1 failed; it is asked for again"]
    assert rows[5] == ["IN FLIGHT", iso(4), iso(2), "2h", f"attempt 1, in_progress: {ARN}/export/link-13"]
    assert rows[6][:2] == ["IN FLIGHT", iso(2)] and rows[6][-1] == "not asked for yet"
    (hint,) = rows[7]
    assert hint.startswith("HINT: the daemon is not running") and hint.endswith(f"as long as the table can be restored to {iso(5)}")
    assert len(rows) == 8


def test_for_programs(eventful):
    (one,) = spans(eventful, 1)
    assert (one["account"], one["region"], one["table"], one["schedule"]) == ("own", "eu-central-1", "orders", "half")
    assert (one["active"], one["standing"], one["watermark"]) == (True, "late", iso(5))
    assert [span["span"] for span in one["spans"]] == ["COVERED", "LOST", "COVERED", "LATE", "IN FLIGHT", "IN FLIGHT"]
    assert one["spans"][2] == {"span": "COVERED", "from": iso(30), "to": iso(5), "chain": 2, "base_arn": f"{ARN}/export/base-2",
                               "links": 1, "export_arn": None, "attempt": None, "state": None, "why": None}
    assert one["spans"][4]["export_arn"] == f"{ARN}/export/link-13"
    assert one["hint"].startswith("the daemon is not running")


def test_covered(ledger):
    chain(ledger, 1, "growing", 30, 3)
    (one,) = spans(ledger, 0)
    assert [span["span"] for span in one["spans"]] == ["COVERED", "IN FLIGHT"]


def test_no_base_yet(ledger):
    chain(ledger, 1, "forming", 1, 1)
    answer = ask(ledger, "orders", status=2)
    assert "no base is verified yet: nothing can be restored" in answer
    assert "HINT: the export that half begins with is not verified yet" in answer


def test_lost_without_an_end(ledger):
    chain(ledger, 1, "broken", 50, 40, ends=40, settled=True)
    lost(ledger, 1, 40, None, "the table does not exist any more")
    (one,) = spans(ledger, 2)
    assert one["standing"] == "lost"
    assert one["spans"][1]["to"] is None
    answer = ask(ledger, "or*", status=2)
    assert f"orders/half: LOST: what came after {iso(40)} cannot be restored; " in answer
    assert "HINT: what comes from now on can be restored once there is a new export" in answer


def test_selection(eventful):
    assert spans(eventful, 1, "--schedule=half")
    assert "no chain of it is in the ledger; HINT" in ask(eventful, "users", status=2)
    assert "no chain of it" in ask(eventful, "orders", "--schedule=nightly", status=2)
    assert "no chain of it" in ask(eventful, "users", "--json", status=2)  # and half an answer is none
    assert ask(eventful, "own/eu-central-1/orders", status=1)


def test_what_cannot_be_read(tmp_path):
    (tmp_path / "state").mkdir()
    nothing = types.SimpleNamespace(dir=tmp_path / "state")
    assert "there is no ledger yet" in ask(nothing, "orders", status=2)


def test_windows_that_make_no_chain(eventful):
    link(eventful, 14, 2, 1.5, 1, "intended")
    assert "holds a chain that makes no sense" in ask(eventful, "orders", status=2)


def test_status_and_check_know(ledger):
    chain(ledger, 1, "broken", 50, 40, ends=40, settled=True)
    lost(ledger, 1, 40, None, "point-in-time recovery is off")
    command = [str(CTL), "check", "--config=/nonexistent", f"--state-directory={ledger.dir}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 2
    assert f"orders/half: LOST: what came after {iso(40)} cannot be restored: point-in-time recovery is off; HINT: " in done.stdout
    command[1] = "status"
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": os.environ["PATH"]})
    assert done.stdout.startswith("NOT PROTECTED: ") and "1 chain has lost time and no new base" in done.stdout


def test_links_are_shown(eventful):
    for name in ("13", "token-13", f"{ARN}/export/link-13"):
        shown = eventful.ctl("show", name).splitlines()
        assert shown[0] == f"Link 13 of chain 2: own/eu-central-1/orders, schedule half, from {iso(4)} to {iso(2)}: in_progress"
        assert f"Artefact: in_progress, {ARN}/export/link-13" in shown
    assert eventful.json("show", "12")["run"]["state"] == "failed"
    assert "Link 13 of chain 2" in eventful.ctl("show", f"{iso(4)}/{iso(2)}")
    assert "no run has this number, name, ARN or window" in eventful.ctl("show", f"{iso(4)}/{iso(1)}", status=1)


def test_the_story_of_a_link(ledger):
    chain(ledger, 1, "growing", 30, 20)
    for number, attempt in ((10, 1), (11, 2)):
        link(ledger, number, 1, 20, 10, "in_progress", attempt, arn=f"{ARN}/export/link-{number}")
    ledger.tamper("INSERT INTO link_notes (link, wall, event, state, why) VALUES (10, 1795399200000000, 'overdue', 'in_progress', 'slow')")
    story = ledger.ctl("show", "10").splitlines()
    assert story[-1].split() == ["2026-11-23T02:00:00Z", "overdue", "in_progress", "slow"]
    assert "so 2 runs are called: 10, 11; HINT: say the number of one" in ledger.ctl("show", f"{iso(20)}/{iso(10)}", status=1)


def test_what_was_found_damaged_is_not_covered(ledger):
    """A link that a later check disproved: its window is asked for again, and what follows it does not count until then."""
    chain(ledger, 1, "growing", 30, 20)
    link(ledger, 10, 1, 30, 20, "succeeded", arn=f"{ARN}/export/link-10")
    link(ledger, 11, 1, 20, 10, "succeeded", arn=f"{ARN}/export/link-11")
    link(ledger, 12, 1, 10, 2, "succeeded", arn=f"{ARN}/export/link-12")
    ledger.tamper("UPDATE links SET life = 'verified'")
    ledger.tamper("UPDATE links SET life = 'disproved' WHERE id = 11")
    lines = [re.split(r" {2,}", row.strip()) for row in ask(ledger, "orders", status=1).splitlines()[1:]]
    assert lines[1][:3] == ["COVERED", iso(30), iso(20)]
    assert lines[2][:3] == ["LATE", iso(20), iso(10)]
    assert lines[2][-1] == "attempt 1: what was exported of it is damaged or gone; it is asked for again"
    assert lines[3][:2] == ["IN FLIGHT", iso(2)]


def test_what_has_expired_is_not_covered(ledger):
    chain(ledger, 1, "closed", 60, 40, ends=40, settled=True)
    chain(ledger, 2, "growing", 40, 1)
    link(ledger, 10, 1, 60, 40, "succeeded")
    link(ledger, 11, 2, 40, 1, "succeeded")
    assert iso(60) in ask(ledger, "orders", status=0)
    ledger.tamper(
        "INSERT INTO artefacts (run_id, action, life, arn) VALUES"
        f" (1, 'export', 'expired', '{ARN}/export/base-1')"
    )
    assert iso(60) not in ask(ledger, "orders", status=0)
