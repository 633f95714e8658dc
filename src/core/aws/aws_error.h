#pragma once
/* The one place that classifies a failure of the service. A failure is data: it travels up as an AwsError and is
 * logged once, where it is handled. */

#include <stdbool.h>

#include "core/aws/aws_op.h"
#include "core/aws/http.h"

/* What the caller can do about it. */
typedef enum AwsErrorClass {
    AWS_OK,
    AWS_THROTTLED,    /* too fast; had no effect; the client slows down and asks again */
    AWS_TRANSIENT,    /* had no effect (never sent, or refused for now by a front end); ask again soon */
    AWS_UNCERTAIN,    /* may have taken effect: 5xx, time-out, reset, unreadable reply. A read is asked again, a
                         mutation is reconciled */
    AWS_NOT_READY,    /* the state of the table or backup forbids it now; had no effect; later it will work */
    AWS_QUOTA,        /* a concurrency quota of the account is used up; had no effect; minutes, not seconds */
    AWS_NOT_FOUND,    /* the table, backup or export does not exist (tables: or is still CREATING) */
    AWS_PITR_OFF,     /* the table has no point-in-time recovery */
    AWS_TIME_REFUSED, /* the export's time or window is not restorable */
    AWS_CREDENTIALS,  /* the credentials are wrong, unknown, expired or missing; had no effect; fresh ones may help */
    AWS_DENIED,       /* signed correctly, but not allowed */
    AWS_CLOCK_SKEW,   /* the signature's time is too far from the service's; had no effect */
    AWS_REFUSED,      /* the request itself is wrong: configuration or a defect; asking again cannot help */
} AwsErrorClass;

typedef struct AwsError {
    AwsErrorClass class;
    char code[64];       /* "ThrottlingException"; "HTTP503" where the body names none; "" with AWS_OK, but after a
                            dry run that would have succeeded;
                            "NotSent", "NoReply", "UnreadableReply" for failures below HTTP or in the body */
    int status;          /* HTTP status, 0 without a reply */
    char request_id[64]; /* x-amzn-RequestId, or "" */
    char message[512];   /* the service's words, printable, cut to fit */
    const char *hint;    /* what a person can do; static; NULL where nobody can */
    char region[32];     /* of S3's bucket, where a reply tells it; "": it does not */
} AwsError;

const char *aws_error_class_to_string(AwsErrorClass c);

/* Classifies any end of a call to `op`: sets *ret and returns its class. A 200 is AWS_OK (whether its body makes sense
 * is the codec's question, who calls aws_error_unreadable). Tolerates any bytes. */
AwsErrorClass aws_error_classify(AwsOp op, const HttpReply *reply, AwsError *ret);
/* A 200 whose body is not what the operation promises: AWS_UNCERTAIN, code UnreadableReply, message `why`. */
void aws_error_unreadable(const HttpReply *reply, const char *why, AwsError *ret);

/* One row per (operation, error code); the first row that fits wins. Exported for the tests and for HACKING. */
typedef struct AwsErrorRow {
    AwsOp op; /* AWS_OP_ANY: every operation */
    const char *code;
    const char *message_prefix; /* NULL: any message */
    AwsErrorClass class;
    const char *hint;
} AwsErrorRow;

extern const AwsErrorRow aws_error_rows[];
extern const unsigned aws_error_n_rows;
