#pragma once
/* Inside the client: what a call is, how it becomes a request, and what a reply means for it. When calls move is
 * client.c's business. */

#include "base/heap.h"
#include "base/id_map.h"
#include "core/aws/bucket.h"
#include "core/aws/client.h"
#include "core/aws/retry.h"
#include "core/aws/sigv4.h"

typedef struct Account {
    char *name;
    Credentials *credentials; /* NULL: there are none */
    bool is_kept;             /* someone looks for credentials, and for new ones when these expire */
    bool is_awaited;          /* has not found any yet: calls wait */
    bool has_expired;         /* the service said so; nobody has been told */
} Account;

/* A service in one region. */
typedef struct Endpoint {
    char *region;
    EndpointService service;
    char *url;        /* NULL: it cannot be reached as the settings want */
    const char *signing_region;
    Usec offset_usec; /* its clock less ours, as of its last reply */
} Endpoint;

typedef struct Call Call;

typedef struct CallList {
    Call *first, *last;
} CallList;

/* The calls of one (account, region, operation), which share a rate. */
typedef struct Lane {
    Account *account;
    Endpoint *endpoint;
    RetryQuota *quota; /* shared by the operations */
    SigV4Key key;      /* of the account's credentials */
    Bucket bucket;
    CallList queue;
    HeapNode ready; /* mono: when the first of the queue can leave */
} Lane;

typedef enum CallState {
    CALL_QUEUED,  /* in its lane */
    CALL_SENT,    /* its request is under way */
    CALL_RESTING, /* until it is tried again */
    CALL_ENDED,   /* until the next turn tells its owner */
} CallState;

struct Call {
    CallState state;
    AwsRequest *request;
    char *body; /* the request as JSON, once it is made */
    Lane *lane;
    Call *previous, *next; /* in the list of its state */
    IdNode tag;            /* the owner's */
    IdNode sent;           /* of the HttpRequest under way */
    HeapNode deadline, wake;
    int n_sends;
    Usec sent_mono;
    bool unsure;     /* some request of it may have had an effect that nobody told us of */
    bool skew_tried; /* it was repeated once with a corrected clock */
    bool renewed;    /* it waited once for credentials that have not expired */
    int retry_cost;  /* what its last repetition took out of the quota */
    AwsError error;  /* of the last reply */
    AwsReply *reply;
    Usec server_wall;
};

void call_free(Call *call);
DEFINE_CLEANUP(Call, call_free)

void call_list_append(CallList *l, Call *call);
void call_list_prepend(CallList *l, Call *call);
void call_list_remove(CallList *l, Call *call);

/* The signed request of a call whose account has credentials, or the unsigned one if so set, and whose endpoint has a
 * URL. -EINVAL, -E2BIG: the URL cannot be used; -ENOMEM. */
int call_make_request(Call *call, const ClientSettings *settings, uint64_t id, Now now, HttpRequest **ret);

/* Takes in what a reply says: sets reply or error, and lets bucket, clock offset and retry quota learn from it. May
 * take the reply's body. */
int call_take_reply(Call *call, const ClientSettings *settings, HttpReply *reply, Now now);

/* Whether a call that has failed may be asked again by itself, and after how long. */
bool call_repeats(Call *call, const HttpReply *reply, int max_attempts, uint64_t *random, Usec *ret_delay_usec);

/* Errors that are not the service's; message may be NULL. */
void call_set_error(Call *call, AwsErrorClass class, const char *code, const char *message, const char *hint);
