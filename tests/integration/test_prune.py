"""ddbackupctl prune --dry-run against ledgers written by store_tool: what is no longer wanted, and why the others are."""

import datetime
import hashlib
import json
import re

import pytest

from test_ctl import ARN, NO_CONFIG, Ledger, enrolment, line

DAY = datetime.timedelta(days=1)
NEWEST = datetime.datetime(2026, 3, 1, 1, 30, tzinfo=datetime.timezone.utc)  # a Sunday

CONFIG = """
deployment = "acme";
aws = { region = "eu-central-1"; };
schedules = {
  nightly = { action = "backup"; when = "02:00"; timezone = "Europe/Berlin"; formerly = "every-night";
              keep = { last = 3; weekly = 2; floor = 2; }; expire = "delete"; };
  weekly = { action = "export"; when = "Sun 03:00"; keep = { last = 1; }; s3 = { bucket = "acme-exports"; }; };
  hourly = { action = "backup"; when = "hourly"; };
};
tables = (
  { match = "orders"; schedules = ["nightly", "weekly", "hourly"]; },
  { match = "users"; schedules = ["nightly"]; }
);
"""


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "ddbackupd.conf"
    path.write_text(CONFIG)
    return path


def name_of(table, schedule, slot):
    """Of a backup of deployment acme."""
    parts = ["acme", "111111111111", "eu-central-1", table, schedule]
    digest = hashlib.sha256(b"".join(part.encode() + b"\0" for part in parts)).hexdigest()
    return f"acme.{schedule}.{slot:%Y%m%dT%H%M%SZ}.{digest[:8]}"


def token_of(table_id, schedule, slot):
    """Of the first attempt at an export of deployment acme."""
    parts = ["acme", "111111111111", table_id, schedule, f"{slot:%Y%m%dT%H%M%SZ}", "1"]
    return hashlib.sha256(b"".join(part.encode() + b"\0" for part in parts)).hexdigest()


class Made:
    """Runs that succeeded, and what they made."""

    def __init__(self):
        self.n = 0

    def __call__(self, days_before, table="orders", schedule="nightly", action="backup", table_id="id-1", name=None, **fields):
        self.n += 1
        slot = NEWEST - days_before * DAY
        created = slot.strftime("%Y-%m-%dT%H:%M:%SZ")
        intended = name_of(table, schedule, slot) if action == "backup" else token_of(table_id, schedule, slot)
        arn = f"arn:aws:dynamodb:eu-central-1:111111111111:table/{table}/{action}/{self.n:014}-{self.n:08x}"
        return (
            line("run", id=self.n, table=table, schedule=schedule, state="succeeded", action=action, slot=created, due=created,
                 settled=created, name=intended, table_id=table_id, table_arn=ARN)
            + line("artefact", **{"life": "verified", "arn": arn, "status": "AVAILABLE", "name": name or intended,
                                  "table_id": table_id, "created": created, "finished": created, "verified": created,
                                  "size": 1024} | fields)
        )


@pytest.fixture
def made():
    return Made()


def target(table="orders"):
    return line("target", table=table, table_id="id-1", table_arn=ARN.replace("orders", table), described="1h")


def rows(ledger, config, *args):
    """{(table, days before the newest): (verdict, reason, text)}"""
    found = {}
    for row in ledger.json("prune", "--dry-run", *args, config=config)["artefacts"]:
        created = datetime.datetime.fromisoformat(row["created"].replace("Z", "+00:00"))
        key = (row["table"], round((NEWEST - created) / DAY))
        assert key not in found
        found[key] = (row["verdict"], row["reason"], row["text"])
    return found


def test_every_artefact_has_its_reason(ledger, config, made):
    ledger.write(target(), enrolment(), *(made(n) for n in range(9)))
    beyond = ("delete", "beyond", "beyond last 3, weekly 2")
    assert rows(ledger, config) == {
        ("orders", 0): ("keep", "last", "last 1 of 3, weekly 1 of 2"),
        ("orders", 1): ("keep", "last", "last 2 of 3"),
        ("orders", 2): ("keep", "last", "last 3 of 3"),
        ("orders", 3): beyond, ("orders", 4): beyond, ("orders", 5): beyond, ("orders", 6): beyond,
        ("orders", 7): ("keep", "weekly", "weekly 2 of 2"),
        ("orders", 8): beyond,
    }


