/* Tables are described ahead of their slots, so that at the slot the intents of all that are due are complete at once,
 * however slow DescribeTable is. A run whose table was not described in time describes it itself. */

#include "core/engine_inside.h"

#include <errno.h>

#include "base/text.h"
#include "core/drive.h"
#include "core/limits.h"

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

int engine_arm_ahead(Engine *e, Target *t) {
    Usec due = t->describing ? USEC_INFINITY : first_due(t);
    return heap_set(&e->ahead, &t->ahead, due == USEC_INFINITY ? due : usec_max(0, due - e->lead_usec));
}

/* Long enough for all of them to be described before one instant at which they all are due. */
int engine_arm_all_ahead(Engine *e) {
    size_t n = 0;
    int r = 0;
    for (size_t i = 0; i < e->targets.n_items; i++)
        n += e->targets.items[i]->selected;
    double rate = limits[AWS_OP_DESCRIBE_TABLE].rate * e->conf->limits.rate_share;
    e->lead_usec = usec_min(LEAD_MIN_USEC + (Usec)((double)n * 1.1 / rate * USEC_PER_SEC), LEAD_MAX_USEC);
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++)
        r = engine_arm_ahead(e, e->targets.items[i]);
    return r;
}

static size_t free_place(const Engine *e) {
    size_t i = 0;
    while (i < ENGINE_AHEAD_MAX && e->describing[i])
        i++;
    return i;
}

Usec engine_ahead_wall(const Engine *e) {
    return free_place(e) < ENGINE_AHEAD_MAX ? heap_next(&e->ahead) : USEC_INFINITY;
}

int engine_describe_ahead(Engine *e, Now now) {
    Target *t;
    for (size_t i; (i = free_place(e)) < ENGINE_AHEAD_MAX && (t = heap_due(&e->ahead, now.wall));) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_TABLE);
        if (!q || text_set(&q->describe_table.table, t->table) < 0)
            return -ENOMEM;
        t->ahead_tried_wall = first_due(t);
        int r = client_begin(e->client,
                             &(CallSpec){.account = t->account,
                                         .region = t->region,
                                         .request = TAKE_PTR(q),
                                         .tag = TAG_AHEAD + i,
                                         .deadline_mono = now.mono + PATIENCE_USEC},
                             now);
        if (r < 0)
            return r;
        e->describing[i] = t;
        t->describing = true;
        heap_set(&e->ahead, &t->ahead, USEC_INFINITY);
    }
    return 0;
}

/* What goes wrong is the run's to say: it describes the table itself then. The description goes into the ledger with
 * the first intent that is built on it. */
int engine_described(Engine *e, const CallDone *done, Now now) {
    Target *t = TAKE_PTR(e->describing[done->tag - TAG_AHEAD]);
    t->describing = false;
    int r = 0;
    if (done->error.class == AWS_OK && drive_table_is_ready(&done->reply->table))
        r = target_describe(t, &done->reply->table, now.wall);
    return r < 0 ? r : engine_arm_ahead(e, t);
}
