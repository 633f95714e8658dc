#include <zlib.h>

#include "item_bench.h"

static const ServiceSeed orders = {.name = (char *)"orders", .pitr = true};

/* ---- reading what is in the bucket ---- */

static bool get(ItemBench *b, const char *key) {
    AUTO_FREE char *target = text_format("/acme/%s", key);
    ServiceRequest q = {.method = "GET", .target = target};
    bench_send(b, &q);
    return b->reply.status == 200;
}

static const char *header(const ItemBench *b, const char *name) {
    for (size_t i = 0; i < b->reply.n_headers; i++)
        if (strcasecmp(b->reply.headers[i].name, name) == 0)
            return b->reply.headers[i].value;
    return "(absent)";
}

static void add_unzipped(Text *t, const char *bytes, size_t n) {
    char room[100000];
    z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)n};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    for (int status = Z_OK; status != Z_STREAM_END;) {
        z.next_out = (Bytef *)room;
        z.avail_out = sizeof room;
        status = inflate(&z, Z_NO_FLUSH);
        assert_true(status == Z_OK || status == Z_STREAM_END);
        text_add_bytes(t, room, sizeof room - z.avail_out);
    }
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
}

static int compare_strings(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The lines of all data files that the manifest in this folder names, sorted; checks their sums on the way. To be
 * freed. */
static char *data_of(ItemBench *b, const char *folder, int64_t n_wanted) {
    AUTO_FREE char *key = text_format("%s/manifest-files.json", folder);
    AUTO_TEXT all = TEXT_INIT(1u << 24);
    AUTO_TEXT sorted = TEXT_INIT(1u << 24);
    int64_t n = 0;
    size_t n_lines = 0;
    assert_true(get(b, key));
    AUTO_FREE char *manifest = strdup(text_get(&b->reply.body));
    for (char *rest = manifest, *line; (line = strsep(&rest, "\n")) && *line;) {
        CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
        int64_t n_items;
        assert_int_equal(service_json_parse(line, strlen(line), &j), 0);
        assert_int_equal(service_json_to_int(service_json_get(j, "itemCount"), &n_items), 0);
        assert_true(get(b, service_json_get_string(j, "dataFileS3Key")));
        AUTO_FREE char *etag = text_format("\"%s\"", service_json_get_string(j, "etag"));
        assert_string_equal(header(b, "ETag"), etag);
        add_unzipped(&all, text_get(&b->reply.body), b->reply.body.len);
        n += n_items;
    }
    assert_int_equal(n, n_wanted);
    char *lines[1000];
    for (char *rest = (char *)text_get(&all), *line; (line = strsep(&rest, "\n")) && *line;)
        lines[n_lines++] = line;
    assert_int_equal(n_lines, n_wanted);
    if (n_lines > 1)
        qsort(lines, n_lines, sizeof lines[0], compare_strings);
    for (size_t i = 0; i < n_lines; i++)
        text_addf(&sorted, "%s\n", lines[i]);
    char *ret = NULL;
    assert_int_equal(text_take(&sorted, &ret), 0);
    return ret;
}

/* Starts an export; `more` are members of the request. The folder of its manifests, to be freed. */
static char *export(ItemBench *b, const char *more) {
    AUTO_FREE char *body = text_format("{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"acme\"%s}", more);
    call(b, "ExportTableToPointInTime", body, "");
    const ServiceJson *d = service_json_get(b->json, "ExportDescription");
    const char *prefix = service_json_get_string(d, "S3Prefix"), *arn = service_json_get_string(d, "ExportArn");
    return text_format("%s%sAWSDynamoDB/%s", prefix ? prefix : "", prefix ? "/" : "", strrchr(arn, '/') + 1);
}

static char *export_window(ItemBench *b, Usec from_wall, Usec to_wall, const char *more) {
    AUTO_FREE char *members = text_format(",\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{"
                                          "\"ExportFromTime\":%lld,\"ExportToTime\":%lld%s}",
                                          (long long)(from_wall / USEC_PER_SEC), (long long)(to_wall / USEC_PER_SEC),
                                          more);
    return export(b, members);
}

static void finish(ItemBench *b) { b->now += 5 * USEC_PER_SEC; }

static void write_items(ItemBench *b, int64_t first, int64_t n, const char *mark) {
    assert_int_equal(service_write_items(b->service, HERE, "orders", first, n, mark, b->now), 0);
}

static bool has(ItemBench *b, const char *folder, const char *name) {
    AUTO_FREE char *key = text_format("%s/%s", folder, name);
    return get(b, key);
}

#define ITEM(number, mark) "{\"id\":{\"S\":\"item-0000000" number "\"},\"mark\":{\"S\":\"" mark "\"}}"

/* ---- layout ---- */

/* Byte for byte what a published export of AWS has. */
static void an_empty_table(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    AUTO_FREE char *folder = export(&b, "");
    const char *id = strrchr(folder, '/') + 1;
    assert_true(has(&b, folder, "_started"));
    assert_int_equal(b.reply.body.len, 0);
    assert_false(has(&b, folder, "manifest-summary.json"));
    finish(&b);
    assert_true(has(&b, folder, "manifest-files.json"));
    AUTO_FREE char *manifest = strdup(text_get(&b.reply.body));
    int n = 0;
    for (const char *s = manifest; *s; s = strchr(s, '\n') + 1, n++) {
        AUTO_FREE char *line = text_format(
            "{\"itemCount\":0,\"md5Checksum\":\"FjvgqIxwymKf1RbbqtrZag==\","
            "\"etag\":\"7deb4078f238dd87d6af0538152c04e9-1\","
            "\"dataFileS3Key\":\"%s/data/",
            folder);
        assert_true(text_starts_with(s, line));
        const char *name = s + strlen(line);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz234567"), 26);
        assert_true(text_starts_with(name + 26, ".json.gz\"}\n"));
    }
    assert_int_equal(n, 4);
    assert_true(has(&b, folder, "manifest-files.md5"));
    assert_int_equal(b.reply.body.len, 24);
    assert_true(has(&b, folder, "manifest-summary.md5"));
    call(&b, "DescribeTable", "{\"TableName\":\"orders\"}", "");
    AUTO_FREE char *table_id = strdup(service_json_get_string(service_json_get(b.json, "Table"), "TableId"));
    assert_true(has(&b, folder, "manifest-summary.json"));
    AUTO_FREE char *summary = text_format(
        "{\"version\":\"2020-06-30\",\"exportArn\":\"" TABLE_ARN "/export/%s\","
        "\"startTime\":\"2026-11-24T12:00:00.123Z\","
        "\"endTime\":\"2026-11-24T12:00:05.123Z\",\"tableArn\":\"" TABLE_ARN "\",\"tableId\":\"%s\","
        "\"exportTime\":\"2026-11-24T12:00:00.123Z\",\"s3Bucket\":\"acme\",\"s3Prefix\":null,"
        "\"s3SseAlgorithm\":\"AES256\","
        "\"s3SseKmsKeyId\":null,\"manifestFilesS3Key\":\"%s/manifest-files.json\",\"billedSizeBytes\":0,"
        "\"itemCount\":0,"
        "\"outputFormat\":\"DYNAMODB_JSON\"}",
        id, table_id, folder);
    expect_reply(&b, summary);
    bench_close(&b);
}

static void an_incremental_layout(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    write_items(&b, 1, 1, "one");
    b.now += 20 * USEC_PER_MINUTE;
    Usec from = NOON - NOON % USEC_PER_SEC;
    AUTO_FREE char *folder = export_window(&b, from, from + 15 * USEC_PER_MINUTE, "");
    finish(&b);
    AUTO_FREE char *data = data_of(&b, folder, 1);
    assert_string_equal(data, "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"1795521600123456\"}},"
                              "\"Keys\":{\"id\":{\"S\":"
                              "\"item-00000001\"}},\"NewImage\":" ITEM("1", "one") "}\n");
    assert_true(has(&b, folder, "manifest-files.json"));
    assert_non_null(strstr(text_get(&b.reply.body), "\"dataFileS3Key\":\"AWSDynamoDB/data/"));
    assert_true(has(&b, folder, "manifest-summary.json"));
    const char *summary = text_get(&b.reply.body);
    assert_true(text_starts_with(summary, "{\"version\":\"2023-08-01\","));
    assert_non_null(strstr(summary, "\"exportFromTime\":\"2026-11-24T12:00:00.000Z\",\"exportToTime\":"
                                    "\"2026-11-24T12:15:00.000Z\",\"s3Bucket\""));
    assert_null(strstr(summary, "exportTime"));
    assert_non_null(strstr(summary, "\"billedSizeBytes\":10000000,\"itemCount\":1,\"outputFormat\":\"DYNAMODB_JSON\","
                                    "\"outputView\":\"NEW_AND_OLD_IMAGES\",\"exportType\":\"INCREMENTAL_EXPORT\"}"));
    bench_close(&b);
}

static void prefixes_keys_and_formats(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    write_items(&b, 1, 1, "o'ne");
    AUTO_FREE char *folder = export(&b, ",\"S3Prefix\":\"daily/x\",\"S3SseAlgorithm\":\"KMS\","
                                        "\"S3SseKmsKeyId\":\"alias/k\","
                                        "\"ExportFormat\":\"ION\"");
    finish(&b);
    AUTO_FREE char *data = data_of(&b, folder, 1);
    assert_string_equal(data, "$ion_1_0 {Item:{id:\"item-00000001\",mark:\"o'ne\"}}\n");
    assert_string_equal(header(&b, "x-amz-server-side-encryption"), "aws:kms");
    assert_true(has(&b, folder, "manifest-summary.json"));
    assert_non_null(strstr(text_get(&b.reply.body), "\"s3Prefix\":\"daily/x\",\"s3SseAlgorithm\":\"KMS\","
                                                    "\"s3SseKmsKeyId\":\"alias/k\",\"manifestFilesS3Key\":\"daily/x/"));
    assert_non_null(strstr(text_get(&b.reply.body), "\"outputFormat\":\"ION\""));
    call(&b, "PutItem",
         "{\"TableName\":\"orders\",\"Item\":{\"id\":{\"S\":\"a\\\"\\n\"},\"no id\":{\"B\":\"aGk=\"},"
         "\"null\":{\"NULL\":true},"
         "\"s\":{\"NS\":[\"1\",\"2.5\"]},\"l\":{\"L\":[{\"BOOL\":true},{\"M\":{\"x1\":{\"N\":\"-3\"}}}]},"
         "\"1x\":{\"S\":\"\"}}}",
         "");
    b.now += USEC_PER_SEC;
    AUTO_FREE char *second = export(&b, ",\"ExportFormat\":\"ION\"");
    finish(&b);
    AUTO_FREE char *more = data_of(&b, second, 2);
    assert_true(text_starts_with(more, "$ion_1_0 {Item:{'1x':\"\",id:\"a\\\"\\x0a\",l:[true,{x1:-3.}],'no id':{{aGk=}},"
                                       "'null':null,s:$dynamodb_NS::[1.,2.5]}}\n"));
    bench_close(&b);
}

/* ---- content ---- */

static void a_full_export_is_of_its_instant(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    write_items(&b, 1, 2, "one");
    b.now += USEC_PER_HOUR;
    write_items(&b, 2, 1, "two");
    write_items(&b, 1, 1, NULL);
    b.now += USEC_PER_MINUTE;
    AUTO_FREE char *past = export(&b, ",\"ExportTime\":1795521700"), *present = export(&b, "");
    /* nothing that comes later gets in, not even at the same instant, nor what a clock set back makes earlier */
    write_items(&b, 7, 1, "late");
    b.now -= USEC_PER_MINUTE;
    write_items(&b, 8, 1, "later");
    b.now += 2 * USEC_PER_MINUTE;
    AUTO_FREE char *then = data_of(&b, past, 2), *now = data_of(&b, present, 1);
    assert_string_equal(then, "{\"Item\":" ITEM("1", "one") "}\n{\"Item\":" ITEM("2", "one") "}\n");
    assert_string_equal(now, "{\"Item\":" ITEM("2", "two") "}\n");
    bench_close(&b);
}

/* One record a key, with the state before the window and at its end. */
static void windows_are_compacted(void **state) {
    static const char *const views[] = {"", ",\"ExportViewType\":\"NEW_IMAGE\""};
    ItemBench b;
    bench_open(&b, &orders);
    write_items(&b, 1, 4, "before");
    b.now = NOON - NOON % USEC_PER_SEC + USEC_PER_MINUTE;
    Usec from = b.now, to = from + 30 * USEC_PER_MINUTE;
    write_items(&b, 1, 1, "at-from");
    write_items(&b, 5, 2, "inserted");
    b.now += USEC_PER_MINUTE;
    write_items(&b, 1, 1, "updated");
    write_items(&b, 2, 1, NULL);
    write_items(&b, 6, 1, NULL);
    b.now = to;
    write_items(&b, 3, 1, "at-to");
    b.now += USEC_PER_MINUTE;
    for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
        AUTO_FREE char *folder = export_window(&b, from, to, views[i]);
        finish(&b);
        AUTO_FREE char *data = data_of(&b, folder, 3);
        const char *old_1 = i == 0 ? ",\"OldImage\":" ITEM("1", "before") : "";
        const char *old_2 = i == 0 ? ",\"OldImage\":" ITEM("2", "before") : "";
        AUTO_FREE char *wanted = text_format(
            "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"%lld\"}},\"Keys\":{\"id\":{\"S\":\"item-00000005\"}},"
            "\"NewImage\":" ITEM("5", "inserted") "}\n"
            "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"%lld\"}},\"Keys\":{\"id\":{\"S\":\"item-00000001\"}},"
            "\"NewImage\":" ITEM("1", "updated") "%s}\n"
            "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"%lld\"}},"
            "\"Keys\":{\"id\":{\"S\":\"item-00000002\"}}%s}\n",
            (long long)from, (long long)(from + USEC_PER_MINUTE), old_1, (long long)(from + USEC_PER_MINUTE), old_2);
        assert_string_equal(data, wanted);
    }
    bench_close(&b);
}

