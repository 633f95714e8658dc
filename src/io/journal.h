#pragma once
/* Says reports: to the journal with structured fields, or as readable lines on standard error. */

#include <stdbool.h>

#include "base/clock.h"
#include "core/engine/report.h"

typedef enum JournalTo { JOURNAL_AUTO, JOURNAL_FIELDS, JOURNAL_LINES } JournalTo;

/* AUTO: fields when standard error is connected to the journal ($JOURNAL_STREAM), else lines. `max_level` as in
 * syslog(3): 3 error .. 7 debug. */
void journal_open(JournalTo to, int max_level);
void journal_set_level(int max_level);
/* Do reports go there with their fields? */
bool journal_has_fields(void);
/* One line a report; newlines in it are kept by the journal and shown as spaces on a terminal. */
void journal_say(const Report *r, Now now);
/* Is that level said at all? */
bool journal_says(int level);
/* A line at level debug, of no kind. */
void journal_debug(const char *message);
/* What the process says of itself: started, reloaded, refused. */
void journal_event(ReportKind kind, const char *format, ...) PRINTF_LIKE(2, 3);