def test_for_people(ledger, config, made):
    ledger.write(target(), enrolment(), *(made(n) for n in range(9)))
    out = ledger.ctl("prune", "--dry-run", config=config)
    assert out.startswith("9 artefacts, 5 no longer wanted, 5 to be deleted; by ")
    assert re.search(r"\n  nightly +backup +delete +last 3, weekly 2 +4 +5 +5K\n", out), out
    assert "hourly" not in out  # has nothing
    lines = [row.split() for row in out.splitlines() if row.startswith("2026-")]
    assert [row[0] for row in lines] == sorted((row[0] for row in lines), reverse=True)
    assert [row[9] for row in lines] == ["keep"] * 3 + ["delete"] * 4 + ["keep", "delete"]
    assert lines[0][1:5] == ["Sun", "2026-03-01", "02:30", "CET"]
    assert "arn:aws:" not in out
    assert ledger.ctl("prune", "--dry-run", "--arn", config=config).count("arn:aws:") == 9
    assert "HINT" in out and "resume --expiry" in out
    ledger.tamper("INSERT INTO facts (name, value, wall, who) VALUES ('expiry', 'resumed', 1, 'anna')")
    assert "HINT" not in ledger.ctl("prune", "--dry-run", config=config)


def test_groups_are_judged_on_their_own(ledger, config, made):
    """By table, incarnation, schedule and action; a former name is the schedule's own."""
    ledger.write(
        target(), target("users"), enrolment(), enrolment(table="users"),
        made(0), made(1), made(2), made(3, schedule="every-night"),
        made(0, table="users"), made(30, table="users"), made(90, table="users", table_id="id-0"),
        made(10, schedule="weekly", action="export"), made(11, schedule="weekly", action="export"),
        *(made(n, schedule="hourly") for n in range(20, 25)),
    )
    found = rows(ledger, config)
    assert found[("orders", 3)][0] == "delete"
    assert [found[("users", n)][0] for n in (0, 30, 90)] == ["keep"] * 3
    assert found[("orders", 10)] == ("keep", "last", "last 1 of 1")
    assert found[("orders", 11)][0] == "delete"
    assert {found[("orders", n)] for n in range(20, 25)} == {("keep", "no-policy", "its schedule keeps everything")}
    answer = ledger.json("prune", "--dry-run", config=config)
    sums = {s["schedule"]: (s["expire"], s["kept"], s["beyond"], s["bytes_beyond"]) for s in answer["schedules"]}
    assert sums == {"nightly": ("delete", 6, 1, 1024), "weekly": ("report", 1, 1, 1024), "hourly": ("report", 5, 0, 0)}
    former = [row for row in answer["artefacts"] if row["made_by"] == "every-night"]
    assert [row["schedule"] for row in former] == ["nightly"]


def test_what_has_no_schedule_stays(ledger, config, made):
    ledger.write(target(), target("lost"), enrolment(), *(made(n, schedule="old") for n in range(9)), made(0, table="lost"))
    found = rows(ledger, config)
    assert len(found) == 10 and {row[:2] for row in found.values()} == {("keep", "no-schedule")}
    assert found[("orders", 5)][2] == "the table has no schedule that is, or was, called old"


def test_what_is_held_foreign_or_going_stays(ledger, config, made):
    ledger.write(target(), enrolment(), *(made(n) for n in range(5)), made(5, name="acme.other"), made(6, life="expiring"))
    arn = f"{ARN}/backup/{4:014}-{4:08x}"
    ledger.tamper(f"INSERT INTO holds (arn, wall, until, why, who) VALUES ('{arn}', 1, 4102444800000000, 'for the audit', 'anna')")
    found = rows(ledger, config)
    assert found[("orders", 3)] == ("keep", "held", "is held by anna until 2100-01-01T00:00:00Z: for the audit")
    assert found[("orders", 4)][0] == "delete"
    assert found[("orders", 5)] == ("keep", "foreign", "its name is not the one that this deployment gives to that slot")
    assert found[("orders", 6)] == ("keep", "unfinished", "is being deleted")
    held = [row for row in ledger.json("prune", "--dry-run", config=config)["artefacts"] if row["held"]]
    assert [(row["arn"], row["held_by"], row["held_because"]) for row in held] == [(arn, "anna", "for the audit")]
    ledger.tamper("UPDATE holds SET until = 5")
    assert rows(ledger, config)[("orders", 3)][0] == "delete"


