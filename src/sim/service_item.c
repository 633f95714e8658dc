/* Items: PutItem, GetItem, DeleteItem, BatchWriteItem, Scan. Without expressions. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/service_item.h"

#define MAX_BATCH 25
#define MAX_PAGE (1 << 20)

/* What would change the meaning of a request if it were passed over. */
static int refuse_expressions(ServiceCall *c) {
    static const char *const names[] = {
        "AttributesToGet", "ConditionExpression",       "ConditionalOperator",      "Expected",
        "ExclusiveStart",  "ExpressionAttributeNames",  "ExpressionAttributeValues", "FilterExpression",
        "IndexName",       "ProjectionExpression",      "ScanFilter",                "UpdateExpression"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (service_json_get(c->input, names[i]))
            return SERVICE_REFUSE_VALUE(c, "The emulator does not know %s", names[i]);
    return 0;
}

/* The table, and what Item or Key says. */
static int begin(ServiceCall *c, const char *member, ServiceTable **ret_table, ServiceWrite *ret) {
    int rc = refuse_expressions(c);
    if (rc >= 0)
        rc = service_find_open_table(c, service_json_get_string(c->input, "TableName"), ret_table);
    if (rc < 0)
        return rc;
    return service_write_parse(c, *ret_table, service_json_get(c->input, member), strcmp(member, "Key") == 0, ret);
}

static const ServiceVersion *current(const ServiceTable *t, const ServiceWrite *w) {
    return service_item_before(service_items_find(t->items, w->hash, w->key), USEC_INFINITY);
}

static int write_one(ServiceCall *c, const char *member) {
    CLEANUP(service_write_done) ServiceWrite w = {};
    const char *returned = service_json_get_string(c->input, "ReturnValues");
    ServiceTable *t = NULL;
    if (returned && strcmp(returned, "NONE") != 0 && strcmp(returned, "ALL_OLD") != 0)
        return SERVICE_REFUSE_VALUE(c, "Return values set to invalid value");
    int rc = begin(c, member, &t, &w);
    if (rc < 0)
        return rc;
    const ServiceVersion *before = current(t, &w);
    service_json_open(c->out, NULL, '{');
    if (before && text_equal(returned, "ALL_OLD"))
        service_json_add_raw(c->out, "Attributes", before->json);
    service_json_close(c->out, '}');
    c->effect = true;
    return service_write_apply(t, &w, c->now_wall);
}

int service_put_item(ServiceCall *c) { return write_one(c, "Item"); }

int service_delete_item(ServiceCall *c) { return write_one(c, "Key"); }

int service_get_item(ServiceCall *c) {
    CLEANUP(service_write_done) ServiceWrite w = {};
    ServiceTable *t = NULL;
    int rc = begin(c, "Key", &t, &w);
    if (rc < 0)
        return rc;
    const ServiceVersion *found = current(t, &w);
    service_json_open(c->out, NULL, '{');
    service_json_add_raw(c->out, "Item", found ? found->json : NULL);
    service_json_close(c->out, '}');
    return 0;
}

/* ---- BatchWriteItem ---- */

typedef struct Batch {
    ServiceTable *tables[MAX_BATCH];
    ServiceWrite writes[MAX_BATCH];
    size_t n;
} Batch;

static void batch_done(Batch *b) {
    for (size_t i = 0; i < b->n; i++)
        service_write_done(&b->writes[i]);
}

static int batch_add(ServiceCall *c, Batch *b, ServiceTable *t, const ServiceJson *request) {
    const ServiceJson *item = service_json_get(service_json_get(request, "PutRequest"), "Item");
    const ServiceJson *key = service_json_get(service_json_get(request, "DeleteRequest"), "Key");
    if (!item == !key)
        return SERVICE_REFUSE_VALUE(c, "Supplied AttributeValue has more than one datatypes set, or none: exactly one "
                                       "of PutRequest and DeleteRequest is wanted");
    if (b->n == MAX_BATCH)
        return SERVICE_REFUSE_VALUE(c, "Too many items requested for the BatchWriteItem call");
    int rc = service_write_parse(c, t, item ? item : key, !item, &b->writes[b->n]);
    if (rc < 0)
        return rc;
    b->tables[b->n++] = t;
    for (size_t i = 0; i + 1 < b->n; i++)
        if (b->tables[i] == t && strcmp(b->writes[i].key, b->writes[b->n - 1].key) == 0)
            return SERVICE_REFUSE_VALUE(c, "Provided list of item keys contains duplicates");
    return 0;
}

static int batch_parse(ServiceCall *c, Batch *b) {
    const ServiceJson *tables = service_json_get(c->input, "RequestItems");
    for (const ServiceJson *requests = tables->first; requests; requests = requests->next) {
        ServiceTable *t = NULL;
        int rc = service_find_open_table(c, requests->name, &t);
        if (rc >= 0 && requests->type != SERVICE_JSON_LIST)
            rc = service_refuse(c, "SerializationException", "Unexpected field type");
        for (const ServiceJson *r = requests->first; r && rc >= 0; r = r->next)
            rc = batch_add(c, b, t, r);
        if (rc < 0)
            return rc;
    }
    if (b->n == 0)
        return SERVICE_REFUSE_VALUE(c, "The batch write request list for a table cannot be null or empty");
    return 0;
}

int service_batch_write(ServiceCall *c) {
    CLEANUP(batch_done) Batch b = {};
    int rc = batch_parse(c, &b);
    for (size_t i = 0; i < b.n && rc >= 0; i++)
        rc = service_write_apply(b.tables[i], &b.writes[i], c->now_wall);
    if (rc < 0)
        return rc;
    c->effect = true;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "UnprocessedItems", '{');
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
    return 0;
}

