/* Tables are described ahead of their slots, so that at the slot the intents of all that are due are complete at once,
 * however slow DescribeTable is. A run whose table was not described in time describes it itself. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/limits.h"
#include "core/run/drive.h"

/* The lead is at most this: a description is good for an hour, and the slot still has to use it. */
#define LEAD_MAX_USEC (45 * USEC_PER_MINUTE)
#define LEAD_MIN_USEC (30 * USEC_PER_SEC)
/* So much before its end a description does not count any more: intents are made a little after the slot. */
#define SLACK_USEC USEC_PER_MINUTE
/* A description that waits longer for its turn has lost it. */
#define PATIENCE_USEC (5 * USEC_PER_MINUTE)

static Usec covered_wall(const Target *t) {
    Usec described = t->described_wall == WALL_UNKNOWN ? 0 : t->described_wall + DRIVE_TABLE_AGE_USEC - SLACK_USEC;
    return usec_max(described, t->ahead_tried_wall);
}

/* The first slot that no description covers. */
static Usec first_due(const Target *t) {
    Usec first = USEC_INFINITY, covered = covered_wall(t);
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (t->enrolments[i]->due.at > covered)
            first = usec_min(first, t->enrolments[i]->due.at);
    return first;
}

static int find_ahead(Engine *e, Target *t) {
    for (size_t i = 0; !t->place && i < e->n_aheads; i++)
        if (strcmp(e->aheads[i]->account, t->account) == 0 && strcmp(e->aheads[i]->region, t->region) == 0)
            t->place = e->aheads[i];
    if (t->place)
        return 0;
    if (ARRAY_GROW(e->aheads, e->n_aheads, e->n_aheads_room) < 0)
        return -ENOMEM;
    AUTO_FREE Ahead *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->lead_usec = LEAD_MIN_USEC;
    if (text_set(&a->account, t->account) < 0 || text_set(&a->region, t->region) < 0) {
        free(a->account);
        return -ENOMEM;
    }
    t->place = e->aheads[e->n_aheads++] = TAKE_PTR(a);
    return 0;
}

void engine_ahead_done(Engine *e) {
    for (size_t i = 0; i < e->n_aheads; i++) {
        heap_done(&e->aheads[i]->due);
        heap_done(&e->aheads[i]->looks);
        free(e->aheads[i]->account);
        free(e->aheads[i]->region);
        free(e->aheads[i]);
    }
    free(e->aheads);
}

int engine_arm_ahead(Engine *e, Target *t) {
    int r = find_ahead(e, t);
    Usec due = t->describing ? USEC_INFINITY : first_due(t);
    return r < 0 ? r
                 : heap_set(&t->place->due, &t->ahead,
                            due == USEC_INFINITY ? due : usec_max(0, due - t->place->lead_usec));
}

/* Long enough for all tables of the place to be described before one instant at which they all are due. */
static Usec lead(const Engine *e, const Ahead *a) {
    double rate = limits[AWS_OP_DESCRIBE_TABLE].rate * e->conf->limits.rate_share;
    return usec_min(LEAD_MIN_USEC + (Usec)((double)a->n_targets * 1.1 / rate * USEC_PER_SEC), LEAD_MAX_USEC);
}

int engine_arm_all_ahead(Engine *e) {
    int r = 0;
    for (size_t i = 0; i < e->n_aheads; i++)
        e->aheads[i]->n_targets = 0;
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++)
        if ((r = find_ahead(e, e->targets.items[i])) >= 0)
            e->targets.items[i]->place->n_targets += e->targets.items[i]->selected;
    for (size_t i = 0; i < e->n_aheads; i++)
        e->aheads[i]->lead_usec = lead(e, e->aheads[i]);
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++)
        r = engine_arm_ahead(e, e->targets.items[i]);
    return r;
}

static size_t free_seat(const Ahead *a) {
    size_t i = 0;
    while (i < AHEAD_MAX && a->describing[i])
        i++;
    return i;
}

Usec engine_ahead_wall(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->n_aheads; i++)
        if (free_seat(e->aheads[i]) < AHEAD_MAX)
            next = usec_min(next, heap_next(&e->aheads[i]->due));
    return next;
}

static int describe(Engine *e, size_t place, size_t seat, Target *t, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_TABLE);
    if (!q || text_set(&q->describe_table.table, t->table) < 0)
        return -ENOMEM;
    t->ahead_tried_wall = first_due(t);
    int r = client_begin(e->client,
                         &(CallSpec){.account = t->account,
                                     .region = t->region,
                                     .request = TAKE_PTR(q),
                                     .tag = tag_make(TAG_OF_AHEAD, place * AHEAD_MAX + seat),
                                     .deadline_mono = now.mono + PATIENCE_USEC},
                         now);
    if (r < 0)
        return r;
    e->aheads[place]->describing[seat] = t;
    t->describing = true;
    return heap_set(&e->aheads[place]->due, &t->ahead, USEC_INFINITY);
}

int engine_describe_ahead(Engine *e, Now now) {
    Target *t;
    int r = 0;
    for (size_t i = 0; i < e->n_aheads; i++)
        for (size_t seat; r >= 0 && (seat = free_seat(e->aheads[i])) < AHEAD_MAX &&
                          (t = heap_due(&e->aheads[i]->due, now.wall));)
            r = describe(e, i, seat, t, now);
    return r;
}

/* What goes wrong is the run's to say: it describes the table itself then. The description goes into the ledger with
 * the first intent that is built on it. */
int engine_described(Engine *e, const CallDone *done, Now now, EngineOutbox *out) {
    size_t at = tag_index(done->tag);
    Target *t = TAKE_PTR(e->aheads[at / AHEAD_MAX]->describing[at % AHEAD_MAX]);
    t->describing = false;
    int r = 0;
    if (done->error.class == AWS_OK && drive_table_is_ready(&done->reply->table))
        r = target_describe(t, &done->reply->table, now.wall);
    if (r >= 0 && done->error.class == AWS_OK)
        r = engine_table_described(e, t, now, out);
    else if (r >= 0 && done->error.class == AWS_NOT_FOUND)
        r = engine_table_gone(e, t, now, out);
    return r < 0 ? r : engine_arm_ahead(e, t);
}
