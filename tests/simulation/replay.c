#include "replay.h"

#include <cjson/cJSON.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"

#define REGION "eu-central-1"
#define MAX_LINES (64u << 20)

/* One item; the key is its key attributes. */
typedef struct Item {
    char *key, *image; /* image NULL: deleted */
} Item;

typedef struct Replay {
    House *house;
    const char *bucket;
    void *items; /* search tree */
    const char *what;
} Replay;

static int by_key(const void *a, const void *b) { return strcmp(((const Item *)a)->key, ((const Item *)b)->key); }

static void item_free(void *item) {
    free(((Item *)item)->key);
    free(((Item *)item)->image);
    free(item);
}

static const char *object(Replay *r, const char *key, size_t *ret_n) {
    World *w = house_world(r->house);
    const char *bytes = NULL;
    if (service_read_object(world_service(w), r->bucket, key, world_true_wall(w), &bytes, ret_n) < 0)
        house_violated(r->house, "%s: there is no object %s", r->what, key);
    return bytes;
}

/* The lines of an object of gzip members. */
static void unpack(Replay *r, const char *key, Text *to) {
    size_t n = 0;
    const char *bytes = object(r, key, &n);
    z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)n};
    char block[65536];
    int code = inflateInit2(&z, 15 + 16);
    while (code == Z_OK) {
        z.next_out = (Bytef *)block;
        z.avail_out = sizeof block;
        code = inflate(&z, Z_NO_FLUSH);
        text_add_bytes(to, block, sizeof block - z.avail_out);
    }
    inflateEnd(&z);
    if (code != Z_STREAM_END || to->error < 0)
        house_violated(r->house, "%s: %s cannot be unpacked", r->what, key);
}

static char *print(const cJSON *json) {
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;
    return text;
}

/* Takes the pair; NULL image: it is deleted. */
static void put(Replay *r, char *key, char *image) {
    Item wanted = {.key = key};
    Item **found = key ? tfind(&wanted, &r->items, by_key) : NULL;
    if (!key)
        house_violated(r->house, "%s: an item without a key", r->what);
    if (found) {
        free((*found)->image);
        (*found)->image = image;
        free(key);
        return;
    }
    Item *item = calloc(1, sizeof *item);
    if (!item)
        abort();
    *item = (Item){.key = key, .image = image};
    if (!tsearch(item, &r->items, by_key))
        abort();
}

/* Tables of the simulation have the key "id" alone. */
static char *key_of(const cJSON *attributes) { return print(cJSON_GetObjectItemCaseSensitive(attributes, "id")); }

static void apply(Replay *r, const cJSON *line) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, "Item"),
                *keys = cJSON_GetObjectItemCaseSensitive(line, "Keys");
    if (item)
        put(r, key_of(item), print(item));
    else
        put(r, key_of(keys), print(cJSON_GetObjectItemCaseSensitive(line, "NewImage")));
}

typedef void (*TakeLine)(Replay *r, const cJSON *line);

static void each_line(Replay *r, const char *lines, TakeLine take) {
    for (const char *s = lines; *s;) {
        size_t n = strcspn(s, "\n");
        cJSON *line = cJSON_ParseWithLength(s, n);
        if (!line)
            house_violated(r->house, "%s: a line is no JSON: %.*s", r->what, (int)(n > 200 ? 200 : n), s);
        take(r, line);
        cJSON_Delete(line);
        s += n + (s[n] != '\0');
    }
}

static void take_file(Replay *r, const cJSON *line) {
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(line, "dataFileS3Key");
    AUTO_TEXT lines = TEXT_INIT(MAX_LINES);
    if (!cJSON_IsString(key))
        house_violated(r->house, "%s: a manifest names no object", r->what);
    unpack(r, key->valuestring, &lines);
    each_line(r, text_get(&lines), apply);
}

static void take_export(Replay *r, const char *arn) {
    AUTO_FREE char *key = text_format("AWSDynamoDB/%s/manifest-files.json", strrchr(arn, '/') + 1);
    size_t n = 0;
    const char *manifest = object(r, key, &n);
    AUTO_FREE char *copy = strndup(manifest, n); /* the next look at an object takes it away */
    if (!copy)
        abort();
    each_line(r, copy, take_file);
}

/* --- against the table --- */

static size_t n_left; /* twalk takes no context */

static void count_item(const void *node, VISIT visit, int depth) {
    const Item *item = *(Item *const *)node;
    if ((visit == preorder || visit == leaf) && item->image)
        n_left++;
}

static void compare_item(Replay *r, const cJSON *item) {
    AUTO_FREE char *key = key_of(item), *image = print(item);
    Item wanted = {.key = key};
    Item **found = tfind(&wanted, &r->items, by_key);
    if (!found || !text_equal((*found)->image, image))
        house_violated(r->house, "%s: it restores %s, and not %s", r->what,
                       found && (*found)->image ? (*found)->image : "nothing", image);
    n_left--;
}

static void compare(Replay *r, const char *table, Usec watermark_wall) {
    World *w = house_world(r->house);
    AUTO_TEXT lines = TEXT_INIT(MAX_LINES);
    if (service_items_to_lines(world_service(w), REGION, table, watermark_wall, world_true_wall(w), &lines) < 0)
        house_violated(r->house, "%s: the table cannot be read", r->what);
    n_left = 0;
    twalk(r->items, count_item);
    each_line(r, text_get(&lines), compare_item);
    if (n_left != 0)
        house_violated(r->house, "%s: it restores %zu items that were deleted", r->what, n_left);
}

size_t replay_chains(House *h, const char *schedule, const char *table, const char *bucket) {
    const ChainBook *b = book_chains(house_book(h));
    char what[120], iso[DATE_ISO_SIZE];
    size_t n_replayed = 0;
    const char *arn;
    Usec watermark;
    for (int64_t id = 1; id <= chain_book_last(b); id++) {
        if (!chain_book_is_good(b, id, schedule, table, &watermark))
            continue;
        Replay r = {.house = h, .bucket = bucket, .what = what};
        snprintf(what, sizeof what, "chain %d of %s to %s", (int)id, table, date_to_iso(watermark, iso));
        for (size_t i = 0; (arn = chain_book_export(b, id, i)); i++)
            take_export(&r, arn);
        compare(&r, table, watermark);
        tdestroy(r.items, item_free);
        n_replayed++;
    }
    return n_replayed;
}
