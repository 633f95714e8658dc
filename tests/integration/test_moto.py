"""ddbackupd against moto, somebody else's idea of DynamoDB: a backup to AVAILABLE, an export to COMPLETED.

moto finishes both at once, names no TableId, and makes export ARNs of a form of its own; it takes any signature."""

import os
import socket
import subprocess
import sys

import boto3
import pytest
from botocore.config import Config

import harness
from harness import REGION, backup, compact, conf, export, select, soon, wait_until


class Moto:
    def __init__(self, directory):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        with (directory / "moto.log").open("wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=harness.environment(directory),
            )
        wait_until(self._answers, 30, "moto answers")

    def _answers(self):
        assert self.process.poll() is None
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="AKIAMOTO000000000000",
            aws_secret_access_key="any",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )


@pytest.fixture
def moto(tmp_path):
    one = Moto(tmp_path)
    dynamodb = one.client("dynamodb")
    for table in ("orders", "users"):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "1"}})
    dynamodb.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    one.client("s3").create_bucket(
        Bucket="acme-exports", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    yield one
    one.process.kill()
    one.process.wait()


def test_a_backup_and_an_export_settle(moto, daemon, ctl):
    when, slot = soon()
    d = daemon(
        conf(
            moto,
            backup("nightly", when) + export("full", when),
            select("*", "nightly") + "," + select("orders", "full"),
        ),
    )
    runs = d.wait_runs(3, 30)
    assert [(run["state"], run["why"]) for run in runs] == [("succeeded", None)] * 3
    by_name = {(run["name"], run["schedule"]): run for run in runs}

    made = moto.client("dynamodb").list_backups(TableName="orders")["BackupSummaries"]
    assert [(b["BackupArn"], b["BackupName"]) for b in made] == [
        (by_name["orders", "nightly"]["arn"], by_name["orders", "nightly"]["handle"])
    ]
    assert made[0]["BackupName"].startswith(f"acme.nightly.{compact(slot)}.")

    arn = by_name["orders", "full"]["arn"]
    described = moto.client("dynamodb").describe_export(ExportArn=arn)["ExportDescription"]
    assert described["ExportStatus"] == "COMPLETED" and described["S3Prefix"] == "orders"
    objects = moto.client("s3").list_objects_v2(Bucket="acme-exports", Prefix="orders/")
    assert objects["KeyCount"] > 0

    listed = ctl(d, "list").stdout
    assert listed.count("AVAILABLE") == 2 and listed.count("COMPLETED") == 1, listed


def test_the_doctor_asks_of_keys(moto, tmp_path):
    """moto makes data keys even as a dry run, and has no policies."""
    kms = moto.client("kms")
    good, off = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.disable_key(KeyId=off["KeyId"])
    for arn, status, words in ((good["Arn"], 0, "is enabled; allowed: kms:GenerateDataKey"), (off["Arn"], 2, "is Disabled")):
        config = tmp_path / "keys.conf"
        s3 = f's3 = {{ bucket = "acme-exports"; sse_algorithm = "KMS"; kms_key_id = "{arn}"; }};'
        urls = "".join(f' {name}_endpoint_url = "{moto.url}";' for name in ("sts", "s3", "kms"))
        text = conf(moto, f'full = {{ action = "export"; when = "daily"; {s3} }};', select("orders", "full"))
        config.write_text(text.replace("aws = {", "aws = {" + urls))
        command = [str(harness.BUILD / "ddbackupctl"), "doctor", "--config", str(config)]
        env = harness.environment(tmp_path, AWS_ACCESS_KEY_ID="AKIAMOTO000000000000", AWS_SECRET_ACCESS_KEY="any")
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
        assert done.returncode == status and f"full: the key {arn} {words}" in done.stdout, done


def test_a_missing_table_fails(moto, daemon):
    when, slot = soon()
    d = daemon(conf(moto, backup("nightly", when), select("gone", "nightly")))
    (run,) = d.wait_runs(1)
    assert run["state"] == "failed" and run["why"].startswith("ResourceNotFoundException: ")
    d.wait_line(rf"error +gone: backup nightly {slot} failed: .*; HINT: ")


def test_a_role_tags_doctor_and_rebuild(moto, daemon, ctl):
    text = conf(moto, backup("nightly", "*-01-01 00:00"), '{ tags = "tier=gold"; schedules = "nightly"; }')
    text = text.replace("endpoint_url", f's3_endpoint_url = "{moto.url}"; sts_endpoint_url = "{moto.url}"; endpoint_url', 1)
    text += 'accounts = { prod = { role_arn = "arn:aws:iam::123456789012:role/ddbackupd"; }; };'
    arn = moto.client("dynamodb").describe_table(TableName="orders")["Table"]["TableArn"]
    moto.client("dynamodb").tag_resource(ResourceArn=arn, Tags=[{"Key": "tier", "Value": "gold"}])
    d = daemon(text)
    d.wait_line("orders: enrolled in schedule nightly")
    assert ctl(d, "run", "nightly", "--wait").returncode == 0 and not d.lines("users: ")
    keys = {**d.env, "STATE_DIRECTORY": str(d.state)}

    def ask(verb):
        command = [harness.BUILD / "ddbackupctl", verb, "--config", d.config]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=keys)

    doctor = ask("doctor")
    assert doctor.returncode == 0 and "assumed-role/ddbackupd/ddbackupd-acme" in doctor.stdout, doctor
    assert d.stop() == 0
    for file in d.state.glob("ledger.db*"):
        file.unlink()
    assert "\n1 run taken in\n" in ask("rebuild").stdout
    assert [(run["name"], run["state"]) for run in d.ledger.runs()] == [("orders", "succeeded")]
