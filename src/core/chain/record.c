#include "core/chain/record.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/aws/codec_reader.h"
#include "core/verify/manifest.h"

#define KEY_MAX 4096
#define RECORD_VERSION 1

void record_done(Record *r) {
    free(r->deployment);
    free(r->schedule);
    free(r->table_arn);
    free(r->table_id);
    free(r->base_arn);
    free(r->lost);
    free(r->export_arn);
    free(r->client_token);
    free(r->previous_arn);
    free(r->bucket);
    free(r->prefix);
    free(r->manifest_key);
    free(r->summary_md5);
    free(r->files_md5);
    *r = (Record){};
}

void record_task_done(RecordTask *t) {
    record_done(&t->record);
    free(t->table);
    free(t->bucket_owner);
    *t = (RecordTask){};
}

bool record_is_base(const Record *r) { return !r->lost && text_equal(r->export_arn, r->base_arn); }

const char *record_outcome_to_string(RecordOutcome o) {
    static const char *const names[] = {[RECORD_WRITTEN] = "written",
                                        [RECORD_DIFFERS] = "differs",
                                        [RECORD_NOWHERE] = "nowhere",
                                        [RECORD_REMOVED] = "removed"};
    return names[o];
}

/* --- keys --- */

/* "arn:aws:dynamodb:eu-central-1:123456789012:table/orders": region, account and table as they stand there. */
static int add_table(Text *t, const char *arn) {
    const char *parts[6];
    size_t lengths[6];
    for (int i = 0; i < 6; i++) {
        parts[i] = arn;
        lengths[i] = i < 5 ? strcspn(arn, ":") : strlen(arn);
        if (i < 5 && arn[lengths[i]] != ':')
            return -EINVAL;
        arn += lengths[i] + 1;
    }
    const char *table = parts[5] + strlen("table/");
    if (!text_starts_with(parts[5], "table/") || !*table || strchr(table, '/') || lengths[3] == 0 || lengths[4] == 0)
        return -EINVAL;
    return text_addf(t, "%.*s/%.*s/%s/", (int)lengths[4], parts[4], (int)lengths[3], parts[3], table);
}

static int add_folder(Text *t, const char *prefix, const char *table_arn) {
    size_t n = prefix ? strlen(prefix) : 0;
    while (n > 0 && prefix[n - 1] == '/')
        n--;
    if (n > 0)
        text_addf(t, "%.*s/", (int)n, prefix);
    text_add(t, "ddbackupd/");
    return add_table(t, table_arn);
}

int record_folder(const char *prefix, const char *table_arn, char **ret) {
    AUTO_TEXT t = TEXT_INIT(KEY_MAX);
    int r = add_folder(&t, prefix, table_arn);
    return r < 0 ? r : text_take(&t, ret);
}

int record_key(const Record *r, char **ret) {
    char from[DATE_COMPACT_SIZE], to[DATE_COMPACT_SIZE];
    const char *id = manifest_export_id(r->base_arn);
    AUTO_TEXT t = TEXT_INIT(KEY_MAX);
    int rc = add_folder(&t, r->prefix, r->table_arn);
    if (rc < 0 || !*id)
        return rc < 0 ? rc : -EINVAL;
    text_addf(&t, "%s/%s.%s/", r->table_id, r->schedule, id);
    if (record_is_base(r)) {
        text_add(&t, "base.json");
        return text_take(&t, ret);
    }
    text_addf(&t, "%s%s-%s", r->lost ? "lost-" : "", date_to_compact(r->from_wall, from),
              date_to_compact(r->to_wall, to));
    if (r->attempt > 0)
        text_addf(&t, ".%d", r->attempt);
    text_add(&t, ".json");
    return text_take(&t, ret);
}

/* --- out --- */

static void add_name(Text *t, const char *name) { text_addf(t, "%s\"%s\":", t->len > 1 ? "," : "", name); }

static void add_string(Text *t, const char *name, const char *value) {
    add_name(t, name);
    if (value)
        text_add_json(t, value);
    else
        text_add(t, "null");
}

