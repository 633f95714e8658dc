#pragma once
/* Asks the service in somebody else's name, as the programs do that ask, wait and end: a client of its own whose
 * requests are served at once, and that keeps to the service's rates all the same. */

#include "core/aws/client.h"
#include "core/conf/conf.h"
#include "house.h"

typedef struct Caller Caller;

Caller *caller_new(House *house, const Conf *conf);
void caller_free(Caller *c);
DEFINE_CLEANUP(Caller, caller_free)
/* Takes the request. */
void caller_begin(Caller *c, const char *region, AwsRequest *request, uint64_t tag);
/* Serves what has been begun; answers go to `answered`, a failure of which ends the program. Time passes only if
 * nothing else can. */
void caller_turn(Caller *c, int (*answered)(void *context, CallDone *done, Now now), void *context);
Now caller_now(const Caller *c);