def test_under_another_deployment_all_is_foreign(ledger, config, made):
    ledger.write(target(), enrolment(), *(made(n) for n in range(5)), *(made(n, schedule="weekly", action="export") for n in (8, 9)))
    config.write_text(CONFIG.replace("acme", "acme2", 1))
    found = rows(ledger, config)
    assert {found["orders", n][:2] for n in (*range(5), 8, 9)} == {("keep", "foreign")}
    assert found["orders", 9][2] == "its client token is not the one that this deployment gives to that slot"


def test_filters_select_and_do_not_judge(ledger, config, made):
    ledger.write(target(), target("users"), enrolment(), *(made(n) for n in range(5)), made(9, table="users"),
                 made(1, schedule="weekly", action="export"))
    assert set(rows(ledger, config, "--table=us*")) == {("users", 9)}
    assert len(rows(ledger, config, "--schedule=nightly", "--table=orders")) == 5
    refused = ledger.ctl("prune", "--dry-run", "--schedule=nihgtly", status=1, config=config)
    assert "nihgtly: the configuration has no such schedule, and the ledger nothing of it; HINT: " in refused
    assert rows(ledger, config, "--action=export") == {("orders", 1): ("keep", "last", "last 1 of 1")}


def test_a_brake_is_said(ledger, config, made):
    ledger.write(target(), enrolment(), *(made(n) for n in range(9)))
    ledger.tamper("INSERT INTO facts (name, value, wall, who) VALUES ('expiry', 'resumed', 1, 'anna')")
    ledger.tamper("INSERT INTO brakes (account, region, name, schedule, table_id, n_delete, n_all, since, n_confirmed)"
                  " VALUES ('own', 'eu-central-1', 'orders', 'nightly', 'id-1', 5, 9, 1772323200000000, 0)")
    out = ledger.ctl("prune", "--dry-run", config=config)
    assert ("orders/nightly: 5 of 9 would go at once, which waits for a person since 2026-03-01T00:00:00Z; HINT: if that "
            "is meant, ddbackupctl prune --confirm 5\n") in out
    brake, = ledger.json("prune", "--dry-run", config=config)["brakes"]
    assert (brake["beyond"], brake["artefacts"], brake["confirmed"], brake["confirmed_by"]) == (5, 9, 0, None)


def test_nothing_yet(ledger, config):
    ledger.write(target(), enrolment())
    assert ledger.ctl("prune", "--dry-run", config=config).startswith("0 artefacts, 0 no longer wanted, 0 to be deleted; by ")
    assert "No such file" in ledger.ctl("prune", "--dry-run", config=NO_CONFIG, status=1)


def test_it_is_a_dry_run(ledger, config):
    assert "HINT: ddbackupctl prune --dry-run says what that is" in ledger.ctl("prune", status=2)


def test_names_of_terminals_are_not_driven(ledger, config, made):
    ledger.write(target(), enrolment(), made(0))
    arn = f"{ARN}/backup/{1:014}-{1:08x}"
    ledger.tamper(f"INSERT INTO holds (arn, wall, until, why) VALUES ('{arn}', 1, 4102444800000000, 'x' || char(27) || '[2J')")
    assert "\x1b" not in ledger.ctl("prune", "--dry-run", config=config)
    assert json.dumps("\x1b[2J")[1:-1] in ledger.ctl("prune", "--dry-run", "--json", config=config)


def tell(ledger, arn, *decisions):
    for n, (decision, why, who) in enumerate(decisions):
        ledger.tamper(f"INSERT INTO decisions (arn, wall, decision, why, who) VALUES ('{arn}', {n + 1}000000, '{decision}', "
                      + ", ".join(f"'{word}'" if word else "NULL" for word in (why, who)) + ")")