static void add_wall(Text *t, const char *name, Usec wall) {
    char iso[DATE_ISO_SIZE];
    add_string(t, name, wall == WALL_UNKNOWN ? NULL : date_to_iso(wall, iso));
}

static void add_number(Text *t, const char *name, int64_t value, int64_t unknown) {
    add_name(t, name);
    if (value == unknown)
        text_add(t, "null");
    else
        text_addf(t, "%" PRId64, value);
}

int record_write(const Record *r, char **ret_json) {
    AUTO_TEXT t = TEXT_INIT(RECORD_MAX);
    text_add_char(&t, '{');
    add_number(&t, "version", RECORD_VERSION, 0);
    add_string(&t, "deployment", r->deployment);
    add_string(&t, "schedule", r->schedule);
    add_string(&t, "tableArn", r->table_arn);
    add_string(&t, "tableId", r->table_id);
    add_string(&t, "baseArn", r->base_arn);
    add_wall(&t, "baseExportTime", r->base_wall);
    add_string(&t, "exportArn", r->export_arn);
    if (r->client_token)
        add_string(&t, "clientToken", r->client_token);
    add_string(&t, "previousArn", r->previous_arn);
    add_wall(&t, "exportFromTime", r->from_wall);
    add_wall(&t, "exportToTime", r->to_wall);
    if (r->attempt > 0)
        add_number(&t, "attempt", r->attempt, 0);
    if (r->lost)
        add_string(&t, "lost", r->lost);
    add_string(&t, "s3Bucket", r->bucket);
    add_string(&t, "s3Prefix", r->prefix);
    add_string(&t, "manifestSummaryS3Key", r->manifest_key);
    add_string(&t, "manifestSummaryMd5", r->summary_md5);
    add_string(&t, "manifestFilesMd5", r->files_md5);
    add_number(&t, "itemCount", r->item_count, COUNT_UNKNOWN);
    text_add(&t, "}\n");
    return text_take(&t, ret_json);
}

/* --- in --- */

#define AT(member) offsetof(Record, member)

static const Field fields[] = {
    {"deployment", FIELD_STRING, true, AT(deployment)},
    {"schedule", FIELD_STRING, true, AT(schedule)},
    {"tableArn", FIELD_STRING, true, AT(table_arn)},
    {"tableId", FIELD_STRING, true, AT(table_id)},
    {"baseArn", FIELD_STRING, true, AT(base_arn)},
    {"lost", FIELD_STRING, false, AT(lost)},
    {"exportArn", FIELD_STRING, false, AT(export_arn)},
    {"clientToken", FIELD_STRING, false, AT(client_token)},
    {"previousArn", FIELD_STRING, false, AT(previous_arn)},
    {"s3Bucket", FIELD_STRING, true, AT(bucket)},
    {"s3Prefix", FIELD_STRING, false, AT(prefix)},
    {"manifestSummaryS3Key", FIELD_STRING, false, AT(manifest_key)},
    {"manifestSummaryMd5", FIELD_STRING, false, AT(summary_md5)},
    {"manifestFilesMd5", FIELD_STRING, false, AT(files_md5)},
    {"itemCount", FIELD_COUNT, false, AT(item_count)},
};

static int read_instant(Reader *reader, const struct cJSON *root, const char *name, bool required, Usec *ret) {
    AUTO_FREE char *text = NULL;
    int rc = reader_field(reader, root, &(Field){name, FIELD_STRING, required, 0}, &text);
    if (rc < 0 || !text)
        return rc;
    return date_from_iso(text, ret) < 0 ? reader_bad(reader, name, "is no date") : 0;
}

/* What an export's record has, and that of lost time has not. */
static int check_export(Reader *reader, const Record *r) {
    const char *missing = !r->export_arn ? "exportArn" : !r->manifest_key ? "manifestSummaryS3Key" : NULL;
    if (!r->lost)
        return missing ? reader_bad(reader, missing, "is missing") : 0;
    bool is_of_base = !r->export_arn || strcmp(r->export_arn, r->base_arn) == 0;
    return !is_of_base || r->previous_arn ? reader_bad(reader, "lost", "is no link's") : 0;
}

