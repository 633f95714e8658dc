"""The daemon against a service that breaks off, garbles its replies, or answers somebody else, and against its own
death at the worst moment: no run is lost, settled wrongly, or asked for twice."""

import sqlite3

import pytest

import fake_dynamodb as fake_module
from fake_dynamodb import FakeDynamoDB, drop, drop_without_effect, hold, hold_without_effect, honest, reset
from harness import REGION, compact, soon, wait_until

ACTIONS = {"b": 'action = "backup";', "e": 'action = "export"; s3 = { bucket = "bucket-of-tests"; };'}


def config(fake, when, backups=(), exports=(), attempts=1):
    used = {name: tables for name, tables in (("b", backups), ("e", exports)) if tables}
    schedules = "".join(f'{name} = {{ when = "{when}"; {ACTIONS[name]} }}; ' for name in used)
    entries = ", ".join(
        "{ match = [%s]; schedules = \"%s\"; }" % (", ".join(f'"{table}"' for table in tables), name)
        for name, tables in used.items()
    )
    return f"""
deployment = "wire";
aws = {{
  region = "{REGION}"; endpoint_url = "{fake.url}";
  max_attempts = {attempts}; read_timeout = "3s"; discovery_interval = "1s";
}};
limits = {{ rate_share = 1.0; listing_lag = "0"; }};
schedules = {{ {schedules} }};
tables = ( {entries} );
"""


@pytest.fixture
def fake():
    started = []

    def make(*tables):
        started.append(FakeDynamoDB(tables))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def rewind(daemon, seconds):
    """The daemon is down: moves the ledger's instants of unsettled runs into the past."""
    assert daemon.process.poll() is not None
    db = sqlite3.connect(daemon.ledger.path)
    usec = int(seconds * 1e6)
    db.execute(
        "UPDATE runs SET intent = intent - ?, first_sent = first_sent - ?, sent = sent - ? WHERE settled IS NULL",
        (usec, usec, usec),
    )
    db.commit()
    db.close()


def run_of(daemon, table):
    (run,) = daemon.ledger.runs(name=table)
    return run


def wait_state(daemon, table, state):
    wait_until(lambda: [run["state"] for run in daemon.ledger.runs(name=table)] == [state], 30, f"{table} is {state}")


def check_settled_once(daemon, fake, table, n_asked=1):
    """The table's one run succeeded with the one artefact that the service has, after so many requests for it."""
    run = run_of(daemon, table)
    assert (run["state"], run["life"]) == ("succeeded", "verified"), (table, run, daemon.text())
    if run["action"] == "backup":
        (made,) = [b for b in fake.service.backups if b["TableName"] == table]
        assert (run["arn"], run["handle"]) == (made["BackupArn"], made["BackupName"])
        assert len(fake.of("CreateBackup", table)) == n_asked
    else:
        (made,) = [e for e in fake.service.exports.values() if e["TableArn"] == fake.service.arn(table)]
        assert run["arn"] == made["ExportArn"]
        tokens = {call.request["ClientToken"] for call in fake.of("ExportTableToPointInTime", table)}
        assert tokens == {run["handle"]}


# --- death between request and reply ---


def kill_when_asked(daemon, fake, op, tables):
    for table in tables:
        wait_until(lambda table=table: fake.of(op, table), 20, f"{op} of {table}")
    daemon.kill()


def test_killed_between_request_and_reply(daemon, fake):
    """What was asked for is adopted at the next start, and is not asked for again; an export's token is repeated."""
    service = fake("orders", "events")
    service.script("CreateBackup", "orders", hold)
    service.script("ExportTableToPointInTime", "events", hold)
    when, slot = soon()
    one = daemon(config(service, when, ["orders"], ["events"]))
    wait_until(lambda: service.of("ExportTableToPointInTime"), 20, "an export is asked for")
    kill_when_asked(one, service, "CreateBackup", ["orders"])
    run = run_of(one, "orders")
    assert (run["state"], run["settled"], run["arn"], run["n_sends"]) == ("requested", None, None, 1)
    assert run["handle"].startswith(f"wire.b.{compact(slot)}.")
    assert run_of(one, "events")["state"] == "requested"

    one.start()
    one.wait_runs(2, 10)
    check_settled_once(one, service, "orders")
    check_settled_once(one, service, "events")
    assert "interrupted" in one.ledger.notes(run["id"]) and "adopted" in one.ledger.notes(run["id"])
    assert run_of(one, "orders")["handle"] == run["handle"]


