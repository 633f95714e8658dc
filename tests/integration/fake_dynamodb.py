"""A DynamoDB of the tests that misbehaves to order: a small, honest service for backups and exports, and in front of it
one scripted behaviour for each (operation, table). Everything that it reads is kept. Loopback only; signatures are not
checked (the emulator does that)."""

import collections
import hashlib
import itertools
import json
import re
import socket
import struct
import threading
import time
import uuid
import zlib

ACCOUNT = "123456789012"
REGION = "eu-central-1"

Call = collections.namedtuple("Call", "op table request connection wall")


class Gone(Exception):
    """The connection is to end here."""


class Refused(Exception):
    """The service's own error: code, message."""


class Service:
    """What is true, whatever the wire makes of it."""

    def __init__(self, tables):
        self.tables = {name: str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in tables}
        self.backups = []
        self.exports = {}  # by token
        self.number = 0

    def arn(self, table):
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"

    def _stamp(self):
        self.number += 1
        return f"{int(time.time() * 1000):014d}-{self.number:08x}"

    def table_of(self, request):
        name = next((request[key] for key in ("TableName", "TableArn", "BackupArn", "ExportArn") if key in request), "")
        found = re.search(r"table/([^/]+)", name)
        return found.group(1) if found else name

    def ListTables(self, request):
        return {"TableNames": sorted(self.tables)}

    def DescribeTable(self, request):
        name = self.table_of(request)
        return {
            "Table": {
                "TableName": name,
                "TableArn": self.arn(name),
                "TableId": self.tables[name],
                "TableStatus": "ACTIVE",
                "CreationDateTime": 1700000000.123,
                "TableSizeBytes": 4096,
                "ItemCount": 3,
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "DeletionProtectionEnabled": False,
            }
        }

    def DescribeContinuousBackups(self, request):
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": 35,
            "EarliestRestorableDateTime": 1700000000.5,
            "LatestRestorableDateTime": round(time.time() - 300, 3),
        }
        status = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}
        return {"ContinuousBackupsDescription": status}

    def _details(self, backup):
        keys = ("BackupArn", "BackupName", "BackupStatus", "BackupType", "BackupCreationDateTime", "BackupSizeBytes")
        return {key: backup[key] for key in keys}

    def CreateBackup(self, request):
        name = self.table_of(request)
        backup = {
            "BackupArn": f"{self.arn(name)}/backup/{self._stamp()}",
            "BackupName": request["BackupName"],
            "BackupStatus": "AVAILABLE",
            "BackupType": "USER",
            "BackupCreationDateTime": round(time.time(), 3),
            "BackupSizeBytes": 4096,
            "TableName": name,
            "TableId": self.tables[name],
            "TableArn": self.arn(name),
        }
        self.backups.append(backup)
        return {"BackupDetails": {**self._details(backup), "BackupStatus": "CREATING"}}

    def DescribeBackup(self, request):
        backup = next((b for b in self.backups if b["BackupArn"] == request["BackupArn"]), None)
        if not backup:
            raise Refused("BackupNotFoundException", f"Backup not found: {request['BackupArn']}")
        table = self.DescribeTable({"TableName": backup["TableName"]})["Table"]
        return {
            "BackupDescription": {
                "BackupDetails": self._details(backup),
                "SourceTableDetails": {
                    "TableName": table["TableName"],
                    "TableId": backup["TableId"],
                    "TableArn": table["TableArn"],
                    "TableSizeBytes": 4096,
                    "ItemCount": 3,
                    "KeySchema": table["KeySchema"],
                    "TableCreationDateTime": table["CreationDateTime"],
                    "BillingMode": "PAY_PER_REQUEST",
                    "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
                },
                "SourceTableFeatureDetails": {},
            }
        }

    def ListBackups(self, request):
        lower = request.get("TimeRangeLowerBound", 0)
        fits = [
            b
            for b in self.backups
            if b["TableName"] == self.table_of(request) and b["BackupCreationDateTime"] >= lower
        ]
        return {"BackupSummaries": fits}

    def ExportTableToPointInTime(self, request):
        token = request["ClientToken"]
        if token not in self.exports:
            name = self.table_of(request)
            now = round(time.time(), 3)
            self.exports[token] = {
                "ExportArn": f"{self.arn(name)}/export/{self._stamp()}",
                "ExportStatus": "COMPLETED",
                "StartTime": now,
                "EndTime": now,
                "ExportTime": now,
                "ExportManifest": "AWSDynamoDB/x/manifest-summary.json",
                "TableArn": self.arn(name),
                "TableId": self.tables[name],
                "ClientToken": token,
                "S3Bucket": request["S3Bucket"],
                "S3SseAlgorithm": "AES256",
                "ExportFormat": "DYNAMODB_JSON",
                "BilledSizeBytes": 4096,
                "ItemCount": 3,
                "DestinationType": "S3",
            }
        return {"ExportDescription": {**self.exports[token], "ExportStatus": "IN_PROGRESS"}}

    def DescribeExport(self, request):
        for export in self.exports.values():
            if export["ExportArn"] == request["ExportArn"]:
                return {"ExportDescription": export}
        raise Refused("ExportNotFoundException", f"Export not found: {request['ExportArn']}")

    def ListExports(self, request):
        fits = [e for e in self.exports.values() if e["TableArn"] == request.get("TableArn", e["TableArn"])]
        kept = ("ExportArn", "ExportStatus")
        return {"ExportSummaries": [{"ExportType": "FULL_EXPORT", **{key: e[key] for key in kept}} for e in fits]}


