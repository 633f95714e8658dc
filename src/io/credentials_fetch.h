#pragma once
/* Credentials for the programs that ask, wait and end: one attempt, with a transport and an event loop of its own. */

#include "base/text.h"
#include "core/conf.h"
#include "core/provider_plan.h"

/* -ENOENT: there are none, or they cannot be had: *why says so for people, with a HINT and without a secret;
 * *ret_failure (may be NULL) which kind it was. */
int credentials_fetch(const Conf *conf, const char *region, Credentials **ret, Text *why, ProviderFailure *ret_failure);

/* What every program that runs credential_process allows it. */
#define CREDENTIALS_PROCESS_LIMITS {.timeout_usec = 60 * USEC_PER_SEC, .max_output = 64u << 10}
