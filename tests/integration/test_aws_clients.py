"""AWS's own clients against the emulator: boto3 and awscli drive every operation that it knows, with signatures on, and
what AWS refuses is refused with AWS's codes."""

import base64
import concurrent.futures
import datetime
import gzip
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import zlib

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
from botocore.config import Config

import harness
from harness import KEY_ID, REGION, SECRET

ACCOUNT = "123456789012"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
OPERATIONS = {
    "CreateTable", "DeleteTable", "DescribeTable", "ListTables",
    "DescribeContinuousBackups", "UpdateContinuousBackups",
    "TagResource", "UntagResource", "ListTagsOfResource",
    "CreateBackup", "DescribeBackup", "ListBackups", "DeleteBackup",
    "ExportTableToPointInTime", "DescribeExport", "ListExports",
    "PutItem", "GetItem", "DeleteItem", "BatchWriteItem", "Scan", "RestoreTableFromBackup",
}  # fmt: skip
# AWS sends it and its model does not know it.
UNMODELLED = {"DestinationType"}


def unknown_members(value, shape, path=""):
    """The members of a reply that AWS's model does not know, and those that it requires and misses."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from unknown_members(inner, shape.members[name], f"{path}.{name}")
            elif name not in UNMODELLED:
                yield f"{path}.{name} is unknown"
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
    elif shape.type_name == "list":
        for i, inner in enumerate(value):
            yield from unknown_members(inner, shape.member, f"{path}[{i}]")
    elif shape.type_name == "string":
        if not isinstance(value, str) or (getattr(shape, "enum", None) and value not in shape.enum):
            yield f"{path} = {value!r}"
    elif shape.type_name in ("integer", "long", "timestamp"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{path} = {value!r}"
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield f"{path} = {value!r}"


# Of every operation, whatever its model says.
COMMON_ERRORS = {
    "com.amazon.coral.validate#ValidationException", "com.amazon.coral.service#UnrecognizedClientException",
    "com.amazon.coral.service#InvalidSignatureException", "com.amazon.coral.service#AccessDeniedException",
    "com.amazon.coral.availability#ThrottlingException",
}  # fmt: skip


def unlike_an_error(body, status, operation):
    """What the reply of a refusal has that AWS's model of the operation does not, in a list."""
    space, _, code = body["__type"].partition("#")
    shapes = {shape.name: shape for shape in operation.error_shapes}
    known = body["__type"] in COMMON_ERRORS or (space == "com.amazonaws.dynamodb.v20120810" and code in shapes)
    wrong = [] if known else [body["__type"]]
    wrong += [name for name in body if name not in ("__type", "message", "Message")]
    if not body.get("message", body.get("Message")):
        wrong.append("no message")
    return wrong + ([status] if status not in (400, 500) else [])


def client(emulator, key=KEY_ID, secret=SECRET, token=None, region=REGION, **config):
    config.setdefault("retries", {"total_max_attempts": 1})
    one = boto3.client(
        "dynamodb",
        endpoint_url=emulator.url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(proxies={}, **config),
    )

    def conforms(operation_model, response_dict, **_):
        if not response_dict["body"]:
            return
        body = json.loads(response_dict["body"])
        if response_dict["status_code"] == 200:
            wrong = list(unknown_members(body, operation_model.output_shape))
        else:
            wrong = unlike_an_error(body, response_dict["status_code"], operation_model)
        assert not wrong, (operation_model.name, wrong)

    one.meta.events.register("before-parse.dynamodb.*", conforms)
    return one


