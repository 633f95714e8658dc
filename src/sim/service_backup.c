/* On-demand backups: CreateBackup, DescribeBackup, ListBackups, DeleteBackup. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "sim/service_state.h"

#define PAGE 100
/* When a deleted table's own backup appears, and when it goes. */
#define SYSTEM_VISIBLE_USEC (9 * USEC_PER_SEC)
#define SYSTEM_EXPIRY_USEC (35 * USEC_PER_DAY)

void service_backup_free(ServiceBackup *b) {
    if (!b)
        return;
    free(b->region);
    free(b->table);
    free(b->name);
    free(b->source);
    free(b->features);
    free(b->definition);
    service_items_leave(b->items);
    free(b);
}

const char *service_backup_status(const ServiceBackup *b, Usec now_wall) {
    return now_wall < b->available_wall ? "CREATING" : "AVAILABLE";
}

static int compare(const ServiceBackup *b, const char *id, const char *table) {
    int order = strcmp(b->id, id);
    return order ? order : strcmp(b->table, table);
}

/* The first backup that does not come before (id, table). */
static size_t lower_bound(const Service *s, const char *id, const char *table) {
    size_t low = 0, high = s->n_backups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(s->backups[middle], id, table) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop(Service *s, size_t i) {
    service_backup_free(s->backups[i]);
    memmove(s->backups + i, s->backups + i + 1, (--s->n_backups - i) * sizeof s->backups[0]);
}

/* ---- what a backup keeps of its table ---- */

static int make_source(const ServiceCall *c, const ServiceTable *t, char **ret) {
    AUTO_TEXT s = TEXT_INIT(1u << 20);
    const ServiceJson *given = service_json_get(t->definition, "ProvisionedThroughput");
    const char *mode = service_json_get_string(t->definition, "BillingMode");
    int64_t reads = 0, writes = 0;
    (void)service_json_to_int(service_json_get(given, "ReadCapacityUnits"), &reads);
    (void)service_json_to_int(service_json_get(given, "WriteCapacityUnits"), &writes);
    service_json_open(&s, NULL, '{');
    service_json_add_string(&s, "BillingMode", mode ? mode : "PROVISIONED");
    service_json_add_int(&s, "ItemCount", t->n_items);
    service_json_add_value(&s, "KeySchema", service_json_get(t->definition, "KeySchema"));
    service_json_add_value(&s, "OnDemandThroughput", service_json_get(t->definition, "OnDemandThroughput"));
    service_json_open(&s, "ProvisionedThroughput", '{');
    service_json_add_int(&s, "ReadCapacityUnits", reads);
    service_json_add_int(&s, "WriteCapacityUnits", writes);
    service_json_close(&s, '}');
    service_add_table_arn(&s, c, "TableArn", t->name);
    service_json_add_wall_scientific(&s, "TableCreationDateTime", t->created_wall);
    service_json_add_string(&s, "TableId", t->id);
    service_json_add_string(&s, "TableName", t->name);
    service_json_add_int(&s, "TableSizeBytes", t->size_bytes);
    service_json_close(&s, '}');
    return text_take(&s, ret);
}

static void add_indexes(Text *s, const ServiceTable *t, const char *name) {
    const ServiceJson *list = service_json_get(t->definition, name);
    if (!list)
        return;
    service_json_open(s, name, '[');
    for (const ServiceJson *index = list->first; index; index = index->next) {
        service_json_open(s, NULL, '{');
        service_json_add_value(s, "IndexName", service_json_get(index, "IndexName"));
        service_json_add_value(s, "KeySchema", service_json_get(index, "KeySchema"));
        service_json_add_value(s, "Projection", service_json_get(index, "Projection"));
        service_json_add_value(s, "ProvisionedThroughput", service_json_get(index, "ProvisionedThroughput"));
        service_json_close(s, '}');
    }
    service_json_close(s, ']');
}

static int make_features(const ServiceTable *t, char **ret) {
    AUTO_TEXT s = TEXT_INIT(1u << 20);
    service_json_open(&s, NULL, '{');
    add_indexes(&s, t, "GlobalSecondaryIndexes");
    add_indexes(&s, t, "LocalSecondaryIndexes");
    service_json_add_value(&s, "StreamDescription", service_json_get(t->definition, "StreamSpecification"));
    service_json_close(&s, '}');
    return text_take(&s, ret);
}

/* What was written until now is in it, and nothing that comes later. */
static int keep_content(const ServiceCall *c, ServiceBackup *b, ServiceTable *t) {
    AUTO_TEXT definition = TEXT_INIT(1u << 24);
    b->n_items = t->n_items;
    b->size_bytes = t->size_bytes;
    b->until_wall = c->now_wall + 1;
    b->items = service_items_share(t->items);
    b->items->frozen_wall = usec_max(b->items->frozen_wall, b->until_wall);
    service_json_add_value(&definition, NULL, t->definition);
    return text_take(&definition, &b->definition);
}

static int insert(ServiceCall *c, ServiceTable *t, const char *name, bool is_system, ServiceBackup **ret) {
    Service *s = c->service;
    CLEANUP(service_backup_free_ptr) ServiceBackup *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->created_wall = c->now_wall - c->now_wall % USEC_PER_MSEC;
    service_make_id(s, b->created_wall, b->id);
    if (is_system)
        memcpy(strchr(b->id, '-') + 1, "00000000", 8);
    b->region = strdup(c->region);
    b->table = strdup(t->name);
    b->name = strdup(name);
    b->is_system = is_system;
    b->available_wall = is_system ? b->created_wall : usec_add(c->now_wall, s->settings.backup_usec);
    b->visible_wall = is_system ? c->now_wall + SYSTEM_VISIBLE_USEC : usec_add(c->now_wall, c->fault.lag_usec);
    b->expiry_wall = is_system ? b->created_wall + SYSTEM_EXPIRY_USEC : USEC_INFINITY;
    memcpy(b->table_id, t->id, sizeof b->table_id);
    int rc = b->region && b->table && b->name ? make_source(c, t, &b->source) : -ENOMEM;
    if (rc >= 0)
        rc = is_system ? text_set(&b->features, "{}") : make_features(t, &b->features);
    if (rc >= 0)
        rc = keep_content(c, b, t);
    if (rc >= 0)
        rc = ARRAY_GROW(s->backups, s->n_backups, s->n_backups_room);
    if (rc < 0)
        return rc;
    size_t i = lower_bound(s, b->id, b->table);
    memmove(s->backups + i + 1, s->backups + i, (s->n_backups++ - i) * sizeof s->backups[0]);
    *ret = s->backups[i] = TAKE_PTR(b);
    return 0;
}

int service_add_system_backup(ServiceCall *c, ServiceTable *t) {
    AUTO_FREE char *name = text_format("%s$DeletedTableBackup", t->name);
    ServiceBackup *b;
    int rc = name ? insert(c, t, name, true, &b) : -ENOMEM;
    return rc < 0 ? rc : text_set(&t->system_backup_id, b->id);
}

void service_remove_system_backup(Service *s, ServiceTable *t) {
    if (!t->system_backup_id)
        return;
    for (size_t i = lower_bound(s, t->system_backup_id, t->name); i < s->n_backups; i++)
        if (compare(s->backups[i], t->system_backup_id, t->name) != 0)
            break;
        else if (strcmp(s->backups[i]->region, t->region) == 0) {
            drop(s, i);
            break;
        }
    free(TAKE_PTR(t->system_backup_id));
}

/* ---- descriptions ---- */

static void add_arn(const ServiceCall *c, const char *name, const char *table, const char *id) {
    AUTO_TEXT arn = TEXT_INIT(2000);
    service_arn_add(&arn, c->region, c->service->settings.account, table, "backup", id);
    service_json_add_string(c->out, name, text_get(&arn));
}

static void add_details(const ServiceCall *c, const ServiceBackup *b, const char *status) {
    service_json_add_wall(c->out, "BackupCreationDateTime", b->created_wall);
    if (b->expiry_wall != USEC_INFINITY)
        service_json_add_wall(c->out, "BackupExpiryDateTime", b->expiry_wall);
    service_json_add_string(c->out, "BackupName", b->name);
    service_json_add_int(c->out, "BackupSizeBytes", b->size_bytes);
    service_json_add_string(c->out, "BackupStatus", status);
    service_json_add_string(c->out, "BackupType", b->is_system ? "SYSTEM" : "USER");
}

/* The ARN comes back as it was asked for, region and all. */
static int describe(ServiceCall *c, const ServiceBackup *b, const char *status) {
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "BackupDescription", '{');
    service_json_open(c->out, "BackupDetails", '{');
    service_json_add_string(c->out, "BackupArn", service_json_get_string(c->input, "BackupArn"));
    add_details(c, b, status);
    service_json_close(c->out, '}');
    service_json_add_raw(c->out, "SourceTableDetails", b->source);
    service_json_add_raw(c->out, "SourceTableFeatureDetails", b->features);
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
    return 0;
}

