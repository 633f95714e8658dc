"""TLS and proxies, with the real programs: a server that is not who it should be is refused with a message that names
the endpoint, before anything is sent to it; proxies are those of the environment. Loopback only."""

import contextlib
import socket
import ssl
import subprocess
import threading
import warnings

import pytest

import harness
from fake_dynamodb import FakeDynamoDB


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True, timeout=60)


def authority(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-subj", f"/CN={name}", "-days", "2")  # fmt: skip


def certificate(directory, name, issuer, names, days=("-days", "2")):
    """A certificate and its key, in NAME.pem."""
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.csr", "-subj", f"/CN={name}")  # fmt: skip
    (directory / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
            "-CAcreateserial", "-out", f"{name}.crt", "-extfile", f"{name}.ext", *days)  # fmt: skip
    (directory / f"{name}.pem").write_text((directory / f"{name}.crt").read_text() + (directory / f"{name}.key").read_text())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    authority(directory, "ours")
    authority(directory, "stranger")
    certificate(directory, "good", "ours", "DNS:localhost,IP:127.0.0.1")
    certificate(directory, "other-host", "ours", "DNS:dynamodb.example.org")
    certificate(directory, "expired", "ours", "DNS:localhost", ("-days", "-1"))
    certificate(directory, "unknown", "stranger", "DNS:localhost")
    return directory


class Relay:
    """Hands what comes on to a target, behind TLS or as a proxy; keeps what it was asked for."""

    def __init__(self, target, context=None, proxy=False):
        self.target, self.context, self.proxy = target, context, proxy
        self.asked, self.received = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError):
            sock.settimeout(10)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            first = b""
            if self.proxy:
                while b"\r\n\r\n" not in first:
                    first += sock.recv(65536)
                self.asked.append(first.split(b"\r\n")[0].decode())
                if first.startswith(b"CONNECT "):
                    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    first = b""
            other = socket.create_connection(("127.0.0.1", self.target), timeout=10)
            other.sendall(first)
            threading.Thread(target=self._copy, args=(other, sock), daemon=True).start()
            self._copy(sock, other)

    def _copy(self, source, sink):
        with contextlib.suppress(OSError), source, sink:
            while chunk := source.recv(65536):
                self.received += len(chunk)
                sink.sendall(chunk)

    def stop(self):
        self.listener.close()


@pytest.fixture
def relay():
    fake, started = FakeDynamoDB(["orders"]), []

    def make(target=None, **options):
        started.append(Relay(target or int(fake.url.rsplit(":", 1)[1]), **options))
        return started[-1]

    make.fake = fake
    yield make
    for one in started:
        one.stop()
    fake.stop()


def server(certificates, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / f"{name}.pem")
    return context


def old_server(certificates):
    context = server(certificates, "good")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is old is the point
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def dry_run(tmp_path, aws, profile="", **env):
    path = tmp_path / "ddbackupd.conf"
    path.write_text(f"""deployment = "acme";
aws = {{ region = "{harness.REGION}"; max_attempts = 1; {aws} }};
schedules = {{ nightly = {{ action = "backup"; when = "02:00"; }}; }};
tables = ( {{ match = "orders"; schedules = "nightly"; }} );
""")
    (tmp_path / "config").write_text(f"[default]\n{profile}\n")
    keys = {"AWS_ACCESS_KEY_ID": harness.KEY_ID, "AWS_SECRET_ACCESS_KEY": harness.SECRET, "AWS_CONFIG_FILE": str(tmp_path / "config")}
    done = subprocess.run([harness.BUILD / "ddbackupd", "--config", path, "--dry-run"], capture_output=True, text=True, timeout=60,
                          env=harness.environment(tmp_path, **keys, **env))  # fmt: skip
    return done.returncode, done.stdout + done.stderr


# --- certificates ---


@pytest.mark.parametrize("where", ["configuration", "environment", "profile"])
def test_right_authority(tmp_path, certificates, relay, where):
    front = relay(context=server(certificates, "good"))
    bundle = str(certificates / "ours.pem")
    url = f'endpoint_url = "https://localhost:{front.port}";'
    status, text = dry_run(
        tmp_path,
        url + (f'ca_bundle = "{bundle}";' if where == "configuration" else ""),
        f"ca_bundle = {bundle}" if where == "profile" else "",
        **({"AWS_CA_BUNDLE": bundle} if where == "environment" else {}),
    )
    assert status == 0, text
    assert f"region {harness.REGION} at https://localhost:{front.port}/" in text
    assert "1 of 1 tables are ready" in text


def test_configuration_is_stronger_than_environment(tmp_path, certificates, relay):
    front = relay(context=server(certificates, "good"))
    aws = f'endpoint_url = "https://localhost:{front.port}"; ca_bundle = "{certificates}/stranger.pem";'
    assert dry_run(tmp_path, aws, AWS_CA_BUNDLE=str(certificates / "ours.pem"))[0] == 1


