"""The unit file, as systemd-analyze sees it."""

import os
import re
import shutil
import subprocess

import pytest

from boxes import need
from harness import BUILD, TOP

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


@pytest.fixture
def unit(tmp_path):
    text = (TOP / "systemd" / "ddbackupd.service.in").read_text().replace("@sbindir@", str(BUILD))
    assert not re.search(r"@\w+dir@", text), "a placeholder is left"
    file = tmp_path / "ddbackupd.service"
    file.write_text(text)
    return file


def analyze(*arguments):
    """systemd-analyze leaves a mark in /run: as root it gets one of its own."""
    command = ["systemd-analyze", *arguments]
    if os.geteuid() == 0:
        need("unshare")
        command = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh", *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_verifies(unit):
    done = analyze("verify", "--man=no", "--recursive-errors=yes", str(unit))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_verify_sees_a_bad_key(unit):
    """The check above can fail."""
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert analyze("verify", "--man=no", "--recursive-errors=yes", str(unit)).returncode != 0


def test_exposure_is_low(unit):
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(unit))
    level = re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)
    assert done.returncode == 0 and level and float(level.group(1)) < 2.0, done.stdout + done.stderr


def test_watchdog_is_longer_than_the_fsync_that_the_page_states():
    page = (TOP / "man" / "ddbackupd.8").read_text()
    stated = int(re.search(r"fsync of (\d+) seconds", page).group(1))
    minutes = int(re.search(r"WatchdogSec=(\d+)min", (TOP / "systemd" / "ddbackupd.service.in").read_text()).group(1))
    assert minutes * 60 >= 2 * stated
