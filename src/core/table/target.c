#include "core/table/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/table_arn.h"

static void enrolment_free(Enrolment *e) {
    if (!e)
        return;
    free(e->schedule_name);
    free(e->when);
    free(e);
}

void target_free(Target *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->n_enrolments; i++)
        enrolment_free(t->enrolments[i]);
    free(t->enrolments);
    free(t->account);
    free(t->region);
    free(t->table);
    free(t->table_id);
    free(t->table_arn);
    free(t->former_id);
    free(t);
}

int target_new(const char *account, const char *region, const char *table, Target **ret) {
    CLEANUP(target_free_ptr) Target *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->described_wall = t->ahead_tried_wall = WALL_UNKNOWN;
    t->gone_wall = t->recovery_wall = WALL_UNKNOWN;
    t->ahead = HEAP_NODE(t);
    t->look = HEAP_NODE(t);
    t->expire = HEAP_NODE(t);
    t->erase = HEAP_NODE(t);
    t->reverify = HEAP_NODE(t);
    t->audited_mono = WALL_UNKNOWN;
    t->size_bytes = COUNT_UNKNOWN;
    if (text_set(&t->account, account) < 0 || text_set(&t->region, region) < 0 || text_set(&t->table, table) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(t);
    return 0;
}

int target_compare(const Target *t, const char *account, const char *region, const char *table) {
    int c = strcmp(t->account, account);
    if (c == 0)
        c = strcmp(t->region, region);
    return c ? c : strcmp(t->table, table);
}

int target_describe(Target *t, const TableInfo *info, Usec wall) {
    bool known = t->table_id && *t->table_id && *info->id;
    if (known && strcmp(t->table_id, info->id) != 0 && text_set(&t->former_id, t->table_id) < 0)
        return -ENOMEM;
    if (text_set(&t->table_id, info->id) < 0 || text_set(&t->table_arn, info->arn) < 0)
        return -ENOMEM;
    t->described_wall = wall;
    t->size_bytes = info->size_bytes;
    t->changed = true;
    return 0;
}

const char *target_account_id(const Target *t, char buffer[static 13]) {
    return table_arn_account_id(t->table_arn, buffer);
}

Enrolment *target_enrolment(const Target *t, const char *schedule) {
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (strcmp(t->enrolments[i]->schedule_name, schedule) == 0)
            return t->enrolments[i];
    return NULL;
}

int target_enrol(Target *t, const char *schedule, Enrolment **ret) {
    if (ARRAY_GROW(t->enrolments, t->n_enrolments, t->n_room) < 0)
        return -ENOMEM;
    Enrolment *e = calloc(1, sizeof *e);
    if (!e || text_set(&e->schedule_name, schedule) < 0) {
        free(e);
        return -ENOMEM;
    }
    e->target = t;
    e->first_seen_wall = e->cursor_wall = e->newest_wall = e->stale_wall = e->stale_said_wall = e->ordered_wall =
        WALL_UNKNOWN;
    e->due = HEAP_NODE(e);
    e->fresh = HEAP_NODE(e);
    t->enrolments[t->n_enrolments++] = e;
    *ret = e;
    return 0;
}

void targets_done(Targets *t) {
    for (size_t i = 0; i < t->n_items; i++)
        target_free(t->items[i]);
    free(t->items);
    *t = (Targets){};
}

/* Where the target of that name is, or belongs. */
static size_t targets_position(const Targets *t, const char *account, const char *region, const char *table,
                               bool *ret_found) {
    size_t low = 0, high = t->n_items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = target_compare(t->items[middle], account, region, table);
        if (c == 0) {
            *ret_found = true;
            return middle;
        }
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

Target *targets_find(const Targets *t, const char *account, const char *region, const char *table) {
    bool found;
    size_t i = targets_position(t, account, region, table, &found);
    return found ? t->items[i] : NULL;
}

int targets_ensure(Targets *t, const char *account, const char *region, const char *table, Target **ret) {
    bool found;
    size_t i = targets_position(t, account, region, table, &found);
    if (!found) {
        CLEANUP(target_free_ptr) Target *target = NULL;
        if (target_new(account, region, table, &target) < 0 || ARRAY_GROW(t->items, t->n_items, t->n_room) < 0)
            return -ENOMEM;
        memmove(&t->items[i + 1], &t->items[i], (t->n_items - i) * sizeof *t->items);
        t->items[i] = TAKE_PTR(target);
        t->n_items++;
    }
    *ret = t->items[i];
    return 0;
}

const char *target_label(const Target *t, bool qualified, char buffer[static TARGET_LABEL_SIZE]) {
    if (qualified)
        snprintf(buffer, TARGET_LABEL_SIZE, "%s/%s/%s", t->account, t->region, t->table);
    else
        snprintf(buffer, TARGET_LABEL_SIZE, "%s", t->table);
    return buffer;
}