static int read_attempt(Reader *reader, const struct cJSON *root, Record *r) {
    int64_t attempt = 0;
    int rc = reader_field(reader, root, &(Field){"attempt", FIELD_COUNT, false, 0}, &attempt);
    if (rc < 0)
        return rc;
    r->attempt = attempt > 0 && attempt <= INT_MAX ? (int)attempt : 0;
    return r->attempt != 0 && (r->lost || record_is_base(r)) ? reader_bad(reader, "attempt", "is a link's") : 0;
}

static int read_record(Reader *reader, const struct cJSON *root, void *to) {
    Record *r = to;
    int64_t version = 0;
    int rc = reader_field(reader, root, &(Field){"version", FIELD_COUNT, true, 0}, &version);
    if (rc < 0)
        return rc;
    if (version != RECORD_VERSION)
        return reader_bad(reader, "version", "is none that this program reads");
    if ((rc = reader_fields(reader, root, fields, ARRAY_SIZE(fields), r)) < 0 || (rc = check_export(reader, r)) < 0 ||
        (rc = read_attempt(reader, root, r)) < 0 ||
        (rc = read_instant(reader, root, "baseExportTime", true, &r->base_wall)) < 0 ||
        (rc = read_instant(reader, root, "exportFromTime", !record_is_base(r), &r->from_wall)) < 0 ||
        (rc = read_instant(reader, root, "exportToTime", !record_is_base(r), &r->to_wall)) < 0)
        return rc;
    if (!record_is_base(r) && (r->from_wall >= r->to_wall || (!r->previous_arn && !r->lost)))
        return reader_bad(reader, "exportToTime", "makes no window");
    return 0;
}

int record_read(const char *body, size_t len, Record *ret, char ret_why[static CODEC_WHY_SIZE]) {
    *ret = (Record){.base_wall = WALL_UNKNOWN,
                    .from_wall = WALL_UNKNOWN,
                    .to_wall = WALL_UNKNOWN,
                    .item_count = COUNT_UNKNOWN};
    return codec_read_object(body, len, read_record, ret, ret_why);
}

const char *record_difference(const Record *a, const Record *b) {
    const struct {
        const char *name, *a, *b;
        bool optional;
    } strings[] = {
        {"deployment", a->deployment, b->deployment, false},
        {"schedule", a->schedule, b->schedule, false},
        {"tableArn", a->table_arn, b->table_arn, false},
        {"tableId", a->table_id, b->table_id, false},
        {"baseArn", a->base_arn, b->base_arn, false},
        {"exportArn", a->export_arn, b->export_arn, false},
        {"clientToken", a->client_token, b->client_token, true},
        {"previousArn", a->previous_arn, b->previous_arn, false},
        {"s3Bucket", a->bucket, b->bucket, false},
        {"s3Prefix", a->prefix, b->prefix, false},
        {"manifestSummaryS3Key", a->manifest_key, b->manifest_key, false},
        {"manifestSummaryMd5", a->summary_md5, b->summary_md5, true},
        {"manifestFilesMd5", a->files_md5, b->files_md5, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        if (!text_equal(strings[i].a, strings[i].b) && !(strings[i].optional && (!strings[i].a || !strings[i].b)))
            return strings[i].name;
    if (!a->lost != !b->lost)
        return "lost";
    if (a->attempt != b->attempt)
        return "attempt";
    if (a->base_wall / USEC_PER_SEC != b->base_wall / USEC_PER_SEC)
        return "baseExportTime";
    if (a->from_wall != b->from_wall || a->to_wall != b->to_wall)
        return "exportToTime";
    return a->item_count != b->item_count && a->item_count != COUNT_UNKNOWN && b->item_count != COUNT_UNKNOWN
               ? "itemCount"
               : NULL;
}
