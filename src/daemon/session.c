#include "daemon/session.h"

#include <errno.h>
#include <string.h>

#include "io/conf_file.h"
#include "io/journal.h"

/* A single problem is the summary, and is said with that alone. */
int session_load_conf(const char *path, Conf **ret, char **ret_problem) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    int r = conf_file_load(path, &problems, ret, NULL);
    if (r >= 0)
        return 0;
    char *summary = NULL;
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

int session_credentials(const Conf *c, CredentialsSource *source, Credentials **ret, Text *why) {
    return credentials_source_find(c->aws.profile, source, ret, why);
}
