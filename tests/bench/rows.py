"""rows.py [ROW...]: the rows of tools/bench."""

import datetime
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import (  # noqa: E402
    BUILD,
    KEY_ID,
    REGION,
    SECRET,
    Daemon,
    Emulator,
    backup,
    conf,
    select,
    soon,
    wait_until,
)

N = int(os.environ.get("DDB_BENCH_TABLES", "200"))
BURST = int(os.environ.get("DDB_BENCH_BURST", "2500"))
SECONDS = int(os.environ.get("DDB_BENCH_SECONDS", "60"))
PROGRAMS = BUILD / "tests" / "bench"


def say(row, text):
    print(f"{row:<13} {text}", flush=True)


def cpu(command, directory):
    """User and system seconds of a command, and what it printed."""
    with (directory / "out").open("w+b") as out:
        pid = os.posix_spawn(
            command[0], command, {"PATH": os.environ["PATH"], "HOME": str(directory)},
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)],
        )  # fmt: skip
        _, status, usage = os.wait4(pid, 0)
        out.seek(0)
        assert status == 0, f"{command[0]} failed"
        return usage.ru_utime + usage.ru_stime, out.read().decode()


def cpu_of(pid):
    """Seconds that a live process of one thread has run, exactly; its user and system time are but sampled."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def seconds_until(slot):
    return (datetime.datetime.fromisoformat(slot) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def followed(daemon, n):
    """Waits until the daemon says that n backups are there, without asking its ledger."""
    wait_until(lambda: len(daemon.lines(" is AVAILABLE: ")) >= n, 120, f"{n} backups")


def backup_cpu(directory):
    prefix = "bench"
    tables = [f"{prefix}{i:03}" for i in range(N)]
    emulator = Emulator(directory / "emulator", tables, backup_time="0s", rates=False)
    arguments = [emulator.url, REGION, KEY_ID, SECRET, prefix, str(N)]
    try:
        when, slot = soon(4 + N // 5)  # time to describe the tables ahead
        text = conf(emulator, backup("nightly", when), select(f"{prefix}*", "nightly"))
        daemon = Daemon(directory / "daemon", text)
        begun = time.monotonic()
        daemon.start()
        started = cpu_of(daemon.process.pid)
        time.sleep(seconds_until(slot) - 0.5)
        described = cpu_of(daemon.process.pid)
        followed(daemon, N)
        took = time.monotonic() - begun
        total = cpu_of(daemon.process.pid)
        ours = total / N
        assert daemon.stop() == 0
        boto3 = float(cpu([sys.executable, str(HERE / "boto3_loop.py"), *arguments], directory)[1]) / N
        curl = cpu([str(PROGRAMS / "curl_multi"), *arguments], directory)[0] / N
    finally:
        emulator.process.kill()
        emulator.process.wait()
    split = f"to look at each table ahead {(described - started) / N * 1e3:.2f}, to back it up {(total - described) / N * 1e3:.2f}"
    say("backup-cpu", f"{N} tables in {took:.0f} s: ddbackupd {ours * 1e3:.2f} ms a backup ({split}; its start {started * 1e3:.0f})")
    say("backup-cpu", f"  boto3 loop {boto3 * 1e3:.2f} ms: ddbackupd takes 1/{boto3 / ours:.1f} of it (aim: 1/15)")
    say("backup-cpu", f"  bare curl multi {curl * 1e3:.2f} ms: ddbackupd takes {ours / curl:.2f} x (aim: 1.5)")


def burst_of(directory, what, options):
    """BURST tables due at one instant, at the service's rates; the figures are those of the emulator's log."""
    tables = [f"burst{i:04}" for i in range(BURST)]
    emulator = Emulator(directory / "emulator", tables, backup_time="1s", options=options)
    when, slot = soon(30 + BURST // 5 * 6 // 5)
    text = conf(emulator, backup("nightly", when), select("burst*", "nightly"))
    daemon = Daemon(directory / "daemon", text)
    try:
        daemon.start()
        time.sleep(seconds_until(slot))
        wait_until(lambda: len(daemon.lines(" is AVAILABLE: ")) >= BURST, BURST / 5 + 120, f"{BURST} backups")
        calls = emulator.calls()
    finally:
        for process in (daemon.process, emulator.process):
            process.kill()
            process.wait()
    sent = sorted(datetime.datetime.fromisoformat(call["wall"]) for call in calls if call["op"] == "CreateBackup")
    assert len(sent) == BURST, f"{len(sent)} CreateBackup"
    took, floor = (sent[-1] - sent[0]).total_seconds(), (BURST - 1) / 50
    begun = sent[0] - datetime.datetime.fromisoformat(slot)
    throttled = sum(call["code"] == "ThrottlingException" for call in calls)
    follow = sum(call["op"] in ("ListBackups", "DescribeBackup") for call in calls)
    pages = -(-BURST // 100)
    say("burst", f"{BURST} tables due at once{what}: the first CreateBackup {begun.total_seconds() * 1e3:.0f} ms after the slot")
    say("burst", f"  the last {took:.2f} s later: {took / floor:.3f} of the floor (aim: 1.02); {throttled} throttled (aim: 0)")
    say("burst", f"  {follow} calls to follow them: {follow / pages:.2f} x the {pages} pages of a round (aim: 2)")


def burst(directory):
    burst_of(directory / "own", "", [])
    burst_of(directory / "foreign", ", among 100,000 foreign backups", ["--foreign-backups", "100000"])


def idle_daemon(directory):
    """A daemon that has made a backup of each of three tables and waits for next year."""
    emulator = Emulator(directory / "emulator", ["orders", "users", "sessions"], backup_time="0s")
    when, _ = soon(2)
    schedules = backup("once", when) + backup("yearly", "yearly")
    text = conf(emulator, schedules, select(["orders", "users", "sessions"], "once", "yearly"))
    daemon = Daemon(directory / "daemon", text)
    daemon.start()
    followed(daemon, 3)
    return emulator, daemon


def pss(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError("no Pss")


def idle_memory(directory):
    emulator, daemon = idle_daemon(directory)
    bare = subprocess.Popen([str(PROGRAMS / "sd_event_idle")], stdout=subprocess.PIPE, text=True)
    try:
        assert bare.stdout.readline() == "ready\n"
        time.sleep(2)
        ours, theirs = pss(daemon.process.pid), pss(bare.pid)
    finally:
        for process in (bare, daemon.process, emulator.process):
            process.kill()
            process.wait()
    say("idle-memory", f"ddbackupd {ours} kB PSS, bare sd-event process {theirs} kB: {ours / theirs:.2f} x (aim: 1.3)")


def idle_wakeups(directory):
    emulator, daemon = idle_daemon(directory)

    def switches():
        count = 0
        for status in pathlib.Path(f"/proc/{daemon.process.pid}/task").glob("*/status"):
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            count += int(fields["voluntary_ctxt_switches"])
        return count

    try:
        time.sleep(2)
        before = switches()
        time.sleep(SECONDS)
        n = switches() - before
    finally:
        for process in (daemon.process, emulator.process):
            process.kill()
            process.wait()
    say("idle-wakeups", f"{n} voluntary context switches in {SECONDS} s, with no watchdog and no slot (aim: none)")


def store(_):
    with tempfile.TemporaryDirectory(dir=PROGRAMS) as directory:  # on a disk, where /tmp may be none
        command = [PROGRAMS / "store_bench", directory, "1", "100", "2500"]
        out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in out.splitlines():
        n, per_run, fsyncs, turns, turn, rest, fsync = line.split()
        say("store", f"{n} due at once: {per_run} fsyncs a run ({fsyncs} in {turns} turns)")
        ratio = f"{float(turn) / float(fsync):.1f} x one fsync ({fsync} ms)"
        say("store", f"  longest turn {turn} ms: {ratio}; without its commit at most {rest} ms")


def timed(command, env, expect=0):
    """Seconds and peak memory in MB of a command, and what it printed."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        pid = os.posix_spawn(command[0], [str(word) for word in command], env, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
        out.seek(0)
        assert os.waitstatus_to_exitcode(status) == expect, f"{command} failed: {out.read()}"
        return time.monotonic() - begun, usage.ru_maxrss / 1024, out.read()


