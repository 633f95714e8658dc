#include "shelf.h"

#include <cjson/cJSON.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "house.h"

/* What was sent before a reload arrives by then. */
#define LATE_USEC (10 * USEC_PER_MINUTE)

/* One backup, by its ARN. */
typedef struct ShelfLine {
    char *arn;
    char *name, *table_id; /* as committed; NULL: not known */
    Usec created_wall;
    bool intended;     /* a commit has said, or may have said, that DeleteBackup leaves */
    bool was_intended; /* ever: a late one arrives, and has no effect */
    Usec held_until_wall;
    bool hold_is_doubtful;
} ShelfLine;

struct Shelf {
    House *house;
    Conf *conf;   /* what the daemon goes by */
    Conf *former; /* what it went by before */
    Usec changed_wall;
    void *lines; /* a search tree */
    bool expires;
};

static int by_arn(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static ShelfLine *line_of(Shelf *s, const char *arn) {
    void *found = tfind(&arn, &s->lines, by_arn);
    if (found)
        return *(ShelfLine **)found;
    ShelfLine *line = calloc(1, sizeof *line);
    if (!line || !(line->arn = strdup(arn)) || !tsearch(line, &s->lines, by_arn))
        abort();
    line->held_until_wall = WALL_UNKNOWN;
    return line;
}

static void line_free(void *line) {
    ShelfLine *l = line;
    free(l->arn);
    free(l->name);
    free(l->table_id);
    free(line);
}

Shelf *shelf_new(House *house) {
    Shelf *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->house = house;
    return s;
}

void shelf_free(Shelf *s) {
    conf_free(s->conf);
    conf_free(s->former);
    tdestroy(s->lines, line_free);
    free(s);
}

void shelf_set_conf(Shelf *s, Conf *conf, Usec true_wall) {
    conf_free(s->former);
    s->former = s->conf;
    s->conf = conf;
    s->changed_wall = true_wall;
}

/* --- commits --- */

static void take_artefact(Shelf *s, const Artefact *a) {
    if (!a || !a->arn)
        return;
    ShelfLine *line = line_of(s, a->arn);
    if (text_set(&line->name, a->name) < 0 || text_set(&line->table_id, a->table_id) < 0)
        abort();
    line->created_wall = a->created_wall;
}

static void take(Shelf *s, const LedgerBatch *batch, bool doubtful) {
    const StockChanges *c = &batch->stock;
    for (size_t i = 0; i < batch->n_runs; i++)
        take_artefact(s, batch->runs[i]->artefact);
    for (size_t i = 0; i < c->n_artefacts; i++)
        take_artefact(s, c->artefacts[i]);
    for (size_t i = 0; i < c->n_decisions; i++) {
        ShelfLine *line = line_of(s, c->decisions[i].arn);
        Decision d = c->decisions[i].decision;
        if (d == DECISION_EXPIRING)
            line->intended = line->was_intended = true;
        else if (d == DECISION_WITHDRAWN && !doubtful)
            line->intended = false;
    }
    for (size_t i = 0; i < c->n_holds; i++) {
        ShelfLine *line = line_of(s, c->holds[i].arn);
        line->held_until_wall = c->holds[i].until_wall;
        line->hold_is_doubtful = doubtful;
    }
    if (c->expiry != STOCK_SWITCH_STAYS)
        s->expires = c->expiry == STOCK_SWITCH_RESUMED || (doubtful && s->expires);
}

void shelf_committed(Shelf *s, const LedgerBatch *batch) { take(s, batch, false); }
void shelf_doubted(Shelf *s, const LedgerBatch *batch) { take(s, batch, true); }

/* --- the service's state --- */

static const char *word(const cJSON *object, const char *name) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return value ? value : "";
}

/* "acme.nightly.20261123T020000Z.0a1b2c3d" is of "acme", and of "nightly" or any (""). */
static bool is_of(const char *name, const char *deployment, const char *schedule) {
    char begin[200];
    snprintf(begin, sizeof begin, "%s.%s%s", deployment, schedule, schedule[0] ? "." : "");
    return strncmp(name, begin, strlen(begin)) == 0;
}

