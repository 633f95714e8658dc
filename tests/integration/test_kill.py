"""ddbackupd gets SIGKILL at named points of a backup's and an export's life, is started again, and is judged by what
the emulator holds then: one backup, one usable export per slot, and a ledger that says succeeded.

kill_shim.c, preloaded into the daemon, knows the points and shifts its clock: each life begins a little before the same
slot. When a CreateBackup never left although the ledger says that it may have, the daemon looks for the backup and asks
again only once nobody can have it any more, 20 minutes later. That is judged in two parts: nothing is asked again and
the run is uncertain; then the daemon is started with both clocks 21 minutes on."""

import collections
import concurrent.futures
import dataclasses
import datetime
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from harness import TOP, Daemon, Emulator, Ledger, backup, conf, ctl, export, select, soon, wait_until

SLOT = "2030-01-01 00:00:00"
SLOT_WALL = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
LOOK_AGAIN = 21 * 60  # more than the life of a signature and limits.listing_lag
ASKS = {"backup": "CreateBackup", "export": "ExportTableToPointInTime"}
POLLS = {"backup": ["DescribeBackup 1", "DescribeBackup 2"], "export": ["DescribeExport 1"]}


def around(*events):
    return [f"{when} {event}" for event in events for when in ("before", "after")]


def of_call(call, *writes):
    """A call, and the commit that its reply leads to, if any."""
    commit = around(f"sync 1 since receive {call}") if writes else []
    return [
        *around(f"send {call}", f"receive {call}"),
        *[f"before write {n} since receive {call}" for n in writes],
        *commit,
    ]


def life(action):
    """The points around the slot. The table is described ahead of it, so that the commit after that is the intent's; that
    the request was accepted is in the ledger before the next one leaves; a backup that is still CREATING is no news."""
    first = of_call("ListTables 1")
    asked = of_call("DescribeTable 1", 1, 6) + of_call(f"{ASKS[action]} 1", 1, 8)
    *waiting, last = POLLS[action]
    polled = [point for poll in waiting for point in of_call(poll)] + of_call(last, 2)
    end = around(f"sync 2 since receive {POLLS[action][-1]}")  # the ledger is closed
    return first + asked + polled + end


# A ledger is made: its first pages, its change to WAL, its tables, the first enrolment.
START = [
    *around("write 1 since start", "sync 1 since start", "sync 4 since start"),
    *["before write 7 since start", "before write 20 since start", "before write 30 since start"],
    *around("sync 5 since start", "sync 7 since start", "sync 8 since start"),
]
POINTS = [("backup", point) for point in START + life("backup")] + [("export", point) for point in life("export")]


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("shim") / "kill_shim.so"
    source = TOP / "tests" / "integration" / "kill_shim.c"
    flags = ["-std=gnu11", "-O1", "-D_GNU_SOURCE", "-Wall", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(source), "-o", str(library)], check=True)
    return library


class House:
    """An emulator and a daemon whose clocks both say `lead` seconds before the slot when the daemon starts."""

    def __init__(self, directory, shim, schedules, tables, lead=0.7, entries=None, **emulator):
        self.offset = SLOT_WALL - 60 - time.time()
        options = [f"--clock-offset={self.offset:.6f}s"]
        self.emulator = Emulator(directory / "emulator", tables, options=options, **emulator)
        text = conf(self.emulator, schedules, entries or select([t.partition(":")[0] for t in tables], "rule"))
        self.daemon = Daemon(directory / "daemon", text, env={"LD_PRELOAD": str(shim)})
        self.trace = directory / "trace"
        self.advance(SLOT_WALL - lead - time.time() - self.offset)

    def advance(self, seconds):
        """Moves the emulator's clock at once, the daemon's with its next start."""
        self.emulator.control("clock", f"{seconds:.6f}s")
        self.offset += seconds

    def start(self, kill="", fail="", wait=True):
        offset = str(round(self.offset * 1e6))
        self.daemon.env |= {"DDB_CLOCK_USEC": offset, "DDB_TRACE": str(self.trace), "DDB_KILL": kill, "DDB_FAIL": fail}
        self.daemon.start(wait)

    def end(self):
        for process in (self.daemon.process, self.emulator.process):
            if process:
                process.kill()
                process.wait()

    def run(self):
        """The run of the slot, or None."""
        try:
            runs = self.daemon.ledger.runs()
        except sqlite3.OperationalError:
            return None  # half made; nobody but the daemon may read it yet
        assert len(runs) <= 1, runs
        return runs[0] if runs else None

    def settled(self):
        run = self.run()
        return run and run["settled"] is not None and run

    def effects(self, op):
        return sum(call["effect"] for call in self.emulator.calls(op))


