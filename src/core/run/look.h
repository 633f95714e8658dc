#pragma once
/* Looking for what an uncertain request may have made: a complete walk through a listing, page by page. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "core/aws/codec.h"

typedef struct RunLook {
    char *cursor; /* where the next page starts; NULL: at the beginning */
    Usec begun_wall;
    size_t n_pages;
    char *found_arn; /* the earliest that is ours */
    Usec found_wall;
    size_t n_found;
    char *other_arn; /* one of our name that another incarnation of the table has, made since we asked; or NULL */
    Usec other_wall;
    bool listed; /* exports: the listing is complete; candidates are described one by one, from the last */
    char **candidates;
    size_t n_candidates, n_room;
} RunLook;

/* No account has so many; a listing that goes on is taken for one that turns in circles. */
#define LOOK_MAX_PAGES 10000

/* NULL without memory. */
RunLook *run_look_new(Usec begun_wall);
void run_look_free(RunLook *l);
/* Goes on to the page at `cursor`. -ELOOP: the cursor repeats itself or there are too many pages. -ENOMEM. */
int run_look_turn_page(RunLook *l, const char *cursor);
/* One that is ours: the earliest is kept. */
int run_look_found(RunLook *l, const char *arn, Usec wall);
/* The creation time in the last part of a backup's or export's ARN ("…/01791504762511-2779fadd"), or WALL_UNKNOWN. */
Usec look_wall_of_arn(const char *arn);
