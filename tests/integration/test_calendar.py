"""Calendar expressions against systemd-analyze, and offsets of zones against Python's zoneinfo.

Around changes of the clock systemd follows other rules; those days are left out here and have tables of their own in
tests/unit/test_calendar.c. DDB_SEED repeats a run.
"""

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

TOOL = Path(os.environ.get("DDB_BUILD", "."), "tests/integration/calendar_tool")
DATABASE = "/usr/share/zoneinfo"
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
N_NEXT = 4
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


@pytest.fixture(scope="module")
def rng():
    seed = int(os.environ.get("DDB_SEED", time.time_ns() % 1_000_000))
    print(f"DDB_SEED={seed}")
    return random.Random(seed)


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


def ask(expressions, base=BASE, n=N_NEXT):
    """{expression: (normal form, [seconds])}, None where it is refused."""
    answers = tool("calendar", [f"UTC\t{base:%Y-%m-%dT%H:%M:%SZ}\t{n}\t{e}" for e in expressions])
    return {e: None if a[0] == "error" else (a[0], [int(t) // 1_000_000 for t in a[1:] if t != "never"])
            for e, a in zip(expressions, answers)}


def ask_systemd(program, expressions, base=BASE, n=N_NEXT):
    """As ask(), by systemd-analyze: it takes many expressions at a time and goes on after one that it refuses."""
    found = dict.fromkeys(expressions)
    for i in range(0, len(expressions), 100):
        command = [program, "calendar", f"--iterations={n}", f"--base-time={base:%Y-%m-%d %H:%M:%S} UTC", "--"]
        done = subprocess.run(command + expressions[i:i + 100], capture_output=True, text=True, timeout=60,
                              env={"TZ": "UTC", "LC_ALL": "C.UTF-8"})
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
    wrong, zone = [], zoneinfo.ZoneInfo(zone_name)
    for expression, (normal, elapses) in ours.items():
        their_normal, their_elapses = theirs[expression] or ("refused", [])
        # both lists end after N_NEXT: compare as far as both reach
        full = [e[-1] for e in (elapses, their_elapses) if len(e) == N_NEXT]
        end = min(full, default=2**62)
        if normal != their_normal or quiet(zone, elapses, end) != quiet(zone, their_elapses, end):
            wrong.append((expression, normal, their_normal, elapses, their_elapses))
    assert not wrong, "\n".join(map(str, wrong[:20]))


def make_values(rng, low, high, width=0):
    """A field: "*", values, ranges and steps, now and then out of bounds.

    Where steps lead past the end of a field just when the next larger one ends too (23:64), systemd 252 loses the first
    match after that. So open steps are such that they would come out at the field's start.
    """
    if rng.random() < 0.3:
        return "*"
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        start = rng.randint(low, high)
        part = f"{start:0{rng.choice([0, width])}d}"
        if rng.random() < 0.3:
            part += f"..{rng.randint(start, high + rng.choice([0, 0, 1]))}"
            if rng.random() < 0.5:
                part += f"/{rng.randint(2, max(2, (high - low) // 2))}"
        parts.append(part)
    span = high + 1 - low
    if span in (12, 24, 60) and rng.random() < 0.2:
        parts.append(f"{low}/{rng.choice([s for s in range(2, span) if span % s == 0])}")
    return ",".join(parts)


def make_weekdays(rng):
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "monday", "SUNDAY", "Wednesday"]
    return ",".join(rng.choice(names) + (".." + rng.choice(names) if rng.random() < 0.3 else "")
                    for _ in range(rng.randint(1, 3)))


def make_base(rng):
    return BASE + timedelta(seconds=rng.randrange(3 * 365 * 86400))


def make_expression(rng):
    words = []
    if rng.random() < 0.3:
        words.append(make_weekdays(rng))
    if rng.random() < 0.7:
        year = rng.choice(["*-", "*-", "*-", "", make_values(rng, 2026, 2040, 4) + "-", make_values(rng, 26, 45) + "-"])
        backwards = rng.random() < 0.2
        day = make_values(rng, 1, 19 if backwards else 31, 2)  # in lists of days from the end systemd refuses the later
        words.append(year + make_values(rng, 1, 12, 2) + ("~" if backwards else "-") + day)
    if rng.random() < 0.8 or not words:
        time_of_day = make_values(rng, 0, 23, 2) + ":" + make_values(rng, 0, 59, 2)
        if rng.random() < 0.5:
            time_of_day += ":" + make_values(rng, 0, 59, 2)
            if rng.random() < 0.3 and re.search(r"[:,.]\d+$", time_of_day):
                time_of_day += rng.choice([".5", ".25", ".0000004", ".1234567", ".999999"])
        words.append(time_of_day)
    return " ".join(words)


def test_known_expressions(systemd):
    expressions = list(filter(None, KNOWN.split(";")))
    ours = ask(expressions)
    assert [e for e in expressions if ours[e] is None] == []
    compare(ours, ask_systemd(systemd, expressions), "UTC")


def test_refused_expressions(systemd):
    expressions = sorted(set(REFUSED.split(";")))
    assert [e for e, found in ask(expressions).items() if found] == []
    assert [e for e, found in ask_systemd(systemd, expressions).items() if found] == []


def test_generated_expressions(systemd, rng):
    expressions, base = sorted({make_expression(rng) for _ in range(2000)}), make_base(rng)
    ours, theirs = ask(expressions, base), ask_systemd(systemd, expressions, base)
    assert [e for e in expressions if (ours[e] is None) != (theirs[e] is None)] == []
    taken = {e: found for e, found in ours.items() if found}
    assert len(taken) > 500
    compare(taken, theirs, "UTC")
    again = ask([normal for normal, _ in taken.values()], base)
    assert all(again[normal] == (normal, elapses) for normal, elapses in taken.values())


@pytest.mark.parametrize("zone", ZONES[1:])
def test_generated_expressions_in_zones(systemd, rng, zone):
    expressions, base = sorted({f"{make_expression(rng)} {zone}" for _ in range(500)}), make_base(rng)
    taken = {e: found for e, found in ask(expressions, base).items() if found}
    assert len(taken) > 150
    compare(taken, ask_systemd(systemd, list(taken), base), zone)


def test_zones_against_zoneinfo(rng):
    names = sorted(n for n in zoneinfo.available_timezones() if n not in ("Factory", "localtime"))
    always = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo",
              "Africa/Casablanca", "Europe/Dublin", "Africa/Cairo", "Asia/Gaza", "America/Godthab", "Antarctica/Troll"]
    names = sorted({*always, *rng.sample(names, min(len(names), 100))} & set(names))
    wrong, n_changes = [], 0
    for name in names:
        zone, lines = zoneinfo.ZoneInfo(name), []
        # a grid finds what the tool may miss; from each point the next change is looked at from both sides
        grid = [t + rng.randrange(30 * 86400) for t in range(0, 4_600_000_000, 30 * 86400)]
        grid += [rng.randrange(4_600_000_000, 250_000_000_000) for _ in range(50)]
        changes = {int(a[2]) for a in tool("zone", [f"{name}\t{t}" for t in grid]) if a[2] != "never"}
        n_changes += len(changes)
        points = sorted(set(grid) | {c + d for c in changes for d in (-1, 0, 1)})
        for t, answer in zip(points, tool("zone", [f"{name}\t{t}" for t in points])):
            at = datetime.fromtimestamp(t, zone)
            if (int(answer[0]), answer[1]) != (at.utcoffset().total_seconds(), at.tzname()):
                wrong.append((name, t, answer[:2], at.isoformat(), at.tzname()))
        for c in changes:
            if datetime.fromtimestamp(c, zone).utcoffset() == datetime.fromtimestamp(c - 1, zone).utcoffset():
                wrong.append((name, c, "no change there"))
    assert not wrong, wrong[:20]
    assert n_changes > 1000