def make_house(directory, shim, action, lead):
    rule = backup("rule", SLOT) if action == "backup" else export("rule", SLOT, more='pitr = "ignore";')
    return House(directory, shim, rule, ["orders:pitr:items=3"], lead, backup_time="750ms", export_time="500ms")


def live(house):
    """From the start to the stop, or to the point at which it is killed."""
    process = house.daemon.process

    def over():
        return process.poll() is not None or house.settled()

    wait_until(over, 25, "a settled run or the kill")
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    return process.wait(10)


@dataclasses.dataclass
class Death:
    """What the ledger and the emulator said when the daemon was dead."""

    state: str
    made: int
    then: str = ""


def examine(house, action):
    time.sleep(0.1)  # the emulator may yet serve what was sent last
    run = house.run()
    return Death(run["state"] if run else "none", house.effects(ASKS[action]))


def look_in_vain(house, death):
    """Part one: the daemon looks, finds nothing and asks for nothing. True when the backup appeared after all, because
    the emulator had not got round to the request when the daemon was dead."""

    def looked():
        return house.settled() or any(call["status"] == 200 for call in house.emulator.calls("ListBackups"))

    wait_until(looked, what="a look for the backup")
    time.sleep(0.3)
    if house.emulator.state()["backups"]:
        return True
    assert house.run()["state"] == "uncertain"
    assert "uncertain" in ctl(house.daemon, "list").stdout
    assert house.effects("CreateBackup") == 0 and death.made == 0
    assert house.daemon.stop() == 0
    return False


def judge(house, action, death):
    """One artefact, which is the ledger's, and nothing else was made."""
    run = house.settled()
    assert run and run["state"] == "succeeded", run
    artefacts = house.emulator.state()[f"{action}s"]
    assert [a["arn"] for a in artefacts] == [run["arn"]]
    assert artefacts[0]["status"] == {"backup": "AVAILABLE", "export": "COMPLETED"}[action]
    assert house.effects(ASKS[action]) == 1, house.emulator.calls()
    notes = house.daemon.ledger.notes(run["id"])
    if death.state == "requested":
        after = {"asked again": "absent", "adopted": "adopted", "repeated": "accepted"}[death.then]
        assert after in notes[notes.index("interrupted") :], notes


def go_on(house, action, death):
    """Starts it again and follows the run to its end."""
    house.start()
    death.then = "went on"
    if death.state == "requested":
        death.then = "adopted" if action == "backup" else "repeated"
        if action == "backup" and not death.made and not look_in_vain(house, death):
            death.then = "asked again"
            house.advance(LOOK_AGAIN)
            house.start()
    wait_until(house.settled, 20, f"a settled run; {death}\n{house.daemon.text()}")
    judge(house, action, death)
    assert house.daemon.stop() == 0


def die_and_go_on(directory, shim, action, point, attempts=3):
    """One point. When a poll comes late on a busy machine, there may be one less in the life: then once more."""
    # a slot before the first sight of the table would rightly never run: time for a second start before it
    lead = 3 if point.endswith("start") or "ListTables" in point else 0.7
    house = make_house(directory / str(attempts), shim, action, lead)
    try:
        house.start(point, wait=False)
        if live(house) == -signal.SIGKILL:
            death = examine(house, action)
            go_on(house, action, death)
            return death
    finally:
        house.end()
    assert attempts > 1, f"'{point}' was not reached:\n{house.trace.read_text()}"
    return die_and_go_on(directory, shim, action, point, attempts - 1)


class Summary:
    """A plugin that says what became of the points."""

    def __init__(self, deaths):
        self.deaths = deaths

    def pytest_terminal_summary(self, terminalreporter):
        done = [(point, d.result()) for point, d in self.deaths.items() if d.done() and not d.exception()]
        terminalreporter.write_sep("-", "kills")
        alike = collections.defaultdict(list)
        for (action, point), death in done:
            alike[f"{action}: ledger {death.state}, {death.made} made; {death.then}; artefacts = 1"].append(point)
        for said, points in alike.items():
            terminalreporter.write_line(f"{said}:")
            for point in points:
                terminalreporter.write_line(f"    {point}")
        thens = collections.Counter(death.then for _, death in done)
        told = ", ".join(f"{n} {then}" for then, n in thens.items())
        terminalreporter.write_line(f"{len(done)} of {len(self.deaths)} points with artefacts per slot = 1: {told}")


