"""Configurations that are wrong, each with the exact message, and those that are right."""

import os
import re
import subprocess

import pytest

from configurations import (
    BUILD, GOOD, ROLE, SOURCE, accounts, base, chain, ddbackupd, problems, s3, schedule,
    summary, tables, tables_of, top, when, write,
)

BAD = [
    # syntax
    ("unquoted_time", when('when = 02:00;'),
     ['FILE:3: when: 02:00 stands without quotes; HINT: write when = "02:00"']),
    ("unquoted_words", when('when = Sun 03:00;'),
     ['FILE:3: when: Sun 03:00 stands without quotes; HINT: write when = "Sun 03:00"']),
    ("unquoted_duration", schedule('spread = 5min;'),
     ['FILE:4: spread: 5min stands without quotes; HINT: write spread = "5min"']),
    ("unquoted_duration_of_two_words", schedule('spread = 5 min;'),
     ['FILE:4: spread: 5 min stands without quotes; HINT: write spread = "5 min"']),
    ("unquoted_word", base('"backup"', 'backup'),
     ['FILE:3: action: backup stands without quotes; HINT: write action = "backup"']),
    ("unquoted_address", top('aws = { endpoint_url = http://localhost:8000/x; };'),
     ['FILE:6: endpoint_url: http://localhost:8000/x stands without quotes; HINT: write endpoint_url = "http://localhost:8000/x"']),
    ("unquoted_pattern", tables('( { match = app-*; schedules = "nightly"; } )'),
     ['FILE:5: match: app-* stands without quotes; HINT: write match = "app-*"']),
    ("string_not_closed", when('when = "02:00; '),
     ["FILE:3: a string is not closed in its line; HINT: look for the missing '\"'"]),
    ("typographic_quotes", when('when = \u201c02:00\u201d;'),
     ["FILE:3: when: “02:00” is quoted with other than '\"'; HINT: write plain double quotes"]),
    ("single_quotes", when("when = '02:00';"),
     ["FILE:3: when: '02:00' is quoted with other than '\"'; HINT: write plain double quotes"]),
    ("joined_strings", when('when = "02:00" "03:00";'),
     ["FILE:3: when: two strings in a row would be joined; HINT: put a ',' or ';' between them"]),
    ("text_after_string", when('when = "02:00" daily;'),
     ["FILE:3: when: expected ';' after \"02:00\", found daily"]),
    ("equals_missing", when('when "02:00";'),
     ["FILE:3: when: '=' is missing; HINT: write when = \"02:00\""]),
    ("equals_missing_before_group", base('nightly = {', 'nightly {'),
     ["FILE:3: nightly: '=' is missing; HINT: write nightly = {"]),
    ("value_missing", when('when = ;'),
     ["FILE:3: when: has no value; HINT: write one, or take the key out"]),
    ("value_missing_at_line_end", when('when =\nspread = "1h";'),
     ["FILE:3: when: has no value; HINT: write one, or take the key out"]),
    ("semicolon_twice", when('when = "02:00";;'),
     ["FILE:3: a ';' too many; HINT: take it out"]),
    ("colon_in_key", base('nightly = {', 'my:nightly = {'),
     ["FILE:3: my:nightly: a key may not hold ':'; HINT: letters, digits, '_' and '-'"]),
    ("point_in_key", base('nightly = {', 'night.ly = {'),
     ["FILE:3: night.ly: is no key; HINT: letters, digits, '_' and '-', a letter first"]),
    ("digit_first_in_key", base('nightly = {', '7nightly = {'),
     ["FILE:3: 7nightly: is no key; HINT: letters, digits, '_' and '-', a letter first"]),
    ("quoted_key", base('nightly = {', '"nightly" = {'),
     ['FILE:3: expected a key, found "nightly"; HINT: keys stand without quotes']),
    ("set_twice", when('when = "02:00"; when = "03:00";'),
     ["FILE:3: when: is set in line 3 already; HINT: keep one of the two"]),
    ("group_twice", top('schedules = { };'),
     ["FILE:6: schedules: is set in line 2 already; HINT: keep one of the two"]),
    ("brace_missing", base('"02:00"; };', '"02:00";'),
     ["FILE:2: schedules: '{' is never closed; HINT: count the braces from here"]),
    ("brace_too_many", top('}'),
     ["FILE:6: '}' closes nothing; HINT: take it out, or find the '}' before it that is too many"]),
    ("wrong_bracket", base('};\n};', '};\n);').replace(');\ntables', ');\ntables'),
     ["FILE:4: schedules: the '{' of line 2 is closed by ')'; HINT: close it with '}'"]),
    ("wrong_bracket_in_list", tables('( { match = ["orders"); schedules = "nightly"; } )'),
     ["FILE:5: match: expected ',' or ']', found ')'"]),
    ("list_not_closed", top('aws = { profile = ["a", "b"'),
     ["FILE:6: profile: '[' is never closed; HINT: close it with ']'"]),
    ("comma_trailing", tables('( { match = ["orders", ]; schedules = "nightly"; } )'),
     ["FILE:5: match: a ',' stands before the ']'; HINT: take it out"]),
    ("comma_trailing_after_entry", tables('( { match = "orders"; schedules = "nightly"; }, )'),
     ["FILE:5: tables: a ',' stands before the ')'; HINT: take it out"]),
    ("comma_missing", tables('( { match = ["orders" "carts"]; schedules = "nightly"; } )'),
     ["FILE:5: match: two strings in a row would be joined; HINT: put a ',' or ';' between them"]),
    ("comma_missing_between_entries",
     tables('( { match = "orders"; schedules = "nightly"; }\n{ match = "carts"; } )'),
     ["FILE:5: tables: a ',' is missing after this element"]),
    ("semicolon_in_list", tables('( { match = ["orders"; "carts"]; schedules = "nightly"; } )'),
     ["FILE:5: match: expected ',' or ']', found ';'"]),
    ("groups_in_brackets", tables('[ { match = "orders"; schedules = "nightly"; } ]'),
     ["FILE:5: tables: [ ] holds no groups and no lists; HINT: write ( ) around them"]),
    ("mixed_list", tables('( { match = ["orders", 5]; schedules = "nightly"; } )'),
     ["FILE:5: match: [ ] holds values of one type alone, and 5 is of another; HINT: write them all with quotes, or all without"]),
    ("comment_not_closed", top('/* the end'),
     ["FILE:6: the comment that begins with /* is never closed; HINT: end it with */"]),
    ("include", top('@include "more.conf"'),
     ["FILE:6: @include: is not taken; HINT: put the file into conf.d beside this one"]),
    ("nested_too_deep", top("a = " + "(" * 17 + ")" * 17),
     ["FILE:6: a: is nested too deep"]),
    ("byte_order_mark", b"\xef\xbb\xbf" + GOOD.encode(),
     ["FILE:1: begins with a byte order mark; HINT: save the file as UTF-8 without one"]),
    ("utf16", GOOD.encode("utf-16"),
     ["FILE:1: is not UTF-8; HINT: save the file as UTF-8"]),
    ("latin1", GOOD.encode() + b'log_level = "\xe4";',
     ["FILE:6: is not UTF-8; HINT: save the file as UTF-8"]),
    ("nul", GOOD.encode() + b"\0",
     ["FILE:6: holds a NUL byte; HINT: save the file as plain UTF-8 text"]),
    ("nul_in_string", top('log_level = "\\x00";'),
     ["FILE:6: a string may not hold \\x00"]),
    ("control_character", top('log_level = "\x01";'),
     ["FILE:6: holds a control character; HINT: take it out"]),
    ("too_large", top("#" * (1 << 20)),
     ["FILE: is larger than 1 MiB; HINT: is it the right file?"]),
    ("empty", "",
     ["FILE: sets nothing; HINT: ddbackupd.conf(5) has an example to begin with"]),
    ("only_comments", "# nothing\n",
     ["FILE: sets nothing; HINT: ddbackupd.conf(5) has an example to begin with"]),
    # keys
    ("unknown_key", when('whem = "02:00";'),
     ['FILE:3: schedules.nightly.whem: unknown key; HINT: did you mean "when"?']),
    ("unknown_key_at_top", base("deployment", "deploymnet"),
     ['FILE:1: deploymnet: unknown key; HINT: did you mean "deployment"?']),
    ("unknown_key_in_group", top('aws = { read_time = "5s"; };'),
     ['FILE:6: aws.read_time: unknown key; HINT: did you mean "read_timeout"?']),
    ("unknown_key_like_none", schedule('zebra = 1;'),
     ["FILE:4: schedules.nightly.zebra: unknown key; HINT: the keys here are action, when, timezone, spread, not_during, start_within, warn_after, finish_within, max_age, catch_up, verify, reverify, pitr, base, on_lost, view_type, s3, keep, expire, formerly"]),
    ("unknown_key_of_another_group", schedule('region = "eu-central-1";'),
     ["FILE:4: schedules.nightly.region: unknown key; HINT: it belongs into aws"]),
    ("unknown_key_of_the_top", schedule('log_level = "info";'),
     ["FILE:4: schedules.nightly.log_level: unknown key; HINT: it belongs into the top level, outside of groups"]),
    ("unknown_key_in_s3", s3('bucket = "acme-backups"; owner = "1";'),
     ["FILE:3: schedules.nightly.s3.owner: unknown key; HINT: the keys here are bucket, bucket_owner, prefix, sse_algorithm, kms_key_id, format"]),
    ("unknown_key_in_tables", tables('( { match = "*"; shedules = "nightly"; } )'),
     ['FILE:5: tables.shedules: unknown key; HINT: did you mean "schedules"?']),
    # retention
    ("keep_without_a_rule", schedule('keep = { floor = 3; };'),
     ["FILE:4: schedules.nightly.keep: has no rule; HINT: say what to keep, such as last = 7, or leave keep out to keep everything"]),
    ("keep_misspelt", schedule('keep = { lasst = 7; };'),
     ['FILE:4: schedules.nightly.keep.lasst: unknown key; HINT: did you mean "last"?']),
    ("keep_number", schedule('keep = 7;'),
     ["FILE:4: schedules.nightly.keep: must be a group, not the number 7; HINT: write { ... } around its keys"]),
    ("keep_below_zero", schedule('keep = { last = -1; };'),
     ["FILE:4: schedules.nightly.keep.last: -1 is out of range; HINT: 0 to 100000"]),
    ("floor_of_none", schedule('keep = { last = 7; floor = 0; };'),
     ["FILE:4: schedules.nightly.keep.floor: 0 is out of range; HINT: 1 to 1000"]),
    ("keep_key_outside", schedule('last = 7;'),
     ['FILE:4: schedules.nightly.last: unknown key; HINT: it belongs into keep']),
    ("expire_word", schedule('keep = { last = 7; }; expire = "remove";'),
     ['FILE:4: schedules.nightly.expire: must be "off", "report" or "delete", not "remove"']),
    ("expire_without_keep", schedule('expire = "delete";'),
     ['FILE:4: schedules.nightly.expire: without keep nothing is deleted; HINT: say what to keep, keep = { last = 7; }']),
    ("expire_of_links", chain('keep = { last = 7; }; expire = "delete";'),
     ["FILE:4: schedules.half.expire: links go with the export that their chain begins with; HINT: take it out, and set it in the schedule that base names"]),
    ("expire_of_unchecked_links", chain().replace('"Sun"; }', '"Sun"; verify = "manifest"; keep = { last = 3; }; expire = "delete"; }'),
     ['FILE:4: schedules.half.base: exports of weekly expire with their links, and these are not checked in their bucket; HINT: set verify = "manifest", or more, here, too']),
    ("expire_of_exports", s3('bucket = "acme-backups"; }; keep = { last = 7; }; expire = "delete"; s4 = {').replace(" s4 = { };", ""),
     ['FILE:3: schedules.nightly.expire: only exports that were checked in their bucket are deleted; HINT: set verify = "manifest", or more, too']),
    ("formerly_itself", schedule('formerly = "nightly";'),
     ['FILE:4: schedules.nightly.formerly: "nightly" is the name of a schedule; HINT: what two schedules made stays apart: take it out']),
    ("formerly_no_name", schedule('formerly = ["a.b"];'),
     ["FILE:4: schedules.nightly.formerly: \"a.b\" holds other characters than letters, digits, '_' and '-'"]),
    ("formerly_in_defaults", top('defaults = { formerly = "old"; };'),
     ["FILE:6: defaults.formerly: unknown key; HINT: each schedule says its own"]),
    ("formerly_twice", schedule('formerly = ["old", "older"]; }; hourly = { action = "backup"; when = "hourly"; formerly = "older";').replace('"nightly"; }', '["nightly", "hourly"]; }'),
     ['FILE:4: schedules.hourly.formerly: "older" is a former name of nightly, too; HINT: keep one of the two']),
    ("delete_share_of_none", top("limits = { max_delete_share = 0; };"),
     ["FILE:6: limits.max_delete_share: 0 is out of range; HINT: above 0, at most 1"]),
    ("min_tables_of_none", tables('( { match = "*"; min_tables = 0; schedules = "nightly"; } )'),
     ["FILE:5: tables.min_tables: 0 is out of range; HINT: 1 to 1000000"]),
    ("pitr_of_another_word", schedule('pitr = "on";'),
     ['FILE:4: schedules.nightly.pitr: must be "ignore", "require" or "enable", not "on"']),
    ("tag_without_value", tables('( { match = "*"; tags = ["a"]; schedules = "nightly"; } )'),
     ['FILE:5: tables.tags: "a" is no tag; HINT: "key=value", or "key=*" for any value']),
    ("tags_empty", tables('( { tags = []; schedules = "nightly"; } )'),
     ['FILE:5: tables.tags: is empty; HINT: such as tags = "backup=yes"']),
    ("tag_with_strange_character", tables('( { tags = "a=b;c"; schedules = "nightly"; } )'),
     ['FILE:5: tables.tags: "a=b;c" is no tag; HINT: letters, digits, blanks and characters of +-=._:/@, and *, ? and [ ] for others']),
    ("arn_of_no_account", tables('( { match = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders"; schedules = "nightly"; } )')
     + 'accounts = { prod = { regions = "us-east-1"; }; };',
     ['FILE:5: tables.match: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders" is of no account and region of this entry; HINT: name them in accounts']),
    ("arn_of_another_region", tables('( { match = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"; schedules = "nightly"; } )')
     + 'aws = { region = "eu-central-1"; };',
     ['FILE:5: tables.match: "arn:aws:dynamodb:us-east-1:111122223333:table/orders" is of no account and region of this entry; HINT: name them in accounts']),
    ("arn_of_another_region_than_that_of_all", tables('( { match = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"; schedules = "nightly"; } )')
     + 'aws = { region = "eu-central-1"; }; accounts = { prod = { }; };',
     ['FILE:5: tables.match: "arn:aws:dynamodb:us-east-1:111122223333:table/orders" is of no account and region of this entry; HINT: name them in accounts']),
    ("when_in_defaults", top('defaults = { when = "02:00"; };'),
     ["FILE:6: defaults.when: unknown key; HINT: each schedule says its own"]),
    ("deployment_missing", base('deployment = "acme";\n', ''),
     ['FILE: deployment: is missing: the name of this installation, which begins the name of every backup; HINT: such as deployment = "acme"']),
    ("when_missing", when(''),
     ['FILE:3: schedules.nightly.when: is missing: a calendar expression; HINT: such as when = "02:00"']),
    ("action_missing", base('action = "backup"; ', ''),
     ['FILE:3: schedules.nightly.action: is missing: an on-demand backup, a full export to S3, or a chain of incremental exports; HINT: such as action = "backup"']),
    ("match_missing", tables('( { schedules = "nightly"; } )'),
     ['FILE:5: tables.match: is missing: names of tables, their ARNs, and patterns; HINT: such as match = "*"']),
    ("schedules_missing", tables('( { match = "orders"; } )'),
     ['FILE:5: tables.schedules: is missing: names of the schedules that apply to them; HINT: such as schedules = "nightly"']),
    ("tables_missing", base('tables = ( { match = "orders"; schedules = "nightly"; } );\n', ''),
     ['FILE: tables: is missing: which tables the schedules apply to; HINT: such as tables = ( { match = "*"; schedules = "nightly"; } )']),
    ("only_a_deployment", 'deployment = "acme";',
     ['FILE: schedules: is missing: what is done and when; HINT: such as schedules = { nightly = { action = "backup"; when = "02:00"; }; }',
      'FILE: tables: is missing: which tables the schedules apply to; HINT: such as tables = ( { match = "*"; schedules = "nightly"; } )']),
    # types
    ("group_for_string", base('"acme"', '{ }'),
     ["FILE:1: deployment: must be a string, not a group; HINT: a single text in quotes"]),
    ("string_for_group", top('aws = "eu-central-1";'),
     ["FILE:6: aws: must be a group, not a string; HINT: write { ... } around its keys"]),
    ("number_for_group", top('defaults = 1;'),
     ["FILE:6: defaults: must be a group, not the number 1; HINT: write { ... } around its keys"]),
    ("string_for_schedule", base('{ action = "backup"; when = "02:00"; }', '"02:00"'),
     ["FILE:3: schedules.nightly: must be a group, not a string; HINT: write { ... } around its keys"]),
    ("list_for_schedules", 'deployment = "acme"; schedules = ( ); tables = ( );',
     ["FILE:1: schedules: must be a group, not a list; HINT: write { ... } around its keys",
      'FILE:1: tables: is empty; HINT: such as ( { match = "*"; schedules = "nightly"; } )']),
    ("group_for_tables", tables('{ match = "orders"; schedules = "nightly"; }'),
     ["FILE:5: tables: must be a list of groups, not a group; HINT: write ( { match = ...; schedules = ...; } )"]),
    ("string_for_entry", tables('( "orders" )'),
     ["FILE:5: tables: must be a group, not a string; HINT: write { ... } around its keys"]),
    ("number_for_string", base('"acme"', '5'),
     ["FILE:1: deployment: must be a string, not the number 5; HINT: put it in quotes"]),
    ("boolean_for_string", base('"acme"', 'true'),
     ["FILE:1: deployment: must be a string, not true; HINT: put it in quotes"]),
    ("list_for_string", when('when = ["02:00"];'),
     ['FILE:3: schedules.nightly.when: must be a string, not a list; HINT: hours are one expression, such as "02,14:00"; else write two schedules']),
    ("number_for_duration", top('aws = { read_timeout = 30; };'),
     ['FILE:6: aws.read_timeout: must be a string with a unit, not the number 30; HINT: write "30s"']),
    ("zero_for_duration", schedule('spread = 0;'),
     ['FILE:4: schedules.nightly.spread: must be a string with a unit, not the number 0; HINT: write "0"']),
    ("fraction_for_duration", schedule('spread = 1.5;'),
     ['FILE:4: schedules.nightly.spread: must be a string with a unit, not the number 1.5; HINT: write "1.5s"']),
    ("boolean_for_duration", schedule('spread = true;'),
     ['FILE:4: schedules.nightly.spread: must be a string with a unit, not true; HINT: write "90min"']),
    ("string_for_number", top('aws = { max_attempts = "4"; };'),
     ["FILE:6: aws.max_attempts: must be a whole number, not a string; HINT: take the quotes away"]),
    ("fraction_for_number", top('aws = { max_attempts = 1.5; };'),
     ["FILE:6: aws.max_attempts: must be a whole number, not the number 1.5; HINT: write it without fraction"]),
    ("string_for_share", top('limits = { rate_share = "0.5"; };'),
     ["FILE:6: limits.rate_share: must be a number, not a string; HINT: take the quotes away"]),
    ("number_for_word", top('log_level = 7;'),
     ['FILE:6: log_level: must be a string, not the number 7; HINT: "error", "warning", "notice", "info" or "debug"']),
    ("number_for_names", tables('( { match = 5; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: must be a string or a list of strings, not the number 5; HINT: write ["one", "two"]']),
    ("number_for_account", s3('bucket = "acme-backups"; bucket_owner = 333333333333;'),
     ["FILE:3: schedules.nightly.s3.bucket_owner: must be a string, not the number 333333333333; HINT: put it in quotes"]),
    # values
    ("number_out_of_range", top('aws = { max_attempts = 21; };'),
     ["FILE:6: aws.max_attempts: 21 is out of range; HINT: 1 to 20"]),
    ("number_beyond_32_bits", top('aws = { max_attempts = 5000000000; };'),
     ["FILE:6: aws.max_attempts: 5000000000 is out of range; HINT: 1 to 20"]),
    ("number_beyond_64_bits", top('aws = { max_attempts = 99999999999999999999; };'),
     ["FILE:6: aws.max_attempts: 9223372036854775807 is out of range; HINT: 1 to 20"]),
    ("share_out_of_range", top('limits = { rate_share = 1.5; };'),
     ["FILE:6: limits.rate_share: 1.5 is out of range; HINT: above 0, at most 1"]),
    ("share_of_nothing", top('limits = { rate_share = 0; };'),
     ["FILE:6: limits.rate_share: 0 is out of range; HINT: above 0, at most 1"]),
    ("duration_without_unit", schedule('spread = "30";'),
     ['FILE:4: schedules.nightly.spread: "30" has no unit; HINT: write "30s" for seconds, or min, h, d, w']),
    ("duration_of_unknown_unit", schedule('spread = "1 fortnight";'),
     ['FILE:4: schedules.nightly.spread: "1 fortnight" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as "90min" or "1h 30min"']),
    ("duration_too_long", schedule('max_age = "521w";'),
     ['FILE:4: schedules.nightly.max_age: "521w" is out of range; HINT: 0, or 1s to 520w']),
    ("duration_too_short", schedule('start_within = "0";'),
     ['FILE:4: schedules.nightly.start_within: "0" is out of range; HINT: 1s to 520w']),
    ("word_misspelt", schedule('catch_up = "lst";'),
     ['FILE:4: schedules.nightly.catch_up: must be "last" or "none", not "lst"; HINT: did you mean "last"?']),
    ("word_unknown", top('log_level = "chatty";'),
     ['FILE:6: log_level: must be "error", "warning", "notice", "info" or "debug", not "chatty"']),
    ("action_unknown", base('"backup"', '"differential"'),
     ['FILE:3: schedules.nightly.action: must be "backup", "export" or "incremental", not "differential"']),
    ("incremental_without_base", base('"backup"', '"incremental"'),
     ['FILE:3: schedules.nightly.s3.bucket: is missing; HINT: exports go to a bucket, s3 = { bucket = "..."; };',
      'FILE:3: schedules.nightly.base: is missing; HINT: chains begin with a full export, base = "...", the name of a schedule with action = "export"']),
    ("base_unknown", chain(base="wekly"),
     ['FILE:4: schedules.half.base: there is no schedule "wekly"; HINT: did you mean "weekly"?']),
    ("base_of_no_exports", chain(base="half"),
     ['FILE:4: schedules.half.base: half makes no full exports; HINT: name a schedule with action = "export"']),
    ("base_left_out", chain(schedules='"half"'),
     ['FILE:6: tables.schedules: "half" stands there without its base; HINT: add "weekly"',
      'FILE:3: schedules.weekly: no entry of tables names it; HINT: name it in one, or take it out']),
    ("catch_up_of_chains", chain('catch_up = "none"; '),
     ['FILE:4: schedules.half.catch_up: has no effect, for incremental exports cover all time that was missed; HINT: take it out']),
    ("on_lost_of_backups", schedule('on_lost = "full";'),
     ['FILE:4: schedules.nightly.on_lost: goes with action = "incremental" alone; HINT: take it out']),
    ("size_without_quotes", chain(more="limits = { max_new_full_bytes = 5; };"),
     ['FILE:7: limits.max_new_full_bytes: must be a string with a unit, not the number 5; HINT: write "500G"']),
    ("size_of_nothing", chain(more='limits = { max_new_full_bytes = "much"; };'),
     ['FILE:7: limits.max_new_full_bytes: "much" is no size; HINT: a number with the units K, M, G, T, such as "500G"']),
    ("verify_of_backups", schedule('verify = "objects";'),
     ['FILE:4: schedules.nightly.verify: "objects" is for exports; HINT: take it out, of a backup DynamoDB shows nothing more']),
    ("reverify_of_backups", schedule('reverify = "30d";'),
     ['FILE:4: schedules.nightly.reverify: there is nothing to check again; HINT: it is for exports']),
    ("verify_unknown", schedule('verify = "object";'),
     ['FILE:4: schedules.nightly.verify: must be "service", "manifest", "objects" or "content", not "object"; HINT: did you mean "objects"?']),
    ("empty_string", top('aws = { profile = ""; };'),
     ["FILE:6: aws.profile: must not be empty; HINT: leave the key out"]),
    ("empty_when", when('when = "";'),
     ['FILE:3: schedules.nightly.when: must not be empty; HINT: such as "02:00"']),
    ("deployment_with_blank", base('"acme"', '"acme corp"'),
     ["FILE:1: deployment: \"acme corp\" holds other characters than letters, digits, '_' and '-'"]),
    ("deployment_too_long", base('"acme"', '"' + "a" * 33 + '"'),
     ['FILE:1: deployment: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is longer than 32 characters']),
    ("schedule_name_too_long", GOOD.replace("nightly", "n" * 65),
     ["FILE:3: schedules.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: the name is longer than 64 characters; HINT: choose another"]),
    ("schedule_name_with_star", GOOD.replace("nightly", "night*ly"),
     ["FILE:3: schedules.night*ly: the name holds other characters than letters, digits, '_' and '-'; HINT: choose another"]),
    ("region_in_capitals", top('aws = { region = "EU"; };'),
     ['FILE:6: aws.region: "EU" is no region; HINT: such as "eu-central-1"']),
    ("region_of_fips", top('aws = { region = "us-east-1-fips"; };'),
     ['FILE:6: aws.region: "us-east-1-fips" is no region of its own; HINT: the region without "fips", and use_fips_endpoint = true']),
    ("sts_endpoint_without_scheme", top('aws = { sts_endpoint_url = "sts"; };'),
     ['FILE:6: aws.sts_endpoint_url: "sts" is no address of a service; HINT: such as "https://dynamodb.eu-central-1.amazonaws.com" or "http://127.0.0.1:8000", without a path']),
    ("endpoint_of_another_partition_in_the_clear", top('aws = { endpoint_url = "http://dynamodb.us-iso-east-1.c2s.ic.gov"; };'),
     ['FILE:6: aws.endpoint_url: "http://dynamodb.us-iso-east-1.c2s.ic.gov" would send requests to AWS in the clear; HINT: https://']),
    ("switch_in_quotes", top('aws = { use_fips_endpoint = "true"; };'),
     ['FILE:6: aws.use_fips_endpoint: must be true or false, not a string; HINT: take the quotes away']),
    ("switch_as_number", top('aws = { use_dualstack_endpoint = 1; };'),
     ['FILE:6: aws.use_dualstack_endpoint: must be true or false, not the number 1; HINT: write true or false']),
    ("switch_as_group", top('aws = { unsigned = {}; };'),
     ['FILE:6: aws.unsigned: must be true or false, not a group; HINT: write true or false']),
    ("retry_mode_misspelt", top('aws = { retry_mode = "standart"; };'),
     ['FILE:6: aws.retry_mode: must be "standard" or "adaptive", not "standart"; HINT: did you mean "standard"?']),
    ("max_attempts_none", top('aws = { max_attempts = 0; };'),
     ['FILE:6: aws.max_attempts: 0 is out of range; HINT: 1 to 20']),
    ("region_is_zone", top('aws = { region = "eu-central-1a"; };'),
     ['FILE:6: aws.region: "eu-central-1a" is an availability zone; HINT: its region is "eu-central-1"']),
    ("endpoint_without_scheme", top('aws = { endpoint_url = "127.0.0.1:8000"; };'),
     ['FILE:6: aws.endpoint_url: "127.0.0.1:8000" is no address of a service; HINT: such as "https://dynamodb.eu-central-1.amazonaws.com" or "http://127.0.0.1:8000", without a path']),
    ("endpoint_with_path", top('aws = { endpoint_url = "https://localhost/x"; };'),
     ['FILE:6: aws.endpoint_url: "https://localhost/x" is no address of a service; HINT: such as "https://dynamodb.eu-central-1.amazonaws.com" or "http://127.0.0.1:8000", without a path']),
    ("endpoint_of_aws_in_the_clear", top('aws = { endpoint_url = "http://dynamodb.eu-central-1.amazonaws.com"; };'),
     ['FILE:6: aws.endpoint_url: "http://dynamodb.eu-central-1.amazonaws.com" would send requests to AWS in the clear; HINT: https://']),
    ("ca_bundle_relative", top('aws = { ca_bundle = "certs.pem"; };'),
     ["FILE:6: aws.ca_bundle: \"certs.pem\" is no absolute path; HINT: begin it with '/'"]),
    # calendar and zones
    ("minute_60", when('when = "02:60";'),
     ['FILE:3: schedules.nightly.when: "02:60": expected a minute between 0 and 59, at "60", character 4; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("weekday_misspelt", when('when = "Mon..Fir 02:00";'),
     ['FILE:3: schedules.nightly.when: "Mon..Fir 02:00": expected a weekday, or one of the names such as daily alone, at "Fir 02:00", character 6; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("expression_incomplete", when('when = "Mon 02";'),
     ['FILE:3: schedules.nightly.when: "Mon 02": expected a date such as *-*-01 or a time such as 02:00, at "02", character 5; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("expression_of_cron", when('when = "0 24 * * *";'),
     ['FILE:3: schedules.nightly.when: "0 24 * * *": expected an hour between 0 and 23, at "24 * * *", character 3; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("expression_of_cron_short", when('when = "0 2 * *";'),
     ['FILE:3: schedules.nightly.when: "0 2 * *": cron takes five fields: minute, hour, day of the month, month, weekday, at its end; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("expression_of_aws", when('when = "cron(0 2 * * * *)";'),
     ['FILE:3: schedules.nightly.when: "cron(0 2 * * * *)": of day of the month and weekday, one is "?" and the other is not, at "* *)", character 14; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("expression_of_rate", when('when = "rate(1 days)";'),
     ['FILE:3: schedules.nightly.when: "rate(1 days)": 1 takes minute, hour or day, at "days)", character 8; HINT: such as "02:00", "Sun 03:30" or "*:0/15"']),
    ("blackout_hour", when('when = "02:00"; not_during = ["Sat,Sun", "Mon..Fri 8:00..25:00"];'),
     ['FILE:3: schedules.nightly.not_during: "Mon..Fri 8:00..25:00": expected a time between 00:00 and 24:00, at "25:00", character 16; HINT: such as "Mon..Fri 08:00..18:00" or "22:00..02:00"']),
    ("blackout_weekday", when('when = "02:00"; not_during = "Mond";'),
     ['FILE:3: schedules.nightly.not_during: "Mond": expected a weekday such as Mon, or a span of times, at "Mond", character 1; HINT: such as "Mon..Fri 08:00..18:00" or "22:00..02:00"']),
    ("blackout_for_ever", when('when = "02:00"; not_during = ["06:00..20:00", "Mon..Sun 20:00..06:00"];'),
     ['FILE:3: schedules.nightly.not_during: holds at every time, so that nothing would ever begin; HINT: leave some of the week']),
    ("expression_that_never_comes", when('when = "*-02-30 02:00";'),
     ['FILE:3: schedules.nightly.when: "*-02-30 02:00" never comes; HINT: is there such a day?']),
    ("expression_in_unknown_zone", when('when = "02:00 Europe/Berln";'),
     ['FILE:3: schedules.nightly.when: there is no time zone "Europe/Berln"; HINT: an IANA name such as "Europe/Berlin", see timedatectl list-timezones']),
    ("zone_unknown", schedule('timezone = "Europe/Berln";'),
     ['FILE:4: schedules.nightly.timezone: there is no time zone "Europe/Berln"; HINT: an IANA name such as "Europe/Berlin", see timedatectl list-timezones']),
    ("zone_unknown_in_defaults", top('defaults = { timezone = "../../etc/passwd"; };'),
     ['FILE:6: defaults.timezone: there is no time zone "../../etc/passwd"; HINT: an IANA name such as "Europe/Berlin", see timedatectl list-timezones']),
    ("zone_without_effect", schedule('timezone = "Europe/Berlin";').replace('"02:00"', '"02:00 UTC"'),
     ['FILE:4: schedules.nightly.timezone: "Europe/Berlin" has no effect, for when names UTC itself; HINT: take one of the two out']),
    ("spread_of_a_period", schedule('spread = "24h";'),
     ['FILE:4: schedules.nightly.spread: "24h" is not shorter than 1d, the shortest time between two slots of schedule nightly; HINT: make it shorter']),
    ("spread_over_a_short_day", schedule('spread = "23h"; timezone = "Europe/Berlin";'),
     ['FILE:4: schedules.nightly.spread: "23h" is not shorter than 23h, the shortest time between two slots of schedule nightly; HINT: make it shorter']),
    ("spread_of_defaults", top('defaults = { spread = "2d"; };'),
     ['FILE:6: defaults.spread: "2d" is not shorter than 1d, the shortest time between two slots of schedule nightly; HINT: make it shorter']),
    # exports
    ("bucket_missing", base('"backup"', '"export"'),
     ['FILE:3: schedules.nightly.s3.bucket: is missing; HINT: exports go to a bucket, s3 = { bucket = "..."; };']),
    ("s3_on_backup", schedule('s3 = { bucket = "acme-backups"; };'),
     ['FILE:4: schedules.nightly.s3: backups stay in DynamoDB; HINT: take it out, or use action = "export"']),
    ("bucket_in_capitals", s3('bucket = "Acme";'),
     ["FILE:3: schedules.nightly.s3.bucket: \"Acme\" is no name of a bucket; HINT: lower-case letters, digits, '-' and '.'"]),
    ("bucket_too_short", s3('bucket = "ab";'),
     ['FILE:3: schedules.nightly.s3.bucket: "ab" is no name of a bucket; HINT: it has 3 to 63 characters']),
    ("bucket_too_long", s3('bucket = "' + "b" * 64 + '";'),
     ['FILE:3: schedules.nightly.s3.bucket: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" is no name of a bucket; HINT: it has 3 to 63 characters']),
    ("bucket_like_address", s3('bucket = "10.0.0.1";'),
     ['FILE:3: schedules.nightly.s3.bucket: "10.0.0.1" is no name of a bucket; HINT: it must not look like an IP address']),
    ("bucket_arn", s3('bucket = "arn:aws:s3:::acme-backups";'),
     ["FILE:3: schedules.nightly.s3.bucket: \"arn:aws:s3:::acme-backups\" is an ARN, which exports do not take; HINT: the bucket's name alone"]),
    ("bucket_url", s3('bucket = "s3://acme-backups/x";'),
     ["FILE:3: schedules.nightly.s3.bucket: \"s3://acme-backups/x\" is an address; HINT: the bucket's name alone, and the rest in prefix"]),
    ("template_misspelt", s3('bucket = "acme-%{regoin}";'),
     ["FILE:3: schedules.nightly.s3.bucket: \"acme-%{regoin}\" holds a '%' that begins no template; HINT: did you mean %{region}?"]),
    ("template_not_closed", s3('bucket = "acme-%{region";'),
     ["FILE:3: schedules.nightly.s3.bucket: \"acme-%{region\" holds a '%' that begins no template; HINT: did you mean %{region}?"]),
    ("template_of_nothing", s3('bucket = "acme-backups"; prefix = "100%";'),
     ["FILE:3: schedules.nightly.s3.prefix: \"100%\" holds a '%' that begins no template; HINT: %{account}, %{region}, %{table}, %{deployment}, %{schedule}, or %% for the character"]),
    ("prefix_with_slash_first", s3('bucket = "acme-backups"; prefix = "/x";'),
     ["FILE:3: schedules.nightly.s3.prefix: \"/x\" begins with '/'; HINT: take it away"]),
    ("prefix_with_slash_last", s3('bucket = "acme-backups"; prefix = "x/";'),
     ["FILE:3: schedules.nightly.s3.prefix: \"x/\" ends with '/', which is put there anyway; HINT: take it away"]),
    ("account_of_four_digits", s3('bucket = "acme-backups"; bucket_owner = "1234";'),
     ['FILE:3: schedules.nightly.s3.bucket_owner: "1234" is no account; HINT: its 12 digits, with leading zeros, without hyphens']),
    ("sse_of_s3", s3('bucket = "acme-backups"; sse_algorithm = "aws:kms";'),
     ['FILE:3: schedules.nightly.s3.sse_algorithm: must be "AES256" or "KMS", not "aws:kms"; HINT: did you mean "KMS"?']),
    ("key_without_kms", s3('bucket = "acme-backups"; kms_key_id = "alias/x";'),
     ['FILE:3: schedules.nightly.s3.kms_key_id: goes with sse_algorithm = "KMS" alone; HINT: set that, or take the key out']),
    ("key_left_without_use",
     s3('sse_algorithm = "AES256";') + 'defaults = { s3 = { bucket = "acme-backups"; sse_algorithm = "KMS"; kms_key_id = "alias/x"; }; };',
     ['FILE:3: schedules.nightly.s3.sse_algorithm: leaves the kms_key_id of defaults.s3 without use; HINT: take it back with kms_key_id = ""']),
    ("key_of_defaults_without_kms",
     base('"backup"', '"export"') + 'defaults = { s3 = { bucket = "acme-backups"; kms_key_id = "alias/x"; }; };',
     ['FILE:6: defaults.s3.kms_key_id: goes with sse_algorithm = "KMS" alone; HINT: set that, or take the key out']),
    ("format_unknown", s3('bucket = "acme-backups"; format = "json";'),
     ['FILE:3: schedules.nightly.s3.format: must be "DYNAMODB_JSON" or "ION", not "json"; HINT: did you mean "DYNAMODB_JSON"?']),
    ("bucket_of_defaults", top('defaults = { s3 = { bucket = "Acme"; }; };'),
     ["FILE:6: defaults.s3.bucket: \"Acme\" is no name of a bucket; HINT: lower-case letters, digits, '-' and '.'"]),
    # tables
    ("table_name_with_blank", tables('( { match = "ord ers"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "ord ers" is no name of a table; HINT: several are a list, ["orders", "carts"]']),
    ("table_name_too_short", tables('( { match = "or"; schedules = "nightly"; } )'),
     ["FILE:5: tables.match: \"or\" is too short for a table's name, which has 3 to 255 characters; HINT: a pattern holds *, ? or [ ]"]),
    ("table_name_too_long", tables('( { match = "' + "t" * 256 + '"; schedules = "nightly"; } )'),
     ["FILE:5: tables.match: \"tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt\" is longer than the 255 characters of a table's name"]),
    ("table_arn",
     tables('( { match = "arn:aws:dynamodb:eu-central-1:111122223333:tables/orders"; schedules = "nightly"; } )'),
     ['FILE:5: tables.match: "arn:aws:dynamodb:eu-central-1:111122223333:tables/orders" is no ARN of a table; HINT: such as "arn:aws:dynamodb:eu-central-1:111111111111:table/orders", without wildcards']),
    ("pattern_not_closed", tables('( { match = "app-[ab"; schedules = "nightly"; } )'),
     ["FILE:5: tables.match: \"app-[ab\" has a '[' that is never closed; HINT: a class of characters is written [a-z]"]),
    ("exclude_with_slash", tables('( { match = "*"; exclude = ["x/y"]; schedules = "nightly"; } )'),
     ["FILE:5: tables.exclude: \"x/y\" is no name of a table; HINT: letters, digits, '_', '.' and '-', or a pattern with *, ? and [ ]"]),
    ("element_in_its_line", tables('( { match = [\n"orders",\n"or",\n"x/y"\n]; schedules = "nightly"; } )'),
     ["FILE:7: tables.match: \"or\" is too short for a table's name, which has 3 to 255 characters; HINT: a pattern holds *, ? or [ ]",
      "FILE:8: tables.match: \"x/y\" is no name of a table; HINT: letters, digits, '_', '.' and '-', or a pattern with *, ? and [ ]"]),
    ("match_of_nothing", tables('( { match = []; schedules = "nightly"; } )'),
     ["FILE:5: tables.match: is empty; HINT: name a table or a pattern"]),
    ("tables_of_nothing", tables('( )'),
     ['FILE:5: tables: is empty; HINT: such as ( { match = "*"; schedules = "nightly"; } )']),
    ("schedule_misspelt", tables('( { match = "orders"; schedules = ["nightyl"]; } )'),
     ['FILE:5: tables.schedules: there is no schedule "nightyl"; HINT: did you mean "nightly"?']),
    ("schedule_unknown", tables('( { match = "orders"; schedules = ["weekly-full"]; } )'),
     ['FILE:5: tables.schedules: there is no schedule "weekly-full"; HINT: define it in schedules']),
    ("schedule_named_twice", tables('( { match = "orders"; schedules = ["nightly", "nightly"]; } )'),
     ['FILE:5: tables.schedules: "nightly" stands there twice; HINT: take one away']),
    ("no_schedules_without_reason",
     tables('( { match = "orders"; schedules = "nightly"; }, { match = "x-*"; schedules = []; } )'),
     ['FILE:5: tables.schedules: is empty without a reason; HINT: name schedules, or say why nothing is done, reason = "..."']),
    ("reason_with_schedules", tables('( { match = "orders"; schedules = "nightly"; reason = "why"; } )'),
     ["FILE:5: tables.reason: goes with an empty list of schedules alone; HINT: take one of the two out"]),
    ("schedule_without_tables",
     base("nightly = {", 'weekly = { action = "backup"; when = "weekly"; };\n  nightly = {'),
     ["FILE:3: schedules.weekly: no entry of tables names it; HINT: name it in one, or take it out"]),
    # accounts
    ("accounts_empty", top("accounts = { };"),
     ['FILE:6: accounts: is empty; HINT: such as { prod = { role_arn = "arn:aws:iam::111111111111:role/ddbackupd"; }; }, or take it out']),
    ("accounts_no_group", top('accounts = "prod";'),
     ["FILE:6: accounts: must be a group, not a string; HINT: write { ... } around its keys"]),
    ("account_no_group", top('accounts = { prod = "eu-central-1"; };'),
     ["FILE:6: accounts.prod: must be a group, not a string; HINT: write { ... } around its keys"]),
    ("account_key_misspelt", accounts('prod = { role = "x"; };'),
     ['FILE:6: accounts.prod.role: unknown key; HINT: the keys here are role_arn, external_id, role_session_name, regions']),
    ("regions_in_aws", top('aws = { regions = ["eu-central-1"]; };'),
     ['FILE:6: aws.regions: unknown key; HINT: it belongs into an account']),
    ("role_is_a_name", accounts('prod = { role_arn = "ddbackupd"; };'),
     ['FILE:6: accounts.prod.role_arn: "ddbackupd" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("role_is_a_user", accounts('prod = { role_arn = "arn:aws:iam::111111111111:user/ddbackupd"; };'),
     ['FILE:6: accounts.prod.role_arn: "arn:aws:iam::111111111111:user/ddbackupd" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("role_without_account", accounts('prod = { role_arn = "arn:aws:iam::1111:role/ddbackupd"; };'),
     ['FILE:6: accounts.prod.role_arn: "arn:aws:iam::1111:role/ddbackupd" is no ARN of a role; HINT: such as "arn:aws:iam::111111111111:role/ddbackupd"']),
    ("external_id_short", accounts(f'prod = {{ role_arn = "{ROLE}"; external_id = "x"; }};'),
     ['FILE:6: accounts.prod.external_id: "x" is no external id; HINT: 2 to 1024 letters, digits and characters of _+=,.@:/-']),
    ("session_name_with_space", accounts(f'prod = {{ role_arn = "{ROLE}"; role_session_name = "my backup"; }};'),
     ['FILE:6: accounts.prod.role_session_name: "my backup" is no name of a session; HINT: 2 to 64 letters, digits and characters of _+=,.@-']),
    ("external_id_without_role", accounts('prod = { external_id = "bk7"; };'),
     ['FILE:6: accounts.prod.external_id: goes with a role_arn alone; HINT: set that, or take it out']),
    ("own_with_role", accounts(f'own = {{ role_arn = "{ROLE}"; }};'),
     ["FILE:6: accounts.own.role_arn: the account of this name is that of the daemon's own credentials; HINT: choose another name, or take the role out"]),
    ("account_region_bad", accounts('prod = { regions = ["eu-central-1", "EU"]; };'),
     ['FILE:6: accounts.prod.regions: "EU" is no region; HINT: such as "eu-central-1"']),
    ("account_region_zone", accounts('prod = { regions = "eu-central-1a"; };'),
     ['FILE:6: accounts.prod.regions: "eu-central-1a" is an availability zone; HINT: its region is "eu-central-1"']),
    ("account_regions_empty", accounts('prod = { regions = []; };'),
     ['FILE:6: accounts.prod.regions: is empty; HINT: name a region, or take the key out']),
    ("account_region_twice", accounts('prod = { regions = ["eu-central-1", "eu-west-1", "eu-central-1"]; };'),
     ['FILE:6: accounts.prod.regions: "eu-central-1" stands there twice; HINT: take one away']),
    ("account_twice", accounts(f'prod = {{ role_arn = "{ROLE}"; regions = ["eu-west-1", "eu-central-1"]; }}; again = {{ role_arn = "{ROLE}-2"; regions = "eu-central-1"; }};'),
     ["FILE:6: accounts.again: is the same account as accounts.prod, and both have eu-central-1; HINT: backups would be made twice: take one of the two out"]),
    ("own_account_twice", accounts('one = { }; two = { };'),
     ["FILE:6: accounts.two: is the same account as accounts.one, and both have aws.region; HINT: backups would be made twice: take one of the two out"]),
    ("account_name", accounts(f'{"a" * 65} = {{ }};'),
     [f"FILE:6: accounts.{'a' * 65}: the name is longer than 64 characters; HINT: choose another"]),
    ("account_misspelt", tables_of('["shop", "pord"]'),
     ['FILE:5: tables.accounts: there is no account "pord"; HINT: did you mean "prod"?']),
    ("account_unknown", tables_of('"staging"'),
     ['FILE:5: tables.accounts: there is no account "staging"; HINT: define it in accounts']),
    ("account_without_accounts", tables('( { match = "orders"; schedules = "nightly"; accounts = "prod"; } )'),
     ['FILE:5: tables.accounts: there is no account "prod"; HINT: define it in accounts']),
    ("account_named_twice", tables_of('["prod", "shop", "prod"]'),
     ['FILE:5: tables.accounts: "prod" stands there twice; HINT: take one away']),
    ("accounts_of_tables_empty", tables_of("[]"),
     ["FILE:5: tables.accounts: is empty; HINT: name an account, or leave it out for every one"]),
    ("account_without_tables", tables_of('"prod"'),
     ["FILE:6: accounts.shop: no entry of tables is for it; HINT: name it in the accounts of one, or take it out"]),
    # several at once
    ("several", when('when = "25:00"; spread = 5; catch_up = "all"; s3 = { };') + 'aws = { region = "EU"; };',
     ['FILE:6: aws.region: "EU" is no region; HINT: such as "eu-central-1"',
      'FILE:3: schedules.nightly.spread: must be a string with a unit, not the number 5; HINT: write "5s"',
      'FILE:3: schedules.nightly.catch_up: must be "last" or "none", not "all"',
      'FILE:3: schedules.nightly.when: "25:00": expected an hour between 0 and 23, at "25:00", character 1; HINT: such as "02:00", "Sun 03:30" or "*:0/15"',
      'FILE:3: schedules.nightly.s3: backups stay in DynamoDB; HINT: take it out, or use action = "export"']),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad(tmp_path, text, expected):
    assert problems(write(tmp_path, text)) == expected


def test_dump_of_a_bad_one_says_the_same(tmp_path):
    assert problems(write(tmp_path, when("")), "--dump-config") == problems(write(tmp_path, when("")))


# --- files ---


def test_no_file(tmp_path):
    assert problems(tmp_path / "none.conf") == [
        "FILE: No such file or directory; HINT: ddbackupd.conf(5) has an example to begin with; another file is named with "
        "--config"
    ]


def test_directory(tmp_path):
    assert problems(tmp_path) == ["FILE: Is a directory; HINT: name the file in it"]


def test_file_in_the_path(tmp_path):
    path = write(tmp_path, GOOD) / "x.conf"
    assert problems(path) == ["FILE: Not a directory; HINT: one of the directories in its path is a file"]


def test_fifo(tmp_path):
    os.mkfifo(tmp_path / "x.conf")
    assert problems(tmp_path / "x.conf") == ["FILE: is no regular file; HINT: copy it into one"]


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_unreadable(tmp_path):
    path = write(tmp_path, GOOD)
    path.chmod(0)
    assert problems(path) == ["FILE: Permission denied; HINT: let the user of the daemon read it"]


def test_many_problems_end(tmp_path):
    path = write(tmp_path, GOOD + "".join(f"key{i} = 1;\n" for i in range(1000)))
    said = problems(path)
    assert len(said) == 101
    assert said[-1] == "and more; HINT: correct these first"


# --- good ones ---

GOOD_ONES = [
    ("least", GOOD, "acme, 1 schedule, 1 table entry"),
    ("carriage_returns", GOOD.replace("\n", "\r\n"), "acme, 1 schedule, 1 table entry"),
    ("no_line_end_after_comment", GOOD + "# the end", "acme, 1 schedule, 1 table entry"),
    ("separators_of_all_kinds", GOOD.replace(";", ",").replace(" = ", ":"), "acme, 1 schedule, 1 table entry"),
    ("no_separators", 'deployment = "acme" schedules = { a = { action = "backup" when = "daily" } }\n'
     'tables = ({ match = "abc" schedules = "a" })', "acme, 1 schedule, 1 table entry"),
    ("comments_of_all_kinds", "/* a\n * b */ // c\n# d\n" + GOOD, "acme, 1 schedule, 1 table entry"),
    ("lists_in_parentheses", tables('( { match = ("orders", "a*"); schedules = ("nightly"); } )'),
     "acme, 1 schedule, 1 table entry"),
    ("groups_left_empty", top("aws = { }; defaults = { s3 = { }; }; limits = { };"), "acme, 1 schedule, 1 table entry"),
    ("share_of_one", top("limits = { rate_share = 1; listing_lag = \"0\"; };"), "acme, 1 schedule, 1 table entry"),
    ("timeouts_of_none", top('aws = { connect_timeout = "0"; read_timeout = "0"; };'), "acme, 1 schedule, 1 table entry"),
    ("number_in_64_bits", top("aws = { max_attempts = 4L; };"), "acme, 1 schedule, 1 table entry"),
    ("zone_said_twice", schedule('timezone = "UTC";').replace('"02:00"', '"02:00 UTC"'), "acme, 1 schedule, 1 table entry"),
    ("zone_of_defaults_is_overruled", top('defaults = { timezone = "Europe/Berlin"; };').replace('"02:00"', '"02:00 UTC"'),
     "acme, 1 schedule, 1 table entry"),
    ("spread_below_a_period", schedule('spread = "23h"; timezone = "UTC";'), "acme, 1 schedule, 1 table entry"),
    ("inherited_s3_does_not_bother_backups", top('defaults = { s3 = { bucket = "acme-backups"; }; };'),
     "acme, 1 schedule, 1 table entry"),
    ("key_with_kms", s3('bucket = "acme-backups"; sse_algorithm = "KMS"; kms_key_id = "alias/x";'),
     "acme, 1 schedule, 1 table entry"),
    ("key_taken_back", s3('sse_algorithm = "AES256"; kms_key_id = "";') + 'defaults = { s3 = { bucket = "acme-backups"; '
     'sse_algorithm = "KMS"; kms_key_id = "alias/x"; }; };', "acme, 1 schedule, 1 table entry"),
    ("keep_takes_back_all", schedule('keep = { last = 0; };') + "defaults = { keep = { last = 7; }; expire = 'report'; };".replace("'", '"'),
     "acme, 1 schedule, 1 table entry"),
    ("keep_of_defaults_may_be_a_floor", top("defaults = { keep = { floor = 2; }; };"), "acme, 1 schedule, 1 table entry"),
    ("expire_and_keep_of_defaults", top('defaults = { expire = "delete"; keep = { last = 3; }; };'),
     "acme, 1 schedule, 1 table entry"),
    ("formerly", schedule('formerly = ["old", "older"];'), "acme, 1 schedule, 1 table entry"),
    ("unprotected_on_purpose", tables('( { match = "orders"; schedules = "nightly"; }, { match = "x-*"; schedules = []; '
     'reason = "rebuilt from git"; } )'), "acme, 1 schedule, 2 table entries"),
    ("longest_names", GOOD.replace("acme", "d" * 32).replace("nightly", "s" * 64).replace("orders", "t" * 255),
     "d" * 32 + ", 1 schedule, 1 table entry"),
]


@pytest.mark.parametrize("text, expected", [row[1:] for row in GOOD_ONES], ids=[row[0] for row in GOOD_ONES])
def test_good(tmp_path, text, expected):
    assert summary(write(tmp_path, text)) == f"FILE: good: deployment {expected}\n"
    assert_dump_is_the_same(tmp_path, tmp_path / "ddbackupd.conf")


# --- drop-ins ---


def test_drop_ins_are_added(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, 'schedules = { hourly = { action = "backup"; when = "hourly"; }; };', "conf.d/10-hourly.conf")
    write(tmp_path, 'tables = ( { match = "carts"; schedules = ["hourly", "nightly"]; } );', "conf.d/20-carts.conf")
    write(tmp_path, 'schedules = { nightly = { max_age = "27h"; }; };', "conf.d/30-nightly.conf")
    write(tmp_path, "# blanked out\n", "conf.d/40-empty.conf")
    write(tmp_path, "not read {", "conf.d/50-backup.conf~")
    write(tmp_path, "not read {", "conf.d/.hidden.conf")
    assert summary(path) == "FILE: good: deployment acme, 2 schedules, 2 table entries\n"
    dump = ddbackupd("--dump-config", path).stdout
    assert f'max_age = "27h";  # {tmp_path}/conf.d/30-nightly.conf:1\n' in dump
    assert dump.index('"orders"') < dump.index('"carts"')


def test_all_may_stand_in_drop_ins(tmp_path):
    path = write(tmp_path, "# see conf.d\n")
    write(tmp_path, GOOD, "conf.d/a.conf")
    assert summary(path) == "FILE: good: deployment acme, 1 schedule, 1 table entry\n"


def test_set_twice(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, 'log_level = "info";\ndeployment = "other";', "conf.d/a.conf")
    write(tmp_path, 'schedules = {\n nightly = { when = "03:00"; }; };\nlog_level = "debug";', "conf.d/b.conf")
    assert problems(path) == [
        "DIR/conf.d/a.conf:2: deployment: is set in FILE:1 already; HINT: keep one of the two",
        "DIR/conf.d/b.conf:2: schedules.nightly.when: is set in FILE:3 already; HINT: keep one of the two",
        "DIR/conf.d/b.conf:3: log_level: is set in DIR/conf.d/a.conf:1 already; HINT: keep one of the two",
    ]


def test_a_value_and_a_group(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, "schedules = 5;", "conf.d/a.conf")
    assert problems(path) == ["DIR/conf.d/a.conf:1: schedules: is set in FILE:2 already; HINT: keep one of the two"]


def test_problems_name_the_drop_in(tmp_path):
    path = write(tmp_path, GOOD)
    write(tmp_path, '\ntables = ( { match = "carts"; schedules = "nightyl"; } );', "conf.d/a.conf")
    assert problems(path) == [
        'DIR/conf.d/a.conf:2: tables.schedules: there is no schedule "nightyl"; HINT: did you mean "nightly"?'
    ]


def test_syntax_of_all_files_is_said_and_no_more(tmp_path):
    path = write(tmp_path, GOOD.replace('"nightly"', '"hourly"'))
    write(tmp_path, "aws = {", "conf.d/a.conf")
    write(tmp_path, "log_level = info;", "conf.d/b.conf")
    assert problems(path) == [
        "DIR/conf.d/a.conf:1: aws: '{' is never closed; HINT: count the braces from here",
        'DIR/conf.d/b.conf:1: log_level: info stands without quotes; HINT: write log_level = "info"',
    ]


def test_beside_a_relative_path(tmp_path):
    write(tmp_path, GOOD)
    write(tmp_path, "log_level = 5;", "conf.d/a.conf")
    done = subprocess.run([BUILD.resolve() / "ddbackupd", "--check-config", "--config=ddbackupd.conf"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 78
    assert done.stderr == "conf.d/a.conf:1: log_level: must be a string, not the number 5; HINT: \"error\", \"warning\", \"notice\", \"info\" or \"debug\"\n"


# --- the dump ---

FULL = """deployment = "acme";
defaults = {
  timezone = "Europe/Berlin";
  warn_after = "1h"; keep = { floor = 2; }; expire = "delete";
  s3 = { bucket = "acme-%{region}"; prefix = "%{account}/%{table}"; bucket_owner = "333333333333"; };
};
schedules = {
  nightly = { action = "backup"; when = "02:00 UTC"; spread = "1h"; };
  weekly = { action = "export"; when = "Sun 03:00"; keep = { weekly = 5; }; s3 = { prefix = ""; format = "ION"; }; };
  half = { action = "incremental"; base = "weekly"; when = "*:0/30"; on_lost = "full"; };
};
tables = (
  { match = ["orders", "app-[a-f]*"]; exclude = "*-tmp"; schedules = ["nightly", "weekly", "half"]; },
  { match = "scratch-*"; schedules = []; reason = "say \\"no\\" \\\\ \\x41"; }
);
aws = { profile = "back up"; max_attempts = 7; };
limits = { rate_share = 0.1; };
accounts = {
  prod = { role_arn = "arn:aws:iam::111111111111:role/a/b"; external_id = "bk7"; regions = "eu-central-1"; };
  shop = { };
};
"""


def without_comments(dump):
    return [re.sub(r"  # .*", "", line) for line in dump.splitlines() if not line.lstrip().startswith("#")]


def assert_dump_is_the_same(directory, path):
    first = ddbackupd("--dump-config", path)
    assert (first.returncode, first.stderr) == (0, "")
    again = ddbackupd("--dump-config", write(directory, first.stdout, "dump/ddbackupd.conf"))
    assert (again.returncode, again.stderr) == (0, "")
    assert without_comments(again.stdout) == without_comments(first.stdout)
    return first.stdout


def test_dump(tmp_path):
    path = write(tmp_path, FULL)
    dump = assert_dump_is_the_same(tmp_path, path).replace(str(path), "FILE").splitlines()
    for line in [
        'deployment = "acme";  # FILE:1',
        'log_level = "info";  # default',
        "    # region = \"\";  # not set: AWS_REGION, AWS_DEFAULT_REGION, the region of the profile, or that of the instance",
        '    profile = "back up";  # FILE:16',
        "    max_attempts = 7;  # FILE:16",
        "        # timezone = \"\";  # not set: when names its own",
        '        timezone = "Europe/Berlin";  # defaults.timezone at FILE:3',
        '        spread = "1h";  # FILE:8',
        '        warn_after = "1h";  # defaults.warn_after at FILE:4',
        '            bucket = "acme-%{region}";  # defaults.s3.bucket at FILE:5',
        '            prefix = "";  # FILE:9',
        "            weekly = 5;  # FILE:9",
        "            floor = 2;  # defaults.keep.floor at FILE:4",
        "            last = 0;  # default",
        '        # formerly = [];  # not set: none',
        '            format = "ION";  # FILE:9',
        '        match = ["orders", "app-[a-f]*"];  # FILE:13',
        '        reason = "say \\"no\\" \\\\ A";  # FILE:14',
        "    rate_share = 0.1;  # FILE:17",
        '        external_id = "bk7";  # FILE:19',
        '        # regions = [];  # not set: aws.region',
        '        # accounts = [];  # not set: every one',
    ]:
        assert line in dump


# --- manual and sample have exactly these keys ---


def keys_of(text):
    """The keys of a configuration as {"aws.region": "its line"}: what a schedule may have goes under "schedules"."""
    found, at = {}, []
    for line in text.splitlines():
        match = re.match(r"\s*(?:# ?)?([A-Za-z][\w-]*) = (.)", line)
        if match and not (line.lstrip().startswith("# ") and "# not set" not in line):
            path = ["schedules" if part == "defaults" else part for part in at]
            path = path[:1] if path[:1] == ["accounts"] else path
            if path[:1] == ["schedules"]:
                path = [part for part in path if part in ("schedules", "s3", "keep")]
            if at[:1] not in (["schedules"], ["accounts"]) or len(at) > 1:
                found[".".join(path + [match[1]])] = line.strip()
        if match and match[2] in "{(" and not re.search(r"[})];", line):
            at.append(match[1])
        elif re.match(r"\s*[})];", line):
            at.pop()
    return found


@pytest.fixture
def schema(tmp_path):
    return keys_of(ddbackupd("--dump-config", write(tmp_path, FULL)).stdout)


def test_schema_has_keys(schema):
    assert len(schema) > 60
    assert {"deployment", "aws.region", "schedules.when", "schedules.s3.bucket", "tables.match", "limits.listing_lag"} <= set(schema)


def test_sample(tmp_path, schema):
    sample = (SOURCE / "etc/ddbackupd.conf").read_text()
    live = re.sub(r"(?m)^( *)#(?! |$)", r"\1", sample)
    path = write(tmp_path, live.replace('"dba"', '"root"'))  # a group that is there
    assert summary(path).startswith("FILE: good: ")
    keys = keys_of(re.sub(r"(?m)^ *# .*$", "", live))
    keys.pop("defaults"), keys.pop("schedules.s3")
    assert sorted(set(keys) - {"aws", "limits", "schedules", "tables", "accounts"}) == sorted(
        set(schema) - {"aws", "limits", "schedules", "tables", "schedules.s3", "accounts"}
    )


def test_sample_is_at_the_defaults(schema):
    sample = (SOURCE / "etc/ddbackupd.conf").read_text()
    for key, line in schema.items():
        if line.endswith("# default"):
            assert "#" + line.split("  #")[0] in sample, key


def test_sample_as_it_is_asks_for_what_is_needed():
    assert [line.split(": ")[1] for line in problems(SOURCE / "etc/ddbackupd.conf")] == ["deployment", "schedules", "tables"]


MANUAL_SECTIONS = {
    "Top level": "",
    "aws": "aws.",
    "Each group of accounts": "accounts.",
    "defaults, and each group of schedules": "schedules.",
    "keep": "schedules.keep.",
    "s3": "schedules.s3.",
    "Each entry of tables": "tables.",
    "limits": "limits.",
}


def manual():
    """{"aws.region": "the text of its entry"}"""
    page = (SOURCE / "man/ddbackupd.conf.5").read_text()
    keys = page[page.index(".Sh KEYS"):page.index(".Sh CALENDAR")]
    found = {}
    for part in keys.split("\n.Ss ")[1:]:
        title, body = part.split("\n", 1)
        for entry in body.split("\n.It Cm ")[1:]:
            name, text = entry.split("\n", 1)
            found[MANUAL_SECTIONS[title] + name] = text
    return found


def test_manual(schema):
    assert sorted(manual()) == sorted(set(schema) | {"defaults"})


def test_manual_says_type_and_default(schema):
    for key, text in manual().items():
        assert re.match(r"(String|Duration|Number|Switch|List|Group)", text), key
        default = re.match(r"\w+ = (.*);  # default$", schema.get(key, ""))
        if default:
            assert f"default {default[1]}." in text, key


def test_examples_of_the_manual_are_good(tmp_path):
    page = (SOURCE / "man/ddbackupd.conf.5").read_text()
    shown = re.findall(r"\.Bd -literal -offset indent\n(.*?)\.Ed", page, re.S)
    first, drop_in, two_accounts, larger = shown[0], shown[-1], shown[-2], shown[-3]
    assert summary(write(tmp_path / "3", two_accounts)) == "FILE: good: deployment acme, 2 schedules, 2 table entries\n"
    assert summary(write(tmp_path / "1", first)) == "FILE: good: deployment acme, 1 schedule, 1 table entry\n"
    path = write(tmp_path / "2", larger)
    write(tmp_path / "2", drop_in, "conf.d/billing.conf")
    assert summary(path) == "FILE: good: deployment acme, 3 schedules, 4 table entries\n"


def test_expressions_of_the_manual_are_good(tmp_path):
    page = (SOURCE / "man/ddbackupd.conf.5").read_text()
    part = page[page.index(".Sh CALENDAR"):page.index(".Ss When the clocks change")]
    shown = re.findall(r'^\.It "([^"]*)"$', part, re.M)
    assert len(shown) == 22
    for text in shown:
        assert summary(write(tmp_path, when(f'when = "{text}";'))).startswith("FILE: good: "), text
