#include "core/run/run.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/run/look.h"
#include "core/verify/verify.h"

static const char *const state_names[RUN_STATES] = {
    [RUN_DUE] = "due",
    [RUN_INTENDED] = "intended",
    [RUN_REQUESTED] = "requested",
    [RUN_UNCERTAIN] = "uncertain",
    [RUN_IN_PROGRESS] = "in_progress",
    [RUN_VERIFYING] = "verifying",
    [RUN_SUCCEEDED] = "succeeded",
    [RUN_FAILED] = "failed",
    [RUN_SKIPPED] = "skipped",
};

static const char *const event_names[RUN_EVENTS] = {
    [RUN_EV_PREPARED] = "prepared",
    [RUN_EV_SENT] = "sent",
    [RUN_EV_ACCEPTED] = "accepted",
    [RUN_EV_DEFERRED] = "deferred",
    [RUN_EV_REFUSED] = "refused",
    [RUN_EV_UNSURE] = "unsure",
    [RUN_EV_INTERRUPTED] = "interrupted",
    [RUN_EV_ADOPTED] = "adopted",
    [RUN_EV_ABSENT] = "absent",
    [RUN_EV_FINISHED] = "finished",
    [RUN_EV_VERIFIED] = "verified",
    [RUN_EV_DISPROVED] = "disproved",
    [RUN_EV_FAILED_THERE] = "failed there",
    [RUN_EV_RETRIED] = "retried",
    [RUN_EV_VANISHED] = "vanished",
    [RUN_EV_COVERED] = "covered",
    [RUN_EV_START_EXPIRED] = "start deadline passed",
    [RUN_EV_FINISH_EXPIRED] = "hard deadline passed",
    [RUN_EV_ORDERED] = "ordered",
    [RUN_EV_OVERDUE] = "overdue",
    [RUN_EV_OUTRUN] = "outrun",
};

/* The next state + 1; 0: the event is inert. Settled states have no row: nothing moves them. */
#define TO(state) ((state) + 1)
static const unsigned char next_states[RUN_STATES][RUN_EVENTS] = {
    [RUN_DUE] =
        {
            [RUN_EV_PREPARED] = TO(RUN_INTENDED),
            [RUN_EV_DEFERRED] = TO(RUN_DUE),
            [RUN_EV_REFUSED] = TO(RUN_FAILED),
            [RUN_EV_COVERED] = TO(RUN_SUCCEEDED),
            [RUN_EV_START_EXPIRED] = TO(RUN_SKIPPED),
            [RUN_EV_ORDERED] = TO(RUN_DUE),
            [RUN_EV_FINISH_EXPIRED] = TO(RUN_FAILED),
        },
    [RUN_INTENDED] =
        {
            [RUN_EV_ORDERED] = TO(RUN_INTENDED), /* once more, while it waits */
            [RUN_EV_SENT] = TO(RUN_REQUESTED),
            [RUN_EV_ADOPTED] = TO(RUN_IN_PROGRESS), /* an export whose token is too old to be repeated unseen */
            [RUN_EV_ABSENT] = TO(RUN_INTENDED),
            [RUN_EV_DEFERRED] = TO(RUN_INTENDED),
            [RUN_EV_REFUSED] = TO(RUN_FAILED),
            [RUN_EV_START_EXPIRED] = TO(RUN_SKIPPED),
            [RUN_EV_OUTRUN] = TO(RUN_FAILED),
            [RUN_EV_FINISH_EXPIRED] = TO(RUN_FAILED),
        },
    [RUN_REQUESTED] =
        {
            [RUN_EV_SENT] = TO(RUN_REQUESTED),
            [RUN_EV_ACCEPTED] = TO(RUN_IN_PROGRESS),
            [RUN_EV_DEFERRED] = TO(RUN_INTENDED),
            [RUN_EV_REFUSED] = TO(RUN_FAILED),
            [RUN_EV_UNSURE] = TO(RUN_UNCERTAIN),
            [RUN_EV_INTERRUPTED] = TO(RUN_UNCERTAIN),
            [RUN_EV_FINISH_EXPIRED] = TO(RUN_FAILED),
        },
    [RUN_UNCERTAIN] =
        {
            [RUN_EV_SENT] = TO(RUN_UNCERTAIN), /* an export's token, repeated */
            [RUN_EV_ACCEPTED] = TO(RUN_IN_PROGRESS),
            [RUN_EV_ADOPTED] = TO(RUN_IN_PROGRESS),
            [RUN_EV_DEFERRED] = TO(RUN_UNCERTAIN),
            [RUN_EV_UNSURE] = TO(RUN_UNCERTAIN),
            [RUN_EV_ABSENT] = TO(RUN_INTENDED),
            [RUN_EV_FINISH_EXPIRED] = TO(RUN_FAILED),
        },
    [RUN_IN_PROGRESS] =
        {
            [RUN_EV_FINISHED] = TO(RUN_VERIFYING),
            [RUN_EV_DEFERRED] = TO(RUN_IN_PROGRESS),
            [RUN_EV_FAILED_THERE] = TO(RUN_FAILED),
            [RUN_EV_RETRIED] = TO(RUN_INTENDED),
            [RUN_EV_VANISHED] = TO(RUN_FAILED),
            [RUN_EV_OVERDUE] = TO(RUN_IN_PROGRESS),
            [RUN_EV_OUTRUN] = TO(RUN_FAILED),
            [RUN_EV_FINISH_EXPIRED] = TO(RUN_FAILED),
        },
    [RUN_VERIFYING] =
        {
            [RUN_EV_VERIFIED] = TO(RUN_SUCCEEDED),
            [RUN_EV_DEFERRED] = TO(RUN_VERIFYING),
            [RUN_EV_DISPROVED] = TO(RUN_FAILED),
            [RUN_EV_RETRIED] = TO(RUN_INTENDED), /* an export whose content is bad */
            [RUN_EV_VANISHED] = TO(RUN_FAILED),
            [RUN_EV_OVERDUE] = TO(RUN_VERIFYING),
            [RUN_EV_OUTRUN] = TO(RUN_FAILED),
            [RUN_EV_FINISH_EXPIRED] = TO(RUN_FAILED),
        },
};

