#include "reader.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/run/artefact.h"

/* As of the book. */
#define LABEL "CASE account WHEN 'own' THEN name ELSE account || '/' || region || '/' || name END"

static void give_up(sqlite3 *db, const char *what) {
    fprintf(stderr, "the ledger cannot be read: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static const char *text(sqlite3_stmt *q, int column) { return (const char *)sqlite3_column_text(q, column); }

static Usec wall(sqlite3_stmt *q, int column) {
    return sqlite3_column_type(q, column) == SQLITE_NULL ? WALL_UNKNOWN : sqlite3_column_int64(q, column);
}

static void read_run(sqlite3_stmt *q, const ReaderRows *rows) {
    ReaderRun run = {.schedule = text(q, 0),
                     .table = text(q, 1),
                     .slot_wall = wall(q, 2),
                     .handle = text(q, 4),
                     .created_wall = wall(q, 5)};
    if (run_state_from_string(text(q, 3), &run.state) < 0)
        rows->flaw(rows->context, "a run is in no state");
    rows->run(rows->context, &run);
}

static void read_enrolment(sqlite3_stmt *q, const ReaderRows *rows) {
    rows->enrolment(rows->context, &(ReaderEnrolment){.schedule = text(q, 0),
                                                      .table = text(q, 1),
                                                      .cursor_wall = wall(q, 2),
                                                      .active = sqlite3_column_int(q, 3)});
}

static void read_range(sqlite3_stmt *q, const ReaderRows *rows) {
    rows->range(rows->context, &(ReaderRange){.schedule = text(q, 0),
                                              .table = text(q, 1),
                                              .from_wall = wall(q, 2),
                                              .to_wall = wall(q, 3)});
}

static void read_flaw(sqlite3_stmt *q, const ReaderRows *rows) { rows->flaw(rows->context, text(q, 0)); }

static const struct {
    bool whole; /* only when everything is read */
    const char *sql;
    void (*row)(sqlite3_stmt *q, const ReaderRows *rows);
} queries[] = {
    {false,
     "SELECT r.schedule, " LABEL ", r.slot, r.state, r.handle,"
     " (SELECT max(created) FROM artefacts WHERE run_id = r.id AND life = 'verified') FROM runs r"
     " WHERE r.slot >= ? OR r.settled IS NULL",
     read_run},
    {false, "SELECT schedule, " LABEL ", cursor, active FROM enrolments", read_enrolment},
    {false, "SELECT schedule, " LABEL ", from_slot, to_slot FROM ranges", read_range},
    /* the story of a run ends where the run stands, and tells nothing twice */
    {true,
     "SELECT 'run ' || r.id || ' is ' || r.state || ', and its story ends with ' || coalesce(n.state, 'nothing')"
     " FROM runs r LEFT JOIN notes n ON n.id = (SELECT max(id) FROM notes WHERE run_id = r.id)"
     " WHERE coalesce(n.state, 'due') <> r.state",
     read_flaw},
    {true,
     "SELECT 'run ' || run_id || ' notes ' || event || ' twice' FROM notes GROUP BY run_id, wall, event, state, why"
     " HAVING count(*) > 1",
     read_flaw},
};

void reader_read(const char *directory, Usec since_wall, const ReaderRows *rows) {
    sqlite3 *db = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/ledger.db", directory);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        give_up(db, path);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        sqlite3_stmt *q = NULL;
        if (queries[i].whole && since_wall > 0)
            continue;
        int code = sqlite3_prepare_v2(db, queries[i].sql, -1, &q, NULL);
        if (code == SQLITE_OK && sqlite3_bind_parameter_count(q) > 0)
            code = sqlite3_bind_int64(q, 1, since_wall);
        while (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
            queries[i].row(q, rows);
            code = SQLITE_OK;
        }
        if (code != SQLITE_DONE)
            give_up(db, queries[i].sql);
        sqlite3_finalize(q);
    }
    sqlite3_close(db);
}
