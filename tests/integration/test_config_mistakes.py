"""What people write instead: pasted, guessed, or brought along from other tools. Each with the exact message."""

import os

import pytest

from configurations import GOOD, accounts, base, problems, s3, schedule, summary, tables, top, when, write

MISTAKES = [
    # pasted
    ("guillemets", when('when = «02:00»;'),
     ['FILE:3: when: «02:00» is quoted with other than \'"\'; HINT: write plain double quotes']),
    ("backquotes", when('when = `02:00`;'),
     ['FILE:3: when: `02:00` is quoted with other than \'"\'; HINT: write plain double quotes']),
    ("low_quotes", when('when = „02:00“;'),
     ['FILE:3: when: „02:00“ is quoted with other than \'"\'; HINT: write plain double quotes']),
    ("all_quotes_typographic", GOOD.replace('"', '”'),
     ['FILE:1: deployment: ”acme” is quoted with other than \'"\'; HINT: write plain double quotes']),
    ("no_break_space", GOOD.replace(" = ", "\u00a0= ", 1),
     ['FILE:1: holds a blank that is none, such as a no-break space; HINT: write plain spaces']),
    ("zero_width_space", base("nightly =", "\u200bnightly ="),
     ['FILE:3: holds a blank that is none, such as a no-break space; HINT: write plain spaces']),
    ("byte_order_mark_in_the_middle", base("schedules", "\ufeffschedules"),
     ['FILE:2: holds a blank that is none, such as a no-break space; HINT: write plain spaces']),
    ("zero_width_space_in_a_string", when('when = "02:00\u200b";'),
     ['FILE:3: schedules.nightly.when: "02:00\u200b": expected ":", the end, or a space and a time zone, at "\u200b", character 6; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("dash_of_a_book", when('when = "Mon–Fri 02:00";'),
     ['FILE:3: schedules.nightly.when: "Mon–Fri 02:00": expected ",", ".." or a space after a weekday, at "–Fri 02:00", character 4; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("json", '{"deployment": "acme"}',
     ["FILE:1: expected a key, found '{'; HINT: settings are key = value;, groups name = { ... };, as ddbackupd.conf(5) shows"]),
    ("toml", '[schedules.nightly]\naction = "backup"\n',
     ["FILE:1: expected a key, found '['; HINT: settings are key = value;, groups name = { ... };, as ddbackupd.conf(5) shows"]),
    ("yaml", "deployment: acme\nschedules:\n",
     ['FILE:1: deployment: acme stands without quotes; HINT: write deployment = "acme"']),
    ("shell", "export DEPLOYMENT=acme\n",
     ["FILE:1: export: '=' is missing; HINT: a setting is key = value;"]),
    ("merge_conflict", "<<<<<<< HEAD\n" + GOOD,
     ["FILE:1: <<<<<<<: is no key; HINT: letters, digits, '_' and '-', a letter first"]),
    ("utf16_without_mark", GOOD.encode("utf-16-le"),
     ['FILE:1: holds a NUL byte; HINT: save the file as plain UTF-8 text']),
    ("archive", b"\x1f\x8b\x08\0\0\0\0\0",
     ['FILE:1: holds a control character; HINT: take it out']),
    ("include", top('include "more.conf";'),
     ['FILE:6: include: is not taken; HINT: put the file into conf.d beside this one']),
    ("variable", base('"acme"', '"${DEPLOYMENT}"'),
     ['FILE:1: deployment: "${DEPLOYMENT}" holds other characters than letters, digits, \'_\' and \'-\'']),
    ("bare_variable", base('"acme"', "$DEPLOYMENT"),
     ['FILE:1: deployment: $DEPLOYMENT stands without quotes; HINT: write deployment = "$DEPLOYMENT"']),
    # words
    ("yes", top("aws = { unsigned = yes; };"),
     ['FILE:6: unsigned: yes stands without quotes; HINT: write unsigned = true, or "yes" where a text is meant']),
    ("off", top("aws = { use_fips_endpoint = Off; };"),
     ['FILE:6: use_fips_endpoint: Off stands without quotes; HINT: write use_fips_endpoint = false, or "Off" where a text is meant']),
    ("true_in_quotes", top('aws = { unsigned = "true"; };'),
     ['FILE:6: aws.unsigned: must be true or false, not a string; HINT: take the quotes away']),
    ("one_for_true", top("aws = { unsigned = 1; };"),
     ['FILE:6: aws.unsigned: must be true or false, not the number 1; HINT: write true or false']),
    ("true_for_word", schedule("expire = true;"),
     ['FILE:4: schedules.nightly.expire: must be a string, not true; HINT: "off", "report" or "delete"']),
    ("word_in_capitals", top('log_level = "INFO";'),
     ['FILE:6: log_level: must be "error", "warning", "notice", "info" or "debug", not "INFO"; HINT: did you mean "info"?']),
    ("part_of_a_word", top('log_level = "warn";'),
     ['FILE:6: log_level: must be "error", "warning", "notice", "info" or "debug", not "warn"; HINT: did you mean "warning"?']),
    ("word_with_more", base('"backup"', '"incremental-export"'),
     ['FILE:3: schedules.nightly.action: must be "backup", "export" or "incremental", not "incremental-export"; HINT: did you mean "incremental"?']),
    ("word_of_another_tool", s3('bucket = "acme-backups"; sse_algorithm = "aws:kms";'),
     ['FILE:3: schedules.nightly.s3.sse_algorithm: must be "AES256" or "KMS", not "aws:kms"; HINT: did you mean "KMS"?']),
    ("end_of_a_word", s3('bucket = "acme-backups"; format = "JSON";'),
     ['FILE:3: schedules.nightly.s3.format: must be "DYNAMODB_JSON" or "ION", not "JSON"; HINT: did you mean "DYNAMODB_JSON"?']),
    # durations, sizes, numbers
    ("duration_below_zero", schedule('spread = "-1h";'),
     ['FILE:4: schedules.nightly.spread: "-1h" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_in_capitals", schedule('spread = "1H";'),
     ['FILE:4: schedules.nightly.spread: "1H" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_of_a_month", schedule('max_age = "1month";'),
     ['FILE:4: schedules.nightly.max_age: "1month" is no duration, for months and years differ; HINT: such as "30d" or "365d"']),
    ("duration_of_a_year", schedule('max_age = "2 years";'),
     ['FILE:4: schedules.nightly.max_age: "2 years" is no duration, for months and years differ; HINT: such as "30d" or "365d"']),
    ("duration_of_iso", schedule('max_age = "PT1H";'),
     ['FILE:4: schedules.nightly.max_age: "PT1H" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_as_time", schedule('spread = "01:30";'),
     ['FILE:4: schedules.nightly.spread: "01:30" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_without_end", schedule('max_age = "never";'),
     ['FILE:4: schedules.nightly.max_age: "never" is no duration; HINT: write "0"']),
    ("duration_without_end_where_there_is_one", schedule('start_within = "never";'),
     ['FILE:4: schedules.nightly.start_within: "never" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_half_without_unit", schedule('spread = "1h 30";'),
     ['FILE:4: schedules.nightly.spread: "1h 30" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_with_comma", schedule('spread = "1,5h";'),
     ['FILE:4: schedules.nightly.spread: "1,5h" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_empty", schedule('max_age = "";'),
     ['FILE:4: schedules.nightly.max_age: "" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("size_with_point", top('limits = { max_new_full_bytes = "1.5T"; };'),
     ['FILE:6: limits.max_new_full_bytes: "1.5T" is no size; HINT: a number with the units K, M, G, T, such as "500G"']),
    ("size_below_zero", top('limits = { max_new_full_bytes = "-1G"; };'),
     ['FILE:6: limits.max_new_full_bytes: "-1G" is no size; HINT: a number with the units K, M, G, T, such as "500G"']),
    ("size_in_bits", top('limits = { max_new_full_bytes = "500Gb"; };'),
     ['FILE:6: limits.max_new_full_bytes: "500Gb" is no size; HINT: a number with the units K, M, G, T, such as "500G"']),
    ("share_in_percent", top('limits = { rate_share = "50%"; };'),
     ['FILE:6: limits.rate_share: must be a number, not a string; HINT: 50% is 0.5, without quotes']),
    ("share_of_fifty", top("limits = { rate_share = 50; };"),
     ['FILE:6: limits.rate_share: 50 is out of range; HINT: above 0, at most 1']),
    ("share_below_zero", top("limits = { rate_share = -0.5; };"),
     ['FILE:6: limits.rate_share: -0.5 is out of range; HINT: above 0, at most 1']),
    ("share_of_all_numbers", top("limits = { rate_share = 1e400; };"),
     ['FILE:6: limits.rate_share: inf is out of range; HINT: above 0, at most 1']),
    ("number_below_zero", top("aws = { max_attempts = -1; };"),
     ['FILE:6: aws.max_attempts: -1 is out of range; HINT: 1 to 20']),
    ("keep_as_duration", schedule('keep = "30d";'),
     ['FILE:4: schedules.nightly.keep: must be a group, not a string; HINT: write { ... } around its keys']),
    ("keep_of_other_units", schedule("keep = { days = 30; };"),
     ['FILE:4: schedules.nightly.keep.days: unknown key; HINT: the keys here are last, hourly, daily, weekly, monthly, yearly, within, floor']),
    # names of AWS
    ("region_in_words", top('aws = { region = "Frankfurt"; };'),
     ['FILE:6: aws.region: "Frankfurt" is no region; HINT: such as "eu-central-1"']),
    ("region_in_capitals", top('aws = { region = "EU-CENTRAL-1"; };'),
     ['FILE:6: aws.region: "EU-CENTRAL-1" is no region; HINT: such as "eu-central-1"']),
    ("region_with_a_blank", top('aws = { region = "eu-central-1 "; };'),
     ['FILE:6: aws.region: "eu-central-1 " is no region; HINT: such as "eu-central-1"']),
    ("region_as_list", top('aws = { region = ["eu-central-1", "us-east-1"]; };'),
     ['FILE:6: aws.region: must be a string, not a list; HINT: a single text in quotes']),
    ("arn_of_a_function", tables('( { match = "arn:aws:lambda:eu-central-1:111111111111:function:x"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "arn:aws:lambda:eu-central-1:111111111111:function:x" is no ARN of a table; HINT: such as "arn:aws:dynamodb:eu-central-1:111111111111:table/orders", without wildcards']),
    ("arn_of_an_index", tables('( { match = "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/index/x"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/index/x" is the ARN of something that belongs to a table; HINT: end it behind the table\'s name']),
    ("arn_of_a_backup", tables('( { match = "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/backup/01"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/backup/01" is the ARN of something that belongs to a table; HINT: end it behind the table\'s name']),
    ("arn_with_wildcards", tables('( { match = "arn:aws:dynamodb:*:111111111111:table/*"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "arn:aws:dynamodb:*:111111111111:table/*" is no ARN of a table; HINT: such as "arn:aws:dynamodb:eu-central-1:111111111111:table/orders", without wildcards']),
    ("role_of_a_user", accounts('prod = { role_arn = "arn:aws:iam::111111111111:user/bob"; };'),
     ['FILE:6: accounts.prod.role_arn: "arn:aws:iam::111111111111:user/bob" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("role_of_a_session", accounts('prod = { role_arn = "arn:aws:sts::111111111111:assumed-role/x/y"; };'),
     ['FILE:6: accounts.prod.role_arn: "arn:aws:sts::111111111111:assumed-role/x/y" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("role_by_name", accounts('prod = { role_arn = "ddbackupd"; };'),
     ['FILE:6: accounts.prod.role_arn: "ddbackupd" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("role_of_eleven_digits", accounts('prod = { role_arn = "arn:aws:iam::11111111111:role/x"; };'),
     ['FILE:6: accounts.prod.role_arn: "arn:aws:iam::11111111111:role/x" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("role_of_a_pattern", accounts('prod = { role_arn = "arn:aws:iam::111111111111:role/*"; };'),
     ['FILE:6: accounts.prod.role_arn: "arn:aws:iam::111111111111:role/*" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("bucket_with_a_path", s3('bucket = "acme/ddb";'),
     ['FILE:3: schedules.nightly.s3.bucket: "acme/ddb" is no name of a bucket; HINT: the bucket\'s name alone, and the rest in prefix']),
    ("bucket_reserved", s3('bucket = "xn--acme";'),
     ['FILE:3: schedules.nightly.s3.bucket: "xn--acme" is no name of a bucket for exports; HINT: S3 keeps names that begin with xn--, sthree- or amzn-s3-demo-, and endings such as -s3alias and --x-s3, for itself']),
    ("bucket_alias", s3('bucket = "acme-s3alias";'),
     ['FILE:3: schedules.nightly.s3.bucket: "acme-s3alias" is no name of a bucket for exports; HINT: S3 keeps names that begin with xn--, sthree- or amzn-s3-demo-, and endings such as -s3alias and --x-s3, for itself']),
    ("bucket_of_a_directory", s3('bucket = "acme--euc1-az1--x-s3";'),
     ['FILE:3: schedules.nightly.s3.bucket: "acme--euc1-az1--x-s3" is no name of a bucket for exports; HINT: S3 keeps names that begin with xn--, sthree- or amzn-s3-demo-, and endings such as -s3alias and --x-s3, for itself']),
    ("template_of_a_shell", s3('bucket = "acme-${region}";'),
     ['FILE:3: schedules.nightly.s3.bucket: "acme-${region}" is no name of a bucket; HINT: templates are written %{region}']),
    ("template_of_a_date", s3('bucket = "acme-backups"; prefix = "%Y/%m";'),
     ['FILE:3: schedules.nightly.s3.prefix: "%Y/%m" holds a \'%\' that begins no template; HINT: %{account}, %{region}, %{table}, %{deployment}, %{schedule}, or %% for the character']),
    ("owner_with_hyphens", s3('bucket = "acme-backups"; bucket_owner = "3333-3333-3333";'),
     ['FILE:3: schedules.nightly.s3.bucket_owner: "3333-3333-3333" is no account; HINT: its 12 digits, with leading zeros, without hyphens']),
    ("keys_in_the_configuration", top('aws = { access_key_id = "AKIA"; };'),
     ['FILE:6: aws.access_key_id: unknown key; HINT: credentials stand in no configuration; ddbackupd(8), CREDENTIALS, says where they do']),
    # lists and groups
    ("names_with_commas", tables('( { match = "orders,carts"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "orders,carts" is no name of a table; HINT: several are a list, ["orders", "carts"]']),
    ("names_with_blanks", tables('( { match = "orders carts"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "orders carts" is no name of a table; HINT: several are a list, ["orders", "carts"]']),
    ("schedules_with_commas", tables('( { match = "orders"; schedules = "nightly, weekly"; } )'),
     ['FILE:5: tables.schedules: "nightly, weekly" is no name of a schedule; HINT: several are a list, ["one", "two"]']),
    ("regular_expression", tables('( { match = "^orders.*$"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "^orders.*$" is no name of a table; HINT: letters, digits, \'_\', \'.\' and \'-\', or a pattern with *, ? and [ ]']),
    ("braces_of_a_shell", tables('( { match = "{orders,carts}"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "{orders,carts}" is no name of a table; HINT: several are a list, ["orders", "carts"]']),
    ("tag_with_blanks", tables('( { tags = "backup = yes"; schedules = "nightly"; } )'),
     ['FILE:5: tables.tags: "backup = yes" has blanks around key or value, which would be part of them; HINT: such as "backup=yes"']),
    ("entry_without_braces", tables('( match = "orders"; schedules = "nightly"; )'),
     ['FILE:5: tables: match = stands in a list; HINT: write { ... } around the keys of each element']),
    ("entry_with_a_name", tables('( orders = { schedules = "nightly"; } )'),
     ['FILE:5: tables: orders = stands in a list; HINT: write { ... } around the keys of each element']),
    ("schedules_as_list", base('{\n  nightly = { action = "backup"; when = "02:00"; };\n}', '( { name = "nightly"; } )'),
     ['FILE:2: schedules: must be a group, not a list; HINT: write { ... } around its keys',
      'FILE:3: tables.schedules: there is no schedule "nightly"; HINT: define it in schedules']),
    ("times_as_list", when('when = ["02:00", "14:00"];'),
     ['FILE:3: schedules.nightly.when: must be a string, not a list; HINT: hours are one expression, such as "02,14:00"; else write two schedules']),
    ("key_with_a_blank", base("deployment", "deploy ment"),
     ["FILE:1: deploy: '=' is missing; HINT: a setting is key = value;"]),
    ("key_in_capitals", base("deployment", "Deployment"),
     ['FILE:1: Deployment: unknown key; HINT: did you mean "deployment"?']),
    ("account_by_number", accounts("111111111111 = { };"),
     ["FILE:6: 111111111111: is no key; HINT: letters, digits, '_' and '-', a letter first"]),
    ("times_of_cron", schedule('not_during = "0 8 * * 1-5";'),
     ['FILE:4: schedules.nightly.not_during: "0 8 * * 1-5": expected ":" and minutes after the hour, at " 8 * * 1-5", character 2; HINT: such as "Mon..Fri 08:00..18:00" or "22:00..02:00"']),
    ("span_with_a_dash", schedule('not_during = "08:00-18:00";'),
     ['FILE:4: schedules.nightly.not_during: "08:00-18:00": expected ".." and the end, such as 08:00..18:00, at "-18:00", character 6; HINT: such as "Mon..Fri 08:00..18:00" or "22:00..02:00"']),
    ("zone_by_offset", schedule('timezone = "+01:00";'),
     ['FILE:4: schedules.nightly.timezone: there is no time zone "+01:00"; HINT: an IANA name such as "Europe/Berlin", see timedatectl list-timezones']),
    ("zone_of_a_path", schedule('timezone = "../../etc/passwd";'),
     ['FILE:4: schedules.nightly.timezone: there is no time zone "../../etc/passwd"; HINT: an IANA name such as "Europe/Berlin", see timedatectl list-timezones']),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_mistakes(tmp_path, text, expected):
    assert problems(write(tmp_path, text)) == expected


# --- files ---


def test_a_link_to_itself(tmp_path):
    os.symlink("ddbackupd.conf", tmp_path / "ddbackupd.conf")
    assert problems(tmp_path / "ddbackupd.conf") == [
        "FILE: Too many levels of symbolic links; HINT: a link leads back to itself"]


def test_a_name_too_long(tmp_path):
    assert problems(tmp_path / ("x" * 300)) == ["FILE: File name too long; HINT: is that the name of a file?"]


def test_a_drop_in_that_is_a_link_to_nothing(tmp_path):
    path = write(tmp_path, GOOD)
    (tmp_path / "conf.d").mkdir()
    os.symlink("nowhere", tmp_path / "conf.d/a.conf")
    assert problems(path) == [
        "DIR/conf.d/a.conf: No such file or directory; HINT: it is a link to what is not there: mend it, or take it away"]


def test_a_drop_in_that_is_a_directory(tmp_path):
    path = write(tmp_path, GOOD)
    (tmp_path / "conf.d/a.conf").mkdir(parents=True)
    assert problems(path) == ["DIR/conf.d/a.conf: Is a directory; HINT: name the file in it"]


def test_drop_ins_in_a_file(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, "", "conf.d")
    assert problems(path) == ["DIR/conf.d: is no directory; HINT: drop-ins are files in it"]


def test_a_byte_order_mark_in_a_drop_in(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, b'\xef\xbb\xbflog_level = "info";', "conf.d/a.conf")
    assert problems(path) == [
        "DIR/conf.d/a.conf:1: begins with a byte order mark; HINT: save the file as UTF-8 without one"]


def test_the_whole_file_again_in_a_drop_in(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, GOOD, "conf.d/a.conf")
    assert problems(path) == [
        "DIR/conf.d/a.conf:1: deployment: is set in FILE:1 already; HINT: keep one of the two",
        "DIR/conf.d/a.conf:3: schedules.nightly.action: is set in FILE:3 already; HINT: keep one of the two",
        "DIR/conf.d/a.conf:3: schedules.nightly.when: is set in FILE:3 already; HINT: keep one of the two"]


# --- what is odd and good ---


@pytest.mark.parametrize("text", [
    GOOD.replace("  ", "\t"),
    GOOD.replace("\n", "\r\n"),
    schedule('spread = "5 minutes";'),
    schedule('spread = "1.5h"; max_age = "27hours";'),
    top("aws = { use_fips_endpoint = TRUE; max_attempts = 0x4; };"),
    top("limits = { max_new_full_bytes = \"500GB\"; };"),
    schedule('not_during = "Mon-Fri 08:00..18:00";'),
    top('defaults = { s3 = { bucket = "a.-b"; }; };'),
    '# “quotes” and\u00a0blanks of a book in a comment\n' + GOOD,
    tables('( { match = "x-*"; schedules = []; reason = "«rebuilt»\u00a0from git"; }, { match = "orders"; schedules = "nightly"; } )'),
])
def test_odd_and_good(tmp_path, text):
    assert summary(write(tmp_path, text)).startswith("FILE: good: ")
