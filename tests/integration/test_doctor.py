"""ddbackupctl doctor: what it finds out about credentials, identity, endpoints, clock, permissions and tables, and that it
changes nothing."""

import json
import re
import subprocess

import pytest

import harness
from harness import KEY_ID, SECRET, backup, export, select

ROLE = "arn:aws:iam::111111111111:role/path/backup"
POLICY = harness.TOP / "etc" / "iam-policy.json"


BUCKET = "--bucket=acme-exports"


def configuration(emulator, tables, accounts="", more="", schedules=None):
    aws = f'endpoint_url = "{emulator.url}"; sts_endpoint_url = "{emulator.url}"; s3_endpoint_url = "{emulator.url}"; kms_endpoint_url = "{emulator.url}"; {more}'
    if not accounts:
        aws += 'region = "eu-central-1";'
    all_schedules = schedules or {"nightly": backup("nightly", "02:00"), "weekly": export("weekly", "Sun 03:00")}
    schedules = " ".join(text for name, text in all_schedules.items() if name in tables)
    return f"""
deployment = "acme";
aws = {{ {aws} }};
{f"accounts = {{ {accounts} }};" if accounts else ""}
schedules = {{ {schedules} }};
tables = ( {tables} );
limits = {{ rate_share = 1.0; }};
"""


@pytest.fixture
def doctor(tmp_path):
    """(exit status, answer) of a configuration, by default as JSON."""

    def ask(text, *arguments, env=None, as_json=True):
        config = tmp_path / "doctor.conf"
        config.write_text(text)
        keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        environment = harness.environment(tmp_path, **(keys if env is None else env))
        command = [str(harness.BUILD / "ddbackupctl"), "doctor", "--config", str(config), *arguments]
        done = subprocess.run(command + (["--json"] if as_json else []), capture_output=True, text=True, timeout=60, env=environment)
        assert SECRET not in done.stdout + done.stderr and KEY_ID not in done.stdout + done.stderr
        assert "session/" not in done.stdout
        assert done.returncode in (0, 1, 2) and not (as_json and done.stderr), done
        if not as_json:
            return done.returncode, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert not harness.undocumented("doctor", answer, "permissions", "statements")
        return done.returncode, answer

    return ask


def states(answer):
    return {(check["object"], check["check"]): check["state"] for check in answer["checks"]}


def found(answer, name, state):
    """The check of that name and state, of which there must be one."""
    (check,) = [check for check in answer["checks"] if (check["check"], check["state"]) == (name, state)]
    return check


def allowed_by_policy():
    actions = [statement["Action"] for statement in json.loads(POLICY.read_text())["Statement"]]
    return {action for entry in actions for action in ([entry] if isinstance(entry, str) else entry)}


def test_all_is_well(emulator, doctor):
    """Who we are, in each place, every table and bucket; with calls that have no effect."""
    e = emulator("orders:pitr", "app-1", options=(BUCKET,))
    schedules = {"nightly": backup("nightly", "02:00"), "weekly": export("weekly", "Sun 03:00", 'verify = "manifest";')}
    accounts = f'prod = {{ role_arn = "{ROLE}"; regions = ["eu-central-1", "us-east-1"]; }}; own = {{ regions = "eu-central-1"; }};'
    tables = select(["orders", "app-*"], "nightly") + "," + select("orders", "weekly")
    status, answer = doctor(configuration(e, tables, accounts, schedules=schedules))
    assert (status, answer["state"], answer["missing"]) == (0, "ok", [])
    prod, own = answer["accounts"]
    assert (prod["source"], prod["key_id"], prod["role_arn"]) == (f"role {ROLE} by environment", "ASIA...", ROLE)
    assert (prod["identity"], prod["account_id"]) == ("arn:aws:sts::111111111111:assumed-role/backup/ddbackupd-acme", "111111111111")
    assert prod["expires"] > answer["now"]
    assert (own["identity"], own["key_id"], own["expires"]) == ("arn:aws:iam::123456789012:user/emulator", "AKIA...", None)
    assert [(place["account"], place["region"]) for place in answer["places"]] == [
        ("prod", "eu-central-1"), ("prod", "us-east-1"), ("own", "eu-central-1")]  # fmt: skip
    for place in answer["places"]:
        assert place["answered"] and abs(place["clock_ahead_seconds"]) <= 1
        assert place["endpoints"] == {"dynamodb": e.url + "/", "sts": e.url + "/", "s3": e.url + "/", "kms": e.url + "/"}
        by_state = {}
        for action, state in place["permissions"].items():
            by_state.setdefault(state, set()).add(action.split(":")[1])
        assert by_state == {
            "allowed": {"ListTables", "DescribeTable", "DescribeBackup", "ListBackups", "DescribeContinuousBackups", "DescribeExport", "ListExports",
                        "GetObject", "ListBucket", "GetBucketVersioning", "GetLifecycleConfiguration"},
            "not tested": {"CreateBackup", "ExportTableToPointInTime", "PutObject", "PutObjectAcl", "AbortMultipartUpload"},
            "not needed": {"DeleteBackup", "ListTagsOfResource", "UpdateContinuousBackups", "DeleteObject", "GetEncryptionConfiguration", "DescribeKey", "GenerateDataKey", "Decrypt"},
        }  # fmt: skip
    assert len(answer["tables"]) == 6
    for table in answer["tables"]:
        is_orders = table["table"] == "orders"
        assert (table["status"], table["pitr"], table["pitr_needed"]) == ("ACTIVE", is_orders, is_orders)
        assert bool(table["pitr_since"]) == is_orders and table["arn"].endswith(table["table"])
    assert [(b["account"], b["bucket"], b["region"], b["reached"], b["versioning"]) for b in answer["buckets"]] == [
        (account, "acme-exports", "us-east-1", True, "never") for account in ("own", "prod")]  # fmt: skip
    assert states(answer)["prod/s3://acme-exports", "owner"] == "ok"
    assert {call["op"] for call in e.calls() if call["effect"]} == {"AssumeRole"}
    assert not e.state()["backups"] and not e.state()["exports"]