def refusal(call, *args, **kwargs):
    """The code and message that a call is refused with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **kwargs)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"].get("Message", "")


def table_definition(name, **more):
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        **more,
    }


def test_boto3_drives_every_operation(emulator):
    e = emulator("orders:pitr:items=3:size=4K", backup_time="200ms", export_time="300ms", rates=False)
    c = client(e)
    tables(c)
    backups(e, c)
    exports(c)
    items(c)
    assert {call["op"] for call in e.calls()} == OPERATIONS
    # the waiter for its end asks for the table until it is gone
    assert [(call["op"], call["code"]) for call in e.calls() if call["status"] != 200] == [
        ("DescribeTable", "ResourceNotFoundException"), ("DeleteBackup", "BackupInUseException"),
    ]  # fmt: skip


def tables(c):
    made = c.create_table(
        TableName="wide",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 2},
        GlobalSecondaryIndexes=[{
            "IndexName": "by-time",
            "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        }],
        LocalSecondaryIndexes=[{
            "IndexName": "local",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
        }],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSESpecification={"Enabled": True, "SSEType": "KMS"},
        TableClass="STANDARD",
        DeletionProtectionEnabled=False,
        Tags=[{"Key": "backup:tier", "Value": "gold"}],
    )["TableDescription"]  # fmt: skip
    assert made["TableStatus"] == "CREATING" and made["TableArn"] == TABLE_ARN + "wide"
    c.get_waiter("table_exists").wait(TableName="wide", WaiterConfig={"Delay": 1})
    described = c.describe_table(TableName=TABLE_ARN + "wide")["Table"]
    assert described["TableStatus"] == "ACTIVE" and described["TableId"] == made["TableId"]
    assert described["GlobalSecondaryIndexes"][0]["IndexName"] == "by-time"
    assert c.list_tables(ExclusiveStartTableName="orders", Limit=10)["TableNames"] == ["wide"]
    backup = c.create_backup(TableName="wide", BackupName="wide")["BackupDetails"]
    features = c.describe_backup(BackupArn=backup["BackupArn"])["BackupDescription"]["SourceTableFeatureDetails"]
    assert set(features) == {"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "StreamDescription"}
    c.tag_resource(ResourceArn=TABLE_ARN + "wide", Tags=[{"Key": "a", "Value": "b"}])
    c.untag_resource(ResourceArn=TABLE_ARN + "wide", TagKeys=["backup:tier"])
    assert c.list_tags_of_resource(ResourceArn=TABLE_ARN + "wide")["Tags"] == [{"Key": "a", "Value": "b"}]
    c.delete_table(TableName="wide")
    c.get_waiter("table_not_exists").wait(TableName="wide", WaiterConfig={"Delay": 1})


def backups(e, c):
    pitr = c.update_continuous_backups(
        TableName="orders",
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7},
    )["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert pitr["PointInTimeRecoveryStatus"] == "ENABLED" and pitr["RecoveryPeriodInDays"] == 7
    assert c.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"] == {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": pitr,
    }
    made = c.create_backup(TableName="orders", BackupName="nightly")["BackupDetails"]
    assert made["BackupStatus"] == "CREATING" and made["BackupType"] == "USER"
    description = harness.wait_until(
        lambda: (d := c.describe_backup(BackupArn=made["BackupArn"])["BackupDescription"])["BackupDetails"][
            "BackupStatus"
        ] == "AVAILABLE" and d,
        5,
        "AVAILABLE",
    )
    assert description["BackupDetails"] == {**made, "BackupStatus": "AVAILABLE"}
    assert description["SourceTableDetails"]["ItemCount"] == 3
    at = made["BackupCreationDateTime"]
    [summary] = c.list_backups(
        TableName=TABLE_ARN + "orders",
        Limit=1,
        TimeRangeLowerBound=at,
        TimeRangeUpperBound=at + datetime.timedelta(milliseconds=1),
        BackupType="USER",
    )["BackupSummaries"]
    assert summary == {
        **made, "BackupStatus": "AVAILABLE", "TableName": "orders", "TableArn": TABLE_ARN + "orders",
        "TableId": description["SourceTableDetails"]["TableId"],
    }  # fmt: skip
    assert not c.list_backups(TableName="orders", TimeRangeUpperBound=at)["BackupSummaries"]
    assert not c.list_backups(TableName="orders", ExclusiveStartBackupArn=made["BackupArn"])["BackupSummaries"]
    [known] = [backup for backup in e.state()["backups"] if backup["name"] == "nightly"]
    assert known["arn"] == made["BackupArn"] and known["table_id"] == summary["TableId"]
    c.restore_table_from_backup(
        TargetTableName="restored", BackupArn=made["BackupArn"], GlobalSecondaryIndexOverride=[]
    )
    summary = c.describe_table(TableName="restored")["Table"]["RestoreSummary"]
    assert summary["SourceBackupArn"] == made["BackupArn"] and summary["RestoreInProgress"]
    assert refusal(c.delete_backup, BackupArn=made["BackupArn"])[0] == "BackupInUseException"
    c.get_waiter("table_exists").wait(TableName="restored", WaiterConfig={"Delay": 1})
    assert c.scan(TableName="restored", Select="COUNT")["Count"] == 3
    deleted = c.delete_backup(BackupArn=made["BackupArn"])["BackupDescription"]
    assert deleted["BackupDetails"]["BackupStatus"] == "DELETED"
    assert not c.list_backups(TableName="orders")["BackupSummaries"]


def exports(c):
    ago = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=2)
    full = {
        "TableArn": TABLE_ARN + "orders",
        "ExportTime": ago,
        "ClientToken": "token",
        "S3Bucket": "acme-exports",
        "S3BucketOwner": "333333333333",
        "S3Prefix": "orders/daily",
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "alias/aws/s3",
        "ExportFormat": "ION",
        "ExportType": "FULL_EXPORT",
        "FilterSpecification": {"FilterExpression": "attribute_exists(id)"},
    }
    started = c.export_table_to_point_in_time(**full)["ExportDescription"]
    assert started["ExportStatus"] == "IN_PROGRESS"
    assert {name: started[name] for name in full} == full
    assert c.export_table_to_point_in_time(**full)["ExportDescription"]["ExportArn"] == started["ExportArn"]
    c.get_waiter("export_completed").wait(ExportArn=started["ExportArn"], WaiterConfig={"Delay": 1})
    done = c.describe_export(ExportArn=started["ExportArn"])["ExportDescription"]
    assert done["ItemCount"] == 3 and done["BilledSizeBytes"] == 4096
    assert done["ExportManifest"] == f"orders/daily/AWSDynamoDB/{done['ExportArn'][-23:]}/manifest-summary.json"
    window = {
        "ExportFromTime": ago,
        "ExportToTime": ago + datetime.timedelta(minutes=15),
        "ExportViewType": "NEW_IMAGE",
    }
    link = c.export_table_to_point_in_time(
        TableArn=TABLE_ARN + "orders",
        S3Bucket="acme-exports",
        ExportType="INCREMENTAL_EXPORT",
        IncrementalExportSpecification=window,
    )["ExportDescription"]
    assert link["IncrementalExportSpecification"] == window and "ExportTime" not in link
    page = c.list_exports(TableArn=TABLE_ARN + "orders", MaxResults=1)
    assert [summary["ExportType"] for summary in page["ExportSummaries"]] == ["INCREMENTAL_EXPORT"]
    page = c.list_exports(TableArn=TABLE_ARN + "orders", MaxResults=25, NextToken=page["NextToken"])
    assert [summary["ExportArn"] for summary in page["ExportSummaries"]] == [started["ExportArn"]]
    assert "NextToken" not in page


def items(c):
    c.delete_item(TableName="orders", Key={"id": {"S": "item-00000000"}})
    whole = {
        "id": {"S": "ü"}, "n": {"N": "-1.5"}, "b": {"B": b"\x00\xff"}, "set": {"SS": ["a", "b"]},
        "no": {"BOOL": False}, "nil": {"NULL": True}, "list": {"L": [{"N": "1"}, {"M": {"x": {"S": ""}}}]}, "ns": {"NS": ["1", "2"]},
        "bs": {"BS": [b"x"]},
    }  # fmt: skip
    assert "Attributes" not in c.put_item(TableName="orders", Item=whole)
    assert c.get_item(TableName="orders", Key={"id": {"S": "ü"}})["Item"] == whole
    assert c.put_item(TableName="orders", Item={"id": {"S": "ü"}}, ReturnValues="ALL_OLD")["Attributes"] == whole
    puts = [{"PutRequest": {"Item": {"id": {"S": f"batch-{i}"}, "i": {"N": str(i)}}}} for i in range(24)]
    delete = {"DeleteRequest": {"Key": {"id": {"S": "item-00000001"}}}}
    assert c.batch_write_item(RequestItems={"orders": [*puts, delete]})["UnprocessedItems"] == {}
    pages = list(c.get_paginator("scan").paginate(TableName="orders", PaginationConfig={"PageSize": 10}))
    assert [page["Count"] for page in pages] == [10, 10, 6]
    ids = {item["id"]["S"] for page in pages for item in page["Items"]}
    assert ids == {"ü", "item-00000002", *(f"batch-{i}" for i in range(24))}
    assert c.describe_table(TableName="orders")["Table"]["ItemCount"] == 26


def read_export(s3, description):
    """The records of an export, as anyone reads them who has the bucket: by its manifests, every sum checked."""
    bucket, folder = description["S3Bucket"], description["ExportManifest"].rsplit("/", 1)[0]

    def read(key):
        got = s3.get_object(Bucket=bucket, Key=key)
        return got["Body"].read(), got["ETag"].strip('"')

    def md5(bytes_):
        return base64.b64encode(hashlib.md5(bytes_).digest())

    for name in ("manifest-summary", "manifest-files"):
        assert read(f"{folder}/{name}.md5")[0] == md5(read(f"{folder}/{name}.json")[0])
    summary = json.loads(read(description["ExportManifest"])[0])
    assert summary["exportArn"] == description["ExportArn"] and summary["itemCount"] == description["ItemCount"]
    records = []
    for line in read(summary["manifestFilesS3Key"])[0].decode().splitlines():
        entry = json.loads(line)
        bytes_, etag = read(entry["dataFileS3Key"])
        assert md5(bytes_) == entry["md5Checksum"].encode() and etag == entry["etag"]
        assert etag == hashlib.md5(hashlib.md5(bytes_).digest()).hexdigest() + "-1"
        lines = gzip.decompress(bytes_).decode().splitlines()
        assert len(lines) == entry["itemCount"]
        records += [json.loads(record) for record in lines]
    assert len(records) == summary["itemCount"]
    return summary, records


def test_boto3_reads_exports(emulator):
    """A full export and an incremental one that goes on where it ended: together they make the table."""
    e = emulator("orders:pitr:items=50:size=20K", rates=False)
    c, s3 = client(e), e.client("s3")

    def export(**more):
        asked = {"TableArn": TABLE_ARN + "orders", "S3Bucket": "acme-exports", "S3Prefix": "daily", **more}
        arn = c.export_table_to_point_in_time(**asked)["ExportDescription"]["ExportArn"]
        c.get_waiter("export_completed").wait(ExportArn=arn, WaiterConfig={"Delay": 1})
        return read_export(s3, c.describe_export(ExportArn=arn)["ExportDescription"])

    begin = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(minutes=20)
    summary, records = export(ExportTime=begin)
    table = {record["Item"]["id"]["S"]: record["Item"] for record in records}
    assert len(table) == 50 and summary["s3Prefix"] == "daily" and summary["billedSizeBytes"] == 20480
    assert summary["exportTime"] == begin.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    c.put_item(TableName="orders", Item={"id": {"S": "new"}, "b": {"B": b"\x00"}})
    c.put_item(TableName="orders", Item={"id": {"S": "item-00000007"}})
    c.delete_item(TableName="orders", Key={"id": {"S": "item-00000008"}})
    time.sleep(1)
    window = {"ExportFromTime": begin, "ExportToTime": int(time.time())}
    summary, records = export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=window)
    assert (summary["exportFromTime"], summary["outputView"]) == (
        begin.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "NEW_AND_OLD_IMAGES",
    )  # fmt: skip
    assert [set(record) - {"Metadata", "Keys"} for record in sorted(records, key=lambda r: r["Keys"]["id"]["S"])] == [
        {"NewImage", "OldImage"}, {"OldImage"}, {"NewImage"},
    ]  # fmt: skip
    for record in records:
        table.pop(record["Keys"]["id"]["S"], None)
        if "NewImage" in record:
            table[record["NewImage"]["id"]["S"]] = record["NewImage"]
    now = [json.loads(line) for line in e.control(f"items/{REGION}/orders").splitlines()]
    assert sorted(table.values(), key=str) == sorted(now, key=str) and len(now) == 50


def test_items_as_tests_see_them(emulator):
    e = emulator("orders:items=2")
    before = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    time.sleep(0.002)
    e.control("items", f"{REGION} orders 1 2 changed now")
    lines = [json.loads(line) for line in e.control(f"items/{REGION}/orders").splitlines()]
    assert [(line["id"]["S"], line.get("mark", {}).get("S")) for line in lines] == [
        ("item-00000000", None), ("item-00000001", "changed now"), ("item-00000002", "changed now"),
    ]  # fmt: skip
    path = f"items/{REGION}/orders/{before.replace('+00:00', 'Z')}"
    assert len(e.control(path).splitlines()) == 2 and "changed" not in e.control(path)
    e.control("items", f"{REGION} orders 0 3")
    assert e.control(f"items/{REGION}/orders") == ""
    for body in ("orders", f"{REGION} nobody 0 1 x", f"{REGION} orders x 1"):
        with pytest.raises(urllib.error.HTTPError):
            e.control("items", body)


def test_paginators(emulator):
    e = emulator(*[f"t{i:03}" for i in range(230)], rates=False)
    c = client(e)
    assert c.get_paginator("list_tables").paginate().build_full_result()["TableNames"] == [
        f"t{i:03}" for i in range(230)
    ]
    assert len(e.calls("ListTables")) == 3
    made = [c.create_backup(TableName="t007", BackupName=f"b{i:03}")["BackupDetails"]["BackupArn"] for i in range(105)]
    pages = list(c.get_paginator("list_backups").paginate(TableName="t007"))
    assert [len(page["BackupSummaries"]) for page in pages] == [100, 5]
    assert sorted(b["BackupArn"] for page in pages for b in page["BackupSummaries"]) == sorted(made)
    limited = c.get_paginator("list_backups").paginate(PaginationConfig={"PageSize": 30, "MaxItems": 70})
    assert len(limited.build_full_result()["BackupSummaries"]) == 70
    c.tag_resource(ResourceArn=TABLE_ARN + "t007", Tags=[{"Key": f"k{i}", "Value": "v"} for i in range(50)])
    tags = c.get_paginator("list_tags_of_resource").paginate(ResourceArn=TABLE_ARN + "t007").build_full_result()
    assert len(tags["Tags"]) == 50


class Cli:
    """awscli, with nothing of this machine's configuration."""

    def __init__(self, emulator, directory, service="dynamodb", **env):
        self.url, self.service = emulator.url, service
        self.env = harness.environment(
            directory,
            AWS_ACCESS_KEY_ID=KEY_ID,
            AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_DEFAULT_REGION=REGION,
            AWS_MAX_ATTEMPTS="1",
            AWS_PAGER="",
            **env,
        )

    def run(self, operation, *args):
        program = os.path.join(os.path.dirname(sys.executable), "aws")
        command = [sys.executable, program, "--endpoint-url", self.url, "--output", "json", self.service, operation]
        return subprocess.run([*command, *args], env=self.env, capture_output=True, text=True, timeout=60)

    def __call__(self, operation, *args):
        done = self.run(operation, *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


def test_awscli_drives_every_operation(emulator, tmp_path):
    e = emulator(
        "orders:pitr:items=3", backup_time="0s", export_time="0s", rates=False, options=("--restore-time=0",)
    )
    aws = Cli(e, tmp_path)
    aws("create-table", "--cli-input-json", json.dumps(table_definition("fresh")))
    backup = aws("create-backup", "--table-name", "orders", "--backup-name", "nightly")["BackupDetails"]["BackupArn"]
    export = aws(
        "export-table-to-point-in-time", "--table-arn", TABLE_ARN + "orders", "--s3-bucket", "acme", "--client-token",
        "t", "--s3-prefix", "daily", "--export-format", "DYNAMODB_JSON",
    )["ExportDescription"]["ExportArn"]  # fmt: skip
    aws("tag-resource", "--resource-arn", TABLE_ARN + "fresh", "--tags", "Key=a,Value=b", "Key=c,Value=d")
    calls = {
        "describe-table": ("--table-name", "fresh"),
        "list-tables": ("--page-size", "1"),
        "update-continuous-backups": (
            "--table-name", "fresh", "--point-in-time-recovery-specification", "PointInTimeRecoveryEnabled=true",
        ),
        "describe-continuous-backups": ("--table-name", "orders"),
        "list-tags-of-resource": ("--resource-arn", TABLE_ARN + "fresh"),
        "untag-resource": ("--resource-arn", TABLE_ARN + "fresh", "--tag-keys", "a"),
        "describe-backup": ("--backup-arn", backup),
        "list-backups": ("--table-name", "orders", "--time-range-lower-bound", str(int(time.time()) - 60)),
        "describe-export": ("--export-arn", export),
        "list-exports": ("--table-arn", TABLE_ARN + "orders"),
        "restore-table-from-backup": ("--target-table-name", "restored", "--backup-arn", backup),
        "put-item": ("--table-name", "orders", "--item", '{"id": {"S": "put"}}'),
        "get-item": ("--table-name", "orders", "--key", '{"id": {"S": "item-00000002"}}'),
        "delete-item": ("--table-name", "orders", "--key", '{"id": {"S": "item-00000001"}}'),
        "batch-write-item": ("--request-items", '{"orders": [{"PutRequest": {"Item": {"id": {"S": "batch"}}}}]}'),
        "scan": ("--table-name", "orders", "--page-size", "1"),
    }  # fmt: skip
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        replies = dict(zip(calls, pool.map(lambda op: aws(op, *calls[op]), calls)))
    assert replies["list-tables"]["TableNames"] == ["fresh", "orders"]
    assert replies["describe-backup"]["BackupDescription"]["BackupDetails"]["BackupStatus"] == "AVAILABLE"
    assert replies["list-backups"]["BackupSummaries"][0]["BackupArn"] == backup
    assert replies["describe-export"]["ExportDescription"]["ExportStatus"] == "COMPLETED"
    assert replies["list-exports"]["ExportSummaries"][0]["ExportArn"] == export
    aws("delete-backup", "--backup-arn", backup)
    aws("delete-table", "--table-name", "fresh")
    failed = aws.run("describe-backup", "--backup-arn", backup)
    assert failed.returncode != 0 and "(BackupNotFoundException)" in failed.stderr
    assert {call["op"] for call in e.calls()} == OPERATIONS


def test_awscli_wrong_secret(emulator, tmp_path):
    e = emulator("orders")
    aws = Cli(e, tmp_path)
    aws.env["AWS_SECRET_ACCESS_KEY"] = "wrong"
    failed = aws.run("list-tables")
    assert failed.returncode != 0 and "(InvalidSignatureException)" in failed.stderr


# ---- what is refused ----


def test_wrong_credentials(emulator):
    e = emulator("orders")
    code, message = refusal(client(e, secret="wrong").create_backup, TableName="orders", BackupName="abc")
    assert code == "InvalidSignatureException"
    assert message.startswith("The request signature we calculated does not match the signature you provided.")
    code, message = refusal(client(e, key="AKIANOBODY0000000000").list_tables)
    assert (code, message) == (
        "UnrecognizedClientException", "The security token included in the request is invalid.",
    )  # fmt: skip
    assert refusal(client(e, token="stray").list_tables)[0] == "UnrecognizedClientException"
    assert not e.state()["backups"] and not any(call["effect"] for call in e.calls())


def test_session_token(emulator):
    e = emulator("orders", options=("--session-token", "TOKEN/EXAMPLE=="))
    assert client(e, token="TOKEN/EXAMPLE==").list_tables()["TableNames"] == ["orders"]
    assert refusal(client(e, token="another").list_tables)[0] == "UnrecognizedClientException"
    assert refusal(client(e).list_tables)[0] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    "seconds, words", [(-310, "Signature expired: "), (310, "Signature not yet current: "), (-290, None), (290, None)]
)
def test_date(emulator, monkeypatch, seconds, words):
    e = emulator("orders")
    now = botocore.auth.get_current_datetime
    shifted = datetime.timedelta(seconds=seconds)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *args: now(*args) + shifted)
    if words is None:
        assert client(e).list_tables()["TableNames"] == ["orders"]
        return
    code, message = refusal(client(e).list_tables)
    assert code == "InvalidSignatureException" and message.startswith(words) and "5 min.)" in message


