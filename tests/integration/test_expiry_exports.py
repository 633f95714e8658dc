"""Exports that are no longer wanted: the real daemon takes them out of the emulator's bucket, key by key, and nothing else."""

import base64
import hashlib
import json

import pytest
from harness import conf, ctl, export, select, wait_until

KEEP = 'verify = "objects"; keep = { last = 1; }; expire = "delete";'
BUCKET = "acme-exports"


@pytest.fixture
def house(emulator, daemon):
    """(service, daemon, s3): with no export yet, and expiry resumed."""
    service = emulator("orders:pitr:items=40:size=1K", export_time="200ms", rates=False)
    text = conf(service, export("full", "02:00", KEEP), select("orders", "full"))
    own = daemon(text, env={"AWS_ENDPOINT_URL_S3": service.url})
    order(own, "resume", "--expiry")
    return service, own, service.client("s3")


def order(own, *words):
    done = ctl(own, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def keys(s3):
    return {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def lives(own):
    return [row["life"] for row in own.ledger.query("SELECT life FROM artefacts ORDER BY created")]


def decisions(own, n):
    rows = own.ledger.query("SELECT decision FROM decisions d JOIN artefacts a USING (arn) WHERE a.id = ? AND decision <> 'kept'"
                            " ORDER BY d.id", n)  # fmt: skip
    return [row["decision"] for row in rows]


def run(own):
    order(own, "run", "full", "--wait")


def folder(own, n):
    [row] = own.ledger.query("SELECT details FROM artefacts WHERE id = ?", n)
    return json.loads(row["details"])["ExportManifest"].rpartition("/")[0] + "/"


def test_an_export_goes_whole(house):
    service, own, s3 = house
    run(own)
    first = folder(own, 1)
    s3.put_object(Bucket=BUCKET, Key=first + "data/notes.txt", Body=b"mine")
    s3.put_object(Bucket=BUCKET, Key="orders/precious", Body=b"mine")
    run(own)
    own.wait_line(r"info    orders: export full .* expired, and was deleted: arn:.*/export/.*: beyond last 1$")
    assert lives(own) == ["expired", "verified"]
    assert decisions(own, 1) == ["expiring", "expired"]
    second = folder(own, 2)
    left = keys(s3)
    assert {key for key in left if not key.startswith(second)} == {first + "data/notes.txt", "orders/precious"}
    assert second + "manifest-summary.json" in left
    order(own, "hold", own.ledger.query("SELECT arn FROM artefacts WHERE id = 2")[0]["arn"], "--why", "for the auditors")
    run(own)
    assert "is held by" in order(own, "prune", "--dry-run", "--config", str(own.config))
    assert lives(own) == ["expired", "verified", "verified"] and keys(s3) >= left


def new_manifests(s3, where, *more):
    """Both anew, and each fits its checksum; the list names what it must not."""
    files = s3.get_object(Bucket=BUCKET, Key=where + "manifest-files.json")["Body"].read()
    files += b"".join(json.dumps(file).encode() + b"\n" for file in more)
    s3.put_object(Bucket=BUCKET, Key=where + "manifest-files.json", Body=files)
    s3.put_object(Bucket=BUCKET, Key=where + "manifest-files.md5", Body=base64.b64encode(hashlib.md5(files).digest()))


def named(key, body):
    return {"itemCount": 0, "md5Checksum": base64.b64encode(hashlib.md5(body).digest()).decode(), "dataFileS3Key": key}


def test_a_tampered_manifest_deletes_nothing(house):
    service, own, s3 = house
    run(own)
    first = folder(own, 1)
    for key in ("orders/precious", first + "data/" + 26 * "a" + ".json.gz"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"mine")
    new_manifests(s3, first, named("orders/precious", b"mine"), named(first + "data/" + 26 * "a" + ".json.gz", b"mine"))
    before = keys(s3)
    run(own)
    own.wait_line(r"error   orders: export full of arn:.* is damaged: nothing of it was deleted: .*manifest-files.json is not the one "
                  r"that was verified.*HINT")
    assert keys(s3) >= before and not service.calls("DeleteObject")
    assert lives(own) == ["disproved", "verified"]
    assert decisions(own, 1) == ["expiring", "withdrawn"]


def test_an_object_that_was_replaced_keeps_all(house):
    service, own, s3 = house
    run(own)
    [key, *_] = sorted(key for key in keys(s3) if "/data/" in key)
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"mine")
    before = keys(s3)
    run(own)
    own.wait_line(r"error   orders: export full of arn:.* is damaged: nothing of it was deleted: .*its ETag is")
    assert keys(s3) >= before and not service.calls("DeleteObject")


def test_the_newest_must_be_there(house):
    """What is to be kept is looked at before anything goes."""
    service, own, s3 = house
    own.configure(own.config.read_text().replace("last = 1", "last = 2"))
    order(own, "reload")
    run(own)
    run(own)
    s3.delete_object(Bucket=BUCKET, Key=folder(own, 2) + "manifest-summary.json")
    own.configure(own.config.read_text().replace("last = 2", "last = 1"))
    order(own, "reload")
    own.wait_line(r"error   orders: export full of arn:.* is damaged: .*manifest-summary.json is not there")
    assert lives(own) == ["verified", "disproved"] and len(service.calls("DeleteObject")) == 1  # the test's own


def test_a_kill_in_the_middle_is_made_good(house):
    service, own, s3 = house
    run(own)
    first = folder(own, 1)
    service.faults("DeleteObject after=1 times=1 delay 20s")
    run(own)
    wait_until(lambda: len(service.calls("DeleteObject")) >= 1 and lives(own)[0] == "expiring")
    own.kill()
    own.start()
    wait_until(lambda: lives(own) == ["expired", "verified"])
    assert not [key for key in keys(s3) if key.startswith(first)]


def test_denied_is_said_and_tried_again(house):
    service, own, s3 = house
    run(own)
    service.faults("DeleteObject times=1 error AccessDenied 403")
    run(own)
    wait_until(lambda: lives(own)[0] == "expiring")
    own.wait_line(r"error   orders: an export could not be deleted, which is tried again: AccessDenied.*HINT: allow s3:DeleteObject")
    assert "is being deleted" in order(own, "prune", "--dry-run", "--config", str(own.config))
