#pragma once
/* A handful of requests for the programs that ask, wait and end: all leave at once, and all replies are waited for,
 * with a transport and an event loop of its own. */

#include <stddef.h>

#include "core/aws/http.h"

/* Takes the requests, also on failure, and gives them ids of its own. ret[i], to be freed, answers requests[i]; where
 * that is NULL it stays NULL. `ca_bundle` as in TransportSettings. -ENOMEM, -EIO. */
int exchange(const char *ca_bundle, HttpRequest *const *requests, size_t n, HttpReply **ret);
