#pragma once
/* What a configuration says of how the services are reached. All of it borrows from the configuration. */

#include "core/aws/client.h"
#include "core/aws/endpoint.h"
#include "core/conf/conf.h"

ClientSettings conf_client_settings(const Conf *c, const char *user_agent);
EndpointWish conf_endpoint_wish(const Conf *c, EndpointService service);
