"""Configurations that are good and probably mean something else: each with its warnings, and how to silence them."""

import pytest

from configurations import GOOD, base, chain, ddbackupd, s3, schedule, tables, top, when, write
from harness import TOP, backup, conf, select, wait_until

LEFT_OUT = '( { match = "orders*"; schedules = "nightly"; }, { match = %s; schedules = []; reason = "no"; } )'
WHOLE = 'and each time makes a whole backup of every table, which is billed'
STALE = "so that its tables would be stale in between"

ADVICE = [
    # when
    ("over", when('when = "2020-01-01";'),
     ['FILE:3: warning: schedules.nightly.when: "2020-01-01" is over, and nothing is done any more; HINT: \'*\' stands for every year, month or day; else take the schedule out']),
    ("every_minute_of_an_hour", when('when = "* 2 * * *";'),
     [f'FILE:3: warning: schedules.nightly.when: "* 2 * * *" comes again after 1min, {WHOLE}; HINT: a minute of "*" is every minute; "0 2 * * *" is once a day']),
    ("every_second", when('when = "*:*:*";'),
     [f'FILE:3: warning: schedules.nightly.when: "*:*:*" comes again after 1s, {WHOLE}; HINT: \'ddbackupctl calendar\' shows when it comes']),
    ("two_times", when('when = "Mon..Fri 02:30,14:00 UTC";'),
     ['FILE:3: warning: schedules.nightly.when: "Mon..Fri 02:30,14:00 UTC" is the hour 02 with the minutes 30,14; HINT: two hours are written "02,14:30"; else leave the seconds out']),
    ("always_shut", when('when = "12:00"; not_during = "08:00..18:00"; catch_up = "none";'),
     ['FILE:3: warning: schedules.nightly.when: "12:00" always falls into not_during, and with catch_up = "none" nothing is done at its end; HINT: set catch_up = "last", or another time']),
    # max_age
    ("age_of_a_day", schedule('max_age = "24h";'),
     [f'FILE:4: warning: schedules.nightly.max_age: "24h" is not longer than 1d, the longest time between two slots of schedule nightly, {STALE}; HINT: such as max_age = "27h"']),
    ("age_over_the_long_night", schedule('max_age = "25h"; timezone = "Europe/Berlin";'),
     [f'FILE:4: warning: schedules.nightly.max_age: "25h" is not longer than 25h, the longest time between two slots of schedule nightly, {STALE}; HINT: such as max_age = "29h"']),
    ("age_over_the_weekend", when('when = "Mon..Fri 02:00"; max_age = "27h";'),
     [f'FILE:3: warning: schedules.nightly.max_age: "27h" is not longer than 3d, the longest time between two slots of schedule nightly, {STALE}; HINT: such as max_age = "4d"']),
    ("age_in_not_during", when('when = "hourly"; max_age = "90min"; not_during = "08:00..18:00";'),
     [f'FILE:3: warning: schedules.nightly.max_age: "90min" is not longer than 11h, the longest time between two slots of schedule nightly, {STALE}; HINT: such as max_age = "13h"']),
    ("age_of_defaults", when('when = "Sun";') + 'defaults = { max_age = "27h"; };',
     [f'FILE:6: warning: defaults.max_age: "27h" is not longer than 1w, the longest time between two slots of schedule nightly, {STALE}; HINT: such as max_age = "8d" in schedules.nightly']),
    ("age_of_links", chain('max_age = "35min"; '),
     [f'FILE:4: warning: schedules.half.max_age: "35min" is not longer than 35min, the longest time between two slots of schedule half and the five minutes after which they can be exported, {STALE}; HINT: such as max_age = "1h 40min"']),
    ("age_of_links_that_merge", chain('max_age = "20min"; ').replace("*:0/30", "*:0/5"),
     [f'FILE:4: warning: schedules.half.max_age: "20min" is not longer than 20min, the longest time between two slots of schedule half and the five minutes after which they can be exported, {STALE}; HINT: such as max_age = "70min"']),
    # deadlines
    ("warning_after_the_end", schedule('warn_after = "24h";'),
     ['FILE:4: warning: schedules.nightly.warn_after: "24h" never comes, for a run has failed after 1d; HINT: make it shorter than finish_within']),
    # retention
    ("keep_without_expire", schedule("keep = { last = 7; };"),
     ['FILE:4: warning: schedules.nightly.keep: deletes nothing, for expire is not set, and what keep does not want is only reported; HINT: set expire = "delete", or expire = "report" if that is meant']),
    ("keep_of_defaults_without_expire", top("defaults = { keep = { last = 7; floor = 2; }; };"),
     ['FILE:6: warning: defaults.keep: deletes nothing where expire is not set, what it does not want is only reported; HINT: set expire = "delete", or expire = "report" if that is meant']),
    ("expire_of_defaults_without_keep", top('defaults = { expire = "delete"; };'),
     ['FILE:6: warning: defaults.expire: deletes nothing, for no schedule has a keep; HINT: say what to keep, keep = { last = 7; }']),
    ("expire_with_zeros", schedule('keep = { last = 0; }; expire = "delete";'),
     ["FILE:4: warning: schedules.nightly.expire: deletes nothing, for keep has no rule above 0 and so wants everything; HINT: say what to keep, such as keep = { last = 7; }"]),
    ("expire_of_exports_that_are_not_checked", s3('bucket = "acme-backups"; }; keep = { last = 3; ')
     + 'defaults = { expire = "delete"; };',
     ['FILE:6: warning: defaults.expire: deletes nothing of schedule nightly, whose exports are not checked in their bucket; HINT: set verify = "manifest", or more, there, or expire = "report" if that is meant']),
    ("keep_of_one", schedule('keep = { last = 1; daily = 1; }; expire = "delete";'),
     ["FILE:4: warning: schedules.nightly.keep: keeps nothing but the newest backup of a table, which may have what it should save from; HINT: keep more, or set floor = 1 if that is meant"]),
    ("keep_within_less_than_a_period", schedule('keep = { within = "12h"; }; expire = "delete";'),
     ["FILE:4: warning: schedules.nightly.keep: keeps nothing but the newest backup of a table, which may have what it should save from; HINT: keep more, or set floor = 1 if that is meant"]),
    ("keep_of_links", chain('keep = { last = 7; }; '),
     ["FILE:4: warning: schedules.half.keep: has no effect, for links go with the export that their chain begins with; HINT: set it in schedules.weekly"]),
    # tables
    ("excluded_name", tables('( { match = ["orders", "carts"]; exclude = "ord*"; schedules = "nightly"; } )'),
     ['FILE:5: warning: tables.match: "orders" selects nothing, for exclude of the same entry takes it out; HINT: take it away from one of the two']),
    ("excluded_pattern", tables('( { match = ["app-*", "orders"]; exclude = "app-*"; schedules = "nightly"; } )'),
     ['FILE:5: warning: tables.match: "app-*" selects nothing, for exclude of the same entry takes it out; HINT: take it away from one of the two']),
    ("excluded_all", tables('( { match = "app-*"; exclude = "*"; schedules = "nightly"; } )'),
     ['FILE:5: warning: tables.match: "app-*" selects nothing, for exclude of the same entry takes it out; HINT: take it away from one of the two']),
    ("excludes_nothing", tables('( { match = "app-*"; exclude = ["app-1", "orders"]; schedules = "nightly"; } )'),
     ['FILE:5: warning: tables.exclude: "orders" takes nothing out, for match does not select it; HINT: exclude holds for its own entry alone; is the name right?']),
    ("left_out_and_backed_up", tables(LEFT_OUT % '"orders-tmp"'),
     ['FILE:5: warning: tables.match: "orders-tmp" is left out here, but is backed up all the same, by schedule nightly of the entry with match "orders*"; HINT: set exclude = "orders-tmp" there, too']),
    ("pattern_left_out_and_backed_up", tables(LEFT_OUT % '["abc", "orders-[!a-c]?-*"]'),
     ['FILE:5: warning: tables.match: "orders-[!a-c]?-*" is left out here, but a table such as "orders-xx-x" is backed up all the same, by schedule nightly of the entry with match "orders*"; HINT: set exclude = "orders-[!a-c]?-*" there, too']),
    ("more_than_there_are_names", tables('( { match = ["orders", "carts"]; min_tables = 3; schedules = "nightly"; } )'),
     ["FILE:5: warning: tables.min_tables: 3 is more than the 2 that match names, which is an alarm for ever; HINT: make it 2, or take it out"]),
    # aws
    ("region_misspelt", top('aws = { region = "eu-centrall-1"; };'),
     ['FILE:6: warning: aws.region: AWS has no region "eu-centrall-1" that is known; HINT: did you mean "eu-central-1"?']),
    ("region_cut_off", top('aws = { region = "us-east"; };'),
     ['FILE:6: warning: aws.region: AWS has no region "us-east" that is known; HINT: such as "eu-central-1"']),
    ("regions_of_an_account", top('accounts = { prod = { regions = ["eu-central-1",\n"us-esat-1"]; }; };'),
     ['FILE:7: warning: accounts.prod.regions: AWS has no region "us-esat-1" that is known; HINT: did you mean "us-east-1"?']),
    ("unsigned_to_nobody", top("aws = { unsigned = true; };"),
     ["FILE:6: warning: aws.unsigned: is for emulators, and aws.endpoint_url names none; HINT: AWS takes no unsigned requests: take aws.unsigned out, or set the endpoint"]),
    ("unsigned_to_another_machine", top('aws = { unsigned = true; endpoint_url = "http://10.0.0.1:8000"; };'),
     ["FILE:6: warning: aws.unsigned: is for emulators, and http://10.0.0.1:8000 is another machine; HINT: DynamoDB takes no unsigned requests: is it an emulator?"]),
    # what is there
    ("group_that_is_not_there", top('control_group = "no-such-group";'),
     ['FILE:6: warning: control_group: there is no group "no-such-group" here, so that root alone may give orders; HINT: groupadd no-such-group']),
    ("two_of_them", schedule('warn_after = "24h"; max_age = "1h";'),
     [f'FILE:4: warning: schedules.nightly.max_age: "1h" is not longer than 1d, the longest time between two slots of schedule nightly, {STALE}; HINT: such as max_age = "27h"',
      'FILE:4: warning: schedules.nightly.warn_after: "24h" never comes, for a run has failed after 1d; HINT: make it shorter than finish_within']),
]


