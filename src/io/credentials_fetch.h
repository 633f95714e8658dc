#pragma once
/* The credentials of all accounts for the programs that ask, wait and end: one attempt for each, with a transport and
 * an event loop of its own. */

#include "base/text.h"
#include "core/conf/conf.h"
#include "core/credentials/provider_plan.h"

typedef struct FetchedAccount {
    char *account;
    Credentials *found; /* NULL: there are none, or they cannot be had */
    ProviderFailure failure;
    char *why; /* then: for people, with a HINT and without a secret */
} FetchedAccount;

/* In the order of the configuration; ACCOUNT_OWN alone where it has no accounts. */
typedef struct Fetched {
    FetchedAccount *items;
    size_t n_items;
} Fetched;

void fetched_done(Fetched *f);

/* aws_defaults_fill comes before. -ENOMEM, -EIO. */
int credentials_fetch(const Conf *conf, const char *region, Fetched *ret);
const FetchedAccount *fetched_find(const Fetched *f, const char *account); /* or NULL */
size_t fetched_n_found(const Fetched *f);
/* "from X", or "of prod from X, of shop from Y" of those that were found. */
void fetched_say(const Fetched *f, Text *t);
/* What is wrong with one that was not found, after the name of its account where there are several. */
void fetched_say_problem(const Fetched *f, size_t i, Text *t);

/* What every program that runs credential_process allows it. */
#define CREDENTIALS_PROCESS_LIMITS {.timeout_usec = 60 * USEC_PER_SEC, .max_output = 64u << 10}
