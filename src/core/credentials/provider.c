#include "core/credentials/provider.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "core/aws/codec.h"
#include "core/aws/retry.h"
#include "core/credentials/container.h"
#include "core/credentials/credentials_doc.h"
#include "core/credentials/imds.h"
#include "core/credentials/sso.h"
#include "core/credentials/sts.h"
#include "core/format/shell_split.h"

#define LEAD_USEC (15 * USEC_PER_MINUTE)
#define JITTER_USEC (5 * USEC_PER_MINUTE)
#define AGAIN_MIN_USEC (15 * USEC_PER_SEC)
#define AGAIN_MAX_USEC (5 * USEC_PER_MINUTE)
#define TRIES_MAX 3 /* of one request, within an attempt */
#define WHY_MAX 4096

typedef enum Stage { STAGE_IDLE, STAGE_ORIGIN, STAGE_ROLE } Stage;

struct Provider {
    char *account, *profile, *region;
    EndpointWish sts;
    char *sts_configured; /* what `sts` borrows */
    ProviderRole role;
    bool has_role;
    ProviderPort port;
    uint64_t last_id, random;
    Stage stage;
    Usec next_mono; /* idle: of the next attempt; else of the next request, while none is under way */
    Usec begun_mono;
    bool asking; /* last_id is under way */
    ProviderPlan plan;
    size_t n_roles_left;
    Imds imds;
    Credentials *in_hand; /* the source of the next role */
    int n_tries;
    bool token_read_again, skew_tried;
    Usec offset_usec, sent_offset_usec; /* of the service's clock, as of its last reply; as of the request */
    Credentials *current;               /* as told last */
    int n_failures;                     /* attempts in a row */
    char *problem;
};

void provider_free(Provider *p) {
    if (!p)
        return;
    free(p->account);
    free(p->profile);
    free(p->region);
    free(p->sts_configured);
    provider_role_done(&p->role);
    provider_plan_done(&p->plan);
    imds_done(&p->imds);
    credentials_free(p->in_hand);
    credentials_free(p->current);
    free(p->problem);
    free(p);
}

int provider_new(const char *account, const ProviderPort *port, const ProviderWish *wish, uint64_t first_id,
                 uint64_t seed, Provider **ret) {
    CLEANUP(provider_free_ptr) Provider *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    p->port = *port;
    p->last_id = first_id;
    p->random = seed;
    p->has_role = wish->role != NULL;
    p->sts = wish->sts;
    if (text_set(&p->account, account) < 0 || text_set(&p->profile, wish->profile) < 0 ||
        text_set(&p->region, wish->region) < 0 || text_set(&p->sts_configured, wish->sts.configured) < 0 ||
        (wish->role && provider_role_copy(wish->role, &p->role) < 0))
        return -ENOMEM;
    p->sts.configured = p->sts_configured;
    *ret = TAKE_PTR(p);
    return 0;
}

const char *provider_account(const Provider *p) { return p->account; }
const char *provider_problem(const Provider *p) { return p->problem; }
Usec provider_expires_wall(const Provider *p) { return p->current ? p->current->expires_wall : WALL_UNKNOWN; }

const char *const *provider_files(const Provider *p, size_t *ret_n) {
    *ret_n = p->plan.n_files;
    return (const char *const *)p->plan.files;
}

/* A share of the span, from its upper half. */
static Usec jittered(Provider *p, Usec usec) {
    return usec / 2 + (Usec)(retry_random(&p->random) % (uint64_t)(usec / 2 + 1));
}

static void set_idle(Provider *p, Usec next_mono) {
    p->stage = STAGE_IDLE;
    p->next_mono = next_mono;
    p->asking = false;
    imds_done(&p->imds);
    credentials_free(TAKE_PTR(p->in_hand));
}

void provider_restart(Provider *p, Now now) { set_idle(p, now.mono); }

void provider_refresh(Provider *p, Now now) {
    if (p->stage == STAGE_IDLE)
        p->next_mono = usec_min(p->next_mono, usec_max(now.mono, p->begun_mono + AGAIN_MIN_USEC));
}

/* --- the outbox --- */

void provider_outbox_clear(ProviderOutbox *o) {
    for (size_t i = 0; i < o->n_requests; i++)
        http_request_free(o->requests[i]);
    for (size_t i = 0; i < o->n_processes; i++)
        shell_split_free(o->processes[i].argv);
    for (size_t i = 0; i < o->n_news; i++) {
        free(o->news[i].account);
        credentials_free(o->news[i].found);
        free(o->news[i].why);
    }
    o->n_requests = o->n_processes = o->n_news = 0;
}

