#include "core/calendar/zone.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/calendar/zone_rule.h"

/* RFC 8536, 3.2: an offset lies between -25 h and 26 h, neither included. */
#define OFFSET_MIN (-25 * 3600)
#define OFFSET_MAX (26 * 3600)

/* The Gregorian calendar repeats after 400 years, with its weekdays. */
#define CYCLE (INT64_C(146097) * 86400)
#define CYCLE_YEARS 400

typedef struct ZoneType {
    int offset; /* seconds east of UTC */
    const char *abbreviation;
} ZoneType;

typedef struct ZoneChange {
    int64_t at; /* seconds since 1970-01-01T00:00:00Z */
    size_t type;
} ZoneChange;

/* The footer's rule is written out once, over one cycle and a bit; what lies after it is looked up a cycle earlier. */
struct Zone {
    char *name;
    char *chars; /* the abbreviations of the table */
    ZoneRule rule;
    ZoneType *types; /* [0] is in force before the first change */
    ZoneChange *changes;
    size_t n_changes, n_room;
    int64_t cycle_end; /* INT64_MAX: the rule knows no changes */
};

void zone_free(Zone *z) {
    if (!z)
        return;
    free(z->name);
    free(z->chars);
    free(z->types);
    free(z->changes);
    free(z);
}

static Zone *zone_new(const char *name, size_t n_types, size_t n_chars) {
    CLEANUP(zone_free_ptr) Zone *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->cycle_end = INT64_MAX;
    z->name = strdup(name);
    z->types = calloc(n_types, sizeof *z->types);
    z->chars = calloc(1, n_chars);
    return z->name && z->types && z->chars ? TAKE_PTR(z) : NULL;
}

int zone_utc(Zone **ret) {
    Zone *z = zone_new("UTC", 1, 1);
    if (!z)
        return -ENOMEM;
    z->types[0].abbreviation = "UTC";
    *ret = z;
    return 0;
}

/* --- reading TZif --- */

#define HEADER_SIZE 44