def test_killed_and_the_request_had_no_effect(daemon, fake):
    """Nothing is found: it is asked for again when the first request can no longer take effect, and not before."""
    service = fake("orders")
    service.script("CreateBackup", "orders", hold_without_effect)
    when, _ = soon()
    one = daemon(config(service, when, ["orders"]))
    kill_when_asked(one, service, "CreateBackup", ["orders"])
    one.start()
    wait_until(lambda: len(service.of("ListBackups")) >= 2, 20, "it looks twice")
    run = run_of(one, "orders")
    assert (run["state"], run["settled"]) == ("uncertain", None)
    assert len(service.of("CreateBackup")) == 1

    one.kill()
    rewind(one, 14.8 * 60)  # too early by some seconds
    n_looks = len(service.of("ListBackups"))
    one.start()
    wait_until(lambda: len(service.of("ListBackups")) > n_looks, 20, "it looks")
    assert len(service.of("CreateBackup")) == 1

    one.kill()
    rewind(one, 60)
    one.start()
    one.wait_runs(1, 10)
    check_settled_once(one, service, "orders", n_asked=2)
    first, second = service.of("CreateBackup")
    assert first.request == second.request
    assert "absent" in one.ledger.notes(run["id"])


# --- the connection closes after the request ---


@pytest.mark.parametrize("ending", [drop, reset], ids=lambda f: f.__name__)
def test_a_kept_alive_connection_closes_after_create_backup(daemon, fake, ending):
    tables = [f"table-{n}" for n in range(6)]
    service = fake(*tables)
    for table in tables:
        service.script("CreateBackup", table, ending)
    when, _ = soon()
    one = daemon(config(service, when, tables, attempts=4))
    one.wait_runs(len(tables), 30)
    n_kept = 0
    for table in tables:
        check_settled_once(one, service, table)
        (call,) = service.of("CreateBackup", table)
        n_kept += call.connection in {earlier.connection for earlier in service.calls if earlier.wall < call.wall}
    assert n_kept > 0, "none of the connections was a kept-alive one"


def test_a_connection_closes_after_create_backup_without_effect(daemon, fake):
    """It may have taken effect: looked for, and not asked for again in a hurry."""
    service = fake("orders")
    service.script("CreateBackup", "orders", drop_without_effect)
    when, _ = soon()
    one = daemon(config(service, when, ["orders"], attempts=4))
    wait_until(lambda: service.of("ListBackups"), 20, "it looks")
    assert run_of(one, "orders")["state"] == "uncertain"
    assert len(service.of("CreateBackup")) == 1


# --- replies that are none ---


def names(prefix, kinds):
    return {f"{prefix}-{kind.__name__.replace('_', '-')}": kind for kind in kinds}


def test_malformed_replies_to_everything_about_backups(daemon, fake):
    """Each kind of damage, once to each of the calls of a run that takes the long way: DescribeTable, CreateBackup
    (which takes effect), ListBackups, DescribeBackup."""
    tables = names("b", fake_module.MALFORMED)
    service = fake(*tables)
    for table, kind in tables.items():
        service.script("DescribeTable", table, kind)
        service.script("CreateBackup", table, kind)
        service.script("ListBackups", table, kind)
        service.script("DescribeBackup", table, kind)
    when, _ = soon()
    one = daemon(config(service, when, tables))
    one.wait_runs(len(tables), 60)
    for table in tables:
        check_settled_once(one, service, table)
        for op in ("DescribeTable", "ListBackups", "DescribeBackup"):
            assert len(service.of(op, table)) >= 2, (op, table)