void provider_outbox_done(ProviderOutbox *o) {
    provider_outbox_clear(o);
    free(o->requests);
    free(o->processes);
    free(o->news);
    *o = (ProviderOutbox){};
}

static int tell(const Provider *p, ProviderOutbox *out, ProviderFailure failure, bool is_new) {
    if (ARRAY_GROW(out->news, out->n_news, out->n_news_room) < 0)
        return -ENOMEM;
    ProviderNews n = {.failure = failure, .is_new = is_new, .has_old = p->current != NULL};
    bool failed = failure != PROVIDER_FAILURE_NONE;
    if (text_set(&n.account, p->account) < 0 || (failed && text_set(&n.why, p->problem) < 0) ||
        (!failed && credentials_copy(p->current, &n.found) < 0)) {
        free(n.account);
        free(n.why);
        return -ENOMEM;
    }
    out->news[out->n_news++] = n;
    return 0;
}

/* --- how an attempt ends --- */

static int fail(Provider *p, ProviderOutbox *out, ProviderFailure failure, const char *why, Now now) {
    AUTO_TEXT t = TEXT_INIT(WHY_MAX);
    Usec wait = AGAIN_MIN_USEC;
    bool wants_v2 = p->plan.imds_v1_disabled && p->imds.step == IMDS_TOKEN;
    if (p->plan.is_last_resort && failure == PROVIDER_FAILURE_RETRIEVAL) {
        failure = wants_v2 ? failure : PROVIDER_FAILURE_NO_SOURCE;
        text_addf(&t, "no AWS credentials: %s; ", why);
        provider_plan_say_nothing(&p->plan, &t);
    } else
        text_add(&t, why);
    for (int i = 0; i < p->n_failures && wait < AGAIN_MAX_USEC; i++)
        wait = usec_min(2 * wait, AGAIN_MAX_USEC);
    p->n_failures++;
    set_idle(p, usec_add(now.mono, jittered(p, wait)));
    bool is_new = !text_equal(p->problem, text_get(&t));
    if (text_set(&p->problem, text_get(&t)) < 0)
        return -ENOMEM;
    return tell(p, out, failure, is_new);
}

static int failf(Provider *p, ProviderOutbox *out, ProviderFailure failure, Now now, const char *format, ...)
    PRINTF_LIKE(5, 6);
static int failf(Provider *p, ProviderOutbox *out, ProviderFailure failure, Now now, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(WHY_MAX);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    return fail(p, out, failure, text_get(&t), now);
}

static Usec refresh_mono(Provider *p, const Credentials *c, Now now) {
    if (c->expires_wall == USEC_INFINITY)
        return USEC_INFINITY;
    Usec life = c->expires_wall - now.wall;
    if (life <= 0) /* the metadata service goes on giving old ones while it has trouble */
        return now.mono + jittered(p, 10 * USEC_PER_MINUTE);
    Usec lead = usec_min(LEAD_USEC, life / 2), jitter = jittered(p, usec_min(JITTER_USEC, life / 8));
    return now.mono + usec_max(life - lead - jitter, AGAIN_MIN_USEC);
}

static int name_source(const Provider *p, Credentials *c) {
    const ProviderPlan *plan = &p->plan;
    char *named = plan->n_roles > 0 ? text_format("role %s by %s", plan->roles[0].role_arn, plan->named)
                  : plan->origin == ORIGIN_WEB_IDENTITY ? text_format("role %s by %s", plan->web.role_arn, plan->named)
                                                        : strdup(plan->named);
    free(c->source);
    c->source = named;
    return named ? 0 : -ENOMEM;
}

/* In hand are credentials: of the next role's source, or the ones that were wanted. */
static int go_on(Provider *p, ProviderOutbox *out, Now now) {
    p->n_tries = 0;
    p->skew_tried = false;
    p->asking = false;
    p->next_mono = now.mono;
    if (p->n_roles_left > 0) {
        p->stage = STAGE_ROLE;
        return 0;
    }
    Credentials *c = p->in_hand;
    if (c->expires_wall <= now.wall && p->plan.origin != ORIGIN_IMDS)
        return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                     "%s: gave credentials that have expired already; HINT: renew them, "
                     "or correct the clock",
                     p->plan.named);
    bool is_new = !p->current || p->problem || !credentials_equal(p->current, c);
    int r = name_source(p, c);
    if (r < 0)
        return r;
    credentials_free(p->current);
    p->current = TAKE_PTR(p->in_hand);
    p->n_failures = 0;
    free(TAKE_PTR(p->problem));
    set_idle(p, refresh_mono(p, p->current, now));
    return tell(p, out, PROVIDER_FAILURE_NONE, is_new);
}

