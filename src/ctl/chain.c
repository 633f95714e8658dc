/* What the chains of incremental exports of a table cover, and what they do not. */

#include <errno.h>
#include <string.h>

#include "core/chain/span.h"
#include "ctl/chain_hint.h"
#include "ctl/chain_remote.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/store_read.h"

/* What is not covered after so long is late, where the schedule has no max_age. */
#define TOLERANCE_USEC (24 * USEC_PER_HOUR)

/* What could not be read is as bad as what is lost. */
#define UNKNOWN 2

typedef struct Show {
    const CtlOptions *options;
    Usec now_wall;
    StoreChains chains;
    Targets targets;
    bool qualified;
    DaemonState daemon; /* unknown with --remote */
    Text *out;
    Json json;
    int level;
    size_t n_shown;
} Show;

static void show_done(Show *s) {
    store_chains_done(&s->chains);
    targets_done(&s->targets);
}

static int load(Show *s, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = store_read_open(s->options->state_directory, &store, ret_error);
    if (r < 0)
        return r;
    if ((r = store_read_targets(store, &s->targets)) < 0 || (r = store_read_chains(store, &s->chains)) < 0)
        (void)text_set(ret_error, *store_read_error(store) ? store_read_error(store) : strerror(-r));
    s->daemon = store_read_daemon(s->options->state_directory);
    return r;
}

static Usec tolerance_of(const Show *s, const Lineage *l) {
    const Target *t = targets_find(&s->targets, l->account, l->region, l->table);
    const Enrolment *e = t ? target_enrolment(t, l->schedule) : NULL;
    return e && e->max_age_usec > 0 ? e->max_age_usec : TOLERANCE_USEC;
}

static bool is_active(const Show *s, const Lineage *l) {
    const Target *t = targets_find(&s->targets, l->account, l->region, l->table);
    const Enrolment *e = t ? target_enrolment(t, l->schedule) : NULL;
    return e && e->active;
}

static const char *const standings[] = {"covered", "late", "lost"};

/* --- for programs --- */

static void add_span_json(Json *j, const Span *span) {
    json_open(j, NULL, '{');
    json_string(j, "span", span_kind_to_string(span->kind));
    json_wall(j, "from", span->from_wall);
    json_wall(j, "to", span->to_wall);
    json_count(j, "chain", span->chain_id == 0 ? COUNT_UNKNOWN : span->chain_id);
    json_string(j, "base_arn", span->kind == SPAN_COVERED ? span->arn : NULL);
    json_count(j, "links", span->kind == SPAN_COVERED ? span->n_links : COUNT_UNKNOWN);
    json_string(j, "export_arn", span->kind == SPAN_COVERED ? NULL : span->arn);
    json_count(j, "attempt", span->attempt == 0 ? COUNT_UNKNOWN : span->attempt);
    json_string(j, "state", span->state);
    json_string(j, "why", span->why);
    json_close(j, '}');
}

static void print_json(Show *s, const Lineage *l, const Spans *spans, const char *hint) {
    Json *j = &s->json;
    json_open(j, NULL, '{');
    json_target(j, l->account, l->region, l->table, l->schedule);
    json_bool(j, "active", is_active(s, l));
    json_string(j, "standing", standings[spans_level(spans)]);
    json_wall(j, "watermark", spans_watermark(spans));
    json_string(j, "hint", hint[0] ? hint : NULL);
    json_open(j, "spans", '[');
    for (size_t i = 0; i < spans->n_items; i++)
        add_span_json(j, &spans->items[i]);
    json_close(j, ']');
    json_close(j, '}');
}

/* --- for people --- */

static const TableColumn columns[] = {{"SPAN", false, false}, {"FROM", false, false}, {"TO", false, false},
                                      {"LENGTH", true, false}, {"WHAT", false, false}};

static void describe(const Show *s, const Span *span, Text *t) {
    switch (span->kind) {
    case SPAN_COVERED:
        text_addf(t, "chain %lld: ", (long long)span->chain_id);
        words_count(t, (size_t)span->n_links, "link", "links");
        text_addf(t, " on %s", span->arn ? span->arn : "-");
        return;
    case SPAN_LOST:
        text_add(t, span->why ? span->why : "-");
        return;
    case SPAN_IN_FLIGHT:
    case SPAN_LATE:
        break;
    }
    if (span->attempt == 0)
        text_add(t, s->options->remote ? "not recorded yet" : "not asked for yet");
    else if (!span->state) {
        text_addf(t, "attempt %d%s%s; it is asked for again", span->attempt, span->why ? ": " : " failed",
                  span->why ? span->why : "");
        return;
    } else
        text_addf(t, "attempt %d, %s", span->attempt, span->state);
    if (span->arn)
        text_addf(t, ": %s", span->arn);
    if (span->why)
        text_addf(t, ": %s", span->why);
}