def test_policy_is_what_is_looked_for(emulator, doctor):
    """etc/iam-policy.json and the doctor know the same actions."""
    e = emulator("orders")
    _, answer = doctor(configuration(e, select("orders", "nightly")))
    assert set(answer["places"][0]["permissions"]) == allowed_by_policy()


def test_people_see_rows_and_what_to_do(emulator, doctor):
    e = emulator("orders", "users", "app-1", options=(BUCKET,))
    text = configuration(e, select(["orders", "gone"], "nightly") + "," + select("users", "weekly"))
    status, text = doctor(text, as_json=False)
    assert status == 2
    assert re.search(r"^  OBJECT +CHECK +STATE +FOUND$", text, re.M)
    assert re.search(r"^  own +credentials +ok +key AKIA\.\.\. from environment, good until it is replaced$", text, re.M)
    assert re.search(r"^  eu-central-1 +clock +ok +this host's clock agrees with the service's$", text, re.M)
    assert re.search(r"^  gone +table +failed +ResourceNotFoundException: ", text, re.M)
    assert re.search(r"^  users +recovery +failed +point-in-time recovery is off, and its schedules need it$", text, re.M)
    assert re.search(r"^  users: recovery; HINT: aws dynamodb update-continuous-backups --region eu-central-1 --table-name users ", text, re.M)
    assert re.search(r"^2 failed, \d+ ok$", text, re.M)


def test_many_tables_are_counted(emulator, doctor):
    e = emulator(*[f"app-{i}" for i in range(24)], rates=False)
    config = configuration(e, select(["app-*", "gone"], "nightly"))
    status, text = doctor(config, as_json=False)
    assert status == 2 and "app-7" not in text and "gone" in text
    assert "(48 of tables are not shown; --all shows them)" in text
    assert "app-7" in doctor(config, "--all", as_json=False)[1]
    status, answer = doctor(config, "--table=app-1*")
    assert status == 0 and len(answer["tables"]) == 11


