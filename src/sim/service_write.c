/* What is written to items: keys and limits of AWS, and the table's counts. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/service_item.h"
#include "sim/service_value.h"

#define MAX_ITEM 409600
#define MAX_ITEM_TEXT (4u << 20)
#define MAX_HASH_KEY 2048
#define MAX_RANGE_KEY 1024

void service_write_done(ServiceWrite *w) {
    free(w->key);
    free(w->json);
    *w = (ServiceWrite){};
}

static const char *defined_type(const ServiceTable *t, const char *name) {
    const ServiceJson *list = service_json_get(t->definition, "AttributeDefinitions");
    for (const ServiceJson *a = list ? list->first : NULL; a; a = a->next)
        if (text_equal(service_json_get_string(a, "AttributeName"), name))
            return service_json_get_string(a, "AttributeType");
    return NULL;
}

/* One attribute of the key, whose canonical value is added to `key`. */
static int add_key(ServiceCall *c, const ServiceTable *t, const ServiceJson *attributes, const ServiceJson *element,
                   bool is_key, Text *key) {
    const char *name = service_json_get_string(element, "AttributeName"), *wanted = defined_type(t, name);
    const ServiceJson *value = service_json_get(attributes, name);
    bool is_hash = text_equal(service_json_get_string(element, "KeyType"), "HASH");
    int64_t size = 0;
    AUTO_TEXT why = TEXT_INIT(MAX_ITEM_TEXT);
    if (!value)
        return is_key ? SERVICE_REFUSE_VALUE(c, "The provided key element does not match the schema")
                      : SERVICE_REFUSE_VALUE(
                            c, "One or more parameter values were invalid: Missing the key %s in the item", name);
    const char *type = service_value_type(value);
    if (!text_equal(type, wanted))
        return is_key ? SERVICE_REFUSE_VALUE(c, "The provided key element does not match the schema")
                      : SERVICE_REFUSE_VALUE(c,
                                             "One or more parameter values were invalid: Type mismatch for key %s "
                                             "expected: %s actual: %s",
                                             name, wanted ? wanted : "?", type ? type : "?");
    int rc = service_value_add(key, name, value, &size, &why);
    if (rc == -EINVAL)
        return SERVICE_REFUSE_VALUE(c, "%s", text_get(&why));
    if (size == 0)
        return SERVICE_REFUSE_VALUE(c,
                                    "One or more parameter values are not valid. The AttributeValue for a key "
                                    "attribute cannot contain an empty string value. Key: %s",
                                    name);
    if (size > (is_hash ? MAX_HASH_KEY : MAX_RANGE_KEY))
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Size of %s has exceeded the maximum "
                                       "size limit of %d bytes",
                                    is_hash ? "hashkey" : "rangekey", is_hash ? MAX_HASH_KEY : MAX_RANGE_KEY);
    return rc;
}

static int make_key(ServiceCall *c, const ServiceTable *t, const ServiceJson *attributes, bool is_key,
                    ServiceWrite *w) {
    const ServiceJson *schema = service_json_get(t->definition, "KeySchema");
    AUTO_TEXT key = TEXT_INIT(MAX_ITEM_TEXT);
    if (is_key && attributes->n_items != schema->n_items)
        return SERVICE_REFUSE_VALUE(c, "The provided key element does not match the schema");
    service_json_open(&key, NULL, '{');
    for (const ServiceJson *element = schema->first; element; element = element->next) {
        int rc = add_key(c, t, attributes, element, is_key, &key);
        if (rc < 0)
            return rc;
        if (element == schema->first)
            w->hash = service_items_hash(text_get(&key));
    }
    service_json_close(&key, '}');
    return text_take(&key, &w->key);
}

int service_write_parse(ServiceCall *c, const ServiceTable *t, const ServiceJson *attributes, bool is_key,
                        ServiceWrite *ret) {
    CLEANUP(service_write_done) ServiceWrite w = {};
    AUTO_TEXT json = TEXT_INIT(MAX_ITEM_TEXT);
    AUTO_TEXT why = TEXT_INIT(MAX_ITEM_TEXT);
    int rc = make_key(c, t, attributes, is_key, &w);
    if (rc >= 0 && !is_key) {
        rc = service_value_add_attributes(&json, NULL, attributes, &w.size, &why);
        if (rc == -EINVAL)
            return SERVICE_REFUSE_VALUE(c, "%s", text_get(&why));
        if (rc >= 0 && w.size > MAX_ITEM)
            return SERVICE_REFUSE_VALUE(c, "Item size has exceeded the maximum allowed size");
        if (rc >= 0)
            rc = text_take(&json, &w.json);
    }
    if (rc < 0)
        return rc;
    *ret = w;
    w = (ServiceWrite){};
    return 0;
}

int service_write_apply(ServiceTable *t, ServiceWrite *w, Usec now_wall) {
    const ServiceVersion *before = service_item_before(service_items_find(t->items, w->hash, w->key), USEC_INFINITY);
    int64_t n = (w->json ? 1 : 0) - (before ? 1 : 0), size = (w->json ? w->size : 0) - (before ? before->size : 0);
    int rc = service_items_write(t->items, w->hash, w->key, TAKE_PTR(w->json), w->size, now_wall);
    if (rc < 0)
        return rc;
    t->n_items += n;
    t->size_bytes += size;
    return 0;
}

int service_find_open_table(ServiceCall *c, const char *name, ServiceTable **ret) {
    ServiceTable *t = NULL;
    int rc =
        service_find_table(c, name, "ResourceNotFoundException", "Requested resource not found: Table: ", &t);
    if (rc < 0)
        return rc;
    if (strcmp(service_table_status(t, c->now_wall), "ACTIVE") != 0)
        return service_refuse(c, "ResourceNotFoundException", "Requested resource not found");
    *ret = t;
    return service_make_items(t->items);
}
