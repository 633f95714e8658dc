/* Tables: CreateTable, DeleteTable, DescribeTable, ListTables. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/service_state.h"

#define MAX_TABLES 100000
#define MAX_TEXT (1u << 20)
#define MAX_ITEM 409600
/* How long after DeleteTable the backup family still knows a table. */
#define FORGET_USEC (1600 * USEC_PER_MSEC)

const char service_plain_definition[] =
    "{\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"
    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}";

void service_table_free(ServiceTable *t) {
    if (!t)
        return;
    free(t->region);
    free(t->name);
    service_items_leave(t->items);
    service_json_free(t->definition);
    text_done(&t->tags);
    text_done(&t->old_tags);
    free(t->restored_from);
    free(t->system_backup_id);
    free(t);
}
DEFINE_CLEANUP(ServiceTable, service_table_free)

static int compare(const ServiceTable *t, const char *region, const char *name) {
    int order = strcmp(t->region, region);
    return order ? order : strcmp(t->name, name);
}

/* The first table that does not come before (region, name). */
static size_t lower_bound(const Service *s, const char *region, const char *name) {
    size_t low = 0, high = s->n_tables;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(s->tables[middle], region, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Tables that are gone by now are forgotten when somebody comes across them. */
static bool is_gone(Service *s, size_t i, Usec now_wall) {
    if (now_wall < s->tables[i]->gone_wall)
        return false;
    service_table_free(s->tables[i]);
    memmove(s->tables + i, s->tables + i + 1, (--s->n_tables - i) * sizeof s->tables[0]);
    return true;
}

ServiceTable *service_get_table(Service *s, const char *region, const char *name, Usec now_wall) {
    size_t i = lower_bound(s, region, name);
    if (i == s->n_tables || compare(s->tables[i], region, name) != 0 || is_gone(s, i, now_wall))
        return NULL;
    return s->tables[i];
}

int service_find_table(ServiceCall *c, const char *name_or_arn, const char *code, const char *words,
                       ServiceTable **ret) {
    ServiceArn arn = {};
    const char *name = name_or_arn;
    if (text_starts_with(name, "arn:")) {
        if (service_arn_parse(name, &arn) < 0 || arn.kind[0] || strcmp(arn.service, "dynamodb") != 0)
            return SERVICE_REFUSE_VALUE(c, "1 validation error detected: Invalid resource type in '%s'", name_or_arn);
        if (strcmp(arn.partition, service_region_partition(c->region)) != 0)
            return SERVICE_REFUSE_VALUE(c, "1 validation error detected: Invalid AWS partition in '%s'", name_or_arn);
        if (strcmp(arn.region, c->region) != 0)
            return SERVICE_REFUSE_VALUE(c, "1 validation error detected: Invalid AWS region in '%s'", name_or_arn);
        if (strcmp(arn.account, c->service->settings.account) != 0)
            return service_refuse(c, "AccessDeniedException", "Access is denied");
        name = arn.table;
    }
    *ret = service_get_table(c->service, c->region, name, c->now_wall);
    if (*ret)
        return 0;
    return strcmp(code, "TableNotFoundException") == 0 ? service_refuse(c, code, "%s%s", words, name_or_arn)
                                                       : service_refuse(c, code, "%s%s not found", words, name);
}

int service_find_protected_table(ServiceCall *c, const char *name_or_arn, ServiceTable **ret) {
    ServiceTable *t = NULL;
    int rc = service_find_table(c, name_or_arn, "TableNotFoundException", "Table not found: ", &t);
    if (rc < 0)
        return rc;
    if (c->now_wall < t->active_wall || c->now_wall > usec_add(t->deleted_wall, FORGET_USEC))
        return service_refuse(c, "TableNotFoundException", "Table not found: %s", name_or_arn);
    *ret = t;
    return 0;
}

int service_check_enabled(ServiceCall *c, const ServiceTable *t) {
    if (c->now_wall >= t->active_wall + c->service->settings.enable_usec)
        return 0;
    return service_refuse(c, "ContinuousBackupsUnavailableException",
                          "Backups are being enabled for the table: %s. Please retry later", t->name);
}

const char *service_table_status(const ServiceTable *t, Usec now_wall) {
    return t->deleted_wall != USEC_INFINITY ? "DELETING" : now_wall < t->active_wall ? "CREATING" : "ACTIVE";
}

void service_add_table_arn(Text *out, const ServiceCall *c, const char *name, const char *table) {
    AUTO_TEXT arn = TEXT_INIT(2000);
    service_arn_add(&arn, c->region, c->service->settings.account, table, "", "");
    service_json_add_string(out, name, text_get(&arn));
}

/* ---- descriptions ---- */

static bool is_on_demand(const ServiceJson *definition) {
    return text_equal(service_json_get_string(definition, "BillingMode"), "PAY_PER_REQUEST");
}

static void add_throughput(Text *out, const ServiceJson *from, bool on_demand) {
    int64_t n = 0;
    const ServiceJson *given = service_json_get(from, "ProvisionedThroughput");
    service_json_open(out, "ProvisionedThroughput", '{');
    service_json_add_int(out, "NumberOfDecreasesToday", 0);
    (void)service_json_to_int(service_json_get(given, "ReadCapacityUnits"), &n);
    service_json_add_int(out, "ReadCapacityUnits", on_demand ? 0 : n);
    n = 0;
    (void)service_json_to_int(service_json_get(given, "WriteCapacityUnits"), &n);
    service_json_add_int(out, "WriteCapacityUnits", on_demand ? 0 : n);
    service_json_close(out, '}');
}

static void add_indexes(Text *out, const ServiceCall *c, const ServiceTable *t, const char *name) {
    const ServiceJson *list = service_json_get(t->definition, name);
    bool is_global = strcmp(name, "GlobalSecondaryIndexes") == 0;
    if (!list)
        return;
    service_json_open(out, name, '[');
    for (const ServiceJson *index = list->first; index; index = index->next) {
        AUTO_TEXT arn = TEXT_INIT(2000);
        const char *index_name = service_json_get_string(index, "IndexName");
        service_arn_add(&arn, c->region, c->service->settings.account, t->name, "index", index_name);
        service_json_open(out, NULL, '{');
        service_json_add_string(out, "IndexArn", text_get(&arn));
        service_json_add_string(out, "IndexName", index_name);
        service_json_add_int(out, "IndexSizeBytes", 0);
        if (is_global) {
            service_json_add_string(out, "IndexStatus", c->now_wall < t->active_wall ? "CREATING" : "ACTIVE");
            add_throughput(out, index, is_on_demand(t->definition));
        }
        service_json_add_int(out, "ItemCount", 0);
        service_json_add_value(out, "KeySchema", service_json_get(index, "KeySchema"));
        service_json_add_value(out, "Projection", service_json_get(index, "Projection"));
        service_json_close(out, '}');
    }
    service_json_close(out, ']');
}

static void add_modes(Text *out, const ServiceTable *t) {
    const ServiceJson *d = t->definition;
    const char *class = service_json_get_string(d, "TableClass");
    if (is_on_demand(d)) {
        service_json_open(out, "BillingModeSummary", '{');
        service_json_add_string(out, "BillingMode", "PAY_PER_REQUEST");
        service_json_add_wall_scientific(out, "LastUpdateToPayPerRequestDateTime", t->created_wall);
        service_json_close(out, '}');
    }
    if (class) {
        service_json_open(out, "TableClassSummary", '{');
        service_json_add_string(out, "TableClass", class);
        service_json_close(out, '}');
    }
    const ServiceJson *enabled = service_json_get(service_json_get(d, "SSESpecification"), "Enabled");
    if (enabled && enabled->type == SERVICE_JSON_TRUE) {
        service_json_open(out, "SSEDescription", '{');
        service_json_add_string(out, "SSEType", "KMS");
        service_json_add_string(out, "Status", "ENABLED");
        service_json_close(out, '}');
    }
    service_json_add_value(out, "OnDemandThroughput", service_json_get(d, "OnDemandThroughput"));
    service_json_add_value(out, "StreamSpecification", service_json_get(d, "StreamSpecification"));
}

static bool is_protected(const ServiceTable *t) {
    const ServiceJson *on = service_json_get(t->definition, "DeletionProtectionEnabled");
    return on && on->type == SERVICE_JSON_TRUE;
}

/* Only while it is under way. */
static void add_restore(Text *out, const ServiceCall *c, const ServiceTable *t) {
    ServiceArn arn;
    if (!t->restored_from || (c->now_wall > t->created_wall && c->now_wall >= t->active_wall) ||
        service_arn_parse(t->restored_from, &arn) < 0)
        return;
    service_json_open(out, "RestoreSummary", '{');
    service_json_add_wall_scientific(out, "RestoreDateTime", t->created_wall);
    service_json_add_bool(out, "RestoreInProgress", true);
    service_json_add_string(out, "SourceBackupArn", t->restored_from);
    service_add_table_arn(out, c, "SourceTableArn", arn.table);
    service_json_close(out, '}');
}

static int describe(ServiceCall *c, const ServiceTable *t, const char *name, const char *status) {
    Text *out = c->out;
    service_json_open(out, NULL, '{');
    service_json_open(out, name, '{');
    service_json_add_value(out, "AttributeDefinitions", service_json_get(t->definition, "AttributeDefinitions"));
    service_json_add_wall_scientific(out, "CreationDateTime", t->created_wall);
    service_json_add_bool(out, "DeletionProtectionEnabled", is_protected(t));
    add_indexes(out, c, t, "GlobalSecondaryIndexes");
    service_json_add_int(out, "ItemCount", t->n_items);
    service_json_add_value(out, "KeySchema", service_json_get(t->definition, "KeySchema"));
    add_indexes(out, c, t, "LocalSecondaryIndexes");
    add_modes(out, t);
    add_throughput(out, t->definition, is_on_demand(t->definition));
    add_restore(out, c, t);
    service_add_table_arn(out, c, "TableArn", t->name);
    service_json_add_string(out, "TableId", t->id);
    service_json_add_string(out, "TableName", t->name);
    service_json_add_int(out, "TableSizeBytes", t->size_bytes);
    service_json_add_string(out, "TableStatus", status);
    service_json_close(out, '}');
    service_json_close(out, '}');
    return 0;
}

/* ---- operations ---- */

int service_insert_table(Service *s, const char *region, const char *name, ServiceTable **ret) {
    CLEANUP(service_table_free_ptr) ServiceTable *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    service_make_uuid(s, t->id);
    t->deleted_wall = t->gone_wall = t->pitr_wall = USEC_INFINITY;
    t->pitr_days = 35;
    t->tags = t->old_tags = TEXT_INIT(MAX_TEXT);
    t->items = service_items_new();
    int rc = t->items ? text_set(&t->region, region) : -ENOMEM;
    if (rc >= 0)
        rc = text_set(&t->name, name);
    if (rc >= 0)
        rc = ARRAY_GROW(s->tables, s->n_tables, s->n_tables_room);
    if (rc < 0)
        return rc;
    size_t i = lower_bound(s, region, name);
    memmove(s->tables + i + 1, s->tables + i, (s->n_tables++ - i) * sizeof s->tables[0]);
    *ret = s->tables[i] = TAKE_PTR(t);
    return 0;
}

static void add_seed_tag(ServiceTable *t, const char *tag) {
    const char *value = tag ? strchr(tag, '=') : NULL;
    if (!value)
        return;
    AUTO_FREE char *key = strndup(tag, (size_t)(value - tag));
    service_json_open(&t->tags, NULL, '[');
    service_json_open(&t->tags, NULL, '{');
    service_json_add_string(&t->tags, "Key", key ? key : "");
    service_json_add_string(&t->tags, "Value", value + 1);
    service_json_close(&t->tags, '}');
    service_json_close(&t->tags, ']');
}

int service_plant_seeds(Service *s, const char *region, Usec now_wall) {
    for (size_t i = 0; i < s->n_seeds; i++) {
        const ServiceSeed *seed = &s->seeds[i];
        ServiceTable *t;
        int rc = service_insert_table(s, region, seed->name, &t);
        if (rc < 0)
            return rc;
        t->created_wall = t->active_wall = usec_max(0, now_wall - USEC_PER_DAY);
        t->pitr_wall = seed->pitr ? t->created_wall : USEC_INFINITY;
        t->n_items = t->items->n_promised = seed->n_items;
        t->size_bytes = seed->size_bytes;
        t->items->promised_size = seed->n_items > 0 ? usec_min(seed->size_bytes / seed->n_items, MAX_ITEM) : 0;
        t->items->promised_wall = t->created_wall;
        add_seed_tag(t, seed->tag);
        rc = service_json_parse(service_plain_definition, strlen(service_plain_definition), &t->definition);
        if (rc < 0)
            return rc;
    }
    return 0;
}

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
    if (given && is_on_demand(c->input))
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
                                       "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
    if (!given && !is_on_demand(c->input))
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

int service_describe_new_table(ServiceCall *c, const ServiceTable *t) {
    return describe(c, t, "TableDescription", "CREATING");
}

static int refuse_in_use(ServiceCall *c, const char *why, const ServiceTable *t) {
    return service_refuse(c, "ResourceInUseException",
                          "Attempt to change a resource which is still in use: %s: %s", why, t->name);
}

int service_delete_table(ServiceCall *c) {
    ServiceTable *t;
    int rc = service_find_table(c, service_json_get_string(c->input, "TableName"), "ResourceNotFoundException",
                                "Requested resource not found: Table: ", &t);
    if (rc < 0)
        return rc;
    if (t->deleted_wall == USEC_INFINITY) {
        if (c->now_wall < t->active_wall)
            return refuse_in_use(c, "Table is being created", t);
        if (c->now_wall < t->tags_wall)
            return refuse_in_use(c, "Table tags are being updated", t);
        if (is_protected(t))
            return SERVICE_REFUSE_VALUE(c, "Resource cannot be deleted as it is currently protected against deletion. "
                                           "Disable deletion protection first.");
        if (t->pitr_wall != USEC_INFINITY && (rc = service_add_system_backup(c, t)) < 0)
            return rc;
        t->deleted_wall = c->now_wall;
        t->gone_wall = usec_add(c->now_wall, c->service->settings.table_usec);
        c->effect = true;
    }
    return describe(c, t, "TableDescription", service_table_status(t, c->now_wall));
}

int service_describe_table(ServiceCall *c) {
    ServiceTable *t;
    int rc = service_find_table(c, service_json_get_string(c->input, "TableName"), "ResourceNotFoundException",
                                "Requested resource not found: Table: ", &t);
    return rc < 0 ? rc : describe(c, t, "Table", service_table_status(t, c->now_wall));
}

int service_list_tables(ServiceCall *c) {
    Service *s = c->service;
    const char *start = service_json_get_string(c->input, "ExclusiveStartTableName"), *last = NULL;
    int64_t limit = 100, n = 0;
    (void)service_json_to_int(service_json_get(c->input, "Limit"), &limit);
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "TableNames", '[');
    size_t i = lower_bound(s, c->region, start ? start : "");
    while (i < s->n_tables && strcmp(s->tables[i]->region, c->region) == 0) {
        if (is_gone(s, i, c->now_wall))
            continue;
        if (!start || strcmp(s->tables[i]->name, start) != 0) {
            if (n == limit)
                break;
            last = s->tables[i]->name;
            service_json_add_string(c->out, NULL, last);
            n++;
        }
        i++;
    }
    service_json_close(c->out, ']');
    if (n == limit && i < s->n_tables && strcmp(s->tables[i]->region, c->region) == 0)
        service_json_add_string(c->out, "LastEvaluatedTableName", last);
    service_json_close(c->out, '}');
    return 0;
}