int run_new(int64_t id, Run **ret) {
    Run *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    *r = (Run){
        .id = id,
        .slot_wall = WALL_UNKNOWN,
        .due_wall = WALL_UNKNOWN,
        .start_by_wall = USEC_INFINITY,
        .warn_at_wall = USEC_INFINITY,
        .finish_by_wall = USEC_INFINITY,
        .attempt = 1,
        .intent_wall = WALL_UNKNOWN,
        .first_sent_wall = WALL_UNKNOWN,
        .sent_wall = WALL_UNKNOWN,
        .settled_wall = WALL_UNKNOWN,
        .from_wall = WALL_UNKNOWN,
        .to_wall = WALL_UNKNOWN,
        .step = HEAP_NODE(r),
        .poll = HEAP_NODE(r),
        .deadline = HEAP_NODE(r),
    };
    *ret = r;
    return 0;
}

void run_free(Run *r) {
    if (!r)
        return;
    free(r->schedule);
    free(r->account);
    free(r->region);
    free(r->table);
    free(r->name);
    free(r->table_id);
    free(r->table_arn);
    s3_conf_done(&r->s3);
    free(r->view_type);
    free(r->why);
    free(r->hint);
    free(r->request_id);
    verify_free(r->verification);
    run_notes_clear(r);
    free(r->notes);
    free(r->noted_why);
    artefact_free(r->artefact);
    artefact_free(r->failed_artefact);
    run_look_free(r->look);
    free(r);
}

bool run_is_settled(const Run *r) { return r->state >= RUN_SUCCEEDED; }

bool run_is_watched(const Run *r) {
    return run_is_settled(r) && r->artefact && r->artefact->life == ARTEFACT_IN_PROGRESS;
}

void run_notes_clear(Run *r) {
    for (size_t i = 0; i < r->n_notes; i++)
        free(r->notes[i].why);
    r->n_notes = 0;
}

/* What repeats itself for the same reason is one line of the story, not many. */
static void run_note(Run *r, RunEvent event, const RunCause *cause, Now now) {
    bool may_repeat = event == RUN_EV_DEFERRED || event == RUN_EV_UNSURE;
    if (may_repeat && r->noted_why && text_equal(r->noted_why, r->why))
        return;
    if (event != RUN_EV_SENT && event != RUN_EV_ORDERED) /* it lies between two deferrals or doubts */
        (void)text_set(&r->noted_why, may_repeat ? r->why : NULL);
    if (ARRAY_GROW(r->notes, r->n_notes, r->n_notes_room) < 0)
        return;
    r->notes[r->n_notes++] = (RunNote){
        .wall = now.wall, .event = event, .state = r->state, .why = cause && cause->why ? strdup(cause->why) : NULL};
}

bool run_apply(Run *r, RunEvent event, const RunCause *cause, Now now) {
    unsigned next = next_states[r->state][event];
    if (next == 0)
        return false;
    RunState state = (RunState)(next - 1);

    if (event == RUN_EV_SENT) {
        r->sent_wall = now.wall;
        if (r->first_sent_wall == WALL_UNKNOWN)
            r->first_sent_wall = now.wall;
        r->n_sends++;
    }
    if (event == RUN_EV_RETRIED) {
        r->attempt++;
        r->first_sent_wall = r->sent_wall = WALL_UNKNOWN;
    }
    if (event == RUN_EV_DEFERRED)
        r->n_deferred++;
    else if (event != RUN_EV_SENT && event != RUN_EV_ORDERED)
        r->n_deferred = 0;
    if (cause && event != RUN_EV_ORDERED) {
        (void)text_set(&r->why, cause->why);
        (void)text_set(&r->hint, cause->hint);
        (void)text_set(&r->request_id, cause->request_id);
    } else if (state == RUN_SUCCEEDED) {
        (void)text_set(&r->why, NULL);
        (void)text_set(&r->hint, NULL);
    }
    if (state != r->state) {
        r->n_polls = 0;
        run_look_free(TAKE_PTR(r->look));
    }
    r->state = state;
    if (run_is_settled(r))
        r->settled_wall = now.wall;
    r->changed = true;
    run_note(r, event, cause, now);
    return true;
}

Usec run_deadline(const Run *r) {
    if (run_is_settled(r))
        return USEC_INFINITY;
    Usec at = r->finish_by_wall;
    if (run_is_link(r) && (r->overdue || r->state < RUN_IN_PROGRESS))
        at = USEC_INFINITY; /* until it is accepted, nothing but itself can be asked for */
    if (r->state == RUN_DUE || r->state == RUN_INTENDED)
        at = usec_min(at, r->start_by_wall);
    if (!r->warned)
        at = usec_min(at, r->warn_at_wall);
    return at;
}

const char *run_state_to_string(RunState s) { return state_names[s]; }

int run_state_from_string(const char *s, RunState *ret) {
    for (int i = 0; i < RUN_STATES; i++)
        if (strcmp(state_names[i], s) == 0) {
            *ret = (RunState)i;
            return 0;
        }
    return -EINVAL;
}

const char *run_event_to_string(RunEvent e) { return event_names[e]; }