/* The files of a table that is gone, whose name another has taken. */
static void exports_outlive_their_table(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    write_items(&b, 1, 1, "one");
    b.now += USEC_PER_SEC;
    AUTO_FREE char *folder = export(&b, "");
    b.now += USEC_PER_SEC;
    call(&b, "DeleteTable", "{\"TableName\":\"orders\"}", "");
    b.now += USEC_PER_SEC;
    call(&b, "CreateTable",
         "{\"TableName\":\"orders\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"id\","
         "\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]}",
         "");
    write_items(&b, 2, 1, "two");
    finish(&b);
    AUTO_FREE char *data = data_of(&b, folder, 1);
    assert_string_equal(data, "{\"Item\":" ITEM("1", "one") "}\n");
    bench_close(&b);
}

static void failures_leave_parts(void **state) {
    char *why = NULL;
    ItemBench b;
    bench_open(&b, &orders);
    write_items(&b, 1, 3, "one");
    b.now += USEC_PER_SEC;
    assert_int_equal(service_add_faults(b.service, "ExportTableToPointInTime fail-export UNKNOWN", &why), 0);
    AUTO_FREE char *folder = export(&b, "");
    finish(&b);
    assert_true(has(&b, folder, "_started"));
    assert_false(has(&b, folder, "manifest-files.json"));
    assert_false(has(&b, folder, "manifest-summary.json"));
    ServiceRequest list = {.method = "GET", .target = "/acme?list-type=2"};
    bench_send(&b, &list);
    assert_non_null(strstr(text_get(&b.reply.body), "<KeyCount>2</KeyCount>"));
    bench_close(&b);
}

