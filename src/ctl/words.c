#include "ctl/words.h"

#include <stdio.h>
#include <string.h>

int words_add(Text *t, const char *s) {
    while (*s) {
        size_t n = text_utf8_length(s);
        bool control = n <= 1 ? (unsigned char)*s < 0x20 || *s == 0x7f || n == 0
                              : n == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0;
        if (control)
            text_add_char(t, *s == '\n' || *s == '\t' || *s == '\r' ? ' ' : '?');
        else
            text_add_bytes(t, s, n);
        s += n ? n : 1;
    }
    return t->error;
}

size_t words_width(const char *s) {
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

const char *words_time(Usec wall, char buffer[static DATE_ISO_SIZE]) {
    if (wall == WALL_UNKNOWN || wall == USEC_INFINITY)
        return strcpy(buffer, "-");
    return date_to_iso(wall / USEC_PER_SEC * USEC_PER_SEC, buffer);
}

const char *words_local_iso(const Zone *zone, Usec wall, char buffer[static WORDS_LOCAL_SIZE]) {
    int offset = zone_offset(zone, wall, NULL), minutes = (offset < 0 ? -offset : offset) / 60;
    Date d = date_from_wall(wall + offset * USEC_PER_SEC);
    snprintf(buffer, WORDS_LOCAL_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", d.year, d.month, d.day, d.hour,
             d.minute, d.second, offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return buffer;
}

const char *words_local(const Zone *zone, Usec wall, char buffer[static WORDS_LOCAL_SIZE]) {
    const char *abbreviation = NULL;
    Date d = date_from_wall(wall + zone_offset(zone, wall, &abbreviation) * USEC_PER_SEC);
    snprintf(buffer, WORDS_LOCAL_SIZE, "%04d-%02d-%02d %02d:%02d:%02d %.16s", d.year, d.month, d.day, d.hour, d.minute,
             d.second, abbreviation ? abbreviation : zone_name(zone));
    return buffer;
}

const char *words_age(Usec usec, char buffer[static DURATION_SIZE]) {
    Usec grain = usec >= USEC_PER_DAY ? USEC_PER_HOUR : usec >= USEC_PER_HOUR ? USEC_PER_MINUTE : USEC_PER_SEC;
    return duration_to_string(usec / grain * grain, buffer);
}

int words_label(Text *t, bool qualified, const char *account, const char *region, const char *table) {
    return qualified ? text_addf(t, "%s/%s/%s", account, region, table) : text_add(t, table);
}

int words_count(Text *t, size_t n, const char *one, const char *many) {
    return text_addf(t, "%zu %s", n, n == 1 ? one : many);
}

int words_reason(Text *t, const Run *r) {
    if (r->why)
        words_add(t, r->why);
    if (r->hint) {
        text_add(t, r->why ? "; HINT: " : "HINT: ");
        words_add(t, r->hint);
    }
    return t->error;
}
