#pragma once
/* The rule in a TZif footer: a POSIX TZ string with the extensions of RFC 8536 (hours from -167 to 167). */

#include <stdbool.h>
#include <stdint.h>

typedef enum ZoneRuleKind {
    ZONE_RULE_JULIAN,  /* Jn: 1..365, 29 February is not counted */
    ZONE_RULE_DAY,     /* n: 0..365, it is */
    ZONE_RULE_WEEKDAY, /* Mm.w.d: the w-th (5: the last) day d of the week, 0 = Sunday, in month m */
} ZoneRuleKind;

typedef struct ZoneRuleDate {
    ZoneRuleKind kind;
    int month, week, day;
    int time; /* seconds after local midnight */
} ZoneRuleDate;

#define ZONE_ABBREVIATION_SIZE 32

typedef struct ZoneRule {
    char abbreviation[2][ZONE_ABBREVIATION_SIZE]; /* [0] standard, [1] daylight saving */
    int offset[2];                                /* seconds east of UTC */
    bool has_dst;
    ZoneRuleDate change[2]; /* [0] to standard time, in the time of [1]; [1] the other way round */
} ZoneRule;

/* -EBADMSG. Daylight saving without its dates is refused: POSIX leaves them to the system. */
int zone_rule_from_string(const char *s, ZoneRule *ret);
/* When the clocks go to offset[which] in that year, in seconds since 1970-01-01T00:00:00Z. */
int64_t zone_rule_change(const ZoneRule *r, int which, int year);
