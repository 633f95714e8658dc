#include "daemon/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/parse.h"
#include "core/engine.h"
#include "core/keeper.h"
#include "daemon/control.h"
#include "daemon/session.h"
#include "daemon/status_line.h"
#include "io/aws_defaults.h"
#include "io/clocks.h"
#include "io/credentials_fetch.h"
#include "io/credentials_source.h"
#include "io/journal.h"
#include "io/notify.h"
#include "io/process.h"
#include "io/region.h"
#include "io/store.h"
#include "io/transport.h"
#include "io/varlink_server.h"
#include "io/watch.h"
#include "io/zone_watch.h"

#define EXIT_BROKEN 70
#define EXIT_CONF 78 /* EX_CONFIG of sysexits.h; the unit does not start again after it */
/* How long a stop waits for the answer to a request that makes something. */
#define STOP_GRACE_USEC (1500 * USEC_PER_MSEC)

typedef struct Loop {
    const DaemonOptions *options;
    sd_event *event;
    Store *store;
    Engine *engine;
    Transport *transport;
    EngineOutbox out;
    Keeper *keeper;
    ProviderOutbox kept; /* of the keeper */
    Processes *processes;
    Watch *watch;
    ConfTree *tree; /* of the running configuration */
    ZoneWatch *zone_watch;
    char *region;
    char *reload_problem; /* of the last reload, while it was refused */
    char *status;         /* as last told */
    int timer_fd;         /* CLOCK_REALTIME, cancelled when the clock is set: a step is a reason for a turn */
    sd_event_source *timer_source, *watchdog_source;
    Control *control; /* NULL: its socket could not be made */
    sd_event_source *order_source; /* orders have come: a turn, once their senders have had their moment */
    uint64_t n_turns;
    Usec wanted_mono; /* the next turn; USEC_INFINITY: none */
    Usec late_usec;   /* how late it came at most, since that was asked */
    Usec watchdog_usec;
    Usec told_mono; /* when the status was made last */
    Usec suspended_usec; /* since boot, as of the last turn */
    bool stopping;
} Loop;

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

/* --- the turn --- */

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

static int send_kept(Loop *l) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < l->kept.n_requests; i++)
        r = transport_send(l->transport, TAKE_PTR(l->kept.requests[i]));
    for (size_t i = 0; r >= 0 && i < l->kept.n_processes; i++)
        r = processes_run(l->processes, l->kept.processes[i].id, l->kept.processes[i].argv);
    provider_outbox_clear(&l->kept);
    return r;
}

static int send_requests(Loop *l) {
    int r = send_kept(l);
    for (size_t i = 0; r >= 0 && i < l->out.n_requests; i++)
        r = transport_send(l->transport, TAKE_PTR(l->out.requests[i]));
    return r;
}

