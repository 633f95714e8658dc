/* What is told of a table: DescribeTable, and the replies of those who make and delete one. */

#include <string.h>

#include "sim/service_state.h"

bool service_is_protected(const ServiceTable *t) {
    const ServiceJson *on = service_json_get(t->definition, "DeletionProtectionEnabled");
    return on && on->type == SERVICE_JSON_TRUE;
}

bool service_is_on_demand(const ServiceJson *definition) {
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
            add_throughput(out, index, service_is_on_demand(t->definition));
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
    if (service_is_on_demand(d)) {
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

int service_tell_table(ServiceCall *c, const ServiceTable *t, const char *name, const char *status) {
    Text *out = c->out;
    service_json_open(out, NULL, '{');
    service_json_open(out, name, '{');
    service_json_add_value(out, "AttributeDefinitions", service_json_get(t->definition, "AttributeDefinitions"));
    service_json_add_wall_scientific(out, "CreationDateTime", t->created_wall);
    service_json_add_bool(out, "DeletionProtectionEnabled", service_is_protected(t));
    add_indexes(out, c, t, "GlobalSecondaryIndexes");
    service_json_add_int(out, "ItemCount", t->n_items);
    service_json_add_value(out, "KeySchema", service_json_get(t->definition, "KeySchema"));
    add_indexes(out, c, t, "LocalSecondaryIndexes");
    add_modes(out, t);
    add_throughput(out, t->definition, service_is_on_demand(t->definition));
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

int service_describe_new_table(ServiceCall *c, const ServiceTable *t) {
    return service_tell_table(c, t, "TableDescription", "CREATING");
}

int service_describe_table(ServiceCall *c) {
    ServiceTable *t;
    int rc = service_find_table(c, service_json_get_string(c->input, "TableName"), "ResourceNotFoundException",
                                "Requested resource not found: Table: ", &t);
    return rc < 0 ? rc : service_tell_table(c, t, "Table", service_table_status(t, c->now_wall));
}
