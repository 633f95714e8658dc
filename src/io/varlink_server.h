#pragma once
/* The server's side of Varlink: a listening Unix socket and its clients on sd-event, whoever they are. Nothing that a
 * client does or leaves undone costs the others or the engine more than a moment: each step takes one message at most,
 * at a lower priority than the daemon's own work; messages, answers, clients and their patience are bounded. What goes
 * beyond is disconnected.
 *
 * A client has one call under way; the next is read when it was answered in full. */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/text.h"

typedef struct VarlinkServer VarlinkServer;

/* Clients at once. Beyond, one makes way that owes the rest of a message or leaves an answer unread, else the one that
 * has been idle longest. */
#define VARLINK_CLIENTS_MAX 256
/* How long the rest of a message may take, a client may leave an answer unread, or be silent without a call. */
#define VARLINK_PATIENCE_USEC (10 * USEC_PER_SEC)
#define VARLINK_IDLE_USEC (5 * USEC_PER_MINUTE)
/* Of the server's event sources; the daemon's own have 0, and lower ones come first. */
#define VARLINK_PRIORITY 10

typedef struct VarlinkPeer {
    unsigned uid;
    bool in_service_group; /* of the process, or one of `groups` of the settings is its own */
    bool in_order_group;
} VarlinkPeer;

typedef struct VarlinkPort {
    /* A message, without its NUL; borrowed. It is answered by varlink_server_send, now or later. 0, or negative to
     * disconnect. */
    int (*call)(void *context, uint64_t client, const VarlinkPeer *peer, const char *message, size_t len);
    /* It is gone, and had a call under way. */
    void (*gone)(void *context, uint64_t client);
} VarlinkPort;

/* Binds DIRECTORY/NAME, which everybody may connect to, in place of one that nobody listens to any more; makes the
 * directory where only that is missing. -EADDRINUSE: somebody listens there. */
int varlink_server_new(sd_event *event, const char *directory, const char *name, const VarlinkPort *port, void *context,
                       VarlinkServer **ret);
/* Removes the socket. `gone` is not called. */
void varlink_server_free(VarlinkServer *s);
DEFINE_CLEANUP(VarlinkServer, varlink_server_free)

/* Whose members have in_order_group; (unsigned)-1: nobody's. */
void varlink_server_set_group(VarlinkServer *s, unsigned gid);

/* Whole messages with their NULs, whose last ends the call unless it `continues`. A client that is gone is no error. */
void varlink_server_send(VarlinkServer *s, uint64_t client, const Text *messages, bool continues);
/* What was sent to it before has not left yet. */
bool varlink_server_is_behind(const VarlinkServer *s, uint64_t client);
