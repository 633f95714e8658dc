/* RestoreTableFromBackup: a new table with a backup's items; meanwhile the backup is in use. */

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "sim/service_item.h"

#define MAX_TEXT (1u << 24)
#define MAX_RESTORES 50

static int check_target(ServiceCall *c, const char *name, const char *arn) {
    const ServiceTable *t = service_get_table(c->service, c->region, name, c->now_wall);
    if (!t)
        return 0;
    if (c->now_wall < t->active_wall && text_equal(t->restored_from, arn))
        return service_refuse(c, "TableInUseException", "Table: %s is already being restored from backup: %s", name,
                              arn);
    return service_refuse(c, "TableAlreadyExistsException", "Table already exists: %s", name);
}

static int check_room(ServiceCall *c) {
    int n = 0;
    for (size_t i = 0; i < c->service->n_tables; i++) {
        const ServiceTable *t = c->service->tables[i];
        n += t->restored_from && c->now_wall < t->active_wall && strcmp(t->region, c->region) == 0;
    }
    return n < MAX_RESTORES ? 0
                            : service_refuse(c, "LimitExceededException",
                                             "Subscriber limit exceeded: Only %d restore operations can be done "
                                             "simultaneously",
                                             MAX_RESTORES);
}

/* An index override of [] drops the indexes; other overrides of indexes are not looked at. */
static void add_indexes(Text *t, const ServiceCall *c, const ServiceJson *from, const char *name,
                        const char *override) {
    const ServiceJson *given = service_json_get(c->input, override);
    if (!given || given->n_items > 0)
        service_json_add_value(t, name, service_json_get(from, name));
}

/* What a restored table has of the one that was backed up: no tags, streams, class or protection. */
static int make_definition(const ServiceCall *c, const ServiceBackup *b, ServiceJson **ret) {
    static const char *const names[] = {"AttributeDefinitions", "KeySchema", "OnDemandThroughput", "SSESpecification"};
    CLEANUP(service_json_free_ptr) ServiceJson *from = NULL;
    AUTO_TEXT t = TEXT_INIT(MAX_TEXT);
    const char *definition = b->definition ? b->definition : service_plain_definition;
    int rc = service_json_parse(definition, strlen(definition), &from);
    if (rc < 0)
        return rc;
    const char *mode = service_json_get_string(c->input, "BillingModeOverride");
    const ServiceJson *throughput = service_json_get(c->input, "ProvisionedThroughputOverride");
    service_json_open(&t, NULL, '{');
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        service_json_add_value(&t, names[i], service_json_get(from, names[i]));
    add_indexes(&t, c, from, "GlobalSecondaryIndexes", "GlobalSecondaryIndexOverride");
    add_indexes(&t, c, from, "LocalSecondaryIndexes", "LocalSecondaryIndexOverride");
    service_json_add_string(&t, "BillingMode", mode ? mode : service_json_get_string(from, "BillingMode"));
    if (!text_equal(mode, "PAY_PER_REQUEST"))
        service_json_add_value(&t, "ProvisionedThroughput",
                               throughput ? throughput : service_json_get(from, "ProvisionedThroughput"));
    service_json_close(&t, '}');
    return t.error ? t.error : service_json_parse(text_get(&t), t.len, ret);
}

static int copy_items(const ServiceBackup *b, ServiceTable *t, Usec now_wall) {
    int rc = b->items ? service_make_items(b->items) : 0;
    for (size_t i = 0; b->items && i < b->items->n_items && rc >= 0; i++) {
        const ServiceItem *item = b->items->items[i];
        const ServiceVersion *v = service_item_before(item, b->until_wall);
        char *json = v ? strdup(v->json) : NULL;
        if (!v)
            continue;
        if (!json)
            return -ENOMEM;
        rc = service_items_write(t->items, item->hash, item->key, json, v->size, now_wall);
    }
    return rc;
}

int service_restore_table(ServiceCall *c) {
    const char *name = service_json_get_string(c->input, "TargetTableName");
    const char *arn = service_json_get_string(c->input, "BackupArn");
    CLEANUP(service_json_free_ptr) ServiceJson *definition = NULL;
    ServiceBackup *b = NULL;
    ServiceTable *t = NULL;
    int rc = service_find_backup(c, &b);
    if (rc >= 0)
        rc = check_target(c, name, arn);
    if (rc >= 0)
        rc = service_check_backup_idle(c, b);
    if (rc >= 0)
        rc = check_room(c);
    if (rc >= 0)
        rc = make_definition(c, b, &definition);
    if (rc >= 0)
        rc = service_insert_table(c->service, c->region, name, &t);
    if (rc < 0)
        return rc;
    t->definition = TAKE_PTR(definition);
    t->created_wall = c->now_wall;
    t->active_wall = b->used_wall = usec_add(c->now_wall, c->service->settings.restore_usec);
    t->n_items = b->n_items;
    t->size_bytes = b->size_bytes;
    rc = text_set(&t->restored_from, arn);
    if (rc >= 0)
        rc = copy_items(b, t, c->now_wall);
    if (rc < 0)
        return rc;
    c->effect = true;
    return service_describe_new_table(c, t);
}
