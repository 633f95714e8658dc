#include "chains.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"

/* What the service said of an export. */
typedef struct ExportLine {
    char *arn, *status;
    Usec from_wall, to_wall, export_wall; /* of the request and reply; WALL_UNKNOWN: not its kind */
} ExportLine;

typedef struct LinkLine {
    int64_t id, chain_id;
    Usec from_wall, to_wall;
    int attempt;
    RunState state;
    bool is_overdue, is_damaged;
    char *arn; /* NULL: none yet */
} LinkLine;

typedef struct ChainLine {
    int64_t id;
    char *schedule, *table, *base_arn;
    ChainState state;
    Usec base_wall, start_wall, covered_wall;
    Usec prefix_wall; /* as far as it was followed */
} ChainLine;

typedef struct LossLine {
    char *schedule, *table;
    Usec from_wall, to_wall;
} LossLine;

/* A link of a ledger that was lost. */
typedef struct LostLink {
    char *base_arn;
    Usec from_wall, to_wall;
    int attempt;
} LostLink;

struct ChainBook {
    House *house;
    ExportLine *exports;
    size_t n_exports, n_exports_room;
    LinkLine *links;
    size_t n_links, n_links_room;
    ChainLine *chains;
    size_t n_chains, n_chains_room;
    LossLine *losses;
    size_t n_losses, n_losses_room;
    LostLink *lost_links;
    size_t n_lost_links, n_lost_links_room;
    LossLine *old_losses; /* that had an end in a ledger that was lost */
    size_t n_old_losses, n_old_losses_room;
    bool is_rebuilt; /* what is committed was found again: attempts that have failed may be missing */
};

#define GROW(items, n, room)                                                                                           \
    do {                                                                                                               \
        if (ARRAY_GROW(items, n, room) < 0)                                                                            \
            abort();                                                                                                   \
    } while (0)

ChainBook *chain_book_new(House *house) {
    ChainBook *b = calloc(1, sizeof *b);
    if (!b)
        abort();
    b->house = house;
    return b;
}

static void loss_free(LossLine *l) {
    free(l->schedule);
    free(l->table);
}

/* What the ledger has said. */
static void forget(ChainBook *b) {
    for (size_t i = 0; i < b->n_links; i++)
        free(b->links[i].arn);
    for (size_t i = 0; i < b->n_chains; i++) {
        free(b->chains[i].schedule);
        free(b->chains[i].table);
        free(b->chains[i].base_arn);
    }
    for (size_t i = 0; i < b->n_losses; i++)
        loss_free(&b->losses[i]);
    b->n_links = b->n_chains = b->n_losses = 0;
}

void chain_book_free(ChainBook *b) {
    forget(b);
    for (size_t i = 0; i < b->n_exports; i++) {
        free(b->exports[i].arn);
        free(b->exports[i].status);
    }
    for (size_t i = 0; i < b->n_lost_links; i++)
        free(b->lost_links[i].base_arn);
    for (size_t i = 0; i < b->n_old_losses; i++)
        loss_free(&b->old_losses[i]);
    free(b->exports);
    free(b->links);
    free(b->chains);
    free(b->losses);
    free(b->lost_links);
    free(b->old_losses);
    free(b);
}

/* --- the service's word --- */

static ExportLine *export_line(ChainBook *b, const char *arn) {
    for (size_t i = b->n_exports; i > 0; i--)
        if (strcmp(b->exports[i - 1].arn, arn) == 0)
            return &b->exports[i - 1];
    return NULL;
}

static Usec wall_of(const cJSON *in, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);
    return cJSON_IsNumber(item) ? (Usec)(item->valuedouble * 1000 + 0.5) * USEC_PER_MSEC : WALL_UNKNOWN;
}

