"""KMS as the emulator serves it, driven by boto3 and awscli."""

import json

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from harness import KEY_ID, REGION, SECRET
from test_aws_clients import Cli, client, unknown_members

KEYS = (
    f"--key=good:region={REGION}", f"--key=off:region={REGION}:state=Disabled",
    f"--key=signs:region={REGION}:spec=RSA_2048", "--key=far:region=us-west-2",
)  # fmt: skip


@pytest.fixture
def kms(emulator):
    """A client of KMS; each reply is held against the service's model."""

    def make(*options, secret=SECRET):
        one = boto3.client(
            "kms", endpoint_url=emulator("orders:pitr", export_time="0s", options=(*KEYS, *options)).url, region_name=REGION,
            aws_access_key_id=KEY_ID, aws_secret_access_key=secret, config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )  # fmt: skip

        def conforms(operation_model, response_dict, **_):
            if response_dict["status_code"] == 200:
                assert not list(unknown_members(json.loads(response_dict["body"]), operation_model.output_shape))

        one.meta.events.register("before-parse.kms.*", conforms)
        return one

    return make


def refusal(call, **kwargs):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**kwargs)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def test_boto3_drives_every_operation(kms):
    one = kms()
    good = one.describe_key(KeyId="alias/good")["KeyMetadata"]
    assert (good["KeyState"], good["Enabled"], good["KeySpec"], good["KeyManager"]) == ("Enabled", True, "SYMMETRIC_DEFAULT", "CUSTOMER")
    assert good["Arn"] == f"arn:aws:kms:{REGION}:123456789012:key/{good['KeyId']}"
    data = one.generate_data_key(KeyId=good["Arn"], KeySpec="AES_256", EncryptionContext={"aws:s3:arn": "arn:aws:s3:::acme"})
    assert len(data["Plaintext"]) == 32 and data["KeyId"] == good["Arn"]
    code, status, _ = refusal(one.generate_data_key, KeyId="alias/good", NumberOfBytes=64, DryRun=True)
    assert (code, status) == ("DryRunOperationException", 412)
    with pytest.raises(one.exceptions.DisabledException):
        one.generate_data_key(KeyId="alias/off", KeySpec="AES_256", DryRun=True)
    with pytest.raises(one.exceptions.InvalidKeyUsageException):
        one.generate_data_key(KeyId="alias/signs", KeySpec="AES_256")
    with pytest.raises(one.exceptions.NotFoundException):
        one.describe_key(KeyId="alias/far")
    made = one.create_key(KeySpec="HMAC_256")["KeyMetadata"]
    assert made["KeyUsage"] == "GENERATE_VERIFY_MAC"
    assert {key["KeyId"] for key in one.list_keys()["Keys"]} > {good["KeyId"], made["KeyId"]}


def test_signatures_and_faults(kms):
    assert refusal(kms(secret="wrong").list_keys)[0] == "InvalidSignatureException"
    one = kms("--fault=DescribeKey table=alias/good error AccessDeniedException 400 not for you", "--fault=GenerateDataKey error KMSInternalException 500")
    assert refusal(one.describe_key, KeyId="alias/good") == ("AccessDeniedException", 400, "not for you")
    assert refusal(one.generate_data_key, KeyId="alias/good", KeySpec="AES_256")[:2] == ("KMSInternalException", 500)


def test_awscli(emulator, tmp_path):
    aws = Cli(emulator("orders", options=KEYS), tmp_path, service="kms")
    assert aws("describe-key", "--key-id", "alias/off")["KeyMetadata"]["KeyState"] == "Disabled"
    failed = aws.run("generate-data-key", "--key-id", "alias/good", "--key-spec", "AES_256", "--dry-run")
    assert failed.returncode != 0 and "(DryRunOperationException)" in failed.stderr


def test_exports_need_their_key(emulator):
    """Who says which keys there are, has exports that name others fail."""
    e = emulator("orders:pitr", export_time="0s", options=KEYS)
    dynamodb = client(e)

    def ending(key):
        asked = dynamodb.export_table_to_point_in_time(
            TableArn=f"arn:aws:dynamodb:{REGION}:123456789012:table/orders", S3Bucket="acme", S3SseAlgorithm="KMS", S3SseKmsKeyId=key)  # fmt: skip
        got = dynamodb.describe_export(ExportArn=asked["ExportDescription"]["ExportArn"])["ExportDescription"]
        return got["ExportStatus"], got.get("FailureCode")

    assert ending("alias/good") == ("COMPLETED", None)
    assert ending("alias/none") == ("FAILED", "KmsNotFoundException")
    assert ending("alias/off") == ("FAILED", "KmsDisabledException")
    assert {key["alias"]: key["state"] for key in e.state()["keys"]}["off"] == "Disabled"
