"""A journald of one's own, and a whole systemd of one's own. Both leave the machine alone: private namespaces, a
cgroup of their own, no capability to set the clock; ended by closing their standard input."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from harness import wait_until

HERE = pathlib.Path(__file__).resolve().parent
CONFINED = "-sys_time,-sys_boot,-sys_module,-sys_rawio"


def need(*programs):
    """Skips where this machine cannot hold a box."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"needs {program}")
    if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode:
        pytest.skip("this machine does not let root mount in a namespace of its own")


class Box:
    """A box script that says "ready" and lives until its standard input ends."""

    def __init__(self, command, console):
        self.console = console
        with console.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        ready = self.process.stdout.readline()
        if not ready.startswith("ready"):
            self.close()
            raise AssertionError(f"{command[-1]} said {ready!r}\n{console.read_text()}")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def run(self, *command, check=True, timeout=30):
        done = subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=timeout)
        if check:
            assert done.returncode == 0, f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def journal(self, *matches):
        """The entries of ddbackupd, as dictionaries."""
        self.run("journalctl", "--sync")
        text = self.run("journalctl", *self.where, "-o", "json", "--all", "--no-pager", *matches).stdout
        return [json.loads(line) for line in text.splitlines()]

    def wait_journal(self, *matches, timeout=20):
        return wait_until(lambda: self.journal(*matches), timeout, f"journal entry {matches}")


class JournalBox(Box):
    where = ["-D", "/run/log/journal"]

    def __init__(self, directory):
        super().__init__(
            ["unshare", "--mount", "--propagation", "private", str(HERE / "journalbox")], directory / "console"
        )
        self.enter = ["nsenter", "-t", str(self.process.pid), "--mount"]


class SystemdBox(Box):
    where = ["-u", "ddbackupd"]

    def __init__(self, directory):
        (directory / "box").mkdir()
        self.console = directory / "box.console"
        super().__init__([str(HERE / "sdbox"), str(directory / "box"), "--unit=basic.target"], self.console)
        leader = self._leader()
        self.root = pathlib.Path(f"/proc/{leader}/root")
        self.enter = ["setpriv", f"--bounding-set={CONFINED}", f"--inh-caps={CONFINED}", "nsenter", "-t", str(leader)]
        self.enter += ["-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        self.run("systemctl", "is-system-running", "--wait", check=False, timeout=60)

    def _leader(self):
        """The box's PID 1: the descendant of the script that is process 1 of a PID namespace two levels down."""
        parents = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            except (OSError, ValueError):
                continue
            parents[int(fields["Pid"])] = (int(fields["PPid"]), fields["NSpid"].split())
        for pid, (parent, numbers) in parents.items():
            if len(numbers) == len(parents[self.process.pid][1]) + 2 and numbers[-1] == "1":
                while parent in parents and parent != self.process.pid:
                    parent = parents[parent][0]
                if parent == self.process.pid:
                    return pid
        raise AssertionError("the box has no process 1")

    def write(self, path, text, mode=0o644):
        """Replaces a file of the box in one step."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_text(text)
        new.chmod(mode)
        new.rename(file)

    def show(self, *names, unit="ddbackupd"):
        text = self.run("systemctl", "show", unit, *[f"-p{name}" for name in names]).stdout
        return dict(line.split("=", 1) for line in text.splitlines())
