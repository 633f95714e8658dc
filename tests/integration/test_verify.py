"""Exports that are checked in their bucket: by the daemon before they count, and by ddbackupctl verify after they were
damaged in each of the ways that a bucket's neighbours know."""

import base64
import gzip
import hashlib
import json

import harness
import pytest
from harness import Daemon, backup, conf, export, select, soon, wait_until

LEVELS = ("manifest", "objects", "content")


def start(emulator, tmp_path, level="content", tables="orders:pitr:items=500:size=40K", more="", faults=None, **options):
    e = emulator(tables, export_time="200ms", rates=False, **options)
    if faults:
        e.faults(faults)
    when, _ = soon(1)
    text = conf(e, export("full", when, more=f'verify = "{level}"; {more}'), select("orders", "full"))
    d = Daemon(tmp_path / "daemon", text, env={"AWS_ENDPOINT_URL_S3": e.url})
    d.start()
    return e, d


@pytest.fixture
def checked(emulator, tmp_path):
    """(emulator, stopped daemon, verify): an export that was good when it was made."""
    e, d = start(emulator, tmp_path)
    try:
        [run] = d.wait_runs(1)
        assert run["state"] == "succeeded", d.text()
    finally:
        assert d.stop() == 0

    def verify(level, *more):
        command = [str(harness.BUILD / "ddbackupctl"), "verify", "1", f"--level={level}", f"--config={d.config}"]
        command += [f"--state-directory={d.state}", *more]
        return harness.subprocess.run(command, capture_output=True, text=True, timeout=60, env=d.env)

    return e, d, verify


def test_a_good_one(checked):
    e, d, verify = checked
    assert d.lines("content checked: [0-9]+ objects?, 500 items, ")
    [row] = d.ledger.query("SELECT level, found, verified FROM artefacts")
    assert row["level"] == "content" and "500 items" in row["found"]
    for level in ("service", *LEVELS):
        done = verify(level)
        assert (done.returncode, done.stderr) == (0, ""), done
        assert done.stdout.startswith(f"orders, {level}: passed: "), done.stdout
    answer = json.loads(verify("content", "--json").stdout)
    assert not harness.undocumented("verify", answer)
    assert answer["result"] == "passed" and answer["items"] == 500 and answer["bytes"] > 1000 and answer["why"] is None
    assert e.calls("GetObject") and e.calls("HeadObject")
    assert d.env.pop("AWS_ACCESS_KEY_ID")
    done = verify("objects")
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith("ddbackupctl: no AWS credentials: "), done


