"""Where credentials come from, against botocore: the same environment, files and services (fakes on loopback) go to both,
and both must find the same credentials, or fail in the same way."""

import base64
import datetime
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

TOOL = Path(os.environ.get("DDB_BUILD", ".")) / "tests/integration/credentials_tool"
LATER = "2035-01-02T03:04:05Z"
LATER_SECONDS = str(int(datetime.datetime(2035, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc).timestamp()))
ROLE = "arn:aws:iam::123456789012:role/"


def keys(n):
    return f"aws_access_key_id = AKID{n}\naws_secret_access_key = secret{n}\n"


# --- the fakes ---

class Fake(http.server.BaseHTTPRequestHandler):
    """Metadata of an instance, a container's endpoint and the SSO portal, told apart by the first path element; STS has none."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json"):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def credentials(self, name, **changes):
        members = {"Code": "Success", "AccessKeyId": "ASIA" + name, "SecretAccessKey": "secret-" + name,
                   "Token": "token/" + name, "Expiration": LATER}
        members.update(changes)
        return json.dumps({key: value for key, value in members.items() if value is not None})

    def imds(self, path, variant):
        authorized = self.headers.get("x-aws-ec2-metadata-token") == "imds-token"
        if path == "latest/api/token":
            status = {"no-token-404": 404, "no-token-403": 403, "no-token-405": 405, "bad-token": 400}.get(variant, 200)
            good = status == 200 and self.headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
            return self.answer(status, "imds-token" if good else "no")
        if not authorized and not variant.startswith("no-token"):
            return self.answer(401, "")
        if path == "latest/meta-data/iam/security-credentials/":
            if variant == "no-role":
                return self.answer(404, "")
            return self.answer(200, "" if variant == "empty-role" else "app-role")
        if path != "latest/meta-data/iam/security-credentials/app-role":
            return self.answer(404, "")
        if variant == "refuses":
            return self.answer(200, json.dumps({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot"}))
        if variant == "broken":
            return self.answer(200, "{")
        if variant == "error":
            return self.answer(500, "")
        missing = {"lacks-" + key: {key: None} for key in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")}
        return self.answer(200, self.credentials("imds", **missing.get(variant, {})))

    def container(self, path):
        variant = path.split("?")[0]
        if variant == "guarded" and self.headers.get("Authorization") != "let me in":
            return self.answer(403, json.dumps({"code": "AccessDenied", "message": "no"}))
        if variant == "error":
            return self.answer(404, "")
        if variant == "broken":
            return self.answer(200, "not json")
        missing = {"lacks-" + key: {key: None} for key in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")}
        if variant == "query":
            return self.answer(200, self.credentials(path.split("id=")[1]))
        return self.answer(200, self.credentials("container", **missing.get(variant, {})))

    def sso(self, path):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        if self.headers.get("x-amz-sso_bearer_token") != "sso-token":
            return self.answer(401, json.dumps({"message": "Session token not found or invalid"}))
        name = query["role_name"][0] + query["account_id"][0]
        return self.answer(200, json.dumps({"roleCredentials": {
            "accessKeyId": "ASIA" + base64.b32encode(name.encode()).decode().rstrip("="), "secretAccessKey": "s+/=",
            "sessionToken": "sso-session", "expiration": int(LATER_SECONDS) * 1000}}))

    def sts(self, form):
        """Who asked, for what: both are in the keys that come back."""
        action, role = form["Action"], form["RoleArn"].split("/")[-1]
        if action == "AssumeRoleWithWebIdentity":
            who = form["WebIdentityToken"]
            if "Authorization" in self.headers:
                role = "denied"
        else:
            who = self.headers["Authorization"].split("Credential=")[1].split("/")[0]
            who += "." + (self.headers.get("X-Amz-Security-Token") or "-")
        if role == "denied":
            return self.answer(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User is &lt;not&gt; "
                               "authorized</Message></Error><RequestId>x</RequestId></ErrorResponse>", "text/xml")
        if role == "broken":
            return self.answer(200, "<AssumeRoleResponse><Assume", "text/xml")
        name = form["RoleSessionName"]
        name = "-" if name.startswith("botocore-session") or name == "ddbackupd" else name
        facts = ".".join([action[10:], who, role, name, form.get("ExternalId", "-"), form.get("DurationSeconds", "-")])
        digest = hashlib.sha256(facts.encode()).hexdigest()
        return self.answer(200, f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result>
    <AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/x/y</Arn></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIA{digest[:16].upper()}</AccessKeyId>
      <SecretAccessKey>{digest}+/&amp;=</SecretAccessKey>
      <SessionToken>{base64.b64encode(facts.encode()).decode()}</SessionToken>
      <Expiration>{LATER}</Expiration>
    </Credentials>
  </{action}Result>
  <ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>
</{action}Response>""", "text/xml")

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        kind, _, path = self.path.lstrip("/").partition("/")
        if kind == "imds":
            variant, _, path = path.partition("/")
            return self.imds(path, variant)
        if kind == "container":
            return self.container(path)
        if kind == "sso":
            return self.sso(path)
        if kind == "":
            return self.sts(dict(urllib.parse.parse_qsl(body)))
        return self.answer(404, "")

    do_GET = do_PUT = do_POST = serve


