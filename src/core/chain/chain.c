#include "core/chain/chain.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

/* How long a window waits after a failed attempt: doubled with each, up to the longest. */
#define RETRY_FIRST_USEC USEC_PER_MINUTE
#define RETRY_MAX_USEC (30 * USEC_PER_MINUTE)

static const char *const state_names[CHAIN_STATES] = {
    [CHAIN_FORMING] = "forming", [CHAIN_GROWING] = "growing", [CHAIN_CLOSING] = "closing",
    [CHAIN_CLOSED] = "closed",   [CHAIN_BROKEN] = "broken",   [CHAIN_VOID] = "void",
};

/* The next state + 1; 0: the event is inert. */
#define TO(state) ((state) + 1)
static const unsigned char next_states[CHAIN_STATES][CHAIN_EVENTS] = {
    [CHAIN_FORMING] =
        {
            [CHAIN_EV_BASE_VERIFIED] = TO(CHAIN_GROWING),
            [CHAIN_EV_BASE_FAILED] = TO(CHAIN_VOID),
            [CHAIN_EV_LOST] = TO(CHAIN_VOID),
            [CHAIN_EV_DAMAGED] = TO(CHAIN_FORMING),
        },
    [CHAIN_GROWING] =
        {
            [CHAIN_EV_SUCCEEDED] = TO(CHAIN_CLOSING),
            [CHAIN_EV_BASE_FAILED] = TO(CHAIN_VOID),
            [CHAIN_EV_LOST] = TO(CHAIN_BROKEN),
            [CHAIN_EV_DAMAGED] = TO(CHAIN_GROWING),
        },
    [CHAIN_CLOSING] =
        {
            [CHAIN_EV_COMPLETED] = TO(CHAIN_CLOSED),
            [CHAIN_EV_BASE_FAILED] = TO(CHAIN_VOID),
            [CHAIN_EV_LOST] = TO(CHAIN_BROKEN),
            [CHAIN_EV_DAMAGED] = TO(CHAIN_CLOSING),
        },
    [CHAIN_CLOSED] =
        {
            [CHAIN_EV_BASE_FAILED] = TO(CHAIN_VOID),
            [CHAIN_EV_DAMAGED] = TO(CHAIN_CLOSING),
        },
    [CHAIN_BROKEN] =
        {
            [CHAIN_EV_BASE_FAILED] = TO(CHAIN_VOID),
            [CHAIN_EV_LOST] = TO(CHAIN_BROKEN), /* earlier than was known */
            [CHAIN_EV_DAMAGED] = TO(CHAIN_BROKEN),
        },
};

static Usec floor_second(Usec wall) { return wall - wall % USEC_PER_SEC; }

