/* What has to be recorded in a bucket, as the ledger tells it: which, in what order, and each once. */

#include "io/store.h"

#include <ftw.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "unit.h"

#define ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"

static char directory[] = "/tmp/ddb-store-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

static int make_directory(void **state) {
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) { return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static Store *open_store(void) {
    Store *s = NULL;
    char *error = NULL;
    if (store_open(directory, &s, &error) < 0)
        fail_msg("store_open: %s", error ? error : "?");
    return s;
}

/* Hours stand for instants. Chain 1 stands and was healed; 2 is forming; 3 has a base that is no good; 4 is of another
 * account. */
static const char rows[] =
    "INSERT INTO runs (id, state, action, schedule, account, region, name, slot, due, warned, attempt, n_sends,"
    " n_deferred) VALUES (1, 'succeeded', 'export', 'full', 'own', 'eu', 'orders', 1, 1, 0, 1, 1, 0);"
    "INSERT INTO artefacts (run_id, action, life, arn, created, item_count, details) SELECT 1, 'export',"
    " CASE value WHEN 3 THEN 'disproved' ELSE 'verified' END, '" ARN "/export/b' || value, value, 40 + value,"
    " '{\"ExportManifest\":\"p/m' || value || '\",\"S3Bucket\":\"acme\",\"S3Prefix\":\"p\"}'"
    " FROM json_each('[1, 2, 3, 4]');"
    "INSERT INTO chains (id, state, account, region, name, schedule, table_id, table_arn, base_run, base_arn, base,"
    " base_made, start, covered, begun) SELECT value,"
    " CASE value WHEN 1 THEN 'broken' WHEN 2 THEN 'forming' WHEN 3 THEN 'void' ELSE 'growing' END,"
    " CASE value WHEN 4 THEN 'other' ELSE 'own' END, 'eu', 'orders', 'half', 'id', '" ARN "', 1,"
    " '" ARN "/export/b' || value, value, 1, value, 5, 9 FROM json_each('[1, 2, 3, 4]');"
    "INSERT INTO links (id, chain, from_wall, to_wall, attempt, state, handle, warned, n_sends, n_deferred, verify,"
    " level, life, arn, record, item_count, details)"
    " SELECT value ->> 0, 1, value ->> 1, value ->> 2, value ->> 3, value ->> 4,"
    " 't', 0, 1, 0, 'service', 'service', value ->> 5, '" ARN "/export/k' || (value ->> 0), value ->> 6, value ->> 0,"
    " '{\"ExportManifest\":\"p/k\",\"S3Bucket\":\"acme\",\"S3Prefix\":\"p\"}' FROM json_each('["
    "  [1, 1, 2, 1, \"succeeded\", \"disproved\", \"written\"], [2, 2, 3, 1, \"failed\", \"failed\", null],"
    "  [3, 2, 3, 2, \"succeeded\", \"verified\", null], [4, 1, 2, 2, \"succeeded\", \"verified\", null],"
    "  [5, 3, 9, 1, \"succeeded\", \"verified\", null]]');"
    "INSERT INTO losses (account, region, name, schedule, from_wall, to_wall, chain, noticed, why)"
    " SELECT CASE value ->> 2 WHEN 4 THEN 'other' ELSE 'own' END, 'eu', 'orders', 'half', value ->> 0, value ->> 1,"
    " value ->> 2, 9, 'off'"
    " FROM json_each('[[3, 4, 1], [4, 6, 1], [7, 9, 3], [11, 11, 1], [12, null, 1], [5, 6, 4]]');"
    /* 5 has expired: its base, a link, one that was made again, and one whose record is not ours */
    "INSERT INTO artefacts (run_id, action, life, arn, created, item_count, details) VALUES (1, 'export', 'expired',"
    " '" ARN "/export/b5', 5, 45, '{\"ExportManifest\":\"p/m5\",\"S3Bucket\":\"acme\",\"S3Prefix\":\"p\"}');"
    "INSERT INTO chains (id, state, account, region, name, schedule, table_id, table_arn, base_run, base_arn, base,"
    " base_made, start, covered, begun, settled, record) VALUES (5, 'closed', 'own', 'eu', 'orders', 'half', 'id',"
    " '" ARN "', 1, '" ARN "/export/b5', 5, 1, 5, 9, 9, 10, 'written');"
    "INSERT INTO links (id, chain, from_wall, to_wall, attempt, state, handle, warned, n_sends, n_deferred, verify,"
    " level, life, arn, record, item_count, details)"
    " SELECT value ->> 0, 5, value ->> 1, value ->> 2, value ->> 3, 'succeeded',"
    " 't', 0, 1, 0, 'service', 'service', value ->> 4, '" ARN "/export/k' || (value ->> 0), value ->> 5, value ->> 0,"
    " '{\"ExportManifest\":\"p/k\",\"S3Bucket\":\"acme\",\"S3Prefix\":\"p\"}' FROM json_each('["
    "  [16, 5, 6, 1, \"expired\", \"written\"], [17, 6, 7, 1, \"disproved\", \"written\"],"
    "  [18, 6, 7, 2, \"expired\", \"written\"], [19, 7, 9, 1, \"expired\", \"differs\"]]');";

static void insert_rows(void) {
    sqlite3 *db = NULL;
    char *error = NULL;
    AUTO_FREE char *path = text_format("%s/ledger.db", directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, rows, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s", error);
    sqlite3_close(db);
}

/* "b1", "k3 1-2 after b1", "lost 3-4", "stale k3 1-2"; what is taken in is marked, if `takes`. */
static void walk(Store *s, const char *account, bool takes, Text *t) {
    LedgerBatch batch = {.wall = 100};
    RecordMark mark = {};
    for (;;) {
        CLEANUP(record_task_done) RecordTask task = {};
        int r = store_next_record(s, account, "eu", mark, &task);
        const Record *d = &task.record;
        if (r == -ENOENT)
            break;
        assert_int_equal(r, 0);
        assert_string_equal(d->bucket, "acme");
        assert_string_equal(d->prefix, "p");
        if (task.is_stale && task.link_id) {
            text_addf(t, "stale %s %d-%d.%d, ", strrchr(d->export_arn, '/') + 1, (int)d->from_wall, (int)d->to_wall,
                      d->attempt);
            mark.stale_link_id = task.link_id;
        } else if (task.is_stale) {
            text_addf(t, "stale %s, ", strrchr(d->export_arn, '/') + 1);
            mark.stale_chain_id = task.chain_id;
        } else if (d->lost) {
            text_addf(t, "lost %d-%d of b%s%s, ", (int)d->from_wall, (int)d->to_wall, strrchr(d->base_arn, 'b') + 1,
                      d->export_arn ? " and that" : "");
            mark.losing_id = task.chain_id;
            mark.lost_wall = d->from_wall;
            assert_null(d->manifest_key);
        } else if (task.link_id) {
            text_addf(t, "%s %d-%d", strrchr(d->export_arn, '/') + 1, (int)d->from_wall, (int)d->to_wall);
            text_addf(t, ".%d after %s, ", d->attempt, strrchr(d->previous_arn, '/') + 1);
            mark.link_id = task.link_id;
        } else {
            text_addf(t, "%s, ", strrchr(d->export_arn, '/') + 1);
            mark.chain_id = task.chain_id;
        }
        assert_int_equal(ARRAY_GROW(batch.records, batch.n_records, batch.n_records_room), 0);
        batch.records[batch.n_records++] = (LedgerRecord){.chain_id = task.chain_id,
                                                          .link_id = task.link_id,
                                                          .lost_wall = d->lost ? d->from_wall : WALL_UNKNOWN,
                                                          .outcome = task.is_stale ? RECORD_REMOVED : RECORD_WRITTEN};
    }
    if (takes)
        assert_int_equal(store_commit(s, &batch), 0);
    free(batch.records);
}

static void each_once(void **state) {
#define STALE "stale b5, stale k16 5-6.0, stale k18 6-7.2, "
    store_close(open_store());
    insert_rows();
    Store *s = open_store();
    static const struct {
        const char *account, *expected;
        bool takes;
    } steps[] = {
        {"own",
         STALE "b1, k3 2-3.0 after k4, k4 1-2.2 after b1, lost 3-4 of b1, lost 4-6 of b1, lost 7-9 of b3 and that, ",
         false},
        {"own",
         STALE "b1, k3 2-3.0 after k4, k4 1-2.2 after b1, lost 3-4 of b1, lost 4-6 of b1, lost 7-9 of b3 and that, ",
         true},
        {"own", "", false},
        {"other", "b4, lost 5-6 of b4, ", true},
        {"other", "", false},
        {"nobody", "", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        AUTO_TEXT t = TEXT_INIT(1000);
        walk(s, steps[i].account, steps[i].takes, &t);
        assert_string_equal(text_get(&t), steps[i].expected);
    }
    store_close(s);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(each_once, make_directory, remove_directory))