@pytest.fixture(scope="module")
def walk(request, shim, tmp_path_factory):
    """The points that were selected, many at once: most of a life is waiting."""
    directory = tmp_path_factory.mktemp("kills")
    chosen = [item.callspec.params["point"] for item in request.session.items if "walk" in item.fixturenames]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        deaths = {p: pool.submit(die_and_go_on, directory / str(n), shim, *p) for n, p in enumerate(chosen)}
        request.config.pluginmanager.register(Summary(deaths))
        yield deaths
        for death in deaths.values():
            death.cancel()


@pytest.mark.parametrize("point", POINTS, ids=[f"{action}: {point}" for action, point in POINTS])
def test_killed_at(walk, point):
    walk[point].result()


@pytest.mark.parametrize("action", ["backup", "export"])
def test_the_points_are_all_of_a_life(tmp_path, shim, action):
    """Whoever adds a call or a commit adds its points."""
    house = make_house(tmp_path, shim, action, 0.7)
    try:
        house.start()
        assert live(house) == 0
    finally:
        house.end()
    passed = house.trace.read_text().splitlines()
    told = set(START + life(action))
    assert told <= set(passed)
    closing = {f"sync {n} since receive {POLLS[action][-1]}" for n in (2, 3)}
    rest = [p for p in passed if " write " not in p and not p.endswith("start") and p.split(" ", 1)[1] not in closing]
    assert set(rest) <= told


