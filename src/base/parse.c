#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

int parse_int(const char *s, int64_t min, int64_t max, int64_t *ret) {
    const char *digits = *s == '-' ? s + 1 : s;
    if (!is_digit(*digits))
        return -EINVAL;
    int64_t value = 0;
    bool over = false;
    for (; is_digit(*digits); digits++) {
        int64_t digit = *s == '-' ? -(*digits - '0') : *digits - '0';
        over |= __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value);
    }
    if (*digits)
        return -EINVAL;
    if (over || value < min || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

typedef struct Unit {
    const char *name;
    int64_t factor;
} Unit;

static const Unit duration_units[] = {
    {"us", 1},
    {"usec", 1},
    {"ms", USEC_PER_MSEC},
    {"msec", USEC_PER_MSEC},
    {"s", USEC_PER_SEC},
    {"sec", USEC_PER_SEC},
    {"second", USEC_PER_SEC},
    {"seconds", USEC_PER_SEC},
    {"m", USEC_PER_MINUTE},
    {"min", USEC_PER_MINUTE},
    {"minute", USEC_PER_MINUTE},
    {"minutes", USEC_PER_MINUTE},
    {"h", USEC_PER_HOUR},
    {"hr", USEC_PER_HOUR},
    {"hour", USEC_PER_HOUR},
    {"hours", USEC_PER_HOUR},
    {"d", USEC_PER_DAY},
    {"day", USEC_PER_DAY},
    {"days", USEC_PER_DAY},
    {"w", USEC_PER_WEEK},
    {"week", USEC_PER_WEEK},
    {"weeks", USEC_PER_WEEK},
};

static const Unit *unit_find(const Unit *units, size_t n_units, const char *name, size_t length) {
    for (size_t i = 0; i < n_units; i++)
        if (strlen(units[i].name) == length && strncmp(units[i].name, name, length) == 0)
            return &units[i];
    return NULL;
}

int parse_duration(const char *s, Usec *ret_usec) {
    Usec total = 0;
    if (strcmp(s, "0") == 0) {
        *ret_usec = 0;
        return 0;
    }
    if (!*s)
        return -EINVAL;
    while (*s) {
        if (!is_digit(*s))
            return -EINVAL;
        int64_t whole = 0, part;
        for (; is_digit(*s); s++)
            if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *s - '0', &whole))
                return -ERANGE;
        const char *fraction = NULL;
        if (*s == '.') {
            fraction = ++s;
            if (!is_digit(*s))
                return -EINVAL;
            while (is_digit(*s))
                s++;
        }
        while (*s == ' ')
            s++;
        size_t length = strcspn(s, " 0123456789.");
        const Unit *unit = unit_find(duration_units, ARRAY_SIZE(duration_units), s, length);
        if (!unit)
            return -EINVAL;
        s += length;
        if (__builtin_mul_overflow(whole, unit->factor, &part) || __builtin_add_overflow(total, part, &total))
            return -ERANGE;
        for (int64_t scale = unit->factor / 10; fraction && is_digit(*fraction) && scale > 0; fraction++, scale /= 10)
            if (__builtin_add_overflow(total, (*fraction - '0') * scale, &total))
                return -ERANGE;
        while (*s == ' ')
            s++;
    }
    *ret_usec = total;
    return 0;
}

const char *duration_to_string(Usec usec, char buffer[static DURATION_SIZE]) {
    static const Unit shown[] = {
        {"w", USEC_PER_WEEK},  {"d", USEC_PER_DAY}, {"h", USEC_PER_HOUR}, {"min", USEC_PER_MINUTE}, {"s", USEC_PER_SEC},
        {"ms", USEC_PER_MSEC}, {"us", 1},
    };
    if (usec <= 0)
        return strcpy(buffer, "0");
    if (usec == USEC_INFINITY)
        return strcpy(buffer, "infinity");
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        /* a whole number of a smaller unit below 100 reads better as that: 27h, not 1d 3h; 90min, not 1h 30min */
        if (i + 1 < ARRAY_SIZE(shown) && usec % shown[i].factor != 0 && usec % shown[i + 1].factor == 0 &&
            usec / shown[i + 1].factor < 100)
            continue;
        int64_t n = usec / shown[i].factor;
        if (n == 0)
            continue;
        int64_t rest = i + 1 < ARRAY_SIZE(shown) ? usec % shown[i].factor / shown[i + 1].factor : 0;
        if (rest > 0)
            snprintf(buffer, DURATION_SIZE, "%" PRId64 "%s %" PRId64 "%s", n, shown[i].name, rest, shown[i + 1].name);
        else
            snprintf(buffer, DURATION_SIZE, "%" PRId64 "%s", n, shown[i].name);
        return buffer;
    }
    return strcpy(buffer, "0");
}