@pytest.mark.parametrize("name, why", [
    ("../Europe/Berlin", "No such file"), ("/etc/localtime", "No such file"), ("Europe/../UTC", "No such file"),
    ("./UTC", "No such file"), ("", "No such file"), ("Europe", "No such file"), ("Europe/Berlin/x", "No such file"),
    ("Nowhere/X", "No such file"), ("a" * 300, "No such file"), ("Pipe", "No such file"), ("Loop", "No such file"),
    ("Empty", "Bad message"), ("Text", "Bad message"), ("Large", "Bad message"),
])
def test_zone_names_that_lead_nowhere(tmp_path, name, why):
    shutil.copytree(Path(DATABASE, "Europe"), tmp_path / "zones/Europe")
    zones = tmp_path / "zones"
    os.mkfifo(zones / "Pipe")
    (zones / "Loop").symlink_to("Loop")
    (zones / "Empty").touch()
    (zones / "Text").write_text("# no TZif\n")
    (zones / "Large").write_bytes(Path(DATABASE, "Europe/Berlin").read_bytes() + bytes(256 * 1024))
    done = subprocess.run([TOOL, "zone"], input=f"Europe/Berlin\t0\n{name}\t0\n", capture_output=True, text=True,
                          timeout=20, env={"TZDIR": str(zones)})
    assert (done.returncode, done.stdout) == (1, "3600\tCET\t323830800\n")
    assert why in done.stderr
