"""Endpoints, against botocore: the same regions, flags, environment and profiles go to both, and both must name the same
URL and signing region, or both refuse. Nothing is sent."""

import http.server
import itertools
import json
import os
import subprocess
import sys
import threading
import time

import pytest

import harness
from fake_dynamodb import FakeDynamoDB, empty

TOOL = harness.BUILD / "tests/integration/endpoint_tool"

REGIONS = [
    "us-east-1", "eu-central-1", "ap-southeast-7", "mx-central-1", "sa-east-1", "il-central-1",
    "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1", "us-isob-west-1",
    "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1", "aws-global", "aws-cn-global", "aws-us-gov-global",
    "local", "eu-nowhere-9", "eusc-fr-east-1", "xx-unknown-1", "cn-short",
]  # fmt: skip

# Run in a process of its own: botocore reads the environment.
PEER = """
import json, sys
import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointVariantError
from botocore.awsrequest import AWSResponse
from botocore.config import Config

def answer(case):
    session = botocore.session.Session(profile=case.get("profile"))
    seen = []
    def before_send(request, **kwargs):
        seen.append((request.url, request.headers["Authorization"].decode() if isinstance(request.headers["Authorization"], bytes) else request.headers["Authorization"]))
        class Raw:
            def stream(self, *a, **k): return iter([b"{}"])
        return AWSResponse(request.url, 200, {}, Raw())
    try:
        flags = {key: case[key] for key in ("use_fips_endpoint", "use_dualstack_endpoint") if key in case}
        client = session.create_client(case["service"], region_name=case.get("region"), endpoint_url=case.get("url"),
            aws_access_key_id="AKID", aws_secret_access_key="secret", config=Config(**flags))
        client.meta.events.register("before-send", before_send)
        getattr(client, {"dynamodb": "list_tables", "sts": "get_caller_identity", "s3": "list_buckets", "kms": "list_keys"}[case["service"]])()
    except EndpointVariantError:
        # an older table of botocore's, which lacks what its rule sets have, stands in the way
        loader = session.get_component("data_loader")
        rules = loader.load_service_model(case["service"], "endpoint-rule-set-1")
        provider = EndpointProvider(rules, loader.load_data("partitions"))
        found = provider.resolve_endpoint(Region=case["region"], UseFIPS=case.get("use_fips_endpoint", False),
            UseDualStack=case["use_dualstack_endpoint"], UseGlobalEndpoint=False)
        return found.url + "/ " + case["region"]
    except Exception as error:
        if not seen:
            return "! " + str(error)
    return seen[0][0] + " " + seen[0][1].split("/")[2]

print(json.dumps([answer(case) for case in json.loads(sys.stdin.read())]))
"""


def conf(case):
    aws = [f'region = "{case["region"]}";'] if "region" in case else []
    if "url" in case:
        aws.append(f'{ {"dynamodb": "", "sts": "sts_", "s3": "s3_", "kms": "kms_"}[case["service"]]}endpoint_url = "{case["url"]}";')
    if "profile" in case:
        aws.append(f'profile = "{case["profile"]}";')
    for key in ("use_fips_endpoint", "use_dualstack_endpoint"):
        if key in case:
            aws.append(f"{key} = {json.dumps(case[key])};")
    return f"""deployment = "acme";
aws = {{ {" ".join(aws)} }};
schedules = {{ nightly = {{ action = "backup"; when = "02:00"; }}; }};
tables = ( {{ match = "*"; schedules = "nightly"; }} );
"""


