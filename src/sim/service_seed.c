/* Items that nobody sent a request for: those of seeds, and what tests write and read directly. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/service_item.h"

#define MAX_TEXT (4u << 20)
/* A seed's items beyond these are a number only. */
#define MAX_SEED_ITEMS 1000000

/* Filler that compresses about as well as hexadecimal digits do. */
static void add_filler(Text *t, uint64_t seed, int64_t n) {
    for (; n > 0; n -= 16) {
        seed = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
        char digits[17];
        snprintf(digits, sizeof digits, "%016llx", (unsigned long long)(seed ^ seed >> 29));
        text_add_bytes(t, digits, n < 16 ? (size_t)n : 16);
    }
}

typedef struct Promise {
    int64_t number;
    uint64_t hash;
    char key[64]; /* {"id":{"S":"item-00000007"}} */
} Promise;

static void promise_init(Promise *p, int64_t number) {
    p->number = number;
    int n = snprintf(p->key, sizeof p->key, "{\"id\":{\"S\":\"item-%08lld\"}", (long long)number);
    p->hash = service_items_hash(p->key);
    snprintf(p->key + n, sizeof p->key - (size_t)n, "}");
}

static int compare_promises(const void *a, const void *b) {
    const Promise *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* {"filler":{"S":...},"id":{"S":"item-00000007"},"number":{"N":"7"}}, filled up to `size` bytes as AWS counts them. */
static int make_seed_item(ServiceItems *items, const Promise *p) {
    AUTO_TEXT json = TEXT_INIT(MAX_TEXT);
    char *taken = NULL;
    char digits[24];
    int n_digits = snprintf(digits, sizeof digits, "%lld", (long long)p->number);
    int64_t bare = 2 + 13 + 6 + n_digits / 2 + 1, size = items->promised_size, filler = size - bare - 6;
    text_add_char(&json, '{');
    if (filler > 0) {
        text_add(&json, "\"filler\":{\"S\":\"");
        add_filler(&json, (uint64_t)p->number, filler);
        text_add(&json, "\"},");
    }
    text_addf(&json, "\"id\":{\"S\":\"item-%08lld\"},\"number\":{\"N\":\"%s\"}}", (long long)p->number, digits);
    int rc = text_take(&json, &taken);
    return rc < 0 ? rc
                  : service_items_write(items, p->hash, p->key, taken, filler > 0 ? size : bare, items->promised_wall);
}

int service_make_items(ServiceItems *items) {
    int64_t n = items->n_promised < MAX_SEED_ITEMS ? items->n_promised : MAX_SEED_ITEMS;
    Usec frozen_wall = items->frozen_wall;
    int rc = 0;
    if (n == 0)
        return 0;
    AUTO_FREE Promise *promises = calloc((size_t)n, sizeof promises[0]);
    if (!promises)
        return -ENOMEM;
    for (int64_t i = 0; i < n; i++)
        promise_init(&promises[i], i);
    qsort(promises, (size_t)n, sizeof promises[0], compare_promises); /* so that each is put at the end */
    items->frozen_wall = 0;                                           /* they were there before */
    for (int64_t i = 0; i < n && rc >= 0; i++)
        rc = make_seed_item(items, &promises[i]);
    items->frozen_wall = frozen_wall;
    if (rc >= 0)
        items->n_promised = 0;
    return rc;
}

/* ---- for tests ---- */

static int find_table(Service *s, const char *region, const char *name, Usec now_wall, ServiceTable **ret) {
    int rc = service_open_region(s, region, now_wall);
    if (rc < 0)
        return rc;
    *ret = service_get_table(s, region, name, now_wall);
    return *ret ? service_make_items((*ret)->items) : -ENOENT;
}

/* {"id":{"S":"item-00000007"},"mark":{"S":MARK}}; without a mark the key alone. */
static int make_write(int64_t number, const char *mark, ServiceWrite *w) {
    AUTO_TEXT key = TEXT_INIT(1000);
    AUTO_TEXT json = TEXT_INIT(MAX_TEXT);
    text_addf(&key, "{\"id\":{\"S\":\"item-%08lld\"}", (long long)number);
    w->hash = service_items_hash(text_get(&key));
    w->size = 2 + 13 + 4 + (int64_t)strlen(mark ? mark : "");
    text_addf(&json, "%s,\"mark\":{\"S\":", text_get(&key));
    text_add_json(&json, mark ? mark : "");
    text_add(&json, "}}");
    text_add_char(&key, '}');
    int rc = text_take(&key, &w->key);
    return rc < 0 || !mark ? rc : text_take(&json, &w->json);
}

int service_write_items(Service *s, const char *region, const char *table, int64_t first, int64_t n, const char *mark,
                        Usec now_wall) {
    ServiceTable *t = NULL;
    int rc = find_table(s, region, table, now_wall, &t);
    if (rc < 0)
        return rc;
    const ServiceJson *schema = service_json_get(t->definition, "KeySchema");
    if (schema->n_items != 1 || !text_equal(service_json_get_string(schema->first, "AttributeName"), "id"))
        return -EINVAL;
    for (int64_t i = first; i < first + n; i++) {
        CLEANUP(service_write_done) ServiceWrite w = {};
        rc = make_write(i, mark, &w);
        if (rc >= 0)
            rc = service_write_apply(t, &w, now_wall);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compare_strings(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int service_items_to_lines(Service *s, const char *region, const char *table, Usec before_wall, Usec now_wall,
                           Text *t) {
    ServiceTable *found = NULL;
    size_t n = 0;
    int rc = find_table(s, region, table, now_wall, &found);
    if (rc < 0)
        return rc;
    AUTO_FREE const char **lines = calloc(found->items->n_items + 1, sizeof lines[0]);
    if (!lines)
        return -ENOMEM;
    for (size_t i = 0; i < found->items->n_items; i++) {
        const ServiceVersion *v = service_item_before(found->items->items[i], before_wall);
        if (v)
            lines[n++] = v->json;
    }
    if (n > 1)
        qsort(lines, n, sizeof lines[0], compare_strings);
    for (size_t i = 0; i < n; i++)
        text_addf(t, "%s\n", lines[i]);
    return t->error;
}
