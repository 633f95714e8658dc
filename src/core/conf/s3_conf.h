#pragma once

/* Where and how exports are written. Strings are NULL where not set; `bucket` and `prefix` may hold %{account},
 * %{region}, %{table}, %{deployment}, %{schedule}. */
typedef struct S3Conf {
    char *bucket;        /* 3..255 characters */
    char *bucket_owner;  /* 12 digits */
    char *prefix;        /* no leading '/' */
    char *sse_algorithm; /* "AES256" or "KMS" */
    char *kms_key_id;    /* with KMS */
    char *format;        /* "DYNAMODB_JSON" or "ION" */
} S3Conf;

int s3_conf_copy(const S3Conf *from, S3Conf *ret); /* -ENOMEM */
void s3_conf_done(S3Conf *s);
