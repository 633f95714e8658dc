"""Tables that are selected by what is known of them: their names, ARNs and tags, over accounts and regions."""

import json
import subprocess
import time

import harness
from harness import backup, conf, select, soon

# Two accounts, as many places as it takes for 5,000 tables to be read within seconds at the rate that a place allows.
PLACES = {
    "shop": [f"eu-test-{i}" for i in range(1, 13)],
    "prod": [f"us-test-{i}" for i in range(1, 14)],
}
PER_PLACE = 200
# Of these, every tenth is not to be backed up.
SEEDS = [f"t{i:03d}:tag=backup={'no' if i % 10 == 0 else 'yes'}" for i in range(PER_PLACE)]
TAGGED = PER_PLACE - PER_PLACE // 10


def create(client, name, value):
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "backup", "Value": value}],
    )


def by_tag(when, more=""):
    return f'{{ tags = "backup=yes"; schedules = "{when}"; {more} }}'


def enrolled(d):
    rows = d.ledger.query("SELECT account, region, name FROM enrolments WHERE active")
    return {(row["account"], row["region"], row["name"]) for row in rows}


def test_thousands_by_tag(emulator, daemon):
    """5,000 tables of two accounts; 40 appear and 40 vanish while they are being read."""
    e = emulator(*SEEDS)
    accounts = "".join(
        f"{name} = {{ regions = [{', '.join(chr(34) + region + chr(34) for region in regions)}]; }};"
        for name, regions in PLACES.items()
    )
    d = daemon(f"""
deployment = "acme";
aws = {{ endpoint_url = "{e.url}"; discovery_interval = "2s"; }};
accounts = {{ {accounts} }};
schedules = {{ {backup("yearly", "yearly")} }};
tables = ( {by_tag("yearly")} );
limits = {{ rate_share = 1.0; }};
""")
    places = [(account, region) for account, regions in PLACES.items() for region in regions]
    wanted = {(*place, f"t{i:03d}") for place in places for i in range(PER_PLACE) if i % 10}
    for n in range(40):
        account, region = places[n % len(places)]
        client = e.client(region=region)
        create(client, f"new-{n}", "yes")
        client.delete_table(TableName=f"t{n + 1:03d}")
        wanted.add((account, region, f"new-{n}"))
        wanted.discard((account, region, f"t{n + 1:03d}"))
    harness.wait_until(lambda: enrolled(d) == wanted, 90, "every table is found, and no other")
    calls = e.calls("ListTagsOfResource")
    assert {call["code"] for call in e.calls()} <= {"", "ResourceNotFoundException"}
    assert len(calls) <= len(places) * PER_PLACE + 40 + 40, "some are read twice"
    # known again after a restart, without asking
    assert d.stop() == 0
    d.start()
    time.sleep(3)
    assert enrolled(d) == wanted
    assert not d.lines("withdrawn.*(tags|configuration)")
    assert len(e.calls("ListTagsOfResource")) == len(calls)


def test_tags_change(emulator, daemon, ctl):
    """A table is enrolled by its tag, and withdrawn when it loses it; what others have is left alone."""
    e = emulator("orders:tag=backup=yes", "carts")
    d = daemon(conf(e, backup("yearly", "yearly"), by_tag("yearly")).replace(
        "aws = {", 'aws = { discovery_interval = "1s"; inspection_interval = "1s";'))
    d.wait_line("orders: enrolled in schedule yearly")
    arn = e.client().describe_table(TableName="carts")["Table"]["TableArn"]
    e.client().tag_resource(ResourceArn=arn, Tags=[{"Key": "backup", "Value": "yes"}])
    d.wait_line("carts: enrolled in schedule yearly")
    e.client().untag_resource(ResourceArn=arn, TagKeys=["backup"])
    d.wait_line("carts: withdrawn from schedule yearly: its tags no longer select it; what was made stays")
    assert d.ledger.query("SELECT tags FROM inventory WHERE name = 'orders'")[0]["tags"] == "backup=yes"
    # what is planned shows the table, or the tag while no table has it
    assert "orders" in ctl(d, "plan", "--days=366").stdout
    assert "backup=yes" not in ctl(d, "plan", "--days=366").stdout
    e.client().delete_table(TableName="orders")
    d.wait_line("orders: withdrawn from schedule yearly: the table does not exist any more")
    assert "backup=yes" in ctl(d, "plan", "--days=366").stdout
    assert d.stop() == 0