class Export:
    """What lies in the bucket, to be damaged."""

    def __init__(self, e):
        self.s3 = e.client("s3")
        self.bucket = "acme-exports"
        keys = [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]]
        [self.summary_key] = [key for key in keys if key.endswith("manifest-summary.json")]
        self.folder = self.summary_key.rpartition("/")[0]
        self.list_key = f"{self.folder}/manifest-files.json"
        self.files = [json.loads(line) for line in self.get(self.list_key).splitlines()]
        self.data_key = max(self.files, key=lambda file: file["itemCount"])["dataFileS3Key"]

    def get(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def delete(self, key):
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def put_list(self, files):
        """A list that its MD5 fits."""
        body = "".join(json.dumps(file) + "\n" for file in files).encode()
        self.put(self.list_key, body)
        self.put(f"{self.folder}/manifest-files.md5", base64.b64encode(hashlib.md5(body).digest()))

    def put_summary(self, **changes):
        body = json.dumps(json.loads(self.get(self.summary_key)) | changes).encode()
        self.put(self.summary_key, body)
        self.put(f"{self.folder}/manifest-summary.md5", base64.b64encode(hashlib.md5(body).digest()))


def flip(x):
    body = bytearray(x.get(x.data_key))
    body[len(body) // 2] ^= 1
    x.put(x.data_key, bytes(body))


def shorten(x):
    x.put(x.data_key, x.get(x.data_key)[:-9])


def lose_items(x):
    """Object and manifest agree in everything but what the object holds."""
    lines = gzip.decompress(x.get(x.data_key)).splitlines(keepends=True)
    body = gzip.compress(b"".join(lines[1:]))
    x.put(x.data_key, body)
    etag = x.s3.head_object(Bucket=x.bucket, Key=x.data_key)["ETag"].strip('"')
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    x.put_list([file | {"md5Checksum": md5, "etag": etag} if file["dataFileS3Key"] == x.data_key else file for file in x.files])


def rename_checksums(x):
    for name in ("manifest-summary", "manifest-files"):
        x.put(f"{x.folder}/{name}.checksum", x.get(f"{x.folder}/{name}.md5") + b"\n")
        x.delete(f"{x.folder}/{name}.md5")


GOOD, BAD = "passed", "bad"
# damage, what each level of LEVELS says, and words of it
DAMAGES = {
    "foreign_files": (lambda x: x.put(f"{x.folder}/data/notes.txt", b"mine"), (GOOD, GOOD, GOOD), ""),
    "checksum_names": (rename_checksums, (GOOD, GOOD, GOOD), ""),
    "written_again": (lambda x: x.put(x.data_key, x.get(x.data_key)), (GOOD, GOOD, GOOD), ""),
    "missing_object": (lambda x: x.delete(x.data_key), (GOOD, BAD, BAD), "is not there"),
    "short_object": (shorten, (GOOD, BAD, BAD), "has been replaced: its ETag|does not have the MD5|cut off"),
    "flipped_byte": (flip, (GOOD, BAD, BAD), "has been replaced: its ETag|does not have the MD5|damaged"),
    "lost_items": (lose_items, (GOOD, GOOD, BAD), "items, the manifest tells of"),
    "missing_summary": (lambda x: x.delete(x.summary_key), (BAD, BAD, BAD), "manifest-summary.json is not there"),
    "missing_list": (lambda x: x.delete(x.list_key), (BAD, BAD, BAD), "manifest-files.json is not there"),
    "missing_checksum": (lambda x: x.delete(f"{x.folder}/manifest-files.md5"), (BAD, BAD, BAD), "manifest-files.checksum is not there"),
    "wrong_checksum": (lambda x: x.put(f"{x.folder}/manifest-files.md5", b"y+zg5fVeudb3R3DOQ+RKgA=="), (BAD, BAD, BAD), "does not have the MD5 that stands beside it"),
    "no_checksum_at_all": (lambda x: x.put(f"{x.folder}/manifest-summary.md5", b""), (BAD, BAD, BAD), "is no MD5 in base64|is not there"),
    "empty_list": (lambda x: x.put_list([]), (BAD, BAD, BAD), "0 items, its summary tells of 500"),
    "fewer_files": (lambda x: x.put_list(x.files[:-1] if x.files[-1]["itemCount"] else x.files[1:]), (BAD, BAD, BAD), "its summary tells of 500"),
    "wrong_count": (lambda x: x.put_summary(itemCount=501), (BAD, BAD, BAD), "tells of 501 items, DescribeExport of 500"),
    "of_another_export": (lambda x: x.put_summary(exportArn="arn:aws:dynamodb:eu-central-1:123456789012:table/orders/export/01-a"), (BAD, BAD, BAD), "is of another export"),
    "of_another_table": (lambda x: x.put_summary(tableId="somebody"), (BAD, BAD, BAD), "is of TableId somebody"),
    "not_json": (lambda x: x.put(x.summary_key, b"<html>"), (BAD, BAD, BAD), "manifest-summary.json: "),
    "foreign_key": (lambda x: x.put_list([*x.files, x.files[0] | {"itemCount": 0, "dataFileS3Key": "orders/precious.json.gz"}]), (BAD, BAD, BAD), "names what is no data object of this export"),
}  # fmt: skip


def test_damages(checked):
    """Each level finds what it promises, and nothing that is not there."""
    e, d, verify = checked
    x = Export(e)
    before = {entry["Key"]: x.get(entry["Key"]) for entry in x.s3.list_objects_v2(Bucket=x.bucket)["Contents"]}
    for name, (damage, expected, words) in DAMAGES.items():
        damage(x)
        for level, result in zip(LEVELS, expected, strict=True):
            done = verify(level)
            assert done.stdout.startswith(f"orders, {level}: {result}: "), (name, level, done)
            assert done.returncode == (0 if result == GOOD else 2), (name, level, done)
            assert result == GOOD or any(part in done.stdout for part in words.split("|")), (name, level, done.stdout)
        for entry in x.s3.list_objects_v2(Bucket=x.bucket)["Contents"]:
            if entry["Key"] not in before:
                x.delete(entry["Key"])
        for key, body in before.items():
            x.put(key, body)
    for level in LEVELS:
        assert verify(level).returncode == 0
    assert len(DAMAGES) >= 15


@pytest.mark.parametrize("fault", ["error AccessDenied 403", "error SlowDown 503", "error InternalError 500"])
def test_what_could_not_be_asked_is_unknown(checked, fault):
    e, d, verify = checked
    e.faults(f"GetObject times=forever {fault}")
    done = verify("content")
    assert done.returncode == 1 and done.stdout.startswith("orders, content: unknown: "), done
    assert fault.split()[1] in done.stdout and ("403" not in fault or "HINT: allow s3:GetObject" in done.stdout)


def test_unknown_is_not_bad(emulator, tmp_path):
    """S3 does not answer: said once, the run goes on checking, and passes when it may."""
    e, d = start(emulator, tmp_path, "objects", "orders:pitr:items=5", faults="GetObject times=4 error InternalError 500")
    d.wait_line("has to wait: InternalError")
    [run] = d.wait_runs(1, timeout=60)
    assert run["state"] == "succeeded" and len(d.lines("InternalError")) == 1
    assert d.stop() == 0


def test_a_bucket_that_is_not_reached(emulator, tmp_path):
    """It is the run's own trouble, said once, and that DynamoDB answers does not end it."""
    e = emulator("orders:pitr", "users", export_time="200ms", rates=False)
    when, _ = soon(1)
    text = conf(e, export("full", when, more='verify = "objects";') + backup("often", "*:*:0/2"),
                select("orders", "full") + ", " + select("users", "often"))
    d = Daemon(tmp_path / "daemon", text, env={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"})
    d.start()
    d.wait_line("orders: export full .* has to wait: .*127.0.0.1:9")
    seen = len(d.lines("is AVAILABLE"))
    wait_until(lambda: len(d.lines("is AVAILABLE")) >= seen + 2, 20, "DynamoDB answers")
    assert len(d.lines("127.0.0.1:9")) == 1, d.text()
    assert not d.lines("succeed again"), d.text()
    assert d.stop() == 0


def test_a_bad_one_is_asked_for_again(emulator, tmp_path):
    """Its first data object is lost before the daemon looks: another export, with another token, once."""
    e, d = start(emulator, tmp_path, "objects", "orders:pitr:items=5", faults="HeadObject times=1 error NoSuchKey 404")
    line = d.wait_line("is asked for again")
    assert "is not there" in line
    wait_until(lambda: d.ledger.query("SELECT 1 FROM artefacts WHERE life = 'disproved'"), 20, "the first is disproved")
    assert d.stop() == 0


def test_a_bucket_elsewhere(emulator, tmp_path):
    e, d = start(emulator, tmp_path, tables="orders:pitr:items=5", options=("--bucket=acme-exports:region=us-west-2",))
    [run] = d.wait_runs(1)
    assert run["state"] == "succeeded", d.text()
    assert d.stop() == 0


def test_a_restart_in_between(emulator, tmp_path):
    """Killed while it checks: the check begins anew, and the export is not asked for again."""
    e, d = start(emulator, tmp_path, "objects", "orders:pitr:items=5", faults="HeadObject times=1 delay 20s")
    wait_until(lambda: e.calls("GetObject"), 20, "it is being checked")
    wait_until(lambda: d.ledger.query("SELECT 1 FROM runs WHERE state = 'verifying'"), 20, "and that is on disk")
    d.kill()
    d.start()
    [run] = d.wait_runs(1)
    assert run["state"] == "succeeded" and len(e.state()["exports"]) == 1
    assert d.stop() == 0


def test_what_cannot_be_checked(checked):
    e, d, verify = checked
    run = [str(harness.BUILD / "ddbackupctl"), "verify", f"--config={d.config}", f"--state-directory={d.state}"]
    done = harness.subprocess.run([*run, "7"], capture_output=True, text=True, timeout=60, env=d.env)
    assert done.returncode == 1 and "7: no run has this number, name or ARN; HINT:" in done.stderr
    done = harness.subprocess.run([*run, "1", "--level=deep"], capture_output=True, text=True, timeout=60, env=d.env)
    assert done.returncode == 2 and "deep: no such level; HINT: service, manifest, objects or content" in done.stderr
