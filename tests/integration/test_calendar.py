"""Calendar expressions: against systemd-analyze, against croniter, and against the examples that AWS documents.

Around changes of the clock systemd follows other rules; those days are left out here and have tables of their own in
tests/unit/test_calendar.c and test_calendar_cron.c. DDB_SEED repeats a run, DDB_EXPRESSIONS makes it larger.
"""

import calendar
import os
import random
import re
import shutil
import subprocess
import time
import zoneinfo
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from croniter import croniter

import cron_model
from expressions import make_cron, make_systemd, mutate

TOOL = Path(os.environ.get("DDB_BUILD", "."), "tests/integration/calendar_tool")
DATABASE = "/usr/share/zoneinfo"
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
N_NEXT = 4
N_EXPRESSIONS = int(os.environ.get("DDB_EXPRESSIONS", 3200))  # so that 3,000 of them are taken
N_BASES = 3
BASE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)

# From systemd.time(7), and what the grammar allows at its edges.
KNOWN = """
minutely;hourly;daily;monthly;weekly;yearly;annually;quarterly;semiannually;DAILY;biannually;semi-annually;bi-annually
Thu,Fri 2027-*-1,5 11:12:13;Sat,Thu,Mon..Wed,Sat..Sun;Mon,Sun 30-*-* 2,1:23;Wed *-1;Wed..Wed,Wed *-1;Wed, 17:48
Wed..Sat,Tue 26-10-15 1:2:3;*-*-7 0:0:0;10-15;monday *-12-* 17:00;Mon,Fri *-*-3,1,2 *:30:45;12,14,13,12:20,10,30
12..14:10,20,30;mon,fri *-1/2-1,3 *:30:45;03-05 08:05:40;08:05:40;05:40;Sat,Sun 12-05 08:05:40;Sat,Sun 08:05:40
2027-03-05 05:40;05:40:23.4200004/3.1700005;2027-02..04-05;2027-03-05 05:40 UTC;2003-03-05;*:2/3;*-02~03
Mon *-05~07/1;*-*~1;*~1;*-*~1..3;*-*~1..5/2;*-*~28;*-*~*;*-02-29;Mon *-02-29;*-02-30;*-*-31;*-02,04-31;*:*:*;*:*:0..59
*:*:0..5/1
*:*:1.5/2;*:*:1..2.5;*:*:0.25..3/0.5;*:*:59.999999;Mon-Wed;Mon..Sun;MON..fri,SUNDAY
Sun *-*-13;2026..2030/2-1-1
*-2..13/2-1;2199-12-31 23:59:59;70-1-1;@1800000000;@1800000000 UTC;Mon @1800000000;@0;2026-1-1  UTC;Mon  05:40;Mon, UTC
0/6:00;0..23/2:30;0..23/1:30;*:0/15,7;*:0..3,2..5;Fri..Sat 9..17:0/30;*-1/3-1 4:00;*-*-1..31/7;05:40 utc
""".replace("\n", ";")

REFUSED = """
;5;1..1;5..3:00;12:34:60;*:*:*/5;*/2;0:0/0;2200-1-1;1969-1-1;100-1-1; daily;daily ;12,;12:00 ;*-*-31~2;*~1-2;Fri..Mon
mon..wed..fri;Mon..;Mon,,Tue;Mond;Mon*-*-*;mon.wed;*-*~29;*-*~3..1;*-*~7/7;*:*:59.9999999;*:60;24:00;*-13-1;*-0-1;*-1-0
*-1-32;0/24:00;*:0/60;20/4:00;1-2-3-4;1-2:3;@;@12x;@1700000000.5;@99999999999999999999;daily weekly;12:00 Mon
12:00:00:00
1:2:3.;1:2:.5;*:1.5;-1:00;+1:00;1--2;99999999999:00;* *;**:00;2026-01-01T00:00;UTC;12:00 Europe/Berlin UTC;1...3:00
""".replace("\n", ";")