/* By its name, or a former one. */
static bool is_of_schedule(const char *name, const Conf *conf, const ScheduleConf *schedule) {
    bool found = is_of(name, conf->deployment, schedule->name);
    for (size_t i = 0; !found && i < schedule->n_formerly; i++)
        found = is_of(name, conf->deployment, schedule->formerly[i]);
    return found;
}

static cJSON *state_of(House *h) {
    AUTO_TEXT t = TEXT_INIT(256u << 20);
    if (service_state_to_json(world_service(house_world(h)), world_true_wall(house_world(h)), &t) < 0)
        abort();
    cJSON *state = cJSON_ParseWithLength(text_get(&t), t.len);
    if (!state)
        abort();
    return state;
}

size_t shelf_count(const Shelf *s, const char *schedule, const char *table) {
    cJSON *state = state_of(s->house);
    const cJSON *b;
    size_t n = 0;
    cJSON_ArrayForEach(b, cJSON_GetObjectItemCaseSensitive(state, "backups"))
        n += is_of(word(b, "name"), s->conf->deployment, schedule) && (!table || strcmp(word(b, "table"), table) == 0);
    cJSON_Delete(state);
    return n;
}

/* Newer ones of the same schedule, table and incarnation. */
static size_t count_newer(const Shelf *s, const Conf *conf, const ShelfLine *line, const ScheduleConf *schedule) {
    cJSON *state = state_of(s->house);
    const cJSON *b;
    char created[DATE_ISO_SIZE];
    size_t n = 0;
    date_to_iso(line->created_wall, created);
    cJSON_ArrayForEach(b, cJSON_GetObjectItemCaseSensitive(state, "backups"))
        n += is_of_schedule(word(b, "name"), conf, schedule) && strcmp(word(b, "name"), line->name) != 0 &&
             strcmp(word(b, "table_id"), line->table_id) == 0 && strcmp(word(b, "status"), "AVAILABLE") == 0 &&
             strcmp(word(b, "created"), created) > 0;
    cJSON_Delete(state);
    return n;
}

static const ScheduleConf *schedule_of(const Conf *conf, const char *name) {
    for (size_t i = 0; i < conf->n_schedules; i++)
        if (is_of_schedule(name, conf, &conf->schedules[i]))
            return &conf->schedules[i];
    return NULL;
}

/* Why it should have stayed, by that configuration; NULL: it might go. */
static char *flaw_by(const Shelf *s, const Conf *conf, const ShelfLine *line, Usec true_wall) {
    const ScheduleConf *schedule = line->name ? schedule_of(conf, line->name) : NULL;
    if (!schedule || !line->table_id)
        return text_format("%s was deleted, and is not ours: %s", line->arn, line->name ? line->name : "unknown");
    if (schedule->expire != EXPIRE_DELETE || !s->expires)
        return text_format("%s was deleted, which nobody allowed", line->name);
    if (line->held_until_wall > true_wall && !line->hold_is_doubtful)
        return text_format("%s was deleted, and is held", line->name);
    size_t n_newer = count_newer(s, conf, line, schedule);
    if (n_newer < (size_t)int_max(schedule->keep.floor, schedule->keep.last))
        return text_format("%s was deleted, and only %zu newer ones remain", line->name, n_newer);
    return NULL;
}

static void check_effect(const Shelf *s, const ShelfLine *line, Usec true_wall) {
    AUTO_FREE char *flaw = flaw_by(s, s->conf, line, true_wall);
    bool may_be_late = s->former && true_wall < s->changed_wall + LATE_USEC;
    AUTO_FREE char *former_flaw = flaw && may_be_late ? flaw_by(s, s->former, line, true_wall) : NULL;
    if (flaw && (!may_be_late || former_flaw))
        house_violated(s->house, "%s", flaw);
}

void shelf_served(Shelf *s, const ServiceRequest *request, const ServiceReply *reply, Usec true_wall) {
    cJSON *in = cJSON_ParseWithLength(request->body, request->body_len);
    const ShelfLine *line = line_of(s, word(in, "BackupArn"));
    cJSON_Delete(in);
    if (!line->intended && (reply->effect || !line->was_intended))
        house_violated(s->house, "DeleteBackup of %s arrived before its intent was in the ledger", line->arn);
    if (!reply->effect)
        return;
    book_figures(house_book(s->house))->n_deleted++;
    check_effect(s, line, true_wall);
}