void chain_book_served(ChainBook *b, const ServiceRequest *request, const ServiceReply *reply) {
    if (strcmp(reply->operation, "ExportTableToPointInTime") != 0 && strcmp(reply->operation, "DescribeExport") != 0)
        return;
    cJSON *root = cJSON_ParseWithLength(text_get(&reply->body), reply->body.len);
    const cJSON *e = cJSON_GetObjectItemCaseSensitive(root, "ExportDescription"),
                *window = cJSON_GetObjectItemCaseSensitive(e, "IncrementalExportSpecification"),
                *arn = cJSON_GetObjectItemCaseSensitive(e, "ExportArn"),
                *status = cJSON_GetObjectItemCaseSensitive(e, "ExportStatus");
    if (cJSON_IsString(arn) && cJSON_IsString(status)) {
        ExportLine *line = export_line(b, arn->valuestring);
        if (!line) {
            GROW(b->exports, b->n_exports, b->n_exports_room);
            line = &b->exports[b->n_exports++];
            *line = (ExportLine){.arn = strdup(arn->valuestring),
                                 .from_wall = wall_of(window, "ExportFromTime"),
                                 .to_wall = wall_of(window, "ExportToTime"),
                                 .export_wall = wall_of(e, "ExportTime")};
        }
        (void)text_set(&line->status, status->valuestring);
    }
    cJSON_Delete(root);
}

static const ExportLine *check_completed(ChainBook *b, const char *arn, const char *what) {
    const ExportLine *e = arn ? export_line(b, arn) : NULL;
    if (!e || !text_equal(e->status, "COMPLETED"))
        house_violated(b->house, "%s counts as verified, and the service says %s", what, e ? e->status : "nothing");
    return e;
}

/* --- commits --- */

static LinkLine *link_line(const ChainBook *b, int64_t chain_id, Usec from_wall, int attempt) {
    for (size_t i = b->n_links; i > 0; i--) {
        LinkLine *line = &b->links[i - 1];
        if (line->chain_id == chain_id && line->from_wall == from_wall && line->attempt == attempt)
            return line;
    }
    return NULL;
}

static ChainLine *chain_line(const ChainBook *b, int64_t id) {
    for (size_t i = 0; i < b->n_chains; i++)
        if (b->chains[i].id == id)
            return &b->chains[i];
    return NULL;
}

static const char *name_of(const Run *r, char buffer[static 200]) {
    char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
    snprintf(buffer, 200, "the link of %.40s from %s to %s, attempt %d,", r->table, date_to_iso(r->from_wall, from),
             date_to_iso(r->to_wall, to), r->attempt);
    return buffer;
}

void chain_book_lost(ChainBook *b) {
    for (size_t i = 0; i < b->n_links; i++) {
        const LinkLine *l = &b->links[i];
        if (!l->arn || l->state == RUN_FAILED)
            continue;
        GROW(b->lost_links, b->n_lost_links, b->n_lost_links_room);
        b->lost_links[b->n_lost_links++] = (LostLink){.base_arn = strdup(chain_line(b, l->chain_id)->base_arn),
                                                      .from_wall = l->from_wall,
                                                      .to_wall = l->to_wall,
                                                      .attempt = l->attempt};
    }
    for (size_t i = 0; i < b->n_losses; i++) {
        LossLine *l = &b->losses[i];
        if (l->to_wall == USEC_INFINITY || l->from_wall >= l->to_wall)
            continue;
        GROW(b->old_losses, b->n_old_losses, b->n_old_losses_room);
        b->old_losses[b->n_old_losses++] = *l;
        *l = (LossLine){};
    }
    forget(b);
    b->is_rebuilt = true;
}

/* What was exported for a chain before its ledger was lost is not exported for it again, but for a later attempt. */
static void check_once(const ChainBook *b, const Run *r, const char *name) {
    const char *base_arn = chain_line(b, r->chain_id)->base_arn;
    for (size_t i = 0; !b->is_rebuilt && i < b->n_lost_links; i++) {
        const LostLink *l = &b->lost_links[i];
        bool same = l->from_wall == r->from_wall && l->to_wall == r->to_wall && r->attempt > l->attempt;
        if (strcmp(l->base_arn, base_arn) == 0 && l->from_wall < r->to_wall && r->from_wall < l->to_wall && !same)
            house_violated(b->house, "%s was exported before the ledger was lost", name);
    }
}