def check(path, *options):
    return ddbackupd("--check-config", path, *options)


@pytest.mark.parametrize("text, expected", [row[1:] for row in ADVICE], ids=[row[0] for row in ADVICE])
def test_advice(tmp_path, text, expected):
    path = write(tmp_path, text)
    done = check(path)
    assert done.stderr.replace(str(path), "FILE").splitlines() == expected
    assert done.returncode == 0
    n = len(expected)
    assert done.stdout.endswith(f", {n} warning{'s' if n > 1 else ''}\n")


MEANT = [
    ("minutes", when('when = "02:00,30";')),
    ("minutes_and_seconds", when('when = "02:00,30:15";')),
    ("hours", when('when = "*-*-* 02,14:00:00";')),
    ("daily", when('when = "daily";')),
    ("rate", when('when = "rate(12 hours)";')),
    ("a_year_to_come", when('when = "2199-01-01";')),
    ("age_longer_than_a_night", schedule('max_age = "24h 1min";')),
    ("age_of_slots_that_are_shut_for_good", when('when = "*-*-* 0/12:00"; max_age = "25h"; not_during = "08:00..18:00"; catch_up = "none";')),
    ("age_of_links", chain('max_age = "36min"; ')),
    ("keep_and_report", schedule('keep = { last = 7; }; expire = "report";')),
    ("keep_and_expire_of_defaults", schedule("keep = { last = 7; };") + 'defaults = { expire = "report"; };'),
    ("everything_kept_where_others_are_not", schedule("keep = { last = 0; };") + 'defaults = { keep = { last = 3; }; expire = "delete"; };'),
    ("keep_of_one_with_floor", schedule('keep = { last = 1; floor = 1; }; expire = "delete";')),
    ("keep_within", schedule('keep = { within = "24h"; }; expire = "delete";')),
    ("deadline_below_the_default_of_warnings", schedule('finish_within = "2h";')),
    ("exclude", tables('( { match = "app-*"; exclude = ["app-1", "*-tmp"]; schedules = "nightly"; } )')),
    ("exclude_of_tags", tables('( { tags = "a=b"; exclude = "orders"; schedules = "nightly"; } )')),
    ("left_out_everywhere", tables('( { match = "orders*"; exclude = "orders-tmp"; schedules = "nightly"; }, { match = "orders-tmp"; schedules = []; reason = "no"; } )')),
    ("left_out_of_another_account", tables('( { match = "orders*"; accounts = "prod"; schedules = "nightly"; }, { match = "orders-tmp"; accounts = "shop"; schedules = []; reason = "no"; } )')
     + 'accounts = { prod = { role_arn = "arn:aws:iam::111111111111:role/x"; }; shop = { }; };'),
    ("names_in_two_regions", tables('( { match = ["orders", "carts"]; min_tables = 4; schedules = "nightly"; } )')
     + 'accounts = { prod = { regions = ["eu-central-1", "us-east-1"]; }; };'),
    ("regions", top('accounts = { prod = { regions = ["us-gov-west-1", "cn-northwest-1", "eusc-de-east-1", "us-isob-east-1", '
     '"ap-southeast-7", "local"]; }; };')),
    ("region_of_an_emulator", top('aws = { region = "my-place"; endpoint_url = "http://127.0.0.1:8000"; };')),
    ("unsigned_on_loopback", top('aws = { unsigned = true; endpoint_url = "http://127.0.0.1:8000"; };')),
    ("unsigned_on_loopback_of_ipv6", top('aws = { unsigned = true; endpoint_url = "http://[::1]:8000"; };')),
    ("unsigned_on_localhost", top('aws = { unsigned = true; endpoint_url = "http://localhost"; };')),
]


