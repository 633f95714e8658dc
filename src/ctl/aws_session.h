#pragma once
/* What a verb needs that asks AWS by itself, as the daemon would: the configuration with what the environment and the
 * profile add to it, the region, each account's credentials, and the asking. */

#include "core/table/place.h"
#include "ctl/options.h"
#include "io/ask.h"

typedef struct AwsSession {
    Conf *conf;
    char *region; /* NULL: every account names its own */
    Fetched credentials;
    Ask *ask;
} AwsSession;

void aws_session_done(AwsSession *s);

/* Fills what is zero, with the configuration of the options unless there is one. A call may take `within_usec`, as
 * ask_new has it. An account without credentials is no failure. Negative: said why on standard error. */
int aws_session_open(AwsSession *s, const CtlOptions *o, Usec within_usec);
/* What is wrong with the accounts without credentials, on standard error. */
void aws_session_say_problems(const AwsSession *s);
/* Has it credentials for that account? False: said why not on standard error. */
bool aws_session_has(const AwsSession *s, const char *account);
/* Those of the configuration, with the region. */
int aws_session_places(const AwsSession *s, Places *ret);
