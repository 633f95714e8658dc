#pragma once
/* What exports write into their buckets; for src/sim/service*.c alone.
 *
 * What an export holds is settled when it is accepted; its files are made when somebody looks at S3 after its end. */

#include "sim/service_state.h"

/* The key of one of its files: "[prefix/]AWSDynamoDB/ID/NAME". */
void service_export_add_key(Text *t, const ServiceExport *e, const char *name);
/* How many items, or changed items, it holds. */
int64_t service_export_count(const ServiceExport *e);
/* Puts into the buckets whatever is due. -ENOMEM and the like. */
int service_publish_exports(Service *s, Usec now_wall);
