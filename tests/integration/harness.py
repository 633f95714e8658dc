"""Starts and ends the project's programs for tests, and reads what they leave behind. Loopback only; no file of a home
directory and no AWS_* or proxy variable of the machine is seen by them."""

import datetime
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DDB_BUILD", TOP / "build" / "release"))

KEY_ID = "AKIAEMULATOR00000000"
SECRET = "emulator/secret/which/nobody/keeps/00000"
REGION = "eu-central-1"


def wait_until(condition, timeout=20.0, what="it"):
    """The first true value of condition(); fails when there is none in time."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {timeout} s"
        time.sleep(0.05)


def environment(home, **extra):
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **extra}


def undocumented(verb, answer, *free):
    """The members of a verb's answer that ddbackupctl(1) does not name where it tells of that verb; not looked into: `free`."""
    page = (TOP / "man" / "ddbackupctl.1").read_text()
    section = page[page.index(f"\n.Ss {verb}\n", page.index(".Sh JSON")) + 5 :]
    named = set(re.findall(r"[a-z0-9_]+", section[: section.index("\n.S")]))

    def members(value):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield name
                if name not in free:
                    yield from members(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from members(inner)

    return set(members(answer)) - named


def soon(seconds=1):
    """A calendar expression that elapses once, in so many seconds or up to one more, and that slot as text."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds + 1)
    at = at.replace(microsecond=0)
    return at.strftime("%Y-%m-%d %H:%M:%S"), at.strftime("%Y-%m-%dT%H:%M:%SZ")


def compact(slot):
    """The slot as it stands in a backup's name."""
    return slot.replace("-", "").replace(":", "")


def conf(emulator, schedules, tables, more=""):
    """The text of a configuration; it takes all of the service's rates, to be quick."""
    return f"""
deployment = "acme";
aws = {{ region = "{REGION}"; endpoint_url = "{emulator.url}"; }};
schedules = {{ {schedules} }};
tables = ( {tables} );
limits = {{ rate_share = 1.0; }};
{more}
"""


def backup(name, when, more=""):
    return f'{name} = {{ action = "backup"; when = "{when}"; {more} }};'


def export(name, when, more=""):
    s3 = 's3 = { bucket = "acme-exports"; prefix = "%{table}"; };'
    return f'{name} = {{ action = "export"; when = "{when}"; {s3} {more} }};'


def select(match, *schedules, more=""):
    names = ", ".join(f'"{name}"' for name in schedules)
    return f'{{ match = {json.dumps(match)}; schedules = [{names}]; {more} }}'


def end(process, timeout=10):
    """SIGTERM, and the exit status; SIGKILL and a failure when it does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"{process.args[0]} did not end on SIGTERM within {timeout} s") from None


class Emulator:
    """A ddbackup-emulator on a port of its own."""

    def __init__(self, directory, tables=(), backup_time="1s", export_time="1s", rates=True, options=(), enter=()):
        directory.mkdir(parents=True, exist_ok=True)
        self.output = directory / "emulator.out"
        command = [*enter, str(BUILD / "ddbackup-emulator"), "--port", "0", "--backup-time", backup_time]
        command += ["--export-time", export_time, *options]
        for table in tables:
            command += ["--table", table]
        if not rates:
            command.append("--no-rates")
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment(directory)
            )
        try:
            self.url = wait_until(self._listening, 15, f"{command} listens")
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise

    def _listening(self):
        assert self.process.poll() is None, self.output.read_text()
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", self.output.read_text())
        return found and found.group(1)

    def control(self, path, body=None):
        data = None if body is None else body.encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(f"{self.url}/_emulator/{path}", data=data), timeout=10) as reply:
            return reply.read().decode()

    def state(self):
        """What exists: tables, backups, exports."""
        return json.loads(self.control("state"))

    def calls(self, operation=None):
        """The logged requests, of one operation or of all."""
        entries = [json.loads(line) for line in self.control("log").splitlines()]
        return [entry for entry in entries if operation in (None, entry["op"])]

    def faults(self, *rules):
        """Adds rules of the fault script, "OPERATION [table=T] [after=N] [times=N] ACTION ..."."""
        self.control("faults", "\n".join(rules))

    def heal(self):
        """Takes all rules away."""
        request = urllib.request.Request(f"{self.url}/_emulator/faults", method="DELETE")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()

    def client(self, service="dynamodb", region=REGION):
        """A boto3 client of it."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def stop(self):
        return end(self.process)


class Ledger:
    """Reads a state directory as anyone may: read-only, with short reads."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "ledger.db"

    def query(self, sql, *values):
        if not self.path.exists():
            return []
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)
        try:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, values)]
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # the daemon is making it
                return []
            raise
        finally:
            db.close()

    def runs(self, **equal):
        where = " AND ".join(f"r.{name} = ?" for name in equal) or "1"
        return self.query(
            "SELECT r.*, a.arn, a.status, a.life FROM runs r LEFT JOIN artefacts a ON a.run_id = r.id"
            f" WHERE {where} ORDER BY r.id",
            *equal.values(),
        )

    def notes(self, run_id):
        return [note["event"] for note in self.query("SELECT event FROM notes WHERE run_id = ? ORDER BY id", run_id)]


class Daemon:
    """A ddbackupd with a configuration file and a state directory of its own, logging lines."""

    def __init__(self, directory, config, env=None, credentials=True, options=(), enter=()):
        self.directory = directory
        self.config = directory / "ddbackupd.conf"
        self.state = directory / "state"
        self.runtime = directory / "run"
        self.output = directory / "daemon.log"
        self.state.mkdir(parents=True, exist_ok=True)
        (directory / "home").mkdir(exist_ok=True)
        self.configure(config)
        keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET} if credentials else {}
        self.env = environment(directory / "home", **keys, **(env or {}))
        self.options = list(options)
        self.enter = list(enter)
        self.ledger = Ledger(self.state)
        self.process = None

    def configure(self, config):
        """Replaces the configuration file, in one step."""
        new = self.config.with_suffix(".new")
        new.write_text(config)
        new.rename(self.config)

    def command(self, *verb):
        arguments = ["--config", str(self.config), "--state-directory", str(self.state)]
        arguments += ["--runtime-directory", str(self.runtime), *self.options, *verb]
        return [*self.enter, str(BUILD / "ddbackupd"), *arguments]

    def start(self, wait=True):
        assert self.process is None or self.process.poll() is not None
        self.seen = self.output.stat().st_size if self.output.exists() else 0
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=self.env
            )
        if wait:
            self.wait_line(r"ddbackupd \S+ started")

    def text(self):
        """What this process has said so far."""
        return self.output.read_bytes()[self.seen :].decode()

    def lines(self, pattern=""):
        return [line for line in self.text().splitlines() if re.search(pattern, line)]

    def wait_line(self, pattern, timeout=20.0):
        """The first line that matches."""

        def found():
            lines = self.lines(pattern)
            assert lines or self.process.poll() is None, f"it ended, without {pattern!r}:\n{self.text()}"
            return lines

        try:
            return wait_until(found, timeout)[0]
        except AssertionError as error:
            raise AssertionError(f"no line {pattern!r}: {error}\n{self.text()}") from None

    def wait_runs(self, n, timeout=20.0, **equal):
        """The runs when n of them are settled."""

        def settled():
            runs = [run for run in self.ledger.runs(**equal) if run["settled"] is not None]
            assert self.process.poll() is None, f"it ended:\n{self.text()}"
            return len(runs) >= n and runs

        try:
            return wait_until(settled, timeout)
        except AssertionError as error:
            raise AssertionError(f"not {n} settled runs: {error}\n{self.text()}\n{self.ledger.runs()}") from None

    def once(self, *verb):
        """Runs one of the verbs that end by themselves."""
        return subprocess.run(self.command(*verb), capture_output=True, text=True, timeout=60, env=self.env)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, timeout=10):
        return end(self.process, timeout)

    def kill(self):
        self.process.kill()
        self.process.wait()


ORDERS = ("run", "pause", "resume", "reload", "hold", "release", "adopt")


def ctl(daemon, verb, *arguments):
    """Runs ddbackupctl on a daemon's state and, for the verbs that read it, its configuration."""
    command = [str(BUILD / "ddbackupctl"), verb, *arguments, "--state-directory", str(daemon.state)]
    if verb in ("status", "check", "plan"):
        command += ["--config", str(daemon.config)]
    if verb in ORDERS or verb in ("status", "check"):
        command += ["--runtime-directory", str(daemon.runtime)]
    env = environment(daemon.directory / "home")
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