def ask(tmp_path, cases, env, files):
    """[(ours, botocore's)] of cases that share environment and files."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "nowhere"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        **env,
    }
    peer = subprocess.run([sys.executable, "-c", PEER], input=json.dumps(cases), env=env | {"AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional"},
                          capture_output=True, text=True, timeout=120, check=True)  # fmt: skip
    theirs = json.loads(peer.stdout)
    ours = []
    for case in cases:
        (tmp_path / "ddbackupd.conf").write_text(conf(case))
        done = subprocess.run([TOOL, tmp_path / "ddbackupd.conf", case["service"]], env=env, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        ours.append(done.stdout.strip())
    return list(zip(ours, theirs, strict=True))


def compare(tmp_path, cases, env=None, files=None):
    for case, (ours, theirs) in zip(cases, ask(tmp_path, cases, env or {}, files or {}), strict=True):
        if theirs.startswith("!"):
            assert ours.startswith("!"), (case, env, files, theirs)
        else:
            assert ours == theirs, (case, env, files)


FLAGS = [{}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}, {"use_fips_endpoint": True, "use_dualstack_endpoint": True}]


@pytest.mark.parametrize("service", ["dynamodb", "sts", "s3", "kms"])
def test_every_partition_with_every_flag(tmp_path, service):
    cases = [{"service": service, "region": region, **flags} for region in REGIONS for flags in FLAGS]
    assert len(cases) == 92
    compare(tmp_path, cases)


BOTH = [{"service": "dynamodb", "region": "eu-central-1"}, {"service": "sts", "region": "eu-central-1"}]
ELSEWHERE = [{"service": "sts", "region": region} for region in ("us-east-1", "eu-south-1", "cn-north-1", "aws-global")]
OF_KMS = [{"service": "kms", "region": "eu-central-1"}, {"service": "kms", "region": "eu-central-1", "url": "http://localhost:1"}, BOTH[0]]
OWN = [{"service": "dynamodb", "region": "eu-central-1", "url": "http://localhost:1"}]
SERVICES = """[default]
services = here
endpoint_url = http://profile:4
[services here]
dynamodb =
  endpoint_url = http://service:3
sts =
  endpoint_url = http://service-sts:3
