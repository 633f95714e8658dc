"""boto3_loop.py URL REGION KEY_ID SECRET PREFIX N: the script that one would write, CreateBackup and DescribeBackup for
each table. Prints the CPU seconds of the loop alone, without Python's start and boto3's import."""

import sys
import time

import boto3
from botocore.config import Config

url, region, key_id, secret, prefix, n = sys.argv[1:]
client = boto3.client(
    "dynamodb",
    endpoint_url=url,
    region_name=region,
    aws_access_key_id=key_id,
    aws_secret_access_key=secret,
    config=Config(proxies={}),
)
client.list_tables(Limit=1)
begun = time.process_time()
for i in range(int(n)):
    made = client.create_backup(TableName=f"{prefix}{i:03}", BackupName=f"bench.boto3.{i:03}")
    arn = made["BackupDetails"]["BackupArn"]
    while client.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]["BackupStatus"] != "AVAILABLE":
        time.sleep(0.1)
print(time.process_time() - begun)
