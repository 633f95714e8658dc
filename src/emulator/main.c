/* ddbackup-emulator: the backup part of Amazon DynamoDB, for tests. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "emulator/emulator.h"
#include "emulator/http.h"
#include "emulator/options.h"

static int fail(const char *what, const char *why) {
    fprintf(stderr, "ddbackup-emulator: %s: %s\n", what, why);
    return -EINVAL;
}

static int make_service(EmulatorOptions *o, Service **ret) {
    CLEANUP(service_free_ptr) Service *s = NULL;
    AUTO_FREE char *why = NULL;
    if (!o->has_seed && getrandom(&o->seed, sizeof o->seed, 0) != sizeof o->seed)
        return fail("seed", strerror(errno));
    if (service_new(&o->settings, o->seed, &s) < 0)
        return fail("start", strerror(ENOMEM));
    for (size_t i = 0; i < o->n_tables; i++) {
        int rc = service_add_seed(s, &o->tables[i]);
        if (rc < 0)
            return fail(o->tables[i].name, rc == -EEXIST ? "given twice" : "not a name of a table");
    }
    for (size_t i = 0; i < o->n_buckets; i++) {
        int rc = service_add_bucket(s, &o->buckets[i]);
        if (rc < 0)
            return fail(o->buckets[i].name,
                        rc == -EEXIST ? "given twice" : "not a name of a bucket, or no such region");
    }
    for (size_t i = 0; i < o->n_keys; i++) {
        int rc = service_add_key(s, &o->keys[i]);
        if (rc < 0)
            return fail(o->keys[i].alias,
                        rc == -EEXIST ? "given twice" : "not an alias of a key, or no such region, state or spec");
    }
    if (service_add_faults(s, text_get(&o->faults), &why) < 0)
        return fail("faults", why ? why : strerror(ENOMEM));
    *ret = TAKE_PTR(s);
    return 0;
}

static int make_emulator(EmulatorOptions *o, Emulator **ret) {
    CLEANUP(service_free_ptr) Service *service = NULL;
    FILE *log = NULL;
    int rc = make_service(o, &service);
    if (rc < 0)
        return rc;
    if (o->log && !(log = fopen(o->log, "ae")))
        return fail(o->log, strerror(errno));
    if (emulator_new(service, log, o->clock_offset_usec, ret) < 0)
        return fail("start", strerror(ENOMEM));
    service = NULL;
    return 0;
}

int main(int argc, char **argv) {
    EmulatorOptions o;
    CLEANUP(emulator_free_ptr) Emulator *emulator = NULL;
    Http *http;
    sigset_t ends;
    uint16_t port = 0;
    int signal_number, rc = options_parse(argc, argv, &o);
    if (rc <= 0)
        return rc < 0 ? 2 : 0;
    /* Blocked before there are threads: this one alone waits for them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    rc = make_emulator(&o, &emulator);
    options_done(&o);
    if (rc < 0)
        return 1;
    rc = http_start(emulator, o.address, o.port, &http, &port);
    if (rc < 0) {
        fail(o.address, rc == -EINVAL ? "not a numeric address" : "cannot listen there; HINT: is the port taken?");
        return 1;
    }
    printf(strchr(o.address, ':') ? "listening on http://[%s]:%u\n" : "listening on http://%s:%u\n", o.address, port);
    fflush(stdout);
    sigwait(&ends, &signal_number);
    _exit(0); /* at once: nothing is kept, and each line of the log was flushed */
}
