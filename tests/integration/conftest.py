"""Fixtures for tests with the real programs over real sockets."""

import itertools

import pytest

import harness


@pytest.fixture
def emulator(tmp_path):
    """emulator(tables, ...): starts a ddbackup-emulator; the test's end ends it."""
    started = []

    def make(*tables, **options):
        started.append(harness.Emulator(tmp_path / f"emulator{len(started)}", tables, **options))
        return started[-1]

    yield make
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def daemon(tmp_path):
    """daemon(config, ...): starts a ddbackupd and waits until it says so. The test's end stops those that still run and
    asks for exit status 0."""
    started = []
    number = itertools.count()

    def make(config, directory=None, start=True, wait=True, **options):
        one = harness.Daemon(directory or tmp_path / f"daemon{next(number)}", config, **options)
        started.append(one)
        if start:
            one.start(wait)
        return one

    yield make
    running = [one for one in started if one.process and one.process.poll() is None]
    statuses = [(one.stop(), one) for one in running]
    for status, one in statuses:
        assert status == 0, f"exit status {status}:\n{one.text()}"


@pytest.fixture
def ctl():
    return harness.ctl
