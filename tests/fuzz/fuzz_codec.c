/* Replies and error bodies. The first byte picks the operation, or the reading of errors. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/aws/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good) {
    if (!good)
        abort();
}

static void check_wall(Usec wall) { check(wall >= WALL_UNKNOWN && wall <= WALL_MAX); }

static void check_backup(const BackupInfo *b) {
    check(b->arn && b->name && b->status_text && b->size_bytes >= COUNT_UNKNOWN && b->item_count >= COUNT_UNKNOWN);
    check_wall(b->created_wall);
    check_wall(b->expires_wall);
}

static void check_export(const ExportInfo *e) {
    check(e->arn && e->status_text && e->item_count >= COUNT_UNKNOWN && e->billed_size_bytes >= COUNT_UNKNOWN);
    check_wall(e->export_wall);
    check_wall(e->from_wall);
}

static void check_reply(const AwsReply *r) {
    switch (r->op) {
    case AWS_OP_CREATE_BACKUP:
    case AWS_OP_DESCRIBE_BACKUP:
    case AWS_OP_DELETE_BACKUP:
        check_backup(&r->backup);
        break;
    case AWS_OP_LIST_BACKUPS:
        for (size_t i = 0; i < r->backups.n_items; i++)
            check_backup(&r->backups.items[i]);
        break;
    case AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS:
    case AWS_OP_UPDATE_CONTINUOUS_BACKUPS:
        check(!r->recovery.pitr_enabled || r->recovery.latest_wall != WALL_UNKNOWN);
        break;
    case AWS_OP_EXPORT_TABLE:
    case AWS_OP_DESCRIBE_EXPORT:
        check_export(&r->export);
        break;
    case AWS_OP_LIST_EXPORTS:
        for (size_t i = 0; i < r->exports.n_items; i++)
            check_export(&r->exports.items[i]);
        break;
    case AWS_OP_DESCRIBE_TABLE:
        check(r->table.name && r->table.arn && r->table.id && r->table.status);
        break;
    case AWS_OP_LIST_TABLES:
        for (size_t i = 0; i < r->tables.n_items; i++)
            check(r->tables.items[i] && r->tables.items[i][0]);
        break;
    case AWS_OP_LIST_TAGS:
        for (size_t i = 0; i < r->tags.n_items; i++)
            check(r->tags.items[i].key && r->tags.items[i].key[0] && r->tags.items[i].value);
        break;
    case AWS_OP_DESCRIBE_KEY:
        check(r->key.arn && r->key.arn[0]);
        check_wall(r->key.deletion_wall);
        break;
    case AWS_OP_TRY_DATA_KEY:
    case AWS_OP_GET_OBJECT:
    case AWS_OP_HEAD_OBJECT:
    case AWS_OP_PUT_OBJECT:
    case AWS_OP_DELETE_OBJECT:
    case AWS_OP_LIST_OBJECTS:
    case AWS_OP_HEAD_BUCKET:
    case AWS_OP_GET_BUCKET:
    case AWS_OP_N:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const char *body = (const char *)data + 1;
    unsigned at = (unsigned char)(data[0] - '2'); /* the corpus stays what it is when operations are added */
    AwsOp op = (AwsOp)(at % AWS_OP_N);
    if (aws_ops[op].service == ENDPOINT_S3)
        return 0;
    if (at >= 128) {
        char code[16], message[16];
        /* -ENOMEM would mean that cJSON refuses what was found to be good JSON */
        check(codec_error(body, size - 1, code, sizeof code, message, sizeof message) == 0);
        check(strlen(code) < sizeof code && strlen(message) < sizeof message);
        return 0;
    }
    AwsReply *reply = NULL;
    char why[CODEC_WHY_SIZE] = "";
    int r = codec_decode(op, body, size - 1, &reply, why);
    check(r == 0 ? reply != NULL : r == -EBADMSG && !reply && why[0]);
    if (reply)
        check_reply(reply);
    aws_reply_free(reply);
    return 0;
}
