#pragma once
/* The client's side of Varlink: one call at a time, waiting for its answers. -errno. */

#include "base/clock.h"
#include "core/format/varlink.h"

typedef struct VarlinkClient VarlinkClient;

/* -ENOENT, -ECONNREFUSED: nobody listens there. */
int varlink_client_new(const char *path, VarlinkClient **ret);
void varlink_client_free(VarlinkClient *c);
DEFINE_CLEANUP(VarlinkClient, varlink_client_free)

/* `parameters` is JSON. */
int varlink_client_call(VarlinkClient *c, const char *method, const char *parameters, bool more);
/* The next answer, whose spans are good until the next one. -ETIMEDOUT; -ECONNRESET: the server hung up; -EBADMSG: that
 * was no answer. */
int varlink_client_next(VarlinkClient *c, Usec timeout_usec, VarlinkReply *ret);
