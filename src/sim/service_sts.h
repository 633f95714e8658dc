#pragma once
/* Inside the model: the Security Token Service, which shares the address with DynamoDB. */

#include "sim/service_state.h"

/* Is it a request in STS's query protocol? */
bool service_sts_is_meant(const ServiceRequest *q);
/* Body and status of the reply; the head is the caller's. */
void service_sts_handle(Service *s, Usec now_wall, const ServiceRequest *q, ServiceReply *r);
/* The session that a temporary key is of, expired or not; NULL: it is none of AssumeRole's. */
const ServiceSession *service_sts_session(const Service *s, const char *key_id);
void service_sts_done(Service *s);