/* ---- Scan ---- */

typedef struct Page {
    const ServiceTable *table;
    size_t next; /* index of the item to begin with */
    int64_t limit, segment, n_segments;
    bool counts_only;
} Page;

static int page_parse(ServiceCall *c, ServiceTable *t, Page *p) {
    const ServiceJson *start = service_json_get(c->input, "ExclusiveStartKey");
    CLEANUP(service_write_done) ServiceWrite w = {};
    *p = (Page){.table = t,
                .limit = INT64_MAX,
                .n_segments = 1,
                .counts_only = text_equal(service_json_get_string(c->input, "Select"), "COUNT")};
    (void)service_json_to_int(service_json_get(c->input, "Limit"), &p->limit);
    (void)service_json_to_int(service_json_get(c->input, "Segment"), &p->segment);
    (void)service_json_to_int(service_json_get(c->input, "TotalSegments"), &p->n_segments);
    if (p->segment >= p->n_segments)
        return SERVICE_REFUSE_VALUE(
            c, "The Segment parameter is zero-based and must be less than parameter TotalSegments");
    if (!start)
        return 0;
    int rc = service_write_parse(c, t, start, true, &w);
    if (rc < 0)
        return rc;
    p->next = service_items_lower_bound(t->items, w.hash, w.key);
    if (p->next < t->items->n_items && strcmp(t->items->items[p->next]->key, w.key) == 0)
        p->next++;
    return 0;
}

static bool page_takes(const Page *p, const ServiceItem *item) {
    return (int64_t)(item->hash % (uint64_t)p->n_segments) == p->segment && service_item_before(item, USEC_INFINITY);
}

int service_scan(ServiceCall *c) {
    const ServiceItem *last = NULL;
    ServiceTable *t = NULL;
    int64_t n = 0, bytes = 0;
    Page p;
    int rc = refuse_expressions(c);
    if (rc >= 0)
        rc = service_find_open_table(c, service_json_get_string(c->input, "TableName"), &t);
    if (rc >= 0)
        rc = page_parse(c, t, &p);
    if (rc < 0)
        return rc;
    service_json_open(c->out, NULL, '{');
    if (!p.counts_only)
        service_json_open(c->out, "Items", '[');
    size_t i = p.next;
    for (; i < t->items->n_items && n < p.limit && bytes < MAX_PAGE; i++) {
        if (!page_takes(&p, t->items->items[i]))
            continue;
        last = t->items->items[i];
        const ServiceVersion *v = service_item_before(last, USEC_INFINITY);
        if (!p.counts_only)
            service_json_add_raw(c->out, NULL, v->json);
        bytes += v->size;
        n++;
    }
    if (!p.counts_only)
        service_json_close(c->out, ']');
    service_json_add_int(c->out, "Count", n);
    if (i < t->items->n_items && last)
        service_json_add_raw(c->out, "LastEvaluatedKey", last->key);
    service_json_add_int(c->out, "ScannedCount", n);
    service_json_close(c->out, '}');
    return 0;
}
