#include "pace.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define MAX_RATE 50

/* Of exports and tables none is documented: at these nothing was ever refused. */
static const struct {
    const char *operation;
    int per_second;
} rates[] = {
    {"CreateBackup", 50},  {"DescribeBackup", 10}, {"ListBackups", 5},   {"ExportTableToPointInTime", 3},
    {"DescribeExport", 10}, {"ListExports", 4},     {"DescribeTable", 7}, {"ListTables", 7},
    {"ListTagsOfResource", 10}, {"DeleteBackup", 10},
};

/* Of one region. */
struct Pace {
    char *url;
    Pace *next;
    Usec walls[ARRAY_SIZE(rates)][MAX_RATE]; /* rings of the last calls */
    size_t n_calls[ARRAY_SIZE(rates)];
};

Pace *pace_new(void) {
    Pace *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    return p;
}

void pace_free(Pace *p) {
    for (Pace *next; p; p = next) {
        next = p->next;
        free(p->url);
        free(p);
    }
}

static Pace *pace_of(Pace *p, const char *url) {
    for (; p->url && strcmp(p->url, url) != 0; p = p->next)
        if (!p->next)
            p->next = pace_new();
    if (!p->url && !(p->url = strdup(url)))
        abort();
    return p;
}

int pace_take(Pace *first, const char *url, const char *operation, Usec wall) {
    Pace *p = pace_of(first, url);
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        if (strcmp(rates[i].operation, operation) != 0)
            continue;
        size_t rate = (size_t)rates[i].per_second, n = p->n_calls[i]++;
        Usec *oldest = &p->walls[i][n % rate];
        bool too_fast = n >= rate && wall - *oldest < USEC_PER_SEC;
        *oldest = wall;
        return too_fast ? rates[i].per_second : 0;
    }
    return 0;
}
