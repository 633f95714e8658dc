"""Zones of the system's database: against glibc, every change and instants between, from 1970 to 2100.

DDB_SEED repeats a run.
"""

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import BUILD

TOOL = BUILD / "tests/integration/zone_tool"
DATABASE = Path("/usr/share/zoneinfo")


def names_of_zones():
    """Every file of the database; those under right/ count leap seconds, which neither we nor POSIX do."""
    found = []
    for path in sorted(p for p in DATABASE.rglob("*") if p.is_file()):
        name = str(path.relative_to(DATABASE))
        with path.open("rb") as file:
            if file.read(4) == b"TZif" and not name.startswith("right/") and name != "localtime":
                found.append(name)
    return found


def run(names, seed, theirs=DATABASE, ours=DATABASE):
    return subprocess.run([TOOL, str(seed), ours], input="".join(f"{n}\n" for n in names), capture_output=True,
                          text=True, timeout=280, env={"TZDIR": str(theirs)})


def test_every_zone_is_as_in_glibc():
    seed, names = int(os.environ.get("DDB_SEED", time.time_ns() % 1_000_000)), names_of_zones()
    if not names:
        pytest.skip("no time zone database")
    print(f"DDB_SEED={seed}")
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda half: run(half, seed), (names[::2], names[1::2])))
    lines = [line.split("\t") for d in done for line in d.stdout.splitlines()]
    assert [line for line in lines if line[0] == "wrong"][:20] == []
    assert [d.returncode for d in done] == [0, 0], done[0].stderr + done[1].stderr
    compared = {name: (int(n_changes), int(n)) for name, n_changes, n in lines}
    assert sorted(compared) == names and len(names) > 300
    assert compared["Europe/Berlin"][0] > 230 and compared["UTC"][0] == 0
    print(f"{len(names)} zones, {sum(c for c, _ in compared.values())} changes, "
          f"{sum(n for _, n in compared.values())} comparisons")


@pytest.mark.parametrize("old, new", [(b"M10.5.0/3", b"M10.4.0/3"), (b"M10.5.0/3", b"M10.5.0/2"), (b"CET-1", b"CEX-1")])
def test_the_comparison_sees_a_wrong_rule(tmp_path, old, new):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for directory, rule in (theirs, old), (ours, new):
        directory.mkdir()
        whole = (DATABASE / "Europe/Berlin").read_bytes()
        at = whole.rindex(old)  # in the footer: good from 2037 on
        (directory / "Zone").write_bytes(whole[:at] + rule + whole[at + len(old):])
    assert run(["Zone"], 1, theirs, theirs).returncode == 0
    done = run(["Zone"], 1, theirs, ours)
    assert done.returncode == 1 and done.stdout.startswith("wrong\tZone\t21")


@pytest.mark.parametrize("name, why", [
    ("../Europe/Berlin", "No such file"), ("/etc/localtime", "No such file"), ("Europe/../UTC", "No such file"),
    ("./UTC", "No such file"), ("", "No such file"), ("Europe", "No such file"), ("Europe/Berlin/x", "No such file"),
    ("Nowhere/X", "No such file"), ("a" * 300, "No such file"), ("Pipe", "No such file"), ("Loop", "No such file"),
    ("Empty", "Bad message"), ("Text", "Bad message"), ("Large", "Bad message"),
])
def test_zone_names_that_lead_nowhere(tmp_path, name, why):
    shutil.copytree(DATABASE / "Europe", tmp_path / "zones/Europe")
    zones = tmp_path / "zones"
    os.mkfifo(zones / "Pipe")
    (zones / "Loop").symlink_to("Loop")
    (zones / "Empty").touch()
    (zones / "Text").write_text("# no TZif\n")
    (zones / "Large").write_bytes((DATABASE / "Europe/Berlin").read_bytes() + bytes(256 * 1024))
    done = subprocess.run([BUILD / "tests/integration/calendar_tool", "zone"], input=f"Europe/Berlin\t0\n{name}\t0\n",
                          capture_output=True, text=True, timeout=20, env={"TZDIR": str(zones)})
    assert (done.returncode, done.stdout) == (1, "3600\tCET\t323830800\n")
    assert why in done.stderr
