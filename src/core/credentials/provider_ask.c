#include "core/credentials/provider_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "core/credentials/container.h"
#include "core/credentials/credentials_doc.h"
#include "core/credentials/sso.h"
#include "core/credentials/sts.h"
#include "core/format/shell_split.h"

static int send(Provider *p, ProviderOutbox *out, HttpRequest *request) {
    CLEANUP(http_request_free_ptr) HttpRequest *taken = request;
    if (ARRAY_GROW(out->requests, out->n_requests, out->n_requests_room) < 0)
        return -ENOMEM;
    taken->id = ++p->last_id;
    p->asking = true;
    out->requests[out->n_requests++] = TAKE_PTR(taken);
    return 0;
}

static int ask_process(Provider *p, ProviderOutbox *out, Now now) {
    CLEANUP(shell_split_free_ptr) char **argv = NULL;
    int r = shell_split(p->plan.command, &argv);
    if (r == -EINVAL || (r >= 0 && !argv[0]))
        return provider_failf(p, out, PROVIDER_FAILURE_CONFIG, now, "%s: is no command line; HINT: close its quotes",
                              p->plan.named);
    if (r < 0 || ARRAY_GROW(out->processes, out->n_processes, out->n_processes_room) < 0)
        return -ENOMEM;
    p->asking = true;
    out->processes[out->n_processes++] = (ProviderProcess){.id = ++p->last_id, .argv = TAKE_PTR(argv)};
    return 0;
}

/* A token in a file of its own, without the white space around it. 1: read; 0: it failed. */
static int read_token(Provider *p, ProviderOutbox *out, Now now, Secret *ret) {
    CLEANUP(secret_done) Secret text = {};
    int r = provider_port_read(&p->port, p->plan.token_file, &text);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        r = provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s: %s; HINT: let the daemon's user read it",
                           p->plan.named, p->plan.token_file, strerror(-r));
        return r < 0 ? r : 0;
    }
    size_t from = strspn(text.bytes, " \t\r\n"), n = strlen(text.bytes + from);
    while (n > 0 && strchr(" \t\r\n", text.bytes[from + n - 1]))
        n--;
    r = secret_set(ret, text.bytes + from, n);
    return r < 0 ? r : 1;
}

static int ask_container(Provider *p, ProviderOutbox *out, Now now) {
    CLEANUP(secret_done) Secret token = {};
    HttpRequest *request;
    int r = p->plan.token_file ? read_token(p, out, now, &token) : 1;
    if (r <= 0)
        return r;
    r = container_request(p->plan.url, token.bytes ? token.bytes : p->plan.token.bytes, &request);
    if (r == -EBADMSG)
        return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                              "%s: its authorization token cannot stand in a header; HINT: correct it", p->plan.named);
    return r < 0 ? r : send(p, out, request);
}

static int ask_sso(Provider *p, ProviderOutbox *out, Now now) {
    CLEANUP(secret_done) Secret text = {}, token = {};
    AUTO_TEXT why = TEXT_INIT(1024);
    HttpRequest *request;
    char until[DATE_ISO_SIZE];
    Usec expires = 0;
    int r = provider_port_read(&p->port, p->plan.token_file, &text);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                              "%s: %s: %s; HINT: sign in as the daemon's user: aws sso login", p->plan.named,
                              p->plan.token_file, strerror(-r));
    r = sso_token_from_cache(text.bytes, text.len, now.wall, &token, &expires, &why);
    if (r == -EKEYEXPIRED)
        return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                              "%s: it ended at %s; HINT: sign in again as the daemon's user: aws sso login; for a "
                              "service, roles or keys do without a person",
                              p->plan.named, date_to_iso(expires, until));
    if (r == -EBADMSG)
        return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s: %s; HINT: sign in again: aws sso login",
                              p->plan.named, p->plan.token_file, text_get(&why));
    if (r < 0 || (r = sso_request(p->plan.url, p->plan.sso_account, p->plan.sso_role, token.bytes, &request)) < 0)
        return r;
    return send(p, out, request);
}

static int ask_sts(Provider *p, ProviderOutbox *out, Now now) {
    CLEANUP(secret_done) Secret token = {};
    bool web = p->stage == STAGE_ORIGIN;
    HttpRequest *request;
    int r = web ? read_token(p, out, now, &token) : 1;
    if (r <= 0)
        return r;
    StsCall call = {
        .url = p->plan.sts_url,
        .region = p->plan.sts_region,
        .role = web ? &p->plan.web : &p->plan.roles[p->n_roles_left - 1],
        .credentials = web ? NULL : p->in_hand,
        .web_token = web ? token.bytes : NULL,
        .wall = now.wall + p->offset_usec,
    };
    p->sent_offset_usec = p->offset_usec;
    r = sts_request(&call, &request);
    if (r == -EINVAL || r == -E2BIG)
        return provider_failf(p, out, PROVIDER_FAILURE_CONFIG, now,
                              "%s: no request can be made of it for %s; HINT: correct the endpoint or the token",
                              p->plan.named, p->plan.sts_url);
    return r < 0 ? r : send(p, out, request);
}

ImdsSettings provider_imds_settings(const ProviderPlan *plan) {
    return (ImdsSettings){.url = plan->url,
                          .v1_disabled = plan->imds_v1_disabled,
                          .attempts = plan->imds_attempts,
                          .timeout_usec = plan->imds_timeout_usec};
}

int provider_ask(Provider *p, ProviderOutbox *out, Now now) {
    ImdsSettings imds = provider_imds_settings(&p->plan);
    HttpRequest *request;
    int r;
    if (p->stage == STAGE_ROLE)
        return ask_sts(p, out, now);
    switch (p->plan.origin) {
    case ORIGIN_STATIC:
        return 0;
    case ORIGIN_PROCESS:
        return ask_process(p, out, now);
    case ORIGIN_WEB_IDENTITY:
        return ask_sts(p, out, now);
    case ORIGIN_SSO:
        return ask_sso(p, out, now);
    case ORIGIN_CONTAINER:
        return ask_container(p, out, now);
    case ORIGIN_IMDS:
        r = imds_request(&p->imds, &imds, &request);
        return r < 0 ? r : send(p, out, request);
    }
    return 0;
}
