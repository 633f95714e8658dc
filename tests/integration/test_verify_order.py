"""An export that the daemon checks again because somebody wants it now: ddbackupctl verify --by-daemon."""

import pytest
from harness import ctl, export, select, soon, wait_until
from harness import conf as configuration


@pytest.fixture
def made(emulator, daemon):
    """(emulator, daemon, verify): an export that was checked by its manifest alone when it was made."""
    e = emulator("orders:pitr:items=200", export_time="200ms", rates=False)
    text = configuration(e, export("full", soon(1)[0], more='verify = "manifest";'), select("orders", "full"))
    d = daemon(text, env={"AWS_ENDPOINT_URL_S3": e.url})
    [run] = d.wait_runs(1)
    assert (run["state"], run["life"]) == ("succeeded", "verified"), d.text()

    def verify(*arguments):
        return ctl(d, "verify", *arguments, "--by-daemon", f"--runtime-directory={d.runtime}")

    return e, d, verify


def artefact(d):
    return d.ledger.query("SELECT arn, life, level, found FROM artefacts")[0]


def data_key(e):
    s3 = e.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="acme-exports")["Contents"]]
    return s3, next(key for key in keys if key.endswith(".json.gz"))


def test_a_good_one(made):
    e, d, verify = made
    arn = artefact(d)["arn"]
    assert artefact(d)["level"] == "manifest"
    done = verify("1", "--level=content", "--why=before the audit")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{arn}: is checked at level content, ")
    line = d.wait_line("was checked by order of root, and is good: ")
    assert f"orders: export full of {arn} was checked by order of root" in line and "200 items" in line
    wait_until(lambda: artefact(d)["level"] == "content", what="the ledger")
    assert (artefact(d)["life"], "200 items" in artefact(d)["found"]) == ("verified", True)
    [order] = d.ledger.query("SELECT kind, object, who, why FROM orders")
    assert tuple(order.values()) == ("verify", arn, "root", "before the audit")
    assert verify(arn).stdout.startswith(f"{arn}: is checked at level manifest, ")  # its schedule's


def test_a_damaged_one(made):
    e, d, verify = made
    s3, key = data_key(e)
    s3.delete_object(Bucket="acme-exports", Key=key)
    assert verify("1").returncode == 0  # by its manifest it is good
    d.wait_line("was checked by order of root, and is good: ")
    assert verify("1", "--level=objects").returncode == 0
    line = d.wait_line("is damaged: ")
    assert key.rpartition("/")[2] in line
    wait_until(lambda: artefact(d)["life"] == "disproved", what="the ledger")
    done = verify("1", "--level=objects")
    assert done.returncode == 1
    assert "it has not been verified, or goes; HINT: 'ddbackupctl show' has its story" in done.stderr or (
        "has no finished export of that ARN" in done.stderr)


def test_what_could_not_be_asked_is_asked_again(made):
    e, d, verify = made
    e.faults("GetObject times=1 delay 3s")
    assert verify("1", "--level=content").returncode == 0
    done = verify("1", "--level=content")
    assert (done.returncode, done.stdout.split(": ", 1)[1]) == (0, "it is being checked, or is to be, already\n")
    d.wait_line("was checked by order of root, and is good: ")
    assert len(d.ledger.query("SELECT 1 FROM orders")) == 1


def test_what_is_refused(made):
    e, d, verify = made
    assert "no run of that name has made anything" in verify("7").stderr
    done = verify("arn:aws:dynamodb:eu-central-1:111111111111:table/orders/export/01-2")
    assert done.returncode == 1 and "the ledger has no finished export of that ARN; HINT: " in done.stderr
    done = verify("1", "--level=service")
    assert (done.returncode, done.stderr) == (
        2, "ddbackupctl: --level=service: DynamoDB would tell nothing new; HINT: manifest, objects or content\n")
    done = ctl(d, "verify", "1", "--why=x")
    assert (done.returncode, done.stderr) == (
        2, "ddbackupctl: --why: nothing is written down; HINT: it goes with --by-daemon\n")
    d.stop()
    assert "no daemon listens there" in verify("1").stderr
