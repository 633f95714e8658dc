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

/* By chain, then by window. */
static int by_window(const void *a, const void *b) {
    const Record *x = *(const Record *const *)a, *y = *(const Record *const *)b;
    int chains = strcmp(x->base_arn, y->base_arn);
    return chains ? chains : x->from_wall < y->from_wall ? -1 : x->from_wall > y->from_wall;
}

/* Returns how many links of it are in a row. */
static int64_t follow(Chain *c, const Record *const *sorted, size_t n) {
    const char *last = c->base_arn;
    int64_t n_links = 0;
    for (size_t i = 0; i < n; i++) {
        const Record *r = sorted[i];
        if (strcmp(r->base_arn, c->base_arn) != 0 || record_is_base(r) || r->from_wall != c->covered_wall ||
            !text_equal(r->previous_arn, last))
            continue;
        c->covered_wall = r->to_wall;
        last = r->export_arn;
        n_links++;
    }
    return n_links;
}

/* What cannot be had any more of a chain: until the next base. */
static int judge(Lineage *l, Chain *c, Usec now_wall) {
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

/* The records of the schedule, by chain and window; their bases begin chains. */
static int take_records(Lineage *l, const RecallFacts *facts, Usec now_wall, const Record **sorted, size_t *ret_n) {
    size_t n = 0;
    for (size_t i = 0; i < facts->n_records; i++) {
        const Record *record = &facts->records[i];
        if (strcmp(record->schedule, l->schedule) != 0)
            continue;
        sorted[n++] = record;
        int r = record_is_base(record) && !lineage_chain_of_base(l, record->base_arn) ? add_chain(l, record, now_wall)
                                                                                       : 0;
        if (r < 0)
            return r;
    }
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, by_window);
    *ret_n = n;
    return 0;
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
    AUTO_FREE const Record **sorted = calloc(facts->n_records + 1, sizeof *sorted);
    size_t n = 0;
    int r = sorted ? take_records(l, facts, now.wall, sorted, &n) : -ENOMEM;
    AUTO_FREE int64_t *n_links = calloc(l->n_chains + 1, sizeof *n_links);
    if (r < 0 || !n_links || (r = make_room(l->n_chains, &found)) < 0)
        return r < 0 ? r : -ENOMEM;
    for (size_t i = 0; i < l->n_chains; i++) {
        l->chains[i]->id = (int64_t)i + 1;
        n_links[i] = follow(l->chains[i], sorted, n);
    }
    lineage_succeed(l);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++)
        if ((r = recall_windows(l, l->chains[i], facts, now, &found)) >= 0)
            r = judge(l, l->chains[i], now.wall);
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
