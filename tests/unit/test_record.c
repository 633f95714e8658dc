#include "core/chain/record.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"

#include "unit.h"

#define TABLE "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
#define BASE TABLE "/export/01795399200000-aaaaaaaa"
#define LINK TABLE "/export/01795402800000-bbbbbbbb"
#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */

static Record link_record(void) {
    return (Record){.deployment = (char *)"acme",
                    .schedule = (char *)"half",
                    .table_arn = (char *)TABLE,
                    .table_id = (char *)"d6a5c3f0-0000",
                    .base_arn = (char *)BASE,
                    .base_wall = T0 + 60 * USEC_PER_SEC + 123 * USEC_PER_MSEC,
                    .export_arn = (char *)LINK,
                    .client_token = (char *)"31218bd8",
                    .previous_arn = (char *)BASE,
                    .from_wall = T0,
                    .to_wall = T0 + 30 * USEC_PER_MINUTE,
                    .bucket = (char *)"acme-exports",
                    .prefix = (char *)"daily/",
                    .manifest_key = (char *)"daily/AWSDynamoDB/01795402800000-bbbbbbbb/manifest-summary.json",
                    .summary_md5 = (char *)"FjvgqIxwymKf1RbbqtrZag==",
                    .item_count = 17};
}

static Record base_record(void) {
    Record r = link_record();
    r.export_arn = r.base_arn;
    r.previous_arn = NULL;
    r.from_wall = r.to_wall = WALL_UNKNOWN;
    return r;
}

static Record loss_record(void) {
    Record r = link_record();
    r.lost = (char *)"point-in-time recovery is off";
    r.export_arn = r.client_token = r.previous_arn = r.manifest_key = r.summary_md5 = NULL;
    r.item_count = COUNT_UNKNOWN;
    return r;
}

static void keys(void **state) {
    AUTO_FREE char *key = NULL, *folder = NULL;
    Record r = link_record();
    assert_int_equal(record_key(&r, &key), 0);
    assert_string_equal(key,
                        "daily/ddbackupd/123456789012/eu-central-1/orders/d6a5c3f0-0000/half.01795399200000-aaaaaaaa/"
                        "20261123T020000Z-20261123T023000Z.json");
    free(TAKE_PTR(key));
    r.attempt = 3;
    assert_int_equal(record_key(&r, &key), 0);
    assert_string_equal(strstr(key, "/20261123T0"), "/20261123T020000Z-20261123T023000Z.3.json");
    free(TAKE_PTR(key));
    r = loss_record();
    assert_int_equal(record_key(&r, &key), 0);
    assert_string_equal(key,
                        "daily/ddbackupd/123456789012/eu-central-1/orders/d6a5c3f0-0000/half.01795399200000-aaaaaaaa/"
                        "lost-20261123T020000Z-20261123T023000Z.json");
    free(TAKE_PTR(key));
    r = base_record();
    r.prefix = NULL;
    assert_int_equal(record_key(&r, &key), 0);
    assert_string_equal(key, "ddbackupd/123456789012/eu-central-1/orders/d6a5c3f0-0000/half.01795399200000-aaaaaaaa/"
                             "base.json");
    assert_int_equal(record_folder("a/b", TABLE, &folder), 0);
    assert_string_equal(folder, "a/b/ddbackupd/123456789012/eu-central-1/orders/");
    static const char *const none[] = {"", "orders", "arn:aws:dynamodb:eu-central-1:123456789012:backup/orders",
                                       "arn:aws:dynamodb::123456789012:table/orders", TABLE "/export/1",
                                       "arn:aws:dynamodb:eu-central-1:123456789012:table/"};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        r.table_arn = (char *)none[i];
        assert_int_equal(record_key(&r, &key), -EINVAL);
    }
    r = base_record();
    r.base_arn = (char *)TABLE;
    assert_int_equal(record_key(&r, &key), -EINVAL);
}

static void as_it_is_written(void **state) {
    Record r = link_record();
    AUTO_FREE char *json = NULL;
    assert_int_equal(record_write(&r, &json), 0);
    assert_string_equal(
        json, "{\"version\":1,\"deployment\":\"acme\",\"schedule\":\"half\",\"tableArn\":\"" TABLE "\","
              "\"tableId\":\"d6a5c3f0-0000\",\"baseArn\":\"" BASE "\",\"baseExportTime\":\"2026-11-23T02:01:00.123Z\","
              "\"exportArn\":\"" LINK "\",\"clientToken\":\"31218bd8\","
              "\"previousArn\":\"" BASE "\",\"exportFromTime\":\"2026-11-23T02:00:00Z\","
              "\"exportToTime\":\"2026-11-23T02:30:00Z\",\"s3Bucket\":\"acme-exports\",\"s3Prefix\":\"daily/\","
              "\"manifestSummaryS3Key\":\"daily/AWSDynamoDB/01795402800000-bbbbbbbb/manifest-summary.json\","
              "\"manifestSummaryMd5\":\"FjvgqIxwymKf1RbbqtrZag==\",\"manifestFilesMd5\":null,\"itemCount\":17}\n");
}

