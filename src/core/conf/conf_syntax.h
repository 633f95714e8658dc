#pragma once
/* The syntax of a configuration file, ahead of the parser that makes the tree (libconfig): that one says no more than
 * "syntax error", joins two strings where a comma is missing, cuts numbers to 32 bits, takes a comment or a string that
 * is never closed as closed, and gives some values the line of what follows them. */

#include <stddef.h>

#include "core/conf/conf_tree.h"

/* Adds the first error of syntax to `problems`, with its likely cause. *ret is the text for the parser, the same values
 * on the same lines: without comments, with numbers that need 64 bits marked so. -EINVAL, -ENOMEM. */
int conf_syntax_check(const char *text, size_t len, const char *file, ConfProblems *problems, char **ret);