def test_clock_of_the_emulator(emulator):
    e = emulator("orders", options=("--clock-offset", "-2h"))
    code, message = refusal(client(e).list_tables)
    assert code == "InvalidSignatureException" and message.startswith("Signature not yet current: ")
    e.control("clock", "2h")
    assert client(e).list_tables()["TableNames"] == ["orders"]


def test_region_and_service(emulator):
    e = emulator("orders", options=("--region", "eu-west-1"))
    assert client(e, region="eu-west-1").list_tables()["TableNames"] == ["orders"]
    code, message = refusal(client(e, region="us-east-1").list_tables)
    assert code == "InvalidSignatureException"
    assert message == "Credential should be scoped to a valid region, not 'us-east-1'. "
    assert raw(e, "ListTables", {}, service="s3")["code"] == "InvalidSignatureException"


def test_regions_are_apart(emulator):
    e = emulator("orders")
    made = client(e, region="eu-west-1").create_backup(TableName="orders", BackupName="abc")
    arn = made["BackupDetails"]["BackupArn"]
    assert not client(e).list_backups()["BackupSummaries"]
    assert refusal(client(e).describe_backup, BackupArn=arn)[0] == "BackupNotFoundException"


# ---- the wire ----


def signed(emulator, operation, body, service="dynamodb", region=REGION):
    request = botocore.awsrequest.AWSRequest(
        "POST",
        emulator.url + "/",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"},
    )
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY_ID, SECRET), service, region).add_auth(request)
    return request


