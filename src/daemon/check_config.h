#pragma once
/* The two verbs that only look at the configuration. */

#include <stdbool.h>
#include <stdio.h>

/* Exit status: 0 good (one summary line on `out`, warnings on `err`); 78 (EX_CONFIG) bad, every problem on `err`, one
 * line each. `quiet`: problems alone. */
int check_config(const char *path, bool quiet, FILE *out, FILE *err);
/* Prints every key with its effective value and where it came from; 78 as above. The output
 * is a valid configuration. */
int dump_config(const char *path, FILE *out, FILE *err);