def test_tags_that_may_not_be_read(emulator, daemon):
    """Said once, with what to do; nothing is taken away."""
    e = emulator("orders:tag=backup=yes", "carts:tag=backup=yes")
    d = daemon(conf(e, backup("yearly", "yearly"), by_tag("yearly")).replace(
        "aws = {", 'aws = { discovery_interval = "1s"; inspection_interval = "1s";'))
    d.wait_line("orders: enrolled in schedule yearly")
    d.wait_line("carts: enrolled in schedule yearly")
    e.faults("ListTagsOfResource times=forever error AccessDeniedException")
    d.wait_line(r"eu-central-1: the tags of \w+ could not be read: AccessDeniedException.*HINT: allow dynamodb:ListTagsOfResource")
    time.sleep(2)
    assert len(d.lines("could not be read")) == 1 and not d.lines("withdrawn")
    assert d.stop() == 0


def test_by_arn(emulator, daemon):
    """An ARN means its own region alone, and not a table of that name in another account."""
    e = emulator("orders", "carts")
    when, slot = soon(3)

    def arn(region, account, table):
        return f"arn:aws:dynamodb:{region}:{account}:table/{table}"

    tables = [arn("us-east-1", "123456789012", "orders"), arn("eu-central-1", "999999999999", "carts")]
    d = daemon(f"""
deployment = "acme";
aws = {{ endpoint_url = "{e.url}"; }};
accounts = {{ own = {{ regions = ["eu-central-1", "us-east-1"]; }}; }};
schedules = {{ {backup("once", when)} }};
tables = ( {select(tables, "once")} );
limits = {{ rate_share = 1.0; }};
""")
    d.wait_line("own/us-east-1/orders: enrolled in schedule once")
    runs = d.wait_runs(1)
    assert [(run["region"], run["name"], run["state"]) for run in runs] == [("us-east-1", "orders", "succeeded")]
    assert not d.lines("carts")
    assert [call["table"] for call in e.calls("CreateBackup")] == ["orders"]
    assert d.stop() == 0


def test_dry_run_reads_tags(emulator, daemon):
    e = emulator("orders:tag=backup=yes", "carts:tag=backup=no")
    d = daemon(conf(e, backup("nightly", "02:00"), by_tag("nightly")), start=False)
    done = d.once("--dry-run")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "orders: ACTIVE" in done.stdout and "carts" not in done.stdout
    e.faults("ListTagsOfResource times=forever error AccessDeniedException")
    done = d.once("--dry-run")
    assert done.returncode == 1
    assert "ddbackupd: eu-central-1: the tags of its tables cannot be read: AccessDeniedException" in done.stderr


def test_what_becomes_of_tables(emulator, daemon, ctl):
    """A table that is missing, one without recovery, too few of them: in the journal, and in check."""
    e = emulator("orders", "carts:pitr")
    tables = select(["orders", "carts", "gone"], "yearly") + "," + select("app-*", "yearly", more="min_tables = 2;")
    d = daemon(conf(e, backup("yearly", "yearly", 'pitr = "require"; max_age = "1d";'), tables).replace(
        "aws = {", 'aws = { discovery_interval = "1s"; inspection_interval = "1s";'))
    d.wait_line("error +gone: the table does not exist, and its schedules miss it; HINT")
    d.wait_line("error +orders: point-in-time recovery is off; HINT: pitr = ")
    d.wait_line('error +tables: the entry of match "app-.*" selects 0, and its min_tables is 2; HINT')
    check = ctl(d, "check")
    assert check.returncode == 2
    assert "CRITICAL: gone: the table does not exist" in check.stdout
    assert "WARNING: orders: point-in-time recovery is off" in check.stdout
    assert 'CRITICAL: tables: the entry of match "app-*" selects 0, and its min_tables is 2' in check.stdout
    for name in ("app-1", "app-2", "gone"):
        create(e.client(), name, "no")
    d.wait_line("gone: the table exists again")
    d.wait_line('notice +tables: the entry of match "app-.*" selects 2 again')
    e.client().update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    d.wait_line("orders: point-in-time recovery is on, since")
    d.configure(d.config.read_text().replace('"require"', '"enable"'))
    d.reload()
    d.wait_line('gone: point-in-time recovery was off, and was switched on as pitr = "enable" says')
    harness.wait_until(lambda: not [1 for t in ctl(d, "check").stdout.splitlines() if "recovery" in t or "min_tables" in t],
                       20, "check knows it")
    assert len(d.lines("the table does not exist")) == 1
    assert d.stop() == 0


