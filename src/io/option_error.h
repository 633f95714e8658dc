#pragma once
/* What the programs say of a command line that getopt_long(3) does not take. */

#include <getopt.h>

/* Says on standard error what is wrong with the word: it lacks its value, takes none, or is unknown (with the nearest
 * name). Returns -EINVAL. */
int option_error(const char *program, const struct option *options, const char *word);
