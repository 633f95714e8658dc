#include "core/run/poll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/run/look.h"

/* Backups that were created further apart than this are listed apart. */
#define SPAN_GAP_USEC USEC_PER_MINUTE
/* Fewer are described. */
#define SPAN_MIN 4
#define GAP_MIN_USEC (500 * USEC_PER_MSEC)
#define GAP_MAX_USEC (10 * USEC_PER_SEC)
#define PAGE 100
/* A round that describes makes listing look this much cheaper, so that it is tried again. */
#define COST_FADES 0.8
#define COST_MAX 4.0

static void clear(Poll *p) {
    for (size_t i = 0; i < p->n_members; i++)
        free(p->members[i].arn);
    p->n_members = p->n_spans = p->span = p->n_pages = p->n_span_pages = 0;
    free(TAKE_PTR(p->cursor));
    p->is_listing = false;
}

void poll_free(Poll *p) {
    if (!p)
        return;
    clear(p);
    free(p->members);
    free(p->spans);
    heap_done(&p->due);
    free(p->account);
    free(p->region);
    free(p);
}

int poll_new(const char *account, const char *region, Poll **ret) {
    CLEANUP(poll_free_ptr) Poll *p = calloc(1, sizeof *p);
    if (!p || text_set(&p->account, account) < 0 || text_set(&p->region, region) < 0)
        return -ENOMEM;
    p->list_cost = 1.0 / PAGE;
    *ret = TAKE_PTR(p);
    return 0;
}

bool poll_takes(const Run *r) {
    return r->action == ACTION_BACKUP && r->state == RUN_IN_PROGRESS && r->n_deferred == 0 && r->artefact &&
           r->artefact->arn;
}

int poll_wait(Poll *p, Run *r, Usec at_mono) { return heap_set(&p->due, &r->poll, at_mono); }

Usec poll_next_mono(const Poll *p) {
    Usec due = heap_next(&p->due);
    return p->is_listing || due == USEC_INFINITY ? USEC_INFINITY : usec_max(due, p->next_mono);
}

/* --- the plan of a round --- */

static int by_creation(const void *a, const void *b) {
    Usec x = ((const PollMember *)a)->created_wall, y = ((const PollMember *)b)->created_wall;
    return (x > y) - (x < y);
}

static int by_arn(const void *a, const void *b) {
    return strcmp(((const PollMember *)a)->arn, ((const PollMember *)b)->arn);
}

static int add_member(Poll *p, Run *r, bool is_wanted) {
    const Artefact *a = r->artefact;
    if (ARRAY_GROW(p->members, p->n_members, p->n_members_room) < 0)
        return -ENOMEM;
    PollMember m = {.run_id = r->id, .run = r, .arn = strdup(a->arn), .due_mono = r->poll.at, .is_wanted = is_wanted};
    if (!m.arn)
        return -ENOMEM;
    m.created_wall = a->created_wall != WALL_UNKNOWN ? a->created_wall : look_wall_of_arn(a->arn);
    p->members[p->n_members++] = m;
    return 0;
}

/* Those that are due, and those that soon will be: a listing tells of them, too. How soon goes by
 * the pace of rounds. */
static int take_due(Poll *p, Now now) {
    Usec slack = usec_min((now.mono - p->ended_mono) / 4, 30 * USEC_PER_SEC);
    Usec until = now.mono + usec_max(slack, usec_max(p->gap_usec, USEC_PER_SEC));
    Run *r;
    while ((r = heap_due(&p->due, until))) {
        int rc = add_member(p, r, true);
        if (rc < 0)
            return rc;
        heap_set(&p->due, &r->poll, USEC_INFINITY);
    }
    return 0;
}

/* Members are in the order of their creation. Returns how many lie in spans. */
static int make_spans(Poll *p, size_t *ret_n) {
    size_t n = 0;
    for (size_t i = 0, end; i < p->n_members; i = end) {
        PollMember *m = p->members;
        for (end = i + 1; end < p->n_members; end++)
            if (m[end].created_wall - m[end - 1].created_wall > SPAN_GAP_USEC)
                break;
        if (end - i < SPAN_MIN || m[i].created_wall == WALL_UNKNOWN)
            continue;
        if (ARRAY_GROW(p->spans, p->n_spans, p->n_spans_room) < 0)
            return -ENOMEM;
        /* the bounds have milliseconds, and the upper one is exclusive */
        p->spans[p->n_spans++] = (PollSpan){
            .lower_wall = m[i].created_wall / USEC_PER_MSEC * USEC_PER_MSEC,
            .upper_wall = (m[end - 1].created_wall / USEC_PER_MSEC + 2) * USEC_PER_MSEC,
            .n_members = end - i,
        };
        n += end - i;
        for (; i < end; i++)
            m[i].is_listed = true;
    }
    *ret_n = n;
    return 0;
}

