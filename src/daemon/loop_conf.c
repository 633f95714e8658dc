#include "daemon/loop_inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/session.h"
#include "io/clocks.h"
#include "io/journal.h"
#include "io/notify.h"
#include "io/region.h"

EngineSettings loop_engine_settings(const Loop *l) {
    uint64_t seed = 0;
    (void)getrandom(&seed, sizeof seed, 0);
    return (EngineSettings){.region = l->region,
                            .user_agent = "ddbackupd/" PACKAGE_VERSION,
                            .seed = seed,
                            .stock = {.context = l->store,
                                      .read = store_stock,
                                      .find_run = store_find_run,
                                      .read_chain = store_read_chain,
                                      .next_record = store_next_record}};
}

#define CONNECTIONS_PER_HOST 32
#define CONNECTIONS_MAX 512

/* Enough that a region which does not answer keeps none from the others. */
TransportSettings loop_transport_settings(const Conf *c) {
    size_t n = CONNECTIONS_PER_HOST * (1 + conf_n_places(c));
    return (TransportSettings){.ca_bundle = c->aws.ca_bundle,
                               .max_connections = n < CONNECTIONS_MAX ? (long)n : CONNECTIONS_MAX,
                               .max_per_host = CONNECTIONS_PER_HOST};
}

void loop_set_control_group(Loop *l) {
    if (l->control)
        control_set_group(l->control, engine_conf(l->engine)->control_group);
}

void loop_advise(const Loop *l, const Conf *c) {
    CLEANUP(conf_problems_done) ConfProblems advice = {};
    (void)session_advise(l->options->config, c, l->tree, &advice); /* without memory there is less of it */
    for (size_t i = 0; i < advice.n_items; i++)
        journal_event(REPORT_CONFIG, "%s", advice.items[i]);
}

static void on_zones_changed(void *context);

int loop_watch_zones(Loop *l) {
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
    TransportSettings transport = loop_transport_settings(conf);
    EngineSettings settings = loop_engine_settings(l);
    int r = transport_configure(l->transport, &transport);
    if (r < 0) {
        conf_free(conf);
        return r;
    }
    journal_set_level(conf->log_level);
    if ((r = engine_reconfigure(l->engine, conf, &settings, clocks_read())) < 0 ||
        (r = loop_look_for_credentials(l)) < 0)
        return r;
    loop_set_control_group(l);
    return loop_watch_zones(l);
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
    journal_event(REPORT_ZONES_CHANGED,
                  "time zone %s has changed in the system's database; slots come by its new clock", changed);
    if ((r = take_conf(l, TAKE_PTR(conf))) < 0)
        loop_give_up(l, "time zones", r);
    else
        loop_turn(l);
}

/* Everything that can fail is tried on the new configuration before the old one goes. */
static int reload_conf(Loop *l) {
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
        return loop_give_up(l, "reload", r);
    loop_advise(l, engine_conf(l->engine));
    journal_event(REPORT_RELOADED, "configuration reloaded");
    return 0;
}

int loop_reload(Loop *l) {
    struct timespec mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    notify_reloading(mono.tv_sec * USEC_PER_SEC + mono.tv_nsec / 1000);
    int r = reload_conf(l);
    free(TAKE_PTR(l->status));
    int rc = loop_turn(l);
    notify_ready(l->status ? l->status : "");
    return r < 0 ? r : rc;
}
