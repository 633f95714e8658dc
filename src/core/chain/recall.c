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
static int judge(Lineage *l, size_t i, Usec now_wall) {
    char why[300];
    Chain *c = l->chains[i];
    Usec next = i + 1 < l->n_chains ? floor_second(l->chains[i + 1]->base_wall) : USEC_INFINITY;
    Usec gap = c->state == CHAIN_CLOSED ? USEC_INFINITY : chain_gap(c, lineage_earliest(l, c));
    if (gap == USEC_INFINITY || gap >= next)
        return 0;
    lineage_explain(l, c, why, sizeof why);
    chain_apply(c, CHAIN_EV_LOST, why);
    c->end_wall = gap;
    return lineage_lose(l, c->id, usec_max(gap, floor_second(c->base_wall)), next, why, now_wall);
}

static int make_reach(const Chain *c, int64_t n_links, ChainReach *ret) {
    *ret = (ChainReach){.id = c->id,
                        .state = c->state,
                        .base_wall = c->base_wall,
                        .covered_wall = c->covered_wall,
                        .n_links = n_links};
    return text_set(&ret->base_arn, c->base_arn);
}

int recall_chains(Lineage *l, const Record *records, size_t n_records, Usec now_wall, ChainReach **ret, size_t *ret_n) {
    AUTO_FREE const Record **sorted = calloc(n_records + 1, sizeof *sorted);
    size_t n = 0;
    int r = sorted ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < n_records; i++) {
        if (strcmp(records[i].schedule, l->schedule) != 0)
            continue;
        sorted[n++] = &records[i];
        if (record_is_base(&records[i]) && !lineage_chain_of_base(l, records[i].base_arn))
            r = add_chain(l, &records[i], now_wall);
    }
    if (r < 0)
        return r;
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, by_window);
    ChainReach *reaches = calloc(l->n_chains + 1, sizeof *reaches);
    AUTO_FREE int64_t *n_links = calloc(l->n_chains + 1, sizeof *n_links);
    if (!reaches || !n_links) {
        free(reaches);
        return -ENOMEM;
    }
    for (size_t i = 0; i < l->n_chains; i++) {
        l->chains[i]->id = (int64_t)i + 1;
        n_links[i] = follow(l->chains[i], sorted, n);
    }
    lineage_succeed(l);
    *ret = reaches; /* the caller's, also when it fails from here on */
    *ret_n = l->n_chains;
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++)
        r = judge(l, i, now_wall);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++)
        r = make_reach(l->chains[i], n_links[i], &reaches[i]);
    for (size_t i = l->n_chains; r >= 0 && i > 0; i--)
        if (chain_is_over(l->chains[i - 1]))
            lineage_forget(l, i - 1);
    return r;
}
