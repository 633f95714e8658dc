#pragma once
/* What goes over the wire, said at log_level = "debug": method, host, operation, table, status, error code, request id,
 * duration. Headers and bodies are never said, so neither keys, tokens nor signatures are. */

#include "base/clock.h"
#include "core/aws/http.h"

void trace_request(const HttpRequest *q);
void trace_reply(const HttpRequest *q, const HttpReply *reply, Usec took_usec);
