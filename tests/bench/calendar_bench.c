/* calendar_bench: what a calendar costs. A line for each expression and zone:
 *
 *   next EXPRESSION <tab> ZONE <tab> ns-per-next-instant <tab> ns-per-mktime
 *
 * mktime is glibc's, on the same local days in the same zone, for that is what others call for each of them. Then
 *
 *   plan ENROLMENTS <tab> ms-for-slots-and-shares <tab> ms-of-the-engine's-first-turns
 *
 * for 10,000 tables of 3 schedules each that nothing is known of: the next slot of each and its share of the spread,
 * and the engine from an empty ledger until each enrolment waits for its slot. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "core/engine/engine.h"
#include "core/run/slot.h"
#include "io/conf_file.h"
#include "io/zone_file.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define N_NEXT 200000
#define N_TABLES 10000

static void must(int r, const char *what) {
    if (r >= 0)
        return;
    fprintf(stderr, "calendar_bench: %s: %s\n", what, strerror(-r));
    exit(1);
}

static double now_sec(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- next instants --- */

static double next_ns(const Calendar *c, const Zone *zone) {
    Usec wall = START;
    double begun = now_sec();
    for (int i = 0; i < N_NEXT; i++)
        if (calendar_next(c, zone, wall, &wall) < 0)
            wall = START;
    return (now_sec() - begun) / N_NEXT * 1e9;
}

static volatile time_t sink;

static double mktime_ns(const char *zone) {
    setenv("TZ", zone, 1);
    tzset();
    double begun = now_sec();
    for (int i = 0; i < N_NEXT; i++) {
        struct tm tm = {.tm_year = 126 + i % 50, .tm_mon = i % 12, .tm_mday = 1 + i % 28, .tm_hour = 2, .tm_isdst = -1};
        sink = mktime(&tm);
    }
    return (now_sec() - begun) / N_NEXT * 1e9;
}

static void time_next(void) {
    static const char *const zones[] = {"UTC", "Europe/Berlin"};
    static const char *const expressions[] = {
        "02:00",       "*:0/30",       "Sun 03:30",           "*-*~01 04:00",
        "Mon *-02-29", "0 2 1,15 * 5", "cron(0 9 15W * ? *)", "rate(5 minutes)",
    };
    for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
        CLEANUP(zone_free_ptr) Zone *zone = NULL;
        must(zone_file_load(NULL, zones[z], &zone), zones[z]);
        double theirs = mktime_ns(zones[z]);
        for (size_t i = 0; i < ARRAY_SIZE(expressions); i++) {
            CLEANUP(calendar_free_ptr) Calendar *c = NULL;
            CalendarError error;
            must(calendar_parse(expressions[i], &c, &error), expressions[i]);
            printf("next\t%s\t%s\t%.0f\t%.0f\n", expressions[i], zones[z], next_ns(c, zone), theirs);
        }
    }
}

/* --- planning --- */

static Conf *make_conf(void) {
    AUTO_TEXT t = TEXT_INIT(1 << 20);
    ConfProblems problems = {};
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    Conf *conf = NULL;
    text_add(&t, "deployment = \"bench\";\n"
                 "defaults = { timezone = \"Europe/Berlin\"; };\n"
                 "schedules = { nightly = { action = \"backup\"; when = \"02:00\"; spread = \"1h\"; };\n"
                 "              weekly = { action = \"backup\"; when = \"Sun 03:30\"; spread = \"6h\"; };\n"
                 "              monthly = { action = \"backup\"; when = \"0 4 1 * *\"; spread = \"12h\"; }; };\n"
                 "tables = ( { schedules = [\"nightly\", \"weekly\", \"monthly\"]; match = [\"table-0\"");
    for (int i = 1; i < N_TABLES; i++)
        text_addf(&t, ", \"table-%d\"", i);
    text_add(&t, "]; } );\n");
    must(t.error, "the configuration");
    int r = conf_file_parse_text(text_get(&t), t.len, "conf", &problems, &tree);
    if (r >= 0)
        r = conf_from_tree(tree, zone_file_load, NULL, &problems, &conf);
    must(r, problems.n_items > 0 ? problems.items[0] : "the configuration");
    return conf;
}

static double plan_ms(const Conf *conf) {
    char table[32];
    Target target = {.account = (char *)"own", .region = (char *)"eu-central-1", .table = table};
    double begun = now_sec();
    for (int i = 0; i < N_TABLES; i++) {
        snprintf(table, sizeof table, "table-%d", i);
        for (size_t j = 0; j < conf->n_schedules; j++) {
            const ScheduleConf *s = &conf->schedules[j];
            Enrolment e = {.target = &target, .schedule = s, .schedule_name = s->name};
            Usec slot, share;
            must(slot_next(&e, START, &slot), "slot_next");
            must(slot_share(conf->deployment, &e, &share), "slot_share");
        }
    }
    return (now_sec() - begun) * 1e3;
}

static double engine_ms(Conf *conf, size_t *ret_n) {
    CLEANUP(engine_free_ptr) Engine *e = NULL;
    CLEANUP(engine_outbox_done) EngineOutbox out = {};
    Ledger ledger = {.next_run_id = 1};
    EngineSettings settings = {.region = "eu-central-1", .user_agent = "bench", .seed = 1};
    Now now = {.wall = START, .mono = USEC_PER_SEC};
    double begun = now_sec();
    must(engine_new(conf, &ledger, &settings, now, &e), "engine_new");
    for (Usec next = START; next <= now.wall;) {
        engine_outbox_clear(&out);
        must(engine_turn(e, now, &out, &next), "engine_turn");
        engine_committed(e, &out);
    }
    double took = now_sec() - begun;
    EngineSummary summary;
    engine_summary(e, now, &summary);
    *ret_n = summary.n_enrolments;
    return took * 1e3;
}

int main(void) {
    time_next();
    Conf *conf = make_conf();
    double plan = plan_ms(conf);
    size_t n_enrolments;
    double engine = engine_ms(conf, &n_enrolments);
    printf("plan\t%zu\t%.0f\t%.0f\n", n_enrolments, plan, engine);
    return 0;
}
