#pragma once
/* The conversation that finds out what core/chain/recall.h goes by, of one table in one account and region: what the
 * service says of the table and its recovery; the records in the buckets where the configuration puts them, and whether
 * the exports that they name still lie there; and the exports that have no record yet. Sans IO: many questions may be
 * out at once, and nothing is changed by any of them. */

#include "core/aws/client.h"
#include "core/chain/recall.h"
#include "core/table/place.h"

typedef struct Recaller Recaller;

/* What it is given is borrowed for its life. `schedule`: of this one alone; NULL: of all that make chains. -ENOMEM. */
int recaller_new(const Conf *conf, const char *schedule, const Place *place, Target *target, Recaller **ret);
void recaller_free(Recaller *r);
DEFINE_CLEANUP(Recaller, recaller_free)

/* A full export that a chain may have begun with, though no record says so: what was exported since is looked at.
 * Before the first question. The ARN is borrowed. -ENOMEM. */
int recaller_add_base(Recaller *r, const char *arn, Usec export_wall);

typedef struct RecallerQuestion {
    AwsRequest *request; /* the caller's */
    const char *region;  /* borrowed until the next call */
    uint64_t tag;        /* below 2^40: the answer's */
} RecallerQuestion;

/* -EAGAIN: the next one waits for an answer; -ENOENT: it is over; -ENOMEM. */
int recaller_ask(Recaller *r, Now now, RecallerQuestion *ret);
/* -ENOMEM. */
int recaller_answer(Recaller *r, const CallDone *done, Now now);

/* What went wrong on the way, for people. */
typedef struct RecallerWord {
    bool is_fatal; /* what was not seen may be there: no answer is better than a wrong one */
    char *text;
} RecallerWord;
const RecallerWord *recaller_words(const Recaller *r, size_t *ret_n);

/* When it is over: as recall_chains. The lineage is of the target and one of the schedules, and gets its enrolment
 * here. */
int recaller_recall(Recaller *r, const ScheduleConf *s, Lineage *l, Now now, Recall *ret);
/* What that goes by, borrowed; and the table's recovery, for a lineage of it. */
RecallFacts recaller_facts(const Recaller *r);
void recaller_tell(const Recaller *r, Lineage *l);
