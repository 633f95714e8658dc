#include "daemon/loop_inside.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "daemon/session.h"
#include "io/clocks.h"
#include "io/credentials_fetch.h"
#include "io/credentials_source.h"
#include "io/journal.h"
#include "io/notify.h"
#include "io/region.h"
#include "io/varlink_server.h"

/* How long a stop waits for the answer to a request that makes something. */
#define STOP_GRACE_USEC (1500 * USEC_PER_MSEC)

static void loop_done(Loop *l) {
    control_free(l->control);
    watch_free(l->watch);
    zone_watch_free(l->zone_watch);
    conf_tree_free(l->tree);
    processes_free(l->processes);
    keeper_free(l->keeper);
    provider_outbox_done(&l->kept);
    engine_outbox_done(&l->out);
    engine_free(l->engine);
    transport_free(l->transport);
    store_close(l->store);
    sd_event_source_disable_unref(l->timer_source);
    sd_event_source_disable_unref(l->order_source);
    sd_event_source_disable_unref(l->watchdog_source);
    if (l->timer_fd >= 0)
        close(l->timer_fd);
    sd_event_unref(l->event);
    free(l->region);
    free(l->reload_problem);
    free(l->status);
}

/* --- what wakes it --- */

static int on_timer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    uint64_t n;
    if (read(fd, &n, sizeof n) < 0 && errno != ECANCELED && errno != EAGAIN)
        return -errno;
    return loop_turn(userdata);
}

static void on_replies(Transport *transport, void *userdata) {
    Loop *l = userdata;
    HttpReply *reply;
    int r = 0;
    while (r >= 0 && (reply = transport_take(transport)))
        r = keeper_owns(reply->id) ? keeper_reply(l->keeper, reply, clocks_read()) : engine_push(l->engine, reply);
    if (r < 0)
        loop_give_up(l, "a reply could not be taken", r);
    else
        loop_turn(l);
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
    Loop *l = userdata;
    int r = loop_turn(l);
    notify_watchdog();
    sd_event_source_set_time(source, usec + (uint64_t)l->watchdog_usec / 2);
    sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return r;
}

static int on_grace_over(sd_event_source *source, uint64_t usec, void *userdata) {
    return sd_event_exit(((Loop *)userdata)->event, 0);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
    Loop *l = userdata;
    if (l->stopping)
        return sd_event_exit(l->event, 0);
    l->stopping = true;
    notify_stopping();
    engine_stop(l->engine);
    sd_event_add_time_relative(l->event, NULL, CLOCK_MONOTONIC, STOP_GRACE_USEC, 0, on_grace_over, l);
    return loop_turn(l);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
    return loop_reload(userdata);
}

/* --- orders --- */

static int on_orders(sd_event_source *source, void *userdata) { return loop_turn(userdata); }

static void orders_wanted(void *context) {
    Loop *l = context;
    (void)sd_event_source_set_enabled(l->order_source, SD_EVENT_ONESHOT);
}

static int reload_ordered(void *context, char **ret_problem) {
    Loop *l = context;
    int r = loop_reload(l);
    return r < 0 ? r : text_set(ret_problem, l->reload_problem);
}

static size_t find_troubles(Loop *l) {
    EngineTrouble t;
    size_t n = 0;
    for (size_t i = 0; n < LOOP_TROUBLES_MAX && i < keeper_n_accounts(l->keeper); i++) {
        const Provider *p = keeper_provider(l->keeper, i);
        if (provider_problem(p))
            l->troubles[n++] = (ControlTrouble){
                .account = provider_account(p), .is_of_credentials = true, .message = provider_problem(p)};
    }
    for (size_t i = 0; n < LOOP_TROUBLES_MAX && engine_trouble(l->engine, i, &t); i++)
        l->troubles[n++] = (ControlTrouble){.account = t.account, .region = t.region, .message = t.message};
    return n;
}

static void tell_state(void *context, ControlState *ret) {
    Loop *l = context;
    EngineSummary s;
    engine_summary(l->engine, clocks_read(), &s);
    *ret = (ControlState){.deployment = engine_conf(l->engine)->deployment,
                          .status = l->status ? l->status : "",
                          .state_directory = l->options->state_directory,
                          .reload_refused = l->reload_problem,
                          .troubles = l->troubles,
                          .n_troubles = find_troubles(l),
                          .trusts_clock = s.trusts_clock,
                          .paused_until_wall = s.paused_until_wall,
                          .n_unsettled = s.n_unsettled,
                          .n_turns = l->n_turns,
                          .late_usec = l->late_usec};
    l->late_usec = 0;
}