/* A turn that fails ends the process: what is on disk is where the next start goes on. */
static int give_up(Loop *l, const char *what, int error) {
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

/* Each change of an account's credentials is said once, whoever waits for them. */
static int take_news(Loop *l, const ProviderNews *n) {
    char until[DATE_ISO_SIZE];
    bool own = strcmp(n->account, ACCOUNT_OWN) == 0;
    const char *account = own ? "" : n->account, *colon = own ? "" : ": ";
    if (!n->found) {
        if (n->is_new)
            journal_event(REPORT_CREDENTIALS, "%s%scredentials: %s%s", account, colon, n->why, n->has_old ? "; the old ones stay in use" : "");
        return n->has_old ? 0 : engine_set_credentials(l->engine, n->account, NULL);
    }
    bool expires = n->found->expires_wall != USEC_INFINITY;
    if (n->is_new)
        journal_event(REPORT_CREDENTIALS_FOUND, "%s%scredentials: key %.4s... from %s%s%s", account, colon, n->found->access_key_id,
                      n->found->source, expires ? ", good until " : "",
                      expires ? date_to_iso(n->found->expires_wall / USEC_PER_SEC * USEC_PER_SEC, until) : "");
    return engine_set_credentials(l->engine, n->account, n->found);
}

static int turn_keeper(Loop *l, Now now, Usec *ret_next_mono) {
    provider_outbox_clear(&l->kept);
    int r = keeper_turn(l->keeper, now, &l->kept, ret_next_mono);
    for (size_t i = 0; r >= 0 && i < l->kept.n_news; i++)
        r = take_news(l, &l->kept.news[i]);
    return r;
}

static void measure_turn(Loop *l, Now now) {
    l->n_turns++;
    if (l->wanted_mono != USEC_INFINITY)
        l->late_usec = usec_max(l->late_usec, now.mono - l->wanted_mono);
}

static int turn(Loop *l) {
    Now now = clocks_read();
    Usec next_wall, keeper_mono;
    const char *expired;
    measure_turn(l, now);
    notice_suspend(l, now);
    engine_outbox_clear(&l->out);
    int r = l->control ? control_push(l->control, l->engine) : 0;
    if (r < 0)
        return give_up(l, "an order could not be taken", r);
    r = turn_keeper(l, now, &keeper_mono);
    if (r < 0)
        return give_up(l, "credentials could not be looked after", r);
    r = engine_turn(l->engine, now, &l->out, &next_wall);
    if (r < 0)
        return give_up(l, "a turn of the engine failed", r);
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
        return give_up(l, "a request could not be handed over", r);
    while ((expired = engine_expired_account(l->engine))) {
        keeper_refresh(l->keeper, expired, now);
        keeper_mono = now.mono;
    }
    if (keeper_mono != USEC_INFINITY)
        next_wall = usec_min(next_wall, now.wall + usec_max(keeper_mono - now.mono, 0));
    arm_timer(l, next_wall);
    l->wanted_mono = next_wall == USEC_INFINITY ? next_wall : now.mono + (next_wall - now.wall);
    if (!l->stopping) {
        if (!status_can_wait(l, now, next_wall))
            tell_status(l, now);
    } else if (engine_is_quiet(l->engine))
        return sd_event_exit(l->event, 0);
    return 0;
}

/* --- what wakes it --- */

static int on_timer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    uint64_t n;
    if (read(fd, &n, sizeof n) < 0 && errno != ECANCELED && errno != EAGAIN)
        return -errno;
    return turn(userdata);
}

static void on_replies(Transport *transport, void *userdata) {
    Loop *l = userdata;
    HttpReply *reply;
    int r = 0;
    while (r >= 0 && (reply = transport_take(transport)))
        r = keeper_owns(reply->id) ? keeper_reply(l->keeper, reply, clocks_read()) : engine_push(l->engine, reply);
    if (r < 0)
        give_up(l, "a reply could not be taken", r);
    else
        turn(l);
}

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata) {
    Loop *l = userdata;
    int r = turn(l);
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
    return turn(l);
}

/* --- credentials and reload --- */

static void on_credentials_changed(void *context) {
    Loop *l = context;
    keeper_restart(l->keeper, clocks_read());
    turn(l);
}

static void on_process(void *context, uint64_t id, const char *output, size_t len, const char *problem) {
    Loop *l = context;
    int r = keeper_process_done(l->keeper, id, output, len, problem, clocks_read());
    if (r < 0)
        give_up(l, "the output of a process could not be taken", r);
    else
        turn(l);
}

static int keep_accounts(Loop *l, const Conf *conf) {
    int r = conf->n_accounts == 0 ? engine_await_credentials(l->engine, ACCOUNT_OWN) : 0;
    for (size_t i = 0; r >= 0 && i < conf->n_accounts; i++)
        r = engine_await_credentials(l->engine, conf->accounts[i].name);
    return r < 0 ? r : keeper_follow(l->keeper, conf, l->region);
}

/* Emulators want no credentials. */
static int sign_nothing(Loop *l) {
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    const Conf *conf = engine_conf(l->engine);
    int r = aws_defaults_no_credentials(&c);
    while (keeper_n_accounts(l->keeper) > 0)
        keeper_remove(l->keeper, provider_account(keeper_provider(l->keeper, 0)));
    watch_free(TAKE_PTR(l->watch));
    if (r >= 0 && conf->n_accounts == 0)
        r = engine_set_credentials(l->engine, ACCOUNT_OWN, c);
    for (size_t i = 0; r >= 0 && i < conf->n_accounts; i++)
        r = engine_set_credentials(l->engine, conf->accounts[i].name, c);
    return r;
}

