#pragma once
/* The frame of a reply of DynamoDB and KMS: headers, checksum, and how an error is told. */

#include "sim/service.h"

/* An error in place of the body; status 0: the usual one of that code. message: NULL or "": none. */
void service_reply_set_error(ServiceReply *r, const char *code, int status, const char *message);
/* What a fault script does not say itself. */
const char *service_reply_usual_message(const char *code);
/* The last step: the body is complete. */
void service_reply_finish(Service *s, ServiceReply *r, Usec now_wall, const char *content_type, bool wrong_crc);
