"""`ddbackupctl calendar`: what an expression means, in all its forms."""

import json
import subprocess

import pytest

from harness import BUILD

CTL = BUILD / "ddbackupctl"
BASE = "--base-time=2026-10-24T12:00:00Z"


def calendar(*arguments):
    return subprocess.run([CTL, "calendar", *arguments], capture_output=True, text=True, timeout=30)


def answer(*arguments):
    done = calendar("--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_for_people():
    done = calendar("30 2 * * *", "--timezone=Europe/Berlin", BASE, "--iterations=3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == """\
Expression:  30 2 * * *
Normal form: *-*-* 02:30:00
Time zone:   Europe/Berlin
After:       2026-10-24 14:00:00 CEST

  LOCAL                     UTC                          IN
  2026-10-25 02:30:00 CEST  2026-10-25T00:30:00Z  12h 30min
  2026-10-26 02:30:00 CET   2026-10-26T01:30:00Z     1d 13h
  2026-10-27 02:30:00 CET   2026-10-27T01:30:00Z     2d 13h
"""


@pytest.mark.parametrize("expression, normal, first", [
    ("Sun 3:30", "Sun *-*-* 03:30:00", "2026-10-25T03:30:00Z"),
    ("0 2 1,15 * 5", "0 2 1,15 * 5", "2026-10-30T02:00:00Z"),
    ("@weekly", "Sun *-*-* 00:00:00", "2026-10-25T00:00:00Z"),
    ("cron(0 9 LW * ? *)", "cron(0 9 LW * ? *)", "2026-10-30T09:00:00Z"),
    ("cron(0 9 ? * 3#1 *)", "Tue *-*-01..07 09:00:00", "2026-11-03T09:00:00Z"),
    ("rate(120 minutes)", "rate(2 hours)", "2026-10-24T14:00:00Z"),
    ("daily Asia/Tokyo", "*-*-* 00:00:00 Asia/Tokyo", "2026-10-24T15:00:00Z"),
    ("*:*:0/0.25", "*-*-* *:*:00/0.250000", "2026-10-24T12:00:00.250Z"),
])
def test_for_programs(expression, normal, first):
    told = answer(expression, BASE, "--iterations=1")
    assert (told["expression"], told["normal_form"], told["ends"]) == (expression, normal, False)
    assert [e["utc"] for e in told["elapses"]] == [first]
    assert told["base"] == "2026-10-24T12:00:00Z"


def test_zones():
    told = answer("02:00", "--timezone=America/New_York", BASE)
    assert told["timezone"] == "America/New_York" and len(told["elapses"]) == 5
    assert told["elapses"][0] == {"local": "2026-10-25T02:00:00-04:00", "utc": "2026-10-25T06:00:00Z"}
    assert answer("02:00 UTC", "--timezone=America/New_York", BASE)["timezone"] == "UTC"
    assert answer("02:00", BASE)["timezone"] == "UTC"


@pytest.mark.parametrize("base, told", [
    ("2026-07-01T02:00:00+02:00", "2026-07-01T00:00:00Z"),
    ("2026-07-01 02:00:00", "2026-07-01T00:00:00Z"),
    ("2026-07-01 02:00", "2026-07-01T00:00:00Z"),
    ("2026-07-01", "2026-06-30T22:00:00Z"),
    ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
])
def test_base_times(base, told):
    assert answer("daily Europe/Berlin", f"--base-time={base}")["base"] == told


def test_the_end():
    told = answer("2026-12-24 18:00", BASE)
    assert told["ends"] is True and [e["utc"] for e in told["elapses"]] == ["2026-12-24T18:00:00Z"]
    assert calendar("2026-12-24 18:00", BASE).stdout.endswith("\n  and never again\n")
    assert calendar("*-02-30").stdout.endswith("\n  never\n")


@pytest.mark.parametrize("arguments, words", [
    (["0 25 * * *"], "ddbackupctl: expected an hour between 0 and 23\n  0 25 * * *\n    ^\n"),
    (["0 2 * *"], "ddbackupctl: cron takes five fields: minute, hour, day of the month, month, weekday\n"
                  "  0 2 * *\n         ^\n"),
    (["Mon..Fir"], "ddbackupctl: expected a weekday, or one of the names such as daily alone\n  Mon..Fir\n       ^\n"),
    (["Grüße\x1b[2J 1:2x"], "ddbackupctl: expected a weekday, or one of the names such as daily alone\n"
                            "  Grüße?[2J 1:2x\n  ^\n"),
    (["daily Europe/Berln"], "ddbackupctl: Europe/Berln: there is no such time zone; HINT: "),
    (["daily", "--timezone=../etc"], "ddbackupctl: ../etc: there is no such time zone; HINT: "),
    (["daily", "--base-time=yesterday"], "ddbackupctl: --base-time: no such time; HINT: "),
])
def test_what_is_wrong(arguments, words):
    done = calendar(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(words), done.stderr
