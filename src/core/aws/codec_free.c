/* Birth and death of requests and replies. */

#include "core/aws/codec.h"

#include <stdlib.h>

AwsRequest *aws_request_new(AwsOp op) {
    AwsRequest *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->op = op;
    if (op == AWS_OP_LIST_BACKUPS)
        r->list_backups.lower_wall = r->list_backups.upper_wall = WALL_UNKNOWN;
    if (op == AWS_OP_EXPORT_TABLE)
        r->export_table.export_wall = r->export_table.from_wall = r->export_table.to_wall = WALL_UNKNOWN;
    if (aws_ops[op].service == ENDPOINT_S3)
        r->object.last = -1;
    return r;
}

static void object_request_done(AwsRequest *r) {
    free(r->object.bucket);
    free(r->object.bucket_owner);
    free(r->object.key);
    free(r->object.query);
    free(r->object.if_match);
    free(r->object.body);
}

static void export_request_done(AwsRequest *r) {
    free(r->export_table.table_arn);
    free(r->export_table.client_token);
    free(r->export_table.s3_bucket);
    free(r->export_table.s3_bucket_owner);
    free(r->export_table.s3_prefix);
    free(r->export_table.s3_sse_algorithm);
    free(r->export_table.s3_sse_kms_key_id);
    free(r->export_table.format);
    free(r->export_table.view_type);
}

void aws_request_free(AwsRequest *r) {
    if (!r)
        return;
    switch (r->op) {
    case AWS_OP_CREATE_BACKUP:
        free(r->create_backup.table);
        free(r->create_backup.name);
        break;
    case AWS_OP_DESCRIBE_BACKUP:
        free(r->describe_backup.arn);
        break;
    case AWS_OP_LIST_BACKUPS:
        free(r->list_backups.table);
        free(r->list_backups.type);
        free(r->list_backups.start_arn);
        break;
    case AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS:
        free(r->describe_continuous_backups.table);
        break;
    case AWS_OP_EXPORT_TABLE:
        export_request_done(r);
        break;
    case AWS_OP_DESCRIBE_EXPORT:
        free(r->describe_export.arn);
        break;
    case AWS_OP_LIST_EXPORTS:
        free(r->list_exports.table_arn);
        free(r->list_exports.start_token);
        break;
    case AWS_OP_DESCRIBE_TABLE:
        free(r->describe_table.table);
        break;
    case AWS_OP_LIST_TABLES:
        free(r->list_tables.start_name);
        break;
    case AWS_OP_LIST_TAGS:
        free(r->list_tags.arn);
        free(r->list_tags.start_token);
        break;
    case AWS_OP_UPDATE_CONTINUOUS_BACKUPS:
        free(r->update_continuous_backups.table);
        break;
    case AWS_OP_DELETE_BACKUP:
        free(r->delete_backup.arn);
        break;
    case AWS_OP_DESCRIBE_KEY:
    case AWS_OP_TRY_DATA_KEY:
        free(r->key.id);
        free(r->key.object_arn);
        break;
    case AWS_OP_GET_OBJECT:
    case AWS_OP_HEAD_OBJECT:
    case AWS_OP_PUT_OBJECT:
    case AWS_OP_DELETE_OBJECT:
    case AWS_OP_LIST_OBJECTS:
    case AWS_OP_HEAD_BUCKET:
    case AWS_OP_GET_BUCKET:
        object_request_done(r);
        break;
    case AWS_OP_N:
        break;
    }
    free(r);
}

void key_info_done(KeyInfo *k) {
    free(k->arn);
    free(k->state);
    free(k->usage);
    free(k->spec);
    free(k->manager);
}

void backup_info_done(BackupInfo *b) {
    free(b->arn);
    free(b->name);
    free(b->status_text);
    free(b->type);
    free(b->table_name);
    free(b->table_id);
    free(b->table_arn);
    free(b->billing_mode);
    *b = (BackupInfo){};
}

void export_info_done(ExportInfo *e) {
    free(e->arn);
    free(e->status_text);
    free(e->type);
    free(e->manifest_key);
    free(e->table_arn);
    free(e->table_id);
    free(e->client_token);
    free(e->s3_bucket);
    free(e->s3_bucket_owner);
    free(e->s3_prefix);
    free(e->s3_sse_algorithm);
    free(e->s3_sse_kms_key_id);
    free(e->failure_code);
    free(e->failure_message);
    free(e->format);
    free(e->view_type);
    *e = (ExportInfo){};
}

static void table_info_done(TableInfo *t) {
    free(t->name);
    free(t->arn);
    free(t->id);
    free(t->status);
    free(t->billing_mode);
}

static void backup_list_done(BackupList *l) {
    for (size_t i = 0; i < l->n_items; i++)
        backup_info_done(&l->items[i]);
    free(l->items);
    free(l->next);
}

static void export_list_done(ExportList *l) {
    for (size_t i = 0; i < l->n_items; i++)
        export_info_done(&l->items[i]);
    free(l->items);
    free(l->next);
}

static void table_names_done(TableNames *l) {
    for (size_t i = 0; i < l->n_items; i++)
        free(l->items[i]);
    free(l->items);
    free(l->next);
}

static void tag_list_done(TagList *l) {
    for (size_t i = 0; i < l->n_items; i++) {
        free(l->items[i].key);
        free(l->items[i].value);
    }
    free(l->items);
    free(l->next);
}

void aws_reply_free(AwsReply *r) {
    if (!r)
        return;
    switch (r->op) {
    case AWS_OP_CREATE_BACKUP:
    case AWS_OP_DESCRIBE_BACKUP:
    case AWS_OP_DELETE_BACKUP:
        backup_info_done(&r->backup);
        break;
    case AWS_OP_LIST_BACKUPS:
        backup_list_done(&r->backups);
        break;
    case AWS_OP_EXPORT_TABLE:
    case AWS_OP_DESCRIBE_EXPORT:
        export_info_done(&r->export);
        break;
    case AWS_OP_LIST_EXPORTS:
        export_list_done(&r->exports);
        break;
    case AWS_OP_DESCRIBE_TABLE:
        table_info_done(&r->table);
        break;
    case AWS_OP_LIST_TABLES:
        table_names_done(&r->tables);
        break;
    case AWS_OP_GET_OBJECT:
    case AWS_OP_HEAD_OBJECT:
    case AWS_OP_PUT_OBJECT:
    case AWS_OP_DELETE_OBJECT:
    case AWS_OP_LIST_OBJECTS:
    case AWS_OP_HEAD_BUCKET:
    case AWS_OP_GET_BUCKET:
        free(r->object.body);
        free(r->object.etag);
        free(r->object.encryption);
        free(r->object.region);
        break;
    case AWS_OP_LIST_TAGS:
        tag_list_done(&r->tags);
        break;
    case AWS_OP_DESCRIBE_KEY:
        key_info_done(&r->key);
        break;
    case AWS_OP_TRY_DATA_KEY:
    case AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS:
    case AWS_OP_UPDATE_CONTINUOUS_BACKUPS:
    case AWS_OP_N:
        break;
    }
    free(r);
}
