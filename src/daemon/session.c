#include "daemon/session.h"

#include <errno.h>
#include <string.h>

#include "io/aws_defaults.h"
#include "io/conf_file.h"
#include "io/journal.h"

/* A single problem is the summary, and is said with that alone. */
int session_load_conf(const char *path, Conf **ret, char **ret_problem) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    char *summary = NULL;
    int r = conf_file_load(path, &problems, &conf, NULL);
    if (r >= 0) {
        r = aws_defaults_fill(conf, ret_problem);
        if (r >= 0)
            *ret = TAKE_PTR(conf);
        if (r != -ENOMEM)
            return r;
    }
    for (size_t i = 0; r != -ENOMEM && problems.n_items > 1 && i < problems.n_items; i++)
        journal_event(REPORT_CONFIG, "%s", problems.items[i]);
    if (r != -ENOMEM && problems.n_items == 1)
        summary = strdup(problems.items[0]);
    else if (r != -ENOMEM && problems.n_items > 1)
        summary = text_format("%s: %zu problems; HINT: ddbackupd --check-config --config=%s shows them", path,
                              problems.n_items, path);
    else
        summary = text_format("%s: %s", path, strerror(-r));
    if (summary) {
        free(*ret_problem);
        *ret_problem = summary;
    }
    return r;
}