# --- a disk that fails ---


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("write 1 since receive DescribeTable 1", 0),
        ("sync 1 since receive DescribeTable 1", 0),
        ("write 1 since receive CreateBackup 1", 1),
        ("sync 1 since receive CreateBackup 1", 1),
        ("write 1 since receive DescribeBackup 2", 1),
    ],
)
def test_a_failing_disk_ends_it_and_nothing_unsaved_is_sent(tmp_path, shim, fault, made):
    house = make_house(tmp_path, shim, "backup", 3 if "ListTables" in fault else 0.7)
    try:
        house.start(fail=fault)
        assert live(house) == 70
        cause = "database or disk is full" if fault.startswith("write") else "disk I/O error"
        lines = house.daemon.lines(f"the ledger could not be written: {cause}.*; HINT: ")
        assert len(lines) == 1, house.daemon.text()
        death = examine(house, "backup")
        assert death.made == made
        go_on(house, "backup", death)
    finally:
        house.end()


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs in a mount namespace of its own: how to enter it, and its directory as seen from outside."""
    directory = tmp_path / "disk"
    directory.mkdir()
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        pytest.skip("no unshare or no nsenter")
    script = 'mount -t tmpfs -o size=1m tmpfs "$0" && echo mounted && exec sleep 600'
    command = ["unshare", "--mount", "sh", "-c", script, str(directory)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        said = holder.stdout.readline()
        if said != "mounted\n":
            pytest.skip(f"no mount namespace: {said.strip()}")
        yield ["nsenter", f"--target={holder.pid}", "--mount"], pathlib.Path(f"/proc/{holder.pid}/root{directory}")
    finally:
        holder.kill()
        holder.wait()


def test_a_full_and_a_read_only_disk(tmp_path, emulator, daemon, small_disk):
    enter, disk = small_disk
    e = emulator("orders", backup_time="100ms")
    e.faults("CreateBackup delay 1s")
    when, _ = soon(2)
    config = conf(e, backup("nightly", when), select("orders", "nightly"))
    d = daemon(config, start=False, enter=enter)
    d.state = tmp_path / "disk"
    d.start()

    wait_until(lambda: e.calls("CreateBackup"), what="a request for a backup")
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as out:
        while True:
            out.write(bytes(4096))
    assert d.process.wait(10) == 70
    assert d.lines("the ledger could not be written: .* is full; HINT: make room")
    d.start(wait=False)
    assert d.process.wait(10) in (1, 70), "it cannot be opened, or it cannot be written"
    assert d.lines("; HINT: make room on the file system of the state directory"), d.text()
    filler.unlink()

    subprocess.run([*enter, "mount", "-o", "remount,ro", str(tmp_path / "disk")], check=True)
    d.start(wait=False)
    assert d.process.wait(10) == 1
    assert d.lines("Read-only file system; HINT: the state directory must exist and be writable"), d.text()
    subprocess.run([*enter, "mount", "-o", "remount,rw", str(tmp_path / "disk")], check=True)

    d.start()
    d.wait_line(" is AVAILABLE: ")
    assert d.stop() == 0
    ledger = Ledger(shutil.copytree(disk, tmp_path / "copy"))
    (run,) = ledger.runs()
    assert run["state"] == "succeeded" and "adopted" in ledger.notes(run["id"])
    assert [b["arn"] for b in e.state()["backups"]] == [run["arn"]]


# --- at any time ---


def judge_all(house, n_slots, period):
    """Each slot of each table has a run or lies in a recorded range; each run that succeeded has one backup, and no
    other backup exists."""
    ledger, backups = house.daemon.ledger, house.emulator.state()["backups"]
    runs = ledger.runs()
    names = collections.Counter((b["table"], b["name"]) for b in backups)
    assert max(names.values()) == 1, [key for key, n in names.items() if n > 1]
    assert {run["state"] for run in runs} <= {"succeeded", "skipped"}, runs
    made = {(run["name"], run["handle"]) for run in runs if run["state"] == "succeeded"}
    assert made == set(names)
    slots = collections.Counter((run["name"], run["slot"]) for run in runs)
    for r in ledger.query("SELECT name, from_slot, to_slot FROM ranges"):
        slots.update((r["name"], at) for at in range(r["from_slot"], r["to_slot"] + 1, period * 10**6))
    first = round(SLOT_WALL * 10**6)
    tables = {table["name"] for table in house.emulator.state()["tables"]}
    due = {(table, first + i * period * 10**6) for table in tables for i in range(n_slots)}
    assert set(slots) == due and max(slots.values()) == 1
    return len(runs), len(backups)


def kill_at_random(house, n_kills, period, rng):
    """Half of the kills at any time, half of them just after a slot."""
    for _ in range(n_kills):
        house.start(wait=False)
        at = rng.uniform(0.1, 0.9)
        if rng.random() < 0.5:
            at = period - (time.time() + house.offset - SLOT_WALL) % period + rng.uniform(0, 0.1)
        time.sleep(at)
        assert house.daemon.process.poll() is None, house.daemon.text()
        house.daemon.kill()


def test_killed_at_random_under_load(tmp_path, shim):
    """Backups of many tables every 2 seconds, and a kill every second or so. DDB_SEED replays the kills, as far as a
    machine does the same twice; DDB_TABLES and DDB_KILLS do more of it."""
    seed = os.environ.get("DDB_SEED") or str(random.randrange(2**32))
    print(f"DDB_SEED={seed}")
    n_tables, n_kills = int(os.environ.get("DDB_TABLES", "12")), int(os.environ.get("DDB_KILLS", "10"))
    tables = [f"t{i:03}" for i in range(n_tables)]
    last = n_kills // 2 * 2
    rule = backup("rule", f"2030-01-01 00:00:0..{last}/2")
    house = House(tmp_path, shim, rule, tables, 2, select("t*", "rule"), backup_time="300ms", rates=False)
    try:
        # the request is under way for a while, and so is its reply: backups appear behind a dead daemon's back
        house.emulator.faults("CreateBackup times=forever late 200ms", "CreateBackup times=forever delay 100ms")
        house.start()
        house.daemon.wait_line(rf"{tables[-1]}: enrolled")
        house.daemon.kill()
        kill_at_random(house, n_kills, 2, random.Random(seed))
        house.start()

        def left(state=""):
            return house.daemon.ledger.query("SELECT id FROM runs WHERE settled IS NULL AND state <> ?", state)

        def over():
            return time.time() + house.offset > SLOT_WALL + last + 2 and not left("uncertain")

        wait_until(over, 60 + n_tables, "the end of what is not uncertain")
        assert house.daemon.stop() == 0
        house.advance(LOOK_AGAIN)
        house.start()
        wait_until(lambda: not left(), 60, "the end")
        n_runs, n_backups = judge_all(house, last // 2 + 1, 2)
        assert house.daemon.stop() == 0
        runs_with = "SELECT event, count(DISTINCT run_id) AS n FROM notes GROUP BY event"
        n_with = {row["event"]: row["n"] for row in house.daemon.ledger.query(runs_with)}
        told = ", ".join(f"{n_with.get(event, 0)} {event}" for event in ("interrupted", "adopted", "absent"))
        print(f"{n_kills} kills, {n_runs} runs, {told}, {n_backups} backups")
    finally:
        house.end()