@pytest.mark.parametrize("text", [row[1] for row in MEANT], ids=[row[0] for row in MEANT])
def test_meant(tmp_path, text):
    done = check(write(tmp_path, text))
    assert (done.returncode, done.stderr) == (0, "")


def test_files_that_everybody_may_write(tmp_path):
    path = write(tmp_path, GOOD)
    drop_in = write(tmp_path, 'log_level = "info";', "conf.d/a.conf")
    what = "warning: everybody may write it, and so decide what is deleted and where exports go; HINT: chmod o-w"
    for writable in (path, drop_in.parent, drop_in):
        mode = writable.stat().st_mode
        writable.chmod(mode | 0o002)
        assert check(path).stderr == f"{writable}: {what} {writable}\n"
        writable.chmod(mode)
    assert check(path).stderr == ""


def test_quiet(tmp_path):
    path = write(tmp_path, schedule('warn_after = "24h";'))
    assert check(path, "--quiet").stderr == check(path, "--quiet").stdout == ""
    done = check(write(tmp_path, "tables = 5;"), "--quiet")
    assert done.returncode == 78 and "tables: must be a list" in done.stderr
    done = ddbackupd("--dump-config", path, "--quiet")
    assert done.returncode == 2 and "--quiet: goes with --check-config alone" in done.stderr


