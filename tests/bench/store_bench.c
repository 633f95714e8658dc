/* store_bench DIRECTORY N...: what the ledger costs when N backups fall due at once. The real engine and the real
 * ledger in DIRECTORY, against the model of the service on a virtual clock, at the service's rates. A line for each N:
 *
 *   N fsyncs-per-run fsyncs turns longest-turn-ms longest-without-commit-ms one-fsync-ms
 *
 * A turn is everything between two events: the engine, the commit, and handing the requests over. One fsync is the
 * median of writing and syncing 4 KiB at the end of a file beside the ledger, before and afterwards. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io/conf_file.h"
#include "io/store.h"
#include "io/zone_file.h"
#include "sim/world.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define SLOT (START + 2 * USEC_PER_HOUR)
#define N_FSYNCS 101

static const char conf_text[] = "deployment = \"bench\";\n"
                                "schedules = { nightly = { action = \"backup\"; when = \"02:00\"; }; };\n"
                                "tables = ( { match = \"t*\"; schedules = [\"nightly\"]; } );\n"
                                "limits = { rate_share = 1.0; };\n";

typedef struct Bench {
    Store *store;
    size_t n_settled, n_succeeded, n_turns;
    double mark_sec; /* when the last event was over */
    double commit_sec; /* of this turn */
    double longest_turn_sec, longest_rest_sec;
} Bench;

static size_t n_fsyncs;

/* SQLite's, too: a symbol of the program comes before that of the C library. */
int fdatasync(int fd) {
    n_fsyncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd) {
    n_fsyncs++;
    return (int)syscall(SYS_fsync, fd);
}

static double now_sec(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(int r, const char *what) {
    if (r >= 0)
        return;
    fprintf(stderr, "store_bench: %s: %s\n", what, strerror(-r));
    exit(1);
}

static int commit(void *context, const LedgerBatch *batch) {
    Bench *b = context;
    double begun = now_sec();
    int r = store_commit(b->store, batch);
    b->commit_sec = now_sec() - begun;
    for (size_t i = 0; i < batch->n_runs; i++) {
        b->n_settled += run_is_settled(batch->runs[i]);
        b->n_succeeded += batch->runs[i]->state == RUN_SUCCEEDED;
    }
    return r;
}

static void served(void *context, const ServiceRequest *request, const ServiceReply *reply, Usec true_wall) {
    ((Bench *)context)->mark_sec = now_sec();
}

static int turned(void *context, const Engine *e, Now now) {
    Bench *b = context;
    double at = now_sec(), took = at - b->mark_sec, rest = took - b->commit_sec;
    if (took > b->longest_turn_sec)
        b->longest_turn_sec = took;
    if (rest > b->longest_rest_sec)
        b->longest_rest_sec = rest;
    b->mark_sec = at;
    b->n_turns++;
    return 0;
}

static Engine *make_engine(Bench *b, Now now) {
    ConfProblems problems = {};
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    Conf *conf = NULL;
    must(conf_file_parse_text(conf_text, strlen(conf_text), "conf", &problems, &tree), "the configuration");
    must(conf_from_tree(tree, zone_file_load, NULL, &problems, &conf), "the configuration");
    CLEANUP(ledger_done) Ledger ledger = {};
    Engine *e = NULL;
    must(store_load(b->store, &ledger), "store_load");
    EngineSettings settings = {.region = "eu-central-1", .user_agent = "bench", .seed = 1};
    must(engine_new(conf, &ledger, &settings, now, &e), "engine_new");
    ServiceSettings service = service_settings_default();
    Credentials c = {
        .access_key_id = (char *)service.access_key, .expires_wall = USEC_INFINITY, .source = (char *)"bench"};
    must(secret_set(&c.secret_access_key, service.secret_key, strlen(service.secret_key)), "credentials");
    must(engine_set_credentials(e, "own", &c), "credentials");
    secret_done(&c.secret_access_key);
    return e;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void time_fsyncs(const char *directory, double took[static N_FSYNCS]) {
    static const char page[4096];
    char path[4200];
    snprintf(path, sizeof path, "%s/fsync", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd < 0 ? -errno : 0, path);
    for (size_t i = 0; i < N_FSYNCS; i++) {
        double begun = now_sec();
        if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) < 0)
            must(-errno, path);
        took[i] = now_sec() - begun;
    }
    close(fd);
    unlink(path);
}

static void measure(const char *directory, size_t n) {
    char own[4100];
    char *error = NULL;
    snprintf(own, sizeof own, "%s/%zu", directory, n);
    must(mkdir(own, 0700) < 0 ? -errno : 0, own);
    double took[2 * N_FSYNCS];
    time_fsyncs(own, took);
    Bench b = {};
    must(store_open(own, &b.store, &error), error ? error : own);
    ServiceSettings service = service_settings_default();
    WorldSettings settings = {
        .seed = 1, .start_wall = SLOT - USEC_PER_HOUR, .latency_usec = 30 * USEC_PER_MSEC, .service = &service};
    WorldOwner owner = {.context = &b, .commit = commit, .served = served, .turned = turned};
    CLEANUP(world_free_ptr) World *w = NULL;
    must(world_new(&settings, &owner, &w), "world_new");
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "t%04zu", i);
        must(service_add_seed(world_service(w), &(ServiceSeed){.name = name}), name);
    }
    world_boot(w, make_engine(&b, world_host_now(w)));
    must(world_run(w, SLOT - USEC_PER_MINUTE), "world_run");

    b = (Bench){.store = b.store, .mark_sec = now_sec()};
    n_fsyncs = 0;
    while (b.n_settled < n && world_true_wall(w) < SLOT + 6 * USEC_PER_HOUR) {
        b.mark_sec = now_sec();
        must(world_run(w, world_true_wall(w) + USEC_PER_SEC), "world_run");
    }
    must(b.n_succeeded == n ? 0 : -EIO, "not every run succeeded");
    size_t n_in_all = n_fsyncs;
    time_fsyncs(own, took + N_FSYNCS);
    qsort(took, ARRAY_SIZE(took), sizeof took[0], by_size);
    printf("%zu %.2f %zu %zu %.2f %.2f %.3f\n", n, (double)n_in_all / (double)n, n_in_all, b.n_turns,
           b.longest_turn_sec * 1e3, b.longest_rest_sec * 1e3, took[N_FSYNCS] * 1e3);
    fflush(stdout);
    world_crash(w);
    store_close(b.store);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: store_bench DIRECTORY N...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        measure(argv[1], strtoull(argv[i], NULL, 10));
    return 0;
}