/* What there is to know first: whether all is well, and since when it is not. */
static void add_standing(const Spans *spans, Text *t) {
    char from[DATE_ISO_SIZE];
    const Span *worst = NULL;
    for (size_t i = 0; i < spans->n_items; i++) {
        const Span *span = &spans->items[i];
        bool is_lost = span->kind == SPAN_LOST && span->to_wall == USEC_INFINITY;
        if (is_lost || (span->kind == SPAN_LATE && !worst))
            worst = span;
    }
    if (worst && worst->kind == SPAN_LOST)
        text_addf(t, "LOST: what came after %s cannot be restored; ", words_time(worst->from_wall, from));
    else if (worst)
        text_addf(t, "LATE: what came after %s is not exported yet; ", words_time(worst->from_wall, from));
}

static void add_headline(Show *s, const Lineage *l, const Spans *spans) {
    char age[DURATION_SIZE];
    Usec watermark = spans_watermark(spans);
    words_label(s->out, s->qualified, l->account, l->region, l->table);
    text_addf(s->out, "/%s: ", l->schedule);
    add_standing(spans, s->out);
    if (watermark == WALL_UNKNOWN)
        text_add(s->out, "no base is verified yet: nothing can be restored");
    else
        text_addf(s->out, "the table can be restored to every instant that is covered, the last of %s ago",
                  words_age(s->now_wall - watermark, age));
    text_add(s->out, is_active(s, l) ? "\n" : "; the configuration no longer selects it\n");
}

static int print_people(Show *s, const Lineage *l, const Spans *spans, const char *hint) {
    char length[DURATION_SIZE], from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
    Table t;
    if (s->n_shown > 0)
        text_add_char(s->out, '\n');
    add_headline(s, l, spans);
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < spans->n_items; i++) {
        const Span *span = &spans->items[i];
        AUTO_TEXT what = TEXT_INIT(8192);
        describe(s, span, &what);
        table_add(&t, span_kind_to_string(span->kind));
        table_add(&t, words_time(span->from_wall, from));
        table_add(&t, words_time(span->to_wall, to));
        table_add(&t, words_age(usec_min(span->to_wall, s->now_wall) - span->from_wall, length));
        table_add(&t, text_get(&what));
    }
    int r = table_print(&t, 2, s->out);
    table_done(&t);
    if (hint[0])
        text_addf(s->out, "  HINT: %s\n", hint);
    return r;
}

static int show_one(Show *s, const StoreLineage *one) {
    CLEANUP(spans_done) Spans spans = {};
    const Lineage *l = one->lineage;
    int r = spans_make(l, one->reaches, one->n_reaches, tolerance_of(s, l), s->now_wall, &spans);
    if (r < 0)
        return r;
    AUTO_TEXT hint = TEXT_INIT(4096);
    chain_hint(l, &spans, s->daemon, is_active(s, l), &hint);
    s->level = int_max(s->level, spans_level(&spans));
    if (s->options->json)
        print_json(s, l, &spans, text_get(&hint));
    else if ((r = print_people(s, l, &spans, text_get(&hint))) < 0)
        return r;
    s->n_shown++;
    return 0;
}

static int none_found(const Show *s) {
    const char *where =
        s->options->remote
            ? "no record of a chain of it is in the buckets that the configuration names; HINT: without "
              "--remote the ledger is asked"
            : "no chain of it is in the ledger; HINT: 'ddbackupctl list --action incremental' shows which "
              "tables have one, and why one has no base yet";
    AUTO_FREE char *error = text_format("%.300s: %s", s->options->table, where);
    ctl_failed(error);
    text_clear(s->out);
    return UNKNOWN;
}

int verb_chain(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(show_done)
    Show s = {.options = o, .now_wall = now_wall, .daemon = DAEMON_UNKNOWN, .out = out, .json = {.out = out}};
    AUTO_FREE char *error = NULL;
    int r = o->remote ? chain_remote(o, now_wall, &s.targets, &s.chains) : load(&s, &error);
    if (r < 0) {
        if (!o->remote)
            ctl_failed(error);
        return UNKNOWN;
    }
    for (size_t i = 1; i < s.targets.n_items; i++)
        s.qualified |= strcmp(s.targets.items[i]->account, s.targets.items[0]->account) != 0 ||
                       strcmp(s.targets.items[i]->region, s.targets.items[0]->region) != 0;
    if (o->json) {
        json_open(&s.json, NULL, '{');
        json_wall(&s.json, "now", now_wall);
        json_open(&s.json, "chains", '[');
    }
    for (size_t i = 0; r >= 0 && i < s.chains.n_items; i++) {
        const Lineage *l = s.chains.items[i].lineage;
        if (options_select(o, l->account, l->region, l->table, l->schedule))
            r = show_one(&s, &s.chains.items[i]);
    }
    if (r < 0) {
        ctl_failed(strerror(-r));
        text_clear(out);
        return UNKNOWN;
    }
    if (s.n_shown == 0)
        return none_found(&s);
    if (o->json) {
        json_close(&s.json, ']');
        json_int(&s.json, "exit_status", s.level);
        json_close(&s.json, '}');
        text_add_char(out, '\n');
    }
    return s.level;
}