def verify(directory):
    """An export of 2 GB read by ddbackupctl verify, beside openssl and zcat over the same files."""
    env = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    server = subprocess.Popen([sys.executable, HERE / "export_server.py", directory], stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        (directory / "ddbackupd.conf").write_text(
            f'deployment = "acme"; aws = {{ region = "{REGION}"; endpoint_url = "{url}"; s3_endpoint_url = "{url}"; }};'
            'schedules = { full = { action = "export"; when = "02:00"; s3 = { bucket = "acme"; }; }; };'
            'tables = ( { match = "orders"; schedules = "full"; } );')  # fmt: skip
        table = f"arn:aws:dynamodb:{REGION}:123456789012:table/orders"
        ledger = (
            f"run\tid=1\ttable=orders\tschedule=full\tstate=succeeded\taction=export\tslot=2d\tsettled=1d\ttable_id=id-1\ttable_arn={table}\ts3_bucket=acme\n"
            f"artefact\tlife=verified\tarn={table}/export/01768385930622-efd1a093\tstatus=COMPLETED\ttable_id=id-1\tcreated=2d\tfinished=1d\tverified=1d\ncommit\n"
        )
        (directory / "state").mkdir()
        subprocess.run([BUILD / "tests/integration/store_tool", directory / "state"], input=ledger, text=True, check=True)
        files = sorted(directory.glob("object*"))
        size = sum(path.stat().st_size for path in files)
        command = [BUILD / "ddbackupctl", "verify", "1", "--level=content", f"--config={directory}/ddbackupd.conf", f"--state-directory={directory}/state"]
        reference = timed(["/bin/sh", "-c", 'for f; do openssl md5 "$f"; zcat "$f" | wc -l; done', "sh", *files], env)[0]
        seconds, peak, answer = timed(command, env)
        say("verify", answer.strip())
        say("verify", f"{size / 2**30:.2f} GB at content level: {peak:.1f} MB at its peak, {size / seconds / 2**20:.0f} MB a second")
        say("verify", f"  openssl md5 and zcat | wc -l, one after the other: {size / reference / 2**20:.0f} MB a second; ratio {reference / seconds:.2f}")
    finally:
        server.kill()
        server.wait()


def calendar(_):
    out = subprocess.run([PROGRAMS / "calendar_bench"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in out.splitlines():
        kind, *values = line.split("\t")
        if kind == "next":
            expression, zone, ours, theirs = values
            say("calendar", f"{expression} in {zone}: {ours} ns a next instant, {float(ours) / float(theirs):.2f} x mktime")
        else:
            n, plan, engine = values
            say("calendar", f"{n} enrolments planned from scratch: slots and shares {plan} ms, the whole engine {engine} ms")


ROWS = {"backup-cpu": backup_cpu, "burst": burst, "idle-memory": idle_memory, "idle-wakeups": idle_wakeups, "store": store, "verify": verify,
        "calendar": calendar}


def main(names):
    for name in names or ROWS:
        if name not in ROWS:
            sys.exit(f"tools/bench: no row '{name}'; HINT: {', '.join(ROWS)}")
    for name in names or ROWS:
        with tempfile.TemporaryDirectory() as directory:
            ROWS[name](pathlib.Path(directory))


main(sys.argv[1:])
