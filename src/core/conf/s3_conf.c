#include "core/conf/s3_conf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

void s3_conf_done(S3Conf *s) {
    free(s->bucket);
    free(s->bucket_owner);
    free(s->prefix);
    free(s->sse_algorithm);
    free(s->kms_key_id);
    free(s->format);
    *s = (S3Conf){};
}

int s3_conf_copy(const S3Conf *from, S3Conf *ret) {
    S3Conf copy = {};
    if (text_set(&copy.bucket, from->bucket) < 0 || text_set(&copy.bucket_owner, from->bucket_owner) < 0 ||
        text_set(&copy.prefix, from->prefix) < 0 || text_set(&copy.sse_algorithm, from->sse_algorithm) < 0 ||
        text_set(&copy.kms_key_id, from->kms_key_id) < 0 || text_set(&copy.format, from->format) < 0) {
        s3_conf_done(&copy);
        return -ENOMEM;
    }
    *ret = copy;
    return 0;
}
