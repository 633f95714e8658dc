#pragma once
/* What a fault does to a reply that is otherwise right. */

#include "sim/service.h"
#include "sim/service_fault.h"

/* Changes body, status and ending. Content type and CRC follow from the body afterwards; *ret_wrong_crc asks for a CRC
 * that does not fit, *ret_html for HTML. -ENOMEM, -E2BIG. */
int service_mangle(ServiceReply *r, const ServiceFault *rule, bool *ret_wrong_crc, bool *ret_html);
