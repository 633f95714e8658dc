#pragma once
/* Small grammars that configuration and command lines share. All are strict: no leading or trailing junk. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

/* A decimal number within [min, max]. -EINVAL: not a number; -ERANGE: outside. */
int parse_int(const char *s, int64_t min, int64_t max, int64_t *ret);

/* A time span as in systemd.time(7), units required: "90min", "1h 30min", "2d12h". Units: us ms s sec min m h hr d day
 * w week, their plurals and long names (month and year are not exact and not taken). "0" alone needs no unit.
 * -EINVAL, -ERANGE. */
int parse_duration(const char *s, Usec *ret_usec);
/* The shortest such text, two units at most ("1h 30min", "27h", "0"). */
#define DURATION_SIZE 48
const char *duration_to_string(Usec usec, char buffer[static DURATION_SIZE]);

/* A size in bytes with an optional unit of base 1024: B, K, M, G, T, P ("500G", "64KiB"). -EINVAL, -ERANGE. */
int parse_size(const char *s, uint64_t *ret_bytes);
#define SIZE_TEXT_SIZE 48
/* "1.5G", "123B". */
const char *size_to_string(uint64_t bytes, char buffer[static SIZE_TEXT_SIZE]);

/* Shell-style patterns over whole names: *, ?, [a-z], [!a-z]; no escapes, no path rules. Linear in time but for '*',
 * which backtracks once. */
bool glob_match(const char *pattern, const char *name);
bool glob_is_pattern(const char *s); /* holds one of * ? [ */

/* How many single-character edits lead from a to b (insert, delete, replace, swap neighbours); names over 64 bytes
 * count as far apart. For "did you mean". */
size_t name_distance(const char *a, const char *b);
/* The candidate nearest to name within a third of its length (at least 2), or NULL. */
const char *name_nearest(const char *name, const char *const *candidates, size_t n_candidates);