def test_denied_actions_are_named_with_their_statement(emulator, doctor):
    e = emulator("orders:pitr", options=(BUCKET,))
    denied = ("ListBackups", "DescribeBackup", "DescribeExport", "DescribeContinuousBackups")
    e.faults(*[f"{op} times=forever error AccessDeniedException 400 User: x is not authorized to perform: dynamodb:{op}" for op in denied])
    config = configuration(e, select("orders", "nightly", "weekly"))
    status, answer = doctor(config)
    assert (status, answer["state"]) == (2, "failed")
    check = found(answer, "permissions", "failed")
    assert check["found"].startswith("denied: dynamodb:DescribeBackup, dynamodb:ListBackups, dynamodb:DescribeContinuousBackups, dynamodb:DescribeExport (User: x")
    (missing,) = answer["missing"]
    assert missing["principal"] == "arn:aws:iam::123456789012:user/emulator"
    assert missing["statements"] == [
        {"Effect": "Allow", "Action": ["dynamodb:DescribeBackup"], "Resource": "arn:aws:dynamodb:*:*:table/*/backup/*"},
        {"Effect": "Allow", "Action": ["dynamodb:ListBackups"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["dynamodb:DescribeContinuousBackups"], "Resource": "arn:aws:dynamodb:*:*:table/*"},
        {"Effect": "Allow", "Action": ["dynamodb:DescribeExport"], "Resource": "arn:aws:dynamodb:*:*:table/*/export/*"},
    ]
    text = doctor(config, as_json=False)[1]
    (line,) = re.findall(r"Statements for the policy of \S+:\n  (.*)\n", text)
    assert json.loads(line) == missing["statements"]
    # what no schedule needs is not missed
    status, answer = doctor(configuration(e, select("orders", "nightly")))
    assert [statement["Action"] for statement in answer["missing"][0]["statements"]] == [["dynamodb:DescribeBackup"], ["dynamodb:ListBackups"]]


def test_what_is_asked_of_recovery_and_verification(emulator, doctor):
    e = emulator("orders", options=(BUCKET,))
    config = configuration(e, select("orders", "nightly", "weekly"))
    config = config.replace('action = "export";', 'action = "export"; verify = "manifest";')

    def look(pitr):
        status, answer = doctor(config.replace('action = "backup";', f'action = "backup"; pitr = "{pitr}";'))
        not_tested = {action for action, state in answer["places"][0]["permissions"].items() if state == "not tested"}
        return status, not_tested, [check for check in answer["checks"] if check["check"] == "recovery"][0]["found"]

    status, not_tested, recovery = look("enable")
    assert status == 0 and recovery == "point-in-time recovery is off, and the daemon will enable it"
    assert "dynamodb:UpdateContinuousBackups" in not_tested and "s3:GetObject" not in not_tested
    status, not_tested, recovery = look("ignore")
    assert status == 2 and "dynamodb:UpdateContinuousBackups" not in not_tested


def test_tables_by_their_tags(emulator, doctor):
    e = emulator("orders", "users")
    arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/users"
    e.client().tag_resource(ResourceArn=arn, Tags=[{"Key": "backup", "Value": "yes"}])
    config = configuration(e, '{ tags = ["backup=yes"]; schedules = ["nightly"]; }')
    status, answer = doctor(config)
    assert status == 0 and [table["table"] for table in answer["tables"]] == ["users"]
    assert answer["places"][0]["permissions"]["dynamodb:ListTagsOfResource"] == "allowed"
    e.faults("ListTagsOfResource times=forever error AccessDeniedException 400 User: x is not authorized")
    status, answer = doctor(config)
    assert status == 2 and answer["missing"][0]["statements"][0]["Action"] == ["dynamodb:ListTagsOfResource"]
    assert [check["found"] for check in answer["checks"] if check["check"] == "tables"][0].startswith("the tags of its tables cannot be read")


def test_a_role_that_is_denied(emulator, doctor):
    """The others are looked at all the same."""
    e = emulator("orders")
    e.faults("AssumeRole times=forever error AccessDenied 403 User: x is not authorized to perform: sts:AssumeRole")
    accounts = f'prod = {{ role_arn = "{ROLE}"; regions = "us-east-1"; }}; own = {{ regions = "eu-central-1"; }};'
    status, answer = doctor(configuration(e, select("orders", "nightly"), accounts))
    assert status == 2
    check = found(answer, "credentials", "failed")
    assert check["object"] == "prod" and "STS answered 403 AccessDenied: User: x" in check["found"] and "trusts who asks" in check["hint"]
    assert answer["missing"] == [
        {"account": "prod", "principal": "the identity that assumes the role",
         "statements": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ROLE}]}]  # fmt: skip
    assert states(answer)["own/eu-central-1/orders", "table"] == "ok"
    assert not [call for call in e.calls() if call["region"] == "us-east-1" and call["op"] != "AssumeRole"]


