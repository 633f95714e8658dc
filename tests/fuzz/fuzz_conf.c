/* A configuration's text, through the parser, the schema and the dump, which must read back as the same. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "core/conf/conf_advice.h"
#include "core/conf/conf_select.h"
#include "core/conf/conf_syntax.h"
#include "io/conf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Zones without files: "UTC" alone. */
static int load_zone(void *context, const char *name, Zone **ret) {
    return strcmp(name, "UTC") == 0 ? zone_utc(ret) : -ENOENT;
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static void expect(bool good, const char *what, const ConfProblems *problems) {
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    for (size_t i = 0; i < problems->n_items; i++)
        fprintf(stderr, "%s\n", problems->items[i]);
    abort();
}

static void check_dump(const ConfTree *tree) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(conf_tree_free_ptr) ConfTree *again = NULL;
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    AUTO_FREE char *dump = NULL;
    if (conf_dump(tree, &dump) < 0)
        return;
    expect(conf_file_parse_text(dump, strlen(dump), "dump", &problems, &again) >= 0, "the dump does not parse",
           &problems);
    expect(conf_from_tree(again, load_zone, NULL, &problems, &conf) >= 0, "the dump is not good", &problems);
}

static void select_some(const Conf *c) {
    static const char *const tables[] = {"orders", "app-1", "x-tmp", "abc"};
    const ScheduleConf *found[2];
    AUTO_FREE const char **names = NULL;
    size_t n;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        conf_schedules_of(c, &(TableFacts){.account = "own", .table = tables[i], .tags = "a=b"}, found,
                          ARRAY_SIZE(found));
    conf_named_tables(c, &(TableFacts){.account = "own"}, &names, &n);
    conf_needs_discovery(c, "own");
}

/* A good one may have warnings, each of which ends in a hint. */
static void check_advice(const Conf *c, const ConfTree *tree) {
    CLEANUP(conf_problems_done) ConfProblems advice = {};
    expect(conf_advise(c, tree, date_days(2026, 11, 25) * USEC_PER_DAY, &advice) >= 0, "no advice", &advice);
    for (size_t i = 0; i < advice.n_items; i++)
        expect(strstr(advice.items[i], "; HINT: ") || ends_with(advice.items[i], "correct these first"),
               "advice without a hint", &advice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    int r = conf_file_parse_text((const char *)data, size, "fuzz", &problems, &tree);
    expect((r >= 0) == (problems.n_items == 0), "a refusal needs its reason", &problems);
    if (r < 0) { /* what libconfig refuses is refused before it */
        expect(!ends_with(problems.items[0], "; HINT: see ddbackupd.conf(5), SYNTAX"), "libconfig alone refuses",
               &problems);
        return 0;
    }
    r = conf_from_tree(tree, load_zone, NULL, &problems, &conf);
    expect((r >= 0) == (problems.n_items == 0), "a refusal needs its reason", &problems);
    if (r < 0)
        return 0;
    select_some(conf);
    check_advice(conf, tree);
    check_dump(tree);
    return 0;
}
