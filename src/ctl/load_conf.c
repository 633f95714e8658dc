#include "ctl/load_conf.h"

#include <string.h>

#include "ctl/verbs.h"
#include "io/conf_file.h"

int load_conf(const char *path, Conf **ret) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    int r = conf_file_load(path, &problems, ret, NULL);
    for (size_t i = 0; r < 0 && i < problems.n_items; i++)
        ctl_failed(problems.items[i]);
    if (r < 0 && problems.n_items == 0)
        ctl_failed(strerror(-r));
    return r;
}