def test_no_credentials_and_wrong_ones(emulator, doctor):
    e = emulator("orders")
    config = configuration(e, select("orders", "nightly"))
    status, answer = doctor(config, env={"AWS_EC2_METADATA_DISABLED": "true"})
    assert status == 2
    check = found(answer, "credentials", "failed")
    assert check["found"].startswith("no AWS credentials: ") and "/etc/credstore/ddbackupd.aws-credentials" in check["hint"]
    assert not e.calls()
    assert {check for _, check in states(answer)} == {"credentials", "endpoints"}  # and nothing of tables, which nobody knows
    status, answer = doctor(config, env={"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert status == 2
    assert found(answer, "permissions", "warning")["found"].startswith("not tested: ")
    assert "STS answered 403 SignatureDoesNotMatch" in found(answer, "identity", "failed")["found"]
    assert found(answer, "table", "failed")["found"].startswith("InvalidSignatureException: ")


@pytest.mark.parametrize(
    ("offset", "state", "words"),
    [("20s", "ok", "20s behind"), ("2min", "warning", "2min behind"), ("-2min", "warning", "2min ahead of"), ("1h", "failed", "1h behind")],
)
def test_a_wrong_clock(emulator, doctor, offset, state, words):
    """Told by how much; and the rest is found out by the service's clock."""
    e = emulator("orders", options=(f"--clock-offset={offset}",))
    status, answer = doctor(configuration(e, select("orders", "nightly")))
    assert status == {"ok": 0, "warning": 1, "failed": 2}[state]
    check = found(answer, "clock", state)
    text = re.sub(r"(1min 59s|59min 59s|2min 1s|19s|1h 1s)", lambda m: {"1min 59s": "2min", "59min 59s": "1h", "2min 1s": "2min", "19s": "20s", "1h 1s": "1h"}[m[0]], check["found"])
    assert text == f"this host's clock is {words} the service's"
    assert ("timedatectl" in (check["hint"] or "")) == (state != "ok")
    assert {key: value for key, value in states(answer).items() if value != "ok"} == ({("eu-central-1", "clock"): state} if state != "ok" else {})


def test_a_service_that_does_not_answer_is_one_row(emulator, doctor):
    e = emulator("orders")
    config = configuration(e, select(["orders", "users", "app-*"], "nightly"), more="max_attempts = 1;")
    status, answer = doctor(config.replace(f'endpoint_url = "{e.url}"', 'endpoint_url = "http://127.0.0.1:1"', 1))
    assert status == 2
    assert {key: value for key, value in states(answer).items() if value != "ok"} == {("eu-central-1", "endpoints"): "failed"}
    check = found(answer, "endpoints", "failed")
    assert "dynamodb http://127.0.0.1:1/" in check["found"] and "NotSent" in check["found"] and "aws.endpoint_url" in check["hint"]


def test_one_account_under_two_names(emulator, doctor):
    e = emulator("orders")
    role = ROLE.replace("111111111111", "123456789012")
    accounts = f'a = {{ regions = "eu-central-1"; }}; b = {{ role_arn = "{role}"; regions = ["us-east-1", "eu-central-1"]; }};'
    status, answer = doctor(configuration(e, select("orders", "nightly"), accounts))
    assert (status, answer["state"]) == (1, "warning")
    assert "the same AWS account as a in the same region" in found(answer, "identity", "warning")["found"]
    status, answer = doctor(configuration(e, select("orders", "nightly"), accounts.replace(', "eu-central-1"]', "]")))
    assert status == 0


def test_without_signatures(emulator, doctor):
    e = emulator("orders", options=("--no-auth",))
    status, answer = doctor(configuration(e, select("orders", "nightly"), more="unsigned = true;"), env={})
    assert status == 0
    assert answer["accounts"][0]["identity"] is None and not e.calls("GetCallerIdentity")


def test_no_table_that_was_asked_about(emulator, doctor):
    """A table that is misspelt is no table that is well."""
    e = emulator("orders")
    status, answer = doctor(configuration(e, select("orders", "nightly")), "--table=order")
    assert status == 2 and found(answer, "tables", "failed")["object"] == "order"
    assert doctor(configuration(e, select("orders", "nightly")), "--table=order*")[0] == 0


def test_a_full_disk_is_no_answer(emulator, doctor, tmp_path):
    e = emulator("orders")
    assert doctor(configuration(e, select("orders", "nightly")))[0] == 0
    env = harness.environment(tmp_path, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)
    with open("/dev/full", "w") as full:
        command = [str(harness.BUILD / "ddbackupctl"), "doctor", f"--config={tmp_path / 'doctor.conf'}"]
        assert subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, env=env).returncode == 2


def test_a_bad_configuration(doctor):
    status, text = doctor("deployment = 1;", as_json=False)
    assert status == 2 and "doctor.conf:1: deployment" in text


# --- buckets ---


def exporting(name, when, bucket, more="", s3=""):
    return f'{name} = {{ action = "export"; when = "{when}"; s3 = {{ bucket = "{bucket}"; {s3} }}; {more} }};'


@pytest.fixture
def buckets(emulator, doctor):
    """(exit status, answer, {(object, check): (state, found)}) of schedules on one table and buckets of the emulator."""

    def ask(options, schedules, faults=(), more="", tables=("orders:pitr",), more_options=()):
        e = emulator(*tables, options=(*(f"--bucket={option}" for option in options), *more_options))
        e.faults(*faults)
        every = select([table.split(":")[0] for table in tables], *schedules)
        status, answer = doctor(configuration(e, every, schedules=schedules, more=more))
        rows = {(c["object"], c["check"]): (c["state"], c["found"]) for c in answer["checks"] if "s3://" in c["object"]}
        assert not [call for call in e.calls() if call["effect"]]
        return status, answer, rows

    return ask


def test_where_a_bucket_is(buckets):
    """In another region it is found, and what that costs is said."""
    schedules = {"weekly": exporting("weekly", "Sun 03:00", "here"), "daily": exporting("daily", "daily", "there")}
    status, answer, rows = buckets(["here:region=eu-central-1", "there:region=ap-southeast-2"], schedules)
    assert status == 0
    assert rows["s3://here", "bucket"] == ("ok", "it is in eu-central-1")
    assert rows["s3://there", "bucket"] == ("ok", "it is in ap-southeast-2, and has exports from eu-central-1: transfer between regions is billed")
    assert rows["s3://there", "lifecycle"] == ("ok", "it has no rules: nothing is deleted by itself")
    assert {b["bucket"]: b["region"] for b in answer["buckets"]} == {"here": "eu-central-1", "there": "ap-southeast-2"}


def test_buckets_of_templates(buckets):
    """Each once, however many tables go there."""
    schedules = {"weekly": exporting("weekly", "Sun 03:00", "%{account}-%{region}"), "daily": exporting("daily", "daily", "of-%{table}")}
    options = ["123456789012-eu-central-1", "of-orders"]
    status, answer, rows = buckets(options, schedules, tables=("orders:pitr", "users:pitr"))
    assert status == 2
    assert sorted(b["bucket"] for b in answer["buckets"]) == ["123456789012-eu-central-1", "of-orders", "of-users"]
    assert rows["s3://of-orders", "bucket"][0] == "ok"
    assert [key[1] for key in rows if key[0] == "s3://of-users"] == ["bucket"]
    assert rows["s3://of-users", "bucket"] == ("failed", "there is no bucket of-users")


def test_whose_a_bucket_is(buckets):
    schedules = {
        "told": exporting("told", "daily", "theirs", s3='bucket_owner = "111122223333";'),
        "wrong": exporting("wrong", "daily", "ours", s3='bucket_owner = "999999999999";'),
        "silent": exporting("silent", "daily", "squatted"),
    }
    status, answer, rows = buckets(["theirs:owner=111122223333", "ours", "squatted:owner=444455556666"], schedules)
    assert status == 2
    assert rows["s3://theirs", "owner"] == ("ok", "it is of account 111122223333, as s3.bucket_owner says")
    assert rows["s3://ours", "owner"] == ("failed", "it is not of account 999999999999, as s3.bucket_owner says: S3 answers 403")
    assert rows["s3://squatted", "owner"] == ("failed", "it is not of account 123456789012, whose tables are exported there")
    hints = {check["object"]: check["hint"] for check in answer["checks"] if check["check"] == "owner"}
    assert "S3AccessDenied" in hints["s3://ours"] and "set s3.bucket_owner" in hints["s3://squatted"]


@pytest.mark.parametrize(
    ("days", "keep", "state", "words"),
    [
        (30, "", "ok", "exports are deleted when they are 30 days old; no schedule says that it wants them longer"),
        (6, "", "failed", "rule 'expire' deletes what is 6 days old below p, and weekly wants it for 1w: it may be the last one there is"),
        (30, "last = 4;", "ok", "exports are deleted when they are 30 days old; no schedule says that it wants them longer"),
        (27, "last = 4;", "warning", "rule 'expire' deletes what is 27 days old below p, and weekly wants it for 4w: last 4"),
        (27, "last = 1; floor = 4;", "failed", "rule 'expire' deletes what is 27 days old below p, and weekly wants it for 4w: it may be the last one there is"),
    ],
)
def test_lifecycle_rules_against_the_policy(buckets, days, keep, state, words):
    more = f"keep = {{ {keep} }};" if keep else ""
    schedules = {"weekly": exporting("weekly", "Sun 03:00", "acme", more=more, s3='prefix = "p";')}
    status, answer, rows = buckets([f"acme:expire={days}"], schedules)
    assert status == {"ok": 0, "warning": 1, "failed": 2}[state]
    assert rows["s3://acme", "lifecycle"] == (state, words)


def test_lifecycle_rules_against_chains(buckets):
    schedules = {
        "weekly": exporting("weekly", "Sun 03:00", "bases"),
        "links": 'links = { action = "incremental"; base = "weekly"; when = "*:0/30"; s3 = { bucket = "links"; }; };',
    }
    status, answer, rows = buckets(["bases:expire=7", "links:expire=3"], schedules)
    assert status == 2 and rows["s3://bases", "lifecycle"][0] == "ok"
    assert rows["s3://links", "lifecycle"] == (
        "failed", "rule 'expire' deletes what is 3 days old, and links wants it for 1w: until the next base is there, the chain needs it")  # fmt: skip


def test_versions_are_told(buckets):
    status, answer, rows = buckets(["acme:versioned"], {"weekly": exporting("weekly", "Sun 03:00", "acme")})
    assert status == 0 and answer["buckets"][0]["versioning"] == "Enabled"
    assert rows["s3://acme", "versioning"] == ("ok", "on: what is deleted stays as a noncurrent version, and is billed for ever")


def arn_of(alias, region="eu-central-1"):
    return f"arn:aws:kms:{region}:123456789012:alias/{alias}"


def encrypting(**keys):
    """A schedule and a bucket of each name, with that key (None: AWS's own) and what else its s3 has."""
    schedules, options = {}, []
    for name, key in keys.items():
        key, more, owner = key if isinstance(key, tuple) else (key, "", "")
        own = f'kms_key_id = "{key}";' if key else ""
        schedules[name] = exporting(name, "daily", f"for-{name}", s3=f'sse_algorithm = "KMS"; {own} {more}')
        options.append(f"for-{name}:region=eu-central-1{owner}")
    return options, schedules


KEYS = tuple(f"--key={alias}:region=eu-central-1{more}" for alias, more in {
    "good": "", "off": ":state=Disabled", "going": ":state=PendingDeletion", "empty": ":state=PendingImport", "signs": ":spec=RSA_2048",
}.items())  # fmt: skip
THEIRS = ('bucket_owner = "111122223333";', ":owner=111122223333")


def test_keys(buckets):
    options, schedules = encrypting(
        far=arn_of("good", "us-east-1"), near=arn_of("good"), ours=None, theirs=(None, *THEIRS), off="alias/off", going="alias/going",
        empty="alias/empty", signs="alias/signs", none="alias/none", lent=("alias/good", *THEIRS), given=(arn_of("good"), *THEIRS),
    )  # fmt: skip
    schedules["plain"] = exporting("plain", "daily", "plain")
    status, answer, rows = buckets([*options, "plain:region=eu-central-1"], schedules, more_options=KEYS)
    assert status == 2 and answer["missing"] == []
    found = {object[len("s3://for-"):]: row for (object, check), row in rows.items() if check == "encryption"}
    well = "; allowed: kms:GenerateDataKey; not tested: kms:Decrypt"
    assert found.pop("going")[1].startswith("going: the key alias/going is PendingDeletion, and goes at 20")
    assert found == {
        "far": ("failed", f"far: the key {arn_of('good', 'us-east-1')} is of us-east-1, and the bucket of eu-central-1"),
        "near": ("ok", f"near: the key {arn_of('good')} is enabled" + well),
        "ours": ("ok", "ours: the key that AWS keeps for S3 (aws/s3)"),
        "theirs": ("warning", "theirs: the key that AWS keeps for S3 (aws/s3) is of the account that exports: account 111122223333, whose "
                   "bucket it is, cannot read what it encrypts"),
        "off": ("failed", "off: the key alias/off is Disabled"),
        "empty": ("failed", "empty: the key alias/empty is PendingImport"),
        "signs": ("failed", "signs: the key alias/signs is one of RSA_2048 for SIGN_VERIFY"),
        "none": ("failed", "none: the key alias/none is not there: KMS of eu-central-1 does not know it"),
        "lent": ("warning", "lent: the key alias/good is enabled" + well + "; it is of the account that exports, and the bucket of account 111122223333"),
        "given": ("ok", f"given: the key {arn_of('good')} is enabled" + well),
    }  # fmt: skip
    usable = {key["bucket"][len("for-"):]: key["usable"] for key in answer["keys"]}
    assert usable == {"far": None, "near": True, "off": False, "going": False, "empty": False, "signs": False, "none": False, "lent": True, "given": True}
    (near,) = [key for key in answer["keys"] if key["bucket"] == "for-near"]
    assert (near["key"], near["region"], near["state"], near["spec"]) == (arn_of("good"), "eu-central-1", "Enabled", "SYMMETRIC_DEFAULT")
    permissions = answer["places"][0]["permissions"]
    assert (permissions["kms:DescribeKey"], permissions["kms:GenerateDataKey"], permissions["kms:Decrypt"]) == ("allowed", "allowed", "not tested")


def test_keys_that_may_not_be_used(buckets):
    """A warning: what is denied to us may be allowed to S3 for us."""
    options, schedules = encrypting(mine="alias/good")
    denied = "{} times=forever error AccessDeniedException 400 no identity-based policy allows it"
    status, answer, rows = buckets(options, schedules, more_options=KEYS, faults=[denied.format("GenerateDataKey")])
    assert status == 1
    assert rows["s3://for-mine", "encryption"] == (
        "warning", "mine: the key alias/good: denied: kms:GenerateDataKey (no identity-based policy allows it); not tested: kms:Decrypt")  # fmt: skip
    (statement,) = answer["missing"][0]["statements"]
    assert statement["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"] and statement["Resource"] == answer["keys"][0]["arn"]
    assert answer["keys"][0]["usable"] is None and answer["places"][0]["permissions"]["kms:GenerateDataKey"] == "denied"

    status, answer, rows = buckets(options, schedules, more_options=KEYS, faults=[denied.format("DescribeKey"), denied.format("GenerateDataKey")])
    (statement,) = answer["missing"][0]["statements"]
    assert statement["Action"] == ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"]
    assert statement["Resource"] == "arn:aws:kms:eu-central-1:123456789012:key/*"

    status, answer, rows = buckets(options, schedules, more_options=KEYS, faults=[denied.format("DescribeKey")])
    assert (status, answer["missing"], answer["keys"][0]["usable"]) == (0, [], True)
    assert rows["s3://for-mine", "encryption"][1] == (
        "mine: the key alias/good can be used; denied, and needed here alone: kms:DescribeKey; allowed: kms:GenerateDataKey; not tested: kms:Decrypt")  # fmt: skip


def test_keys_of_buckets(buckets):
    """Records of chains are encrypted as the bucket says, and exports never are."""
    schedules = {
        "weekly": exporting("weekly", "Sun 03:00", "bases"), "alone": exporting("alone", "Sun 03:00", "alone"),
        "links": 'links = { action = "incremental"; base = "weekly"; when = "*:0/30"; s3 = { bucket = "links"; }; };',
    }  # fmt: skip
    options = ["alone:region=eu-central-1:kms=alias/off", "bases:region=eu-central-1", "links:region=eu-central-1:kms=alias/off"]
    status, answer, rows = buckets(options, schedules, more_options=KEYS)
    assert status == 2
    assert {row for row in rows.items() if row[0][1] == "encryption"} == {
        (("s3://links", "encryption"), ("failed", "records of chains: the key alias/off is Disabled"))}
    permissions = {b["bucket"]: b["permissions"]["s3:GetEncryptionConfiguration"] for b in answer["buckets"]}
    assert permissions == {"alone": "not needed", "bases": "allowed", "links": "allowed"}
    status, answer, rows = buckets(options[:2] + ["links:region=eu-central-1:kms=alias/aws/s3"], schedules, more_options=KEYS)
    assert status == 0 and rows["s3://links", "encryption"] == ("ok", "records of chains: the key that AWS keeps for S3 (aws/s3)")
    denied = "GetBucketEncryption " + DENIED.format("GetEncryptionConfiguration")
    status, answer, rows = buckets(options, schedules, more_options=KEYS, faults=[denied])
    assert status == 1 and rows["s3://links", "encryption"][1].startswith("not known: AccessDenied: User: x is not authorized")
    assert {"Effect": "Allow", "Action": ["s3:GetEncryptionConfiguration"], "Resource": "arn:aws:s3:::links"} in answer["missing"][0]["statements"]


def test_kms_does_not_answer(emulator, doctor):
    options, schedules = encrypting(mine="alias/good")
    e = emulator("orders:pitr", options=(f"--bucket={options[0]}", *KEYS))
    config = configuration(e, select("orders", "mine"), schedules=schedules, more="max_attempts = 1;")
    status, answer = doctor(config.replace(f'kms_endpoint_url = "{e.url}"', 'kms_endpoint_url = "http://127.0.0.1:1"'))
    assert status == 1 and answer["places"][0]["endpoints"]["kms"] == "http://127.0.0.1:1/"
    assert found(answer, "encryption", "warning")["found"].startswith("mine: the key alias/good is not known: NotSent: ")
    status, text = doctor(config, as_json=False)
    assert status == 0 and f"kms {e.url}/" in text


DENIED = "times=forever error AccessDenied 403 User: x is not authorized to perform: s3:{}"


def test_denied_actions_of_a_bucket(buckets):
    """Named one by one, with statements for the bucket and its objects; what only the doctor needs is a warning."""
    schedules = {"weekly": exporting("weekly", "Sun 03:00", "acme", more='verify = "manifest";')}
    status, answer, rows = buckets(["acme"], schedules, faults=["GetObject " + DENIED.format("GetObject")])
    assert status == 2
    assert rows["s3://acme", "permissions"][0] == "failed" and rows["s3://acme", "permissions"][1].startswith("denied: s3:GetObject; allowed: s3:ListBucket, ")
    assert answer["missing"][0]["statements"] == [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::acme/*"}]
    assert answer["places"][0]["permissions"]["s3:GetObject"] == "denied"

    faults = [f"{op} {DENIED.format(op)}" for op in ("GetBucketVersioning", "GetBucketLifecycleConfiguration")]
    status, answer, rows = buckets(["acme"], schedules, faults=faults)
    assert status == 1
    assert rows["s3://acme", "permissions"][0] == "warning"
    assert rows["s3://acme", "lifecycle"][0] == "warning" and rows["s3://acme", "lifecycle"][1].startswith("not known: AccessDenied: User: x")
    assert answer["missing"][0]["statements"] == [
        {"Effect": "Allow", "Action": ["s3:GetBucketVersioning", "s3:GetLifecycleConfiguration"], "Resource": "arn:aws:s3:::acme"}]  # fmt: skip

    # who may not list is told of missing objects that they are forbidden
    faults = ["HeadBucket times=forever error AccessDenied 403", "GetObject times=forever error AccessDenied 403"]
    status, answer, rows = buckets(["acme"], schedules, faults=faults)
    assert status == 2 and rows["s3://acme", "bucket"][0] == "failed" and "403" in rows["s3://acme", "bucket"][1]
    assert ("s3://acme", "owner") not in rows
    permissions = answer["buckets"][0]["permissions"]
    assert (permissions["s3:ListBucket"], permissions["s3:GetObject"]) == ("denied", "not tested")
    assert answer["missing"][0]["statements"] == [{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::acme"}]


def test_s3_does_not_answer(emulator, doctor):
    e = emulator("orders:pitr", options=(BUCKET,))
    config = configuration(e, select("orders", "weekly"), more="max_attempts = 1;")
    status, answer = doctor(config.replace(f's3_endpoint_url = "{e.url}"', 's3_endpoint_url = "http://127.0.0.1:1"'))
    assert status == 2
    assert {key: value for key, value in states(answer).items() if value != "ok"} == {("s3://acme-exports", "bucket"): "failed"}
    assert found(answer, "bucket", "failed")["found"].startswith("NotSent")
    assert answer["missing"] == [] and not answer["buckets"][0]["reached"]


def test_wrong_keys_and_clocks_with_s3(emulator, doctor):
    """HeadBucket has no words for what is wrong with a signature; the others have."""
    e = emulator("orders:pitr", options=(BUCKET, "--clock-offset=1h"))
    config = configuration(e, select("orders", "weekly"))
    status, answer = doctor(config)
    assert {key: value for key, value in states(answer).items() if value != "ok"} == {("eu-central-1", "clock"): "failed"}
    assert states(answer)["s3://acme-exports", "bucket"] == "ok"
    status, answer = doctor(config, env={"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert found(answer, "bucket", "failed")["found"].startswith("SignatureDoesNotMatch: ")
