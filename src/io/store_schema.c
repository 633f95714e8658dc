#include "io/store_schema.h"

#include <errno.h>
#include <sqlite3.h>

/* "ddbk": told by file(1) and by a database that is not ours. */
#define APPLICATION_ID 0x6464626b

/* Step n brings a ledger from user_version n to n + 1. Steps are never edited once released; new ones are added.
 * Instants are microseconds since 1970 in UTC; NULL is "not known" or "never". */
static const char *const steps[] = {
    "CREATE TABLE targets ("
    "  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    "  table_id TEXT, table_arn TEXT, described INTEGER,"
    "  PRIMARY KEY (account, region, name)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE enrolments ("
    "  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, schedule TEXT NOT NULL,"
    "  active INTEGER NOT NULL, calendar TEXT, max_age INTEGER NOT NULL,"
    "  first_seen INTEGER NOT NULL, cursor INTEGER NOT NULL,"
    "  newest INTEGER, stale INTEGER, stale_said INTEGER,"
    "  PRIMARY KEY (account, region, name, schedule)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE runs ("
    "  id INTEGER PRIMARY KEY, state TEXT NOT NULL, action TEXT NOT NULL,"
    "  schedule TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    "  slot INTEGER NOT NULL, due INTEGER NOT NULL,"
    "  start_by INTEGER, warn_at INTEGER, finish_by INTEGER, warned INTEGER NOT NULL,"
    "  handle TEXT, table_id TEXT, table_arn TEXT,"
    "  s3_bucket TEXT, s3_bucket_owner TEXT, s3_prefix TEXT, s3_sse_algorithm TEXT, s3_kms_key_id TEXT, s3_format TEXT,"
    "  attempt INTEGER NOT NULL, intent INTEGER, first_sent INTEGER, sent INTEGER,"
    "  n_sends INTEGER NOT NULL, n_deferred INTEGER NOT NULL,"
    "  settled INTEGER, why TEXT, hint TEXT, request_id TEXT,"
    "  UNIQUE (schedule, account, region, name, slot)) STRICT;"
    "CREATE INDEX runs_unsettled ON runs (id) WHERE settled IS NULL;"
    "CREATE INDEX runs_by_slot ON runs (slot);"
    "CREATE TRIGGER runs_settled BEFORE UPDATE ON runs WHEN OLD.settled IS NOT NULL"
    "  BEGIN SELECT RAISE(ABORT, 'a settled run never changes'); END;"

    "CREATE TABLE artefacts ("
    "  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs (id), action TEXT NOT NULL, life TEXT NOT NULL,"
    "  arn TEXT NOT NULL UNIQUE, status TEXT, handle TEXT, table_id TEXT,"
    "  created INTEGER, finished INTEGER, verified INTEGER, size_bytes INTEGER, item_count INTEGER,"
    "  details TEXT) STRICT;"
    "CREATE INDEX artefacts_by_run ON artefacts (run_id);"
    "CREATE INDEX artefacts_in_progress ON artefacts (run_id) WHERE life = 'in_progress';"

    "CREATE TABLE notes ("
    "  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs (id),"
    "  wall INTEGER NOT NULL, event TEXT NOT NULL, state TEXT NOT NULL, why TEXT) STRICT;"
    "CREATE INDEX notes_by_run ON notes (run_id);"
    "CREATE TRIGGER notes_stay BEFORE UPDATE ON notes BEGIN SELECT RAISE(ABORT, 'notes are only added'); END;"

    "CREATE TABLE ranges ("
    "  id INTEGER PRIMARY KEY, schedule TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    "  from_slot INTEGER NOT NULL, to_slot INTEGER NOT NULL, n_slots INTEGER NOT NULL,"
    "  wall INTEGER NOT NULL, why TEXT NOT NULL) STRICT;"
    "CREATE TRIGGER ranges_stay BEFORE UPDATE ON ranges BEGIN SELECT RAISE(ABORT, 'ranges are only added'); END;",

    /* what retention decides, and what people say of artefacts */
    "ALTER TABLE artefacts ADD COLUMN adopted INTEGER;"
    "CREATE INDEX artefacts_in_stock ON artefacts (arn) WHERE life IN ('verified', 'expiring');"
    "CREATE INDEX artefacts_expiring ON artefacts (arn) WHERE life = 'expiring';"

    "CREATE TABLE holds ("
    "  arn TEXT PRIMARY KEY, wall INTEGER NOT NULL, until INTEGER NOT NULL, why TEXT, who TEXT) STRICT, WITHOUT ROWID;"

    "CREATE TABLE decisions ("
    "  id INTEGER PRIMARY KEY, arn TEXT NOT NULL, wall INTEGER NOT NULL, decision TEXT NOT NULL, why TEXT, who TEXT)"
    "  STRICT;"
    "CREATE INDEX decisions_by_arn ON decisions (arn);"
    "CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions"
    "  BEGIN SELECT RAISE(ABORT, 'decisions are only added'); END;"

    "CREATE TABLE brakes ("
    "  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, schedule TEXT NOT NULL, table_id TEXT NOT NULL,"
    "  n_delete INTEGER NOT NULL, n_all INTEGER NOT NULL, since INTEGER NOT NULL, n_confirmed INTEGER NOT NULL,"
    "  who TEXT, PRIMARY KEY (account, region, name, schedule, table_id)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL, wall INTEGER NOT NULL, who TEXT)"
    "  STRICT, WITHOUT ROWID;",

    /* how exports are checked, and what was found */
    "ALTER TABLE runs ADD COLUMN verify TEXT NOT NULL DEFAULT 'service';"
    "ALTER TABLE artefacts ADD COLUMN level TEXT NOT NULL DEFAULT 'service';"
    "ALTER TABLE artefacts ADD COLUMN found TEXT;",
    /* what people asked for; the newest pause or resume says whether it is paused */
    "ALTER TABLE enrolments ADD COLUMN ordered INTEGER;"
    "CREATE TABLE orders ("
    "  id INTEGER PRIMARY KEY, wall INTEGER NOT NULL, kind TEXT NOT NULL, object TEXT, name TEXT, until INTEGER,"
    "  count INTEGER NOT NULL, who TEXT NOT NULL, why TEXT, answer TEXT NOT NULL) STRICT;"
    "CREATE TRIGGER orders_stay BEFORE UPDATE ON orders BEGIN SELECT RAISE(ABORT, 'orders are only added'); END;",

    /* what the last complete listing of each place showed; tags are key=value, one a line */
    "CREATE TABLE inventory ("
    "  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,"
    "  seen INTEGER NOT NULL, tags TEXT, tags_read INTEGER,"
    "  PRIMARY KEY (account, region, name)) STRICT, WITHOUT ROWID;",

    /* later checks of exports */
    "CREATE TABLE checks ("
    "  id INTEGER PRIMARY KEY, arn TEXT NOT NULL, wall INTEGER NOT NULL, level TEXT NOT NULL, passed INTEGER NOT NULL,"
    "  found TEXT) STRICT;"
    "CREATE INDEX checks_by_arn ON checks (arn);"
    "CREATE TRIGGER checks_stay BEFORE UPDATE ON checks BEGIN SELECT RAISE(ABORT, 'checks are only added'); END;",

    /* what has become of tables: since when they do not exist; point-in-time recovery (0 off, 1 on), and when it was
       looked at */
    "ALTER TABLE targets ADD COLUMN gone INTEGER;"
    "ALTER TABLE targets ADD COLUMN recovery INTEGER;"
    "ALTER TABLE targets ADD COLUMN recovery_seen INTEGER;",
    /* chains of incremental exports: a row for each attempt at each window, and for all time that is lost */
    "CREATE TABLE chains ("
    "  id INTEGER PRIMARY KEY, state TEXT NOT NULL,"
    "  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, schedule TEXT NOT NULL,"
    "  table_id TEXT NOT NULL, table_arn TEXT NOT NULL,"
    "  base_run INTEGER NOT NULL, base_arn TEXT NOT NULL, base INTEGER NOT NULL, base_made INTEGER NOT NULL,"
    "  start INTEGER NOT NULL, covered INTEGER NOT NULL, ends INTEGER, begun INTEGER NOT NULL, settled INTEGER,"
    "  why TEXT) STRICT;"
    "CREATE INDEX chains_by_table ON chains (account, region, name, schedule);"
    "CREATE INDEX chains_unsettled ON chains (id) WHERE settled IS NULL;"

    "CREATE TABLE links ("
    "  id INTEGER PRIMARY KEY, chain INTEGER NOT NULL REFERENCES chains (id),"
    "  from_wall INTEGER NOT NULL, to_wall INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    "  state TEXT NOT NULL, handle TEXT NOT NULL, view_type TEXT,"
    "  s3_bucket TEXT, s3_bucket_owner TEXT, s3_prefix TEXT, s3_sse_algorithm TEXT, s3_kms_key_id TEXT, s3_format TEXT,"
    "  warn_at INTEGER, warned INTEGER NOT NULL, intent INTEGER, first_sent INTEGER, sent INTEGER,"
    "  n_sends INTEGER NOT NULL, n_deferred INTEGER NOT NULL,"
    "  settled INTEGER, why TEXT, hint TEXT, request_id TEXT, verify TEXT NOT NULL,"
    "  life TEXT, arn TEXT, status TEXT, table_id TEXT, created INTEGER, finished INTEGER, verified INTEGER,"
    "  size_bytes INTEGER, item_count INTEGER, details TEXT, level TEXT, found TEXT,"
    "  UNIQUE (chain, from_wall, attempt)) STRICT;"
    "CREATE INDEX links_unsettled ON links (id) WHERE settled IS NULL;"
    "CREATE TRIGGER windows_stay BEFORE UPDATE OF chain, from_wall, to_wall, attempt ON links"
    "  BEGIN SELECT RAISE(ABORT, 'a window never changes'); END;"

    "CREATE TABLE losses ("
    "  account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, schedule TEXT NOT NULL,"
    "  from_wall INTEGER NOT NULL, to_wall INTEGER, chain INTEGER NOT NULL REFERENCES chains (id),"
    "  noticed INTEGER NOT NULL, why TEXT NOT NULL,"
    "  PRIMARY KEY (account, region, name, schedule, from_wall)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER losses_stay BEFORE UPDATE ON losses WHEN OLD.to_wall IS NOT NULL"
    "  BEGIN SELECT RAISE(ABORT, 'what is lost stays lost'); END;",

    /* MD5s of exports' manifests, in base64, as they were when an export was first checked in its bucket */
    "CREATE TABLE manifests ("
    "  arn TEXT PRIMARY KEY, wall INTEGER NOT NULL, summary_md5 TEXT NOT NULL, files_md5 TEXT NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER manifests_stay BEFORE UPDATE ON manifests"
    "  BEGIN SELECT RAISE(ABORT, 'what an export was stays'); END;"
    "CREATE INDEX chains_by_base ON chains (base_arn);"
    "CREATE INDEX links_by_arn ON links (arn);"
    "CREATE INDEX links_expiring ON links (arn) WHERE life = 'expiring';",

    /* records of chains' bases and links in their buckets: what became of them, and when */
    "ALTER TABLE chains ADD COLUMN record TEXT;"
    "ALTER TABLE chains ADD COLUMN recorded INTEGER;"
    "ALTER TABLE links ADD COLUMN record TEXT;"
    "ALTER TABLE links ADD COLUMN recorded INTEGER;"
    "CREATE INDEX chains_unrecorded ON chains (id) WHERE record IS NULL;"
    "CREATE INDEX links_unrecorded ON links (id) WHERE record IS NULL AND state = 'succeeded';",

    /* the same of lost time, by its chain and where it begins */
    "CREATE TABLE loss_records ("
    "  chain INTEGER NOT NULL REFERENCES chains (id), from_wall INTEGER NOT NULL,"
    "  record TEXT NOT NULL, recorded INTEGER NOT NULL, PRIMARY KEY (chain, from_wall)) STRICT, WITHOUT ROWID;",

    /* until when a link is waited for, and what it has gone through */
    "ALTER TABLE links ADD COLUMN finish_by INTEGER;"
    "ALTER TABLE links ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX links_in_progress ON links (id) WHERE life = 'in_progress';"
    "CREATE TABLE link_notes ("
    "  id INTEGER PRIMARY KEY, link INTEGER NOT NULL REFERENCES links (id),"
    "  wall INTEGER NOT NULL, event TEXT NOT NULL, state TEXT NOT NULL, why TEXT) STRICT;"
    "CREATE INDEX link_notes_by_link ON link_notes (link);"
    "CREATE TRIGGER link_notes_stay BEFORE UPDATE ON link_notes"
    "  BEGIN SELECT RAISE(ABORT, 'notes are only added'); END;",
};