static void buckets_decide(void **state) {
    static const ServiceBucketSeed buckets[] = {{.name = (char *)"mine"},
                                                {.name = (char *)"theirs", .owner = (char *)"333333333333"}};
    static const struct {
        const char *bucket, *owner, *status, *code;
    } rows[] = {
        {"mine", "", "COMPLETED", NULL},
        {"mine", ",\"S3BucketOwner\":\"123456789012\"", "COMPLETED", NULL},
        {"mine", ",\"S3BucketOwner\":\"333333333333\"", "FAILED", "S3AccessDenied"},
        {"theirs", "", "FAILED", "S3AccessDenied"},
        {"theirs", ",\"S3BucketOwner\":\"333333333333\"", "COMPLETED", NULL},
        {"nobodys", "", "FAILED", "S3NoSuchBucket"},
    };
    ItemBench b;
    bench_open(&b, &orders);
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++)
        assert_int_equal(service_add_bucket(b.service, &buckets[i]), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *body = text_format("{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"%s\"%s}", rows[i].bucket,
                                           rows[i].owner);
        call(&b, "ExportTableToPointInTime", body, "");
        const ServiceJson *d = service_json_get(b.json, "ExportDescription");
        assert_string_equal(service_json_get_string(d, "ExportStatus"), "IN_PROGRESS");
        AUTO_FREE char *again = text_format("{\"ExportArn\":\"%s\"}", service_json_get_string(d, "ExportArn"));
        finish(&b);
        call(&b, "DescribeExport", again, "");
        d = service_json_get(b.json, "ExportDescription");
        assert_string_equal(service_json_get_string(d, "ExportStatus"), rows[i].status);
        assert_true(text_equal(service_json_get_string(d, "FailureCode"), rows[i].code));
    }
    ServiceRequest q = {.method = "GET", .target = "/nobodys?list-type=2"};
    bench_send(&b, &q);
    assert_string_equal(b.reply.code, "NoSuchBucket");
    bench_close(&b);
}

