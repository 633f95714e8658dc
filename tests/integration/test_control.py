"""The control socket: a Varlink client that knows nothing of us, and our own."""

import asyncio
import contextlib
import itertools
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import tempfile
import time
import traceback

import pytest
import varlink

from harness import TOP, backup, conf, export, select, wait_until

CONTROL = "io.ddbackupd.Control"


class Socket:
    """The daemon's control socket."""

    def __init__(self, daemon):
        self.path = str(daemon.runtime / "control")

    def client(self):
        return varlink.Client(address=f"unix:{self.path}")

    def connect(self):
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(20)
        plain.connect(self.path)
        return plain

    def call(self, method, parameters=None, **more):
        """The answers to one call, each as it came."""
        with self.connect() as plain:
            plain.sendall(json.dumps({"method": method, "parameters": parameters or {}, **more}).encode() + b"\0")
            answers = [answer for answer in receive(plain)]
        return answers

    def state(self):
        return self.call(f"{CONTROL}.GetState")[0]["parameters"]["state"]


def receive(plain):
    """Answers up to the last."""
    rest = b""
    while True:
        piece = plain.recv(65536)
        assert piece, f"it hung up after {rest!r}"
        rest += piece
        while b"\0" in rest:
            message, rest = rest.split(b"\0", 1)
            answer = json.loads(message)
            yield answer
            if not answer.get("continues"):
                return


def started(emulator, daemon, *tables, schedules=None, more="", runtime=None):
    """A daemon that trusts its clock; its schedules are far away."""
    service = emulator(*tables)
    schedules = schedules or backup("nightly", "2100-01-01") + export("weekly", "2100-01-01")
    own = daemon(conf(service, schedules, select("*", *re.findall(r"(\w+) = { action", schedules)), more), start=False)
    own.runtime = runtime or own.runtime
    own.start()
    own.wait_line(r"enrolled in schedule")
    return service, own


def test_a_generic_client(emulator, daemon):
    """It learns the interface from the daemon, runs a schedule, and follows it to its end."""
    service, own = started(emulator, daemon, "orders:pitr", "users:pitr")
    client = Socket(own).client()
    info = client.get_interfaces()
    assert CONTROL in info
    with client.open(CONTROL, namespaced=True) as calls:
        assert calls.GetState().state.deployment == "acme"
        answer = calls.Run("nightly", "orders")
        assert (answer.message, len(answer.runs)) == ("1 run begun", 1)
        answers = list(calls.Run("weekly", None, None, _more=True))
        assert len(answers[0].runs) == 2
        last = answers[-1].progress
        assert (last.runs, last.settled, last.succeeded) == (2, 2, 2)
        with pytest.raises(varlink.VarlinkError) as error:
            calls.Run("nothing")
        assert error.value.error() == f"{CONTROL}.NotFound"
    assert len(service.state()["exports"]) == 2
    assert [run["schedule"] for run in own.wait_runs(3)] == ["nightly", "weekly", "weekly"]


def test_the_interface_is_the_file(emulator, daemon):
    _, own = started(emulator, daemon, "orders:pitr")
    answer = Socket(own).call("org.varlink.service.GetInterfaceDescription", {"interface": CONTROL})[0]
    assert answer["parameters"]["description"] == (TOP / "varlink" / f"{CONTROL}.varlink").read_text()


def test_run_and_wait(emulator, daemon, ctl):
    service, own = started(emulator, daemon, "orders:pitr", "users:pitr")
    done = ctl(own, "run", "nightly", "--wait", "--why", "before the migration")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 of 2 succeeded"), done.stderr
    assert "2 of 2 settled, 2 succeeded" in done.stderr
    assert len(service.state()["backups"]) == 2
    assert own.ledger.notes(1)[0] == "ordered"
    assert "by root: before the migration" in ctl(own, "show", "1").stdout
    service.faults("CreateBackup times=forever error ValidationException")
    done = ctl(own, "run", "nightly", "orders", "--wait")
    assert done.returncode == 1 and "0 of 1 succeeded" in done.stdout and "failed" in done.stderr
    orders = own.ledger.query("SELECT kind, object, name, who, why FROM orders ORDER BY id")
    assert [tuple(order.values()) for order in orders] == [
        ("run", "nightly", None, "root", "before the migration"),
        ("run", "nightly", "orders", "root", None),
    ]