@pytest.fixture(scope="module")
def fakes():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


# --- the cases: environment, files, profile as configured ---

def cases():
    def case(name, env=None, config="", credentials="", profile=None, files=None):
        found.append((name, env or {}, config, credentials, profile, files or {}))

    found = []
    static = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secretenv"}
    # the environment
    case("env", static)
    case("env token", {**static, "AWS_SESSION_TOKEN": "tok"})
    case("env security token", {**static, "AWS_SECURITY_TOKEN": "old", "AWS_SESSION_TOKEN": "tok"})
    case("env blank token", {**static, "AWS_SESSION_TOKEN": ""})
    case("env partial", {"AWS_ACCESS_KEY_ID": "AKIDENV"})
    case("env partial, files", {"AWS_ACCESS_KEY_ID": "AKIDENV"}, credentials="[default]\n" + keys(1))
    case("env secret alone", {"AWS_SECRET_ACCESS_KEY": "s"})
    case("env secret alone, files", {"AWS_SECRET_ACCESS_KEY": "s"}, credentials="[default]\n" + keys(1))
    case("env blank id", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "s"}, credentials="[default]\n" + keys(1))
    case("env beats files", static, credentials="[default]\n" + keys(1))
    case("env beats AWS_PROFILE", {**static, "AWS_PROFILE": "ops"}, credentials="[ops]\n" + keys(1))
    case("env and a missing AWS_PROFILE", {**static, "AWS_PROFILE": "ops"}, credentials="[default]\n" + keys(1))
    case("profile beats env", static, credentials="[ops]\n" + keys(1), profile="ops")
    case("profile without keys, env", static, credentials="[ops]\nregion = x\n", profile="ops")
    case("missing profile, env", static, profile="ops")
    case("nothing")
    # files
    for profile in (None, "ops"):
        env = {"AWS_PROFILE": profile} if profile else {}
        name = profile or "default"
        section = f"[profile {name}]\n" if profile else "[default]\n"
        for where in ("env", "arg"):
            arg = name if where == "arg" else None
            e = env if where == "env" else {}
            case(f"credentials file {name} {where}", e, credentials=f"[{name}]\n" + keys(1), profile=arg)
            case(f"config file {name} {where}", e, config=section + keys(2), profile=arg)
            case(f"both files {name} {where}", e, config=section + keys(2), credentials=f"[{name}]\n" + keys(1), profile=arg)
            case(f"halves in two files {name} {where}", e, config=section + "aws_secret_access_key = s\n",
                 credentials=f"[{name}]\naws_access_key_id = AKID\n", profile=arg)
            case(f"token in a file {name} {where}", e, credentials=f"[{name}]\n" + keys(1) + "aws_session_token = T\n", profile=arg)
            case(f"partial {name} {where}", e, credentials=f"[{name}]\naws_access_key_id = AKID\n", profile=arg)
            case(f"partial config {name} {where}", e, config=section + "aws_access_key_id = AKID\n", profile=arg)
            case(f"process {name} {where}", e, config=section + "credential_process = @process@ good\n", profile=arg)
            case(f"role {name} {where}", e, config=section + f"role_arn = {ROLE}backup\nsource_profile = base\n",
                 credentials="[base]\n" + keys(3), profile=arg)
    case("AWS_DEFAULT_PROFILE", {"AWS_DEFAULT_PROFILE": "a"}, credentials="[a]\n" + keys(1) + "[b]\n" + keys(2))
    case("both profile variables", {"AWS_DEFAULT_PROFILE": "a", "AWS_PROFILE": "b"}, credentials="[a]\n" + keys(1) + "[b]\n" + keys(2))
    case("profile default beats default", config="[profile default]\n" + keys(2))
    case("quoted name", {"AWS_PROFILE": "my ops"}, config='[profile "my ops"]\n' + keys(2))
    case("security token in a file", credentials="[default]\n" + keys(1) + "aws_security_token = old\naws_session_token = new\n")
    case("a section of another name", {"AWS_PROFILE": "ops"}, config="[ops]\n" + keys(2))
    case("profile in a credentials file", {"AWS_PROFILE": "ops"}, credentials="[profile ops]\n" + keys(2))
    case("comment lines", credentials="# a\n; b\n[default]\n# c\n" + keys(1))
    case("capital keys", credentials="[default]\nAWS_ACCESS_KEY_ID = AKID\nAws_Secret_Access_Key = s\n")
    case("colons", credentials="[default]\naws_access_key_id: AKID\naws_secret_access_key: s=:x\n")
    case("nested values", config="[default]\ns3 =\n  aws_access_key_id = NO\n" + keys(2))
    case("broken file", credentials="nonsense\n[default]\n" + keys(1))
    case("broken section", credentials="[default\n" + keys(1))
    case("broken config, keys in credentials", config="aws = 1\n", credentials="[default]\n" + keys(1))
    # roles
    role = f"[profile ops]\nrole_arn = {ROLE}backup\n"
    ops = {"AWS_PROFILE": "ops"}
    case("role with all", ops, role + "source_profile = base\nexternal_id = bk7\nrole_session_name = me\nduration_seconds = 1800\n",
         "[base]\n" + keys(3))
    case("role, source has a token", ops, role + "source_profile = base\n", "[base]\n" + keys(3) + "aws_session_token = T/1\n")
    case("role, odd duration", ops, role + "source_profile = base\nduration_seconds = long\n", "[base]\n" + keys(3))
    case("role without source", ops, role)
    case("role with two sources", ops, role + "source_profile = base\ncredential_source = Environment\n", "[base]\n" + keys(3))
    case("role, no such source", ops, role + "source_profile = base\n")
    case("role, empty source", ops, role + "source_profile = base\n", "[base]\nregion = x\n")
    case("role, partial source", ops, role + "source_profile = base\n", "[base]\naws_access_key_id = AKID\n")
    case("role, secret alone", ops, role + "source_profile = base\n", "[base]\naws_secret_access_key = s\n")
    case("role from config keys", ops, role + "source_profile = base\n[profile base]\n" + keys(4))
    case("role from process", ops, role + "source_profile = base\n[profile base]\ncredential_process = @process@ good\n")
    case("role from broken process", ops, role + "source_profile = base\n[profile base]\ncredential_process = @process@ fails\n")
    case("role from itself", ops, role + "source_profile = ops\n" + keys(4))
    case("role from itself without keys", ops, role + "source_profile = ops\n")
    case("role and keys", ops, role + "source_profile = base\n" + keys(4), "[base]\n" + keys(3))
    case("role denied", ops, f"[profile ops]\nrole_arn = {ROLE}denied\nsource_profile = base\n", "[base]\n" + keys(3))
    case("role in the credentials file", ops, "", f"[ops]\nrole_arn = {ROLE}x\nsource_profile = base\n[base]\n" + keys(3))
    case("role over both files", ops, role, "[ops]\nsource_profile = base\n[base]\n" + keys(3))
    for depth in (2, 3, 5):
        chain = "".join(f"[profile p{i}]\nrole_arn = {ROLE}r{i}\nsource_profile = p{i + 1}\n" for i in range(depth))
        case(f"chain of {depth}", {"AWS_PROFILE": "p0"}, chain, f"[p{depth}]\n" + keys(5))
        case(f"circle of {depth}", {"AWS_PROFILE": "p0"}, chain + f"[profile p{depth}]\nrole_arn = {ROLE}z\nsource_profile = p0\n")
        case(f"late circle of {depth}", {"AWS_PROFILE": "p0"},
             chain + f"[profile p{depth}]\nrole_arn = {ROLE}z\nsource_profile = p{depth - 1}\n")
        case(f"chain of {depth} to web identity", {"AWS_PROFILE": "p0"},
             chain + f"[profile p{depth}]\nrole_arn = {ROLE}z\nweb_identity_token_file = @dir@/token\n", files={"token": "web-token"})
        case(f"chain of {depth} to an instance", {"AWS_PROFILE": "p0", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good"},
             chain + f"[profile p{depth}]\nrole_arn = {ROLE}z\ncredential_source = Ec2InstanceMetadata\n")
    case("inner role denied", {"AWS_PROFILE": "a"}, f"[profile a]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n"
         f"role_arn = {ROLE}denied\nsource_profile = c\n", "[c]\n" + keys(3))
    case("keys stop a chain", {"AWS_PROFILE": "a"}, f"[profile a]\nrole_arn = {ROLE}a\nsource_profile = b\n[profile b]\n"
         f"role_arn = {ROLE}b\nsource_profile = c\n" + keys(6), "[c]\n" + keys(3))
    # credential_source
    for source, env in (("Environment", static), ("EcsContainer", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@fakes@/container/good"}),
                        ("Ec2InstanceMetadata", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good"})):
        case(f"credential_source {source}", env, role + f"credential_source = {source}\n", profile="ops")
        case(f"credential_source {source}, nothing there", {}, role + f"credential_source = {source}\n", profile="ops")
    case("credential_source unknown", ops, role + "credential_source = Moon\n")
    case("credential_source in lower case", ops, role + "credential_source = environment\n")
    case("credential_source Environment partial", {"AWS_ACCESS_KEY_ID": "AKID"}, role + "credential_source = Environment\n", profile="ops")
    # processes
    for kind in ("good", "no-token", "expiring", "fails", "version", "no-version", "no-key", "no-secret", "not-json", "array",
                 "expired", "extra", "loud"):
        case(f"process {kind}", config=f"[default]\ncredential_process = @process@ {kind}\n")
    case("process quoted", config="[default]\ncredential_process = '@process@' 'quo''ted' \"a \\\"b\\\" c\" d\\ e\n")
    case("process open quote", config="[default]\ncredential_process = @process@ 'good\n")
    case("process not there", config="[default]\ncredential_process = /nonexistent/x good\n")
    case("process no shell", config="[default]\ncredential_process = @process@ good; false && echo $HOME\n")
    case("process in credentials file", credentials="[default]\ncredential_process = @process@ good\n")
    case("keys of the credentials file beat process", config="[default]\ncredential_process = @process@ good\n", credentials="[default]\n" + keys(1))
    case("process beats keys of the config file", config="[default]\ncredential_process = @process@ good\n" + keys(2))
    # web identity
    web = {"AWS_ROLE_ARN": ROLE + "pod", "AWS_WEB_IDENTITY_TOKEN_FILE": "@dir@/token"}
    token = {"token": "eyJ0.web"}
    case("web identity", web, files=token)
    case("web identity, session", {**web, "AWS_ROLE_SESSION_NAME": "pod-7"}, files=token)
    case("web identity, no file", web)
    case("web identity, no role", {"AWS_WEB_IDENTITY_TOKEN_FILE": "@dir@/token"}, files=token)
    case("web identity, role alone", {"AWS_ROLE_ARN": ROLE + "pod"})
    case("web identity, denied", {**web, "AWS_ROLE_ARN": ROLE + "denied"}, files=token)
    case("web identity, keys in env", {**web, **static}, files=token)
    case("web identity beats files", web, credentials="[default]\n" + keys(1), files=token)
    case("web identity, profile configured", web, credentials="[ops]\n" + keys(1), profile="ops", files=token)
    case("web identity, AWS_PROFILE", {**web, "AWS_PROFILE": "ops"}, credentials="[ops]\n" + keys(1), files=token)
    case("a role goes before web identity", web, f"[default]\nrole_arn = {ROLE}x\nsource_profile = base\n", "[base]\n" + keys(3), files=token)
    case("web identity of a profile", ops, role + "web_identity_token_file = @dir@/token\nrole_session_name = s7\n", files=token)
    case("web identity of a profile, no role", ops, "[profile ops]\nweb_identity_token_file = @dir@/token\n", files=token)
    case("web identity mixed", {"AWS_ROLE_ARN": ROLE + "other"}, "[default]\nweb_identity_token_file = @dir@/token\nrole_arn = x\n", files=token)
    case("web identity of a profile beats keys", ops, role + "web_identity_token_file = @dir@/token\n" + keys(2), files=token)
    # SSO
    start = "https://acme.awsapps.com/start"
    cache = {".aws/sso/cache/" + hashlib.sha1(start.encode()).hexdigest() + ".json": json.dumps(
        {"startUrl": start, "region": "eu-west-1", "accessToken": "sso-token", "expiresAt": LATER})}
    old = {path: text.replace("2035", "2020") for path, text in cache.items()}
    false = {path: text.replace("sso-token", "stolen") for path, text in cache.items()}
    sso = f"[default]\nsso_start_url = {start}\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = Backup\n"
    case("sso", config=sso, files=cache)
    case("sso never signed in", config=sso)
    case("sso expired", config=sso, files=old)
    case("sso refused", config=sso, files=false)
    case("sso beats keys", config=sso + keys(2), credentials="[default]\n" + keys(1), files=cache)
    case("sso role missing", config=sso.replace("sso_role_name = Backup\n", ""), files=cache)
    case("sso region missing", config=sso.replace("sso_region = eu-west-1\n", ""), files=cache)
    case("sso session that is not there", config="[default]\nsso_session = acme\nsso_account_id = 1\nsso_role_name = B\n", files=cache)
    case("role from sso", ops, role + "source_profile = default\n" + sso, files=cache)
    # containers
    for kind in ("good", "error", "broken", "lacks-AccessKeyId", "lacks-SecretAccessKey", "lacks-Token", "lacks-Expiration", "query?id=7"):
        case(f"container {kind}", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"@fakes@/container/{kind}"})
    guarded = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@fakes@/container/guarded"}
    case("container guarded", guarded)
    case("container token", {**guarded, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me in"})
    case("container token file", {**guarded, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@dir@/auth"}, files={"auth": "let me in"})
    case("container token file beats token", {**guarded, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@dir@/auth",
                                              "AWS_CONTAINER_AUTHORIZATION_TOKEN": "wrong"}, files={"auth": "let me in"})
    case("container token file not there", {**guarded, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "@dir@/auth"})
    case("container token with a line end", {**guarded, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let\nme in"})
    for host in ("example.com", "169.254.170.3", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", "128.0.0.1"):
        case(f"container at {host}", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{host}/x"})
    case("container at localhost", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@fakes-localhost@/container/good"})
    case("files beat container", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@fakes@/container/good"}, credentials="[default]\n" + keys(1))
    case("container beats instance", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@fakes@/container/good",
                                      "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good"})
    case("broken container hides instance", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@fakes@/container/lacks-Token",
                                             "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good"})
    # the instance
    for kind in ("good", "no-token-404", "no-token-403", "no-token-405", "bad-token", "no-role", "empty-role", "refuses", "broken",
                 "error", "lacks-AccessKeyId", "lacks-SecretAccessKey", "lacks-Token", "lacks-Expiration"):
        case(f"instance {kind}", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"@fakes@/imds/{kind}"})
        if kind.startswith("no-token") or kind == "good":
            case(f"instance {kind}, v1 disabled", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"@fakes@/imds/{kind}",
                                                   "AWS_EC2_METADATA_V1_DISABLED": "true"})
    case("instance disabled", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good", "AWS_EC2_METADATA_DISABLED": "TRUE"})
    case("instance not quite disabled", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good", "AWS_EC2_METADATA_DISABLED": "yes"})
    case("instance by the profile", config="[default]\nec2_metadata_service_endpoint = @fakes@/imds/good/\n")
    case("instance by the profile, v1 disabled", config="[default]\nec2_metadata_service_endpoint = @fakes@/imds/no-token-404\n"
         "ec2_metadata_v1_disabled = true\n")
    case("files beat instance", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good"}, credentials="[default]\n" + keys(1))
    case("partial files hide instance", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "@fakes@/imds/good"},
         credentials="[default]\naws_access_key_id = AKID\n")
    case("instance, endpoint that is none", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"})
    return found


CASES = cases()

PROCESS = r"""#!/bin/bash
kind=$1
later='"Expiration": "2035-01-02T03:04:05Z"'
case $kind in
good) echo '{"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "sec/ret", "SessionToken": "tok"}' ;;
quoted) echo "{\"Version\": 1, \"AccessKeyId\": \"AKID$#\", \"SecretAccessKey\": \"$(printf %s "$2|$3" | tr ' "' '_Q')\"}" ;;
'good;') echo "{\"Version\": 1, \"AccessKeyId\": \"AKID$#\", \"SecretAccessKey\": \"$*\"}" | tr ' ' ' ' | sed 's/"AKID\(.\)", "SecretAccessKey": .*/"AKID\1", "SecretAccessKey": "x"}/' ;;
no-token) echo '{"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "s"}' ;;
expiring) echo "{\"Version\": 1, \"AccessKeyId\": \"AKIDPROC\", \"SecretAccessKey\": \"s\", $later}" ;;
expired) echo '{"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "s", "Expiration": "2020-01-02T03:04:05Z"}' ;;
extra) echo '{"Other": {"AccessKeyId": "no"}, "Version": 1, "AccessKeyId": "AKID\u0050", "SecretAccessKey": "a\/b", "x": [1]}' ;;
loud) echo 'on the other channel' >&2; echo '{"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "s"}' ;;
fails) echo '{"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "s"}'; exit 3 ;;
version) echo '{"Version": 2, "AccessKeyId": "AKIDPROC", "SecretAccessKey": "s"}' ;;
no-version) echo '{"AccessKeyId": "AKIDPROC", "SecretAccessKey": "s"}' ;;
no-key) echo '{"Version": 1, "SecretAccessKey": "s"}' ;;
no-secret) echo '{"Version": 1, "AccessKeyId": "AKIDPROC"}' ;;
not-json) echo 'hello' ;;
array) echo '[1]' ;;
esac
"""

# What botocore says, one line for each case that it is given: its kinds of failure in our words.
ASK_BOTOCORE = r"""
import json, os, sys
import botocore.session, botocore.exceptions as e
import botocore.credentials
botocore.credentials.AssumeRoleProvider  # all are there
import botocore.utils
botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0

def kind(error):
    if isinstance(error, e.PartialCredentialsError):
        return "partial"
    if isinstance(error, (e.InvalidConfigError, e.InfiniteLoopConfigError, e.ProfileNotFound, e.ConfigParseError,
                          e.InvalidIMDSEndpointError)):
        return "config"
    if isinstance(error, ValueError) and ("Unsupported host" in str(error) or "No closing quotation" in str(error)):
        return "config"
    return "retrieval"

for line in sys.stdin:
    env, profile = json.loads(line)
    os.environ.clear()
    os.environ.update(env)
    try:
        session = botocore.session.Session(profile=profile)
        session.set_config_variable("region", "eu-central-1")
        found = session.get_credentials()
        if found is None:
            result = ["failed", "no_source"]
        else:
            frozen = found.get_frozen_credentials()
            expiry = getattr(found, "_expiry_time", None)
            result = ["ok", frozen.access_key, frozen.secret_key, frozen.token or "-",
                      str(int(expiry.timestamp())) if expiry else "-"]
    except Exception as error:
        result = ["failed", kind(error), repr(error)]
    print(json.dumps(result), flush=True)
"""


def set_up(directory, fakes, case):
    """The environment of a case, with its files in place."""
    name, env, config, credentials, profile, files = case
    directory.mkdir(parents=True)
    home = directory / "home"
    process = directory.parent / "process"

    def fill(text):
        for word, value in (("@fakes-localhost@", fakes.replace("127.0.0.1", "localhost")), ("@fakes@", fakes),
                            ("@dir@", str(home)), ("@process@", str(process))):
            text = text.replace(word, value)
        return text

    (home / ".aws").mkdir(parents=True)
    for path, text in {".aws/config": config, ".aws/credentials": credentials, **files}.items():
        if text:
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(fill(text))
    full = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_SERVICE_ENDPOINT": fakes + "/nothing",
            "AWS_ENDPOINT_URL_STS": fakes, "AWS_ENDPOINT_URL_SSO": fakes + "/sso",
            "http_proxy": "http://127.0.0.1:1", "no_proxy": "127.0.0.1,localhost",
            **{key: fill(value) for key, value in env.items()}}
    if "ec2_metadata_service_endpoint" in config:
        del full["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
    return full


@pytest.fixture(scope="module")
def answers(fakes, tmp_path_factory):
    """Both answers to all cases, a few at a time."""
    top = tmp_path_factory.mktemp("credentials")
    (top / "process").write_text(PROCESS)
    (top / "process").chmod(0o755)
    setups = [set_up(top / str(i), fakes, case) for i, case in enumerate(CASES)]

    def theirs(numbers):
        lines = "".join(json.dumps([setups[i], CASES[i][4]]) + "\n" for i in numbers)
        # an environment of their own from the start: botocore reads some of it when it is loaded, HOME among it
        results = {}
        done = subprocess.run([sys.executable, "-c", ASK_BOTOCORE], input=lines, text=True, capture_output=True, timeout=50,
                              env={"PATH": os.environ["PATH"], "HOME": setups[numbers[0]]["HOME"]})
        for i, line in zip(numbers, done.stdout.splitlines()):
            results[i] = json.loads(line)
        assert len(results) == len(numbers), done.stderr
        return results

    def ours(i):
        command = [TOOL, "eu-central-1"] + ([CASES[i][4]] if CASES[i][4] else [])
        done = subprocess.run(command, env=setups[i], capture_output=True, text=True, timeout=30)
        return done.stdout.splitlines() or ["crashed", done.stderr, str(done.returncode)]

    with ThreadPoolExecutor(8) as pool:
        alone = [i for i, case in enumerate(CASES) if "sso" in case[0]]
        rest = [i for i in range(len(CASES)) if i not in alone]
        jobs = [pool.submit(theirs, part) for part in [rest[k::6] for k in range(6)] + [[i] for i in alone]]
        mine = list(pool.map(ours, range(len(CASES))))
        botocore = {}
        for job in jobs:
            botocore.update(job.result())
    return [(botocore[i], mine[i]) for i in range(len(CASES))]


def test_there_are_enough_cases():
    assert len(CASES) >= 150
    assert len({case[0] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[0] for case in CASES])
def test_same_as_botocore(answers, number):
    theirs, ours = answers[number]
    if theirs[0] == "ok":
        assert ours == theirs
    else:
        assert ours[:2] == theirs[:2], theirs[2:] + ours[2:]
        assert "; HINT: " in ours[2]
        assert not re.search(r"secret(\d|env|-)", ours[2])
