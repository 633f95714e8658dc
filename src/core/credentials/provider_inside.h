#pragma once
/* Inside a provider: an attempt, from its plan to its end. provider.c is life, how an attempt begins and ends, and the
 * turn; provider_ask.c what it asks, provider_answer.c what it is answered. */

#include "core/credentials/imds.h"
#include "core/credentials/provider.h"

#define PROVIDER_WHY_MAX 4096

typedef enum ProviderStage { STAGE_IDLE, STAGE_ORIGIN, STAGE_ROLE } ProviderStage;

struct Provider {
    char *account, *profile, *region;
    EndpointWish sts;
    char *sts_configured; /* what `sts` borrows */
    ProviderRole role;
    bool has_role;
    ProviderPort port;
    uint64_t last_id, random;
    ProviderStage stage;
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

/* --- provider.c --- */

/* The attempt ends in vain; the next one comes by itself. 0, -ENOMEM. */
int provider_fail(Provider *p, ProviderOutbox *out, ProviderFailure failure, const char *why, Now now);
int provider_failf(Provider *p, ProviderOutbox *out, ProviderFailure failure, Now now, const char *format, ...)
    PRINTF_LIKE(5, 6);
/* In hand are credentials: of the next role's source, or the ones that were wanted. */
int provider_go_on(Provider *p, ProviderOutbox *out, Now now);

/* --- provider_ask.c --- */

/* The next question of the attempt: a request or a process in the outbox. */
int provider_ask(Provider *p, ProviderOutbox *out, Now now);
ImdsSettings provider_imds_settings(const ProviderPlan *plan);
