#include "core/aws/limits.h"

const LimitsRow limits[AWS_OP_N] = {
    [AWS_OP_CREATE_BACKUP] = {.rate = 50, .burst = 10, .per_second = 50},
    [AWS_OP_DESCRIBE_BACKUP] = {.rate = 10, .burst = 5, .per_second = 10},
    [AWS_OP_LIST_BACKUPS] = {.rate = 5, .burst = 2, .per_second = 5},
    [AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS] = {.rate = 10, .burst = 5, .per_second = 10},
    /* not documented; of some 20 in 2 seconds the next are refused, and refused calls count */
    [AWS_OP_EXPORT_TABLE] = {.rate = 0.5, .burst = 2},
    [AWS_OP_DESCRIBE_EXPORT] = {.rate = 5, .burst = 5},
    [AWS_OP_LIST_EXPORTS] = {.rate = 2, .burst = 2},
    [AWS_OP_DESCRIBE_TABLE] = {.rate = 5, .burst = 2},
    [AWS_OP_LIST_TABLES] = {.rate = 5, .burst = 2},
    [AWS_OP_LIST_TAGS] = {.rate = 10, .burst = 5, .per_second = 10},
    /* not documented; changes of tables share a limit of the account, which was measured to be a few at once */
    [AWS_OP_UPDATE_CONTINUOUS_BACKUPS] = {.rate = 1, .burst = 1},
    [AWS_OP_DELETE_BACKUP] = {.rate = 10, .burst = 5, .per_second = 10},
    /* S3 takes thousands a second for each prefix; this is what one who checks needs */
    [AWS_OP_GET_OBJECT] = {.rate = 100, .burst = 20},
    [AWS_OP_HEAD_OBJECT] = {.rate = 200, .burst = 50},
    [AWS_OP_PUT_OBJECT] = {.rate = 50, .burst = 20},
    [AWS_OP_DELETE_OBJECT] = {.rate = 100, .burst = 20},
    [AWS_OP_LIST_OBJECTS] = {.rate = 20, .burst = 10},
    [AWS_OP_HEAD_BUCKET] = {.rate = 10, .burst = 10},
    /* KMS takes thousands a second */
    [AWS_OP_DESCRIBE_KEY] = {.rate = 10, .burst = 10},
    [AWS_OP_TRY_DATA_KEY] = {.rate = 10, .burst = 10},
    [AWS_OP_GET_BUCKET] = {.rate = 10, .burst = 10},
};
