"""Backups that are no longer wanted: the real daemon and ddbackupctl against the emulator."""

import subprocess

from harness import BUILD, backup, conf, ctl, select, wait_until

KEEP = 'keep = { last = 2; }; expire = "delete";'


def lives(own):
    return [row["life"] for row in own.ledger.query("SELECT life FROM artefacts ORDER BY created")]


def decisions(own, arn):
    rows = own.ledger.query("SELECT decision FROM decisions WHERE arn = ? AND decision <> 'kept' ORDER BY id", arn)
    return [row["decision"] for row in rows]


def order(own, *words):
    done = ctl(own, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ordered(own, n):
    """n backups, one after the other, by order."""
    for _ in range(n):
        order(own, "run", "nightly", "--wait")


def started(emulator, daemon, keep=KEEP, when="02:00", more=""):
    service = emulator("orders")
    own = daemon(conf(service, backup("nightly", when, keep), select("orders", "nightly"), more))
    return service, own


def test_backups_expire(emulator, daemon):
    service, own = started(emulator, daemon)
    ordered(own, 3)
    own.wait_line(r"notice  orders: backups of schedule nightly that are beyond its keep, and stay: 1, as the ledger is new.*"
                  r"HINT: .*ddbackupctl resume --expiry")
    assert not service.calls("DeleteBackup")
    arns = [row["arn"] for row in own.ledger.query("SELECT arn FROM artefacts ORDER BY created")]
    assert "held" in order(own, "hold", arns[1], "--why", "for the auditors")
    order(own, "resume", "--expiry")
    own.wait_line(r"info    orders: backup nightly .* expired, and was deleted: acme\.nightly\..*: beyond last 2$")
    ordered(own, 2)
    wait_until(lambda: len(service.calls("DeleteBackup")) == 2)
    wait_until(lambda: lives(own) == ["expired", "verified", "expired", "verified", "verified"])
    order(own, "release", arns[1])
    wait_until(lambda: lives(own) == ["expired", "expired", "expired", "verified", "verified"])
    assert [b["arn"] for b in service.state()["backups"]] == [
        row["arn"] for row in own.ledger.query("SELECT arn FROM artefacts WHERE life = 'verified' ORDER BY created")]
    assert decisions(own, arns[0]) == ["beyond", "expiring", "expired"]
    assert decisions(own, arns[1]) == ["held", "released", "expiring", "expired"]


def test_the_brake_waits_for_a_person(emulator, daemon):
    service, own = started(emulator, daemon, 'keep = { last = 5; }; expire = "delete";')
    order(own, "resume", "--expiry")
    ordered(own, 5)
    own.configure(own.config.read_text().replace("last = 5", "last = 1"))
    order(own, "reload")
    own.wait_line(r"error   orders: 4 of 5 backups of schedule nightly would be deleted at once, which is more than 1: none is; HINT")
    refused = ctl(own, "prune", "--confirm=3", "--runtime-directory", str(own.runtime))
    assert refused.returncode != 0 and "4 artefacts wait for a confirmation" in refused.stderr
    said = ctl(own, "check").stdout
    assert "expiry waits for a person" in said.splitlines()[0] and "ddbackupctl prune --confirm 4\n" in said
    assert not service.calls("DeleteBackup")
    done = ctl(own, "prune", "--confirm=4", "--runtime-directory", str(own.runtime))
    assert done.returncode == 0, done.stderr
    wait_until(lambda: len(service.state()["backups"]) == 1)
    wait_until(lambda: own.ledger.query("SELECT * FROM brakes") == [])


def test_a_kill_in_the_middle_is_made_good(emulator, daemon):
    """The answer to DeleteBackup is lost with the process: the next one finds out, and deletes nothing twice."""
    service, own = started(emulator, daemon)
    order(own, "resume", "--expiry")
    ordered(own, 2)
    service.faults("DeleteBackup times=1 delay 20s")
    ordered(own, 1)
    wait_until(lambda: lives(own)[0] == "expiring")
    wait_until(lambda: len(service.state()["backups"]) == 2, what="it took effect")
    own.kill()
    service.faults("DescribeBackup times=1 error InternalServerError 500")
    own.start()
    own.wait_line(r"expired, and was deleted", timeout=120)
    assert lives(own) == ["expired", "verified", "verified"]


def test_report_and_what_others_do(emulator, daemon):
    service, own = started(emulator, daemon, "keep = { last = 2; };")
    order(own, "resume", "--expiry")
    ordered(own, 3)
    own.wait_line(r"notice  orders: backups of schedule nightly that are beyond its keep, and stay: 1, as expire is \"report\"")
    client = service.client()
    arn = service.state()["backups"][0]["arn"]
    client.delete_backup(BackupArn=arn)
    by_hand = client.create_backup(TableName="orders", BackupName="by-hand")["BackupDetails"]["BackupArn"]
    order(own, "adopt", by_hand)
    own.wait_line(r"warning orders: .* is not adopted: its name is not one that this deployment gives")
    ordered(own, 1)
    own.wait_line(r"warning orders: backup nightly .* does not exist any more, and it was not the daemon that deleted it", timeout=60)
    assert lives(own)[0] == "gone"
    assert len(service.calls("DeleteBackup")) == 1  # which was not the daemon's


def test_a_lost_ledger_forgets_that_it_may(emulator, daemon):
    service, own = started(emulator, daemon)
    order(own, "resume", "--expiry")
    ordered(own, 2)
    own.stop()
    command = [str(BUILD / "ddbackupctl"), "rebuild", "--state-directory", str(own.state), "--config", str(own.config)]
    rebuilt = subprocess.run(command, env=own.env, capture_output=True, text=True, timeout=60)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert own.ledger.query("SELECT value FROM facts WHERE name = 'expiry'") == [{"value": "paused"}], rebuilt.stderr


def test_what_a_restore_reads_stays_for_now(emulator, daemon):
    service = emulator("orders", options=["--restore-time=20s"])
    own = daemon(conf(service, backup("nightly", "02:00", KEEP), select("orders", "nightly")))
    order(own, "resume", "--expiry")
    ordered(own, 2)
    first = service.state()["backups"][0]["arn"]
    service.client().restore_table_from_backup(TargetTableName="restored", BackupArn=first)
    ordered(own, 1)
    wait_until(lambda: decisions(own, first) == ["expiring", "withdrawn"])
    why, = own.ledger.query("SELECT why FROM decisions WHERE arn = ? AND decision = 'withdrawn'", first)
    assert "BackupInUseException" in why["why"]
    assert lives(own) == ["verified"] * 3
    assert not own.lines("could not be deleted")  # it is no trouble: it is tried again by itself