REFUSED = {
    "wrong host": ("other-host", "no alternative certificate subject name matches target host name 'localhost'"),
    "expired": ("expired", "certificate has expired"),
    "unknown authority": ("unknown", "unable to get local issuer certificate"),
    "TLS 1.1 only": (None, "protocol version"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(tmp_path, certificates, relay, what):
    name, why = REFUSED[what]
    front = relay(context=server(certificates, name) if name else old_server(certificates))
    aws = f'endpoint_url = "https://localhost:{front.port}"; ca_bundle = "{certificates}/ours.pem";'
    status, text = dry_run(tmp_path, aws)
    assert status == 1
    line = next(line for line in text.splitlines() if "cannot be described" in line)
    assert f"localhost:{front.port}: " in line and why in line and "; HINT: " in line, text
    assert front.received == 0 and relay.fake.of("DescribeTable") == []


def test_system_does_not_know_ours(tmp_path, certificates, relay):
    front = relay(context=server(certificates, "good"))
    status, text = dry_run(tmp_path, f'endpoint_url = "https://localhost:{front.port}";')
    assert status == 1 and f"localhost:{front.port}: " in text and front.received == 0


def test_environment_cannot_switch_checks_off(tmp_path, certificates, relay):
    """Not by what other programs listen to."""
    front = relay(context=server(certificates, "unknown"))
    for env in ({"PYTHONHTTPSVERIFY": "0"}, {"NODE_TLS_REJECT_UNAUTHORIZED": "0"}, {"CURL_CA_BUNDLE": ""},
                {"CURL_CA_BUNDLE": str(certificates / "stranger.pem")}, {"AWS_NO_VERIFY_SSL": "true"}):  # fmt: skip
        status, text = dry_run(tmp_path, f'endpoint_url = "https://localhost:{front.port}"; ca_bundle = "{certificates}/ours.pem";', **env)
        assert status == 1 and front.received == 0, (env, text)


@pytest.mark.parametrize("bundle, why", [("/nowhere/ca.pem", "No such file or directory"), ("", "")])
def test_bundle_that_is_not_there(tmp_path, bundle, why):
    if bundle:
        status, text = dry_run(tmp_path, f'ca_bundle = "{bundle}";')
        assert status == 1
        assert f"aws.ca_bundle: {bundle}: {why}; HINT: " in text
    else:  # an empty variable is none
        assert "CA_BUNDLE" not in dry_run(tmp_path, 'endpoint_url = "http://127.0.0.1:9";', AWS_CA_BUNDLE="")[1]


# --- proxies ---


def http(relay):
    return f'endpoint_url = "{relay.fake.url}";'


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "all_proxy"])
def test_proxy_for_http(tmp_path, relay, variable):
    proxy = relay(proxy=True)
    status, text = dry_run(tmp_path, http(relay), **{variable: f"http://127.0.0.1:{proxy.port}"})
    assert status == 0, text
    assert proxy.asked and set(proxy.asked) == {f"POST {relay.fake.url}/ HTTP/1.1"}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_proxy_for_https(tmp_path, certificates, relay, variable):
    """The proxy sees a name and a port; TLS goes through it to the endpoint."""
    front = relay(context=server(certificates, "good"))
    proxy = relay(target=front.port, proxy=True)
    aws = f'endpoint_url = "https://localhost:{front.port}"; ca_bundle = "{certificates}/ours.pem";'
    status, text = dry_run(tmp_path, aws, **{variable: f"http://127.0.0.1:{proxy.port}"})
    assert status == 0, text
    assert set(proxy.asked) == {f"CONNECT localhost:{front.port} HTTP/1.1"}


def test_certificates_are_checked_through_a_proxy(tmp_path, certificates, relay):
    front = relay(context=server(certificates, "unknown"))
    proxy = relay(target=front.port, proxy=True)
    aws = f'endpoint_url = "https://localhost:{front.port}"; ca_bundle = "{certificates}/ours.pem";'
    assert dry_run(tmp_path, aws, HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")[0] == 1
    assert proxy.asked and front.received == 0


def test_lower_case_is_stronger(tmp_path, relay):
    one, other = relay(proxy=True), relay(proxy=True)
    env = {"http_proxy": f"http://127.0.0.1:{one.port}", "HTTP_PROXY": f"http://127.0.0.1:{other.port}"}
    assert dry_run(tmp_path, http(relay), **env)[0] == 0
    assert one.asked and not other.asked


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("value", ["127.0.0.1", "example.org,127.0.0.0/8", "*"])
def test_no_proxy(tmp_path, relay, variable, value):
    proxy = relay(proxy=True)
    assert dry_run(tmp_path, http(relay), **{"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", variable: value})[0] == 0
    assert not proxy.asked


def test_proxy_that_is_not_there(tmp_path, relay):
    status, text = dry_run(tmp_path, http(relay), HTTP_PROXY="http://user:pass-word@127.0.0.1:9")
    assert status == 1 and "127.0.0.1" in text
    assert "pass-word" not in text