def send(emulator, method, body, headers, path="/"):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(emulator.url).netloc, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        reply = connection.getresponse()
        content = reply.read()
    finally:
        connection.close()
    parsed = json.loads(content) if content.startswith(b"{") else {}
    return {"status": reply.status, "headers": reply.headers, "body": content, "json": parsed,
            "code": parsed.get("__type", "").rpartition("#")[2]}  # fmt: skip


def raw(emulator, operation, body, change=lambda request: None, **scope):
    request = signed(emulator, operation, body, **scope)
    change(request)
    return send(emulator, "POST", request.data, request.headers)


def test_tampered_requests(emulator):
    e = emulator("orders", rates=False)
    backup = {"TableName": "orders", "BackupName": "abc"}

    def tamper_body(request):
        request.data = request.data.replace(b"abc", b"abd")

    def tamper_target(request):
        request.headers.replace_header("X-Amz-Target", "DynamoDB_20120810.ListTables")

    def tamper_date(request):
        date = datetime.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        request.headers.replace_header("X-Amz-Date", (date - datetime.timedelta(seconds=1)).strftime("%Y%m%dT%H%M%SZ"))

    def drop(name):
        return lambda request: request.headers.__delitem__(name)

    def set_authorization(function):
        return lambda r: r.headers.replace_header("Authorization", function(r.headers["Authorization"]))

    expected = [
        (tamper_body, "InvalidSignatureException"),
        (tamper_target, "InvalidSignatureException"),
        (tamper_date, "InvalidSignatureException"),
        (drop("Authorization"), "MissingAuthenticationTokenException"),
        (drop("X-Amz-Date"), "IncompleteSignatureException"),
        (set_authorization(lambda a: a.partition(", Signature")[0]), "IncompleteSignatureException"),
        (set_authorization(lambda a: a.replace("Credential=", "Credential")), "IncompleteSignatureException"),
        (set_authorization(lambda a: a.replace("HMAC-SHA256", "HMAC-SHA1")), "IncompleteSignatureException"),
        (set_authorization(lambda a: a.replace("/aws4_request", "")), "IncompleteSignatureException"),
        (set_authorization(lambda a: a.replace("host;", "")), "InvalidSignatureException"),
        (set_authorization(lambda a: a[:-1] + ("0" if a[-1] != "0" else "1")), "InvalidSignatureException"),
        (set_authorization(lambda a: "Basic eDp5"), "MissingAuthenticationTokenException"),
    ]
    for change, code in expected:
        reply = raw(e, "CreateBackup", backup, change)
        assert (reply["status"], reply["code"]) == (400, code)
        assert reply["json"]["__type"].startswith("com.amazon.coral.service#")
    assert not e.state()["backups"]
    assert raw(e, "CreateBackup", backup)["status"] == 200
    assert len(e.state()["backups"]) == 1