static void loss_as_it_is_written(void **state) {
    Record r = loss_record();
    AUTO_FREE char *json = NULL;
    r.prefix = NULL;
    assert_int_equal(record_write(&r, &json), 0);
    assert_string_equal(
        json, "{\"version\":1,\"deployment\":\"acme\",\"schedule\":\"half\",\"tableArn\":\"" TABLE "\","
              "\"tableId\":\"d6a5c3f0-0000\",\"baseArn\":\"" BASE "\",\"baseExportTime\":\"2026-11-23T02:01:00.123Z\","
              "\"exportArn\":null,\"previousArn\":null,\"exportFromTime\":\"2026-11-23T02:00:00Z\","
              "\"exportToTime\":\"2026-11-23T02:30:00Z\",\"lost\":\"point-in-time recovery is off\","
              "\"s3Bucket\":\"acme-exports\",\"s3Prefix\":null,\"manifestSummaryS3Key\":null,"
              "\"manifestSummaryMd5\":null,\"manifestFilesMd5\":null,\"itemCount\":null}\n");
}

static Record record_of(int i) {
    Record r = i == 1 ? base_record() : i == 2 || i == 3 ? loss_record() : link_record();
    if (i == 3)
        r.export_arn = r.base_arn;
    if (i == 4)
        r.attempt = 2;
    return r;
}

static void read_back(void **state) {
    for (int i = 0; i < 5; i++) {
        CLEANUP(record_done) Record found = {};
        AUTO_FREE char *json = NULL;
        char why[CODEC_WHY_SIZE];
        Record r = record_of(i);
        assert_int_equal(record_write(&r, &json), 0);
        assert_int_equal(record_read(json, strlen(json), &found, why), 0);
        assert_null(record_difference(&r, &found));
        assert_int_equal(record_is_base(&found), i == 1);
        assert_int_equal(found.lost != NULL, i == 2 || i == 3);
        assert_int_equal(found.attempt, i == 4 ? 2 : 0);
        assert_int_equal(found.from_wall, r.from_wall);
        assert_int_equal(found.base_wall, r.base_wall);
        assert_null(found.files_md5);
    }
}

/* One replacement in a good record, and what is said of it. */
static void what_is_none(void **state) {
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        {"\"version\":1", "\"version\":2", "version is none that this program reads"},
        {"\"schedule\":\"half\",", "", "schedule is missing"},
        {"\"exportFromTime\":\"2026-11-23T02:00:00Z\"", "\"exportFromTime\":null", "exportFromTime is missing"},
        {"2026-11-23T02:30:00Z", "2026-11-23T02:00:00Z", "exportToTime makes no window"},
        {"2026-11-23T02:30:00Z", "tomorrow", "exportToTime is no date"},
        {"\"previousArn\":\"" BASE "\"", "\"previousArn\":null", "exportToTime makes no window"},
        {"\"itemCount\":17", "\"itemCount\":-1", NULL},
        {"\"exportArn\":\"" LINK "\",", "", "exportArn is missing"},
        {"\"manifestSummaryS3Key\":\"daily/AWSDynamoDB/01795402800000-bbbbbbbb/manifest-summary.json\",", "",
         "manifestSummaryS3Key is missing"},
        {"\"itemCount\":17", "\"lost\":\"it is\"", "lost is no link's"},
        {"\"exportArn\":\"" LINK "\"", "\"attempt\":2,\"exportArn\":\"" BASE "\"", "attempt is a link's"},
        {"}\n", "", NULL},
    };
    Record r = link_record();
    AUTO_FREE char *json = NULL;
    assert_int_equal(record_write(&r, &json), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(record_done) Record found = {};
        char why[CODEC_WHY_SIZE] = "";
        const char *at = strstr(json, rows[i].from);
        assert_non_null(at);
        AUTO_FREE char *bad = text_format("%.*s%s%s", (int)(at - json), json, rows[i].to, at + strlen(rows[i].from));
        if (record_read(bad, strlen(bad), &found, why) != -EBADMSG || (rows[i].why && strcmp(why, rows[i].why) != 0))
            fail_msg("row %zu: %s", i, why);
    }
}

static void what_differs(void **state) {
    Record a = link_record(), b = link_record();
    b.summary_md5 = NULL;
    b.files_md5 = (char *)"other";
    b.item_count = COUNT_UNKNOWN;
    assert_null(record_difference(&a, &b));
    b.item_count = 18;
    assert_string_equal(record_difference(&a, &b), "itemCount");
    b = link_record();
    b.summary_md5 = (char *)"other";
    assert_string_equal(record_difference(&a, &b), "manifestSummaryMd5");
    b = link_record();
    b.client_token = NULL;
    assert_null(record_difference(&a, &b));
    b.client_token = (char *)"other";
    assert_string_equal(record_difference(&a, &b), "clientToken");
    b = link_record();
    b.previous_arn = (char *)LINK;
    assert_string_equal(record_difference(&a, &b), "previousArn");
    b = link_record();
    b.to_wall += USEC_PER_SEC;
    assert_string_equal(record_difference(&a, &b), "exportToTime");
    b = link_record();
    b.prefix = NULL;
    assert_string_equal(record_difference(&a, &b), "s3Prefix");
    b = link_record();
    b.attempt = 2;
    assert_string_equal(record_difference(&a, &b), "attempt");
    a = loss_record();
    b = loss_record();
    b.lost = (char *)"for another reason";
    assert_null(record_difference(&a, &b));
    b.lost = NULL;
    assert_string_equal(record_difference(&a, &b), "lost");
}

UNIT_MAIN(cmocka_unit_test(keys), cmocka_unit_test(as_it_is_written), cmocka_unit_test(loss_as_it_is_written),
          cmocka_unit_test(read_back),
          cmocka_unit_test(what_is_none), cmocka_unit_test(what_differs))
