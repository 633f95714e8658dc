"""Several accounts and regions in one daemon: the emulator answers every region, each with tables of its own."""

import json
import re
import subprocess

import harness
from harness import KEY_ID, SECRET, backup, select, soon

REGIONS = ("eu-central-1", "us-east-1")


def configuration(emulator, when, tables, accounts):
    return f"""
deployment = "acme";
aws = {{ endpoint_url = "{emulator.url}"; discovery_interval = "1s"; }};
accounts = {{ {accounts} }};
schedules = {{ {backup("once", when, 'max_age = "1d";')} }};
tables = ( {tables} );
limits = {{ rate_share = 1.0; }};
"""


OWN = 'own = { regions = ["eu-central-1", "us-east-1"]; };'
ROLE = 'prod = { role_arn = "arn:aws:iam::111111111111:role/ddbackupd"; regions = "eu-west-1"; };'


def test_two_regions(emulator, daemon, ctl):
    """Names in every region, patterns where they are; each region's backups are made there, under names of their own."""
    e = emulator("orders")
    west = e.client(region="us-east-1")
    west.create_table(
        TableName="app-1",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    when, slot = soon(4)
    tables = select("orders", "once") + "," + select("app-*", "once")
    d = daemon(configuration(e, when, tables, OWN))
    d.wait_line(r"own/us-east-1/app-1: enrolled in schedule once")
    runs = d.wait_runs(3)
    assert sorted((run["account"], run["region"], run["name"], run["state"]) for run in runs) == [
        ("own", "eu-central-1", "orders", "succeeded"),
        ("own", "us-east-1", "app-1", "succeeded"),
        ("own", "us-east-1", "orders", "succeeded"),
    ]
    assert len({run["handle"] for run in runs}) == 3
    assert all(f":{run['region']}:" in run["arn"] for run in runs)
    made = {call["region"]: call["table"] for call in e.calls("CreateBackup") if call["table"] == "orders"}
    assert set(made) == set(REGIONS)
    assert len(d.lines(rf"info +own/(eu-central-1|us-east-1)/(orders|app-1): backup once {slot} is AVAILABLE")) == 3
    check_ctl(d, ctl)
    assert d.stop() == 0


def check_ctl(d, ctl):
    """Qualified names in tables, and in --table beside the short ones."""

    def tables(*arguments):
        found = json.loads(ctl(d, "list", "--json", *arguments).stdout)["runs"]
        return sorted(f"{run['region']}/{run['table']}" for run in found)

    assert tables("--table=orders") == ["eu-central-1/orders", "us-east-1/orders"]
    assert tables("--table=own/us-east-1/*") == ["us-east-1/app-1", "us-east-1/orders"]
    assert tables("--table=*/eu-*/orders") == ["eu-central-1/orders"]
    assert tables("--table=prod/*") == []
    # one row alone is qualified, too
    assert "own/eu-central-1/orders" in ctl(d, "list", "--table=*/eu-*/orders").stdout
    status = ctl(d, "status")
    assert status.returncode == 0 and "own/us-east-1/app-1" in status.stdout, status.stdout
    assert ctl(d, "check").returncode == 0
    plan = ctl(d, "plan")
    assert plan.returncode == 0, plan.stderr


def test_plan_and_compare_know_each_place(emulator, daemon, ctl):
    """A region that was added without a reload is not protected there."""
    e = emulator("orders")
    d = daemon(configuration(e, "02:00", select("orders", "once"), 'own = { regions = "eu-central-1"; };'))
    d.wait_line("orders: enrolled in schedule once")
    plan = json.loads(ctl(d, "plan", "--json", "--days=1").stdout)
    assert [(slot["account"], slot["region"], slot["table"]) for slot in plan["slots"]] == [("own", "eu-central-1", "orders")]
    d.configure(configuration(e, "02:00", select("orders", "once") + "," + select("app-*", "once"), OWN))
    plan = json.loads(ctl(d, "plan", "--json", "--days=1").stdout)
    assert sorted((slot["account"], slot["region"], slot["table"], slot["pattern"]) for slot in plan["slots"]) == [
        ("own", "eu-central-1", "app-*", True),
        ("own", "eu-central-1", "orders", False),
        ("own", "us-east-1", "app-*", True),
        ("own", "us-east-1", "orders", False),
    ]
    assert "own/us-east-1/orders" in ctl(d, "plan", "--days=1").stdout
    status = ctl(d, "status").stdout
    assert "own/us-east-1/orders/once: the configuration selects it, and the daemon does not know it yet" in status
    assert "own/eu-central-1/orders/once: the configuration selects it" not in status
    d.reload()
    d.wait_line("own/us-east-1/orders: enrolled in schedule once")
    assert "the daemon does not know it yet" not in ctl(d, "status").stdout
    # the ledger of before goes on: the account has the name that it had
    assert not d.lines("withdrawn")


def test_dry_run(emulator, daemon):
    """Every place is asked; one that cannot be listed is said and spoils the exit status alone."""
    e = emulator("orders", "app-1")
    tables = select("orders", "once") + "," + select("app-*", "once")
    d = daemon(configuration(e, "02:00", tables, OWN), start=False)
    done = d.once("--dry-run")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert re.search(r"regions own/eu-central-1 at http://\S+, own/us-east-1 at http://\S+, credentials from", done.stdout)
    for place in REGIONS:
        assert f"own/{place}/orders: ACTIVE" in done.stdout
        assert f"own/{place}/app-1: ACTIVE" in done.stdout
    assert "4 of 4 tables are ready" in done.stdout
    d.configure(configuration(e, "02:00", tables, OWN + ROLE))
    d.env["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1"
    done = d.once("--dry-run")
    assert done.returncode == 1
    assert "ddbackupd: prod: role arn:aws:iam::111111111111:role/ddbackupd by environment: STS cannot be asked" in done.stderr
    assert "ddbackupd: prod/eu-west-1: the tables cannot be listed: NoCredentials" in done.stderr
    assert "4 of 5 tables are ready" in done.stdout


def test_roles_are_assumed_by_those_who_ask_and_end(emulator, daemon, tmp_path):
    """A dry run and a rebuild are who the daemon is: each account's role, with its external id."""
    e = emulator("orders", "app-1")
    when, _ = soon(2)
    role = ROLE.replace("regions", 'external_id = "bk7"; regions')
    d = daemon(configuration(e, when, select(["orders", "app-*"], "once"), role + OWN), env={"AWS_ENDPOINT_URL_STS": e.url})
    d.wait_runs(6, state="succeeded")
    assert d.stop() == 0

    def by_role(since):
        """The calls in the role's region, and that all others are our own."""
        calls = e.calls()[since:]
        assert all((call["key"] == KEY_ID) == (call["region"] != "eu-west-1" or call["op"] == "AssumeRole") for call in calls)
        return {call["op"] for call in calls if call["region"] == "eu-west-1"}

    assert by_role(0) >= {"AssumeRole", "DescribeTable", "CreateBackup", "ListTables"}
    since = len(e.calls())
    done = d.once("--dry-run")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "6 of 6 tables are ready" in done.stdout
    assert "credentials of prod from role arn:aws:iam::111111111111:role/ddbackupd by environment, of own from environment" in done.stdout
    assert by_role(since) == {"AssumeRole", "DescribeTable", "ListTables"}
    since = len(e.calls())
    command = [str(harness.BUILD / "ddbackupctl"), "rebuild", "--dry-run", "--config", str(d.config), "--state-directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=d.env)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "prod/eu-west-1/orders" in done.stdout
    assert by_role(since) >= {"AssumeRole", "ListBackups"}
    e.faults("AssumeRole times=forever error AccessDenied 403 User: x is not authorized to perform: sts:AssumeRole")
    done = d.once("--dry-run")
    assert done.returncode == 1
    assert "prod: role arn:aws:iam::111111111111:role/ddbackupd by environment: STS answered 403 AccessDenied: User: x" in done.stderr
    assert "own/us-east-1/app-1: ACTIVE" in done.stdout


def test_the_emulator_as_sts(emulator):
    """As boto3 meets it."""
    import boto3
    import botocore.exceptions
    import pytest

    e = emulator("orders")
    sts = e.client("sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/emulator"
    given = sts.assume_role(RoleArn="arn:aws:iam::111111111111:role/path/backup", RoleSessionName="a-b", ExternalId="x&y")["Credentials"]

    def client(service, **changes):
        keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"], **changes}
        return boto3.client(service, endpoint_url=e.url, region_name="eu-central-1", **keys)

    identity = client("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == ("111111111111", "arn:aws:sts::111111111111:assumed-role/backup/a-b")
    assert client("dynamodb").list_tables()["TableNames"] == ["orders"]
    for service, changes, code in (
        ("sts", {"aws_session_token": "other"}, "InvalidClientTokenId"),
        ("sts", {"aws_secret_access_key": "other"}, "SignatureDoesNotMatch"),
        ("dynamodb", {"aws_session_token": None}, "UnrecognizedClientException"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            client(service, **changes).get_caller_identity() if service == "sts" else client(service, **changes).list_tables()
        assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationError"):
        sts.assume_role(RoleArn="arn:aws:iam::111111111111:user/not-a-role", RoleSessionName="a-b")
    assert [call["op"] for call in e.calls("AssumeRole")] == ["AssumeRole"] * 2


def test_an_account_without_credentials_holds_up_no_other(emulator, daemon):
    """It is said once; its runs wait, and the others are on time."""
    e = emulator("orders", "app-1")
    when, slot = soon(3)
    tables = select(["orders", "app-*"], "once")
    d = daemon(configuration(e, when, tables, ROLE + OWN), env={"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"})
    d.wait_runs(4, state="succeeded")
    refused = r"error +prod: credentials: role arn:aws:iam::111111111111:role/ddbackupd by .*STS cannot be asked: .*; HINT: "
    d.wait_line(refused)
    assert len(d.lines(refused)) == 1
    assert not d.lines("has to wait") and not d.lines("could not be listed")
    waiting = d.ledger.runs(account="prod")
    assert [run["state"] for run in waiting] == ["due"]
    assert not [call for call in e.calls() if call["region"] == "eu-west-1"]


def test_regions_need_no_region_of_their_own(emulator, daemon):
    """Without accounts a region has to come from somewhere; with regions everywhere it need not."""
    e = emulator("orders")
    text = configuration(e, "02:00", select("orders", "once"), OWN)
    assert daemon(text, start=False).once("--dry-run").returncode == 0
    bare = text.replace(f"accounts = {{ {OWN} }};", "")
    done = daemon(bare, start=False).once("--dry-run")
    assert done.returncode == 1 and "aws.region: is not set" in done.stderr


def test_rebuild(emulator, daemon, tmp_path):
    """A lost ledger of two regions is found again in both."""
    e = emulator("orders")
    when, _ = soon(2)
    text = configuration(e, when, select("order*", "once"), OWN)
    first = daemon(text)
    first.wait_runs(2, state="succeeded")
    assert first.stop() == 0
    second = daemon(text, start=False)
    command = [str(harness.BUILD / "ddbackupctl"), "rebuild", "--config", str(second.config)]
    command += ["--state-directory", str(second.state)]
    env = harness.environment(tmp_path, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "Deployment acme in own/eu-central-1, own/us-east-1, credentials from" in done.stdout
    assert "own/us-east-1/orders" in done.stdout and "2 runs taken in" in done.stdout
    assert sorted((run["region"], run["state"]) for run in second.ledger.runs()) == [(name, "succeeded") for name in REGIONS]