/* The first window begins where the chain does, and each other one where one ends. */
static void check_fresh(const ChainBook *b, const Run *r) {
    char name[200];
    const ChainLine *chain = chain_line(b, r->chain_id);
    Usec length = r->to_wall - r->from_wall;
    bool is_first = chain && r->from_wall == chain->start_wall, follows = false, overlaps = false;
    name_of(r, name);
    if (!chain)
        house_violated(b->house, "%s has no chain", name);
    if (length < 15 * USEC_PER_MINUTE || length > USEC_PER_DAY || r->from_wall % USEC_PER_SEC ||
        r->to_wall % USEC_PER_SEC)
        house_violated(b->house, "%s is of no length that can be exported", name);
    for (size_t i = 0; i < b->n_links; i++) {
        const LinkLine *l = &b->links[i];
        if (l->chain_id != r->chain_id)
            continue;
        follows |= l->to_wall == r->from_wall;
        overlaps |= l->from_wall < r->to_wall && r->from_wall < l->to_wall &&
                    (l->from_wall != r->from_wall || l->to_wall != r->to_wall);
    }
    if (overlaps)
        house_violated(b->house, "%s overlaps another one of its chain", name);
    if (!is_first && !follows)
        house_violated(b->house, "%s leaves a gap before it", name);
    const LinkLine *before = link_line(b, r->chain_id, r->from_wall, r->attempt - 1);
    bool may_follow = before ? before->state == RUN_FAILED || before->is_overdue || before->is_damaged : b->is_rebuilt;
    if (r->attempt > 1 && !may_follow)
        house_violated(b->house, "%s follows upon none that has failed", name);
    check_once(b, r, name);
}

static void take_link(ChainBook *b, const Run *r) {
    char name[200];
    LinkLine *line = link_line(b, r->chain_id, r->from_wall, r->attempt);
    if (!line) {
        check_fresh(b, r);
        GROW(b->links, b->n_links, b->n_links_room);
        line = &b->links[b->n_links++];
        *line = (LinkLine){.id = r->id, .chain_id = r->chain_id, .from_wall = r->from_wall, .to_wall = r->to_wall,
                           .attempt = r->attempt};
    }
    name_of(r, name);
    if (line->id != r->id || line->to_wall != r->to_wall)
        house_violated(b->house, "%s has changed its window or its number", name);
    if (line->state >= RUN_SUCCEEDED && line->state != r->state)
        house_violated(b->house, "%s was settled, and has changed", name);
    bool is_new = line->state != r->state;
    line->state = r->state;
    line->is_overdue = r->overdue;
    if (r->artefact)
        (void)text_set(&line->arn, r->artefact->arn);
    if (r->state != RUN_SUCCEEDED)
        return;
    for (size_t i = 0; is_new && i < b->n_links; i++)
        if (&b->links[i] != line && b->links[i].chain_id == r->chain_id && b->links[i].from_wall == r->from_wall &&
            b->links[i].state == RUN_SUCCEEDED && !b->links[i].is_damaged)
            house_violated(b->house, "%s counts, and so does attempt %d", name, b->links[i].attempt);
    const ExportLine *e = check_completed(b, line->arn, name);
    if (e->from_wall != r->from_wall || e->to_wall != r->to_wall)
        house_violated(b->house, "%s is covered by an export of another window", name);
}

/* A later check has disproved it: chains go back to it. */
static void take_check(ChainBook *b, const StockCheck *check) {
    for (size_t i = 0; i < b->n_links; i++) {
        LinkLine *l = &b->links[i];
        ChainLine *c = chain_line(b, l->chain_id);
        if (check->passed || !text_equal(l->arn, check->arn) || l->state != RUN_SUCCEEDED)
            continue;
        l->is_damaged = true;
        c->covered_wall = usec_min(c->covered_wall, l->from_wall);
        c->prefix_wall = usec_min(c->prefix_wall, l->from_wall);
    }
}

static bool is_verified(ChainState s) { return s != CHAIN_FORMING && s != CHAIN_VOID; }

/* The end of the longest prefix of windows that were verified. */
static Usec prefix_of(const ChainBook *b, ChainLine *c) {
    Usec end = c->prefix_wall;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < b->n_links && !moved; i++) {
            const LinkLine *l = &b->links[i];
            if (l->chain_id == c->id && l->from_wall == end && l->state == RUN_SUCCEEDED && !l->is_damaged) {
                end = l->to_wall;
                moved = true;
            }
        }
    }
    return c->prefix_wall = end;
}

