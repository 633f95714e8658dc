#pragma once
/* JSON for programs, and the shapes that several verbs share; ddbackupctl(1) documents them. Instants are ISO in UTC,
 * durations are in seconds, and what is not known is null. Errors stick in the text. */

#include "base/text.h"
#include "core/engine/ledger.h"

typedef struct Json {
    Text *out;
    bool more; /* the next member follows another */
} Json;

/* `key` is NULL at the top and in arrays. */
void json_open(Json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(Json *j, char bracket);
void json_string(Json *j, const char *key, const char *value); /* NULL: null */
void json_int(Json *j, const char *key, int64_t value);
void json_count(Json *j, const char *key, int64_t value); /* COUNT_UNKNOWN: null */
void json_bool(Json *j, const char *key, bool value);
void json_wall(Json *j, const char *key, Usec wall);    /* WALL_UNKNOWN, USEC_INFINITY: null */
void json_seconds(Json *j, const char *key, Usec usec); /* USEC_INFINITY: null */
void json_raw(Json *j, const char *key, const char *value); /* JSON already; NULL: null */

/* account, region, table, and with a schedule that, too: the first members of every object about one. */
void json_target(Json *j, const char *account, const char *region, const char *table, const char *schedule);
void json_run(Json *j, const char *key, const Run *r); /* NULL: null */
void json_artefact(Json *j, const char *key, const Artefact *a);
void json_range(Json *j, const LedgerRange *range, Usec decided_wall);
