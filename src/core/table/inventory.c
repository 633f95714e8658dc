#include "core/table/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/table_arn.h"
#include "core/aws/tags.h"

#define RETRY_FIRST_USEC (10 * USEC_PER_SEC)
#define RETRY_MAX_USEC (5 * USEC_PER_MINUTE)
/* A table that is not found while its tags are read is being created, or gone: the next listing tells. One that may not
 * be looked at waits as long. */
#define ABSENT_USEC USEC_PER_MINUTE

static void row_free(InventoryRow *row) {
    free(row->table);
    free(row->tags);
    free(row);
}

static void call_done(InventoryCall *c) {
    free(c->table);
    free(c->tags);
    free(c->cursor);
    *c = (InventoryCall){};
}

void inventory_done(Inventory *v) {
    heap_done(&v->due); /* it touches the rows */
    for (size_t i = 0; i < v->n_rows; i++)
        row_free(v->rows[i]);
    for (size_t i = 0; i < INVENTORY_CALLS; i++)
        call_done(&v->calls[i]);
    free(v->rows);
    free(v->arn_prefix);
    free(v->learn_from);
    *v = (Inventory){};
}

/* Where the row of that name is, or belongs. */
static size_t position(const Inventory *v, const char *table, bool *ret_found) {
    size_t low = 0, high = v->n_rows;
    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(v->rows[middle]->table, table);
        if (c == 0) {
            *ret_found = true;
            return middle;
        }
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static InventoryRow *find(const Inventory *v, const char *table) {
    bool found;
    size_t i = position(v, table, &found);
    return found ? v->rows[i] : NULL;
}

const InventoryRow *inventory_find(const Inventory *v, const char *table) { return find(v, table); }

const char *inventory_tags(const Inventory *v, const char *table) {
    const InventoryRow *row = find(v, table);
    return row ? row->tags : NULL;
}

static int row_new(const char *table, Usec seen_wall, InventoryRow **ret) {
    InventoryRow *row = calloc(1, sizeof *row);
    if (!row || text_set(&row->table, table) < 0) {
        free(row);
        return -ENOMEM;
    }
    row->seen_wall = seen_wall;
    row->tags_wall = WALL_UNKNOWN;
    row->due = HEAP_NODE(row);
    *ret = row;
    return 0;
}

int inventory_restore(Inventory *v, const char *table, const char *tags, Usec tags_wall, Usec seen_wall) {
    bool found;
    size_t i = position(v, table, &found);
    InventoryRow *row;
    if (found)
        return 0;
    if (ARRAY_GROW(v->rows, v->n_rows, v->n_room) < 0 || row_new(table, seen_wall, &row) < 0)
        return -ENOMEM;
    row->tags_wall = tags_wall;
    memmove(&v->rows[i + 1], &v->rows[i], (v->n_rows++ - i) * sizeof *v->rows);
    v->rows[i] = row;
    return text_set(&row->tags, tags);
}

static void drop(Inventory *v, InventoryRow *row) {
    heap_set(&v->due, &row->due, USEC_INFINITY);
    row_free(row);
}

/* Both are sorted: the new rows are merged from the two. */
int inventory_take_listing(Inventory *v, char *const *names, size_t n_names, Now now, InventoryNews news,
                           void *context) {
    AUTO_FREE InventoryRow **merged = calloc(n_names + 1, sizeof *merged);
    size_t n = 0, i = 0;
    int r = merged ? 0 : -ENOMEM;
    for (size_t j = 0; r >= 0 && j < n_names; j++) {
        if (j > 0 && strcmp(names[j - 1], names[j]) == 0)
            continue;
        for (; r >= 0 && i < v->n_rows && strcmp(v->rows[i]->table, names[j]) < 0; i++) {
            r = news(context, v->rows[i], true);
            drop(v, TAKE_PTR(v->rows[i]));
        }
        if (r < 0)
            break;
        if (i < v->n_rows && strcmp(v->rows[i]->table, names[j]) == 0) {
            merged[n++] = TAKE_PTR(v->rows[i]);
            i++;
        } else if ((r = row_new(names[j], now.wall, &merged[n])) >= 0)
            r = news(context, merged[n++], false);
    }
    for (; r >= 0 && i < v->n_rows; i++) {
        r = news(context, v->rows[i], true);
        drop(v, TAKE_PTR(v->rows[i]));
    }
    if (r < 0) { /* the process ends: nothing is to leak, and nothing to be right */
        for (size_t k = 0; merged && k < n; k++)
            drop(v, merged[k]);
        for (; i < v->n_rows; i++)
            if (v->rows[i])
                drop(v, v->rows[i]);
        v->n_rows = 0;
        return r;
    }
    free(v->rows);
    v->rows = TAKE_PTR(merged);
    v->n_rows = n;
    v->n_room = n_names + 1;
    return 0;
}

/* Read at an instant that lies ahead of us, by a clock that was wrong: as if read just now. */
static Usec due_mono(const InventoryRow *row, Usec interval_usec, Now now) {
    if (row->tags_wall == WALL_UNKNOWN)
        return now.mono;
    Usec age = usec_max(0, now.wall - row->tags_wall);
    return now.mono + usec_max(0, interval_usec - age);
}

int inventory_ask_for(Inventory *v, InventoryRow *row, bool asks, Usec interval_usec, Now now) {
    row->asks = asks;
    return heap_set(&v->due, &row->due, asks && !row->reading ? due_mono(row, interval_usec, now) : USEC_INFINITY);
}

int inventory_doubt(Inventory *v, const char *table, Now now) {
    InventoryRow *row = find(v, table);
    return row && row->asks && !row->reading ? heap_set(&v->due, &row->due, now.mono) : 0;
}

/* The row waits for its next reading. */
static int rest(Inventory *v, InventoryRow *row, Usec usec, Now now) {
    row->reading = false;
    return heap_set(&v->due, &row->due, row->asks ? now.mono + usec : USEC_INFINITY);
}

int inventory_cancel(Inventory *v, Now now) {
    int r = 0;
    for (size_t i = 0; i < INVENTORY_CALLS; i++) {
        InventoryRow *row = v->calls[i].table ? find(v, v->calls[i].table) : NULL;
        call_done(&v->calls[i]);
        if (r >= 0 && row)
            r = rest(v, row, 0, now);
    }
    return r;
}

/* --- reading --- */

static size_t free_call(const Inventory *v) {
    size_t i = 0;
    while (i < INVENTORY_CALLS && v->calls[i].table)
        i++;
    return i;
}

static size_t waiting_call(const Inventory *v) {
    size_t i = 0;
    while (i < INVENTORY_CALLS && !v->calls[i].waits)
        i++;
    return i;
}

/* While the ARN is being learned, everything else waits for it. */
static bool is_learning(const Inventory *v) {
    bool learning = false;
    for (size_t i = 0; i < INVENTORY_CALLS; i++)
        learning |= v->calls[i].table && v->calls[i].describes;
    return learning;
}

static bool wants_to_learn(const Inventory *v) { return !v->arn_prefix && v->learn_from; }

Usec inventory_next_mono(const Inventory *v) {
    Usec next = usec_min(heap_next(&v->due), wants_to_learn(v) ? v->learn_mono : USEC_INFINITY);
    if (waiting_call(v) < INVENTORY_CALLS)
        return v->resume_mono;
    if (next == USEC_INFINITY || free_call(v) == INVENTORY_CALLS || is_learning(v))
        return USEC_INFINITY;
    return usec_max(next, v->resume_mono);
}

static int make_request(const Inventory *v, const InventoryCall *c, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q =
        aws_request_new(c->describes ? AWS_OP_DESCRIBE_TABLE : AWS_OP_LIST_TAGS);
    if (!q)
        return -ENOMEM;
    if (c->describes) {
        if (text_set(&q->describe_table.table, c->table) < 0)
            return -ENOMEM;
    } else if (!(q->list_tags.arn = text_format("%s%s", v->arn_prefix, c->table)) ||
               text_set(&q->list_tags.start_token, c->cursor) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(q);
    return 0;
}

int inventory_request(Inventory *v, Now now, AwsRequest **ret, size_t *ret_call) {
    if (inventory_next_mono(v) > now.mono)
        return 0;
    size_t i = waiting_call(v);
    if (i < INVENTORY_CALLS) {
        v->calls[i].waits = false;
        *ret_call = i;
        return make_request(v, &v->calls[i], ret);
    }
    InventoryRow *row = heap_due(&v->due, now.mono);
    InventoryCall *c = &v->calls[i = free_call(v)];
    if (text_set(&c->table, row ? row->table : v->learn_from) < 0)
        return -ENOMEM;
    c->describes = !v->arn_prefix;
    if (row) {
        row->reading = true;
        heap_set(&v->due, &row->due, USEC_INFINITY);
    }
    *ret_call = i;
    return make_request(v, c, ret);
}

static int fail(Inventory *v, InventoryRow *row, const AwsError *e, Now now, InventoryAnswer *ret) {
    Usec wait = RETRY_FIRST_USEC;
    for (int i = 0; i < v->n_failures && wait < RETRY_MAX_USEC; i++)
        wait *= 2;
    v->n_failures++;
    v->resume_mono = now.mono + usec_min(wait, RETRY_MAX_USEC);
    if (e->class == AWS_DENIED) /* it may be another account's by now */
        free(TAKE_PTR(v->arn_prefix));
    *ret = v->failed || (row && row->refused) ? INVENTORY_GOES_ON : INVENTORY_FAILED;
    v->failed = true;
    if (!row)
        return 0;
    row->refused = true;
    return rest(v, row, ABSENT_USEC, now);
}

static int learn(Inventory *v, const TableInfo *info) {
    TableArn arn;
    if (!table_arn_parse(info->arn, &arn))
        return -EBADMSG;
    char *prefix = strndup(info->arn, (size_t)(arn.table - info->arn));
    if (!prefix)
        return -ENOMEM;
    free(v->arn_prefix);
    v->arn_prefix = prefix;
    return 0;
}

/* All pages are there. */
static int take_tags(Inventory *v, InventoryRow *row, InventoryCall *c, Usec interval_usec, Now now,
                     InventoryAnswer *ret) {
    *ret = text_equal(row->tags, c->tags) ? INVENTORY_KEPT : INVENTORY_READ;
    free(row->tags);
    row->tags = TAKE_PTR(c->tags);
    row->tags_wall = now.wall;
    row->refused = false;
    v->n_failures = 0;
    v->failed = false;
    return rest(v, row, interval_usec, now);
}

int inventory_answer(Inventory *v, size_t call, CallDone *done, Usec interval_usec, Now now, InventoryAnswer *ret,
                     InventoryRow **ret_row) {
    CLEANUP(call_done) InventoryCall c = v->calls[call];
    InventoryRow *row = find(v, c.table);
    v->calls[call] = (InventoryCall){};
    *ret = INVENTORY_GOES_ON;
    *ret_row = row;
    if (c.describes)
        v->learn_mono = now.mono + ABSENT_USEC;
    if (done->error.class == AWS_NOT_FOUND) {
        free(TAKE_PTR(v->learn_from)); /* another may tell */
        return row ? rest(v, row, ABSENT_USEC, now) : 0;
    }
    if (done->error.class != AWS_OK)
        return fail(v, row, &done->error, now, ret);
    if (c.describes) {
        int r = learn(v, &done->reply->table);
        *ret = INVENTORY_LEARNED;
        return r == -EBADMSG ? fail(v, row, &done->error, now, ret) : r < 0 || !row ? r : rest(v, row, 0, now);
    }
    const char *next = done->reply->tags.next;
    int r = tags_add(&c.tags, &done->reply->tags);
    if (r == -E2BIG || (r >= 0 && next && text_equal(next, c.cursor)))
        return fail(v, row, &done->error, now, ret);
    if (r < 0 || !row)
        return r;
    if (!next)
        return take_tags(v, row, &c, interval_usec, now, ret);
    if (text_set(&c.cursor, next) < 0)
        return -ENOMEM;
    c.waits = true;
    v->calls[call] = c;
    c = (InventoryCall){};
    return 0;
}
