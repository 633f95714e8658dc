/* CreateTable. */

#include <stdlib.h>

#include "sim/service_state.h"

#define MAX_TABLES 100000
#define MAX_TEXT (1u << 20)

static const ServiceJson *find_attribute(const ServiceJson *definitions, const char *name) {
    for (const ServiceJson *a = definitions->first; a; a = a->next)
        if (text_equal(service_json_get_string(a, "AttributeName"), name))
            return a;
    return NULL;
}

static void add_names(Text *t, const ServiceJson *list) {
    for (const ServiceJson *a = list->first; a; a = a->next)
        text_addf(t, "%s%s", a == list->first ? "" : ", ", service_json_get_string(a, "AttributeName"));
}

static int check_keys(ServiceCall *c, const ServiceJson *keys) {
    const ServiceJson *definitions = service_json_get(c->input, "AttributeDefinitions");
    const ServiceJson *second = keys->first->next;
    if (!text_equal(service_json_get_string(keys->first, "KeyType"), "HASH"))
        return SERVICE_REFUSE_VALUE(c, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    if (second && text_equal(service_json_get_string(keys->first, "AttributeName"),
                             service_json_get_string(second, "AttributeName")))
        return SERVICE_REFUSE_VALUE(
            c, "Both the Hash Key and the Range Key element in the KeySchema have the same name");
    if (second && !text_equal(service_json_get_string(second, "KeyType"), "RANGE"))
        return SERVICE_REFUSE_VALUE(c, "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
    for (const ServiceJson *k = keys->first; k; k = k->next) {
        if (find_attribute(definitions, service_json_get_string(k, "AttributeName")))
            continue;
        AUTO_TEXT wanted = TEXT_INIT(MAX_TEXT);
        AUTO_TEXT have = TEXT_INIT(MAX_TEXT);
        add_names(&wanted, keys);
        add_names(&have, definitions);
        return SERVICE_REFUSE_VALUE(c,
                                    "One or more parameter values were invalid: Some index key attributes are not "
                                    "defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
                                    text_get(&wanted), text_get(&have));
    }
    return 0;
}

static int check_indexes(ServiceCall *c, const char *name) {
    const ServiceJson *list = service_json_get(c->input, name);
    if (list && list->n_items == 0)
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: List of %s is empty", name);
    for (const ServiceJson *index = list ? list->first : NULL; index; index = index->next) {
        int rc = check_keys(c, service_json_get(index, "KeySchema"));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_definition(ServiceCall *c) {
    const ServiceJson *keys = service_json_get(c->input, "KeySchema");
    bool given = service_json_get(c->input, "ProvisionedThroughput") != NULL;
    if (text_starts_with(service_json_get_string(c->input, "TableName"), "arn:"))
        return SERVICE_REFUSE_VALUE(c, "1 validation error detected: Value '%s' at 'tableName' failed to satisfy "
                                       "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
                                    service_json_get_string(c->input, "TableName"));
    if (given && service_is_on_demand(c->input))
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
                                       "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
    if (!given && !service_is_on_demand(c->input))
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: ReadCapacityUnits and "
                                       "WriteCapacityUnits must both be specified when BillingMode is PROVISIONED");
    int rc = check_keys(c, keys);
    if (rc >= 0)
        rc = check_indexes(c, "GlobalSecondaryIndexes");
    if (rc >= 0)
        rc = check_indexes(c, "LocalSecondaryIndexes");
    if (rc < 0)
        return rc;
    bool plain = !service_json_get(c->input, "GlobalSecondaryIndexes") &&
                 !service_json_get(c->input, "LocalSecondaryIndexes");
    if (plain && service_json_get(c->input, "AttributeDefinitions")->n_items != keys->n_items)
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Number of attributes in KeySchema "
                                       "does not exactly match number of attributes defined in AttributeDefinitions");
    return 0;
}

/* The definition outlives the request. */
static int copy_definition(const ServiceJson *input, ServiceJson **ret) {
    AUTO_TEXT t = TEXT_INIT(16 * MAX_TEXT);
    service_json_add_value(&t, NULL, input);
    return t.error ? t.error : service_json_parse(text_get(&t), t.len, ret);
}

int service_create_table(ServiceCall *c) {
    Service *s = c->service;
    const char *name = service_json_get_string(c->input, "TableName");
    const ServiceJson *tags = service_json_get(c->input, "Tags");
    CLEANUP(service_json_free_ptr) ServiceJson *definition = NULL;
    AUTO_TEXT tag_text = TEXT_INIT(MAX_TEXT);
    ServiceTable *t;
    int rc = check_definition(c);
    if (rc >= 0 && tags)
        rc = service_tags_from_json(c, tags, &tag_text);
    if (rc < 0)
        return rc;
    if (service_get_table(s, c->region, name, c->now_wall))
        return service_refuse(c, "ResourceInUseException", "Table already exists: %s", name);
    if (s->n_tables >= MAX_TABLES)
        return service_refuse(c, "LimitExceededException", "Subscriber limit exceeded: Too many tables");
    rc = copy_definition(c->input, &definition);
    if (rc >= 0)
        rc = service_insert_table(s, c->region, name, &t);
    if (rc < 0)
        return rc;
    t->definition = TAKE_PTR(definition);
    t->created_wall = c->now_wall;
    t->active_wall = t->tags_wall = usec_add(c->now_wall, s->settings.table_usec);
    text_add(&t->tags, text_get(&tag_text));
    c->effect = true;
    return service_describe_new_table(c, t);
}
