#pragma once
/* Which artefacts are no longer wanted, and why each of the others is. Pure: no store, no request, no clock of its own.
 *
 * Rules. An artefact that *counts* (made by this deployment and schedule, known to the ledger, shown finished, not made
 * after `now_wall`) is wanted while one of these holds:
 *
 *   last = n     it is one of the n newest
 *   daily = n    it is the newest of its day, and of the n newest days that have an artefact; so are hourly, weekly
 *                (from Monday), monthly and yearly, all in the schedule's zone. The two passes of an hour that the
 *                clock shows twice are two hours
 *   within = d   it was made at most d before the newest artefact
 *   floor = n    as `last`: the guard below which nothing takes a table. Never less than 1
 *
 * Why the newest of a bucket stands for it. With that, every rule looks at nothing but the artefacts *newer* than the
 * one in question, and more of those never make it wanted again. Hence, and the tests hold it to that:
 *   - a verdict to delete is final: later instants and newer artefacts do not take it back;
 *   - an older artefact that turns up late (verified late, adopted) changes no other's verdict, where the oldest of a
 *     bucket would give way to it;
 *   - to carry out some of the verdicts changes none of the others, so that a pass may stop anywhere;
 *   - the newest artefact that counts is always wanted.
 * The order of the input has no influence: artefacts of one instant are ordered by id.
 *
 * Why time alone deletes nothing. Buckets are counted where they have artefacts, and `within` is measured from the
 * newest artefact: no rule compares with the clock. A target that gets no more artefacts keeps what it has for ever.
 * `now_wall` can only protect: what was made after it is kept and does not count, so that a clock that is behind
 * deletes less, and one that is ahead no more than a right one.
 *
 * Never deleted, whatever the rules say: what is foreign, known from a listing alone, unfinished, of the future, held,
 * or needed by another artefact. Of these only what is held or needed counts. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/calendar/zone.h"

/* `keep` of a schedule; 0: no such rule. */
typedef struct RetentionKeep {
    int last, hourly, daily, weekly, monthly, yearly;
    Usec within_usec;
    int floor;
} RetentionKeep;

/* Does it have a rule beside its floor? Without one nothing is ever deleted. */
bool retention_keep_is_set(const RetentionKeep *k);

/* The values up to RETENTION_FLOOR are the rules that want an artefact. */
typedef enum RetentionReason {
    RETENTION_LAST,
    RETENTION_HOURLY,
    RETENTION_DAILY,
    RETENTION_WEEKLY,
    RETENTION_MONTHLY,
    RETENTION_YEARLY,
    RETENTION_WITHIN,
    RETENTION_FLOOR,
    RETENTION_NEEDED,      /* another artefact builds on it */
    RETENTION_HELD,        /* somebody holds it */
    RETENTION_NO_POLICY,   /* the schedule has no rule */
    RETENTION_FUTURE,      /* made after now */
    RETENTION_UNFINISHED,  /* not shown finished, or not verified */
    RETENTION_LISTED_ONLY, /* its name is ours, and the ledger does not know it: `ddbackupctl adopt` */
    RETENTION_FOREIGN,     /* name and ledger do not both say that it is ours */
    RETENTION_BEYOND,      /* no rule wants it: delete */
    RETENTION_REASONS,
} RetentionReason;

#define RETENTION_RULES (RETENTION_FLOOR + 1)

/* One artefact of one target, one TableId, one action, and one schedule or a former name of it: `keep` is a schedule's,
 * so that each schedule's artefacts are judged on their own. */
typedef struct RetentionItem {
    const char *id;   /* borrowed; of its own, such as the ARN */
    Usec made_wall;   /* when the service says that it was made: BackupCreationDateTime, ExportTime; below 0: it does
                         not, and then it is as good as unfinished */
    bool ours;        /* name and ledger agree that this deployment and schedule made it */
    bool listed_only; /* the name alone says so */
    bool finished;    /* shown finished by the listing of this pass, and verified */
    bool held;
    bool needed;
} RetentionItem;

typedef struct RetentionPolicy {
    RetentionKeep keep;
    const Zone *zone; /* borrowed */
} RetentionPolicy;

typedef struct RetentionVerdict {
    bool expendable; /* delete; else keep */
    RetentionReason reason;
    /* For each rule: 0 where it does not want the artefact, else its place from the newest, from 1 (WITHIN: 1). */
    int place[RETENTION_RULES];
} RetentionVerdict;

/* One verdict for each item, in the order of the items. -EINVAL: an id stands there twice at one instant, which would
 * count it twice; -ENOMEM. Both leave *ret alone, and then nothing may be deleted. */
int retention_judge(const RetentionItem *items, size_t n_items, const RetentionPolicy *policy, Usec now_wall,
                    RetentionVerdict *ret);

/* "last", "held", "beyond": for the ledger, the journal and JSON; never renamed. */
const char *retention_reason_to_string(RetentionReason r);
int retention_reason_from_string(const char *s, RetentionReason *ret); /* -EINVAL */
/* What people read: "is held". */
const char *retention_reason_text(RetentionReason r);
/* The whole of it, with every rule that wants it: "last 3 of 7, weekly 1 of 8"; "beyond last 7, weekly 8, floor 2". */
int retention_verdict_describe(const RetentionVerdict *v, const RetentionKeep *k, Text *text);
/* "last 7, weekly 8, floor 2", or "everything". */
int retention_keep_describe(const RetentionKeep *k, Text *text);
