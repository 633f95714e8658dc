"""The transport against scripted servers: what leaves, how often, and what each way to end is called."""

import json
import os
import pathlib
import queue
import random
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get("DDB_BUILD", TOP / "build" / "release")) / "tests" / "integration" / "transport_tool"
SEED = int(os.environ.get("DDB_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


class Tool:
    """The transport in a process of its own."""

    def __init__(self, **extra):
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **extra}
        self.process = subprocess.Popen(
            [TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.n_sent = 0
        self.told = 0

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def command(self, *words):
        self.process.stdin.write("\t".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def send(self, url, body='{"a":1}', method="POST", once=True, connect=5000, total=10000, max_reply=1 << 20, n=1):
        """The ids of the n requests."""
        self.command("send", method, url, "once" if once else "repeatable", body, connect, total, max_reply, n)
        self.n_sent += n
        return list(range(self.n_sent - n + 1, self.n_sent + 1))

    def _replies(self):
        replies = []
        while (line := self.lines.get(timeout=70)) != ".":
            assert line is not None, f"transport_tool ended: {self.process.stderr.read()}"
            reply = json.loads(line)
            if "told" in reply:
                self.told = reply["told"]
            else:
                replies.append(reply)
        return replies

    def wait(self):
        self.command("wait")
        return self._replies()

    def run(self, msec):
        self.command("run", msec)
        return self._replies()

    def free(self):
        self.command("free")
        return self._replies()

    def rest(self):
        self.command("rest")
        return self._replies()

    def one(self, *arguments, **options):
        """Sends one request and returns its reply."""
        (number,) = self.send(*arguments, **options)
        (reply,) = self.wait()
        assert reply["id"] == number
        return reply

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        errors = self.process.stderr.read()
        assert (status, errors) == (0, "")


@pytest.fixture
def tool():
    one = Tool()
    yield one
    try:
        one.close()
    finally:
        one.process.kill()
        one.process.wait()


REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Connection:
    """A server's end. Everything that it reads is kept in the server's log."""

    def __init__(self, server, sock):
        self.server, self.sock = server, sock
        self.buffer = b""

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        with self.server.lock:
            self.server.received[self.sock] = self.server.received.get(self.sock, b"") + data
        self.buffer += data

    def read_bytes(self, n):
        while len(self.buffer) < n:
            self._more()

    def read_headers(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        return self.buffer.split(b"\r\n\r\n", 1)[0]

    def read_request(self):
        """(headers, body) of the next whole request."""
        headers = self.read_headers()
        found = re.search(rb"\r\nContent-Length: (\d+)", headers)
        length = int(found.group(1)) if found else 0
        self.read_bytes(len(headers) + 4 + length)
        body = self.buffer[len(headers) + 4 :][:length]
        self.buffer = self.buffer[len(headers) + 4 + length :]
        return headers.decode(), body

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """Runs script(connection) for each connection, in a thread; an exception of a peer that went is no failure."""

    def __init__(self, script, context=None):
        self.script, self.context = script, context
        self.lock = threading.Lock()
        self.received = {}
        self.n_connections = 0
        self.failures = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            sock.settimeout(60)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            self.script(Connection(self, sock))
        except (EOFError, OSError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(error)
        finally:
            sock.close()

    def n_seen(self, number):
        """How often the head of a request came in, over all connections."""
        with self.lock:
            return sum(data.count(b"X-Id: %d\r\n" % number) for data in self.received.values())

    def close(self):
        self.listener.close()
        assert not self.failures


@pytest.fixture
def serve():
    servers = []

    def make(script, context=None):
        servers.append(Server(script, context))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def answer_all(connection):
    while True:
        connection.read_request()
        connection.sock.sendall(REPLY)


def test_what_leaves_and_what_comes_back(tool, serve):
    seen = []

    def script(connection):
        while True:
            seen.append(connection.read_request())
            connection.sock.sendall(
                b"HTTP/1.1 100 Continue\r\nX-Not: this\r\n\r\n"
                b"HTTP/1.1 400 Bad Request\r\nx-amzn-RequestId:  ABC \r\nX-Empty:\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\na\x00b\r\n2\r\ncd\r\n0\r\n\r\n"
            )

    server = serve(script)
    for once in (True, False):
        reply = tool.one(server.url + "a/../b?c=%20d", once=once)
        assert (reply["outcome"], reply["status"], reply["body_len"]) == ("replied", 400, 5)
        assert reply["headers"] == [["x-amzn-RequestId", "ABC"], ["X-Empty", ""], ["Transfer-Encoding", "chunked"]]
        headers, body = seen.pop()
        assert headers.split("\r\n") == [
            "POST /a/../b?c=%20d HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            f"X-Id: {tool.n_sent}",
            "X-Empty:",
            "Accept-Encoding: identity",
            "Authorization: AWS4-HMAC-SHA256 a,  b",
            "Content-Length: 7",
        ]
        assert body == b'{"a":1}'
    assert server.n_connections == 1


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize(
    "method, body, line, length",
    [
        ("GET", "", "GET / HTTP/1.1", None),
        ("DELETE", "", "DELETE / HTTP/1.1", None),
        ("PUT", "x", "PUT / HTTP/1.1", "1"),
        ("PUT", "", "PUT / HTTP/1.1", "0"),
        ("POST", "", "POST / HTTP/1.1", "0"),
        ("HEAD", "", "HEAD / HTTP/1.1", None),
    ],
)
def test_methods(tool, serve, method, body, line, length, once):
    seen = []

    def script(connection):
        seen.append(connection.read_request())
        connection.sock.sendall(REPLY if method != "HEAD" else REPLY[:-2])
        connection.read_bytes(1)

    reply = tool.one(serve(script).url, method=method, body=body, once=once)
    assert (reply["outcome"], reply["status"], reply["body"]) == ("replied", 200, "ok" if method != "HEAD" else "")
    headers, got = seen[0]
    assert headers.startswith(line + "\r\n")
    assert got.decode() == body
    found = re.search(r"Content-Length: (\d+)", headers)
    assert (found and found.group(1)) == length


def test_a_proxy_of_the_environment_is_used(serve):
    seen = []

    def script(connection):
        seen.append(connection.read_request())
        connection.sock.sendall(REPLY)

    one = Tool(http_proxy=serve(script).url)
    try:
        assert one.one("http://somewhere.invalid/x")["outcome"] == "replied"
        one.close()
    finally:
        one.process.kill()
    assert seen[0][0].startswith("POST http://somewhere.invalid/x HTTP/1.1\r\n")


def test_redirects_are_not_followed(tool, serve):
    def script(connection):
        connection.read_request()
        connection.sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n")

    server = serve(script)
    assert tool.one(server.url)["status"] == 302
    assert server.n_seen(1) == 1


def test_only_http(tool, tmp_path):
    (tmp_path / "secret").write_text("x")
    for url in (f"file://{tmp_path}/secret", "gopher://127.0.0.1:1/x", "http://user:pass@127.0.0.1:1/", "::"):
        reply = tool.one(url)
        assert (reply["outcome"], reply["body"]) == ("not_sent", ""), url
        assert reply["error"] and "pass" not in reply["error"]


# --- sent once ---


def close_after_request(connection):
    connection.read_request()


def close_after_headers(connection):
    connection.read_headers()


def close_after_a_byte(connection):
    connection.read_bytes(1)


def reset_after_request(connection):
    connection.read_request()
    connection.reset()


def reset_after_headers(connection):
    connection.read_headers()
    connection.reset()


def reset_after_a_byte(connection):
    connection.read_bytes(1)
    connection.reset()


def half_a_reply(connection):
    connection.read_request()
    connection.sock.sendall(REPLY[:20])


ENDINGS = [
    close_after_request,
    close_after_headers,
    close_after_a_byte,
    reset_after_request,
    reset_after_headers,
    reset_after_a_byte,
    half_a_reply,
]


def ends_like(ending):
    """Serves the first request of each connection as it should and ends on the second one."""

    def script(connection):
        connection.read_request()
        connection.sock.sendall(REPLY)
        ending(connection)

    return script


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("ending", ENDINGS, ids=lambda f: f.__name__)
def test_a_kept_alive_connection_dies_and_nothing_is_sent_twice(tool, serve, ending, tls, request):
    context = request.getfixturevalue("good_tls")(tool) if tls else None
    server = serve(ends_like(ending), context)
    for body in ("", '{"TableName":"orders"}', "x" * 3000):
        for _ in range(3 if tls else 15):
            assert tool.one(server.url, body=body)["outcome"] == "replied"
            n_connections = server.n_connections
            reply = tool.one(server.url, body=body)
            assert reply["outcome"] == "unknown"
            assert reply["error"].startswith(f"127.0.0.1:{server.port}: ")
            assert server.n_seen(tool.n_sent) == 1
            assert server.n_connections - n_connections <= 1


@pytest.mark.parametrize("ending", [close_after_request, reset_after_request], ids=lambda f: f.__name__)
def test_control_a_repeatable_request_is_sent_again(tool, serve, ending):
    server = serve(ends_like(ending))
    for _ in range(5):
        assert tool.one(server.url, once=False)["outcome"] == "replied"
        assert tool.one(server.url, once=False)["outcome"] == "replied"
        assert server.n_seen(tool.n_sent) == 2
        tool.free()


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda f: f.__name__)
def test_a_fresh_connection_dies(tool, serve, ending):
    server = serve(ending)
    for once in (True, False):
        assert tool.one(server.url, once=once)["outcome"] == "unknown"
        assert server.n_seen(tool.n_sent) == 1


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
def test_an_idle_connection_closes_while_we_send(tool, serve, reset):
    """A race on purpose: whoever wins, the request comes in at most once, and exactly once when it has a reply."""
    print(f"DDB_TEST_SEED={SEED}")
    delays = random.Random(SEED)

    def script(connection):
        connection.read_request()
        connection.sock.sendall(REPLY)
        time.sleep(delays.random() * 0.004)
        if reset:
            connection.reset()

    server = serve(script)
    outcomes = {"replied": 0, "unknown": 0}
    for _ in range(200):
        assert tool.one(server.url)["outcome"] in outcomes
        reply = tool.one(server.url)
        outcomes[reply["outcome"]] += 1
        n_seen = server.n_seen(tool.n_sent)
        assert n_seen == 1 if reply["outcome"] == "replied" else n_seen <= 1
    print(outcomes)


def test_an_idle_connection_that_closed_costs_nothing(tool, serve):
    """The close has come in before we send: a new connection, and one request."""

    def script(connection):
        connection.read_request()
        connection.sock.sendall(REPLY)
        time.sleep(0.01)

    server = serve(script)
    for _ in range(10):
        assert tool.one(server.url)["outcome"] == "replied"
        assert server.n_seen(tool.n_sent) == 1
        time.sleep(0.05)


# --- how requests end ---


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def test_a_refused_connection_was_not_sent(tool):
    port = free_port()
    for once in (True, False):
        reply = tool.one(f"http://127.0.0.1:{port}/", once=once)
        assert (reply["outcome"], reply["error"]) == ("not_sent", f"127.0.0.1:{port}: Connection refused")


def test_a_name_that_does_not_resolve_was_not_sent(tool):
    reply = tool.one("https://nowhere.invalid/", total=20000)
    assert reply["outcome"] == "not_sent"
    assert reply["error"].startswith("nowhere.invalid: ")


@pytest.fixture
def black_hole():
    """A port whose queue of connections is full: a SYN is not answered."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(3):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        waiting.append(one)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    for one in [*waiting, listener]:
        one.close()


@pytest.mark.parametrize("connect, total", [(300, 5000), (0, 300), (5000, 300)])
def test_a_connection_that_never_comes_was_not_sent(tool, black_hole, connect, total):
    begin = time.monotonic()
    reply = tool.one(black_hole, connect=connect, total=total)
    assert reply["outcome"] == "not_sent"
    assert re.search("time", reply["error"].lower())
    assert 0.25 < time.monotonic() - begin < 3


def test_a_handshake_that_never_comes_was_not_sent(tool, serve):
    server = serve(lambda connection: connection.read_bytes(1 << 20))
    reply = tool.one(server.url.replace("http:", "https:"), connect=300)
    assert reply["outcome"] == "not_sent"


def trickle(connection):
    connection.read_request()
    for byte in REPLY.replace(b" 2\r", b" 9\r"):
        connection.sock.sendall(bytes([byte]))
        time.sleep(0.02)


def silence(connection):
    connection.read_request()
    connection.read_bytes(1)


@pytest.mark.parametrize("script", [trickle, silence], ids=lambda f: f.__name__)
def test_a_slow_reply_is_cut_by_the_time_out(tool, serve, script):
    begin = time.monotonic()
    reply = tool.one(serve(script).url, total=400)
    assert reply["outcome"] == "unknown"
    assert 0.35 < time.monotonic() - begin < 3


def test_many_time_out_together(tool, serve):
    """They end in one wake-up, and nothing else happens after it."""
    tool.send(serve(silence).url, total=300, n=30)
    assert [reply["outcome"] for reply in tool.run(2000)] == ["unknown"] * 30


def says(reply):
    def script(connection):
        connection.read_request()
        connection.sock.sendall(reply)

    return script


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "reply, error",
    [
        (HEAD + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001, "the reply is too long"),
        (HEAD + CHUNKED + (b"200\r\n" + b"x" * 512 + b"\r\n") * 2, "the reply is too long"),
        (HEAD + b"\r\n" + b"x" * 100000, "the reply is too long"),
        (HEAD + b"Content-Length: 10\r\n\r\nshort", None),
        (HEAD + CHUNKED + b"5\r\nabc", None),
        (HEAD + CHUNKED + b"zz\r\nabc", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None),
        (b"HTTP/9.9 200 OK\r\n\r\n", None),
        (b"\x00\xff\xfe garbage\r\n\r\n", None),
        (b"", None),
        (HEAD + b"Content-Length: -1\r\n\r\n", None),
        (HEAD + b"X: y\r\n" * 150 + b"\r\n", "the reply has too many headers"),
        (HEAD + (b"X: " + b"y" * 1000 + b"\r\n") * 70 + b"\r\n", "the reply has too many headers"),
        (HEAD + b"X: " + b"y" * 200000 + b"\r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 60, "the reply has too many headers"),
    ],
)
def test_a_bad_reply_leaves_the_outcome_unknown(tool, serve, reply, error):
    server = serve(says(reply))
    got = tool.one(server.url, max_reply=1000)
    assert got["outcome"] == "unknown"
    assert got["error"].startswith(f"127.0.0.1:{server.port}: ")
    if error:
        assert got["error"].endswith(error)


def test_the_longest_reply_that_fits(tool, serve):
    reply = tool.one(serve(says(HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000)).url, max_reply=1000)
    assert (reply["outcome"], reply["body"]) == ("replied", "x" * 1000)


def test_a_reply_that_comes_before_the_body_is_read(tool, serve):
    def script(connection):
        connection.read_headers()
        connection.sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    assert tool.one(serve(script).url)["status"] == 413


# --- TLS ---


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """certificates(name): (certificate with its key, CA) for 127.0.0.1, for another name, and for one without a CA."""
    directory = tmp_path_factory.mktemp("tls")
    ca, key = directory / "ca.pem", directory / "ca.key"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl("req", "-x509", *new_key, "-keyout", key, "-out", ca, "-subj", "/CN=Test CA")

    def make(name, alternative):
        pem, own_key, request = (directory / f"{name}.{end}" for end in ("pem", "key", "csr"))
        extension = directory / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternative}\n")
        openssl("req", *new_key[:-2], "-keyout", own_key, "-out", request, "-subj", f"/CN={name}")
        by_ca = ["-CA", ca, "-CAkey", key, "-CAcreateserial", "-days", "2"]
        openssl("x509", "-req", "-in", request, *by_ca, "-extfile", extension, "-out", pem)
        return pem, own_key

    good, other = make("good", "IP:127.0.0.1"), make("other", "DNS:elsewhere.example")
    alone = directory / "alone.pem", directory / "alone.key"
    of_itself = ["-subj", "/CN=alone", "-addext", "subjectAltName=IP:127.0.0.1"]
    openssl("req", "-x509", *new_key, "-keyout", alone[1], "-out", alone[0], *of_itself)
    return {"ca": ca, "good": good, "other": other, "alone": alone}


def context_of(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


@pytest.fixture
def good_tls(certificates):
    def configure(tool):
        tool.command("configure", certificates["ca"], 64, 32)
        return context_of(certificates["good"])

    return configure


def test_tls_is_verified(tool, serve, certificates):
    servers = {name: serve(answer_all, context_of(certificates[name])) for name in ("good", "other", "alone")}

    def outcomes():
        return [tool.one(servers[name].url)["outcome"] for name in ("good", "other", "alone")]

    assert outcomes() == ["not_sent"] * 3  # the system knows none of them
    tool.command("configure", certificates["ca"], 64, 32)
    assert outcomes() == ["replied", "not_sent", "not_sent"]
    assert "elsewhere" in tool.one(servers["other"].url)["error"] or "name" in tool.one(servers["other"].url)["error"]
    assert outcomes()[0] == "replied" and servers["good"].n_connections == 2  # one was refused, one is kept
    tool.command("configure", "/nonexistent/ca.pem", 64, 32)
    reply = tool.one(servers["good"].url)
    assert reply["outcome"] == "not_sent" and "/nonexistent/ca.pem" in reply["error"]
    tool.command("configure", "-", 64, 32)
    assert outcomes() == ["not_sent"] * 3


def test_a_handle_in_use_does_not_keep_the_old_certificates(tool, serve, certificates):
    def script(connection):
        connection.read_request()
        time.sleep(0.2)
        connection.sock.sendall(REPLY.replace(b"Content-Type: text/plain", b"Connection: close"))

    server = serve(script, context_of(certificates["good"]))
    tool.command("configure", certificates["ca"], 64, 32)
    tool.send(server.url)
    tool.run(100)
    tool.command("configure", "-", 64, 32)
    assert [reply["outcome"] for reply in tool.wait()] == ["replied"]
    assert tool.one(server.url)["outcome"] == "not_sent"


# --- connections ---


def test_connections_are_kept(tool, serve):
    server = serve(answer_all)
    for _ in range(50):
        assert tool.one(server.url)["outcome"] == "replied"
    assert server.n_connections == 1


def test_at_rest_no_connection_is_kept(tool, serve):
    """Nothing that is under way is disturbed; afterwards the next request connects anew, and the server sees the end."""
    answer, ended = threading.Event(), threading.Event()

    def script(connection):
        connection.read_request()
        answer.wait(30)
        connection.sock.sendall(REPLY)
        try:
            connection.read_request()
            connection.sock.sendall(REPLY)
        except EOFError:
            ended.set()
            raise

    server = serve(script)
    numbers = tool.send(server.url)
    tool.run(200)
    assert tool.rest() == []
    answer.set()
    assert [(reply["id"], reply["outcome"]) for reply in tool.wait()] == [(numbers[0], "replied")]
    tool.rest()
    assert ended.wait(10)
    assert tool.one(server.url)["outcome"] == "replied"
    assert server.n_connections == 2
    tool.rest()
    tool.rest()
    assert tool.one(server.url)["outcome"] == "replied"


def test_two_hundred_at_once(tool, serve):
    def script(connection):
        while True:
            connection.read_request()
            time.sleep(0.02)
            connection.sock.sendall(REPLY)

    server = serve(script)
    numbers = tool.send(server.url, n=200)
    replies = tool.wait()
    assert sorted(reply["id"] for reply in replies) == numbers
    assert {reply["outcome"] for reply in replies} == {"replied"}
    assert server.n_connections <= 32
    assert all(server.n_seen(number) == 1 for number in numbers)
    assert tool.told < 200  # several replies are told at once


def test_waiting_for_a_connection_costs_no_connect_time(tool, serve):
    """More requests than connections, and replies slower than a connection may take."""

    def script(connection):
        while True:
            connection.read_request()
            time.sleep(0.3)
            connection.sock.sendall(REPLY)

    tool.command("configure", "-", 8, 2)
    tool.send(serve(script).url, connect=200, n=10)
    assert {reply["outcome"] for reply in tool.wait()} == {"replied"}


def test_one_host_in_trouble_does_not_hold_up_another(tool, serve, black_hole):
    tool.command("configure", "-", 8, 2)
    tool.send(black_hole, connect=2000, n=20)
    server = serve(answer_all)
    tool.send(server.url, n=10)
    replies = tool.run(500)
    assert [reply["outcome"] for reply in replies] == ["replied"] * 10


def test_a_request_waits_for_a_connection_no_longer_than_its_time_out(tool, serve):
    tool.command("configure", "-", 1, 1)
    server = serve(silence)
    (first,) = tool.send(server.url, total=600)
    numbers = tool.send(server.url, total=300, n=2)
    (last,) = tool.send(server.url, total=900)
    replies = {reply["id"]: reply for reply in tool.wait()}
    assert [replies[n]["outcome"] for n in (first, *numbers, last)] == ["unknown", "not_sent", "not_sent", "unknown"]
    assert replies[numbers[0]]["error"] == f"127.0.0.1:{server.port}: no connection was free in time"
    assert [server.n_seen(n) for n in (first, *numbers, last)] == [1, 0, 0, 1]


def test_the_transport_goes_with_requests_under_way(tool, serve, black_hole):
    server = serve(silence)
    tool.send(server.url, n=20)
    tool.send(black_hole, n=20)
    tool.send(server.url.replace("http:", "https:"), n=5)
    tool.send("http://nowhere.invalid/", n=5)
    tool.run(50)
    begin = time.monotonic()
    assert tool.free() == []
    assert time.monotonic() - begin < 2
    assert tool.one(serve(answer_all).url)["outcome"] == "replied"
    tool.send(server.url, n=5)  # and the process ends with these


def test_descriptors_that_come_back_at_once(tool, serve):
    """Connections that close after each reply, many at once and in rows: each number is used again and again."""

    def script(connection):
        connection.read_request()
        connection.sock.sendall(REPLY.replace(b"Content-Type: text/plain", b"Connection: close"))

    server = serve(script)
    for _ in range(40):
        numbers = tool.send(server.url, n=25)
        assert sorted(reply["id"] for reply in tool.wait() if reply["outcome"] == "replied") == numbers
    assert server.n_connections == 1000
