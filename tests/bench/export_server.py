"""export_server.py DIRECTORY: a finished export of 2 GB (DDB_BENCH_BYTES) in a bucket: as little of DynamoDB and S3 as its
verification asks for. Makes the objects in DIRECTORY first, then prints its port."""

import base64
import gzip
import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import sys

EXPORT = "01768385930622-efd1a093"
ARN = f"arn:aws:dynamodb:eu-central-1:123456789012:table/orders/export/{EXPORT}"
FOLDER = f"AWSDynamoDB/{EXPORT}/"
SIZE = int(os.environ.get("DDB_BENCH_BYTES", str(2 << 30)))
N_OBJECTS = 8


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def make(directory):
    """The same 16 MB, as members of gzip streams that follow each other."""
    chance = random.Random(1)
    lines = [json.dumps({"Item": {"id": {"S": chance.randbytes(16).hex()}, "text": {"S": chance.randbytes(300).hex()}}}) for _ in range(50000)]
    packed = gzip.compress(("\n".join(lines) + "\n").encode(), 1, mtime=0)
    n_copies = max(1, SIZE // N_OBJECTS // len(packed))
    objects, files = {}, []
    for i in range(N_OBJECTS):
        path, total = directory / f"object{i}", hashlib.md5()
        with path.open("wb") as to:
            for _ in range(n_copies):
                to.write(packed)
                total.update(packed)
        key = f"{FOLDER}data/{chr(ord('a') + i) * 26}.json.gz"
        etag = hashlib.md5(total.digest()).hexdigest() + "-1"
        objects[key] = (path, etag)
        files.append({"itemCount": n_copies * len(lines), "md5Checksum": base64.b64encode(total.digest()).decode(), "etag": etag, "dataFileS3Key": key})
    n_items = sum(file["itemCount"] for file in files)
    summary = {
        "version": "2020-06-30", "exportArn": ARN, "tableArn": ARN.partition("/export/")[0], "tableId": "id-1",
        "exportTime": "2026-11-23T02:00:00.000Z", "s3Bucket": "acme", "s3Prefix": None, "itemCount": n_items,
        "manifestFilesS3Key": FOLDER + "manifest-files.json", "billedSizeBytes": 1, "outputFormat": "DYNAMODB_JSON",
    }  # fmt: skip
    for name, body in (("manifest-files", "".join(json.dumps(file) + "\n" for file in files)), ("manifest-summary", json.dumps(summary))):
        for ending, data in ((".json", body.encode()), (".md5", md5(body.encode()).encode())):
            path = directory / (name + ending)
            path.write_bytes(data)
            objects[FOLDER + name + ending] = (path, hashlib.md5(data).hexdigest())
    return objects, n_items


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"ExportDescription": {
            "ExportArn": ARN, "ExportStatus": "COMPLETED", "TableId": "id-1", "ItemCount": self.server.n_items,
            "ExportManifest": FOLDER + "manifest-summary.json"}}).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, etag = self.server.objects[self.path.removeprefix("/acme/")]
        size = path.stat().st_size
        first, last = map(int, re.match(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        last = min(last, size - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        self.wfile.flush()
        with path.open("rb") as file:
            while first <= last:
                first += os.sendfile(self.connection.fileno(), file.fileno(), first, last - first + 1)


def main(directory):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.objects, server.n_items = make(pathlib.Path(directory))
    print(server.server_port, flush=True)
    server.serve_forever()


main(sys.argv[1])