/* ---- a base and its links make the table again ---- */

#define N_KEYS 40

static void apply_record(char *marks[N_KEYS], const char *line) {
    CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
    assert_int_equal(service_json_parse(line, strlen(line), &j), 0);
    const ServiceJson *image = service_json_get(j, service_json_get(j, "Item") ? "Item" : "NewImage");
    const ServiceJson *keys = service_json_get(j, service_json_get(j, "Item") ? "Item" : "Keys");
    const char *id = service_json_get_string(service_json_get(keys, "id"), "S");
    long number = strtol(id + strlen("item-"), NULL, 10);
    assert_true(number >= 0 && number < N_KEYS);
    assert_int_equal(text_set(&marks[number], service_json_get_string(service_json_get(image, "mark"), "S")), 0);
}

static void apply(ItemBench *b, char *marks[N_KEYS], const char *folder) {
    AUTO_FREE char *key = text_format("%s/manifest-summary.json", folder);
    int64_t n = 0;
    assert_true(get(b, key));
    assert_int_equal(service_json_to_int(service_json_get(b->json, "itemCount"), &n), 0);
    AUTO_FREE char *data = data_of(b, folder, n);
    for (char *rest = data, *line; (line = strsep(&rest, "\n")) && *line;)
        apply_record(marks, line);
}