def test_errors_say_what_to_do(emulator, daemon, ctl):
    _, own = started(emulator, daemon, "orders:pitr")
    done = ctl(own, "run", "nigthly")
    assert (done.returncode, done.stderr) == (1, "ddbackupctl: nigthly: no such schedule; HINT: did you mean nightly?\n")
    done = ctl(own, "run", "nightly", "order")
    assert done.returncode == 1 and "schedule nightly has no such table; HINT:" in done.stderr
    assert ctl(own, "pause").returncode == 2
    assert ctl(own, "pause", "--for", "40d").returncode == 1
    own.stop()
    done = ctl(own, "run", "nightly")
    assert done.returncode == 1 and "control: no daemon listens there; HINT:" in done.stderr
    own.start()
    own.process.kill()
    own.process.wait()
    done = ctl(own, "run", "nightly")
    assert done.returncode == 1 and "no daemon listens there any more; HINT:" in done.stderr
    own.start()  # over the socket that was left
    wait_until(lambda: ctl(own, "run", "nightly").returncode == 0, what="an order")


def test_a_pause_outlives_a_restart(emulator, daemon, ctl):
    service, own = started(emulator, daemon, "orders:pitr", schedules=backup("often", "*:*:0/2", 'catch_up = "last";'))
    own.wait_runs(1)
    assert ctl(own, "pause", "--for", "1h", "--why", "maintenance").returncode == 0
    own.stop()
    own.start()
    n_made = len(service.calls("CreateBackup"))
    assert "it is paused; HINT" in ctl(own, "run", "often").stderr
    own.wait_line(r"paused by root until .*: maintenance: nothing new starts")
    check = ctl(own, "check")
    assert "paused" in check.stdout and "by root since" in check.stdout and "maintenance" in check.stdout
    assert json.loads(ctl(own, "status", "--json").stdout)["paused_until"]
    time.sleep(2.5)
    assert len(service.calls("CreateBackup")) == n_made
    assert ctl(own, "resume").stdout == "resumed\n"
    wait_until(lambda: len(service.calls("CreateBackup")) > n_made, what="a backup")
    assert "paused" not in ctl(own, "check").stdout


def test_a_pause_ends_by_itself(emulator, daemon, ctl):
    service, own = started(emulator, daemon, "orders:pitr", schedules=backup("often", "*:*:0/1"))
    assert ctl(own, "pause", "--for", "2s").returncode == 0
    own.wait_line(r"the pause is over$")
    n_made = len(service.calls("CreateBackup"))
    wait_until(lambda: len(service.calls("CreateBackup")) > n_made, what="a backup")


def test_reload(emulator, daemon, ctl):
    _, own = started(emulator, daemon, "orders:pitr")
    text = own.config.read_text()
    own.configure(text.replace("nightly", "daily"))
    assert ctl(own, "reload").stdout == "configuration reloaded\n"
    assert ctl(own, "run", "daily").returncode == 0
    own.configure(text.replace("deployment", "deploiment"))
    done = ctl(own, "reload")
    assert done.returncode == 1 and "deploiment" in done.stderr


def test_adopt(emulator, daemon, ctl):
    """A backup of ours that a lost ledger knew."""
    _, own = started(emulator, daemon, "orders:pitr")
    assert ctl(own, "run", "nightly", "--wait").returncode == 0
    arn = own.wait_runs(1)[0]["arn"]
    own.stop()
    for file in own.state.glob("ledger.db*"):
        file.unlink()
    own.start()
    own.wait_line(r"enrolled in schedule nightly")
    wait_until(lambda: ctl(own, "run", "nightly", "--wait").returncode == 0, what="another")
    assert "HINT: 'ddbackupctl list' shows what it has" in ctl(own, "hold", arn).stderr
    assert ctl(own, "adopt", arn).returncode == 0
    wait_until(lambda: arn in [run["arn"] for run in own.ledger.runs()], what="the run")
    assert ctl(own, "hold", arn).returncode == 0


