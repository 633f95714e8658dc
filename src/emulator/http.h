#pragma once
/* The HTTP/1.1 front end: a thread per connection, so that a delayed reply holds up nobody else. */

#include <stdint.h>

#include "emulator/emulator.h"

typedef struct Http Http;

/* Listens on a numeric address; port 0 picks a free one. -EINVAL: no such address; -EIO: cannot listen there. */
int http_start(Emulator *emulator, const char *address, uint16_t port, Http **ret, uint16_t *ret_port);
/* Waits for the connections that are open. */
void http_stop(Http *h);