# one of a family: exports are asked for at 0.5 a second
EXPORT_KINDS = [
    fake_module.cut_body,
    fake_module.too_long,
    fake_module.html_503,
    fake_module.wrong_types,
    fake_module.anothers,
]


def test_malformed_replies_to_everything_about_exports(daemon, fake):
    """ExportTableToPointInTime answers nonsense until its token is too old to be repeated unseen; then so do
    ListExports and DescribeExport, once each."""
    tables = names("e", EXPORT_KINDS)
    service = fake(*tables)
    for table, kind in tables.items():
        service.script("ExportTableToPointInTime", table, always=kind)
        if kind is not fake_module.anothers:  # a listing of others' exports is a listing without ours
            service.script("ListExports", table, kind)
        service.script("DescribeExport", table, kind)
    when, _ = soon()
    one = daemon(config(service, when, exports=tables))
    for table in tables:
        wait_state(one, table, "uncertain")
    one.kill()
    rewind(one, 7.5 * 3600)
    one.start()
    one.wait_runs(len(tables), 40)
    for table, kind in tables.items():
        check_settled_once(one, service, table)
        assert len(service.of("DescribeExport", table)) >= 2, table
        assert len(service.of("ListExports", table)) >= (1 if kind is fake_module.anothers else 2), table


def test_malformed_replies_to_list_tables(daemon, fake):
    """A listing that cannot be read takes no table out of a schedule, however often it is asked for again."""
    kinds = [kind for kind in fake_module.MALFORMED if kind is not fake_module.anothers]  # of names, all are as good
    service = fake("orders-1", "orders-2")
    when, _ = soon(3)
    one = daemon(config(service, when, ["orders-*"], attempts=4))
    wait_until(lambda: len(service.of("ListTables")) >= 1, 10, "tables are listed")
    replies = [reply for n in range(0, len(kinds), 3) for reply in (*kinds[n : n + 3], honest)]
    service.script("ListTables", "", *replies, *kinds[:4])  # the last call fails
    n_before = len(service.of("ListTables"))
    one.wait_runs(2, 20)
    check_settled_once(one, service, "orders-1")
    check_settled_once(one, service, "orders-2")
    wait_until(lambda: len(service.of("ListTables")) >= n_before + len(replies) + 4, 30, "all replies were given")
    one.wait_line("the tables could not be listed")
    assert one.ledger.query("SELECT name FROM enrolments WHERE active ORDER BY name") == [
        {"name": "orders-1"},
        {"name": "orders-2"},
    ]
    assert not one.lines("withdrawn")


@pytest.mark.parametrize("op", ["DescribeTable", "DescribeContinuousBackups"])
def test_malformed_replies_to_a_dry_run(daemon, fake, op):
    """Nothing that cannot be read is taken for ready."""
    kinds = [kind for kind in fake_module.MALFORMED if kind is not fake_module.anothers or op == "DescribeTable"]
    tables = names("d", kinds)
    service = fake(*tables, "d-good")
    for table, kind in tables.items():
        service.script(op, table, always=kind)
    one = daemon(config(service, "02:00", exports=[*tables, "d-good"]), start=False)
    done = one.once("--dry-run")
    assert (done.returncode, done.stderr) == (1, "")
    assert f"1 of {len(tables) + 1} tables are ready" in done.stdout
    complaint = "cannot be described" if op == "DescribeTable" else "point-in-time recovery cannot be asked"
    assert done.stdout.count(complaint) == len(tables)


def test_a_listing_that_cannot_be_read_ends_a_dry_run(daemon, fake):
    service = fake("orders")
    service.script("ListTables", "", always=fake_module.wrong_types)
    one = daemon(config(service, "02:00", ["*"]), start=False)
    done = one.once("--dry-run")
    assert done.returncode == 1
    assert "the tables cannot be listed: UnreadableReply" in done.stderr
