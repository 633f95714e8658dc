#pragma once
/* What exports write into their buckets; for src/sim/service*.c alone.
 *
 * What an export holds is settled when it is accepted; its files are made when somebody looks at S3, or when the
 * table's history is about to be lost, and are there from its end on. */

#include "sim/service_state.h"

/* The key of one of its files: "[prefix/]AWSDynamoDB/ID/NAME". */
void service_export_add_key(Text *t, const ServiceExport *e, const char *name);
/* How many items, or changed items, it holds. */
int64_t service_export_count(const ServiceExport *e, const ServiceTable *t);
/* Puts into the buckets whatever is due. -ENOMEM and the like. */
int service_publish_exports(Service *s, Usec now_wall);
/* Makes the files of this table's exports, because its items go. */
int service_keep_exports(Service *s, const ServiceTable *t);
