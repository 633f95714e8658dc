#include "house.h"
#include "metadata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"
#include "disk.h"
#include "io/conf_file.h"
#include "io/store.h"
#include "io/zone_file.h"

#define REGION "eu-central-1"

struct House {
    HouseSettings settings;
    World *world;
    Store *store;
    Book *book;
    char *secret;
    char directory[64];
    OrderOutcome outcome; /* of the last order */
    size_t n_obeyed;
};

/* The ledger is in memory; what stands in the directory is its lock. */
static void remove_directory(const House *h) {
    char lock[80];
    if (!h->directory[0])
        return;
    snprintf(lock, sizeof lock, "%s/lock", h->directory);
    unlink(lock);
    rmdir(h->directory);
}

void house_violated(const House *h, const char *format, ...) {
    char now[DATE_ISO_SIZE], program[1024] = "";
    va_list args;
    (void)!readlink("/proc/self/exe", program, sizeof program - 1);
    fflush(stdout);
    fprintf(stderr, "VIOLATED at %s, seed %" PRIu64 ", %" PRIu64 " points: ",
            date_to_iso(world_true_wall(h->world), now), h->settings.seed, world_n_points(h->world));
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nreplay: %s%s%s\n", h->settings.replay ? h->settings.replay : "", h->settings.replay ? " " : "",
            program);
    remove_directory(h);
    exit(1);
}

static void must(const House *h, int r, const char *what) {
    if (r < 0)
        house_violated(h, "%s: %s", what, strerror(-r));
}

long house_number(const char *name, long standard) {
    const char *value = getenv(name);
    return value ? strtol(value, NULL, 10) : standard;
}

/* --- what the world asks of its owner --- */

static int commit(void *context, const LedgerBatch *batch) {
    House *h = context;
    int r = store_commit(h->store, batch);
    if (r < 0 && !disk_has_failed())
        house_violated(h, "the ledger could not be written: %s", store_error(h->store));
    if (r < 0)
        book_doubted(h->book, batch);
    else
        book_committed(h->book, batch, world_true_wall(h->world));
    return r;
}

static void sent(void *context, const HttpRequest *request, Usec true_wall) {
    book_sent(((House *)context)->book, request, true_wall);
}

static void served(void *context, const ServiceRequest *request, const ServiceReply *reply, Usec true_wall) {
    book_served(((House *)context)->book, request, reply);
}

static void said(void *context, const Report *r, Usec true_wall) {
    char iso[DATE_ISO_SIZE];
    if (getenv("DDB_VERBOSE"))
        printf("%s %s\n", date_to_iso(true_wall, iso), r->message);
    book_said(((House *)context)->book, r, true_wall);
}

static int turned(void *context, const Engine *e, Now now) {
    House *h = context;
    book_turned(h->book, e, world_true_wall(h->world));
    return 0;
}

static bool answered(void *context, const HttpRequest *request, Usec true_wall, HttpReply *reply) {
    House *h = context;
    return house_metadata_answer(request, true_wall, reply, book_figures(h->book));
}

static void obeyed(void *context, const Order *o) {
    House *h = context;
    if (getenv("DDB_VERBOSE"))
        printf("%s: %s\n", order_kind_to_string(o->kind), o->message);
    h->outcome = o->outcome;
    h->n_obeyed++;
}

static void kept(void *context, const ProviderNews *news, Usec true_wall) {
    House *h = context;
    HouseFigures *f = book_figures(h->book);
    *(news->found ? &f->n_renewals : &f->n_renewals_failed) += 1;
}

/* --- the host --- */

Conf *house_load_conf(House *h) {
    ConfProblems problems = {};
    ConfTree *tree = NULL;
    Conf *conf = NULL;
    int r = conf_file_parse_text(h->settings.conf, strlen(h->settings.conf), "conf", &problems, &tree);
    if (r >= 0)
        r = conf_from_tree(tree, zone_file_load, NULL, &problems, &conf);
    if (r < 0)
        house_violated(h, "the configuration is bad: %s", problems.n_items > 0 ? problems.items[0] : strerror(-r));
    conf_problems_done(&problems);
    conf_tree_free(tree);
    return conf;
}

static void give_account(House *h, Engine *e, const char *account) {
    ServiceSettings service = service_settings_default();
    Credentials credentials = {.access_key_id = (char *)service.access_key,
                               .expires_wall = USEC_INFINITY,
                               .source = (char *)"simulation"};
    const char *secret = h->secret && (!h->settings.broken || strcmp(h->settings.broken, account) == 0)
                             ? h->secret
                             : service.secret_key;
    must(h, secret_set(&credentials.secret_access_key, secret, strlen(secret)), "secret");
    must(h, engine_set_credentials(e, account, &credentials), "engine_set_credentials");
    secret_done(&credentials.secret_access_key);
}

static void give_credentials(House *h, Engine *e) {
    const Conf *conf = engine_conf(e);
    give_account(h, e, ACCOUNT_OWN);
    for (size_t i = 0; i < conf->n_accounts; i++)
        give_account(h, e, conf->accounts[i].name);
}