int parse_size(const char *s, uint64_t *ret_bytes) {
    static const char units[] = "BKMGTP";
    uint64_t value = 0;
    if (!is_digit(*s))
        return -EINVAL;
    for (; is_digit(*s); s++)
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
            return -ERANGE;
    while (*s == ' ')
        s++;
    if (*s) {
        const char *unit = strchr(units, *s);
        if (!unit)
            return -EINVAL;
        if (unit > units && strcmp(s + 1, "iB") != 0 && strcmp(s + 1, "B") != 0 && s[1])
            return -EINVAL;
        if (unit == units && s[1])
            return -EINVAL;
        for (long i = unit - units; i > 0; i--)
            if (__builtin_mul_overflow(value, UINT64_C(1024), &value))
                return -ERANGE;
    }
    *ret_bytes = value;
    return 0;
}

const char *size_to_string(uint64_t bytes, char buffer[static SIZE_TEXT_SIZE]) {
    static const char units[] = "BKMGTPE";
    size_t u = 0;
    uint64_t factor = 1;
    while (u + 2 < sizeof units && bytes / factor >= 1024) {
        factor *= 1024;
        u++;
    }
    uint64_t tenths = u > 0 ? bytes % factor * 10 / factor : 0;
    if (tenths > 0 && bytes / factor < 100)
        snprintf(buffer, SIZE_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 "%c", bytes / factor, tenths, units[u]);
    else
        snprintf(buffer, SIZE_TEXT_SIZE, "%" PRIu64 "%c", bytes / factor, units[u]);
    return buffer;
}

/* Does c match the class that starts after '['? Sets *ret_end behind its ']'; an unclosed class matches nothing. */
static bool class_match(const char *p, char c, const char **ret_end) {
    bool negated = *p == '!' || *p == '^', found = false;
    if (negated)
        p++;
    for (bool first = true; *p && (*p != ']' || first); first = false) {
        unsigned char low = (unsigned char)*p, high = low;
        if (p[1] == '-' && p[2] && p[2] != ']') {
            high = (unsigned char)p[2];
            p += 3;
        } else
            p++;
        if ((unsigned char)c >= low && (unsigned char)c <= high)
            found = true;
    }
    if (*p != ']')
        return false;
    *ret_end = p + 1;
    return found != negated;
}

bool glob_match(const char *pattern, const char *name) {
    const char *star = NULL, *retry = NULL;
    while (*name) {
        const char *end;
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern == '?' || (*pattern != '[' && *pattern && *pattern == *name)) {
            pattern++;
            name++;
        } else if (*pattern == '[' && class_match(pattern + 1, *name, &end)) {
            pattern = end;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool glob_is_pattern(const char *s) { return strpbrk(s, "*?[") != NULL; }

#define NAME_MAX_COMPARED 64

size_t name_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > NAME_MAX_COMPARED || m > NAME_MAX_COMPARED)
        return SIZE_MAX;
    size_t rows[3][NAME_MAX_COMPARED + 1];
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *name_nearest(const char *name, const char *const *candidates, size_t n_candidates) {
    size_t limit = strlen(name) / 3 < 2 ? 2 : strlen(name) / 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < n_candidates; i++) {
        size_t distance = name_distance(name, candidates[i]);
        if (distance <= limit && distance < strlen(candidates[i])) {
            nearest = candidates[i];
            limit = distance - (distance > 0);
            if (distance == 0)
                break;
        }
    }
    return nearest;
}
