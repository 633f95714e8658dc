#pragma once
/* Credentials of one account, for as long as the program lives: finds where they come from (provider_plan.h), gets
 * them, and gets new ones ahead of their expiry, one attempt at a time. Sans IO: requests and processes go into an
 * outbox, their ends come back as events. What fails is tried again by itself, ever more seldom; credentials that it
 * gave before stay good for as long as they are.
 *
 * Refreshed 15 minutes before expiry (botocore's advisory time) or at half of a shorter life, less some jitter. */

#include <stdbool.h>
#include <stdint.h>

#include "core/aws/http.h"
#include "core/credentials/provider_plan.h"

typedef struct Provider Provider;

/* A process to run without a shell, its output to be given to provider_process_done. */
typedef struct ProviderProcess {
    uint64_t id;
    char **argv; /* terminated by NULL */
} ProviderProcess;

/* What is new about an account's credentials. */
typedef struct ProviderNews {
    char *account;
    Credentials *found;      /* or NULL: it failed */
    ProviderFailure failure; /* then with why */
    char *why;               /* for people, with a HINT */
    bool is_new;             /* not what was said last time */
    bool has_old;            /* it gave credentials before */
} ProviderNews;

typedef struct ProviderOutbox {
    HttpRequest **requests;
    size_t n_requests, n_requests_room;
    ProviderProcess *processes;
    size_t n_processes, n_processes_room;
    ProviderNews *news;
    size_t n_news, n_news_room;
} ProviderOutbox;

void provider_outbox_clear(ProviderOutbox *o);
void provider_outbox_done(ProviderOutbox *o);

/* `first_id` and the numbers after it are for its requests and processes. All is copied, what the
 * port points to apart. */
int provider_new(const char *account, const ProviderPort *port, const ProviderWish *wish, uint64_t first_id,
                 uint64_t seed, Provider **ret);
void provider_free(Provider *p);
DEFINE_CLEANUP(Provider, provider_free)

/* Begins anew with the next turn: files have changed. */
void provider_restart(Provider *p, Now now);
/* The service calls the credentials expired: new ones as soon as may be. */
void provider_refresh(Provider *p, Now now);

/* Replies to what was given up meanwhile are ignored. */
int provider_reply(Provider *p, const HttpReply *reply, Now now, ProviderOutbox *out);
/* `problem` NULL: it ended well and printed this. */
int provider_process_done(Provider *p, uint64_t id, const char *output, size_t len, const char *problem, Now now,
                          ProviderOutbox *out);
/* Moves it on; *ret_next_mono is when it next wants to run. */
int provider_turn(Provider *p, Now now, ProviderOutbox *out, Usec *ret_next_mono);

const char *provider_account(const Provider *p);
const char *provider_problem(const Provider *p); /* of the last attempt; NULL: it was good, or is still under way */
Usec provider_expires_wall(const Provider *p);   /* of the credentials in use; WALL_UNKNOWN: there are none */
/* The files whose change is a reason to restart; known from the first turn on. Borrowed until the next. */
const char *const *provider_files(const Provider *p, size_t *ret_n);
