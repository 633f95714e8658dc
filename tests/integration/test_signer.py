"""The signer against botocore's: random requests must get the same Authorization header, byte by byte."""

import base64
import datetime
import os
import random
import subprocess
from pathlib import Path

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TOOL = Path(os.environ.get("DDB_BUILD", ".")) / "tests/integration/sign_tool"
N_REQUESTS = 3000

PATH_PIECES = [
    "/", "//", ".", "..", "/.", "/..", "...", "a", "B9", "~", "-_", "%20", "%2F", "%2f", "%C3%BC", "%", "%zz", " ", "ü",
    ":", "@", "!", "$", "&", "'", "(", ")", "*", "+", ",", ";", "=", "[", "]", "|", "\\", "^", "{", "}", '"', "<",
    ">",
]
QUERY_PIECES = ["a", "b", "a", "A", "key", "x-y", "=", "=", "&", "&", "%20", "%2F", "%3D", "%26", "1", "10", "2", "~"]
HEADER_NAMES = [
    "Content-Type", "X-Amz-Target", "X-Amz-Meta-A", "x-amz-meta-a", "X-AMZ-META-B", "Range", "If-Match", "User-Agent",
    "Connection", "Expect", "TE", "Transfer-Encoding", "X-Amzn-Trace-Id", "Accept", "x-a", "x-a-b", "X_a", "x-b",
    "Keep-Alive", "traceparent", "Trailer", "Upgrade", "Proxy-Authorization", "baggage", "tracestate",
]
VALUE_PIECES = ["a", "Bc", "1", "=", ";", ",", '"', " ", "  ", "\t", "\x0b\x0c", "a  b", "ü"]
HOSTS = [
    "dynamodb.eu-central-1.amazonaws.com", "Bucket.S3.Amazonaws.com", "127.0.0.1:8000", "localhost:443", "h:80",
    "h:8443", "[::1]:8000", "[2001:db8::1]", "user:secret@example.com", "example.com:443",
]


def pieces(rng, alphabet, most):
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(most + 1)))


def random_token(rng, length):
    return "".join(rng.choice("ABCDEFghijkl0123456789+/=") for _ in range(length))


def random_request(rng):
    service = rng.choice(["s3", "s3", "dynamodb", "sts", "iam"])
    # an empty path is left out for S3 alone: botocore signs it as empty, and "/" is what then goes over the wire
    path = rng.choice(["", "/"]) if rng.random() < 0.1 and service != "s3" else "/" + pieces(rng, PATH_PIECES, 12)
    query = "?" + pieces(rng, QUERY_PIECES, 12) if rng.random() < 0.6 else ""
    fragment = "#frag?x" if rng.random() < 0.05 else ""
    token = random_token(rng, 60) if rng.random() < 0.5 else ""
    headers = [(rng.choice(HEADER_NAMES), pieces(rng, VALUE_PIECES, 8)) for _ in range(rng.randrange(6))]
    stale = [("Authorization", "old"), ("x-amz-date", "old"), ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")]
    stale += [("x-amz-security-token", "old")] if token else []
    headers += [header for header in stale if rng.random() < 0.1]
    if rng.random() < 0.1:
        headers.append(("Host", "other.example.com"))
    return {
        "method": rng.choice(["GET", "HEAD", "PUT", "POST", "DELETE"]),
        "url": rng.choice(["https://", "http://"]) + rng.choice(HOSTS) + path + query + fragment,
        "service": service,
        "region": rng.choice(["us-east-1", "eu-central-1", "cn-north-1"]),
        "key_id": "AKID" + random_token(rng, 8).replace("/", "x"),
        "secret": random_token(rng, rng.choice([1, 40, 80])),
        "token": token,
        "date": datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=rng.randrange(4_000_000_000)),
        "body": rng.randbytes(rng.choice([0, 0, 1, 64, 3000])),
        "headers": headers,
    }


def to_line(request):
    fields = [request[name] for name in ("method", "url", "service", "region", "key_id", "secret", "token")]
    fields += [request["date"].strftime("%Y%m%dT%H%M%SZ"), base64.b64encode(request["body"]).decode()]
    for name, value in request["headers"]:
        fields += [name, base64.b64encode(value.encode()).decode()]
    return "\t".join(fields) + "\n"


def sign_with_botocore(request, monkeypatch):
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *args, **kwargs: request["date"])
    signer = botocore.auth.S3SigV4Auth if request["service"] == "s3" else botocore.auth.SigV4Auth
    theirs = AWSRequest(request["method"], request["url"], data=request["body"])
    for name, value in request["headers"]:
        theirs.headers[name] = value
    auth = signer(Credentials(request["key_id"], request["secret"], request["token"] or None), request["service"],
                  request["region"])
    auth.add_auth(theirs)
    return theirs.headers["Authorization"], auth.canonical_request(theirs)


def test_random_requests_are_signed_as_botocore_does(monkeypatch):
    seed = int(os.environ.get("DDB_SEED") or random.randrange(2**32))
    print(f"DDB_SEED={seed}")
    rng = random.Random(seed)
    requests = [random_request(rng) for _ in range(N_REQUESTS)]
    lines = "".join(map(to_line, requests)).encode()
    done = subprocess.run([TOOL], input=lines, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr.decode()
    answers = done.stdout.decode().splitlines()
    assert len(answers) == N_REQUESTS
    for request, answer in zip(requests, answers):
        authorization, canonical = sign_with_botocore(request, monkeypatch)
        ours, _, our_canonical = answer.partition("\t")
        if ours != authorization:
            pytest.fail(f"DDB_SEED={seed}: {request}\nours:\n{our_canonical}\nbotocore's:\n"
                        + canonical.replace("\n", "\\n") + f"\n{ours}\n{authorization}")
