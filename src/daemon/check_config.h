#pragma once
/* The two verbs that only look at the configuration. */

#include <stdio.h>

/* Exit status: 0 good (one summary line on `out`); 78 (EX_CONFIG) bad, every problem on `err`, one line each. */
int check_config(const char *path, FILE *out, FILE *err);
/* Prints every key with its effective value and where it came from; 78 as above. The output
 * is a valid configuration. */
int dump_config(const char *path, FILE *out, FILE *err);
