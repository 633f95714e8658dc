#include "core/credentials/provider_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/aws/codec.h"
#include "core/aws/retry.h"
#include "core/format/shell_split.h"

#define LEAD_USEC (15 * USEC_PER_MINUTE)
#define JITTER_USEC (5 * USEC_PER_MINUTE)
#define AGAIN_MIN_USEC (15 * USEC_PER_SEC)
#define AGAIN_MAX_USEC (5 * USEC_PER_MINUTE)

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

int provider_fail(Provider *p, ProviderOutbox *out, ProviderFailure failure, const char *why, Now now) {
    AUTO_TEXT t = TEXT_INIT(PROVIDER_WHY_MAX);
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

int provider_failf(Provider *p, ProviderOutbox *out, ProviderFailure failure, Now now, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(PROVIDER_WHY_MAX);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    return provider_fail(p, out, failure, text_get(&t), now);
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

int provider_go_on(Provider *p, ProviderOutbox *out, Now now) {
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
        return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now,
                              "%s: gave credentials that have expired already; HINT: renew them, or correct the "
                              "clock",
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
    AUTO_TEXT why = TEXT_INIT(PROVIDER_WHY_MAX);
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
        return provider_fail(p, out, failure, text_get(&why), now);
    p->n_roles_left = p->plan.n_roles;
    p->stage = STAGE_ORIGIN;
    if (p->plan.origin != ORIGIN_STATIC)
        return 0;
    p->in_hand = TAKE_PTR(p->plan.fixed);
    return provider_go_on(p, out, now);
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
        r = provider_ask(p, out, now);
    if (r < 0)
        return r;
    *ret_next_mono = p->asking ? USEC_INFINITY : p->next_mono;
    return 0;
}
