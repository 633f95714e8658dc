#pragma once
/* Calls to DynamoDB, S3 and KMS: limits, signs, retries and classifies; sans IO.
 *
 * A call is begun, waits for a token of its (account, region, operation) bucket, leaves as one or more HttpRequests and
 * ends in one CallDone. It is asked again by itself where that can do no harm: what had no effect, and reads. A
 * mutation whose outcome is unknown ends the call. S3's operations go the same way (core/aws/s3.h). Delays run on the
 * monotonic clock; signatures use the wall clock corrected by the Date that the service sent last (per endpoint).
 *
 * Nothing leaves by itself: client_turn puts requests into the outbox, and the owner hands them to the transport after
 * its commit. Each request that leaves is named in `sends`, so that the owner can store "sent at" in the same commit.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/aws/aws_error.h"
#include "core/aws/codec.h"
#include "core/aws/credentials.h"
#include "core/aws/http.h"

typedef struct Client Client;

/* How to reach the service; copied. */
typedef struct ClientSettings {
    const char *endpoint_url;  /* NULL: that of the region */
    const char *s3_endpoint_url, *kms_endpoint_url; /* the same of S3 and of KMS */
    bool fips, dual_stack;     /* which of the region's */
    bool unsigned_requests;    /* no signatures; credentials are not looked at */
    bool keeps_rate;           /* throttling does not lower the rate of calls */
    Usec connect_timeout_usec; /* 0: none */
    Usec read_timeout_usec;    /* whole exchange; 0: none */
    int max_attempts;          /* sends per call in the fast loop, 1..20 */
    double rate_share;         /* (0, 1]: share of the service's limits to use */
    const char *user_agent;
} ClientSettings;

typedef struct CallSpec {
    const char *account; /* whose credentials: a key of client_set_credentials */
    const char *region;
    AwsRequest *request; /* taken */
    uint64_t tag;        /* the owner's; comes back in sends and done; unique among its live calls */
    Usec deadline_mono;  /* the call ends (AWS_UNCERTAIN if ever sent without an answer, else AWS_TRANSIENT) when it is
                            not done by then; USEC_INFINITY: none, it waits for its turn and its reply */
} CallSpec;

typedef struct CallDone {
    uint64_t tag;
    AwsError error;   /* class AWS_OK: reply is set */
    AwsReply *reply;  /* owned by the outbox; TAKE_PTR to keep */
    int n_sends;      /* requests that left */
    Usec server_wall; /* Date of the last reply, WALL_UNKNOWN without one */
} CallDone;

typedef struct ClientOutbox {
    HttpRequest **requests; /* to be sent after the commit, in this order; owned */
    size_t n_requests, n_requests_room;
    uint64_t *sends; /* tags of the calls whose requests those are, same order */
    size_t n_sends_room;
    CallDone *done;
    size_t n_done, n_done_room;
} ClientOutbox;

/* Frees what is left in it and makes it empty; keeps its arrays. */
void client_outbox_clear(ClientOutbox *o);
void client_outbox_done(ClientOutbox *o);

/* `seed` feeds the jitter of retries: the same seed and the same inputs give the same run. */
int client_new(const ClientSettings *settings, uint64_t seed, Client **ret);
void client_free(Client *c);
DEFINE_CLEANUP(Client, client_free)
/* New settings hold for sends from now on. */
int client_configure(Client *c, const ClientSettings *settings);
/* Copied. NULL takes them away: calls of that account then end at their turn with AWS_CREDENTIALS, code NoCredentials,
 * so that their owner knows and says why they do not move. */
int client_set_credentials(Client *c, const char *account, const Credentials *credentials);
/* Someone looks for this account's credentials: its calls wait until client_set_credentials says what was found. From
 * then on a call that is refused because they have expired waits up to a minute for others and is asked once more. */
int client_await_credentials(Client *c, const char *account);
/* An account whose credentials the service calls expired, each time once; NULL: none (any more). Borrowed. */
const char *client_expired_account(Client *c);

/* Queues a call. Calls of one bucket start in the order in which they were begun. -ENOMEM: nothing happened; the
 * request was freed. */
int client_begin(Client *c, const CallSpec *spec, Now now);
/* Forgets a call; its reply will be ignored. */
void client_cancel(Client *c, uint64_t tag);
/* From now on nothing leaves any more; replies are still taken. Calls that wait to be asked again end with the error
 * that they have; calls that were never sent go on waiting. */
void client_pause(Client *c);
size_t client_n_calls(const Client *c);

/* A reply arrived; taken. Unknown ids are ignored (the call was cancelled). */
int client_reply(Client *c, HttpReply *reply, Now now);

/* Moves everything on: fills *out and returns when it next wants to run (USEC_INFINITY: when something happens). */
int client_turn(Client *c, Now now, ClientOutbox *out, Usec *ret_next_mono);