static int begin(Provider *p, ProviderOutbox *out, Now now) {
    AUTO_TEXT why = TEXT_INIT(WHY_MAX);
    ProviderFailure failure;
    ProviderWish wish = {.profile = p->profile,
                         .region = p->region,
                         .sts = p->sts,
                         .role = p->has_role ? &p->role : NULL};
    set_idle(p, now.mono);
    p->begun_mono = now.mono;
    p->n_tries = 0;
    p->token_read_again = p->skew_tried = false;
    provider_plan_done(&p->plan);
    int r = provider_plan_make(&p->port, &wish, &p->plan, &failure, &why);
    if (r < 0)
        return r;
    if (failure != PROVIDER_FAILURE_NONE)
        return fail(p, out, failure, text_get(&why), now);
    p->n_roles_left = p->plan.n_roles;
    p->stage = STAGE_ORIGIN;
    if (p->plan.origin != ORIGIN_STATIC)
        return 0;
    p->in_hand = TAKE_PTR(p->plan.fixed);
    return go_on(p, out, now);
}

/* --- what it asks --- */

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
        return failf(p, out, PROVIDER_FAILURE_CONFIG, now, "%s: is no command line; HINT: close its quotes",
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
        r = failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s: %s; HINT: let the daemon's user read it",
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
        return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
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
        return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                     "%s: %s: %s; HINT: sign in as the daemon's user: aws sso login", p->plan.named, p->plan.token_file,
                     strerror(-r));
    r = sso_token_from_cache(text.bytes, text.len, now.wall, &token, &expires, &why);
    if (r == -EKEYEXPIRED)
        return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                     "%s: it ended at %s; HINT: sign in again as the daemon's user: aws sso login; for a service, "
                     "roles or keys do without a person",
                     p->plan.named, date_to_iso(expires, until));
    if (r == -EBADMSG)
        return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s: %s; HINT: sign in again: aws sso login",
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
        return failf(p, out, PROVIDER_FAILURE_CONFIG, now,
                     "%s: no request can be made of it for %s; HINT: correct the endpoint or the token", p->plan.named,
                     p->plan.sts_url);
    return r < 0 ? r : send(p, out, request);
}

static ImdsSettings imds_settings(const ProviderPlan *plan) {
    return (ImdsSettings){.url = plan->url,
                          .v1_disabled = plan->imds_v1_disabled,
                          .attempts = plan->imds_attempts,
                          .timeout_usec = plan->imds_timeout_usec};
}

static int ask(Provider *p, ProviderOutbox *out, Now now) {
    ImdsSettings imds = imds_settings(&p->plan);
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

/* --- what it is answered --- */

/* The same question once more, if it has not been asked too often. */
static bool asks_again(Provider *p, Now now) {
    if (++p->n_tries >= TRIES_MAX)
        return false;
    p->next_mono = now.mono + (USEC_PER_SEC << (p->n_tries - 1));
    return true;
}

static int take_document(Provider *p, ProviderOutbox *out, const HttpReply *reply, Now now) {
    AUTO_TEXT why = TEXT_INIT(1024);
    bool sso = p->plan.origin == ORIGIN_SSO;
    bool refused = sso && reply->outcome == HTTP_REPLIED && reply->status >= 400 && reply->status < 500 &&
                   reply->status != 429;
    int r = -EBADMSG;
    if (reply->outcome != HTTP_REPLIED)
        text_addf(&why, "it cannot be asked: %s", reply->error ? reply->error : "no reply");
    else if (reply->status != 200)
        text_addf(&why, "it answered %d", reply->status);
    else if (sso)
        r = credentials_from_sso(reply->body, reply->body_len, &p->in_hand, &why);
    else
        r = credentials_from_metadata(reply->body, reply->body_len, &p->in_hand, &why);
    if (r >= 0)
        return go_on(p, out, now);
    if (r != -EBADMSG || (!refused && asks_again(p, now)))
        return r == -EBADMSG ? 0 : r;
    return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s; HINT: %s", p->plan.named, text_get(&why),
                 sso ? "sign in again as the daemon's user: aws sso login" : "look into the agent's log");
}