/* ---- operations ---- */

int service_create_backup(ServiceCall *c) {
    ServiceTable *t;
    ServiceBackup *b;
    int rc = service_find_protected_table(c, service_json_get_string(c->input, "TableName"), &t);
    if (rc >= 0)
        rc = service_check_enabled(c, t);
    if (rc >= 0)
        rc = insert(c, t, service_json_get_string(c->input, "BackupName"), false, &b);
    if (rc < 0)
        return rc;
    c->effect = true;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "BackupDetails", '{');
    add_arn(c, "BackupArn", b->table, b->id);
    add_details(c, b, "CREATING"); /* even where the next look says AVAILABLE */
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
    return 0;
}

static int find(ServiceCall *c, size_t *ret) {
    const char *s = service_json_get_string(c->input, "BackupArn");
    ServiceArn arn;
    if (service_arn_parse(s, &arn) < 0 || strcmp(arn.kind, "backup") != 0)
        return SERVICE_REFUSE_VALUE(c, "Invalid Backup ARN");
    if (!arn.region[0] || strcmp(arn.account, c->service->settings.account) != 0)
        return service_refuse(c, "AccessDeniedException", "Access is denied");
    if (strcmp(arn.service, "dynamodb") != 0 || !service_region_is_valid(arn.region) ||
        strcmp(arn.partition, service_region_partition(arn.region)) != 0)
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: BackupArn is not valid");
    for (size_t i = lower_bound(c->service, arn.id, arn.table); i < c->service->n_backups; i++) {
        const ServiceBackup *b = c->service->backups[i];
        if (compare(b, arn.id, arn.table) != 0)
            break;
        if (strcmp(b->region, c->region) == 0 && (!b->is_system || c->now_wall >= b->visible_wall) &&
            c->now_wall < b->expiry_wall) {
            *ret = i;
            return 0;
        }
    }
    return service_refuse(c, "BackupNotFoundException", "Backup not found: %s", s);
}

