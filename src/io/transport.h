#pragma once
/* Carries the core's HTTP over curl's multi interface, driven by sd-event. It and transfer.c are all that know curl.
 *
 * One connection pool for the process; TLS is verified always. Replies are queued and taken with transport_take;
 * `replied` is called from the event loop, once for all that have come, and never from within the functions here.
 *
 * A request that is not repeatable leaves at most once, whatever happens to its connection: where curl would send it
 * again (a kept-alive connection that closes before the reply) it ends as HTTP_UNKNOWN. Requests beyond the connections
 * allowed wait here; a host in trouble does not hold up another. */

#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/macros.h"
#include "core/aws/http.h"

typedef struct Transport Transport;

typedef struct TransportSettings {
    const char *ca_bundle; /* PEM file; NULL: the system's */
    long max_connections;  /* of the pool */
    long max_per_host;
} TransportSettings;

/* Replies are there to be taken. */
typedef void (*TransportReplied)(Transport *t, void *context);

/* -ENOMEM, -EIO. Settings are copied. */
int transport_new(sd_event *event, const TransportSettings *settings, TransportReplied replied, void *context,
                  Transport **ret);
/* Ends what is under way without replies. */
void transport_free(Transport *t);
DEFINE_CLEANUP(Transport, transport_free)
/* Holds for requests that are sent from now on. */
int transport_configure(Transport *t, const TransportSettings *settings);

/* Takes the request, also on failure (-ENOMEM, -EIO). Every request that was taken without failure gets one reply. */
int transport_send(Transport *t, HttpRequest *request);
/* The next reply, or NULL. The caller frees it. */
HttpReply *transport_take(Transport *t);
/* Gives back what makes the next request cheaper: handles, connections, the certificates of the CAs. For when none is
 * expected soon; while requests are under way it does nothing. */
void transport_rest(Transport *t);
/* Requests without a reply yet. */
size_t transport_n_requests(const Transport *t);