typedef struct Header {
    uint8_t version;
    uint32_t n_isut, n_isstd, n_leaps, n_times, n_types, n_chars;
} Header;

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A signed number of 4 or 8 bytes. */
static int64_t signed_be(const uint8_t *p, size_t size) {
    if (size == 4)
        return (int32_t)be32(p);
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static int header_read(const uint8_t *p, size_t len, Header *ret) {
    if (len < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
        return -EBADMSG;
    Header h = {
        .version = p[4],
        .n_isut = be32(p + 20),
        .n_isstd = be32(p + 24),
        .n_leaps = be32(p + 28),
        .n_times = be32(p + 32),
        .n_types = be32(p + 36),
        .n_chars = be32(p + 40),
    };
    *ret = h;
    return 0;
}

static uint64_t block_size(const Header *h, size_t time_size) {
    return (uint64_t)h->n_times * (time_size + 1) + (uint64_t)h->n_types * 6 + h->n_chars +
           (uint64_t)h->n_leaps * (time_size + 4) + h->n_isstd + h->n_isut;
}

/* Later changes only, and one an instant: the last word counts. */
static int change_add(Zone *z, int64_t at, size_t type) {
    ZoneChange *last = z->n_changes > 0 ? &z->changes[z->n_changes - 1] : NULL;
    if (last && last->at >= at) {
        if (last->at == at)
            last->type = type;
        return 0;
    }
    int rc = ARRAY_GROW(z->changes, z->n_changes, z->n_room);
    if (rc < 0)
        return rc;
    z->changes[z->n_changes++] = (ZoneChange){.at = at, .type = type};
    return 0;
}

static int types_read(Zone *z, const Header *h, const uint8_t *p) {
    const char *chars = (const char *)p + (size_t)h->n_types * 6;
    memcpy(z->chars, chars, h->n_chars);
    for (uint32_t i = 0; i < h->n_chars; i++) /* they go into messages */
        if (chars[i] != '\0' && (chars[i] < ' ' || chars[i] > '~'))
            return -EBADMSG;
    for (uint32_t i = 0; i < h->n_types; i++, p += 6) {
        int64_t offset = signed_be(p, 4);
        uint8_t index = p[5];
        if (offset <= OFFSET_MIN || offset >= OFFSET_MAX || p[4] > 1 || index >= h->n_chars ||
            !memchr(z->chars + index, '\0', h->n_chars - index))
            return -EBADMSG;
        z->types[i] = (ZoneType){.offset = (int)offset, .abbreviation = z->chars + index};
    }
    return 0;
}

/* Our instants have no leap seconds; where a file's have ("right/..."), they are taken out. */
static int changes_read(Zone *z, const Header *h, const uint8_t *times, size_t time_size) {
    const uint8_t *types = times + h->n_times * time_size;
    const uint8_t *leap = types + h->n_times + (size_t)h->n_types * 6 + h->n_chars;
    uint32_t n_leaps = h->n_leaps;
    int64_t correction = 0, before = INT64_MIN;
    for (uint32_t i = 0; i < h->n_times; i++) {
        int64_t at = signed_be(times + i * time_size, time_size);
        for (; n_leaps > 0 && signed_be(leap, time_size) <= at; n_leaps--, leap += time_size + 4)
            correction = signed_be(leap + time_size, 4);
        if (__builtin_sub_overflow(at, correction, &at) || (i > 0 && at <= before) || types[i] >= h->n_types)
            return -EBADMSG;
        before = at;
        int rc = change_add(z, at, types[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Writes the rule out from the end of the table. */
static int rule_expand(Zone *z, size_t n_types) {
    const ZoneRule *r = &z->rule;
    int64_t from = date_days(1900, 1, 1) * 86400;
    if (z->n_changes > 0 && z->changes[z->n_changes - 1].at > from)
        from = z->changes[z->n_changes - 1].at;
    if (!r->has_dst || from > WALL_MAX / USEC_PER_SEC)
        return 0;
    for (size_t i = 0; i < 2; i++)
        z->types[n_types + i] = (ZoneType){.offset = r->offset[i], .abbreviation = r->abbreviation[i]};
    Date first;
    date_set_days(&first, from / 86400 - (from % 86400 < 0));
    for (int year = first.year; year <= first.year + CYCLE_YEARS + 3; year++) {
        int64_t at[2] = {zone_rule_change(r, 0, year), zone_rule_change(r, 1, year)};
        int earlier = at[1] < at[0];
        int rc = change_add(z, at[earlier], n_types + (size_t)earlier);
        if (rc >= 0)
            rc = change_add(z, at[!earlier], n_types + !earlier);
        if (rc < 0)
            return rc;
    }
    /* the last has no successor to cancel it, as the next year does where summer time never ends */
    z->n_changes--;
    z->cycle_end = date_days(first.year + CYCLE_YEARS + 2, 1, 1) * 86400;
    return 0;
}

static int footer_read(Zone *z, const uint8_t *p, size_t len, size_t n_types) {
    const uint8_t *end = len > 0 && p[0] == '\n' ? memchr(p + 1, '\n', len - 1) : NULL;
    if (!end || memchr(p, '\0', (size_t)(end - p)))
        return -EBADMSG;
    if (end == p + 1)
        return 0;
    AUTO_FREE char *rule = strndup((const char *)p + 1, (size_t)(end - p) - 1);
    if (!rule)
        return -ENOMEM;
    int rc = zone_rule_from_string(rule, &z->rule);
    return rc < 0 ? rc : rule_expand(z, n_types);
}

int zone_from_tzif(const char *name, const void *bytes, size_t len, Zone **ret) {
    const uint8_t *p = bytes;
    size_t time_size = 4;
    Header h;
    int rc = header_read(p, len, &h);
    if (rc < 0)
        return rc;
    if (h.version >= '2') { /* the first block is for readers of version 1 */
        uint64_t skip = HEADER_SIZE + block_size(&h, 4);
        if (skip > len)
            return -EBADMSG;
        p += skip;
        len -= skip;
        time_size = 8;
        rc = header_read(p, len, &h);
        if (rc < 0)
            return rc;
    }
    uint64_t size = HEADER_SIZE + block_size(&h, time_size);
    if (size > len || h.n_types == 0 || h.n_types > 256 || h.n_chars == 0 ||
        (h.n_isut != 0 && h.n_isut != h.n_types) || (h.n_isstd != 0 && h.n_isstd != h.n_types))
        return -EBADMSG;
    CLEANUP(zone_free_ptr) Zone *z = zone_new(name, h.n_types + 2, h.n_chars);
    if (!z)
        return -ENOMEM;
    const uint8_t *block = p + HEADER_SIZE;
    rc = types_read(z, &h, block + h.n_times * (time_size + 1));
    if (rc >= 0)
        rc = changes_read(z, &h, block, time_size);
    if (rc >= 0 && time_size == 8)
        rc = footer_read(z, p + size, len - size, h.n_types);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(z);
    return 0;
}

/* --- asking --- */

const char *zone_name(const Zone *z) { return z->name; }

static bool type_equal(const ZoneType *a, const ZoneType *b) {
    return a->offset == b->offset && strcmp(a->abbreviation, b->abbreviation) == 0;
}

bool zone_equal(const Zone *a, const Zone *b) {
    if (a->n_changes != b->n_changes || a->cycle_end != b->cycle_end || !type_equal(&a->types[0], &b->types[0]))
        return false;
    for (size_t i = 0; i < a->n_changes; i++)
        if (a->changes[i].at != b->changes[i].at ||
            !type_equal(&a->types[a->changes[i].type], &b->types[b->changes[i].type]))
            return false;
    return true;
}

static int64_t floor_seconds(Usec t) { return t / USEC_PER_SEC - (t % USEC_PER_SEC < 0); }

/* What to take off so that the table covers it and its neighbours. */
static int64_t cycle_shift(const Zone *z, int64_t seconds) {
    return seconds < z->cycle_end ? 0 : ((seconds - z->cycle_end) / CYCLE + 1) * CYCLE;
}

/* How many changes have happened by then. */
static size_t changes_until(const Zone *z, int64_t seconds) {
    size_t low = 0, high = z->n_changes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->changes[middle].at <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The type in force after the first n changes. */
static const ZoneType *type_after(const Zone *z, size_t n) { return &z->types[n > 0 ? z->changes[n - 1].type : 0]; }

int zone_offset(const Zone *z, Usec wall, const char **ret_abbreviation) {
    int64_t seconds = floor_seconds(wall);
    const ZoneType *type = type_after(z, changes_until(z, seconds - cycle_shift(z, seconds)));
    if (ret_abbreviation)
        *ret_abbreviation = type->abbreviation;
    return type->offset;
}

Usec zone_change_after(const Zone *z, Usec wall) {
    int64_t seconds = floor_seconds(wall), shift = cycle_shift(z, seconds);
    size_t n = changes_until(z, seconds - shift);
    int offset = type_after(z, n)->offset;
    while (n < z->n_changes && type_after(z, n + 1)->offset == offset)
        n++;
    if (n == z->n_changes || z->changes[n].at > WALL_MAX / USEC_PER_SEC - shift)
        return USEC_INFINITY;
    return (z->changes[n].at + shift) * USEC_PER_SEC;
}

ZoneInstants zone_instants(const Zone *z, Usec local) {
    local = usec_max(-WALL_MAX, usec_min(local, WALL_MAX));
    int64_t seconds = floor_seconds(local), shift = cycle_shift(z, seconds);
    Usec rest = local - seconds * USEC_PER_SEC;
    seconds -= shift;
    ZoneInstants found = {};
    bool skipped = false;
    int64_t gap_end = 0;
    for (size_t n = changes_until(z, seconds - OFFSET_MAX);; n++) {
        int64_t at = seconds - type_after(z, n)->offset;
        if (n > 0 && at < z->changes[n - 1].at) {
            if (!skipped)
                gap_end = z->changes[n - 1].at;
            skipped = true;
        } else if ((n == z->n_changes || at < z->changes[n].at) && found.n < 2)
            found.wall[found.n++] = (at + shift) * USEC_PER_SEC + rest;
        if (n == z->n_changes || z->changes[n].at > seconds - OFFSET_MIN)
            break;
    }
    if (found.n == 0)
        found.wall[0] = (gap_end + shift) * USEC_PER_SEC;
    return found;
}