static EngineSettings engine_settings(House *h) {
    return (EngineSettings){.region = REGION,
                            .user_agent = "simulation",
                            .seed = h->settings.seed + book_figures(h->book)->n_crashes,
                            .stock = {.context = h->store, .read = store_stock, .find_run = store_find_run,
                                      .read_chain = store_read_chain,
                                      .next_record = store_next_record}};
}

void house_set_conf(House *h, const char *conf) {
    EngineSettings settings = engine_settings(h);
    h->settings.conf = conf;
    if (!world_engine(h->world)) /* at its next start */
        return;
    shelf_set_conf(book_shelf(h->book), house_load_conf(h), world_true_wall(h->world));
    must(h, engine_reconfigure(world_engine(h->world), house_load_conf(h), &settings, world_host_now(h->world)),
         "engine_reconfigure");
    world_wake(h->world);
}

/* The first thing that is ever in its ledger. */
static int resume_expiry(House *h) {
    LedgerBatch batch = {.wall = world_true_wall(h->world), .stock.expiry = STOCK_SWITCH_RESUMED};
    h->settings.expires = false;
    return commit(h, &batch);
}

/* False: the disk is broken, and the daemon does not start. */
static bool boot(House *h) {
    AUTO_FREE char *error = NULL;
    CLEANUP(ledger_done) Ledger ledger = {};
    Engine *engine = NULL;
    int r = store_open(h->directory, &h->store, &error);
    if (r >= 0 && h->settings.expires)
        r = resume_expiry(h);
    if (r >= 0)
        r = store_load(h->store, &ledger);
    if (r < 0 && !disk_has_failed())
        house_violated(h, "the ledger cannot be opened: %s", error ? error : store_error(h->store));
    if (r < 0) {
        disk_detach();
        store_close(TAKE_PTR(h->store));
        disk_attach(h->settings.power_cuts);
        return false;
    }
    book_booted(h->book, h->directory, world_true_wall(h->world));
    EngineSettings settings = engine_settings(h);
    shelf_set_conf(book_shelf(h->book), house_load_conf(h), world_true_wall(h->world));
    must(h, engine_new(house_load_conf(h), &ledger, &settings, world_host_now(h->world), &engine), "engine_new");
    if (!h->settings.on_instance)
        give_credentials(h, engine);
    world_boot(h->world, engine);
    if (h->settings.on_instance)
        house_metadata_boot(h->world, h->settings.seed);
    return true;
}

void house_halt(House *h) {
    world_crash(h->world);
    disk_detach();
    store_close(TAKE_PTR(h->store));
    disk_attach(h->settings.power_cuts);
}

static void add_table(House *h, const char *text) {
    char name[300];
    snprintf(name, sizeof name, "%s", text);
    char *pitr = strstr(name, ":pitr"), *tag = strstr(name, ":tag=");
    if (pitr)
        *pitr = '\0';
    if (tag)
        *tag = '\0';
    ServiceSeed seed = {.name = name, .pitr = pitr, .n_items = 7, .size_bytes = 700, .tag = tag ? tag + 5 : NULL};
    must(h, service_add_seed(world_service(h->world), &seed), "service_add_seed");
}

House *house_new(const HouseSettings *settings) {
    House *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->settings = *settings;
    h->book = book_new(h, settings->start_wall);
    ServiceSettings quick = service_settings_default();
    quick.backup_usec = 2 * USEC_PER_SEC;
    quick.export_usec = 3 * USEC_PER_MINUTE;
    WorldSettings world = {.seed = settings->seed,
                           .start_wall = settings->start_wall,
                           .latency_usec = settings->latency_usec,
                           .service = settings->service ? settings->service : &quick};
    WorldOwner owner = {.context = h,
                        .commit = commit,
                        .said = said,
                        .sent = sent,
                        .served = served,
                        .turned = turned,
                        .obeyed = obeyed};
    if (settings->on_instance) {
        owner.answered = answered;
        owner.kept = kept;
    }
    must(h, world_new(&world, &owner, &h->world), "world_new");
    for (size_t i = 0; settings->tables && settings->tables[i]; i++)
        add_table(h, settings->tables[i]);
    for (size_t i = 0; i < settings->n_more_tables; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%03zu", i);
        add_table(h, name);
    }
    disk_begin(settings->seed);
    snprintf(h->directory, sizeof h->directory, "/tmp/ddbackupd-simulation-XXXXXX");
    if (!mkdtemp(h->directory))
        house_violated(h, "mkdtemp: %s", strerror(errno));
    world_set_offset(h->world, settings->offset_usec);
    boot(h);
    return h;
}

void house_free(House *h) {
    if (!h)
        return;
    house_halt(h);
    world_free(h->world);
    disk_end();
    remove_directory(h);
    book_free(h->book);
    free(h->secret);
    free(h);
}