def test_head_of_replies(emulator):
    e = emulator("orders")
    for operation, status in (("ListTables", 200), ("DescribeBackup", 400)):
        reply = raw(e, operation, {})
        assert reply["status"] == status
        assert reply["headers"]["Content-Type"] == "application/x-amz-json-1.0"
        assert int(reply["headers"]["x-amz-crc32"]) == zlib.crc32(reply["body"])
        request_id = reply["headers"]["x-amzn-RequestId"]
        assert len(request_id) == 52 and request_id.isalnum() and request_id.upper() == request_id
        assert reply["headers"].get_all("Date") and len(reply["headers"].get_all("Date")) == 1
        date = datetime.datetime.strptime(reply["headers"]["Date"], "%a, %d %b %Y %H:%M:%S GMT")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        assert abs((now - date).total_seconds()) < 5
        assert e.calls()[-1]["request_id"] == request_id


def test_odd_requests(emulator):
    e = emulator("orders")

    def content_type(request):
        request.headers.replace_header("Content-Type", "text/plain")

    assert raw(e, "ListTables", {}, content_type)["status"] == 404
    assert raw(e, "ListTables", {}, content_type)["body"] == b"<UnknownOperationException/>\n"
    assert raw(e, "Query", {})["code"] == "UnknownOperationException"
    assert raw(e, "ListTables", {"Limit": "1"})["code"] == "SerializationException"
    assert raw(e, "ListTables", ["Limit"])["code"] == "SerializationException"
    assert raw(e, "ListTables", {"DefinitelyNotAMember": 1})["status"] == 200
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    assert send(e, "POST", b"{not json", headers)["code"] == "SerializationException"
    assert send(e, "POST", b"x" * (17 << 20), headers)["status"] == 413
    assert send(e, "GET", None, {})["body"] == b"healthy: dynamodb.us-east-1.amazonaws.com "
    assert send(e, "GET", None, {}, "/_emulator/nothing")["status"] == 404


