#pragma once
/* The command line of ddbackup-emulator. */

#include <stdint.h>

#include "sim/service.h"

typedef struct EmulatorOptions {
    ServiceSettings settings; /* its strings belong to argv */
    const char *address;
    uint16_t port;
    const char *log; /* NULL: none */
    Usec clock_offset_usec;
    uint64_t seed;
    bool has_seed;
    ServiceSeed *tables;
    size_t n_tables, n_tables_room;
    ServiceBucketSeed *buckets;
    size_t n_buckets, n_buckets_room;
    ServiceKeySeed *keys;
    size_t n_keys, n_keys_room;
    Text faults; /* the script, one rule a line */
} EmulatorOptions;

/* 1: go on, and release with options_done; 0: --help or --version, all is said; -EINVAL, -ENOMEM: the message is on
 * standard error. */
int options_parse(int argc, char **argv, EmulatorOptions *ret);
void options_done(EmulatorOptions *o);