#define SCHEMA_VERSION ((int)(sizeof steps / sizeof steps[0]))

int store_schema_failed(sqlite3 *db, int code, const char *what, Text *why) {
    static const struct {
        int code, error;
        const char *hint;
    } rows[] = {
        {SQLITE_FULL, -ENOSPC, "make room on the file system of the state directory; nothing was lost"},
        {SQLITE_READONLY, -EROFS, "the state directory must be writable for the daemon's user"},
        {SQLITE_PERM, -EACCES, "the ledger must be readable and writable for the daemon's user"},
        {SQLITE_CANTOPEN, -EACCES,
         "check that the state directory exists, and that it and its files belong to the daemon's user"},
        {SQLITE_CORRUPT, -EBADMSG, "the ledger is damaged: " STORE_DAMAGED_HINT},
        {SQLITE_NOTADB, -EBADMSG,
         "the file is no ledger: correct the state directory; if it was one, " STORE_DAMAGED_HINT},
        {SQLITE_BUSY, -EBUSY, "another program writes to the ledger; find it with fuser"},
        {SQLITE_NOMEM, -ENOMEM, NULL},
        {SQLITE_CONSTRAINT, -EEXIST, "this is a defect; please report it"},
    };
    const char *words = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    text_addf(why, "%s: %s", what, words);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((code & 0xff) == rows[i].code) {
            if (rows[i].hint)
                text_addf(why, "; HINT: %s", rows[i].hint);
            return rows[i].error;
        }
    text_add(why, "; HINT: look for disk errors in the kernel's log");
    return -EIO;
}