def test_path_and_query_are_signed(emulator):
    e = emulator("orders", rates=False)
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    for path in ("/a/../b//c", "/a%20b/%C3%BC?x=1&a=%2F&a=&b", "/?b=~&a-b=1&a=2"):
        request = botocore.awsrequest.AWSRequest("POST", e.url + path, data=b"{}", headers=dict(headers))
        botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY_ID, SECRET), "dynamodb", REGION).add_auth(request)
        assert send(e, "POST", b"{}", request.headers, path)["status"] == 200, path


def test_words_of_validation(emulator):
    e = emulator("orders:pitr", rates=False)
    c = client(e, parameter_validation=False)
    arn = TABLE_ARN + "orders"
    expected = [
        (c.create_backup, {"TableName": "orders", "BackupName": "ab"}, "ValidationException",
         "1 validation error detected: Value 'ab' at 'backupName' failed to satisfy constraint: Member must have "
         "length greater than or equal to 3"),
        (c.create_backup, {"TableName": "nobody", "BackupName": "abc"}, "TableNotFoundException",
         "Table not found: nobody"),
        (c.create_backup, {"TableName": arn.replace(ACCOUNT, "9" * 12), "BackupName": "abc"}, "AccessDeniedException",
         "Access is denied"),
        (c.describe_table, {"TableName": "nobody"}, "ResourceNotFoundException",
         "Requested resource not found: Table: nobody not found"),
        (c.describe_table, {"TableName": arn.replace(REGION, "us-east-1")}, "ValidationException",
         f"1 validation error detected: Invalid AWS region in '{arn.replace(REGION, 'us-east-1')}'"),
        (c.list_backups, {"Limit": 101}, "ValidationException",
         "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value "
         "less than or equal to 100"),
        (c.describe_continuous_backups, {"TableName": "nobody"}, "TableNotFoundException", "Table not found: nobody"),
        (c.update_continuous_backups, {"TableName": "orders", "PointInTimeRecoverySpecification": {}},
         "ValidationException",
         "1 validation error detected: Value null at 'pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled' "
         "failed to satisfy constraint: Member must not be null"),
        (c.describe_export, {"ExportArn": arn}, "ValidationException", "Invalid Export ARN"),
        (c.describe_export, {"ExportArn": arn + "/export/01795521600123-00000001"}, "ExportNotFoundException",
         f"Export not found: Export not found: {arn}/export/01795521600123-00000001"),
        (c.export_table_to_point_in_time, {"TableArn": arn, "S3Bucket": "acme", "ClientToken": "a$b"},
         "ValidationException",
         "1 validation error detected: Value 'a$b' at 'clientToken' failed to satisfy constraint: Member must satisfy "
         "regular expression pattern: ^[^\\$]+$"),
        (c.tag_resource, {"ResourceArn": arn, "Tags": [{"Key": "aws:x", "Value": ""}]}, "ValidationException",
         "One or more parameter values were invalid: Tag Key cannot be prefixed with aws:, Key: aws:x"),
        (c.create_table, table_definition("orders"), "ResourceInUseException", "Table already exists: orders"),
        (c.create_table, table_definition("other", AttributeDefinitions=[]), "ValidationException",
         "One or more parameter values were invalid: Some index key attributes are not defined in "
         "AttributeDefinitions. Keys: [id], AttributeDefinitions: []"),
    ]  # fmt: skip
    for call, parameters, code, message in expected:
        assert refusal(call, **parameters) == (code, message)