/* Backups are made without it, too. */
static void open_control(Loop *l) {
    static const ControlLoop calls = {.wanted = orders_wanted, .reload = reload_ordered, .state = tell_state};
    AUTO_FREE char *problem = NULL;
    int r = sd_event_add_defer(l->event, &l->order_source, on_orders, l);
    if (r >= 0)
        r = sd_event_source_set_priority(l->order_source, VARLINK_PRIORITY);
    if (r >= 0)
        r = sd_event_source_set_enabled(l->order_source, SD_EVENT_OFF);
    if (r >= 0)
        r = control_new(l->event, l->options->runtime_directory, &calls, l, &l->control, &problem);
    if (r < 0)
        journal_event(REPORT_NO_CONTROL, "%s", problem ? problem : strerror(-r));
    else
        loop_set_control_group(l);
}

/* --- start --- */

/* The exit status, 0 when it can go on. */
static int begin(Loop *l) {
    AUTO_FREE char *problem = NULL;
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    CLEANUP(ledger_done) Ledger ledger = {};
    int r = session_load_conf(l->options->config, &conf, &l->tree, &problem), status = EXIT_CONF;
    if (r >= 0)
        r = region_find(conf, &l->region, &problem);
    if (r >= 0) {
        status = 1;
        journal_set_level(conf->log_level);
        loop_advise(l, conf);
        r = store_open(l->options->state_directory, &l->store, &problem);
    }
    if (r >= 0 && (r = store_load(l->store, &ledger)) < 0)
        problem = strdup(store_error(l->store));
    if (r < 0) {
        journal_event(REPORT_NOT_STARTED, "%s", problem ? problem : strerror(-r));
        return status;
    }
    size_t n_resumed = ledger.n_runs;
    bool is_new = ledger.targets.n_items == 0 && ledger.next_run_id == 1;
    TransportSettings transport = loop_transport_settings(conf);
    EngineSettings settings = loop_engine_settings(l);
    ProcessLimits processes = CREDENTIALS_PROCESS_LIMITS;
    if ((r = transport_new(l->event, &transport, on_replies, l, &l->transport)) < 0 ||
        (r = processes_new(l->event, &processes, loop_on_process, l, &l->processes)) < 0 ||
        (r = keeper_new(credentials_port(), settings.seed, &l->keeper)) < 0 ||
        (r = engine_new(TAKE_PTR(conf), &ledger, &settings, clocks_read(), &l->engine)) < 0) {
        journal_event(REPORT_NOT_STARTED, "start: %s", strerror(-r));
        return 1;
    }
    if ((r = loop_look_for_credentials(l)) < 0) {
        journal_event(REPORT_NOT_STARTED, "credentials cannot be looked for: %s", strerror(-r));
        return 1;
    }
    open_control(l);
    if ((r = loop_watch_zones(l)) < 0) {
        journal_event(REPORT_NOT_STARTED, "time zones cannot be watched: %s", strerror(-r));
        return 1;
    }
    journal_event(REPORT_STARTED, PACKAGE_STRING " started: deployment %s, %zu unsettled runs taken up, state in %s%s",
                  engine_conf(l->engine)->deployment, n_resumed, l->options->state_directory,
                  is_new ? "; the ledger is new; HINT: if one was lost, stop the daemon and run 'ddbackupctl rebuild'"
                         : "");
    return 0;
}

static int add_sources(Loop *l) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int r;
    if ((r = sd_event_add_signal(l->event, NULL, SIGTERM, on_stop, l)) < 0 ||
        (r = sd_event_add_signal(l->event, NULL, SIGINT, on_stop, l)) < 0 ||
        (r = sd_event_add_signal(l->event, NULL, SIGHUP, on_reload, l)) < 0)
        return r;
    l->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->timer_fd < 0)
        return -errno;
    if ((r = sd_event_add_io(l->event, &l->timer_source, l->timer_fd, EPOLLIN, on_timer, l)) < 0)
        return r;
    l->watchdog_usec = notify_watchdog_usec();
    if (l->watchdog_usec <= 0)
        return 0;
    return sd_event_add_time_relative(l->event, &l->watchdog_source, CLOCK_MONOTONIC, (uint64_t)l->watchdog_usec / 2,
                                      (uint64_t)l->watchdog_usec / 16, on_watchdog, l);
}

int loop_run(const DaemonOptions *options) {
    CLEANUP(loop_done) Loop l = {.options = options, .timer_fd = -1, .wanted_mono = USEC_INFINITY};
    int r = sd_event_new(&l.event);
    if (r >= 0)
        r = add_sources(&l);
    if (r < 0) {
        journal_event(REPORT_NOT_STARTED, "start: %s", strerror(-r));
        return 1;
    }
    int status = begin(&l);
    if (status != 0)
        return status;
    r = loop_turn(&l);
    notify_ready(l.status ? l.status : "");
    if (r >= 0)
        r = sd_event_loop(l.event);
    if (r == 0)
        journal_event(REPORT_STOPPED, "stopped");
    return r < 0 ? EXIT_BROKEN : r;
}