"""

# name: environment, AWS config file, cases
TABLE = {
    "environment": ({"AWS_ENDPOINT_URL": "http://all:2"}, "", BOTH + OWN),
    "environment_by_service": ({"AWS_ENDPOINT_URL": "http://all:2", "AWS_ENDPOINT_URL_DYNAMODB": "http://ddb:1"}, "", BOTH),
    "environment_by_other_service": ({"AWS_ENDPOINT_URL_STS": "http://sts:1/"}, "", BOTH),
    "empty_environment": ({"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_DYNAMODB": ""}, SERVICES, BOTH),
    "services_section": ({}, SERVICES, BOTH + OWN),
    "environment_over_services": ({"AWS_ENDPOINT_URL": "http://all:2"}, SERVICES, BOTH),
    "profile": ({}, "[default]\nendpoint_url = http://profile:4\n", BOTH + OWN),
    "services_of_another": ({}, "[default]\nservices = here\nendpoint_url = http://profile:4\n[services here]\ns3 =\n  endpoint_url = http://s3:5\n", BOTH),
    "services_missing": ({}, "[default]\nservices = here\n", BOTH),
    "services_missing_but_environment": ({"AWS_ENDPOINT_URL": "http://all:2"}, "[default]\nservices = here\n", BOTH),
    "ignored": ({"AWS_ENDPOINT_URL": "http://all:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, SERVICES, BOTH + OWN),
    "ignored_in_capitals": ({"AWS_ENDPOINT_URL": "http://all:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}, "", BOTH),
    "not_ignored": ({"AWS_ENDPOINT_URL": "http://all:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, "[default]\nignore_configured_endpoint_urls = true\n", BOTH),
    "ignored_by_profile": ({"AWS_ENDPOINT_URL": "http://all:2"}, "[default]\nignore_configured_endpoint_urls = true\n", BOTH),
    "fips": ({"AWS_USE_FIPS_ENDPOINT": "true"}, "", BOTH + OWN),
    "fips_of_profile": ({}, "[default]\nuse_fips_endpoint = true\n", BOTH),
    "fips_of_environment_first": ({"AWS_USE_FIPS_ENDPOINT": "false"}, "[default]\nuse_fips_endpoint = true\n", BOTH),
    "dualstack": ({"AWS_USE_DUALSTACK_ENDPOINT": "True"}, "", BOTH + OWN),
    "dualstack_of_profile": ({}, "[default]\nuse_dualstack_endpoint = True\n", BOTH),
    "fips_with_url": ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL_DYNAMODB": "http://ddb:1"}, "", BOTH[:1]),
    "fips_with_ignored_url": ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL": "http://all:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", BOTH),
    "dualstack_with_profile_url": ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "[default]\nendpoint_url = http://profile:4\n", BOTH[:1]),
    "flags_taken_back": ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}, "",
                         [case | {"use_fips_endpoint": False, "use_dualstack_endpoint": False} for case in BOTH + OWN]),
    "region_of_environment": ({"AWS_DEFAULT_REGION": "cn-north-1"}, "[default]\nregion = us-west-2\n", [{"service": "dynamodb"}]),
    "region_of_profile": ({}, "[default]\nregion = us-west-2\n[profile iso]\nregion = us-iso-east-1\n",
                          [{"service": "dynamodb"}, {"service": "dynamodb", "profile": "iso"}, {"service": "sts", "profile": "iso"}]),
    "region_of_named_profile": ({"AWS_PROFILE": "iso"}, "[default]\nregion = us-west-2\n[profile iso]\nregion = us-iso-east-1\n", [{"service": "dynamodb"}]),
    "local_of_environment": ({"AWS_DEFAULT_REGION": "local"}, "", [{"service": "dynamodb"}]),
    "local_with_url": ({"AWS_DEFAULT_REGION": "local", "AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:9000"}, "", [{"service": "dynamodb"}]),
    "no_region": ({}, "", [{"service": "dynamodb"}]),
    "profile_has_its_services": ({}, "[default]\nendpoint_url = http://default:1\n[profile x]\nservices = y\n[services y]\ndynamodb =\n    endpoint_url = http://y:2\n[services z]\ndynamodb =\n    endpoint_url = http://z:3\n",
                                 [{"service": "dynamodb", "region": "eu-west-1", "profile": "x"}, {"service": "sts", "region": "eu-west-1", "profile": "x"}]),
    "sts_legacy": ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, "", BOTH + ELSEWHERE),
    "sts_legacy_of_profile": ({}, "[default]\nsts_regional_endpoints = legacy\n", BOTH + ELSEWHERE),
    "sts_regional_of_environment_first": ({"AWS_STS_REGIONAL_ENDPOINTS": "regional"}, "[default]\nsts_regional_endpoints = legacy\n", BOTH),
    "sts_legacy_with_url": ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_ENDPOINT_URL_STS": "http://sts:1"}, "", BOTH),
    "sts_legacy_with_fips": ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy", "AWS_USE_FIPS_ENDPOINT": "true"}, "", BOTH[1:]),
    "sts_nonsense": ({"AWS_STS_REGIONAL_ENDPOINTS": "global"}, "", BOTH[1:]),
    "kms": ({"AWS_ENDPOINT_URL": "http://all:2"}, "", OF_KMS),
    "kms_by_service": ({"AWS_ENDPOINT_URL": "http://all:2", "AWS_ENDPOINT_URL_KMS": "http://kms:1"}, "", OF_KMS),
    "kms_of_services": ({}, "[default]\nservices = here\n[services here]\nkms =\n  endpoint_url = http://kms:5\n", OF_KMS),
    "ipv6": ({"AWS_ENDPOINT_URL": "http://[::1]:8000"}, "", BOTH),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_precedence(tmp_path, name):
    env, config, cases = TABLE[name]
    compare(tmp_path, cases, env, {"config": config})


def test_there_are_enough_cases():
    assert 2 * 92 + sum(len(cases) for _, _, cases in TABLE.values()) >= 230


def test_flags_and_sources(tmp_path):
    """Each flag from each source, against each of the other: false in one place is stronger than true in a later one."""
    values = [None, "true", "false"]
    for env, profile in itertools.product(values, values):
        compare(tmp_path, BOTH, {"AWS_USE_FIPS_ENDPOINT": env} if env else {},
                {"config": "[default]\n" + (f"use_fips_endpoint = {profile}\n" if profile else "")})  # fmt: skip


# What cannot be meant is refused, where botocore goes on with a guess. (Its rule sets refuse a flag beside a URL, too, but
# the flag does not get that far.)
REFUSED = [
    ({"AWS_USE_FIPS_ENDPOINT": "yes"}, "", "",
     '! AWS_USE_FIPS_ENDPOINT: "yes" is neither true nor false; HINT: correct it'),
    ({}, "use_dualstack_endpoint = 1", "",
     '! use_dualstack_endpoint of the profile: "1" is neither true nor false; HINT: correct it'),
    ({"AWS_ENDPOINT_URL": "localhost:1"}, "", "",
     '! AWS_ENDPOINT_URL: "localhost:1" is no address of a service; HINT: such as "https://dynamodb.eu-central-1.amazonaws.com" or "http://127.0.0.1:8000", without a path'),
    ({"AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb.eu-central-1.api.aws"}, "", "",
     '! AWS_ENDPOINT_URL_DYNAMODB: "http://dynamodb.eu-central-1.api.aws" would send requests to AWS in the clear; HINT: https://'),
    ({}, "services = here", "",
     '! services of the profile: there is no section "services here"; HINT: correct the AWS config file'),
    ({"AWS_ENDPOINT_URL": "http://all:2"}, "", "use_fips_endpoint = true;",
     "! aws.use_fips_endpoint: has no place beside the endpoint http://all:2 of AWS_ENDPOINT_URL; HINT: take one of the two out"),
    ({"AWS_USE_DUALSTACK_ENDPOINT": "false"}, "", 'endpoint_url = "http://own:1"; use_dualstack_endpoint = true;',
     "! aws.use_dualstack_endpoint: has no place beside the endpoint http://own:1 of aws.endpoint_url; HINT: take one of the two out"),
    ({"AWS_MAX_ATTEMPTS": "0"}, "", "", '! AWS_MAX_ATTEMPTS: "0" is no number from 1 to 20; HINT: correct it, or set aws.max_attempts'),
    ({}, "retry_mode = fast", "", '! retry_mode of the profile: "fast" is no retry mode; HINT: "standard" or "adaptive"'),
    ({"AWS_CA_BUNDLE": "/nowhere/ca.pem"}, "", "",
     "! AWS_CA_BUNDLE: /nowhere/ca.pem: No such file or directory; HINT: name a file with certificates that the daemon's user may read"),
    ({}, "", "unsigned = true;",
     "! aws.unsigned: AWS takes no unsigned requests; HINT: set aws.endpoint_url to that of an emulator, or take aws.unsigned out"),
    ({"AWS_ENDPOINT_URL": "https://dynamodb.us-iso-east-1.c2s.ic.gov"}, "", "unsigned = true;",
     "! aws.unsigned: AWS takes no unsigned requests; HINT: set aws.endpoint_url to that of an emulator, or take aws.unsigned out"),
]  # fmt: skip


@pytest.mark.parametrize("env, profile, aws, message", REFUSED)
def test_refused(tmp_path, env, profile, aws, message):
    (tmp_path / "config").write_text(f"[default]\nregion = eu-central-1\n{profile}\n")
    (tmp_path / "ddbackupd.conf").write_text(conf({"service": "dynamodb"}).replace("aws = {", "aws = { " + aws))
    done = subprocess.run([TOOL, tmp_path / "ddbackupd.conf", "dynamodb"], capture_output=True, text=True, timeout=20,
                          env={"AWS_CONFIG_FILE": str(tmp_path / "config"), **env})  # fmt: skip
    assert done.stdout.strip() == message


# --- the region of the instance ---

DOCUMENT = {"devpayProductCodes": None, "billingProducts": ["bp-1"], "accountId": "111111111111", "region": "eu-west-3"}


class Metadata(http.server.BaseHTTPRequestHandler):
    """The first element of the path says what is wrong with it."""

    protocol_version = "HTTP/1.1"
    asked = []

    def log_message(self, *args):
        pass

    def serve(self):
        variant, _, path = self.path.lstrip("/").partition("/")
        token = self.headers.get("x-aws-ec2-metadata-token")
        self.asked.append((self.command, variant, token))
        status, body = 404, ""
        if (self.command, path) == ("PUT", "latest/api/token") and variant != "no-token":
            status, body = 200, f"token-{len(self.asked)}"
        elif path == "latest/dynamic/instance-identity/document":
            is_first = len([1 for command, v, _ in self.asked if (command, v) == ("GET", variant)]) == 1
            status = 401 if (variant != "no-token" and not token) or (variant == "renewed" and is_first) else 200
            status = 500 if variant == "error" else status
            body = {"garbage": "{", "evil": json.dumps({"region": "eu/../x"}), "none": "{}"}.get(variant, json.dumps(DOCUMENT))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_PUT = serve


@pytest.fixture
def metadata():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    server.daemon_threads = True
    Metadata.asked.clear()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


FOUND = "https://dynamodb.eu-west-3.amazonaws.com/ eu-west-3"


@pytest.mark.parametrize(
    ("variant", "env", "answer"),
    [
        ("good", {}, FOUND),
        ("renewed", {}, FOUND),
        ("no-token", {}, FOUND),
        ("no-token", {"AWS_EC2_METADATA_V1_DISABLED": "true"}, "answered 404 to the question for a token"),
        ("error", {}, "answered 500 to the question for the region"),
        ("garbage", {}, "names no region that can be one"),
        ("evil", {}, "names no region that can be one"),
        ("none", {}, "names no region that can be one"),
        ("good", {"AWS_EC2_METADATA_DISABLED": "true"}, "is switched off"),
        ("good", {"AWS_REGION": "us-west-2"}, "https://dynamodb.us-west-2.amazonaws.com/ us-west-2"),
    ],
)
def test_region_of_the_instance(tmp_path, metadata, variant, env, answer):
    """The last resort: a token, and the identity document."""
    (tmp_path / "ddbackupd.conf").write_text(conf({"service": "dynamodb"}))
    env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{metadata}/{variant}", "http_proxy": "http://127.0.0.1:1", **env}
    done = subprocess.run([TOOL, tmp_path / "ddbackupd.conf", "dynamodb"], capture_output=True, text=True, timeout=20, env=env)
    if answer.startswith("https:"):
        assert done.stdout.strip() == answer
    else:
        assert done.stdout.startswith("! aws.region: is not set, neither the environment nor the profile has one, and the instance ")
        assert answer in done.stdout and "; HINT: set aws.region" in done.stdout
    assert bool(Metadata.asked) == ("AWS_EC2_METADATA_DISABLED" not in env and "AWS_REGION" not in env)


# --- what is not an endpoint, but comes from the same places: with the daemon's dry run against a service of the tests ---


@pytest.fixture
def fake():
    one = FakeDynamoDB(["orders"])
    yield one
    one.stop()


def dry_run(tmp_path, aws, profile="", **env):
    (tmp_path / "config").write_text(f"[default]\n{profile}\n")
    (tmp_path / "ddbackupd.conf").write_text(
        conf({"service": "dynamodb"}).replace('match = "*"', 'match = "orders"').replace("aws = {", f'aws = {{ region = "eu-central-1"; {aws}')
    )
    done = subprocess.run([harness.BUILD / "ddbackupd", "--config", tmp_path / "ddbackupd.conf", "--dry-run"],
                          env=harness.environment(tmp_path, AWS_CONFIG_FILE=str(tmp_path / "config"), **env),
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


KEYS = {"AWS_ACCESS_KEY_ID": harness.KEY_ID, "AWS_SECRET_ACCESS_KEY": harness.SECRET}


def test_unsigned_needs_no_credentials(tmp_path, fake):
    url = f'endpoint_url = "{fake.url}";'
    status, text = dry_run(tmp_path, url)
    assert status == 1 and "no AWS credentials" in text and not fake.of("DescribeTable")
    status, text = dry_run(tmp_path, url + " unsigned = true;")
    assert status == 0, text
    assert "credentials from aws.unsigned" in text and len(fake.of("DescribeTable")) == 1


def test_endpoint_of_the_environment_is_used(tmp_path, fake):
    status, text = dry_run(tmp_path, "", AWS_ENDPOINT_URL_DYNAMODB=fake.url, **KEYS)
    assert status == 0, text
    assert f"at {fake.url}/, " in text and len(fake.of("DescribeTable")) == 1


@pytest.mark.parametrize(
    "aws, profile, env, n",
    [
        ("", "", {}, 4),
        ("", "max_attempts = 3", {}, 3),
        ("", "max_attempts = 3", {"AWS_MAX_ATTEMPTS": "2"}, 2),
        ("max_attempts = 1;", "max_attempts = 3", {"AWS_MAX_ATTEMPTS": "2"}, 1),
    ],
)
def test_attempts(tmp_path, fake, aws, profile, env, n):
    fake.script("DescribeTable", "orders", always=empty)
    status, text = dry_run(tmp_path, f'endpoint_url = "{fake.url}"; {aws}', profile, **env, **KEYS)
    assert status == 1 and len(fake.of("DescribeTable")) == n, text


def test_time_outs_of_none(tmp_path, fake):
    """"0" waits as long as it takes."""
    def late(x):
        time.sleep(3)
        x.send(x.effect())

    fake.script("DescribeTable", "orders", always=late)
    url = f'endpoint_url = "{fake.url}"; max_attempts = 1;'
    assert dry_run(tmp_path, url + 'read_timeout = "1s";', **KEYS)[0] == 1
    assert dry_run(tmp_path, url + 'connect_timeout = "0"; read_timeout = "0";', **KEYS)[0] == 0


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_retry_mode_of_the_environment(tmp_path, fake, mode):
    assert dry_run(tmp_path, f'endpoint_url = "{fake.url}";', AWS_RETRY_MODE=mode, **KEYS)[0] == 0
