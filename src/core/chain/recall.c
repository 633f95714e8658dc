#include "core/chain/recall.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static Usec floor_second(Usec wall) { return wall - wall % USEC_PER_SEC; }

static int add_chain(Lineage *l, const Record *base, Usec now_wall) {
    CLEANUP(chain_free_ptr) Chain *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (Chain){.state = CHAIN_GROWING,
                 .base_wall = base->base_wall,
                 .base_is_made = true,
                 .start_wall = link_first_from(base->base_wall),
                 .covered_wall = link_first_from(base->base_wall),
                 .end_wall = USEC_INFINITY,
                 .begun_wall = now_wall,
                 .settled_wall = WALL_UNKNOWN};
    if (text_set(&c->account, l->account) < 0 || text_set(&c->region, l->region) < 0 ||
        text_set(&c->table, l->table) < 0 || text_set(&c->schedule, l->schedule) < 0 ||
        text_set(&c->table_id, base->table_id) < 0 || text_set(&c->table_arn, base->table_arn) < 0 ||
        text_set(&c->base_arn, base->export_arn) < 0)
        return -ENOMEM;
    int r = lineage_add_chain(l, c);
    if (r >= 0)
        (void)TAKE_PTR(c);
    return r;
}

/* A link in its chain. */
typedef struct Entry {
    const Record *record;
    bool is_gone;
} Entry;

/* By chain, then by window, then by attempt. */
static int by_window(const void *a, const void *b) {
    const Record *x = ((const Entry *)a)->record, *y = ((const Entry *)b)->record;
    int c = strcmp(x->base_arn, y->base_arn);
    if (c == 0)
        c = (x->from_wall > y->from_wall) - (x->from_wall < y->from_wall);
    return c ? c : (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

/* It names the link before it, also one that was made again since; or the base. */
static bool names_the_one_before(const Chain *c, const Entry *entries, size_t i) {
    const Record *r = entries[i].record;
    if (r->from_wall == c->start_wall)
        return text_equal(r->previous_arn, c->base_arn);
    for (; i > 0; i--) {
        const Record *before = entries[i - 1].record;
        if (strcmp(before->base_arn, c->base_arn) != 0 || before->from_wall < r->from_wall - LINK_MAX_USEC)
            break;
        if (before->to_wall == r->from_wall && text_equal(before->export_arn, r->previous_arn))
            return true;
    }
    return false;
}

/* The first recorded loss of the chain; NULL: nothing of it is lost. */
static const Record *first_loss(const RecallFacts *facts, const char *schedule, const char *base_arn) {
    const Record *first = NULL;
    for (size_t i = 0; i < facts->n_losses; i++) {
        const Record *loss = &facts->losses[i];
        if (strcmp(loss->schedule, schedule) == 0 && strcmp(loss->base_arn, base_arn) == 0 &&
            (!first || loss->from_wall < first->from_wall))
            first = loss;
    }
    return first;
}

/* Returns how many links of it are in a row. */
static int64_t follow(Chain *c, const Entry *entries, size_t n, const RecallFacts *facts) {
    const Record *loss = first_loss(facts, c->schedule, c->base_arn);
    int64_t n_links = 0;
    for (size_t i = 0; i < n; i++) {
        const Record *r = entries[i].record;
        if (entries[i].is_gone || strcmp(r->base_arn, c->base_arn) != 0 || r->from_wall != c->covered_wall ||
            (loss && r->to_wall > loss->from_wall) || !names_the_one_before(c, entries, i))
            continue;
        c->covered_wall = r->to_wall;
        n_links++;
    }
    return n_links;
}

int recall_judge(Lineage *l, Chain *c, Usec now_wall) {
    char why[300];
    Usec gap = c->state == CHAIN_CLOSED ? USEC_INFINITY : chain_gap(c, lineage_earliest(l, c));
    Usec until = lineage_lost_until(l, c);
    if (gap == USEC_INFINITY)
        return 0;
    chain_cut(c, gap);
    if (gap >= until)
        return 0;
    lineage_explain(l, c, why, sizeof why);
    chain_apply(c, CHAIN_EV_LOST, why);
    return lineage_lose(l, c->id, usec_max(gap, floor_second(c->base_wall)), until, why, now_wall);
}

static int make_room(size_t n_chains, Recall *into) {
    into->reaches = calloc(n_chains + 1, sizeof *into->reaches);
    return into->reaches ? 0 : -ENOMEM;
}

static int add_reach(const Chain *c, int64_t n_links, Recall *into) {
    ChainReach *r = &into->reaches[into->n_reaches++];
    *r = (ChainReach){.id = c->id,
                      .state = c->state,
                      .base_wall = c->base_wall,
                      .covered_wall = c->covered_wall,
                      .n_links = n_links};
    return text_set(&r->base_arn, c->base_arn);
}

/* A base from which nothing can be restored begins nothing. */
static bool begins(const Lineage *l, const RecallFacts *facts, const Record *record) {
    const Record *loss = first_loss(facts, l->schedule, record->base_arn);
    return record_is_base(record) && !lineage_chain_of_base(l, record->base_arn) && !(loss && loss->export_arn);
}

static int take_bases(Lineage *l, const RecallFacts *facts, Usec now_wall) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < facts->n_records; i++)
        if (strcmp(facts->records[i].schedule, l->schedule) == 0 && begins(l, facts, &facts->records[i]))
            r = add_chain(l, &facts->records[i], now_wall);
    for (size_t i = 0; i < l->n_chains; i++)
        l->chains[i]->id = (int64_t)i + 1;
    return r;
}

