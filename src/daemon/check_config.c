#include "daemon/check_config.h"

#include <errno.h>
#include <string.h>

#include "daemon/session.h"
#include "io/conf_file.h"
#include "io/journal.h"

#define EXIT_GOOD 0
#define EXIT_BAD 78 /* EX_CONFIG of sysexits.h */

/* As ExecReload= it is asked by the journal, where errors are to be found as such. */
static void tell_problem(const char *problem, FILE *err) {
    if (journal_has_fields())
        journal_event(REPORT_CONFIG_BAD, "%s", problem);
    else
        fprintf(err, "%s\n", problem);
}

/* Loads it, or prints what is wrong with it. */
static int load(const char *path, FILE *err, Conf **ret, ConfTree **ret_tree) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    int r = conf_file_load(path, &problems, ret, ret_tree);
    for (size_t i = 0; i < problems.n_items; i++)
        tell_problem(problems.items[i], err);
    if (r == -ENOMEM || (r < 0 && problems.n_items == 0))
        fprintf(err, "%s: %s\n", path, strerror(-r));
    return r;
}

int check_config(const char *path, bool quiet, FILE *out, FILE *err) {
    CLEANUP(conf_free_ptr) Conf *c = NULL;
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    CLEANUP(conf_problems_done) ConfProblems advice = {};
    if (load(path, err, &c, &tree) < 0)
        return EXIT_BAD;
    if (quiet)
        return EXIT_GOOD;
    if (session_advise(path, c, tree, &advice) < 0)
        fprintf(err, "%s: %s\n", path, strerror(ENOMEM));
    for (size_t i = 0; i < advice.n_items; i++)
        fprintf(err, "%s\n", advice.items[i]);
    fprintf(out, "%s: good: deployment %s, %zu schedule%s, %zu table entr%s", path, c->deployment, c->n_schedules,
            c->n_schedules == 1 ? "" : "s", c->n_tables, c->n_tables == 1 ? "y" : "ies");
    if (advice.n_items > 0)
        fprintf(out, ", %zu warning%s", advice.n_items, advice.n_items == 1 ? "" : "s");
    fputc('\n', out);
    return EXIT_GOOD;
}

int dump_config(const char *path, FILE *out, FILE *err) {
    CLEANUP(conf_free_ptr) Conf *c = NULL;
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    AUTO_FREE char *text = NULL;
    if (load(path, err, &c, &tree) < 0)
        return EXIT_BAD;
    int r = conf_dump(tree, &text);
    if (r < 0) {
        fprintf(err, "%s: %s\n", path, strerror(-r));
        return EXIT_BAD;
    }
    fputs(text, out);
    return EXIT_GOOD;
}