/* Who the daemon is, by the configuration as it is now; and the files that say so, from the first look at them on. */
static int look_for_credentials(Loop *l) {
    if (engine_conf(l->engine)->aws.unsigned_requests == SWITCH_ON)
        return sign_nothing(l);
    AUTO_FREE const char **files = NULL;
    size_t n_files;
    Usec next_mono;
    int r;
    if ((r = keep_accounts(l, engine_conf(l->engine))) < 0 || (r = turn_keeper(l, clocks_read(), &next_mono)) < 0 ||
        (r = send_kept(l)) < 0)
        return r;
    watch_free(TAKE_PTR(l->watch));
    if ((r = keeper_files(l->keeper, &files, &n_files)) < 0)
        return r;
    return watch_new(l->event, files, n_files, on_credentials_changed, l, &l->watch);
}

static EngineSettings engine_settings(const Loop *l) {
    uint64_t seed = 0;
    (void)getrandom(&seed, sizeof seed, 0);
    return (EngineSettings){.region = l->region, .user_agent = "ddbackupd/" PACKAGE_VERSION, .seed = seed,
                            .stock = {.context = l->store, .read = store_stock, .find_run = store_find_run,
                                      .next_record = store_next_record}};
}

#define CONNECTIONS_PER_HOST 32
#define CONNECTIONS_MAX 512

/* Enough that a region which does not answer keeps none from the others. */
static TransportSettings transport_settings(const Conf *c) {
    size_t n = CONNECTIONS_PER_HOST * (1 + conf_n_places(c));
    return (TransportSettings){.ca_bundle = c->aws.ca_bundle,
                               .max_connections = n < CONNECTIONS_MAX ? (long)n : CONNECTIONS_MAX,
                               .max_per_host = CONNECTIONS_PER_HOST};
}

static void set_control_group(Loop *l) {
    const char *group = engine_conf(l->engine)->control_group;
    if (l->control && control_set_group(l->control, group) < 0)
        journal_event(REPORT_CONFIG,
                      "control_group: %s: no such group, so that root alone may give orders; HINT: groupadd %s", group,
                      group);
}

static void on_zones_changed(void *context);

static int watch_zones(Loop *l) {
    const Conf *conf = engine_conf(l->engine);
    zone_watch_free(TAKE_PTR(l->zone_watch));
    return zone_watch_new(l->event, conf->zones, conf->n_zones, on_zones_changed, l, &l->zone_watch);
}

/* The one whose clock is not what it was, or NULL; a name that is new is none. */
static const char *changed_zone(const Conf *old, const Conf *new) {
    for (size_t i = 0; i < new->n_zones; i++)
        for (size_t j = 0; j < old->n_zones; j++)
            if (strcmp(zone_name(new->zones[i]), zone_name(old->zones[j])) == 0 &&
                !zone_equal(new->zones[i], old->zones[j]))
                return zone_name(new->zones[i]);
    return NULL;
}

static int take_conf(Loop *l, Conf *conf) {
    TransportSettings transport = transport_settings(conf);
    EngineSettings settings = engine_settings(l);
    int r = transport_configure(l->transport, &transport);
    if (r < 0) {
        conf_free(conf);
        return r;
    }
    journal_set_level(conf->log_level);
    if ((r = engine_reconfigure(l->engine, conf, &settings, clocks_read())) < 0 || (r = look_for_credentials(l)) < 0)
        return r;
    set_control_group(l);
    return watch_zones(l);
}

/* An update of the database: the same configuration, by the new clocks. */
static void on_zones_changed(void *context) {
    Loop *l = context;
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    AUTO_FREE char *problem = NULL;
    int r = session_remake_conf(l->tree, &conf, &problem);
    const char *changed = r >= 0 ? changed_zone(engine_conf(l->engine), conf) : NULL;
    if (r < 0)
        journal_event(REPORT_RELOAD_REFUSED, "time zones stay as they were read before: %s",
                      problem ? problem : strerror(-r));
    if (!changed)
        return;
    journal_event(REPORT_ZONES_CHANGED, "time zone %s has changed in the system's database; slots come by its new clock",
                  changed);
    if ((r = take_conf(l, TAKE_PTR(conf))) < 0)
        give_up(l, "time zones", r);
    else
        turn(l);
}

