#include "core/run/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

RunLook *run_look_new(Usec begun_wall) {
    RunLook *l = calloc(1, sizeof *l);
    if (l)
        l->begun_wall = begun_wall;
    return l;
}

void run_look_free(RunLook *l) {
    if (!l)
        return;
    for (size_t i = 0; i < l->n_candidates; i++)
        free(l->candidates[i]);
    free(l->candidates);
    free(l->cursor);
    free(l->found_arn);
    free(l->other_arn);
    free(l);
}

int run_look_turn_page(RunLook *l, const char *cursor) {
    if (text_equal(l->cursor, cursor) || ++l->n_pages > LOOK_MAX_PAGES)
        return -ELOOP;
    return text_set(&l->cursor, cursor);
}

int run_look_found(RunLook *l, const char *arn, Usec wall) {
    l->n_found++;
    if (l->found_arn && l->found_wall <= wall)
        return 0;
    l->found_wall = wall;
    return text_set(&l->found_arn, arn);
}

Usec look_wall_of_arn(const char *arn) {
    const char *id = strrchr(arn, '/');
    if (!id || strspn(id + 1, "0123456789") != 14 || id[15] != '-')
        return WALL_UNKNOWN;
    return (Usec)strtoll(id + 1, NULL, 10) * USEC_PER_MSEC;
}
