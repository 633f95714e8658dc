#pragma once
/* Expiry of one table's artefacts, pure: what the service shows, and what retention says of the stock in its light.
 * Each group (schedule, TableId) is judged on its own. Nothing here deletes; the engine's side is
 * core/engine/engine_expiry.c for backups, of which a complete listing tells, and core/engine/engine_erase.c for
 * exports, whose manifests are looked at.
 *
 * An export goes with all links of the chains that it is the base of, as a whole or not at all: not while one of these
 * chains may still grow, nor while any part of it is held. Chains close when the next base is verified and they have
 * come to it, so that the newest chain and, until it stands, the one before it are never touched. */

#include <stdbool.h>
#include <stddef.h>

#include "core/expiry/stock.h"
#include "core/retention/retention.h"
#include "core/table/target.h"

/* A walk through ListBackups of one table. */
typedef struct ExpireListing {
    BackupInfo *items; /* by ARN once it is complete */
    size_t n_items, n_room;
    char *cursor;
    size_t n_pages;
    Usec wall; /* the service's Date of the first page: now, for every verdict */
    bool complete;
} ExpireListing;

void expire_listing_done(ExpireListing *l);
int expire_listing_request(const ExpireListing *l, const char *table, AwsRequest **ret);
/* Takes a page out of `page`. *ret_more: it goes on. -ELOOP: the listing turns in circles; -ENODATA: it does not tell
 * its Date. After these nothing may be deleted. -ENOMEM. */
int expire_listing_take(ExpireListing *l, BackupList *page, Usec server_wall, bool *ret_more);
const BackupInfo *expire_listing_find(const ExpireListing *l, const char *arn); /* NULL: it does not show it */

/* The schedule whose artefacts of this table expire and whose name, or former name, that is; NULL: none. */
const ScheduleConf *expire_schedule(const Target *t, Action action, const char *name);
/* Is there any? */
bool expire_is_wanted(const Target *t, Action action);

/* *ret: why a backup of the stock is none that this deployment made of that table, by the ledger and, unless `shown` is
 * NULL, by what the listing shows; NULL: it is. Static. -ENOMEM. */
int expire_guard(const char *deployment, const Target *t, const StockItem *i, const BackupInfo *shown,
                 const char **ret);

/* The same of an export: of a full one, or of a link. */
int expire_guard_export(const char *deployment, const Target *t, const StockItem *i, const char **ret);

typedef struct ExpireLine {
    const StockItem *item;
    const ScheduleConf *schedule; /* NULL: none takes care of it, or it is a link; nothing is said of it */
    bool listed;
    bool finished; /* verified, and shown so */
    bool held, needed;
    size_t n_links; /* that go with it */
    const char *guard; /* why it is taken for foreign; NULL: it is ours. Static */
    RetentionVerdict verdict;
    size_t group;
} ExpireLine;

typedef struct ExpireGroup {
    const ScheduleConf *schedule;
    const char *table_id; /* borrowed from the stock */
    size_t n_counted, n_beyond;
    size_t n_new;    /* that count and came since anything was decided; 1 where nothing was */
    size_t n_sudden; /* of n_beyond: not those that were to go before and could not, or whose hold has ended */
} ExpireGroup;

typedef struct ExpirePlan {
    ExpireLine *lines; /* one for each item of the stock, in its order */
    size_t n_lines;
    ExpireGroup *groups;
    size_t n_groups, n_groups_room;
    size_t n_beyond;
    Action action; /* of all of them */
} ExpirePlan;

void expire_plan_done(ExpirePlan *p);
/* Borrows all of it. `listing` NULL: what would be so if it showed the whole stock; good for nothing but to see whether
 * a listing is worth its calls. */
int expire_plan(const char *deployment, const Target *t, const Stock *stock, const ExpireListing *listing,
                Usec now_wall, ExpirePlan *ret);

/* The same of exports. `seen` has the ARNs whose manifest was found in its bucket, and is of `n_seen`; NULL: as above.
 * What was not, or was not verified within the schedule's `reverify`, does not count. */
int expire_plan_exports(const char *deployment, const Target *t, const Stock *stock, char *const *seen, size_t n_seen,
                        Usec now_wall, ExpirePlan *ret);
/* One of its lines, without a verdict. -ENOMEM. */
int expire_line_export(const char *deployment, const Target *t, const Stock *stock, const StockItem *item,
                       const ScheduleConf *s, Usec now_wall, ExpireLine *ret);
/* Inside core/expire*.c: the group of a line, and the verdicts of all groups. */
int expire_plan_group(ExpirePlan *p, ExpireLine *l);
int expire_plan_judge(ExpirePlan *p, Usec now_wall);
/* Does the ARN name a "backup" or "export" of that table in its account and region? */
bool expire_is_of_table(const char *arn, const Target *t, const char *kind);

/* How many may go at once: a share of those that count, but always as many as the new artefacts can push out, which is
 * one each for each rule; and never more than a number. */
size_t expire_allowance(const Conf *c, const ExpireGroup *g);
