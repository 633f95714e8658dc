#include "core/conf/conf_advice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "core/conf/conf_adviser.h"

void conf_adviser_say(ConfAdviser *a, const ConfTree *node, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(4096);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    if (a->error >= 0)
        a->error = t.error == -ENOMEM
                       ? -ENOMEM
                       : conf_problems_add(a->advice, node->file, node->line, "warning: %s", text_get(&t));
}

static bool is_loopback(const char *url) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t n = strcspn(host, ":/");
    return strncmp(host, "127.", 4) == 0 || text_starts_with(host, "[::1]") ||
           (n == strlen("localhost") && strncmp(host, "localhost", n) == 0);
}

static void advise_aws(ConfAdviser *a) {
    const ConfTree *aws = conf_tree_get(a->root, "aws"), *place = conf_tree_get(aws, "unsigned");
    const char *url = a->conf->aws.endpoint_url;
    if (a->conf->aws.unsigned_requests != SWITCH_ON || !place)
        return;
    if (!url)
        conf_adviser_say(a, place,
                         "aws.unsigned: is for emulators, and aws.endpoint_url names none; HINT: AWS takes no unsigned "
                         "requests: take aws.unsigned out, or set the endpoint");
    else if (!is_loopback(url))
        conf_adviser_say(a, place,
                         "aws.unsigned: is for emulators, and %s is another machine; HINT: DynamoDB takes no unsigned "
                         "requests: is it an emulator?",
                         url);
}

/* "eu-central-1": letters, a direction and a number. With an endpoint of one's own, any name will do. */
static void advise_region(ConfAdviser *a, const ConfTree *node, const char *path, const char *region) {
    static const char *const directions[] = {"central",   "east",      "west",      "north",    "south",
                                             "northeast", "northwest", "southeast", "southwest"};
    char word[65];
    const char *number = strrchr(region, '-'), *start = number;
    if (a->conf->aws.endpoint_url || strcmp(region, "local") == 0)
        return;
    while (start && start > region && start[-1] != '-')
        start--;
    bool has_form = start && start - region >= 3 && number[1] && strspn(number + 1, "0123456789") == strlen(number + 1);
    snprintf(word, sizeof word, "%.*s", has_form ? (int)(number - start) : 0, has_form ? start : "");
    for (size_t i = 0; i < ARRAY_SIZE(directions); i++)
        if (strcmp(word, directions[i]) == 0)
            return;
    const char *nearest = *word ? name_nearest(word, directions, ARRAY_SIZE(directions)) : NULL;
    if (nearest)
        conf_adviser_say(a, node, "%s: AWS has no region \"%s\" that is known; HINT: did you mean \"%.*s%s%s\"?", path,
                         region, (int)(start - region), region, nearest, number);
    else
        conf_adviser_say(a, node, "%s: AWS has no region \"%s\" that is known; HINT: such as \"eu-central-1\"", path,
                         region);
}

static void advise_regions(ConfAdviser *a) {
    const Conf *c = a->conf;
    const ConfTree *own = conf_tree_get(conf_tree_get(a->root, "aws"), "region"),
                   *accounts = conf_tree_get(a->root, "accounts");
    if (own && c->aws.region)
        advise_region(a, own, "aws.region", c->aws.region);
    for (size_t i = 0; i < c->n_accounts; i++)
        for (size_t j = 0; j < c->accounts[i].n_regions; j++) {
            const ConfTree *list = conf_tree_get(accounts->children[i], "regions");
            AUTO_TEXT path = TEXT_INIT(256);
            text_addf(&path, "accounts.%s.regions", c->accounts[i].name);
            advise_region(a, list->kind == CONF_LIST ? list->children[j] : list, text_get(&path),
                          c->accounts[i].regions[j]);
        }
}

/* Where nothing of it ever comes to be. */
static void advise_defaults(ConfAdviser *a) {
    const Conf *c = a->conf;
    const ConfTree *expire = conf_tree_get(a->defaults, "expire"), *keep = conf_tree_get(a->defaults, "keep");
    bool any_keeps = false;
    for (size_t i = 0; i < c->n_schedules; i++)
        any_keeps |= retention_keep_is_set(&c->schedules[i].keep);
    if (expire && text_equal(expire->string, "delete") && !any_keeps && !keep)
        conf_adviser_say(a, expire,
                         "defaults.expire: deletes nothing, for no schedule has a keep; HINT: say what to keep, keep = "
                         "{ last = 7; }");
    else if (keep && keep->n_children > (conf_tree_get(keep, "floor") != NULL) && !expire)
        conf_adviser_say(a, keep,
                         "defaults.keep: deletes nothing where expire is not set, what it does not want is only "
                         "reported; HINT: set expire = \"delete\", or expire = \"report\" if that is meant");
}

int conf_advise(const Conf *c, const ConfTree *tree, Usec now_wall, ConfProblems *advice) {
    ConfAdviser a = {.conf = c,
                     .root = tree,
                     .defaults = conf_tree_get(tree, "defaults"),
                     .now_wall = now_wall,
                     .advice = advice};
    const ConfTree *schedules = conf_tree_get(tree, "schedules"), *tables = conf_tree_get(tree, "tables");
    advise_aws(&a);
    advise_regions(&a);
    advise_defaults(&a);
    for (size_t i = 0; i < c->n_schedules; i++)
        conf_advise_schedule(&a, &c->schedules[i], schedules->children[i]);
    for (size_t i = 0; i < c->n_tables; i++)
        conf_advise_entry(&a, i, tables->children[i]);
    return a.error;
}
