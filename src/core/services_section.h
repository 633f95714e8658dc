#pragma once
/* The services sections of an AWS config file, which hold settings of single services:
 *
 *   [profile work]
 *   services = local
 *
 *   [services local]
 *   dynamodb =
 *     endpoint_url = http://localhost:8000
 */

#include <stddef.h>

/* -ENOENT: there is no such section; -ENODATA: it does not have that key for the service; -ENOMEM. Sections of one name
 * are one, later values win. */
int services_section_value(const char *text, size_t len, const char *section, const char *service, const char *key,
                           char **ret);