static void expect_marks(ItemBench *b, char *marks[N_KEYS], Usec before_wall) {
    AUTO_TEXT wanted = TEXT_INIT(100000);
    AUTO_TEXT found = TEXT_INIT(100000);
    assert_int_equal(service_items_to_lines(b->service, HERE, "orders", before_wall, b->now, &wanted), 0);
    for (int i = 0; i < N_KEYS; i++)
        if (marks[i])
            text_addf(&found, "{\"id\":{\"S\":\"item-%08d\"},\"mark\":{\"S\":\"%s\"}}\n", i, marks[i]);
    assert_string_equal(text_get(&found), text_get(&wanted));
}

static void a_chain_replays(void **state) {
    const char *given = getenv("SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261124;
    print_message("SEED=%u\n", seed);
    srandom(seed);
    for (int round = 0; round < 20; round++) {
        char *marks[N_KEYS] = {};
        ItemBench b;
        bench_open(&b, &orders);
        write_items(&b, 0, N_KEYS / 2, "first");
        b.now += USEC_PER_SEC;
        Usec mark = b.now - b.now % USEC_PER_SEC;
        AUTO_FREE char *base = export(&b, "");
        finish(&b);
        apply(&b, marks, base);
        for (int link = 0; link < 5; link++) {
            Usec to = mark + 15 * USEC_PER_MINUTE + random() % 600 * USEC_PER_SEC;
            while (b.now <= to) {
                AUTO_FREE char *word = text_format("%ld", random());
                write_items(&b, random() % N_KEYS, 1, random() % 3 ? word : NULL);
                b.now += random() % (200 * USEC_PER_SEC);
            }
            AUTO_FREE char *folder = export_window(&b, mark, to, link % 2 ? ",\"ExportViewType\":\"NEW_IMAGE\"" : "");
            write_items(&b, random() % N_KEYS, 1, "meanwhile");
            finish(&b);
            apply(&b, marks, folder);
            expect_marks(&b, marks, to);
            mark = to;
        }
        for (int i = 0; i < N_KEYS; i++)
            free(marks[i]);
        bench_close(&b);
    }
}

UNIT_MAIN(cmocka_unit_test(an_empty_table), cmocka_unit_test(an_incremental_layout),
          cmocka_unit_test(prefixes_keys_and_formats), cmocka_unit_test(a_full_export_is_of_its_instant),
          cmocka_unit_test(windows_are_compacted), cmocka_unit_test(exports_outlive_their_table),
          cmocka_unit_test(failures_leave_parts), cmocka_unit_test(buckets_decide), cmocka_unit_test(a_chain_replays))