def test_list_and_show_tell_what_was_decided(ledger, config, made):
    ledger.write(target(), enrolment(), *(made(n) for n in range(3)), made(3, life="expired"))
    arns = [f"{ARN}/backup/{n:014}-{n:08x}" for n in range(1, 5)]
    tell(ledger, arns[1], ("kept", "last 2 of 3", None), ("held", "for the audit", "anna"))
    tell(ledger, arns[2], ("kept", "last 3 of 3", None), ("beyond", "beyond last 2", None), ("held", "why", "anna"), ("released", None, "anna"))
    tell(ledger, arns[3], ("expiring", "beyond last 2", None), ("expired", "beyond last 2", None))
    ledger.tamper(f"INSERT INTO holds (arn, wall, until, why, who) VALUES ('{arns[1]}', 1, {2**63 - 1}, 'for the audit', 'anna')")
    head, *found = [row.split() for row in ledger.ctl("list").splitlines()[:5]]
    column = head.index("RETENTION")
    assert [row[column] for row in found] == ["-", "held", "beyond", "expired"]
    assert [row["arn"] for row in ledger.json("list")["retention"]] == arns[1:]
    out = ledger.ctl("show", arns[1])
    assert re.search(r"\n  hold +is held by anna: for the audit\nRetention:\n", out)
    assert re.search(r"\n  1970-01-01T00:00:01Z +kept +last 2 of 3\n  1970-01-01T00:00:02Z +held +by anna: for the audit\n", out)
    retention, = ledger.json("show", arns[1])["retention"]
    assert (retention["held"], retention["held_until"], retention["held_by"]) == (True, None, "anna")
    assert [d["decision"] for d in retention["decisions"]] == ["kept", "held"]
    assert [d["who"] for d in retention["decisions"]] == [None, "anna"]
    assert "Retention" not in ledger.ctl("show", arns[0])


def test_list_without_decisions_has_no_column_for_them(ledger, made):
    ledger.write(target(), enrolment(), made(0))
    assert "RETENTION" not in ledger.ctl("list") and ledger.json("list")["retention"] == []


def test_status_and_check_say_what_waits(ledger, config, made):
    config.write_text("""
deployment = "acme";
aws = { region = "eu-central-1"; };
schedules = { nightly = { action = "backup"; when = "02:00"; keep = { last = 3; }; expire = "delete"; }; };
tables = ( { match = "orders"; schedules = ["nightly"]; } );
""")
    with ledger.running(target(), enrolment(), made(0), made(1, life="expiring")):
        def warnings():
            return [p["text"] for p in ledger.json("status", config=config)["problems"] if p["level"] == "warning"]

        new, = warnings()
        assert new.startswith("nothing expires with this ledger") and new.endswith("then ddbackupctl resume --expiry")
        ledger.ctl("check", "--schedule=nightly", status=1, config=config)
        ledger.tamper("INSERT INTO facts (name, value, wall, who) VALUES ('expiry', 'resumed', 1, 'anna')")
        assert warnings() == []
        ledger.tamper("INSERT INTO brakes (account, region, name, schedule, table_id, n_delete, n_all, since, n_confirmed)"
                      " VALUES ('own', 'eu-central-1', 'orders', 'nightly', 'id-1', 5, 9, 1772323200000000, 0)")
        brake, = warnings()
        assert brake.startswith("orders/nightly: 5 of 9 artefacts would expire at once")
        assert brake.endswith("ddbackupctl prune --confirm 5")
        ledger.tamper("INSERT INTO holds (arn, wall, until) VALUES ('a', 1, 4102444800000000), ('b', 1, 5)")
        assert "\nRetention: 1 artefact held, 1 being deleted\n" in ledger.ctl("status", config=config)
        counts = ledger.json("status", config=config)["retention"]
        assert counts == {"expiry_resumed": True, "held": 1, "expiring": 1, "brakes": 1}
        ledger.tamper("UPDATE brakes SET n_confirmed = 5")
        assert warnings() == []
