#pragma once
/* The conversation that finds one table's backups and exports again, question by question: DescribeTable; ListBackups,
 * page by page; ListExports, where a schedule exports the table, and DescribeExport for each of the last 400 days. Sans
 * IO. */

#include "core/aws/client.h"
#include "core/run/look.h"
#include "core/run/recover.h"

/* Older exports are not asked for; DynamoDB itself lists those of 90 days. */
#define SEARCH_HORIZON_USEC (400 * USEC_PER_DAY)

typedef enum SearchStage {
    SEARCH_TABLE,
    SEARCH_BACKUPS,
    SEARCH_BACKUP, /* whose listing did not tell its TableId */
    SEARCH_EXPORTS,
    SEARCH_EXPORT,
    SEARCH_DONE,
    SEARCH_ABSENT, /* there is no such table now */
    SEARCH_FAILED, /* an answer is missing: what was found is not all, and counts for nothing */
} SearchStage;

/* Backups of a schedule that the table does not have any more. */
typedef struct SearchOrphan {
    char *schedule;
    size_t n;
} SearchOrphan;

typedef struct Search {
    const char *deployment; /* borrowed, as the target */
    Target *target;
    SearchStage stage;
    RunLook *look;
    Run **runs;
    size_t n_runs, n_runs_room;
    SearchOrphan *orphans;
    size_t n_orphans, n_orphans_room;
    ExportInfo *exports; /* full ones of ours, as the service described them */
    size_t n_exports, n_exports_room;
    size_t n_foreign_exports; /* full ones without a token of ours */
    AwsError error;           /* SEARCH_FAILED; the code alone where the listing does not end */
} Search;

void search_done(Search *s);
bool search_is_over(const Search *s);
/* The next question; not when it is over. Its answer comes before the next. */
int search_request(Search *s, Now now, AwsRequest **ret);
int search_answer(Search *s, const CallDone *done, Now now);