static int take_sts(Provider *p, ProviderOutbox *out, const HttpReply *reply, Now now) {
    AUTO_TEXT why = TEXT_INIT(2048);
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    StsError error;
    Usec date;
    const char *text = reply->outcome == HTTP_REPLIED ? http_headers_get(&reply->headers, "Date") : NULL;
    if (text && !http_headers_get(&reply->headers, "Age") && date_from_http(text, &date) >= 0)
        p->offset_usec = date - now.wall;
    bool web = p->stage == STAGE_ORIGIN;
    const ProviderRole *role = web ? &p->plan.web : &p->plan.roles[p->n_roles_left - 1];
    int r = sts_reply(reply, &c, &error, &why);
    if (r >= 0) {
        p->n_roles_left -= !web;
        credentials_free(p->in_hand);
        p->in_hand = TAKE_PTR(c);
        return go_on(p, out, now);
    }
    if (r != -EREMOTEIO)
        return r;
    Usec moved = p->offset_usec - p->sent_offset_usec;
    bool corrected = error.skewed && !p->skew_tried && (moved > 4 * USEC_PER_MINUTE || moved < -4 * USEC_PER_MINUTE);
    bool reread = web && error.expired && !p->token_read_again;
    p->skew_tried |= corrected;
    p->token_read_again |= reread;
    if (corrected || reread) {
        p->next_mono = now.mono;
        return 0;
    }
    if (error.transient && asks_again(p, now))
        return 0;
    return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "role %s by %s: %s; HINT: %s", role->role_arn, p->plan.named,
                 text_get(&why),
                 error.transient
                     ? "it is asked again by itself"
                     : "see that the role exists, trusts who asks (sts:AssumeRole), and has this external id");
}

int provider_reply(Provider *p, const HttpReply *reply, Now now, ProviderOutbox *out) {
    AUTO_TEXT why = TEXT_INIT(2048);
    if (!p->asking || reply->id != p->last_id)
        return 0;
    p->asking = false;
    p->next_mono = now.mono;
    if (p->stage == STAGE_ROLE || p->plan.origin == ORIGIN_WEB_IDENTITY)
        return take_sts(p, out, reply, now);
    if (p->plan.origin != ORIGIN_IMDS)
        return take_document(p, out, reply, now);
    ImdsSettings settings = imds_settings(&p->plan);
    int r = imds_reply(&p->imds, &settings, reply, &p->in_hand, &why);
    if (r == -EREMOTEIO && !p->plan.is_last_resort)
        text_add(&why, "; HINT: attach a role to the instance, or correct credential_source");
    if (r == -EREMOTEIO)
        return fail(p, out, PROVIDER_FAILURE_RETRIEVAL, text_get(&why), now);
    return r > 0 ? go_on(p, out, now) : r;
}

int provider_process_done(Provider *p, uint64_t id, const char *output, size_t len, const char *problem, Now now,
                          ProviderOutbox *out) {
    AUTO_TEXT why = TEXT_INIT(1024);
    if (!p->asking || id != p->last_id)
        return 0;
    p->asking = false;
    int r = problem ? -EBADMSG : credentials_from_process(output, len, &p->in_hand, &why);
    if (r >= 0)
        return go_on(p, out, now);
    if (r != -EBADMSG)
        return r;
    return failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s%s; HINT: run it as the daemon's user to see",
                 p->plan.named, problem ? problem : "of what it printed, ", text_get(&why));
}

int provider_turn(Provider *p, Now now, ProviderOutbox *out, Usec *ret_next_mono) {
    int r = 0;
    /* a wall clock that was set makes the mono instant of the next attempt wrong: what is about
     * to expire counts, too */
    bool expires = p->current && p->current->expires_wall != USEC_INFINITY &&
                   p->current->expires_wall - now.wall < USEC_PER_MINUTE &&
                   p->begun_mono + AGAIN_MAX_USEC <= now.mono;
    if (p->stage == STAGE_IDLE && (p->next_mono <= now.mono || expires))
        r = begin(p, out, now);
    if (r >= 0 && p->stage != STAGE_IDLE && !p->asking && p->next_mono <= now.mono)
        r = ask(p, out, now);
    if (r < 0)
        return r;
    *ret_next_mono = p->asking ? USEC_INFINITY : p->next_mono;
    return 0;
}