def test_each_place_is_in_its_file(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, '\nschedules = { nightly = { max_age = "2h"; }; };', "conf.d/a.conf")
    assert check(path).stderr.startswith(f"{tmp_path}/conf.d/a.conf:2: warning: schedules.nightly.max_age: ")


def test_the_daemon_says_so_at_start_and_at_reload(emulator, daemon):
    service = emulator("orders")
    own = daemon(conf(service, backup("nightly", "02:00", 'max_age = "1h";'), select("orders", "nightly")))
    said = "warning: schedules.nightly.max_age: "
    assert own.text().count(said) == 1
    own.reload()
    wait_until(lambda: own.text().count(said) == 2)
    assert own.text().count("configuration reloaded") == 1


def test_the_manual_names_them_all():
    page = (TOP / "man/ddbackupd.conf.5").read_text()
    part = page[page.index(".Sh WARNINGS"):page.index(".Sh NAMES OF BACKUPS")]
    keys = {line.split(": ")[2].split(".", 2)[-1].split(".")[-1] for _, _, lines in ADVICE for line in lines}
    assert keys == {"when", "max_age", "warn_after", "keep", "expire", "match", "exclude", "min_tables", "unsigned",
                    "region", "regions", "control_group"}
    for key in keys:
        assert f" {key} " in part.replace("\n", " \n") or f"Cm aws.{key}" in part, key
