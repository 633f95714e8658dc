/* What lies in a bucket, where anybody may have written it: manifests, checksums, gzip streams; S3's errors, lifecycle
 * rules and listings. The first byte says which. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/aws/object_list.h"
#include "core/aws/s3.h"
#include "core/format/gunzip.h"
#include "core/verify/lifecycle.h"
#include "core/verify/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds) {
    if (!holds)
        abort();
}

static void summary(const char *body, size_t len) {
    ManifestSummary s;
    char why[CODEC_WHY_SIZE] = "";
    int r = manifest_read_summary(body, len, &s, why);
    check(r == 0 ? s.export_arn && s.files_key && s.item_count >= 0 && s.from_wall >= WALL_UNKNOWN : why[0] != '\0');
    manifest_summary_done(&s);
}

static void file(const char *body, size_t len) {
    ManifestFile f;
    char why[CODEC_WHY_SIZE] = "";
    int r = manifest_read_file(body, len, &f, why);
    check(r == 0 ? f.key && f.item_count >= 0 : why[0] != '\0');
    if (r == 0 && manifest_may_name(f.key, "p", "01768385930622-efd1a093")) {
        check(text_starts_with(f.key, "p/AWSDynamoDB/") && !strstr(f.key, ".."));
        (void)manifest_match(&f, f.etag, NULL);
    }
    manifest_file_done(&f);
}

static void stream(const uint8_t *data, size_t size) {
    CLEANUP(gunzip_free_ptr) Gunzip *g = NULL;
    int64_t n_lines = 0;
    check(gunzip_new(&g) == 0);
    size_t half = size / 2;
    if (gunzip_add(g, data, half) == 0 && gunzip_add(g, data + half, size - half) == 0 && gunzip_end(g, &n_lines) == 0)
        check(n_lines >= 0);
}

static void range(const char *body, size_t len) {
    CLEANUP(aws_reply_free_ptr) AwsReply *a = NULL;
    CLEANUP(http_reply_free_ptr) HttpReply *r = calloc(1, sizeof *r);
    AUTO_FREE char *text = strndup(body, len);
    char why[CODEC_WHY_SIZE];
    check(r && text);
    r->body = strdup("12345");
    r->body_len = 5;
    check(http_headers_add(&r->headers, "Content-Range", text) == 0);
    if (s3_decode(AWS_OP_GET_OBJECT, r, &a, why) == 0)
        check(a->object.first >= 0 && a->object.size >= a->object.first + 5);
}

static void rules(const char *body, size_t len) {
    LifecycleRules l;
    if (lifecycle_read(body, len, &l) < 0)
        return;
    check(l.n_items > 0);
    for (size_t i = 0; i < l.n_items; i++) {
        check(l.items[i].expire_usec >= 0 && l.items[i].archive_usec >= 0 && l.items[i].abort_usec >= 0);
        check(!lifecycle_touches(&l.items[i], "p") || l.items[i].enabled);
    }
    lifecycle_done(&l);
}

/* Two pages, the same each time: the second adds what the first had. */
static void listing(const char *body, size_t len) {
    CLEANUP(object_list_done) ObjectList l = {};
    AUTO_FREE char *query = NULL;
    if (object_list_read(body, len, &l) < 0)
        return;
    size_t n = l.n_keys;
    check(object_list_query("p", l.next, &query) < 0 || !l.next == text_starts_with(query, "list-type"));
    check(object_list_read(body, len, &l) == 0 && l.n_keys == 2 * n);
    for (size_t i = 0; i < n; i++)
        check(strcmp(l.keys[i], l.keys[n + i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const char *body = (const char *)data + 1;
    size_t len = size - 1;
    uint8_t md5[DIGEST_MD5_SIZE];
    char code[16], message[16];
    switch (data[0]) {
    case 's':
        summary(body, len);
        break;
    case 'f':
        file(body, len);
        break;
    case 'm':
        (void)manifest_read_md5(body, len, md5);
        break;
    case 'z':
        stream(data + 1, len);
        break;
    case 'l':
        rules(body, len);
        break;
    case 'r':
        range(body, len);
        break;
    case 'o':
        listing(body, len);
        break;
    default:
        check(s3_error(body, len, code, sizeof code, message, sizeof message) == 0);
        check(strlen(code) < sizeof code && strlen(message) < sizeof message);
    }
    return 0;
}
