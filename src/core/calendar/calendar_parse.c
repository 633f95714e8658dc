/* Which dialect an expression is in, the names for whole expressions, and the zone at the end, of which only the form
 * is looked at here. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "core/calendar/calendar_reader.h"

#define ZONE_NAME_MAX 100

static const struct {
    const char *name, *expression;
} shorthands[] = {
    {"minutely", "*-*-* *:*:00"},
    {"hourly", "*-*-* *:00:00"},
    {"daily", "*-*-* 00:00:00"},
    {"weekly", "Mon *-*-* 00:00:00"},
    {"monthly", "*-*-01 00:00:00"},
    {"quarterly", "*-01,04,07,10-01 00:00:00"},
    {"semiannually", "*-01,07-01 00:00:00"},
    {"semi-annually", "*-01,07-01 00:00:00"},
    {"biannually", "*-01,07-01 00:00:00"},
    {"bi-annually", "*-01,07-01 00:00:00"},
    {"yearly", "*-01-01 00:00:00"},
    {"annually", "*-01-01 00:00:00"},
    {"anually", "*-01-01 00:00:00"}, /* systemd takes this one, too */
    {"@yearly", "*-01-01 00:00:00"}, /* cron's, where a week begins with Sunday */
    {"@annually", "*-01-01 00:00:00"},
    {"@monthly", "*-*-01 00:00:00"},
    {"@weekly", "Sun *-*-* 00:00:00"},
    {"@daily", "*-*-* 00:00:00"},
    {"@midnight", "*-*-* 00:00:00"},
    {"@hourly", "*-*-* *:00:00"},
};

static const char *shorthand_find(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++)
        if (strcasecmp(shorthands[i].name, name) == 0)
            return shorthands[i].expression;
    return NULL;
}

/* Could it be a zone? Whether there is one of that name is for the caller to find out. */
static bool zone_name_is_valid(const char *s) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t length = strlen(s), unused;
    return calendar_is_letter(*s) && length <= ZONE_NAME_MAX && strspn(s, allowed) == length && !strstr(s, "//") &&
           s[length - 1] != '/' && calendar_weekday_at(s, &unused) < 0 && !shorthand_find(s);
}

static int count_words(const char *s, const char *end) {
    int n = 0;
    for (bool inside = false; s < end; s++) {
        bool is_space = *s == ' ' || *s == '\t';
        n += !is_space && !inside;
        inside = !is_space;
    }
    return n;
}

/* Cuts the zone off the end of the text. Behind four words it is cron's weekday, and behind an open bracket a field. */
static int take_zone(char *text, Calendar *c) {
    char *space = strrchr(text, ' ');
    if (!space || !zone_name_is_valid(space + 1) || count_words(text, space) == 4 ||
        (strchr(text, '(') && !memchr(text, ')', (size_t)(space - text))))
        return 0;
    *space = '\0';
    return text_set(&c->zone, strcasecmp(space + 1, "UTC") == 0 ? "UTC" : space + 1);
}

/* "CRON(...", "rate (...": meant for AWS's forms. */
static bool is_aws_misspelt(const char *s) {
    size_t n = strncasecmp(s, "cron", 4) == 0 || strncasecmp(s, "rate", 4) == 0 ? 4 : 0;
    return n > 0 && s[n + strspn(s + n, " ")] == '(';
}

static int read_rest(CalendarReader *r) {
    if (!*r->p)
        return calendar_fail(r, r->p, "expected a calendar expression such as daily or *-*-* 02:00");
    if (text_starts_with(r->p, "cron("))
        return calendar_read_aws_cron(r);
    if (text_starts_with(r->p, "rate("))
        return calendar_read_rate(r);
    if (is_aws_misspelt(r->p))
        return calendar_fail(r, r->p,
                             "AWS's forms begin with \"cron(\" or \"rate(\", in small letters, without a space");
    /* systemd's have three words at most, so that cron's are known even where a field is missing */
    return count_words(r->p, r->p + strlen(r->p)) >= 4 ? calendar_read_cron(r) : calendar_read_systemd(r);
}

int calendar_parse(const char *expression, Calendar **ret, CalendarError *ret_error) {
    AUTO_FREE char *text = strdup(expression);
    CLEANUP(calendar_free_ptr) Calendar *c = calloc(1, sizeof *c);
    if (!text || !c)
        return -ENOMEM;
    int rc = take_zone(text, c);
    if (rc < 0)
        return rc;
    const char *shorthand = shorthand_find(text), *start = shorthand ? shorthand : text;
    CalendarReader reader = {.p = start, .start = start, .calendar = c, .error = ret_error};
    rc = read_rest(&reader);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(c);
    return 0;
}
