#pragma once
/* Following many backups of one account and region at once. A round takes those that are to be looked at and groups
 * them into spans in which they were created; a span is listed, where a page tells of a hundred, or its backups are
 * described one by one: whichever took fewer calls last. That a listing does not show a backup proves nothing: it is
 * described then. Pure: the engine asks, applies and describes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/heap.h"
#include "core/aws/codec.h"
#include "core/run/run.h"

typedef struct PollMember {
    int64_t run_id;
    char *arn;
    Usec created_wall; /* the service's */
    Usec due_mono;
    Run *run;       /* while the round is planned */
    bool is_wanted; /* it was its turn; the others lie in a span that is listed anyway */
    bool is_listed; /* lies in a span; the others are described */
    bool is_done;   /* a page told what it is */
} PollMember;

typedef struct PollSpan {
    Usec lower_wall, upper_wall;
    size_t n_members;
} PollSpan;

typedef struct Poll {
    char *account, *region;
    Heap due; /* of Run.poll, mono */
    Usec next_mono, ended_mono, gap_usec; /* between rounds that list */
    double list_cost;                     /* calls for each backup, as of the last round that listed */

    /* The round under way, while it lists. */
    bool is_listing;
    PollMember *members; /* by ARN */
    size_t n_members, n_members_room;
    PollSpan *spans;
    size_t n_spans, n_spans_room;
    size_t span; /* that is being listed */
    char *cursor;
    size_t n_pages, n_span_pages;
} Poll;

int poll_new(const char *account, const char *region, Poll **ret);
void poll_free(Poll *p);
DEFINE_CLEANUP(Poll, poll_free)

/* A run that can be followed so: its backup is being made, and the last look at it went well. */
bool poll_takes(const Run *r);
/* Waits until then; USEC_INFINITY: not any more. */
int poll_wait(Poll *p, Run *r, Usec at_mono);
/* When the next round wants to begin; USEC_INFINITY: not now. */
Usec poll_next_mono(const Poll *p);

/* Begins a round. Its members are those that are due; p->is_listing: ask poll_request. */
int poll_begin(Poll *p, Now now);
int poll_request(const Poll *p, AwsRequest **ret);
/* The member of that ARN, or NULL. */
PollMember *poll_find(const Poll *p, const char *arn);
/* A page was taken. *ret_more: poll_request has the next question. */
int poll_turn_page(Poll *p, const char *next, bool *ret_more);
/* The listing failed: its pages tell nothing more. */
void poll_give_up(Poll *p);
/* The round is over: the members that are not done are described. Keeps them until the next round. */
void poll_end(Poll *p, Now now);
