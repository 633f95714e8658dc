#include "sim/service_record.h"

#include <string.h>

#include "sim/service_ion.h"

#define MAX_LINE (8u << 20)

/* What of an item an export tells; all borrowed. */
typedef struct Record {
    const char *keys, *new_image, *old_image; /* NULL: left out */
    Usec written_wall;
} Record;

/* False: it has nothing to tell. An item that came and went within the window leaves nothing. */
static bool record_find(const ServiceExport *e, const ServiceItem *item, Record *ret) {
    const ServiceVersion *now = service_item_before(item, e->until_wall);
    if (!e->is_incremental) {
        *ret = (Record){.new_image = now ? now->json : NULL};
        return now != NULL;
    }
    const ServiceVersion *change = service_item_last_change(item, e->from_wall, e->until_wall);
    const ServiceVersion *before = service_item_before(item, e->from_wall);
    if (!change || (!now && !before))
        return false;
    *ret = (Record){.keys = item->key,
                    .new_image = now ? now->json : NULL,
                    .old_image = before && !e->new_images_only ? before->json : NULL,
                    .written_wall = change->wall};
    return true;
}

bool service_record_holds(const ServiceExport *e, const ServiceItem *item) {
    Record r;
    return record_find(e, item, &r);
}

static void add_json(Text *t, const ServiceExport *e, const Record *r) {
    service_json_open(t, NULL, '{');
    if (e->is_incremental) {
        service_json_open(t, "Metadata", '{');
        service_json_open(t, "WriteTimestampMicros", '{');
        text_addf(t, "\"N\":\"%lld\"", (long long)r->written_wall);
        service_json_close(t, '}');
        service_json_close(t, '}');
        service_json_add_raw(t, "Keys", r->keys);
    }
    service_json_add_raw(t, e->is_incremental ? "NewImage" : "Item", r->new_image);
    service_json_add_raw(t, "OldImage", r->old_image);
    service_json_close(t, '}');
}

static void add_ion_member(Text *t, const char *name, const char *json) {
    CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
    if (!json)
        return;
    int rc = service_json_parse(json, strlen(json), &j);
    if (rc < 0) {
        t->error = t->error ? t->error : rc;
        return;
    }
    text_addf(t, "%s%s:", t->data[t->len - 1] == '{' ? "" : ",", name);
    service_ion_add_attributes(t, j);
}

static void add_ion(Text *t, const ServiceExport *e, const Record *r) {
    text_add(t, e->is_incremental ? "$ion_1_0 {Record:{" : "$ion_1_0 {");
    add_ion_member(t, "Keys", r->keys);
    if (e->is_incremental)
        text_addf(t, ",Metadata:{WriteTimestampMicros:%lld.}", (long long)r->written_wall);
    add_ion_member(t, "OldImage", r->old_image);
    add_ion_member(t, e->is_incremental ? "NewImage" : "Item", r->new_image);
    text_add(t, e->is_incremental ? "}}" : "}");
}

bool service_record_add(Text *t, const ServiceExport *e, const ServiceItem *item) {
    Record r;
    if (!record_find(e, item, &r))
        return false;
    AUTO_TEXT line = TEXT_INIT(MAX_LINE);
    if (e->is_ion)
        add_ion(&line, e, &r);
    else
        add_json(&line, e, &r);
    if (line.error)
        t->error = line.error;
    text_add_bytes(t, text_get(&line), line.len);
    text_add_char(t, '\n');
    return true;
}