static int number(sqlite3 *db, const char *sql, int *ret) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        *ret = sqlite3_column_int(q, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(q);
    return code;
}

int store_schema_identify(sqlite3 *db, int *ret_version, Text *why) {
    int id = 0, version = 0, n_tables = 0, code;
    if ((code = number(db, "PRAGMA application_id", &id)) != SQLITE_OK ||
        (code = number(db, "PRAGMA user_version", &version)) != SQLITE_OK ||
        (code = number(db, "SELECT count(*) FROM sqlite_schema", &n_tables)) != SQLITE_OK)
        return store_schema_failed(db, code, "the ledger cannot be read", why);
    if (id != APPLICATION_ID && n_tables > 0) {
        text_add(why, "the database is not a ledger of ddbackupd; HINT: correct the state directory");
        return -EBADMSG;
    }
    if (version > SCHEMA_VERSION) {
        text_addf(why,
                  "the ledger has schema %d, and this program knows up to %d; HINT: install the newer ddbackupd again",
                  version, SCHEMA_VERSION);
        return -ENOTSUP;
    }
    *ret_version = version;
    return 0;
}

int store_schema_migrate(sqlite3 *db, Text *why) {
    int version, r = store_schema_identify(db, &version, why);
    for (; r >= 0 && version < SCHEMA_VERSION; version++) {
        AUTO_TEXT sql = TEXT_INIT(65536);
        text_addf(&sql, "BEGIN IMMEDIATE;%s;PRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT", steps[version],
                  APPLICATION_ID, version + 1);
        if (sql.error)
            return sql.error;
        int code = sqlite3_exec(db, sql.data, NULL, NULL, NULL);
        if (code != SQLITE_OK) {
            r = store_schema_failed(db, code, "the ledger could not be brought to this version", why);
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    return r;
}

int store_schema_check(sqlite3 *db, Text *why) {
    int version, r = store_schema_identify(db, &version, why);
    if (r < 0 || version == SCHEMA_VERSION)
        return r;
    text_addf(
        why, "the ledger has schema %d, and this program reads %d; HINT: start ddbackupd once, it brings it up to date",
        version, SCHEMA_VERSION);
    return -ENOTSUP;
}
