/* Records of chains, which lie in a bucket, where anybody may have written them. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "core/chain/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

/* What was read is written so that it reads as the same. */
static void record(const char *body, size_t len) {
    CLEANUP(record_done) Record r = {};
    CLEANUP(record_done) Record again = {};
    AUTO_FREE char *json = NULL, *key = NULL;
    char why[CODEC_WHY_SIZE] = "";
    if (record_read(body, len, &r, why) < 0) {
        check(why[0] != '\0');
        return;
    }
    check(record_is_base(&r) || (r.from_wall < r.to_wall && !r.previous_arn == (r.lost != NULL)));
    check(r.lost || (r.export_arn && r.manifest_key));
    check(r.attempt == 0 || r.previous_arn);
    (void)record_key(&r, &key);
    if (record_write(&r, &json) < 0)
        return;
    check(record_read(json, strlen(json), &again, why) == 0 && !record_difference(&r, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    record((const char *)data, size);
    return 0;
}
