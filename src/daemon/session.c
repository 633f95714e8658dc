#include "daemon/session.h"

#include <errno.h>
#include <string.h>

#include "core/conf_check.h"
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

int session_region(const Conf *c, char **ret, char **ret_problem) {
    AUTO_FREE char *region = NULL;
    AUTO_TEXT why = TEXT_INIT(512);
    if (c->aws.region)
        return text_set(ret, c->aws.region);
    int r = credentials_source_region(c->aws.profile, &region);
    if (r == -ENOMEM)
        return r;
    char *problem = NULL;
    if (r < 0)
        problem = text_format("aws.region: is not set, and neither the environment nor the profile has one; HINT: set "
                              "aws.region, or AWS_REGION");
    else if (!*region || !check_region(region, &why))
        problem = text_format("aws.region: is not set, and \"%.100s\" of the environment or the profile %s", region,
                              *region ? text_get(&why) : "is empty");
    else {
        free(*ret);
        *ret = TAKE_PTR(region);
        return 0;
    }
    if (!problem)
        return -ENOMEM;
    free(*ret_problem);
    *ret_problem = problem;
    return r < 0 ? r : -EINVAL;
}

int session_credentials(const Conf *c, CredentialsSource *source, Credentials **ret, Text *why) {
    return credentials_source_find(c->aws.profile, source, ret, why);
}
