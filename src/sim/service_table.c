/* The tables that exist: DeleteTable, ListTables; what seeds plant. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/service_state.h"

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
        if (service_is_protected(t))
            return SERVICE_REFUSE_VALUE(c, "Resource cannot be deleted as it is currently protected against deletion. "
                                           "Disable deletion protection first.");
        if (t->pitr_wall != USEC_INFINITY && (rc = service_add_system_backup(c, t)) < 0)
            return rc;
        t->deleted_wall = c->now_wall;
        t->gone_wall = usec_add(c->now_wall, c->service->settings.table_usec);
        c->effect = true;
    }
    return service_tell_table(c, t, "TableDescription", service_table_status(t, c->now_wall));
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