int service_find_backup(ServiceCall *c, ServiceBackup **ret) {
    size_t i = 0;
    int rc = find(c, &i);
    if (rc >= 0)
        *ret = c->service->backups[i];
    return rc;
}

int service_check_backup_idle(ServiceCall *c, const ServiceBackup *b) {
    const char *arn = service_json_get_string(c->input, "BackupArn");
    if (c->now_wall < b->available_wall)
        return service_refuse(c, "BackupInUseException", "Backup is being created: %s", arn);
    if (c->now_wall < b->used_wall)
        return service_refuse(c, "BackupInUseException", "Backup is being used to restore another table: %s", arn);
    return 0;
}

int service_describe_backup(ServiceCall *c) {
    size_t i = 0;
    int rc = find(c, &i);
    if (rc < 0)
        return rc;
    const ServiceBackup *b = c->service->backups[i];
    return describe(c, b, service_backup_status(b, c->now_wall));
}

int service_delete_backup(ServiceCall *c) {
    size_t i = 0;
    char expiry[DATE_ISO_SIZE];
    int rc = find(c, &i);
    if (rc < 0)
        return rc;
    const ServiceBackup *b = c->service->backups[i];
    const char *arn = service_json_get_string(c->input, "BackupArn");
    if (b->is_system)
        return SERVICE_REFUSE_VALUE(c,
                                    "Invalid Request: User is not allowed to delete the system backup with arn %s. It "
                                    "will automatically expire on %s",
                                    arn, date_to_iso(b->expiry_wall, expiry));
    rc = service_check_backup_idle(c, b);
    if (rc < 0)
        return rc;
    rc = describe(c, b, "DELETED");
    drop(c->service, i);
    c->effect = true;
    return rc;
}

typedef struct Filter {
    char table[256]; /* "": every */
    Usec lower_wall, upper_wall;
    bool users, systems;
} Filter;

static int filter_parse(ServiceCall *c, Filter *f) {
    const char *table = service_json_get_string(c->input, "TableName");
    const char *type = service_json_get_string(c->input, "BackupType");
    const ServiceJson *lower = service_json_get(c->input, "TimeRangeLowerBound");
    const ServiceJson *upper = service_json_get(c->input, "TimeRangeUpperBound");
    ServiceArn arn;
    *f = (Filter){.upper_wall = USEC_INFINITY,
                  .lower_wall = INT64_MIN,
                  .users = !type || strcmp(type, "USER") == 0 || strcmp(type, "ALL") == 0,
                  .systems = type && (strcmp(type, "SYSTEM") == 0 || strcmp(type, "ALL") == 0)};
    if (lower)
        (void)service_json_to_wall(lower, &f->lower_wall);
    if (upper)
        (void)service_json_to_wall(upper, &f->upper_wall);
    if (f->lower_wall > f->upper_wall)
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Time range lower bound must be less "
                                       "than or equal to upper bound");
    if (table && text_starts_with(table, "arn:")) {
        if (service_arn_parse(table, &arn) < 0 || arn.kind[0])
            return SERVICE_REFUSE_VALUE(c, "1 validation error detected: Invalid resource type in '%s'", table);
        if (strcmp(arn.account, c->service->settings.account) != 0)
            return service_refuse(c, "AccessDeniedException", "Access is denied");
        if (strcmp(arn.region, c->region) != 0)
            return SERVICE_REFUSE_VALUE(c, "1 validation error detected: Invalid AWS region in '%s'", table);
        table = arn.table;
    }
    snprintf(f->table, sizeof f->table, "%s", table ? table : "");
    return 0;
}