static void take_chain(ChainBook *b, const Chain *c) {
    ChainLine *line = chain_line(b, c->id);
    const ExportLine *base = export_line(b, c->base_arn);
    if (!line) {
        GROW(b->chains, b->n_chains, b->n_chains_room);
        line = &b->chains[b->n_chains++];
        *line = (ChainLine){.id = c->id, .schedule = strdup(c->schedule), .table = strdup(c->table),
                            .base_arn = strdup(c->base_arn), .base_wall = c->base_wall, .start_wall = c->start_wall,
                            .covered_wall = c->start_wall, .prefix_wall = c->start_wall};
        if (!base || base->export_wall == WALL_UNKNOWN || c->base_wall > base->export_wall)
            house_violated(b->house, "a chain begins later than its base");
        if (c->start_wall > base->export_wall - USEC_PER_MINUTE ||
            c->start_wall < base->export_wall - 2 * USEC_PER_MINUTE)
            house_violated(b->house, "the first link of a chain does not begin a minute before its base");
    }
    if (c->covered_wall < line->covered_wall)
        house_violated(b->house, "a watermark went back");
    line->state = c->state;
    line->covered_wall = c->covered_wall;
}

static void check_chain(ChainBook *b, const Chain *c) {
    ChainLine *line = chain_line(b, c->id);
    if (is_verified(c->state))
        check_completed(b, c->base_arn, "the base of a chain");
    if (c->covered_wall > prefix_of(b, line))
        house_violated(b->house, "the watermark of a chain of %s passes a link that is not verified", c->table);
}

static void take_losses(ChainBook *b, const Lineage *l) {
    for (size_t i = 0; i < l->n_losses; i++) {
        LossLine *line = NULL;
        for (size_t j = 0; j < b->n_losses && !line; j++)
            if (b->losses[j].from_wall == l->losses[i].from_wall && strcmp(b->losses[j].table, l->table) == 0 &&
                strcmp(b->losses[j].schedule, l->schedule) == 0)
                line = &b->losses[j];
        if (!line) {
            GROW(b->losses, b->n_losses, b->n_losses_room);
            line = &b->losses[b->n_losses++];
            *line = (LossLine){.schedule = strdup(l->schedule), .table = strdup(l->table),
                               .from_wall = l->losses[i].from_wall, .to_wall = USEC_INFINITY};
        }
        if (line->to_wall != USEC_INFINITY && line->to_wall != l->losses[i].to_wall)
            house_violated(b->house, "what was lost has changed");
        line->to_wall = l->losses[i].to_wall;
    }
}

void chain_book_committed(ChainBook *b, const LedgerBatch *batch) {
    for (size_t i = 0; i < batch->stock.n_checks; i++)
        take_check(b, &batch->stock.checks[i]);
    for (size_t i = 0; i < batch->n_chains; i++)
        take_chain(b, batch->chains[i]);
    for (size_t i = 0; i < batch->n_links; i++)
        take_link(b, batch->links[i]);
    for (size_t i = 0; i < batch->n_chains; i++)
        check_chain(b, batch->chains[i]);
    for (size_t i = 0; i < batch->n_losses; i++)
        take_losses(b, batch->losses[i]);
}

static bool is_of(const ChainLine *c, const char *schedule, const char *table) {
    return strcmp(c->schedule, schedule) == 0 && strcmp(c->table, table) == 0;
}

/* In whole seconds, as windows are. */
static Usec reach_of(const ChainLine *c) {
    return usec_max(c->base_wall / USEC_PER_SEC * USEC_PER_SEC, c->covered_wall);
}

Usec chain_book_watermark(const ChainBook *b, const char *schedule, const char *table) {
    Usec watermark = WALL_UNKNOWN;
    for (size_t i = 0; i < b->n_chains; i++)
        if (is_of(&b->chains[i], schedule, table) && is_verified(b->chains[i].state))
            watermark = usec_max(watermark, reach_of(&b->chains[i]));
    return watermark;
}

Usec chain_book_frontier(const ChainBook *b, const char *schedule, const char *table) {
    Usec frontier = WALL_UNKNOWN;
    for (size_t i = 0; i < b->n_links; i++)
        if (is_of(chain_line(b, b->links[i].chain_id), schedule, table))
            frontier = usec_max(frontier, b->links[i].to_wall);
    return frontier;
}

int64_t chain_book_last(const ChainBook *b) {
    int64_t last = 0;
    for (size_t i = 0; i < b->n_chains; i++)
        last = b->chains[i].id > last ? b->chains[i].id : last;
    return last;
}

