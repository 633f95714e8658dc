#pragma once
/* The endpoint that ECS and EKS give to a container. */

#include <stdbool.h>

#include "core/aws/http.h"

/* https to anywhere; http to this host and to the agents' addresses alone: the authorization goes there in clear. */
bool container_url_is_allowed(const char *url);
/* `authorization` may be NULL. -EBADMSG: it cannot stand in a header; -ENOMEM. */
int container_request(const char *url, const char *authorization, HttpRequest **ret);