def listed(d, *arguments):
    """`ddbackupctl list` with the daemon's configuration, and with credentials."""
    command = [str(harness.BUILD / "ddbackupctl"), "list", *arguments, "--state-directory", str(d.state), "--config", str(d.config)]
    keys = {"AWS_ACCESS_KEY_ID": harness.KEY_ID, "AWS_SECRET_ACCESS_KEY": harness.SECRET}
    env = harness.environment(d.directory / "home", **keys)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)


def test_list_unprotected_orphaned_foreign(emulator, daemon):
    """What nothing protects, what is left over, and what others have made."""
    e = emulator("orders:tag=backup=yes", "carts", "scratch-1")
    when, slot = soon(3)
    entry = '{ match = "scratch-*"; schedules = []; reason = "rebuilt from git"; }'
    d = daemon(conf(e, backup("once", when), by_tag("once") + "," + entry).replace("aws = {", 'aws = { discovery_interval = "1s";'))
    d.wait_runs(1)
    # unprotected: also of one schedule, and as JSON
    text = listed(d, "--unprotected").stdout
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["carts", line_of(text, "carts")[1], "no", "no", "entry", "of", "tables", "selects", "it"],
        ["scratch-1", line_of(text, "scratch-1")[1], "yes", "rebuilt", "from", "git"],
    ]
    found = json.loads(listed(d, "--unprotected", "--json").stdout)
    assert not harness.undocumented("list", found)
    assert [(t["table"], t["on_purpose"], t["reason"]) for t in found["tables"]] == [
        ("carts", False, "no entry of tables selects it"), ("scratch-1", True, "rebuilt from git")]
    assert found["unlisted"] == []
    assert listed(d, "--unprotected", "--table=orders").stdout == "No table that is known to exist is unprotected.\n"
    # foreign: others', and our own that the ledger lost
    assert listed(d, "--foreign").stdout == "The ledger knows every backup at the service.\n"
    e.client().create_backup(TableName="carts", BackupName="by-hand")
    e.client().create_backup(TableName="orders", BackupName="acme.once.20200101T000000Z.00000000")
    found = json.loads(listed(d, "--foreign", "--json").stdout)["backups"]
    assert not harness.undocumented("list", found)
    assert sorted((b["table"], b["name"], b["type"], b["reason"]) for b in found) == [
        ("carts", "by-hand", "USER", "others made it"),
        ("orders", "acme.once.20200101T000000Z.00000000", "USER",
         "it bears this deployment's name, and the ledger does not know it")]
    text = listed(d, "--foreign", "--arn", "--table=carts").stdout
    assert "by-hand" in text and ":table/carts/backup/" in text and "acme.once" not in text
    e.faults("ListBackups error AccessDeniedException")
    failed = listed(d, "--foreign")
    assert failed.returncode == 1 and "eu-central-1: the backups cannot be listed: AccessDeniedException" in failed.stderr
    # orphaned: when the table goes, and when the schedule does
    assert listed(d, "--orphaned").stdout == "Every artefact is of a table and a schedule that are there.\n"
    e.client().delete_table(TableName="orders")
    d.wait_line("orders: withdrawn")
    text = listed(d, "--orphaned").stdout
    assert line_of(text, "orders")[1:4] == ["once", "backup", "1"] and "the table does not exist any more" in text
    d.configure(conf(e, backup("other", "yearly"), select("c*", "other")))
    found = json.loads(listed(d, "--orphaned", "--json").stdout)["orphans"]
    assert not harness.undocumented("list", found)
    assert [(o["table"], o["schedule"], o["artefacts"], o["reason"]) for o in found] == [
        ("orders", "once", 1, "the schedule is not in the configuration any more")]
    refused = listed(d, "--orphaned", "--foreign")
    assert refused.returncode == 2 and "one list at a time" in refused.stderr
    # where names alone are configured, nobody lists what else exists
    d.configure(conf(e, backup("other", "yearly"), select("carts", "other")))
    assert d.stop() == 0
    empty = daemon(conf(e, backup("other", "yearly"), select("carts", "other")))
    text = listed(empty, "--unprotected").stdout
    assert "they are listed where an entry of tables has a pattern or tags" in text


def line_of(text, table):
    return next(line.split() for line in text.splitlines() if line.startswith(table))