int chain_new(int64_t id, const Run *base, const char *schedule, Usec now_wall, Chain **ret) {
    CLEANUP(chain_free_ptr) Chain *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    Usec base_wall = base->artefact->created_wall;
    *c = (Chain){.id = id,
                 .base_run_id = base->id,
                 .base_wall = base_wall,
                 .start_wall = link_first_from(base_wall),
                 .covered_wall = link_first_from(base_wall),
                 .end_wall = USEC_INFINITY,
                 .begun_wall = now_wall,
                 .settled_wall = WALL_UNKNOWN,
                 .changed = true};
    if (text_set(&c->account, base->account) < 0 || text_set(&c->region, base->region) < 0 ||
        text_set(&c->table, base->table) < 0 || text_set(&c->schedule, schedule) < 0 ||
        text_set(&c->table_id, base->table_id) < 0 || text_set(&c->table_arn, base->table_arn) < 0 ||
        text_set(&c->base_arn, base->artefact->arn) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}

void chain_free(Chain *c) {
    if (!c)
        return;
    free(c->account);
    free(c->region);
    free(c->table);
    free(c->schedule);
    free(c->table_id);
    free(c->table_arn);
    free(c->base_arn);
    free(c->why);
    free(c->windows);
    free(c);
}

bool chain_apply(Chain *c, ChainEvent event, const char *why) {
    unsigned next = next_states[c->state][event];
    if (next == 0)
        return false;
    c->state = (ChainState)(next - 1);
    if (why)
        (void)text_set(&c->why, why);
    c->changed = true;
    return true;
}

Usec chain_watermark(const Chain *c) {
    switch (c->state) {
    case CHAIN_FORMING:
    case CHAIN_VOID:
        return WALL_UNKNOWN;
    case CHAIN_GROWING:
    case CHAIN_CLOSING:
    case CHAIN_CLOSED:
    case CHAIN_BROKEN:
    case CHAIN_STATES:
        break;
    }
    return usec_max(floor_second(c->base_wall), c->covered_wall);
}

Usec chain_frontier(const Chain *c) {
    return c->n_windows > 0 ? c->windows[c->n_windows - 1].to_wall : c->covered_wall;
}

size_t chain_n_open(const Chain *c) {
    size_t n = 0;
    for (size_t i = 0; i < c->n_windows; i++)
        n += !c->windows[i].is_verified;
    return n;
}

int chain_add_window(Chain *c, Usec to_wall, ChainWindow **ret) {
    Usec from_wall = chain_frontier(c);
    if (ARRAY_GROW(c->windows, c->n_windows, c->n_room) < 0)
        return -ENOMEM;
    *ret = &c->windows[c->n_windows++];
    **ret = (ChainWindow){.from_wall = from_wall, .to_wall = to_wall, .retry_wall = USEC_INFINITY};
    return 0;
}

ChainWindow *chain_window(const Chain *c, Usec from_wall) {
    for (size_t i = 0; i < c->n_windows; i++)
        if (c->windows[i].from_wall == from_wall)
            return &c->windows[i];
    return NULL;
}

void chain_take_verified(Chain *c, ChainWindow *w) {
    size_t n = 0;
    w->is_verified = true;
    w->is_damaged = w->is_overdue = false;
    w->run = NULL;
    for (; n < c->n_windows && c->windows[n].is_verified; n++)
        c->covered_wall = c->windows[n].to_wall;
    if (n == 0)
        return;
    memmove(c->windows, c->windows + n, (c->n_windows - n) * sizeof *c->windows);
    c->n_windows -= n;
    c->changed = true;
}

void chain_take_failed(Chain *c, ChainWindow *w, Now now) {
    Usec wait = RETRY_FIRST_USEC;
    for (int i = 1; i < w->attempt && wait < RETRY_MAX_USEC; i++)
        wait *= 2;
    w->run = NULL;
    w->is_overdue = false;
    w->retry_wall = now.wall + usec_min(wait, RETRY_MAX_USEC);
}

void chain_take_overdue(ChainWindow *w, Now now) {
    w->run = NULL;
    w->is_overdue = true;
    w->retry_wall = now.wall;
}

/* It is what its window rests on. */
static bool is_good(const Run *r) {
    bool is_bad = r->artefact && (r->artefact->life == ARTEFACT_DISPROVED || r->artefact->life == ARTEFACT_GONE);
    return r->state == RUN_SUCCEEDED && !is_bad;
}

int chain_take_attempt(Chain *c, Run *r, bool *ret_waits) {
    ChainWindow *w = chain_window(c, r->from_wall);
    *ret_waits = false;
    if (r->to_wall <= c->covered_wall || r->from_wall >= c->end_wall)
        return 0;
    if (w ? w->to_wall != r->to_wall : r->from_wall != chain_frontier(c))
        return -EBADMSG;
    int rc = w ? 0 : chain_add_window(c, r->to_wall, &w);
    if (rc < 0)
        return rc;
    w->attempt = r->attempt;
    if (w->is_verified || is_good(r)) {
        w->is_verified = true;
        w->run = NULL;
    } else if (run_is_settled(r)) {
        chain_take_failed(c, w, (Now){.wall = r->settled_wall});
        w->is_damaged = r->state == RUN_SUCCEEDED;
    } else if (run_is_overdue(r))
        chain_take_overdue(w, (Now){.wall = r->sent_wall});
    else {
        w->run = r;
        *ret_waits = true;
    }
    return 0;
}

/* In front of those that it has. */
static int take_back(Chain *c, Usec from_wall, Chain *found) {
    size_t n = 0;
    while (n < found->n_windows && found->windows[n].from_wall < c->covered_wall)
        n++;
    if (n == 0 || found->windows[0].from_wall != from_wall || found->windows[n - 1].to_wall != c->covered_wall)
        return -ESTALE;
    ChainWindow *all = calloc(n + c->n_windows, sizeof *all);
    if (!all)
        return -ENOMEM;
    memcpy(all, found->windows, n * sizeof *all);
    if (c->n_windows > 0)
        memcpy(all + n, c->windows, c->n_windows * sizeof *all);
    free(c->windows);
    c->windows = all;
    c->n_windows += n;
    c->n_room = c->n_windows;
    c->covered_wall = from_wall;
    return 0;
}

int chain_take_damaged(Chain *c, Usec from_wall, Chain *found, Now now) {
    ChainWindow *w = chain_window(c, from_wall);
    int r = w ? 0 : found ? take_back(c, from_wall, found) : -ESTALE;
    if (r < 0)
        return r;
    w = chain_window(c, from_wall);
    w->is_verified = w->is_overdue = false;
    w->is_damaged = true;
    w->run = NULL;
    w->retry_wall = now.wall;
    c->settled_wall = WALL_UNKNOWN;
    chain_apply(c, CHAIN_EV_DAMAGED, NULL);
    return 0;
}

ChainWindow *chain_retry(const Chain *c, Usec now_wall) {
    for (size_t i = 0; i < c->n_windows; i++)
        if (!c->windows[i].is_verified && !c->windows[i].run && c->windows[i].retry_wall <= now_wall)
            return &c->windows[i];
    return NULL;
}

static bool is_accepted(const ChainWindow *w) {
    return w->is_verified || (w->run && w->run->state != RUN_DUE && w->run->state != RUN_INTENDED);
}

Usec chain_gap(const Chain *c, Usec earliest_wall) {
    for (size_t i = 0; i < c->n_windows; i++)
        if (!is_accepted(&c->windows[i]) && c->windows[i].from_wall < earliest_wall)
            return c->windows[i].from_wall;
    Usec frontier = chain_frontier(c);
    return frontier < c->end_wall && frontier < earliest_wall ? frontier : USEC_INFINITY;
}

void chain_cut(Chain *c, Usec at_wall) {
    while (c->n_windows > 0 && c->windows[c->n_windows - 1].from_wall >= at_wall)
        c->n_windows--;
    c->end_wall = usec_min(c->end_wall, at_wall);
    c->changed = true;
}

bool chain_is_over(const Chain *c) {
    switch (c->state) {
    case CHAIN_FORMING:
    case CHAIN_GROWING:
    case CHAIN_CLOSING:
        return false;
    case CHAIN_CLOSED:
    case CHAIN_BROKEN:
    case CHAIN_VOID:
    case CHAIN_STATES:
        break;
    }
    return c->base_is_made && chain_n_open(c) == 0;
}

const char *chain_state_to_string(ChainState s) { return state_names[s]; }

int chain_state_from_string(const char *s, ChainState *ret) {
    for (int i = 0; i < CHAIN_STATES; i++)
        if (strcmp(s, state_names[i]) == 0) {
            *ret = (ChainState)i;
            return 0;
        }
    return -EINVAL;
}