/* The pages of a span tell of all that were created in it. */
static int take_bystanders(Poll *p) {
    size_t first = p->n_members;
    for (size_t i = 0; i < p->due.n_nodes; i++) {
        Run *r = p->due.nodes[i]->owner;
        for (size_t j = 0; j < p->n_spans; j++) {
            PollSpan *s = &p->spans[j];
            if (r->artefact->created_wall < s->lower_wall || r->artefact->created_wall >= s->upper_wall)
                continue;
            int rc = add_member(p, r, false);
            if (rc < 0)
                return rc;
            p->members[p->n_members - 1].is_listed = true;
            s->n_members++;
            break;
        }
    }
    for (size_t i = first; i < p->n_members; i++)
        heap_set(&p->due, &p->members[i].run->poll, USEC_INFINITY);
    return 0;
}

int poll_begin(Poll *p, Now now) {
    size_t n;
    clear(p);
    if (now.mono - p->ended_mono > USEC_PER_MINUTE)
        p->gap_usec = 0;
    int r = take_due(p, now);
    if (r < 0)
        return r;
    qsort(p->members, p->n_members, sizeof p->members[0], by_creation);
    if ((r = make_spans(p, &n)) < 0)
        return r;
    double calls = p->list_cost * (double)n;
    if ((double)p->n_spans > calls)
        calls = (double)p->n_spans;
    p->is_listing = n > 0 && calls < (double)n;
    if (!p->is_listing) {
        for (size_t i = 0; i < p->n_members; i++)
            p->members[i].is_listed = false;
        p->list_cost *= n > 0 ? COST_FADES : 1;
        p->next_mono = n > 0 ? now.mono + GAP_MIN_USEC : now.mono;
        return 0;
    }
    r = take_bystanders(p);
    qsort(p->members, p->n_members, sizeof p->members[0], by_arn);
    return r;
}

/* --- the listing --- */

int poll_request(const Poll *p, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_BACKUPS);
    if (!q || text_set(&q->list_backups.start_arn, p->cursor) < 0)
        return -ENOMEM;
    q->list_backups.lower_wall = p->spans[p->span].lower_wall;
    q->list_backups.upper_wall = p->spans[p->span].upper_wall;
    q->list_backups.limit = PAGE;
    *ret = TAKE_PTR(q);
    return 0;
}

PollMember *poll_find(const Poll *p, const char *arn) {
    PollMember key = {.arn = (char *)arn};
    return p->n_members > 0 ? bsearch(&key, p->members, p->n_members, sizeof p->members[0], by_arn) : NULL;
}

/* A span whose pages are more than its backups is full of others'; a cursor that repeats itself leads nowhere. */
int poll_turn_page(Poll *p, const char *next, bool *ret_more) {
    p->n_pages++;
    p->n_span_pages++;
    bool goes_on = next && !text_equal(next, p->cursor) && p->n_span_pages < p->spans[p->span].n_members;
    if (text_set(&p->cursor, goes_on ? next : NULL) < 0)
        return -ENOMEM;
    if (!goes_on) {
        p->span++;
        p->n_span_pages = 0;
    }
    *ret_more = p->span < p->n_spans;
    return 0;
}

void poll_give_up(Poll *p) {
    p->n_pages++;
    p->span = p->n_spans;
}

void poll_end(Poll *p, Now now) {
    size_t n = 0, n_absent = 0;
    for (size_t i = 0; i < p->n_members; i++) {
        n += p->members[i].is_listed;
        n_absent += p->members[i].is_listed && p->members[i].is_wanted && !p->members[i].is_done;
    }
    double cost = n > 0 ? (double)(p->n_pages + n_absent) / (double)n : 0;
    p->list_cost = cost < COST_MAX ? cost : COST_MAX;
    p->gap_usec = usec_min(usec_max(2 * p->gap_usec, GAP_MIN_USEC), GAP_MAX_USEC);
    p->ended_mono = now.mono;
    p->next_mono = now.mono + p->gap_usec;
    p->is_listing = false;
}
