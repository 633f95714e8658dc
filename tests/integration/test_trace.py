"""log_level = "debug": requests and replies are told, secrets and signatures never are."""

import re

import pytest

import harness
from fake_dynamodb import FakeDynamoDB, html_503
from harness import soon, wait_until

TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaD/session+token+of+the+test=="


@pytest.fixture
def fake():
    one = FakeDynamoDB(["orders"])
    yield one
    one.stop()


def config(fake, when, level):
    schedules = f'b = {{ action = "backup"; when = "{when}"; }}; e = {{ action = "export"; when = "{when}"; s3 = {{ bucket = "acme-exports"; }}; }};'
    return f"""
deployment = "acme"; log_level = "{level}";
aws = {{ region = "{harness.REGION}"; endpoint_url = "{fake.url}"; }};
limits = {{ rate_share = 1.0; listing_lag = "0"; }};
schedules = {{ {schedules} }};
tables = ( {{ match = "orders"; schedules = ["b", "e"]; }} );
"""


def throttled(x):
    x.send({"__type": "com.amazon.coral.availability#ThrottlingException", "message": "Rate exceeded"}, "400 Bad Request")


def run(daemon, fake, level):
    fake.script("DescribeTable", "orders", html_503, throttled)
    d = daemon(config(fake, soon(2)[0], level), env={"AWS_SESSION_TOKEN": TOKEN})
    wait_until(lambda: len([r for r in d.ledger.runs() if r["settled"]]) == 2, 60, "two runs")
    d.stop()
    return d.text()


def test_requests_and_replies_are_told(daemon, fake):
    text = run(daemon, fake, "debug")
    lines = [line.split(" debug   ", 1)[1] for line in text.splitlines() if " debug   " in line]
    base = re.escape(f"POST {fake.url}/ DynamoDB_20120810.")
    for pattern in (
        base + r"CreateBackup orders \(request \d+\)",
        base + r"CreateBackup orders \(request \d+\): 200, request id [0-9A-F]{52}, \d+ ms",
        base + r"DescribeBackup arn:aws:dynamodb:eu-central-1:123456789012:table/orders/backup/\S+ \(request \d+\): 200, .*",
        base + r"ExportTableToPointInTime arn:aws:dynamodb:\S+:table/orders \(request \d+\): 200, .*",
        base + r"DescribeTable orders \(request \d+\): 503, .* ms",
        base + r"DescribeTable orders \(request \d+\): 400 ThrottlingException, request id .* ms",
    ):
        assert any(re.fullmatch(pattern, line) for line in lines), (pattern, text)
    assert len([line for line in lines if re.search(r"\(request \d+\)$", line)]) == sum(
        1 for line in lines if re.search(r", \d+ ms$", line)
    )


def test_secrets_are_not_told(daemon, fake):
    text = run(daemon, fake, "debug")
    assert "CreateBackup" in text
    for secret in (harness.SECRET, TOKEN, TOKEN[:24], harness.KEY_ID, "Signature", "Authorization", "Credential=", "Security-Token", "AWS4-HMAC"):
        assert secret.lower() not in text.lower(), secret


def test_only_when_asked(daemon, fake):
    text = run(daemon, fake, "info")
    assert " debug " not in text and "DynamoDB_2012" not in text
