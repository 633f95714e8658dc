/* What the model tells tests: its state, its fault rules, its log. And how it takes a fault script. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "sim/service_export_files.h"
#include "sim/service_kms.h"
#include "sim/service_s3_store.h"
#include "sim/service_state.h"

#define MAX_RULES 1000

static void add_iso(Text *t, const char *name, Usec wall) {
    char iso[DATE_ISO_SIZE];
    if (wall != USEC_INFINITY)
        service_json_add_string(t, name, date_to_iso(wall, iso));
}

static void add_arn(Text *t, const Service *s, const char *region, const char *table, const char *kind,
                    const char *id) {
    AUTO_TEXT arn = TEXT_INIT(2000);
    service_arn_add(&arn, region, s->settings.account, table, kind, id);
    service_json_add_string(t, "arn", text_get(&arn));
}

static void add_table(Text *t, const Service *s, const ServiceTable *table, Usec now_wall) {
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "name", table->name);
    service_json_add_string(t, "region", table->region);
    add_arn(t, s, table->region, table->name, "", "");
    service_json_add_string(t, "id", table->id);
    service_json_add_string(t, "status", service_table_status(table, now_wall));
    service_json_add_bool(t, "pitr", table->pitr_wall != USEC_INFINITY);
    service_json_add_int(t, "items", table->n_items);
    service_json_add_int(t, "size", table->size_bytes);
    add_iso(t, "created", table->created_wall);
    service_json_close(t, '}');
}

static void add_backup(Text *t, const Service *s, const ServiceBackup *b, Usec now_wall) {
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "name", b->name);
    service_json_add_string(t, "table", b->table);
    service_json_add_string(t, "region", b->region);
    add_arn(t, s, b->region, b->table, "backup", b->id);
    service_json_add_string(t, "table_id", b->table_id);
    service_json_add_string(t, "status", service_backup_status(b, now_wall));
    service_json_add_string(t, "type", b->is_system ? "SYSTEM" : "USER");
    service_json_add_int(t, "size", b->size_bytes);
    add_iso(t, "created", b->created_wall);
    service_json_close(t, '}');
}

static void add_export(Text *t, const Service *s, const ServiceExport *e, Usec now_wall) {
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "table", e->table);
    service_json_add_string(t, "region", e->region);
    add_arn(t, s, e->region, e->table, "export", e->id);
    service_json_add_string(t, "table_id", e->table_id);
    service_json_add_string(t, "status", service_export_status(e, now_wall));
    service_json_add_string(t, "type", e->is_incremental ? "INCREMENTAL_EXPORT" : "FULL_EXPORT");
    service_json_add_string(t, "token", e->token);
    service_json_add_raw(t, "parameters", e->fingerprint);
    add_iso(t, "started", e->start_wall);
    add_iso(t, "ends", e->end_wall);
    service_json_close(t, '}');
}

static void add_bucket(Text *t, const ServiceS3Bucket *b, Usec now_wall) {
    int64_t n = 0;
    for (size_t i = 0; i < b->n_objects; i++)
        n += !service_s3_is_expired(b, b->objects[i], now_wall);
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "name", b->name);
    service_json_add_string(t, "region", b->region);
    service_json_add_string(t, "owner", b->owner);
    service_json_add_int(t, "objects", n);
    service_json_close(t, '}');
}

static void add_key(Text *t, const Service *s, const ServiceKey *k) {
    AUTO_TEXT arn = TEXT_INIT(300);
    service_key_add_arn(s, k, &arn);
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "alias", k->alias);
    service_json_add_string(t, "region", k->region);
    service_json_add_string(t, "arn", text_get(&arn));
    service_json_add_string(t, "state", k->state);
    service_json_close(t, '}');
}

int service_state_to_json(Service *s, Usec now_wall, Text *t) {
    int rc = service_publish_exports(s, now_wall);
    if (rc < 0)
        return rc;
    service_json_open(t, NULL, '{');
    add_iso(t, "now", now_wall);
    service_json_add_string(t, "account", s->settings.account);
    service_json_open(t, "tables", '[');
    for (size_t i = 0; i < s->n_tables; i++)
        if (now_wall < s->tables[i]->gone_wall)
            add_table(t, s, s->tables[i], now_wall);
    service_json_close(t, ']');
    service_json_open(t, "backups", '[');
    for (size_t i = 0; i < s->n_backups; i++) {
        const ServiceBackup *b = s->backups[i];
        if (now_wall < b->expiry_wall && (!b->is_system || now_wall >= b->visible_wall))
            add_backup(t, s, b, now_wall);
    }
    service_json_close(t, ']');
    service_json_open(t, "exports", '[');
    for (size_t i = 0; i < s->n_exports; i++)
        add_export(t, s, s->exports[i], now_wall);
    service_json_close(t, ']');
    service_json_open(t, "buckets", '[');
    for (size_t i = 0; i < s->n_s3; i++)
        add_bucket(t, s->s3[i], now_wall);
    service_json_close(t, ']');
    service_json_open(t, "keys", '[');
    for (size_t i = 0; i < s->n_keys; i++)
        add_key(t, s, s->keys[i]);
    service_json_close(t, ']');
    service_json_close(t, '}');
    return t->error;
}

int service_log_to_json(const Service *s, Usec now_wall, const ServiceReply *r, Text *t) {
    service_json_open(t, NULL, '{');
    add_iso(t, "wall", now_wall);
    service_json_add_string(t, "op", r->operation);
    service_json_add_string(t, "table", r->table);
    service_json_add_string(t, "account", s->settings.account);
    service_json_add_string(t, "region", r->region);
    service_json_add_string(t, "key", r->key_id);
    service_json_add_int(t, "status", r->status);
    service_json_add_string(t, "code", r->code);
    service_json_add_bool(t, "effect", r->effect);
    service_json_add_string(t, "fault", r->fault);
    service_json_add_string(t, "request_id", r->request_id);
    service_json_close(t, '}');
    return t->error;
}

/* ---- the fault script ---- */

