"""Configurations to try out, and what ddbackupd says of them."""

import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ.get("DDB_BUILD", "."))
SOURCE = pathlib.Path(__file__).resolve().parents[2]

GOOD = """deployment = "acme";
schedules = {
  nightly = { action = "backup"; when = "02:00"; };
};
tables = ( { match = "orders"; schedules = "nightly"; } );
"""


def base(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def when(text):
    """In the place of the schedule's `when`, in line 3."""
    return base('when = "02:00";', text)


def schedule(text):
    """After the schedule's `when`, in line 4."""
    return base('when = "02:00";', 'when = "02:00";\n' + text)


def s3(text):
    """An export with these keys, in line 3."""
    return base('"backup";', '"export"; s3 = { ' + text + " };")


def chain(keys="", base="weekly", schedules='["half", "weekly"]', more=""):
    """Incremental exports in line 4 on full ones in line 3, for tables in line 6; `more` is line 7."""
    return (
        'deployment = "acme"; defaults = { s3 = { bucket = "acme-ddb"; }; };\nschedules = {\n'
        '  weekly = { action = "export"; when = "Sun"; };\n'
        f'  half = {{ action = "incremental"; when = "*:0/30"; base = "{base}"; {keys}}};\n'
        f'}};\ntables = ( {{ match = "orders"; schedules = {schedules}; }} );\n{more}'
    )


def tables(text):
    """The value of `tables`, in line 5."""
    return base('( { match = "orders"; schedules = "nightly"; } )', text)


ROLE = "arn:aws:iam::111111111111:role/ddbackupd"


def accounts(text):
    """The group `accounts`, in line 6."""
    return GOOD + "accounts = { " + text + " };"


def tables_of(text):
    """`accounts` of the entry of tables in line 5, with the accounts prod and shop."""
    entry = '( { match = "orders"; schedules = "nightly"; accounts = ' + text + "; } )"
    return tables(entry) + 'accounts = { prod = { role_arn = "' + ROLE + '"; }; shop = { }; };'


def top(text):
    """After all, in line 6."""
    return GOOD + text


def ddbackupd(option, path, *more):
    return subprocess.run([BUILD / "ddbackupd", option, f"--config={path}", *more], capture_output=True, text=True, timeout=20)


def write(directory, text, name="ddbackupd.conf"):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(path, option="--check-config"):
    """What is said of a bad configuration, with FILE for its name and DIR for its directory."""
    done = ddbackupd(option, path)
    assert done.returncode == 78, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    return done.stderr.replace(str(path), "FILE").replace(str(path.parent), "DIR").splitlines()


def summary(path):
    done = ddbackupd("--check-config", path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.replace(str(path), "FILE")