bool chain_book_is_good(const ChainBook *b, int64_t id, const char *schedule, const char *table,
                        Usec *ret_watermark_wall) {
    const ChainLine *c = chain_line(b, id);
    if (!c || !is_of(c, schedule, table) || !is_verified(c->state))
        return false;
    *ret_watermark_wall = c->covered_wall > c->start_wall ? c->covered_wall : c->base_wall;
    return true;
}

const char *chain_book_export(const ChainBook *b, int64_t id, size_t n) {
    const ChainLine *c = chain_line(b, id);
    Usec from = c->start_wall;
    for (size_t i = 0; i < n; i++) {
        const LinkLine *next = NULL;
        for (size_t j = 0; j < b->n_links; j++)
            if (b->links[j].chain_id == id && b->links[j].from_wall == from && b->links[j].state == RUN_SUCCEEDED &&
                !b->links[j].is_damaged)
                next = &b->links[j];
        if (!next || next->to_wall > c->covered_wall)
            return NULL;
        if (i + 1 == n)
            return next->arn;
        from = next->to_wall;
    }
    return c->base_arn;
}

void chain_book_check_covered(const ChainBook *b, const Run *r) {
    for (size_t i = 0; i < b->n_chains; i++) {
        const ChainLine *c = &b->chains[i];
        if (is_of(c, r->schedule, r->table) && is_verified(c->state) && c->base_wall - USEC_PER_SEC <= r->slot_wall &&
            r->slot_wall <= reach_of(c))
            return;
    }
    house_violated(b->house, "a run of %s succeeded, and no chain covers its slot", r->table);
}

/* --- the ledger --- */

static void compare(ChainBook *b, sqlite3 *db, const char *sql, size_t n_expected,
                    void (*row)(ChainBook *, sqlite3_stmt *)) {
    sqlite3_stmt *q = NULL;
    size_t n = 0;
    int code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        row(b, q);
        n++;
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE || n != n_expected)
        house_violated(b->house, "the ledger has %zu rows, not %zu, or cannot be read: %s: %s", n, n_expected, sql,
                       sqlite3_errmsg(db));
    sqlite3_finalize(q);
}

static Usec or_unknown(sqlite3_stmt *q, int i, Usec unknown) {
    return sqlite3_column_type(q, i) == SQLITE_NULL ? unknown : sqlite3_column_int64(q, i);
}

static void compare_link(ChainBook *b, sqlite3_stmt *q) {
    const LinkLine *l = link_line(b, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), sqlite3_column_int(q, 2));
    if (!l || l->to_wall != sqlite3_column_int64(q, 3) ||
        strcmp(run_state_to_string(l->state), (const char *)sqlite3_column_text(q, 4)) != 0 ||
        !text_equal(l->arn, (const char *)sqlite3_column_text(q, 5)))
        house_violated(b->house, "the ledger's link %lld is not as it was committed",
                       (long long)sqlite3_column_int64(q, 6));
}

static void compare_chain(ChainBook *b, sqlite3_stmt *q) {
    const ChainLine *c = chain_line(b, sqlite3_column_int64(q, 0));
    if (!c || strcmp(chain_state_to_string(c->state), (const char *)sqlite3_column_text(q, 1)) != 0 ||
        c->covered_wall != sqlite3_column_int64(q, 2) || c->start_wall != sqlite3_column_int64(q, 3))
        house_violated(b->house, "the ledger's chain %lld is not as it was committed",
                       (long long)sqlite3_column_int64(q, 0));
}

static void compare_loss(ChainBook *b, sqlite3_stmt *q) {
    bool found = false;
    for (size_t i = 0; i < b->n_losses; i++)
        found |= b->losses[i].from_wall == sqlite3_column_int64(q, 0) &&
                 b->losses[i].to_wall == or_unknown(q, 1, USEC_INFINITY);
    if (!found)
        house_violated(b->house, "the ledger's lost time is not as it was committed");
}

/* As the ledger is read when the host starts. */
void chain_book_compare(ChainBook *b, const char *directory) {
    sqlite3 *db = NULL;
    char path[128];
    b->is_rebuilt = false;
    if (b->n_chains == 0)
        return;
    snprintf(path, sizeof path, "%s/ledger.db", directory);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        house_violated(b->house, "the ledger cannot be read: %s", sqlite3_errmsg(db));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    compare(b, db, "SELECT chain, from_wall, attempt, to_wall, state, arn, id FROM links", b->n_links, compare_link);
    compare(b, db, "SELECT id, state, covered, start FROM chains", b->n_chains, compare_chain);
    compare(b, db, "SELECT from_wall, to_wall FROM losses", b->n_losses, compare_loss);
    sqlite3_close(db);
}

