#include "daemon/session.h"

#include <errno.h>
#include <string.h>

#include "core/conf/conf_advice.h"
#include "daemon/control.h"
#include "io/aws_defaults.h"
#include "io/clocks.h"
#include "io/conf_file.h"
#include "io/journal.h"
#include "io/zone_file.h"

/* A single problem is the summary, and is said with that alone. */
static char *summarize(const ConfProblems *problems, const char *what, int error) {
    if (error == -ENOMEM || problems->n_items == 0)
        return text_format("%s: %s", what, strerror(-error));
    if (problems->n_items == 1)
        return strdup(problems->items[0]);
    for (size_t i = 0; i < problems->n_items; i++)
        journal_event(REPORT_CONFIG_BAD, "%s", problems->items[i]);
    return text_format("%s: %zu problems; HINT: ddbackupd --check-config --config=%s shows them", what,
                       problems->n_items, what);
}

static int finish(const ConfProblems *problems, const char *what, int error, Conf **conf, Conf **ret,
                  char **ret_problem) {
    int r = error >= 0 ? aws_defaults_fill(*conf, ret_problem) : error;
    if (r >= 0)
        *ret = TAKE_PTR(*conf);
    if (error < 0 || r == -ENOMEM) {
        free(*ret_problem);
        *ret_problem = summarize(problems, what, r);
    }
    return r;
}

int session_load_conf(const char *path, Conf **ret, ConfTree **ret_tree, char **ret_problem) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    int r = conf_file_load(path, &problems, &conf, ret_tree);
    return finish(&problems, path, r, &conf, ret, ret_problem);
}

int session_remake_conf(const ConfTree *tree, Conf **ret, char **ret_problem) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    int r = conf_from_tree(tree, zone_file_load, NULL, &problems, &conf);
    return finish(&problems, "time zones", r, &conf, ret, ret_problem);
}

static int advise_group(const Conf *c, const ConfTree *tree, ConfProblems *ret) {
    const ConfTree *place = conf_tree_get(tree, "control_group");
    if (!place || !c->control_group || control_group_exists(c->control_group))
        return 0;
    return conf_problems_add(ret, place->file, place->line,
                             "warning: control_group: there is no group \"%.100s\" here, so that root alone may give "
                             "orders; HINT: groupadd %.100s",
                             c->control_group, c->control_group);
}

int session_advise(const char *path, const Conf *c, const ConfTree *tree, ConfProblems *ret) {
    int r = conf_file_advise(path, ret);
    if (r >= 0)
        r = advise_group(c, tree, ret);
    return r < 0 ? r : conf_advise(c, tree, clocks_read().wall, ret);
}