def test_rates(emulator):
    e = emulator("orders")
    c = client(e)
    codes = []
    for _ in range(12):
        try:
            c.list_backups()
            codes.append("")
        except botocore.exceptions.ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes.count("") in (5, 6) and set(codes) == {"", "ThrottlingException"}
    # AWS's retries get through
    patient = client(e, retries={"mode": "standard", "total_max_attempts": 8})
    for _ in range(6):
        patient.list_backups()


# ---- faults, on real sockets ----


def test_faults_on_the_wire(emulator):
    e = emulator("orders", rates=False)
    backup = {"TableName": "orders", "BackupName": "abc"}

    def count():
        return len(e.state()["backups"])

    for rule, error, made in (
        ("drop-before", http.client.RemoteDisconnected, 0),
        ("drop-after", http.client.RemoteDisconnected, 1),
        ("truncate", http.client.IncompleteRead, 1),
    ):
        before = count()
        e.faults(f"CreateBackup {rule}")
        with pytest.raises(error):
            raw(e, "CreateBackup", backup)
        assert count() - before == made, rule
        assert e.calls()[-1]["fault"] == rule and e.calls()[-1]["effect"] == bool(made)
    e.faults("CreateBackup error-after InternalServerError 500")
    before = count()
    assert raw(e, "CreateBackup", backup)["status"] == 500
    assert count() - before == 1
    e.faults("ListTables oversize 3M", "ListTables html 502", "ListTables garbage", "ListTables crc")
    assert len(raw(e, "ListTables", {})["body"]) == 3 << 20
    reply = raw(e, "ListTables", {})
    assert reply["status"] == 502 and reply["headers"]["Content-Type"] == "text/html"
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw(e, "ListTables", {})["body"].decode(errors="replace"))
    reply = raw(e, "ListTables", {})
    assert int(reply["headers"]["x-amz-crc32"]) != zlib.crc32(reply["body"])
    assert all(rule["spent"] for rule in json.loads(e.control("faults")))


