/* Follows backups that are being made: the engine's side of core/run/poll.h. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/run/drive.h"

/* A listing that takes longer than this has failed. */
#define PATIENCE_USEC (5 * USEC_PER_MINUTE)

static int find_poll(Engine *e, const Run *r, Poll **ret) {
    for (size_t i = 0; i < e->n_polls; i++)
        if (strcmp(e->polls[i]->account, r->account) == 0 && strcmp(e->polls[i]->region, r->region) == 0) {
            *ret = e->polls[i];
            return 0;
        }
    if (ARRAY_GROW(e->polls, e->n_polls, e->n_polls_room) < 0 || poll_new(r->account, r->region, ret) < 0)
        return -ENOMEM;
    e->polls[e->n_polls++] = *ret;
    return 0;
}

int engine_wait(Engine *e, Run *r, Usec at_mono) {
    Poll *p;
    if (!poll_takes(r)) {
        engine_stop_polling(e, r);
        return heap_set(&e->steps, &r->step, at_mono);
    }
    heap_set(&e->steps, &r->step, USEC_INFINITY);
    int rc = find_poll(e, r, &p);
    return rc < 0 ? rc : poll_wait(p, r, at_mono);
}

void engine_stop_polling(Engine *e, Run *r) {
    Poll *p;
    if (r->poll.at != USEC_INFINITY && find_poll(e, r, &p) >= 0)
        poll_wait(p, r, USEC_INFINITY);
}

Usec engine_poll_mono(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->n_polls; i++)
        next = usec_min(next, poll_next_mono(e->polls[i]));
    return next;
}

static int list(Engine *e, size_t i, Now now) {
    Poll *p = e->polls[i];
    AwsRequest *request = NULL;
    int r = poll_request(p, &request);
    return r < 0 ? r
                 : client_begin(e->client,
                                &(CallSpec){.account = p->account,
                                            .region = p->region,
                                            .request = request,
                                            .tag = tag_make(TAG_OF_POLL, i),
                                            .deadline_mono = now.mono + PATIENCE_USEC},
                                now);
}

/* Whose turn it is, and nobody asks yet. */
static Run *waiting(const Engine *e, const PollMember *m) {
    Run *r = engine_find_run(e, (uint64_t)m->run_id);
    return r && !r->calling && poll_takes(r) ? r : NULL;
}

/* What no listing tells of is described when it is its turn. */
static int describe_rest(Engine *e, Poll *p, bool listed, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < p->n_members; i++) {
        const PollMember *m = &p->members[i];
        Run *run = m->is_listed == listed && !m->is_done ? waiting(e, m) : NULL;
        if (run)
            r = !m->is_wanted || (!listed && m->due_mono > now.mono) ? poll_wait(p, run, m->due_mono)
                                                  : heap_set(&e->steps, &run->step, now.mono);
    }
    return r;
}

int engine_poll(Engine *e, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->n_polls; i++) {
        Poll *p = e->polls[i];
        if (poll_next_mono(p) > now.mono)
            continue;
        r = poll_begin(p, now);
        if (r >= 0)
            r = describe_rest(e, p, false, now);
        if (r >= 0 && p->is_listing)
            r = list(e, i, now);
    }
    return r;
}

static int take_item(Engine *e, const Poll *p, const BackupInfo *info, Now now, EngineOutbox *out) {
    PollMember *m = poll_find(p, info->arn);
    Run *r = m ? waiting(e, m) : NULL;
    Usec wait = 0;
    if (!r)
        return 0;
    int rc = backup_take_listed(r, info, now, &wait);
    if (rc <= 0)
        return rc;
    m->is_done = true;
    if ((rc = engine_settle_notes(e, r, now, out)) < 0 || run_is_settled(r))
        return rc;
    return engine_wait(e, r, now.mono + wait);
}

int engine_polled(Engine *e, const CallDone *done, Now now, EngineOutbox *out) {
    size_t at = tag_index(done->tag);
    Poll *p = e->polls[at];
    bool more = false;
    int r = 0;
    if (done->error.class != AWS_OK)
        poll_give_up(p);
    else {
        const BackupList *page = &done->reply->backups;
        for (size_t i = 0; r >= 0 && i < page->n_items; i++)
            r = take_item(e, p, &page->items[i], now, out);
        if (r >= 0)
            r = poll_turn_page(p, page->next, &more);
    }
    if (r >= 0 && more)
        return list(e, at, now);
    poll_end(p, now);
    return r < 0 ? r : describe_rest(e, p, true, now);
}
