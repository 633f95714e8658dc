"""A time zone database that is updated while the daemon runs."""

import os
import struct
import time
from datetime import datetime, timedelta, timezone

from harness import backup, conf, select


def tzif(hours):
    """A zone that is always so many hours ahead of UTC."""
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = header + struct.pack(">lBB", hours * 3600, 0, 0) + b"XST\0"
    return block + block + f"\nXST{-hours}\n".encode()


def put(path, data):
    """As dpkg does it: under another name, and then in its place."""
    new = path.with_name(path.name + ".dpkg-new")
    new.write_bytes(data)
    os.rename(new, path)


def local_soon(hours, seconds):
    """The time of day that the clock of such a zone shows in so many seconds, and the slot."""
    at = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=seconds)
    return f"{at + timedelta(hours=hours):%H:%M:%S}", f"{at:%Y-%m-%dT%H:%M:%SZ}"


def start(tmp_path, emulator, daemon, when, zone="Area/Town"):
    town = tmp_path / "zones/Area/Town"
    town.parent.mkdir(parents=True)
    put(town, tzif(0))
    (town.parent / "Alias").symlink_to("Town")
    d = daemon(conf(emulator("orders"), backup("nightly", when, f'timezone = "{zone}";'), select("orders", "nightly")),
               env={"TZDIR": str(tmp_path / "zones")})
    d.wait_line("enrolled in schedule nightly")
    return d, town


def test_an_update_takes_effect_without_a_restart(tmp_path, emulator, daemon):
    when, slot = local_soon(5, 9)
    d, town = start(tmp_path, emulator, daemon, when, "Area/Alias")
    put(town, tzif(5))
    d.wait_line("notice +time zone Area/Alias has changed in the system's database")
    run, = d.wait_runs(1, 20)
    assert run["state"] == "succeeded" and slot.replace("-", "").replace(":", "") in d.text()
    assert len(d.lines("has changed in the system")) == 1 and not d.lines("reload")


def test_a_damaged_file_changes_nothing(tmp_path, emulator, daemon):
    when, _ = local_soon(0, 8)
    d, town = start(tmp_path, emulator, daemon, when)
    put(town, b"TZif, but no more than that")
    d.wait_line("error +time zones? .*Area/Town.*cannot be read|error +time zones stay as they were read before: .*")
    assert d.wait_runs(1, 20)[0]["state"] == "succeeded"
    put(town, tzif(1))
    d.wait_line("time zone Area/Town has changed")


def test_what_changes_no_clock_is_not_said(tmp_path, emulator, daemon):
    d, town = start(tmp_path, emulator, daemon, "02:00 Area/Town", "Area/Town")
    put(town, tzif(0))
    put(town.parent / "Other", tzif(3))
    time.sleep(3)
    assert not d.lines("time zone")