static size_t add_links(const Lineage *l, const Record *records, size_t n, bool are_gone, Entry *to) {
    size_t n_added = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(records[i].schedule, l->schedule) == 0 && !record_is_base(&records[i]))
            to[n_added++] = (Entry){&records[i], are_gone};
    return n_added;
}

/* What is recorded as lost, and where chains have broken off. */
static int take_losses(Lineage *l, const RecallFacts *facts, Usec now_wall) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < facts->n_losses; i++) {
        const Record *loss = &facts->losses[i];
        if (strcmp(loss->schedule, l->schedule) != 0)
            continue;
        Chain *c = lineage_chain_of_base(l, loss->base_arn);
        if (c) {
            chain_apply(c, CHAIN_EV_LOST, loss->lost);
            chain_cut(c, loss->from_wall);
        }
        r = lineage_lose(l, c ? c->id : 0, loss->from_wall, loss->to_wall, loss->lost, now_wall);
    }
    return r;
}

void recall_done(Recall *r) {
    for (size_t i = 0; i < r->n_reaches; i++)
        free(r->reaches[i].base_arn);
    for (size_t i = 0; i < r->n_runs; i++)
        run_free(r->runs[i]);
    free(r->reaches);
    free(r->runs);
    *r = (Recall){};
}

int recall_chains(Lineage *l, const RecallFacts *facts, Now now, Recall *ret) {
    CLEANUP(recall_done) Recall found = {};
    int r = take_bases(l, facts, now.wall);
    if (r < 0)
        return r;
    AUTO_FREE Entry *entries = calloc(facts->n_records + facts->n_gone + 1, sizeof *entries);
    AUTO_FREE int64_t *n_links = calloc(l->n_chains + 1, sizeof *n_links);
    if (!entries || !n_links || make_room(l->n_chains, &found) < 0)
        return -ENOMEM;
    size_t n = add_links(l, facts->records, facts->n_records, false, entries);
    n += add_links(l, facts->gone, facts->n_gone, true, entries + n);
    qsort(entries, n, sizeof *entries, by_window);
    for (size_t i = 0; i < l->n_chains; i++)
        n_links[i] = follow(l->chains[i], entries, n, facts);
    lineage_succeed(l);
    r = take_losses(l, facts, now.wall);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++)
        if ((r = recall_windows(l, l->chains[i], facts, now, &found)) >= 0)
            r = recall_judge(l, l->chains[i], now.wall);
    if (r >= 0)
        lineage_succeed(l);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++)
        r = add_reach(l->chains[i], n_links[i], &found);
    if (r < 0)
        return r;
    *ret = found;
    found = (Recall){};
    return 0;
}
