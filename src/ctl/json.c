#include "ctl/json.h"

#include <inttypes.h>

#include "base/date.h"

static void begin(Json *j, const char *key) {
    if (j->more)
        text_add_char(j->out, ',');
    j->more = true;
    if (key) {
        text_add_json(j->out, key);
        text_add_char(j->out, ':');
    }
}

void json_open(Json *j, const char *key, char bracket) {
    begin(j, key);
    text_add_char(j->out, bracket);
    j->more = false;
}

void json_close(Json *j, char bracket) {
    text_add_char(j->out, bracket);
    j->more = true;
}

void json_raw(Json *j, const char *key, const char *value) {
    begin(j, key);
    text_add(j->out, value ? value : "null");
}

void json_string(Json *j, const char *key, const char *value) {
    if (!value)
        return json_raw(j, key, NULL);
    begin(j, key);
    text_add_json(j->out, value);
}

void json_int(Json *j, const char *key, int64_t value) {
    begin(j, key);
    text_addf(j->out, "%" PRId64, value);
}

void json_count(Json *j, const char *key, int64_t value) {
    if (value == COUNT_UNKNOWN)
        json_raw(j, key, NULL);
    else
        json_int(j, key, value);
}

void json_bool(Json *j, const char *key, bool value) { json_raw(j, key, value ? "true" : "false"); }

void json_wall(Json *j, const char *key, Usec wall) {
    char buffer[DATE_ISO_SIZE];
    json_string(j, key, wall == WALL_UNKNOWN || wall == USEC_INFINITY ? NULL : date_to_iso(wall, buffer));
}

void json_seconds(Json *j, const char *key, Usec usec) {
    if (usec == USEC_INFINITY)
        json_raw(j, key, NULL);
    else
        json_int(j, key, usec / USEC_PER_SEC);
}

void json_target(Json *j, const char *account, const char *region, const char *table, const char *schedule) {
    json_string(j, "account", account);
    json_string(j, "region", region);
    json_string(j, "table", table);
    if (schedule)
        json_string(j, "schedule", schedule);
}

void json_artefact(Json *j, const char *key, const Artefact *a) {
    if (!a)
        return json_raw(j, key, NULL);
    json_open(j, key, '{');
    json_string(j, "arn", a->arn);
    json_string(j, "action", action_to_string(a->action));
    json_string(j, "life", artefact_life_to_string(a->life));
    json_string(j, "status", a->status);
    json_string(j, "name", a->name);
    json_string(j, "table_id", a->table_id);
    json_wall(j, "created", a->created_wall);
    json_wall(j, "finished", a->finished_wall);
    json_wall(j, "verified", a->verified_wall);
    json_string(j, "level", a->action == ACTION_BACKUP ? NULL : verify_level_to_string(a->level));
    json_string(j, "found", a->found);
    json_count(j, "size_bytes", a->size_bytes);
    json_count(j, "item_count", a->item_count);
    json_raw(j, "details", a->details);
    json_close(j, '}');
}

static void add_s3(Json *j, const Run *r) {
    if (!r->s3.bucket)
        return json_raw(j, "s3", NULL);
    json_open(j, "s3", '{');
    json_string(j, "bucket", r->s3.bucket);
    json_string(j, "bucket_owner", r->s3.bucket_owner);
    json_string(j, "prefix", r->s3.prefix);
    json_string(j, "sse_algorithm", r->s3.sse_algorithm);
    json_string(j, "kms_key_id", r->s3.kms_key_id);
    json_string(j, "format", r->s3.format);
    json_close(j, '}');
}

void json_run(Json *j, const char *key, const Run *r) {
    if (!r)
        return json_raw(j, key, NULL);
    json_open(j, key, '{');
    json_int(j, "id", r->id);
    json_target(j, r->account, r->region, r->table, r->schedule);
    json_string(j, "action", action_to_string(r->action));
    json_string(j, "state", run_state_to_string(r->state));
    json_wall(j, "slot", r->slot_wall);
    if (run_is_link(r)) {
        json_int(j, "chain", r->chain_id);
        json_wall(j, "from", r->from_wall);
        json_wall(j, "to", r->to_wall);
    }
    json_wall(j, "due", r->due_wall);
    json_wall(j, "start_by", r->start_by_wall);
    json_wall(j, "warn_at", r->warn_at_wall);
    json_wall(j, "finish_by", r->finish_by_wall);
    json_string(j, "name", r->name);
    json_string(j, "table_id", r->table_id);
    json_string(j, "table_arn", r->table_arn);
    add_s3(j, r);
    json_int(j, "attempt", r->attempt);
    json_wall(j, "intent", r->intent_wall);
    json_wall(j, "first_sent", r->first_sent_wall);
    json_wall(j, "sent", r->sent_wall);
    json_int(j, "sends", r->n_sends);
    json_int(j, "deferrals", r->n_deferred);
    json_wall(j, "settled", r->settled_wall);
    json_string(j, "why", r->why);
    json_string(j, "hint", r->hint);
    json_string(j, "request_id", r->request_id);
    json_artefact(j, "artefact", r->artefact);
    json_close(j, '}');
}

void json_range(Json *j, const LedgerRange *range, Usec decided_wall) {
    json_open(j, NULL, '{');
    json_target(j, range->account, range->region, range->table, range->schedule);
    json_wall(j, "from", range->from_wall);
    json_wall(j, "to", range->to_wall);
    json_int(j, "slots", range->n_slots);
    json_wall(j, "decided", decided_wall);
    json_string(j, "why", range->why);
    json_close(j, '}');
}
