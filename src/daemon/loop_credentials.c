#include "daemon/loop_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "io/aws_defaults.h"
#include "io/clocks.h"
#include "io/journal.h"

int loop_send_kept(Loop *l) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < l->kept.n_requests; i++)
        r = transport_send(l->transport, TAKE_PTR(l->kept.requests[i]));
    for (size_t i = 0; r >= 0 && i < l->kept.n_processes; i++)
        r = processes_run(l->processes, l->kept.processes[i].id, l->kept.processes[i].argv);
    provider_outbox_clear(&l->kept);
    return r;
}

/* Each change of an account's credentials is said once, whoever waits for them. */
static int take_news(Loop *l, const ProviderNews *n) {
    char until[DATE_ISO_SIZE];
    bool own = strcmp(n->account, ACCOUNT_OWN) == 0;
    const char *account = own ? "" : n->account, *colon = own ? "" : ": ";
    if (!n->found) {
        if (n->is_new)
            journal_event(REPORT_CREDENTIALS, "%s%scredentials: %s%s", account, colon, n->why,
                          n->has_old ? "; the old ones stay in use" : "");
        return n->has_old ? 0 : engine_set_credentials(l->engine, n->account, NULL);
    }
    bool expires = n->found->expires_wall != USEC_INFINITY;
    if (n->is_new)
        journal_event(REPORT_CREDENTIALS_FOUND, "%s%scredentials: key %.4s... from %s%s%s", account, colon,
                      n->found->access_key_id, n->found->source, expires ? ", good until " : "",
                      expires ? date_to_iso(n->found->expires_wall / USEC_PER_SEC * USEC_PER_SEC, until) : "");
    return engine_set_credentials(l->engine, n->account, n->found);
}

int loop_turn_keeper(Loop *l, Now now, Usec *ret_next_mono) {
    provider_outbox_clear(&l->kept);
    int r = keeper_turn(l->keeper, now, &l->kept, ret_next_mono);
    for (size_t i = 0; r >= 0 && i < l->kept.n_news; i++)
        r = take_news(l, &l->kept.news[i]);
    return r;
}

static void on_credentials_changed(void *context) {
    Loop *l = context;
    keeper_restart(l->keeper, clocks_read());
    loop_turn(l);
}

void loop_on_process(void *context, uint64_t id, const char *output, size_t len, const char *problem) {
    Loop *l = context;
    int r = keeper_process_done(l->keeper, id, output, len, problem, clocks_read());
    if (r < 0)
        loop_give_up(l, "the output of a process could not be taken", r);
    else
        loop_turn(l);
}

static int keep_accounts(Loop *l, const Conf *conf) {
    int r = conf->n_accounts == 0 ? engine_await_credentials(l->engine, ACCOUNT_OWN) : 0;
    for (size_t i = 0; r >= 0 && i < conf->n_accounts; i++)
        r = engine_await_credentials(l->engine, conf->accounts[i].name);
    return r < 0 ? r : keeper_follow(l->keeper, conf, l->region);
}

/* Emulators want no credentials. */
static int sign_nothing(Loop *l) {
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    const Conf *conf = engine_conf(l->engine);
    int r = aws_defaults_no_credentials(&c);
    while (keeper_n_accounts(l->keeper) > 0)
        keeper_remove(l->keeper, provider_account(keeper_provider(l->keeper, 0)));
    watch_free(TAKE_PTR(l->watch));
    if (r >= 0 && conf->n_accounts == 0)
        r = engine_set_credentials(l->engine, ACCOUNT_OWN, c);
    for (size_t i = 0; r >= 0 && i < conf->n_accounts; i++)
        r = engine_set_credentials(l->engine, conf->accounts[i].name, c);
    return r;
}

int loop_look_for_credentials(Loop *l) {
    if (engine_conf(l->engine)->aws.unsigned_requests == SWITCH_ON)
        return sign_nothing(l);
    AUTO_FREE const char **files = NULL;
    size_t n_files;
    Usec next_mono;
    int r;
    if ((r = keep_accounts(l, engine_conf(l->engine))) < 0 ||
        (r = loop_turn_keeper(l, clocks_read(), &next_mono)) < 0 || (r = loop_send_kept(l)) < 0)
        return r;
    watch_free(TAKE_PTR(l->watch));
    if ((r = keeper_files(l->keeper, &files, &n_files)) < 0)
        return r;
    return watch_new(l->event, files, n_files, on_credentials_changed, l, &l->watch);
}
