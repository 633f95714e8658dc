#include "daemon/loop_inside.h"

#include <malloc.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/date.h"
#include "base/parse.h"
#include "daemon/status_line.h"
#include "io/clocks.h"
#include "io/journal.h"
#include "io/notify.h"

static void arm_timer(Loop *l, Usec next_wall) {
    struct itimerspec at = {};
    if (next_wall != USEC_INFINITY) {
        at.it_value.tv_sec = next_wall / USEC_PER_SEC;
        at.it_value.tv_nsec = next_wall % USEC_PER_SEC * 1000;
    } else
        at.it_value.tv_sec = WALL_MAX / USEC_PER_SEC; /* armed all the same: a step of the clock wakes us */
    timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

/* While turn follows turn, once a second is enough; the last of them, with nothing to come soon, tells what remains. */
static bool status_can_wait(const Loop *l, Now now, Usec next_wall) {
    return l->status && next_wall - now.wall < USEC_PER_SEC && now.mono - l->told_mono < USEC_PER_SEC;
}

static void tell_status(Loop *l, Now now) {
    AUTO_TEXT t = TEXT_INIT(1024);
    (void)status_line(l->engine, l->keeper, l->reload_problem, now, &t);
    l->told_mono = now.mono;
    if (text_equal(l->status, text_get(&t)))
        return;
    notify_status(text_get(&t));
    (void)text_set(&l->status, text_get(&t));
}

static int send_requests(Loop *l) {
    int r = loop_send_kept(l);
    for (size_t i = 0; r >= 0 && i < l->out.n_requests; i++)
        r = transport_send(l->transport, TAKE_PTR(l->out.requests[i]));
    return r;
}

int loop_give_up(Loop *l, const char *what, int error) {
    journal_event(REPORT_BROKEN, "%s: %s; HINT: nothing unsaved was sent; the next start goes on from the ledger", what,
                  strerror(-error));
    return sd_event_exit(l->event, EXIT_BROKEN);
}

/* CLOCK_BOOTTIME counts through suspend, CLOCK_MONOTONIC does not. */
static void notice_suspend(Loop *l, Now now) {
    struct timespec awake;
    char duration[DURATION_SIZE];
    clock_gettime(CLOCK_MONOTONIC, &awake);
    Usec suspended = now.mono - (awake.tv_sec * USEC_PER_SEC + awake.tv_nsec / 1000);
    Usec usec = (suspended - l->suspended_usec) / USEC_PER_SEC * USEC_PER_SEC;
    if (usec > 0 && l->suspended_usec > 0)
        journal_event(REPORT_SUSPENDED, "the host was suspended for %s", duration_to_string(usec, duration));
    l->suspended_usec = usec_max(suspended, 1);
}

static void measure_turn(Loop *l, Now now) {
    l->n_turns++;
    if (l->wanted_mono != USEC_INFINITY)
        l->late_usec = usec_max(l->late_usec, now.mono - l->wanted_mono);
}

/* What makes the next turn cheap is kept no longer than this: connections do not last longer either. */
#define KEPT_USEC (2 * USEC_PER_MINUTE)

/* Once for each time that nothing more is to be done. */
static void rest(Loop *l, Usec usec) {
    bool busy = transport_n_requests(l->transport) > 0;
    if (busy || !ledger_batch_is_empty(&l->out.batch))
        l->rests = false;
    if (busy || l->rests || usec < KEPT_USEC)
        return;
    store_rest(l->store);
    transport_rest(l->transport);
    malloc_trim(0);
    l->rests = true;
}

int loop_turn(Loop *l) {
    Now now = clocks_read();
    Usec next_wall, keeper_mono;
    const char *expired;
    measure_turn(l, now);
    notice_suspend(l, now);
    engine_outbox_clear(&l->out);
    int r = l->control ? control_push(l->control, l->engine) : 0;
    if (r < 0)
        return loop_give_up(l, "an order could not be taken", r);
    r = loop_turn_keeper(l, now, &keeper_mono);
    if (r < 0)
        return loop_give_up(l, "credentials could not be looked after", r);
    r = engine_turn(l->engine, now, &l->out, &next_wall);
    if (r < 0)
        return loop_give_up(l, "a turn of the engine failed", r);
    r = store_commit(l->store, &l->out.batch);
    if (r < 0) {
        journal_event(REPORT_BROKEN, "%s", store_error(l->store));
        return sd_event_exit(l->event, EXIT_BROKEN);
    }
    if (l->control)
        control_take(l->control, &l->out);
    engine_committed(l->engine, &l->out);
    for (size_t i = 0; i < l->out.n_reports; i++)
        journal_say(l->out.reports[i], now);
    r = send_requests(l);
    if (r < 0)
        return loop_give_up(l, "a request could not be handed over", r);
    while ((expired = engine_expired_account(l->engine))) {
        keeper_refresh(l->keeper, expired, now);
        keeper_mono = now.mono;
    }
    if (keeper_mono != USEC_INFINITY)
        next_wall = usec_min(next_wall, now.wall + usec_max(keeper_mono - now.mono, 0));
    arm_timer(l, next_wall);
    l->wanted_mono = next_wall == USEC_INFINITY ? next_wall : now.mono + (next_wall - now.wall);
    rest(l, next_wall - now.wall);
    if (!l->stopping) {
        if (!status_can_wait(l, now, next_wall))
            tell_status(l, now);
    } else if (engine_is_quiet(l->engine))
        return sd_event_exit(l->event, 0);
    return 0;
}
