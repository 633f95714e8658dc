#include "core/run/slot.h"

#include <errno.h>
#include <stdlib.h>

#include "core/run/drive.h"

int slot_share(const char *deployment, const Enrolment *e, Usec *ret_usec) {
    const Target *t = e->target;
    Usec spread = e->schedule->spread_usec;
    char hex[16];
    *ret_usec = 0;
    if (spread <= 0)
        return 0;
    const char *parts[] = {deployment, e->schedule_name, t->account, t->region, t->table};
    int r = drive_hash(parts, ARRAY_SIZE(parts), 15, hex);
    if (r < 0)
        return r;
    /* 60 bits of hash; the bias of the remainder is below a millionth */
    *ret_usec = (Usec)(strtoull(hex, NULL, 16) % (uint64_t)spread);
    return 0;
}

int slot_next(const Enrolment *e, Usec after_wall, Usec *ret_wall) {
    return calendar_next(e->schedule->when, e->schedule->zone, after_wall, ret_wall);
}

Usec slot_open(const ScheduleConf *s, Usec wall) {
    return blackouts_end(s->not_during, s->n_not_during, s->zone, wall);
}

int slot_plan(const Enrolment *e, Usec until_wall, SlotPlan *ret) {
    const ScheduleConf *s = e->schedule;
    SlotPlan plan = {.run_wall = WALL_UNKNOWN, .range_from_wall = WALL_UNKNOWN, .range_to_wall = WALL_UNKNOWN};
    Usec newest;
    int r = calendar_last(s->when, s->zone, e->cursor_wall, until_wall, &newest);
    if (r == -ENOENT) {
        *ret = plan;
        return 0;
    }
    if (r < 0)
        return r;
    bool run = s->catch_up == CATCH_UP_LAST || until_wall - newest <= SLOT_MISSED_USEC;
    plan.run_wall = run ? newest : WALL_UNKNOWN;
    Usec slot = e->cursor_wall;
    while ((r = slot_next(e, slot, &slot)) >= 0 && slot <= newest && !(run && slot == newest)) {
        if (plan.range_from_wall == WALL_UNKNOWN)
            plan.range_from_wall = slot;
        plan.range_to_wall = slot;
        if (++plan.n_range == SLOT_COUNT_MAX) {
            r = calendar_last(s->when, s->zone, slot, run ? newest - 1 : newest, &plan.range_to_wall);
            if (r == -ENOENT)
                r = 0;
            break;
        }
    }
    if (r < 0 && r != -ENOENT)
        return r;
    *ret = plan;
    return 0;
}

#define ORDERED_TRIES 3600

/* The first whole second after an instant. */
static Usec second_after(Usec wall) { return (wall / USEC_PER_SEC + 1) * USEC_PER_SEC; }

int slot_ordered(const Enrolment *e, Usec now_wall, Usec *ret_wall) {
    Usec slot = usec_max(now_wall / USEC_PER_SEC * USEC_PER_SEC, second_after(e->cursor_wall)), on_calendar;
    if (e->ordered_wall != WALL_UNKNOWN)
        slot = usec_max(slot, second_after(e->ordered_wall));
    for (int i = 0; i < ORDERED_TRIES; i++, slot += USEC_PER_SEC) {
        int r = slot_next(e, slot - 1, &on_calendar);
        if (r < 0 && r != -ENOENT)
            return r;
        if (r == -ENOENT || on_calendar >= slot + USEC_PER_SEC) {
            *ret_wall = slot;
            return 0;
        }
    }
    return -EEXIST;
}