/* The first backup that was created at `wall` or later. */
static size_t first_from(const Service *s, Usec wall) {
    char id[SERVICE_ID_SIZE];
    if (wall <= 0)
        return 0;
    snprintf(id, sizeof id, "%014" PRIu64, (uint64_t)((wall + USEC_PER_MSEC - 1) / USEC_PER_MSEC) % 100000000000000);
    return lower_bound(s, id, "");
}

static bool filter_takes(const Filter *f, const ServiceCall *c, const ServiceBackup *b) {
    return strcmp(b->region, c->region) == 0 && (!f->table[0] || strcmp(b->table, f->table) == 0) &&
           b->created_wall >= f->lower_wall && b->created_wall < f->upper_wall &&
           (b->is_system ? f->systems : f->users) && c->now_wall >= b->visible_wall && c->now_wall < b->expiry_wall &&
           c->now_wall >= usec_add(b->created_wall, c->fault.lag_usec);
}

/* The place after the cursor, which need not exist any more. */
static int start_index(ServiceCall *c, size_t *ret) {
    const char *s = service_json_get_string(c->input, "ExclusiveStartBackupArn");
    ServiceArn arn;
    *ret = 0;
    if (!s)
        return 0;
    if (service_arn_parse(s, &arn) < 0 || strcmp(arn.kind, "backup") != 0)
        return SERVICE_REFUSE_VALUE(c, "Invalid Backup ARN");
    if (strcmp(arn.account, c->service->settings.account) != 0)
        return service_refuse(c, "AccessDeniedException", "Access is denied");
    if (strcmp(arn.region, c->region) != 0)
        return SERVICE_REFUSE_VALUE(
            c, "Invalid Request: The supplied ExclusiveStartBackupArn does not match the region");
    size_t i = lower_bound(c->service, arn.id, arn.table);
    while (i < c->service->n_backups && compare(c->service->backups[i], arn.id, arn.table) == 0)
        i++;
    *ret = i;
    return 0;
}

static void add_summary(const ServiceCall *c, const ServiceBackup *b) {
    service_json_open(c->out, NULL, '{');
    add_arn(c, "BackupArn", b->table, b->id);
    add_details(c, b, service_backup_status(b, c->now_wall));
    service_add_table_arn(c->out, c, "TableArn", b->table);
    service_json_add_string(c->out, "TableId", b->table_id);
    service_json_add_string(c->out, "TableName", b->table);
    service_json_close(c->out, '}');
}

/* A page without entries, whose cursor names no backup: the place just before the one that would have come first. */
static void add_cursor_before(const ServiceCall *c, const ServiceBackup *b) {
    char id[SERVICE_ID_SIZE];
    uint64_t msec = (uint64_t)(b->created_wall / USEC_PER_MSEC) - 1;
    snprintf(id, sizeof id, "%014" PRIu64 "-ffffffff", msec % 100000000000000);
    add_arn(c, "LastEvaluatedBackupArn", b->table, id);
}

int service_list_backups(ServiceCall *c) {
    const Service *s = c->service;
    const ServiceBackup *last = NULL;
    bool is_empty_page = c->fault.rule && c->fault.rule->action == SERVICE_FAULT_EMPTY_PAGE;
    int64_t limit = PAGE, n = 0;
    size_t i = 0;
    Filter f;
    int rc = filter_parse(c, &f);
    if (rc >= 0)
        rc = start_index(c, &i);
    if (rc < 0)
        return rc;
    size_t after = first_from(s, f.lower_wall);
    (void)service_json_to_int(service_json_get(c->input, "Limit"), &limit);
    if (is_empty_page)
        limit = 0;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "BackupSummaries", '[');
    i = i > after ? i : after;
    for (; i < s->n_backups; i++) {
        if (s->backups[i]->created_wall >= f.upper_wall) {
            i = s->n_backups;
            break;
        }
        if (!filter_takes(&f, c, s->backups[i]))
            continue;
        if (n == limit)
            break;
        last = s->backups[i];
        add_summary(c, last);
        n++;
    }
    service_json_close(c->out, ']');
    if (i < s->n_backups && last)
        add_arn(c, "LastEvaluatedBackupArn", last->table, last->id);
    else if (i < s->n_backups)
        add_cursor_before(c, s->backups[i]);
    service_json_close(c->out, '}');
    return 0;
}