static int add_rule(ServiceFaults *faults, const char *line, unsigned number, char **ret_why) {
    ServiceFault f;
    AUTO_FREE char *why = NULL;
    line += strspn(line, " \t\r");
    if (!*line || *line == '#')
        return 0;
    int rc = faults->n_items < MAX_RULES ? service_fault_parse(line, &f, &why) : -EINVAL;
    if (rc == -EINVAL)
        *ret_why = text_format("line %u: %s", number, why ? why : "too many rules");
    if (rc < 0)
        return rc;
    if (ARRAY_GROW(faults->items, faults->n_items, faults->n_room) < 0) {
        service_fault_done(&f);
        return -ENOMEM;
    }
    faults->items[faults->n_items++] = f;
    return 0;
}

int service_add_faults(Service *s, const char *script, char **ret_why) {
    size_t n_before = s->faults.n_items;
    unsigned number = 0;
    int rc = 0;
    while (*script && rc >= 0) {
        size_t n = strcspn(script, "\n");
        AUTO_FREE char *line = strndup(script, n);
        rc = line ? add_rule(&s->faults, line, ++number, ret_why) : -ENOMEM;
        script += n + (script[n] ? 1 : 0);
    }
    while (rc < 0 && s->faults.n_items > n_before)
        service_fault_done(&s->faults.items[--s->faults.n_items]);
    return rc;
}

void service_clear_faults(Service *s) { service_faults_clear(&s->faults); }

int service_faults_to_json(const Service *s, Text *t) {
    service_json_open(t, NULL, '[');
    for (size_t i = 0; i < s->faults.n_items; i++) {
        const ServiceFault *f = &s->faults.items[i];
        service_json_open(t, NULL, '{');
        service_json_add_string(t, "operation", f->operation);
        service_json_add_string(t, "table", f->table);
        service_json_add_string(t, "action", service_fault_to_string(f->action));
        service_json_add_int(t, "calls", (int64_t)f->n_calls);
        service_json_add_int(t, "hits", (int64_t)f->n_hits);
        service_json_add_bool(t, "spent", f->n_hits >= f->n_times);
        service_json_close(t, '}');
    }
    service_json_close(t, ']');
    return t->error;
}
