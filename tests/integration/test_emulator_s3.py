"""S3 as the emulator serves it, driven by boto3, awscli and curl."""

import hashlib
import json
import os
import subprocess
import sys

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

import harness
from harness import KEY_ID, REGION, SECRET

BUCKETS = ("--bucket=acme-exports:region=eu-central-1", "--bucket=far-away:region=us-west-2:versioned:kms=alias/far:expire=30")


def client(emulator, region=REGION, secret=SECRET, **config):
    config.setdefault("retries", {"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=emulator.url,
        region_name=region,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=secret,
        config=Config(proxies={}, **config),
    )


def refusal(call, *args, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*args, **kwargs)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_objects(emulator):
    e = emulator("orders", options=BUCKETS)
    s3 = client(e)
    bytes_ = bytes(range(256)) * 1000
    key = "daily/ü b+c//%41.bin"
    etag = f'"{hashlib.md5(bytes_).hexdigest()}"'
    assert s3.put_object(Bucket="acme-exports", Key=key, Body=bytes_, ContentType="x/y")["ETag"] == etag
    got = s3.get_object(Bucket="acme-exports", Key=key)
    assert got["Body"].read() == bytes_ and got["ETag"] == etag and got["ContentType"] == "x/y"
    part = s3.get_object(Bucket="acme-exports", Key=key, Range="bytes=255-257")
    assert part["Body"].read() == b"\xff\x00\x01" and part["ContentRange"] == "bytes 255-257/256000"
    head = s3.head_object(Bucket="acme-exports", Key=key)
    assert head["ContentLength"] == 256000 and head["ETag"] == etag
    assert refusal(s3.put_object, Bucket="acme-exports", Key=key, Body=b"", IfNoneMatch="*") == (
        "PreconditionFailed", 412,
    )  # fmt: skip
    assert s3.get_object(Bucket="acme-exports", Key=key, IfMatch=etag)["ContentLength"] == 256000
    assert refusal(s3.get_object, Bucket="acme-exports", Key="nothing") == ("NoSuchKey", 404)
    assert refusal(s3.head_object, Bucket="acme-exports", Key="nothing") == ("404", 404)
    assert refusal(s3.get_object, Bucket="nobodys", Key="x") == ("NoSuchBucket", 404)
    s3.delete_object(Bucket="acme-exports", Key=key)
    assert refusal(s3.get_object, Bucket="acme-exports", Key=key) == ("NoSuchKey", 404)
    assert [(call["op"], call["table"], call["effect"]) for call in e.calls()][:2] == [
        ("PutObject", f"acme-exports/{key}", True),
        ("GetObject", f"acme-exports/{key}", False),
    ]


def test_listings_page_by_page(emulator):
    e = emulator("orders", options=BUCKETS)
    s3 = client(e)
    keys = [f"p/{i % 5}/ü&<{i}" for i in range(23)] + ["q"]
    for key in keys:
        s3.put_object(Bucket="acme-exports", Key=key, Body=b"x")
    pages = list(s3.get_paginator("list_objects_v2").paginate(
        Bucket="acme-exports", Prefix="p/", PaginationConfig={"PageSize": 4}
    ))  # fmt: skip
    assert [len(page["Contents"]) for page in pages] == [4, 4, 4, 4, 4, 3]
    assert [one["Key"] for page in pages for one in page["Contents"]] == sorted(keys[:-1])
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="acme-exports", Prefix="p/", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    assert [one["Prefix"] for page in pages for one in page["CommonPrefixes"]] == [f"p/{i}/" for i in range(5)]


def test_buckets(emulator):
    s3 = client(emulator("orders", options=BUCKETS))
    assert s3.head_bucket(Bucket="acme-exports")["BucketRegion"] == REGION
    assert s3.get_bucket_location(Bucket="acme-exports")["LocationConstraint"] == REGION
    assert "Status" not in s3.get_bucket_versioning(Bucket="acme-exports")
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket="acme-exports")[0] == "NoSuchLifecycleConfiguration"
    west = client(emulator("orders", options=BUCKETS), region="us-west-2")
    assert west.get_bucket_versioning(Bucket="far-away")["Status"] == "Enabled"
    default = west.get_bucket_encryption(Bucket="far-away")["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/far"}
    [rule] = west.get_bucket_lifecycle_configuration(Bucket="far-away")["Rules"]
    assert rule["Expiration"] == {"Days": 30} and rule["Status"] == "Enabled"
    s3.create_bucket(Bucket="fresh", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {"acme-exports", "far-away", "fresh"}
    assert refusal(s3.head_object, Bucket="fresh", Key="x", ExpectedBucketOwner="333333333333") == ("403", 403)


def test_clients_follow_a_bucket_to_its_region(emulator):
    e = emulator("orders", options=BUCKETS)
    s3 = client(e)
    s3.put_object(Bucket="far-away", Key="a", Body=b"x")
    assert s3.get_object(Bucket="far-away", Key="a")["Body"].read() == b"x"
    calls = [(call["op"], call["region"], call["status"]) for call in e.calls()]
    assert calls[0] == ("PutObject", REGION, 301)
    assert ("PutObject", "us-west-2", 200) in calls and calls[-1] == ("GetObject", "us-west-2", 200)


def test_wrong_secrets_and_faults(emulator):
    e = emulator("orders", options=BUCKETS)
    assert refusal(client(e, secret="wrong").get_object, Bucket="acme-exports", Key="a") == (
        "SignatureDoesNotMatch", 403,
    )  # fmt: skip
    s3 = client(e)
    s3.put_object(Bucket="acme-exports", Key="a", Body=b"x" * 100000)
    e.faults("GetObject table=acme-exports/a error SlowDown", "GetObject truncate", "GetObject flip")
    assert refusal(s3.get_object, Bucket="acme-exports", Key="a") == ("SlowDown", 503)
    with pytest.raises(botocore.exceptions.HTTPClientError):
        s3.get_object(Bucket="acme-exports", Key="a")["Body"].read()
    assert s3.get_object(Bucket="acme-exports", Key="a")["Body"].read().count(b"x") == 99999
    assert s3.get_object(Bucket="acme-exports", Key="a")["Body"].read() == b"x" * 100000


def test_awscli(emulator, tmp_path):
    e = emulator("orders", options=BUCKETS)
    env = harness.environment(
        tmp_path, AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION=REGION
    )
    program = os.path.join(os.path.dirname(sys.executable), "aws")

    def aws(*args):
        command = [sys.executable, program, "--endpoint-url", e.url, *args]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "file").write_text("hello\n")
    aws("s3", "cp", str(tmp_path / "file"), "s3://acme-exports/dir/file")
    assert aws("s3", "cp", "s3://acme-exports/dir/file", "-") == "hello\n"
    listed = json.loads(aws("s3api", "list-objects-v2", "--bucket", "acme-exports", "--output", "json"))
    assert [(one["Key"], one["Size"]) for one in listed["Contents"]] == [("dir/file", 6)]


def test_virtual_hosts(emulator):
    """curl signs for itself, with the bucket in the host's name."""
    e = emulator("orders", options=BUCKETS)
    client(e).put_object(Bucket="acme-exports", Key="a/b", Body=b"hello")
    port = e.url.rsplit(":", 1)[1]
    url = f"http://acme-exports.s3.{REGION}.amazonaws.com:{port}/a/b"
    command = ["curl", "-sS", "--connect-to", "::127.0.0.1:", "--aws-sigv4", f"aws:amz:{REGION}:s3"]
    command += ["--user", f"{KEY_ID}:{SECRET}", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=harness.environment("/nonexistent"))
    assert done.stdout == "hello", (done, e.calls())