/* Everything that can fail is tried on the new configuration before the old one goes. */
static int reload(Loop *l) {
    AUTO_FREE char *region = NULL;
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    AUTO_FREE char *problem = NULL;
    int r = session_load_conf(l->options->config, &conf, &tree, &problem);
    if (r >= 0)
        r = region_find(conf, &region, &problem);
    free(l->reload_problem);
    l->reload_problem = r < 0 ? TAKE_PTR(problem) : NULL;
    if (r < 0) {
        journal_event(REPORT_RELOAD_REFUSED, "reload refused, the running configuration stays: %s",
                     l->reload_problem ? l->reload_problem : strerror(-r));
        return 0;
    }
    free(l->region);
    l->region = TAKE_PTR(region);
    conf_tree_free(l->tree);
    l->tree = TAKE_PTR(tree);
    if ((r = take_conf(l, TAKE_PTR(conf))) < 0)
        return give_up(l, "reload", r);
    journal_event(REPORT_RELOADED, "configuration reloaded");
    return 0;
}

/* Also where the service manager did not ask for it. */
static int reload_told(Loop *l) {
    struct timespec mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    notify_reloading(mono.tv_sec * USEC_PER_SEC + mono.tv_nsec / 1000);
    int r = reload(l);
    free(TAKE_PTR(l->status));
    int rc = turn(l);
    notify_ready(l->status ? l->status : "");
    return r < 0 ? r : rc;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
    return reload_told(userdata);
}

/* --- orders --- */

static int on_orders(sd_event_source *source, void *userdata) { return turn(userdata); }

static void orders_wanted(void *context) {
    Loop *l = context;
    (void)sd_event_source_set_enabled(l->order_source, SD_EVENT_ONESHOT);
}

static int reload_ordered(void *context, char **ret_problem) {
    Loop *l = context;
    int r = reload_told(l);
    return r < 0 ? r : text_set(ret_problem, l->reload_problem);
}

static void tell_state(void *context, ControlState *ret) {
    Loop *l = context;
    EngineSummary s;
    engine_summary(l->engine, clocks_read(), &s);
    *ret = (ControlState){.deployment = engine_conf(l->engine)->deployment,
                          .status = l->status ? l->status : "",
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
        set_control_group(l);
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
    TransportSettings transport = transport_settings(conf);
    EngineSettings settings = engine_settings(l);
    ProcessLimits processes = CREDENTIALS_PROCESS_LIMITS;
    if ((r = transport_new(l->event, &transport, on_replies, l, &l->transport)) < 0 ||
        (r = processes_new(l->event, &processes, on_process, l, &l->processes)) < 0 ||
        (r = keeper_new(credentials_port(), settings.seed, &l->keeper)) < 0 ||
        (r = engine_new(TAKE_PTR(conf), &ledger, &settings, clocks_read(), &l->engine)) < 0) {
        journal_event(REPORT_NOT_STARTED, "start: %s", strerror(-r));
        return 1;
    }
    if ((r = look_for_credentials(l)) < 0) {
        journal_event(REPORT_NOT_STARTED, "credentials cannot be looked for: %s", strerror(-r));
        return 1;
    }
    open_control(l);
    if ((r = watch_zones(l)) < 0) {
        journal_event(REPORT_NOT_STARTED, "time zones cannot be watched: %s", strerror(-r));
        return 1;
    }
    journal_event(REPORT_STARTED, PACKAGE_STRING " started: deployment %s, %zu unsettled runs taken up, state in %s%s",
                 engine_conf(l->engine)->deployment, n_resumed, l->options->state_directory,
                 is_new ? "; the ledger is new; HINT: if one was lost, stop the daemon and run 'ddbackupctl rebuild'" : "");
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
    r = turn(&l);
    notify_ready(l.status ? l.status : "");
    if (r >= 0)
        r = sd_event_loop(l.event);
    if (r == 0)
        journal_event(REPORT_STOPPED, "stopped");
    return r < 0 ? EXIT_BROKEN : r;
}
