#pragma once
/* Point-in-time recovery of tables: what their schedules want of it, and what has become of it since the last look. */

#include "core/aws/codec.h"
#include "core/table/target.h"

/* The strongest wish of its active enrolments. Exports want it on where nothing is said. */
PitrWish recovery_wish(const Target *t);

typedef enum RecoveryNews {
    RECOVERY_NEWS_NONE,
    RECOVERY_NEWS_OFF,       /* at the first look */
    RECOVERY_NEWS_LOST,      /* it was on */
    RECOVERY_NEWS_RESTARTED, /* it was off meanwhile: what lies before info->earliest_wall cannot
                              * be restored any more */
    RECOVERY_NEWS_BACK,      /* it was off */
} RecoveryNews;
/* Takes what DescribeContinuousBackups says. */
RecoveryNews recovery_take(Target *t, const RecoveryInfo *info, Usec now_wall);
