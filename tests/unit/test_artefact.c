#include "core/run/artefact.h"

#include "unit.h"

static Artefact *fresh(void) {
    Artefact *a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->created_wall = a->finished_wall = a->verified_wall = WALL_UNKNOWN;
    a->size_bytes = a->item_count = COUNT_UNKNOWN;
    return a;
}

static void every_field_of_a_backup_is_kept(void **state) {
    CLEANUP(artefact_free_ptr) Artefact *a = fresh();
    BackupInfo b = {.arn = "arn",
                    .name = "na\"me",
                    .status = BACKUP_AVAILABLE,
                    .status_text = "AVAILABLE",
                    .type = "USER",
                    .size_bytes = 7,
                    .created_wall = USEC_PER_SEC,
                    .expires_wall = 2 * USEC_PER_SEC,
                    .table_name = "t",
                    .table_id = "id",
                    .table_arn = "tarn",
                    .table_size_bytes = 9,
                    .item_count = 3,
                    .billing_mode = "PROVISIONED",
                    .table_created_wall = 0};
    assert_int_equal(artefact_take_backup(a, &b), 0);
    assert_string_equal(a->details,
                        "{\"BackupArn\":\"arn\",\"BackupName\":\"na\\\"me\",\"BackupStatus\":\"AVAILABLE\","
                        "\"BackupType\":\"USER\","
                        "\"BackupSizeBytes\":7,\"BackupCreationDateTime\":\"1970-01-01T00:00:01Z\","
                        "\"BackupExpiryDateTime\":\"1970-01-01T00:00:02Z\",\"TableName\":\"t\",\"TableId\":\"id\","
                        "\"TableArn\":\"tarn\","
                        "\"TableCreationDateTime\":\"1970-01-01T00:00:00Z\",\"TableSizeBytes\":9,\"ItemCount\":3,"
                        "\"BillingMode\":\"PROVISIONED\"}");
    assert_int_equal(a->size_bytes, 7);
    assert_int_equal(a->created_wall, USEC_PER_SEC);
}

/* CreateBackup's reply tells less than DescribeBackup's: what was known stays. */
static void a_poorer_reply_takes_nothing_away(void **state) {
    CLEANUP(artefact_free_ptr) Artefact *a = fresh();
    BackupInfo rich = {.arn = "arn",
                       .name = "n",
                       .status_text = "AVAILABLE",
                       .table_id = "id",
                       .size_bytes = 7,
                       .created_wall = 5,
                       .expires_wall = WALL_UNKNOWN,
                       .item_count = 3,
                       .table_size_bytes = COUNT_UNKNOWN,
                       .table_created_wall = WALL_UNKNOWN};
    BackupInfo poor = {.arn = "arn", .name = "n", .status_text = "CREATING", .size_bytes = COUNT_UNKNOWN,
                       .created_wall = WALL_UNKNOWN, .expires_wall = WALL_UNKNOWN, .item_count = COUNT_UNKNOWN,
                       .table_size_bytes = COUNT_UNKNOWN, .table_created_wall = WALL_UNKNOWN};
    assert_int_equal(artefact_take_backup(a, &rich), 0);
    assert_int_equal(artefact_take_backup(a, &poor), 0);
    assert_string_equal(a->table_id, "id");
    assert_string_equal(a->status, "CREATING");
    assert_int_equal(a->size_bytes, 7);
    assert_int_equal(a->created_wall, 5);
}

static void an_export_is_as_old_as_its_content(void **state) {
    CLEANUP(artefact_free_ptr) Artefact *a = fresh();
    ExportInfo e = {.arn = "arn", .status_text = "COMPLETED", .client_token = "token", .start_wall = 30, .end_wall = 40,
                    .export_wall = 20, .from_wall = WALL_UNKNOWN, .to_wall = WALL_UNKNOWN, .billed_size_bytes = 1,
                    .item_count = 0, .failure_code = "F", .failure_message = "because"};
    assert_int_equal(artefact_take_export(a, &e), 0);
    assert_int_equal(a->created_wall, 20);
    assert_int_equal(a->finished_wall, 40);
    assert_int_equal(a->item_count, 0);
    assert_non_null(strstr(a->details, "\"FailureMessage\":\"because\""));
}

static void lives_come_back(void **state) {
    for (int i = 0; i <= ARTEFACT_GONE; i++) {
        ArtefactLife l;
        assert_int_equal(artefact_life_from_string(artefact_life_to_string((ArtefactLife)i), &l), 0);
        assert_int_equal(l, i);
    }
}

UNIT_MAIN(cmocka_unit_test(every_field_of_a_backup_is_kept), cmocka_unit_test(a_poorer_reply_takes_nothing_away),
          cmocka_unit_test(an_export_is_as_old_as_its_content), cmocka_unit_test(lives_come_back))