void house_suggest(House *h, Order *o) {
    must(h, text_set(&o->who, "root"), "text_set");
    if (!world_engine(h->world))
        return order_free(o);
    must(h, engine_push_order(world_engine(h->world), o), "engine_push_order");
    world_wake(h->world);
}

OrderOutcome house_order(House *h, Order *o) {
    size_t n_before = h->n_obeyed;
    house_suggest(h, o);
    must(h, house_run(h, world_true_wall(h->world) + USEC_PER_SEC, 0), "house_run");
    if (h->n_obeyed != n_before + 1)
        house_violated(h, "an order was answered %zu times", h->n_obeyed - n_before);
    return h->outcome;
}

World *house_world(House *h) { return h->world; }
Book *house_book(House *h) { return h->book; }
const char *house_directory(const House *h) { return h->directory; }
const HouseFigures *house_figures(const House *h) { return book_figures(h->book); }

/* Up again, or down until then because the disk stays broken. */
static void start(House *h, Usec until_wall) {
    while (!boot(h) && world_true_wall(h->world) < until_wall)
        must(h, world_run(h->world, world_true_wall(h->world) + USEC_PER_MINUTE), "world_run");
}

void house_sleep(House *h, Usec until_wall) {
    house_halt(h);
    must(h, world_run(h->world, until_wall), "world_run");
    start(h, until_wall);
}

void house_wait(House *h, Usec until_wall) {
    if (world_engine(h->world))
        house_run(h, until_wall, USEC_PER_MINUTE);
    else
        must(h, world_run(h->world, until_wall), "world_run");
}

void house_lose_ledger(House *h) {
    house_halt(h);
    disk_end();
    disk_begin(h->settings.seed);
    book_lost(h->book);
}

struct Store *house_open_ledger(House *h, Ledger *ret) {
    AUTO_FREE char *error = NULL;
    int r = store_open(h->directory, &h->store, &error);
    if (r < 0 || (r = store_load(h->store, ret)) < 0)
        house_violated(h, "the ledger cannot be opened: %s", error ? error : store_error(h->store));
    return h->store;
}

void house_commit(House *h, const LedgerBatch *batch) { must(h, commit(h, batch), "commit"); }

void house_start(House *h) {
    store_close(TAKE_PTR(h->store));
    if (!boot(h))
        house_violated(h, "the host does not start");
}

int house_run(House *h, Usec until_wall, Usec down_usec) {
    int n_crashes = 0, r;
    if (!world_engine(h->world))
        start(h, until_wall);
    while ((r = world_run(h->world, until_wall)) == -ECONNABORTED) {
        n_crashes++;
        book_figures(h->book)->n_crashes++;
        house_halt(h);
        must(h, world_run(h->world, world_true_wall(h->world) + down_usec), "world_run");
        start(h, until_wall);
    }
    must(h, r, "world_run");
    return n_crashes;
}

bool house_run_to_crash(House *h, Usec until_wall) {
    int r = world_run(h->world, until_wall);
    if (r != -ECONNABORTED) {
        must(h, r, "world_run");
        return false;
    }
    book_figures(h->book)->n_crashes++;
    house_halt(h);
    return true;
}

void house_set_secret(House *h, const char *secret) {
    must(h, text_set(&h->secret, secret), "text_set");
    if (world_engine(h->world)) {
        give_credentials(h, world_engine(h->world));
        world_wake(h->world);
    }
}

/* --- what goes wrong, and what is expected --- */

void house_add_fault(House *h, const char *line) {
    char *why = NULL;
    if (service_add_faults(world_service(h->world), line, &why) < 0)
        house_violated(h, "the fault script is wrong: %s", why);
}

void house_clear_faults(House *h) { service_clear_faults(world_service(h->world)); }

size_t house_audit(House *h, Usec margin_usec) {
    if (!world_engine(h->world))
        house_violated(h, "the host is down");
    return book_audit(h->book, world_engine(h->world), h->directory, world_true_wall(h->world) - margin_usec);
}

void house_expect(House *h, const char *schedule, const char *table, Usec slot_wall, RunState state) {
    char iso[DATE_ISO_SIZE];
    int is = book_state(h->book, schedule, table, slot_wall);
    if (is != (int)state)
        house_violated(h, "%s %s %s is %s, not %s; the last that was said of a failure: %s", schedule, table,
                       date_to_iso(slot_wall, iso), is < 0 ? "unknown" : run_state_to_string((RunState)is),
                       run_state_to_string(state), book_last_said(h->book, REPORT_FAILED));
}

void house_expect_count(House *h, const char *what, size_t is, size_t should) {
    if (is != should)
        house_violated(h, "%s %zu times, not %zu", what, is, should);
}

void house_expect_made(House *h, size_t n_backups, size_t n_exports) {
    const HouseFigures *f = house_figures(h);
    if (f->n_backups != n_backups || f->n_exports != n_exports)
        house_violated(h, "%zu backups and %zu exports were made, not %zu and %zu", f->n_backups, f->n_exports,
                       n_backups, n_exports);
}