# --- behaviours: behaviour(exchange) answers, or raises Gone ---


class Exchange:
    """One request that was read, and the means to answer it."""

    def __init__(self, fake, sock, call):
        self.fake, self.sock, self.call = fake, sock, call

    def effect(self):
        """Does what was asked for; returns the honest reply."""
        with self.fake.lock:
            return getattr(self.fake.service, self.call.op)(self.call.request)

    def send(self, body, status="200 OK", kind="application/x-amz-json-1.0", length=None, crc=None):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        head = f"HTTP/1.1 {status}\r\nServer: Server\r\nDate: {date}\r\n"
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n"
        head += "x-amzn-RequestId: " + hashlib.sha256(str(time.time()).encode()).hexdigest()[:52].upper() + "\r\n"
        head += f"x-amz-crc32: {zlib.crc32(body) if crc is None else crc}\r\n"
        self.sock.sendall(head.encode() + b"\r\n" + body)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


def honest(x):
    x.send(x.effect())


def drop(x):
    """Takes effect; the connection closes without a reply."""
    x.effect()
    raise Gone


def drop_without_effect(x):
    raise Gone


def reset(x):
    x.effect()
    x.reset()


def hold(x):
    """Takes effect; the reply never comes."""
    x.effect()
    x.fake.stopped.wait(60)
    raise Gone


def hold_without_effect(x):
    x.fake.stopped.wait(60)
    raise Gone


def cut_body(x):
    body = json.dumps(x.effect()).encode()
    x.send(body[: len(body) // 2], length=len(body))
    raise Gone


def cut_json(x):
    body = json.dumps(x.effect()).encode()
    x.send(body[: len(body) // 2])


def too_long(x):
    """An honest reply that is too long by white space."""
    try:
        x.send(b" " * (9 << 20) + json.dumps(x.effect()).encode())
    except OSError:
        raise Gone from None


def no_json(x):
    x.effect()
    x.send(b"\x00\xff<html>It works!</html>", kind="text/html")


def html_503(x):
    x.effect()
    x.send(b"<html><body>503 Service Unavailable</body></html>", "503 Service Unavailable", "text/html")


def empty(x):
    x.effect()
    x.send(b"")


def empty_object(x):
    x.effect()
    x.send({})


def wrong_crc(x):
    x.send(x.effect(), crc=1)


def _twist(value):
    """The same shape with each leaf of another type."""
    if isinstance(value, dict):
        return {key: _twist(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_twist(item) for item in value]
    return 42 if isinstance(value, str) else "x"


def wrong_types(x):
    x.send(_twist(x.effect()))


def lists_for_objects(x):
    x.send([x.effect()])


def _rename(value, key=None):
    if isinstance(value, dict):
        return {k: _rename(member, k) for k, member in value.items()}
    if isinstance(value, list):
        return [_rename(item, key) for item in value]
    if key == "TableId":
        return "00000000-0000-4000-8000-000000000000"
    if key == "ClientToken":
        return "another-token"
    if key in ("TableName", "BackupName"):
        return "another-" + value[8:]
    if key in ("BackupArn", "ExportArn", "TableArn"):
        return value.replace("table/", "table/another-")
    return value


def anothers(x):
    """A well-formed reply to somebody else's question."""
    x.send(_rename(x.effect()))


MALFORMED = [
    cut_body,
    cut_json,
    too_long,
    no_json,
    html_503,
    empty,
    empty_object,
    wrong_crc,
    wrong_types,
    lists_for_objects,
    anothers,
    drop,
    reset,
]


class FakeDynamoDB:
    """Listens on a port of its own until stop()."""

    def __init__(self, tables):
        self.service = Service(tables)
        self.lock = threading.Lock()
        self.calls = []
        self.scripts = {}
        self.failures = []
        self.stopped = threading.Event()
        self.n_connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def script(self, op, table, *behaviours, always=None):
        """What happens to the next requests of that operation for that table; then `always`, or the honest thing."""
        with self.lock:
            self.scripts[op, table] = itertools.chain(behaviours, itertools.repeat(always or honest))

    def of(self, op, table=None):
        """The calls so far."""
        with self.lock:
            return [call for call in self.calls if call.op == op and table in (None, call.table)]

    def stop(self):
        self.stopped.set()
        self.listener.close()
        assert not self.failures, self.failures

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self._serve, args=(sock, self.n_connections), daemon=True).start()

    def _serve(self, sock, number):
        buffer = b""
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                while not (head := re.match(rb"(?s)(.*?)\r\n\r\n", buffer)):
                    buffer += self._more(sock)
                length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head.group(1)).group(1))
                while len(buffer) < head.end() + length:
                    buffer += self._more(sock)
                body, buffer = buffer[head.end() :][:length], buffer[head.end() + length :]
                self._exchange(sock, number, head.group(1).decode(), json.loads(body))
        except (Gone, OSError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(error)
        finally:
            sock.close()

    def _more(self, sock):
        data = sock.recv(65536)
        if not data:
            raise Gone
        return data

    def _exchange(self, sock, number, head, request):
        op = re.search(r"(?i)\r\nx-amz-target: DynamoDB_20120810\.(\w+)", head).group(1)
        call = Call(op, self.service.table_of(request), request, number, time.time())
        with self.lock:
            self.calls.append(call)
            behaviour = next(self.scripts.get((op, call.table), itertools.repeat(honest)))
        exchange = Exchange(self, sock, call)
        try:
            behaviour(exchange)
        except Refused as error:
            code, message = error.args
            exchange.send({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}, "400 Bad Request")