def test_a_late_request_holds_up_nobody(emulator):
    e = emulator("orders", rates=False)
    e.faults("CreateBackup late 1s", "CreateBackup delay 1s")
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        late = pool.submit(raw, e, "CreateBackup", {"TableName": "orders", "BackupName": "abc"})
        while time.monotonic() < begin + 0.8:
            assert raw(e, "ListTables", {})["status"] == 200
            assert not e.state()["backups"]
        harness.wait_until(lambda: e.state()["backups"], 5, "the late effect")
        assert not late.done()  # its reply takes another second
        assert late.result()["status"] == 200
    assert 2 <= time.monotonic() - begin < 4


def test_bad_fault_rules(emulator):
    e = emulator("orders")
    reply = send(e, "POST", b"* garbage\n* explode", {}, "/_emulator/faults")
    assert reply["status"] == 400 and reply["body"] == b"faults: line 2: explode: no such action or condition\n"
    assert json.loads(e.control("faults")) == []


def test_kept_connections(emulator):
    e = emulator("orders", rates=False)
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(e.url).netloc, timeout=10)
    connection.connect()
    for _ in range(3):
        socket = connection.sock
        request = signed(e, "ListTables", {})
        connection.request("POST", "/", request.data, dict(request.headers))
        assert connection.getresponse().read() == b'{"TableNames":["orders"]}'
        assert connection.sock is socket
    connection.close()


def test_log_file(emulator, tmp_path):
    log = tmp_path / "requests.log"
    e = emulator("orders", options=("--log", str(log)))
    made = client(e).create_backup(TableName="orders", BackupName="abc")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines == e.calls()
    [line] = lines
    assert line["op"] == "CreateBackup" and line["table"] == "orders" and line["effect"] is True
    assert line["account"] == ACCOUNT and line["key"] == KEY_ID and line["region"] == REGION
    assert line["request_id"] == made["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--port=70000"], "--port=70000: not a number, or too large"),
        (
            ["--table=orders:item=3"],
            "--table=orders:item=3: not a table; HINT: NAME[:pitr][:items=N][:size=SIZE][:tag=KEY=VALUE]",
        ),
        (
            ["--bucket=acme:for=us"],
            "--bucket=acme:for=us: not a bucket; HINT: "
            "NAME[:region=REGION][:owner=ACCOUNT][:versioned][:kms=KEY][:expire=DAYS]",
        ),
        (["--key=a:for=us"], "--key=a:for=us: not a key; HINT: ALIAS[:region=REGION][:state=STATE][:spec=SPEC]"),
        (["--key=a:state=off"], "a: not an alias of a key, or no such region, state or spec"),
        (["--bucket=a"], "a: not a name of a bucket, or no such region"),
        (["--table=a"], "a: not a name of a table"),
        (["--table=orders", "--table=orders"], "orders: given twice"),
        (["--backup-time=5"], "--backup-time=5: not a duration; HINT: 250ms, 5s, 2min"),
        (["--fault=ListTables explode"], "faults: line 1: explode: no such action or condition"),
        (["--acount=1"], "--acount=1: no such option; HINT: did you mean --account?"),
        (["--address=localhost"], "localhost: not a numeric address"),
        (["stray"], "stray: takes no arguments; HINT: see ddbackup-emulator --help"),
    ],
)
def test_wrong_options(arguments, message):
    command = [str(harness.BUILD / "ddbackup-emulator"), "--port=0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, env=harness.environment("/nonexistent"))
    assert done.returncode in (1, 2) and done.stderr == f"ddbackup-emulator: {message}\n" and not done.stdout


def test_ends_at_once(emulator):
    e = emulator("orders")
    e.faults("ListTables delay 1h")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(raw, e, "ListTables", {})
        harness.wait_until(lambda: e.calls("ListTables"), 5, "the call")
        begin = time.monotonic()
        assert e.stop() == 0
        assert time.monotonic() - begin < 1
        with pytest.raises(OSError):
            stuck.result()