def as_user(call, uid, groups=()):
    """What call() returns in a child process of that user."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(list(groups))
            os.setresgid(65534, 65534, 65534)
            os.setresuid(uid, uid, uid)
            os.write(write, json.dumps(call()).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        return json.loads(answer.read())


@pytest.fixture
def shm():
    """A directory in memory, where there is one: a commit takes no time there."""
    directory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = tempfile.mkdtemp(prefix="ddbackupd-", dir=directory)
    yield pathlib.Path(made)
    shutil.rmtree(made)


@pytest.fixture
def public():
    """A directory that every user can get to."""
    with tempfile.TemporaryDirectory(prefix="ddbackupd-", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        yield pathlib.Path(directory) / "run"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
def test_who_may_do_what(emulator, daemon, public, ctl):
    _, own = started(emulator, daemon, "orders:pitr", more='control_group = "12345";', runtime=public)
    sock = Socket(own)

    def state():
        return sock.call(f"{CONTROL}.GetState")[0]

    def resume():
        return sock.call(f"{CONTROL}.Resume")[0]

    refused = f"{CONTROL}.NotAllowed"
    assert as_user(state, 4711)["error"] == refused  # a stranger
    assert "state" in as_user(state, 4711, [os.getegid()])["parameters"]  # of the service's group
    assert as_user(resume, 4711, [os.getegid()])["error"] == refused
    assert as_user(resume, 4711, [12345])["parameters"]["message"] == "it is not paused"
    own.configure(own.config.read_text().replace("12345", "12346"))
    assert ctl(own, "reload").returncode == 0
    assert as_user(resume, 4711, [12345])["error"] == refused
    own.configure(own.config.read_text().replace("12346", "no-such-group"))
    assert ctl(own, "reload").returncode == 0
    own.wait_line(r'control_group: there is no group "no-such-group" here.*HINT: groupadd no-such-group')


def test_a_second_daemon_goes_without(emulator, daemon, ctl):
    """The socket of a running daemon is not taken away from it."""
    _, own = started(emulator, daemon, "orders:pitr")
    second = daemon(own.config.read_text(), options=["--runtime-directory", str(own.runtime)])
    second.wait_line(r"control: another daemon listens there.*HINT: --runtime-directory")
    second.stop()
    assert ctl(own, "run", "nightly", "--wait").returncode == 0


def test_a_long_path(emulator, daemon, tmp_path, ctl):
    """An address has room for 107 bytes."""
    _, own = started(emulator, daemon, "orders:pitr", runtime=tmp_path / ("r" * 150))
    assert ctl(own, "run", "nightly").stdout == "1 run begun\n"


def test_no_directory_for_it(emulator, daemon, tmp_path):
    _, own = started(emulator, daemon, "orders:pitr")
    second = daemon(own.config.read_text(), options=["--runtime-directory", str(tmp_path / "none/run")])
    second.wait_line(r"/none/run/control: No such file or directory, so that no orders can be given; HINT:")


# --- clients that are slow, broken or mean ---

DESCRIBE = json.dumps(
    {"method": "org.varlink.service.GetInterfaceDescription", "parameters": {"interface": CONTROL}}
).encode()
INFO = b'{"method":"org.varlink.service.GetInfo"}\0'


async def never_reads(path, end):
    """Calls and calls, and takes no answer."""
    while time.monotonic() < end:
        reader, writer = await asyncio.open_unix_connection(path, limit=1)
        reader._transport.pause_reading()
        while time.monotonic() < end:
            writer.write((DESCRIBE + b"\0") * 50)
            await asyncio.wait_for(writer.drain(), max(0.1, end - time.monotonic()))


async def half_a_message(path, end):
    _, writer = await asyncio.open_unix_connection(path)
    for byte in DESCRIBE[:-1]:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.05)
        if time.monotonic() > end:
            break


async def too_much(path, end):
    """100 MB without an end, as far as it is taken."""
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(b'{"method":"')
    for _ in range(1600):
        writer.write(b"a" * 65536)
        await writer.drain()
    raise AssertionError("all of it was taken")


async def wrong_types(path, end):
    for n in itertools.count():
        if time.monotonic() > end:
            break
        reader, writer = await asyncio.open_unix_connection(path)
        bad = [b'{"method":5}\0', b"[]\0", b"\0\0\0", b"\xff\xfe\0", b'{"method":"a.b","parameters":[]}\0', b"{" * 9999 + b"\0"]
        writer.write(bad[n % len(bad)])
        await reader.read()
        writer.close()


async def closes_mid_stream(path, end):
    call = json.dumps({"method": f"{CONTROL}.Run", "parameters": {"schedule": "often"}, "more": True}).encode() + b"\0"
    for n in itertools.count():
        if time.monotonic() > end:
            break
        _, writer = await asyncio.open_unix_connection(path)
        writer.write([call, DESCRIBE + b"\0", call[:20]][n % 3])
        await asyncio.sleep(0.02)
        writer.transport.abort()


async def honest(path, end):
    """How often it was answered. Where it is not let in at once it tries again, as ddbackupctl does."""
    n = 0
    while time.monotonic() < end or n == 0:
        try:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(INFO)
            answer = await asyncio.wait_for(reader.readuntil(b"\0"), 20)
            assert b'"product":"ddbackupd"' in answer
            n += 1
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(0.2)
    return n


HOSTILE = (never_reads, half_a_message, too_much, wrong_types, closes_mid_stream)


async def crowd(path, seconds):
    """250 hostile clients and 250 honest ones; what the honest ones counted."""

    async def hostile(kind, end):
        with contextlib.suppress(OSError, asyncio.TimeoutError):  # it was thrown out
            await kind(path, end)

    end = time.monotonic() + seconds
    bad = [asyncio.create_task(hostile(HOSTILE[n % len(HOSTILE)], end)) for n in range(250)]
    counts = await asyncio.gather(*(honest(path, end) for _ in range(250)))
    for task in bad:
        task.cancel()
    for outcome in await asyncio.gather(*bad, return_exceptions=True):
        if isinstance(outcome, AssertionError):
            raise outcome
    return counts


def crowd_apart(path, seconds):
    """The same in a process of its own, that leaves the processor to the daemon."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.nice(15)
            resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            os.write(write, json.dumps(asyncio.run(crowd(path, seconds))).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(write)
    return child, read


def peak_memory(daemon):
    """In KiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()).group(1))


def test_idle_clients_make_room(emulator, daemon):
    """More than there may be (256) come and say nothing: who comes after them is answered."""
    own = daemon(conf(emulator("orders"), backup("nightly", "2100-01-01"), select("orders", "nightly")))
    with contextlib.ExitStack() as idle:
        for _ in range(300):
            client = idle.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(own.runtime / "control"))
        for _ in range(3):
            assert "late_usec" in Socket(own).state()


def test_hostile_clients(shm, emulator, daemon, ctl):
    """They cost the engine nothing: its turns come in time, and its memory stays what it was."""
    service = emulator("orders", "users", backup_time="100ms")
    schedules = backup("often", "*:*:0/1") + backup("nightly", "2100-01-01")
    own = daemon(conf(service, schedules, select("*", "often", "nightly")), directory=shm)
    own.wait_runs(2)
    before = peak_memory(own)
    late = []
    for _ in range(3):  # what else runs on this machine may delay a turn, too
        Socket(own).state()
        child, read = crowd_apart(str(own.runtime / "control"), 4)
        done = ctl(own, "run", "nightly", "--wait")  # in the midst of it
        with os.fdopen(read) as answer:
            counts = json.loads(answer.read())
        os.waitpid(child, 0)
        state = Socket(own).state()
        assert (done.returncode, done.stdout) == (0, "2 of 2 succeeded\n"), done.stderr
        assert done.stderr.startswith("2 runs begun\n")
        assert min(counts) > 0, counts
        late.append(state["late_usec"])
        if late[-1] < 50000:
            break
    assert late[-1] < 50000, late
    assert peak_memory(own) - before < 16384
    assert len(own.wait_runs(8, schedule="often")) >= 8