@pytest.fixture
def rng(request):
    seed = int(os.environ.get("DDB_SEED", time.time_ns() % 1_000_000))
    print(f"DDB_SEED={seed}")
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(scope="module", autouse=True)
def database():
    if not Path(DATABASE, "Europe/Berlin").exists():
        pytest.skip("no time zone database")
    zoneinfo.reset_tzpath(to=[DATABASE])


@pytest.fixture(scope="module")
def systemd():
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("no systemd-analyze")
    return program


def tool(mode, lines):
    """The tool's answer to each line."""
    done = subprocess.run([TOOL, mode], input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          timeout=60, env={"TZDIR": DATABASE})
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    return [answer.split("\t") for answer in answers]


def seconds_of(instants):
    """Of instants in UTC; the year is 2026 where it is left out."""
    whole = [at if at.startswith("20") else "2026-" + at for at in instants.split()]
    return [int(datetime.fromisoformat(at + "+00:00").timestamp()) for at in whole]


def ask(expressions, base=BASE, n=N_NEXT, zone="UTC"):
    """{expression: (normal form, [seconds])}, None where it is refused."""
    answers = tool("calendar", [f"{zone}\t{base:%Y-%m-%dT%H:%M:%SZ}\t{n}\t{e}" for e in expressions])
    return {e: None if a[0] == "error" else (a[0], [int(t) // 1_000_000 for t in a[1:] if t != "never"])
            for e, a in zip(expressions, answers)}


def ask_systemd(program, expressions, base=BASE, n=N_NEXT, zone="UTC"):
    """As ask(), by systemd-analyze: it takes many expressions at a time and goes on after one that it refuses."""
    found = dict.fromkeys(expressions)
    for i in range(0, len(expressions), 100):
        command = [program, "calendar", f"--iterations={n}", f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", "--"]
        done = subprocess.run(command + expressions[i:i + 100], capture_output=True, text=True, timeout=60,
                              env={"TZ": zone, "LC_ALL": "C.UTF-8"})
        original = None
        for line in done.stdout.splitlines():
            name, _, value = line.strip().partition(": ")
            if name == "Original form":
                original = value
            elif name == "Normalized form":  # alone where it is the original
                elapses = []
                found[original or value] = (value, elapses)
                original = None
            elif elapse := re.search(r" (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", line):
                elapses.append(int(datetime.fromisoformat(elapse[1] + "+00:00").timestamp()))
    return found


def is_quiet(zone, seconds):
    """No change of the clock is near."""
    at = datetime.fromtimestamp(seconds, timezone.utc)
    near = [(at + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-30, 0, 30)]
    return len(set(near)) == 1


def quiet(zone, elapses, end):
    return [t for t in elapses if t <= end and is_quiet(zone, t)]


def compare(ours, theirs, zone_name):
    """Both are asked and answer alike; returns how many instants were the same."""
    wrong, n_same, zone = [], 0, zoneinfo.ZoneInfo(zone_name)
    for expression, (normal, elapses) in ours.items():
        their_normal, their_elapses = theirs[expression] or ("refused", [])
        # both lists end after N_NEXT: compare as far as both reach
        full = [e[-1] for e in (elapses, their_elapses) if len(e) == N_NEXT]
        end = min(full, default=2**62)
        if normal != their_normal or quiet(zone, elapses, end) != quiet(zone, their_elapses, end):
            wrong.append((expression, normal, their_normal, elapses, their_elapses))
        n_same += len(quiet(zone, elapses, end))
    assert not wrong, "\n".join(map(str, wrong[:20]))
    return n_same


def make_base(rng):
    return BASE + timedelta(seconds=rng.randrange(3 * 365 * 86400))


def test_known_expressions(systemd):
    expressions = list(filter(None, KNOWN.split(";")))
    ours = ask(expressions)
    assert [e for e in expressions if ours[e] is None] == []
    compare(ours, ask_systemd(systemd, expressions), "UTC")


def test_refused_expressions(systemd):
    expressions = sorted(set(REFUSED.split(";")))
    assert [e for e, found in ask(expressions).items() if found] == []
    assert [e for e, found in ask_systemd(systemd, expressions).items() if found] == []


def make_taken(rng):
    """At least 3,000 expressions that are taken; the refused ones beside them."""
    expressions = {}
    while sum(map(bool, expressions.values())) < max(3000, N_EXPRESSIONS - 200):
        expressions |= ask({make_systemd(rng) for _ in range(500)})
    return [e for e, found in expressions.items() if found], [e for e, found in expressions.items() if not found]


def test_generated_expressions_are_taken_alike(systemd, rng):
    taken, refused = make_taken(rng)
    theirs = ask_systemd(systemd, taken + refused, n=1)
    assert [e for e in taken if not theirs[e]] == []
    assert [e for e in refused if theirs[e]] == []
    ours = ask(taken)
    again = ask([normal for normal, _ in ours.values()])
    assert all(again[normal] == (normal, elapses) for normal, elapses in ours.values())


def test_mutated_expressions_are_taken_alike(systemd, rng):
    """A slip of the finger in good ones: what systemd takes is taken, with the same meaning, and nothing else."""
    known = [e for e in (KNOWN + REFUSED).split(";") if e]
    expressions = sorted({mutate(rng, rng.choice(known) if rng.random() < 0.7 else make_systemd(rng))
                          for _ in range(3000)} - {""})
    ours, theirs = ask(expressions), ask_systemd(systemd, expressions)
    taken = [e for e in expressions if ours[e]]
    assert [e for e in taken if not theirs[e]] == []
    assert [e for e in expressions if theirs[e] and not ours[e]] == []
    assert len(taken) > 100
    for e in taken:
        full = [found[e][1][-1] for found in (ours, theirs) if len(found[e][1]) == N_NEXT]
        assert quiet(zoneinfo.ZoneInfo("UTC"), ours[e][1], min(full, default=2**62)) == quiet(
            zoneinfo.ZoneInfo("UTC"), theirs[e][1], min(full, default=2**62)), e


@pytest.mark.parametrize("zone", ZONES)
def test_generated_expressions(systemd, rng, zone):
    taken, _ = make_taken(rng)
    for _ in range(N_BASES):
        base = make_base(rng)
        assert compare(ask(taken, base, zone=zone), ask_systemd(systemd, taken, base, zone=zone), zone) > 6000


def test_a_zone_behind_the_expression(systemd, rng):
    base = make_base(rng)
    for zone in ZONES[1:]:
        expressions = [f"{e} {zone}" for e in make_taken(rng)[0][:30]]
        compare(ask(expressions, base), ask_systemd(systemd, expressions, base), zone)


# --- where the clock changes ---

# A local time that does not exist comes once, at the end of the gap; one that comes twice counts once, unless the hour
# is "*" or stepped; instants that coincide are one.
CHANGES = [
    ("Europe/Berlin", "02:30", "2026-03-28T12:00", "03-29T01:00 03-30T00:30"),
    ("Europe/Berlin", "02,03:00", "2026-03-28T12:00", "03-29T01:00 03-30T00:00 03-30T01:00"),
    ("Europe/Berlin", "02:15,45", "2026-03-28T12:00", "03-29T01:00 03-30T00:15"),
    ("Europe/Berlin", "*:0/30", "2026-03-29T00:00", "03-29T00:30 03-29T01:00 03-29T01:30"),
    ("Europe/Berlin", "02:30", "2026-10-24T12:00", "10-25T00:30 10-26T01:30"),
    ("Europe/Berlin", "*:30", "2026-10-24T23:40", "10-25T00:30 10-25T01:30 10-25T02:30"),
    ("Europe/Berlin", "0/2:30", "2026-10-24T23:40", "10-25T00:30 10-25T01:30 10-25T03:30"),
    ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00", "10-25T00:30 10-26T01:30"),
    ("Europe/Berlin", "30 */2 * * *", "2026-10-24T23:40", "10-25T00:30 10-25T01:30 10-25T03:30"),
    ("Europe/Berlin", "cron(30 2 ? * SUN *)", "2026-03-28T12:00", "03-29T01:00 04-05T00:30"),
    ("Europe/Berlin", "rate(30 minutes)", "2026-10-25T00:10", "10-25T00:30 10-25T01:00 10-25T01:30"),
    ("America/New_York", "02:30", "2026-03-07T12:00", "03-08T07:00 03-09T06:30"),
    ("America/New_York", "01:30", "2026-10-31T12:00", "11-01T05:30 11-02T06:30"),
    ("America/New_York", "0 * * * *", "2026-11-01T04:30", "11-01T05:00 11-01T06:00 11-01T07:00"),
    ("Australia/Lord_Howe", "02:15", "2026-10-03T12:00", "10-03T15:30 10-04T15:15"),
    ("Australia/Lord_Howe", "01:45", "2026-04-04T12:00", "04-04T14:45 04-05T15:15"),
    ("Pacific/Apia", "12:00", "2011-12-29T00:00", "2011-12-29T22:00 2011-12-30T10:00 2011-12-30T22:00"),
    ("Africa/Cairo", "daily", "2026-04-23T12:00", "04-23T22:00 04-24T21:00"),
]


@pytest.mark.parametrize("zone, expression, after, instants", CHANGES)
def test_where_the_clock_changes(zone, expression, after, instants):
    base, expected = datetime.fromisoformat(after + "+00:00"), seconds_of(instants)
    assert ask([expression], base, len(expected), zone)[expression][1] == expected


# --- cron ---

def croniter_next(expression, base, n):
    # a star at the beginning of a day makes both days count, as crontab(5) says
    them = croniter(expression, base, implement_cron_bug=True)
    return [int(them.get_next(float)) for _ in range(n)]


def test_generated_expressions_of_cron(rng):
    expressions, wrong = sorted({make_cron(rng) for _ in range(N_EXPRESSIONS)}), []
    assert len(expressions) > 3000 or N_EXPRESSIONS < 3200
    for base in (make_base(rng) for _ in range(2)):
        for expression, found in ask(expressions, base).items():
            theirs = croniter_next(expression, base, N_NEXT)
            if not found or found[1] != theirs:
                wrong.append((expression, base, found, theirs))
    assert not wrong, "\n".join(map(str, wrong[:20]))


def test_wild_expressions_of_cron(rng):
    """Odd ones, of which croniter has other opinions than cron: ranges that end before they start, long steps, stars in
    lists, 0-0."""
    expressions, n_taken = sorted({cron_model.make_wild(rng) for _ in range(2000)}), 0
    for expression, found in ask(expressions).items():
        expected = cron_model.next_of(expression, BASE, N_NEXT)
        assert (found[1] if found else None) == expected, expression
        n_taken += found is not None
    assert n_taken > len(expressions) // 4


def test_normal_forms_of_cron_mean_the_same(rng):
    ours = ask(sorted({make_cron(rng) for _ in range(1000)}))
    again = ask([normal for normal, _ in ours.values()])
    assert [e for e, (normal, elapses) in ours.items() if again[normal] != (normal, elapses)] == []


# --- AWS ---

# What the user guides of EventBridge and Lambda and that of EventBridge Scheduler say of each, by hand, after Tuesday,
# 2026-11-24T00:00:00Z.
EXAMPLES = {
    "cron(0 10 * * ? *)": "11-24T10:00 11-25T10:00",
    "cron(15 12 * * ? *)": "11-24T12:15 11-25T12:15",
    "cron(15 10 * * ? *)": "11-24T10:15 11-25T10:15",
    "cron(0 18 ? * MON-FRI *)": "11-24T18:00 11-25T18:00 11-26T18:00 11-27T18:00 11-30T18:00",
    "cron(0 8 1 * ? *)": "12-01T08:00 2027-01-01T08:00",
    "cron(0/15 * * * ? *)": "11-24T00:15 11-24T00:30 11-24T00:45 11-24T01:00",
    "cron(0/10 * ? * MON-FRI *)": "11-24T00:10 11-24T00:20",
    "cron(0/5 8-17 ? * MON-FRI *)": "11-24T08:00 11-24T08:05 11-24T08:10",
    "cron(0/30 20-2 ? * MON-FRI *)": "11-24T00:30 11-24T01:00 11-24T01:30 11-24T02:00 11-24T02:30 11-24T20:00",
    "cron(0 9 ? * 2#1 *)": "12-07T09:00 2027-01-04T09:00 2027-02-01T09:00",
    "cron(15 10 ? * 6L 2026-2027)": "11-27T10:15 12-25T10:15 2027-01-29T10:15",
    "cron(1/10 * * * ? *)": "11-24T00:01 11-24T00:11 11-24T00:21",
    "cron(0 12 3W * ? *)": "12-03T12:00 2027-01-04T12:00 2027-02-03T12:00 2027-03-03T12:00 2027-04-02T12:00",
    "cron(0 12 ? * 3#2 *)": "12-08T12:00 2027-01-12T12:00",
    "rate(5 minutes)": "11-24T00:05 11-24T00:10",
    "rate(1 hour)": "11-24T01:00 11-24T02:00",
    "rate(7 days)": "11-26T00:00 12-03T00:00",
}
# The guides refuse these.
NOT_AT_AWS = ["cron(0 10 * * * *)", "cron(0 10 ? * 3#1,6#3 *)", "cron(0 10 ? * ? *)", "rate(1 hours)", "rate(5 hour)",
              "rate(0 hours)", "rate(-1 hours)", "cron(0 10 * * ?)"]


def test_examples_of_aws():
    base = datetime(2026, 11, 24, tzinfo=timezone.utc)
    for expression, instants in EXAMPLES.items():
        expected = seconds_of(instants)
        assert ask([expression], base, len(expected))[expression][1] == expected, expression


def test_what_aws_refuses():
    assert [e for e, found in ask(NOT_AT_AWS).items() if found] == []


def days_of(test):
    """The days of 2026 to 2029 for which test(year, month, day, days in the month, weekday from Sunday = 1) holds."""
    return [f"{y}-{m:02}-{d:02}" for y in range(2026, 2030) for m in range(1, 13)
            for last in [calendar.monthrange(y, m)[1]] for d in range(1, last + 1)
            if test(y, m, d, last, (calendar.weekday(y, m, d) + 1) % 7 + 1)]


def nearest(y, m, wanted, last):
    working = [d for d in range(1, last + 1) if calendar.weekday(y, m, d) < 5]
    return min(working, key=lambda d: abs(d - wanted)) if wanted <= last else None


RULES = {"L * ?": lambda y, m, d, last, w: d == last, "LW * ?": lambda y, m, d, last, w: d == nearest(y, m, last, last)}
RULES |= {f"{n}W * ?": lambda y, m, d, last, w, n=n: d == nearest(y, m, n, last) for n in range(1, 32)}
RULES |= {f"? * {k}L": lambda y, m, d, last, w, k=k: w == k and d > last - 7 for k in range(1, 8)}
RULES |= {f"? * {k}#{n}": lambda y, m, d, last, w, k=k, n=n: w == k and (d - 1) // 7 == n - 1
          for k in range(1, 8) for n in range(1, 6)}


@pytest.mark.parametrize("rule", ["L", "W", "#"])
def test_days_of_aws(rule):
    before, rules = datetime(2025, 12, 31, 12, tzinfo=timezone.utc), [r for r in RULES if rule in r]
    for r in rules:
        found = ask([f"cron(0 0 {r} *)"], before, 60)[f"cron(0 0 {r} *)"][1]
        days = [f"{datetime.fromtimestamp(t, timezone.utc):%Y-%m-%d}" for t in found]
        expected = days_of(RULES[r])
        assert [d for d in days if d < "2030"] == expected[:60], r
