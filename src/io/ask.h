#pragma once
/* Reading calls for the programs that ask, wait for the answers and end: a client with its transport and an event loop
 * of its own. What would change something at the service is refused. */

#include "base/macros.h"
#include "core/aws/client.h"
#include "core/conf/conf.h"
#include "core/table/place.h"
#include "io/credentials_fetch.h"

typedef struct Ask Ask;

/* An answer came; it may begin more. Negative: ask_run gives up with it. */
typedef int (*AskAnswered)(void *context, CallDone *done, Now now);

/* Copies what it needs. Calls of an account that has none of the credentials end with NoCredentials. `within_usec` is
 * how long each call may take, its wait for a turn included; USEC_INFINITY: as long as it takes. -ENOMEM, -EIO. */
int ask_new(const Conf *conf, const Fetched *credentials, const char *user_agent, Usec within_usec, Ask **ret);
void ask_free(Ask *a);
DEFINE_CLEANUP(Ask, ask_free)

/* Takes the request, also on failure; the tag comes back with the answer. -EPERM: it is not a reading call. */
int ask_begin(Ask *a, const char *account, const char *region, AwsRequest *request, uint64_t tag, Now now);
/* Until nothing is left to wait for. */
int ask_run(Ask *a, AskAnswered answered, void *context);

/* Lists all tables of each place that has patterns. Where they could not be listed, the place has no listing, and its
 * error (in the order of the places) says why. */
int ask_tables(Ask *a, Places *places, AwsError *ret_errors);
/* Then reads the tags of the tables for which entries ask. Where some could not be read, the place's error says why,
 * and tags that are not known select nothing. */
int ask_tags(Ask *a, const Conf *conf, Places *places, AwsError *ret_errors);