/* --- the audit --- */

typedef struct Span {
    Usec from_wall, to_wall;
    bool is_lost;
} Span;

/* Says it all, and gives up. */
static void misfit(const ChainBook *b, const char *table, const Span *spans, size_t n, Usec at, const char *how) {
    char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
    for (size_t i = 0; i < n; i++)
        printf("%s from %s to %s\n", spans[i].is_lost ? "lost" : "covered", date_to_iso(spans[i].from_wall, from),
               date_to_iso(spans[i].to_wall, to));
    house_violated(b->house, "%s: what came after %s is %s", table, date_to_iso(at, from), how);
}

static int by_from(const void *a, const void *b) {
    const Span *x = a, *y = b;
    return x->from_wall < y->from_wall ? -1 : x->from_wall > y->from_wall;
}

/* It lies in one piece, or in several that lie side by side. */
static void check_still_lost(const ChainBook *b, const LossLine *old) {
    Usec at = old->from_wall;
    char iso[DATE_ISO_SIZE];
    for (bool moved = true; moved && at < old->to_wall;) {
        moved = false;
        for (size_t i = 0; i < b->n_losses; i++)
            if (strcmp(b->losses[i].schedule, old->schedule) == 0 && strcmp(b->losses[i].table, old->table) == 0 &&
                b->losses[i].from_wall <= at && b->losses[i].to_wall > at) {
                at = b->losses[i].to_wall;
                moved = true;
            }
    }
    if (at < old->to_wall)
        house_violated(b->house, "%s: what came after %s was lost, and the next ledger has forgotten it", old->table,
                       date_to_iso(at, iso));
}

ChainTally chain_book_audit(const ChainBook *b, const char *schedule, const char *table, Usec until_wall) {
    ChainTally t = {};
    Span *spans = calloc(b->n_chains + b->n_losses + 1, sizeof *spans);
    size_t n = 0;
    if (!spans)
        abort();
    for (size_t i = 0; i < b->n_chains; i++) {
        const ChainLine *c = &b->chains[i];
        if (!is_of(c, schedule, table))
            continue;
        t.n_chains++;
        t.n_void += !is_verified(c->state);
        if (is_verified(c->state))
            spans[n++] = (Span){c->base_wall / USEC_PER_SEC * USEC_PER_SEC, reach_of(c), false};
        for (size_t j = 0; j < b->n_links; j++) {
            t.n_links += b->links[j].chain_id == c->id;
            t.n_failed += b->links[j].chain_id == c->id && b->links[j].state == RUN_FAILED;
        }
    }
    for (size_t i = 0; i < b->n_losses; i++)
        if (strcmp(b->losses[i].schedule, schedule) == 0 && strcmp(b->losses[i].table, table) == 0) {
            spans[n++] = (Span){b->losses[i].from_wall, usec_min(b->losses[i].to_wall, until_wall), true};
            t.n_losses++;
        }
    qsort(spans, n, sizeof *spans, by_from);
    Usec at = n > 0 ? spans[0].from_wall : until_wall;
    for (size_t i = 0; i < n; i++) {
        if (spans[i].from_wall > at)
            misfit(b, table, spans, n, at, "neither covered nor lost");
        if (spans[i].is_lost && spans[i].to_wall > spans[i].from_wall && spans[i].from_wall < at)
            misfit(b, table, spans, n, spans[i].from_wall, "lost and covered");
        if (spans[i].to_wall > at) {
            *(spans[i].is_lost ? &t.lost_usec : &t.covered_usec) += spans[i].to_wall - at;
            at = spans[i].to_wall;
        }
    }
    for (size_t i = 0; i < b->n_old_losses; i++)
        if (strcmp(b->old_losses[i].schedule, schedule) == 0 && strcmp(b->old_losses[i].table, table) == 0)
            check_still_lost(b, &b->old_losses[i]);
    if (at < until_wall)
        misfit(b, table, spans, n, at, "neither covered nor lost");
    free(spans);
    return t;
}
