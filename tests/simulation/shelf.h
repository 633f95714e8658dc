#pragma once
/* What stands on the service's shelf, and what the daemon takes from it: every DeleteBackup that arrives must have its
 * intent in the ledger, and every one that takes effect must be right by the service's own state. */

#include "core/engine/engine.h"
#include "sim/service.h"

typedef struct House House;
typedef struct Shelf Shelf;

Shelf *shelf_new(House *house);
void shelf_free(Shelf *s);
void shelf_committed(Shelf *s, const LedgerBatch *batch);
/* Its commit failed: it may be on disk or not. */
void shelf_doubted(Shelf *s, const LedgerBatch *batch);
/* What the daemon goes by from now on (taken); what it sent by the one before may still be on its way. */
void shelf_set_conf(Shelf *s, Conf *conf, Usec true_wall);
/* DeleteBackup, after it was served. */
void shelf_served(Shelf *s, const ServiceRequest *request, const ServiceReply *reply, Usec true_wall);

/* Backups of the daemon that stand there: of a schedule and table, any incarnation. NULL: every table. */
size_t shelf_count(const Shelf *s, const char *schedule, const char *table);
