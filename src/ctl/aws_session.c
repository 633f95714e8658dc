#include "ctl/aws_session.h"

#include <string.h>

#include "base/text.h"
#include "ctl/load_conf.h"
#include "ctl/verbs.h"
#include "io/aws_defaults.h"
#include "io/clocks.h"
#include "io/region.h"

void aws_session_done(AwsSession *s) {
    ask_free(s->ask);
    fetched_done(&s->credentials);
    free(s->region);
    conf_free(s->conf);
}

int aws_session_open(AwsSession *s, const CtlOptions *o, Usec within_usec) {
    AUTO_FREE char *problem = NULL;
    int r = s->conf ? 0 : load_conf(o->config, &s->conf);
    if (r < 0)
        return r; /* and said why */
    if ((r = aws_defaults_fill(s->conf, &problem)) >= 0 && (r = region_find(s->conf, &s->region, &problem)) >= 0 &&
        (r = credentials_fetch(s->conf, s->region, &s->credentials)) >= 0)
        r = ask_new(s->conf, &s->credentials, "ddbackupctl/" PACKAGE_VERSION, within_usec, &s->ask);
    if (r < 0)
        ctl_failed(problem ? problem : strerror(-r));
    return r;
}

static void say_problem(const AwsSession *s, size_t i) {
    AUTO_TEXT t = TEXT_INIT(8192);
    fetched_say_problem(&s->credentials, i, &t);
    ctl_failed(text_get(&t));
}

void aws_session_say_problems(const AwsSession *s) {
    for (size_t i = 0; i < s->credentials.n_items; i++)
        if (!s->credentials.items[i].found)
            say_problem(s, i);
}

bool aws_session_has(const AwsSession *s, const char *account) {
    for (size_t i = 0; i < s->credentials.n_items; i++)
        if (strcmp(s->credentials.items[i].account, account) == 0) {
            if (!s->credentials.items[i].found)
                say_problem(s, i);
            return s->credentials.items[i].found;
        }
    AUTO_FREE char *error = text_format("account %s: the configuration has none of that name", account);
    ctl_failed(error);
    return false;
}

int aws_session_places(const AwsSession *s, Places *ret) {
    return places_make(s->conf, s->region, clocks_read(), ret);
}
