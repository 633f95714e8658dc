#include "house.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"
#include "core/freshness.h"
#include "core/trust.h"
#include "disk.h"
#include "io/conf_file.h"
#include "io/store.h"
#include "io/zone_file.h"

#define REGION "eu-central-1"

/* The book's line about one slot; the key is "schedule table slot". */
typedef struct SlotLine {
    char *key;
    RunState state;
    Usec finish_by_wall;
} SlotLine;

/* The book's line about one name or token that a request may carry. */
typedef struct NameLine {
    char *name;
    SlotLine *slot;
    bool requested; /* a commit has said that it leaves */
    int n_made;
} NameLine;

typedef struct RangeLine {
    char *schedule, *table;
    Usec from_wall, to_wall;
} RangeLine;

struct House {
    HouseSettings settings;
    World *world;
    Store *store;
    char directory[64];
    void *slots, *names; /* search trees */
    RangeLine *ranges;
    size_t n_ranges;
    HouseFigures figures;
    Usec next_look_wall, booted_wall;
};

void house_violated(House *h, const char *format, ...) {
    char now[DATE_ISO_SIZE];
    va_list args;
    fprintf(stderr, "VIOLATED at %s, seed %" PRIu64 ", %" PRIu64 " points: ", date_to_iso(world_true_wall(h->world), now),
            h->settings.seed, world_n_points(h->world));
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static void must(House *h, int r, const char *what) {
    if (r < 0)
        house_violated(h, "%s: %s", what, strerror(-r));
}

/* --- the book --- */

static int by_first_string(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void *line_of(void **tree, const char *key, size_t size, bool make) {
    void *found = tfind(&key, tree, by_first_string);
    if (found || !make)
        return found ? *(void **)found : NULL;
    char **line = calloc(1, size);
    if (!line || !(*line = strdup(key)) || !tsearch(line, tree, by_first_string))
        abort();
    return line;
}

static void line_free(void *line) {
    free(*(char **)line);
    free(line);
}

static SlotLine *slot_line(House *h, const char *schedule, const char *table, Usec slot, bool make) {
    char key[512], iso[DATE_ISO_SIZE];
    snprintf(key, sizeof key, "%s %s %s", schedule, table, date_to_iso(slot, iso));
    return line_of(&h->slots, key, sizeof(SlotLine), make);
}

static void book_run(House *h, const Run *r) {
    SlotLine *line = slot_line(h, r->schedule, r->table, r->slot_wall, true);
    bool was_settled = line->state >= RUN_SUCCEEDED;
    if (was_settled && line->state != r->state)
        house_violated(h, "%s was %s and is %s: a settled run changed", line->key, run_state_to_string(line->state),
                       run_state_to_string(r->state));
    if (!was_settled && run_is_settled(r)) {
        h->figures.n_succeeded += r->state == RUN_SUCCEEDED;
        h->figures.n_failed += r->state == RUN_FAILED;
        h->figures.n_skipped += r->state == RUN_SKIPPED;
    }
    if (r->state == RUN_SUCCEEDED && (!r->artefact || r->artefact->life != ARTEFACT_VERIFIED))
        house_violated(h, "%s succeeded without a verified artefact", line->key);
    line->state = r->state;
    line->finish_by_wall = r->finish_by_wall;
    if (!r->name)
        return;
    NameLine *name = line_of(&h->names, r->name, sizeof(NameLine), true);
    if (name->slot && name->slot != line)
        house_violated(h, "%s and %s share the name %s", line->key, name->slot->key, r->name);
    name->slot = line;
    name->requested |= r->state == RUN_REQUESTED || r->state == RUN_UNCERTAIN;
}

static int commit(void *context, const LedgerBatch *batch) {
    House *h = context;
    int r = store_commit(h->store, batch);
    if (r < 0)
        return r;
    for (size_t i = 0; i < batch->n_runs; i++)
        book_run(h, batch->runs[i]);
    for (size_t i = 0; i < batch->n_ranges; i++) {
        const LedgerRange *range = &batch->ranges[i];
        h->ranges = realloc(h->ranges, (h->n_ranges + 1) * sizeof *h->ranges);
        if (!h->ranges)
            abort();
        h->ranges[h->n_ranges++] = (RangeLine){.schedule = strdup(range->schedule),
                                               .table = strdup(range->table),
                                               .from_wall = range->from_wall,
                                               .to_wall = range->to_wall};
    }
    return 0;
}

/* What the service did must follow from what was in the ledger. */
static void served(void *context, const ServiceRequest *request, const ServiceReply *reply, Usec true_wall) {
    House *h = context;
    h->figures.n_calls++;
    h->figures.n_throttled += strcmp(reply->code, "ThrottlingException") == 0 && !reply->fault[0];
    bool backup = strcmp(reply->operation, "CreateBackup") == 0;
    if (!backup && strcmp(reply->operation, "ExportTableToPointInTime") != 0)
        return;
    cJSON *body = cJSON_ParseWithLength(request->body, request->body_len);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, backup ? "BackupName" : "ClientToken");
    NameLine *line = cJSON_IsString(name) ? line_of(&h->names, name->valuestring, sizeof(NameLine), false) : NULL;
    if (!line || !line->requested)
        house_violated(h, "%s of %s arrived before its intent was in the ledger", reply->operation,
                       cJSON_IsString(name) ? name->valuestring : "no name");
    cJSON_Delete(body);
    if (!reply->effect)
        return;
    h->figures.n_backups += backup;
    h->figures.n_exports += !backup;
    if (++line->n_made > 1)
        house_violated(h, "%s was made twice", line->slot->key);
}

static void said(void *context, const Report *r, Usec true_wall) {
    House *h = context;
    h->figures.n_stale_said += r->kind == REPORT_STALE;
    h->figures.n_recovered_said += r->kind == REPORT_RECOVERED;
    if (getenv("DDB_VERBOSE")) {
        char iso[DATE_ISO_SIZE];
        printf("%s %s\n", date_to_iso(true_wall, iso), r->message);
    }
}

static House *walked; /* twalk takes no context */

static void look_at_slot(const void *node, VISIT visit, int depth) {
    const SlotLine *line = *(SlotLine *const *)node;
    if ((visit == preorder || visit == leaf) && line->state < RUN_SUCCEEDED &&
        world_true_wall(walked->world) > line->finish_by_wall + TRUST_PATIENCE_USEC + USEC_PER_HOUR)
        house_violated(walked, "%s is still %s past its hard deadline", line->key, run_state_to_string(line->state));
}

/* What takes a walk through the book is looked at once an hour. */
static int turned(void *context, const Engine *e, Now now) {
    House *h = context;
    if (world_true_wall(h->world) < usec_max(h->next_look_wall, h->booted_wall + TRUST_PATIENCE_USEC + USEC_PER_MINUTE))
        return 0;
    h->next_look_wall = world_true_wall(h->world) + USEC_PER_HOUR;
    walked = h;
    twalk(h->slots, look_at_slot);
    const Targets *targets = engine_targets(e);
    for (size_t i = 0; i < targets->n_items; i++)
        for (size_t j = 0; j < targets->items[i]->n_enrolments; j++) {
            const Enrolment *n = targets->items[i]->enrolments[j];
            Usec late = world_true_wall(h->world) - TRUST_PATIENCE_USEC - USEC_PER_MINUTE;
            if (n->schedule && freshness_of(n, late) == FRESH_STALE &&
                (n->stale_wall == WALL_UNKNOWN || n->stale_said_wall < late - FRESHNESS_REPEAT_USEC))
                house_violated(h, "%s/%s is stale, and nobody says so", n->target->table, n->schedule_name);
        }
    return 0;
}

/* --- the host --- */

static Conf *load_conf(House *h) {
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

static void boot(House *h) {
    char *error = NULL;
    CLEANUP(ledger_done) Ledger ledger = {};
    Engine *engine = NULL;
    int r = store_open(h->directory, &h->store, &error);
    if (r < 0)
        house_violated(h, "the ledger cannot be opened after a crash: %s", error);
    must(h, store_load(h->store, &ledger), "the ledger cannot be loaded");
    EngineSettings settings = {.region = REGION, .user_agent = "simulation", .seed = h->settings.seed + h->figures.n_crashes};
    must(h, engine_new(load_conf(h), &ledger, &settings, world_host_now(h->world), &engine), "engine_new");
    ServiceSettings service = service_settings_default();
    Credentials credentials = {.access_key_id = (char *)service.access_key,
                               .expires_wall = USEC_INFINITY,
                               .source = (char *)"simulation"};
    must(h, secret_set(&credentials.secret_access_key, service.secret_key, strlen(service.secret_key)), "secret");
    must(h, engine_set_credentials(engine, &credentials), "engine_set_credentials");
    secret_done(&credentials.secret_access_key);
    world_boot(h->world, engine);
    h->booted_wall = world_true_wall(h->world);
}

static void halt(House *h) {
    world_crash(h->world);
    disk_detach();
    store_close(TAKE_PTR(h->store));
    disk_attach(h->settings.power_cuts);
}

House *house_new(const HouseSettings *settings) {
    House *h = calloc(1, sizeof *h);
    if (!h)
        abort();
    h->settings = *settings;
    ServiceSettings quick = service_settings_default();
    quick.backup_usec = 2 * USEC_PER_SEC;
    quick.export_usec = 3 * USEC_PER_MINUTE;
    WorldSettings world = {.seed = settings->seed,
                           .start_wall = settings->start_wall,
                           .latency_usec = settings->latency_usec,
                           .service = settings->service ? settings->service : &quick};
    WorldOwner owner = {.context = h, .commit = commit, .said = said, .served = served, .turned = turned};
    must(h, world_new(&world, &owner, &h->world), "world_new");
    for (size_t i = 0; settings->tables[i]; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s", settings->tables[i]);
        char *pitr = strstr(name, ":pitr");
        if (pitr)
            *pitr = '\0';
        must(h, service_add_seed(world_service(h->world), &(ServiceSeed){.name = name, .pitr = pitr, .n_items = 7, .size_bytes = 700}),
             "service_add_seed");
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
    halt(h);
    world_free(h->world);
    disk_end();
    char lock[80];
    snprintf(lock, sizeof lock, "%s/lock", h->directory);
    unlink(lock);
    rmdir(h->directory);
    tdestroy(h->slots, line_free);
    tdestroy(h->names, line_free);
    for (size_t i = 0; i < h->n_ranges; i++) {
        free(h->ranges[i].schedule);
        free(h->ranges[i].table);
    }
    free(h->ranges);
    free(h);
}

World *house_world(House *h) { return h->world; }
const HouseFigures *house_figures(const House *h) { return &h->figures; }

void house_sleep(House *h, Usec until_wall) {
    halt(h);
    must(h, world_run(h->world, until_wall), "world_run");
    boot(h);
}

int house_run(House *h, Usec until_wall, Usec down_usec) {
    int n_crashes = 0, r;
    while ((r = world_run(h->world, until_wall)) == -ECONNABORTED) {
        n_crashes++;
        h->figures.n_crashes++;
        house_sleep(h, world_true_wall(h->world) + down_usec);
    }
    must(h, r, "world_run");
    return n_crashes;
}

/* --- the audit --- */

static bool in_a_range(const House *h, const Enrolment *n, Usec slot) {
    for (size_t i = 0; i < h->n_ranges; i++)
        if (strcmp(h->ranges[i].schedule, n->schedule_name) == 0 && strcmp(h->ranges[i].table, n->target->table) == 0 &&
            slot >= h->ranges[i].from_wall && slot <= h->ranges[i].to_wall)
            return true;
    return false;
}

static void count_slot(const void *node, VISIT visit, int depth) {
    if (visit == preorder || visit == leaf)
        walked->figures.n_runs++;
}

size_t house_audit(House *h, Usec margin_usec) {
    Engine *e = world_engine(h->world);
    Usec until = world_true_wall(h->world) - margin_usec;
    const Targets *targets = engine_targets(e);
    for (size_t i = 0; i < targets->n_items; i++)
        for (size_t j = 0; j < targets->items[i]->n_enrolments; j++) {
            const Enrolment *n = targets->items[i]->enrolments[j];
            Usec slot = n->first_seen_wall;
            while (n->schedule && calendar_next(n->schedule->when, n->schedule->zone, slot, &slot) >= 0 && slot <= until) {
                SlotLine *line = slot_line(h, n->schedule_name, n->target->table, slot, false);
                char iso[DATE_ISO_SIZE];
                if (!line && !in_a_range(h, n, slot))
                    house_violated(h, "%s/%s: slot %s was missed", n->target->table, n->schedule_name,
                                   date_to_iso(slot, iso));
                if (line && in_a_range(h, n, slot))
                    house_violated(h, "%s has a run and lies in a range", line->key);
                if (line && line->state < RUN_SUCCEEDED)
                    house_violated(h, "%s is still %s", line->key, run_state_to_string(line->state));
            }
        }
    walked = h;
    h->figures.n_runs = 0;
    twalk(h->slots, count_slot);
    h->figures.n_ranges = h->n_ranges;
    return h->figures.n_succeeded;
}
