#pragma once
/* A command line in words, as Python's shlex.split has it: blanks separate, quotes and
 * backslashes protect. No shell. */

/* *ret is terminated by NULL; free with shell_split_free. -EINVAL: a quote or backslash at its end; -ENOMEM. */
int shell_split(const char *line, char ***ret);
void shell_split_free(char **words);
static inline void shell_split_free_ptr(char ***words) { shell_split_free(*words); }
