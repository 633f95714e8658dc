#include "core/engine/engine_inside.h"

#include "base/date.h"
#include "base/parse.h"

bool engine_pause_holds(const Engine *e, const Run *r) {
    return engine_is_paused(e) && (r->state == RUN_DUE || r->state == RUN_INTENDED);
}

/* What was about to be asked is not asked now. */
static void hold_back(Engine *e) {
    for (size_t i = 0; i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if (!engine_pause_holds(e, r) || !r->calling)
            continue;
        client_cancel(e->client, (uint64_t)r->id);
        r->calling = r->asking = false;
    }
}

/* What was held back goes on. */
static int let_go(Engine *e, Now now) {
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if ((r->state == RUN_DUE || r->state == RUN_INTENDED) && !r->calling)
            rc = heap_set(&e->steps, &r->step, now.mono);
    }
    return rc;
}

static int say_paused(Engine *e, EngineOutbox *out) {
    char until[DATE_ISO_SIZE];
    Report *report = NULL;
    const Pause *p = &e->pause;
    date_to_iso(p->until_wall / USEC_PER_SEC * USEC_PER_SEC, until);
    int r = report_plain(REPORT_PAUSED, &report,
                         "paused by %s until %s%s%s: nothing new starts; HINT: 'ddbackupctl resume' ends it", p->who,
                         until, p->why ? ": " : "", p->why ? p->why : "");
    e->pause_is_unsaid = false;
    return r < 0 ? r : engine_say(out, report);
}

int engine_pause(Engine *e, Order *o, Now now, EngineOutbox *out) {
    char until[DATE_ISO_SIZE], most[DURATION_SIZE];
    if (o->until_wall <= now.wall)
        return order_answer(o, ORDER_REFUSED,
                            "the end of the pause has passed already; HINT: give one that is to come");
    if (o->until_wall - now.wall > PAUSE_MAX_USEC)
        return order_answer(o, ORDER_REFUSED,
                            "no pause is longer than %s; HINT: stop the daemon, or take its tables out of the "
                            "configuration with a reason",
                            duration_to_string(PAUSE_MAX_USEC, most));
    bool was_paused = engine_is_paused(e);
    int r = pause_set(&e->pause, now.wall, o->until_wall, o->who, o->why);
    if (r < 0)
        return r;
    hold_back(e);
    if ((r = say_paused(e, out)) < 0)
        return r;
    date_to_iso(o->until_wall / USEC_PER_SEC * USEC_PER_SEC, until);
    return order_answer(o, ORDER_DONE, "%s until %s: nothing new starts, and what has begun goes on",
                        was_paused ? "the pause now lasts" : "paused", until);
}

/* One that the ledger knew and that had run out before this process could say so is no news. */
static int end_pause(Engine *e, Now now, const char *by, EngineOutbox *out) {
    Report *report = NULL;
    bool is_news = by || !e->pause_is_unsaid;
    int r = 0;
    pause_done(&e->pause);
    if (is_news)
        r = report_plain(REPORT_RESUMED, &report, "the pause is over%s%s", by ? ": ended by " : "", by ? by : "");
    if (report)
        r = engine_say(out, report);
    return r < 0 ? r : let_go(e, now);
}

int engine_resume(Engine *e, Order *o, Now now, EngineOutbox *out) {
    if (!engine_is_paused(e))
        return order_answer(o, ORDER_UNCHANGED, "it is not paused");
    int r = end_pause(e, now, o->who, out);
    return r < 0 ? r : order_answer(o, ORDER_DONE, "resumed");
}

int engine_watch_pause(Engine *e, Now now, EngineOutbox *out) {
    bool is_over = engine_is_paused(e) && trust_has_time(&e->trust, now) && now.wall >= e->pause.until_wall;
    if (is_over)
        return end_pause(e, now, NULL, out);
    return engine_is_paused(e) && e->pause_is_unsaid && now.wall < e->pause.until_wall ? say_paused(e, out) : 0;
}
