/* The normal form of a calendar: systemd's where that can say it, else the form that can. */

#include "core/calendar/calendar_spec.h"

#define TEXT_MAX 65536 /* holds CALENDAR_UNITS fields of CALENDAR_PARTS_MAX parts */

/* Ranges of three days or more. */
static void print_weekdays(Text *t, unsigned weekdays, const char names[static 7][4], const char *range) {
    const char *comma = "";
    for (int first = 0; first < 7; first++) {
        if (!(weekdays & 1u << first))
            continue;
        int last = first;
        while (last < 6 && weekdays & 1u << (last + 1))
            last++;
        text_addf(t, "%s%s", comma, names[first]);
        if (last > first)
            text_addf(t, "%s%s", last > first + 1 ? range : ",", names[last]);
        first = last;
        comma = ",";
    }
}

static void print_value(Text *t, int value, int scale, int width) {
    text_addf(t, "%0*d", width, value / scale);
    if (value % scale > 0)
        text_addf(t, ".%06d", value % scale);
}

/* --- as systemd --- */

static void print_field(Text *t, const CalendarField *f, CalendarUnit unit) {
    int scale = unit == CALENDAR_SECOND ? (int)USEC_PER_SEC : 1, width = unit == CALENDAR_YEAR ? 4 : 2;
    bool every_second = unit == CALENDAR_SECOND && f->n_parts == 1 && f->parts[0].start == 0 &&
                        f->parts[0].stop < 0 && f->parts[0].step == scale;
    if (f->n_parts == 0 || every_second) {
        text_add_char(t, '*');
        return;
    }
    for (size_t i = 0; i < f->n_parts; i++) {
        const CalendarPart *part = &f->parts[i];
        if (i > 0)
            text_add_char(t, ',');
        print_value(t, part->start, scale, width);
        if (part->stop >= 0) {
            text_add(t, "..");
            print_value(t, part->stop, scale, width);
        }
        if (part->step > 0 && (part->stop < 0 || part->step != scale)) {
            text_add_char(t, '/');
            print_value(t, part->step, scale, 1);
        }
    }
}

void calendar_add_weekdays(unsigned weekdays, Text *t) {
    static const char names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    print_weekdays(t, weekdays, names, "..");
}

static void print_systemd(const Calendar *c, Text *t) {
    static const char separators[CALENDAR_UNITS] = "-- ::";
    if (c->weekdays) {
        calendar_add_weekdays(c->weekdays, t);
        text_add_char(t, ' ');
    }
    for (size_t unit = 0; unit < CALENDAR_UNITS; unit++) {
        print_field(t, &c->fields[unit], (CalendarUnit)unit);
        if (unit == CALENDAR_MONTH && c->from_month_end)
            text_add_char(t, '~');
        else if (separators[unit])
            text_add_char(t, separators[unit]);
    }
}

/* --- what systemd cannot say --- */

static void print_cron_field(Text *t, const CalendarField *f) {
    if (f->n_parts == 0)
        text_add_char(t, '*');
    for (size_t i = 0; i < f->n_parts; i++) {
        const CalendarPart *part = &f->parts[i];
        text_addf(t, "%s%d", i > 0 ? "," : "", part->start);
        if (part->stop >= 0)
            text_addf(t, "-%d", part->stop);
        if (part->step > 1 || (part->step == 1 && part->stop < 0))
            text_addf(t, "/%d", part->step);
    }
}

static void print_cron_fields(Text *t, const Calendar *c, const CalendarUnit *units, size_t n) {
    for (size_t i = 0; i < n; i++) {
        print_cron_field(t, &c->fields[units[i]]);
        text_add_char(t, ' ');
    }
}

static void print_cron(const Calendar *c, Text *t) {
    static const CalendarUnit units[] = {CALENDAR_MINUTE, CALENDAR_HOUR, CALENDAR_DAY, CALENDAR_MONTH};
    static const char numbers[7][4] = {"1", "2", "3", "4", "5", "6", "7"};
    print_cron_fields(t, c, units, ARRAY_SIZE(units));
    print_weekdays(t, c->weekdays, numbers, "-");
}

static void print_aws_cron(const Calendar *c, Text *t) {
    static const CalendarUnit units[] = {CALENDAR_MINUTE, CALENDAR_HOUR};
    text_add(t, "cron(");
    print_cron_fields(t, c, units, ARRAY_SIZE(units));
    if (c->from_month_end)
        text_add(t, "LW ");
    else
        text_addf(t, "%dW ", c->fields[CALENDAR_DAY].parts[0].start);
    print_cron_field(t, &c->fields[CALENDAR_MONTH]);
    text_add(t, " ? ");
    print_cron_field(t, &c->fields[CALENDAR_YEAR]);
    text_add_char(t, ')');
}

static void print_rate(Usec rate_usec, Text *t) {
    bool days = rate_usec % USEC_PER_DAY == 0, hours = rate_usec % USEC_PER_HOUR == 0;
    int64_t n = rate_usec / (days ? USEC_PER_DAY : hours ? USEC_PER_HOUR : USEC_PER_MINUTE);
    text_addf(t, "rate(%lld %s%s)", (long long)n, days ? "day" : hours ? "hour" : "minute", n == 1 ? "" : "s");
}

static void print(const Calendar *c, Text *t) {
    if (c->rate_usec > 0) {
        print_rate(c->rate_usec, t);
        return;
    }
    switch (c->days) {
    case CALENDAR_DAYS_BOTH:
        print_systemd(c, t);
        return;
    case CALENDAR_DAYS_EITHER:
        print_cron(c, t);
        return;
    case CALENDAR_DAYS_NEAREST:
        print_aws_cron(c, t);
        return;
    }
}

int calendar_to_string(const Calendar *c, char **ret) {
    AUTO_TEXT t = TEXT_INIT(TEXT_MAX);
    print(c, &t);
    if (c->zone)
        text_addf(&t, " %s", c->zone);
    return text_take(&t, ret);
}
