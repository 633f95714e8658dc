#include "core/chain/recall.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/aws/object_list.h"
#include "core/run/drive.h"

#include "unit.h"

#define TABLE "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */
#define HOUR USEC_PER_HOUR
#define START (T0 - USEC_PER_MINUTE) /* of the first link on a base of T0 */

static Record base(const char *arn, Usec wall) {
    return (Record){.schedule = (char *)"half", .table_arn = (char *)TABLE, .table_id = (char *)"id-1",
                    .base_arn = (char *)arn, .export_arn = (char *)arn, .base_wall = wall,
                    .from_wall = WALL_UNKNOWN, .to_wall = WALL_UNKNOWN};
}

static Record link_of(const char *base_arn, const char *arn, const char *previous, Usec from, Usec to) {
    Record r = base(base_arn, T0);
    r.export_arn = (char *)arn;
    r.previous_arn = (char *)previous;
    r.from_wall = from;
    r.to_wall = to;
    return r;
}

/* What the facts come to at T0 + 20 h, with a table that can be restored from `earliest` on. */
static void expect_all(const RecallFacts *facts, const char *table_id, Usec earliest, const char *expected) {
    CLEANUP(lineage_free_ptr) Lineage *l = NULL;
    CLEANUP(target_free_ptr) Target *t = NULL;
    CLEANUP(spans_done) Spans spans = {};
    Enrolment *enrolment;
    CLEANUP(recall_done) Recall found = {};
    AUTO_TEXT text = TEXT_INIT(1000);
    assert_int_equal(lineage_new("own", "eu-central-1", "orders", "half", &l), 0);
    assert_int_equal(target_new("own", "eu-central-1", "orders", &t), 0);
    assert_int_equal(target_enrol(t, "half", &enrolment), 0);
    assert_int_equal(text_set(&t->table_id, table_id), 0);
    l->enrolment = enrolment;
    l->recovery_wall = T0 + 20 * HOUR;
    l->recovery = (RecoveryInfo){.pitr_enabled = earliest != USEC_INFINITY,
                                 .period_days = 35,
                                 .earliest_wall = earliest,
                                 .latest_wall = T0 + 20 * HOUR};
    assert_int_equal(recall_chains(l, facts, (Now){.wall = T0 + 20 * HOUR}, &found), 0);
    assert_int_equal(spans_make(l, found.reaches, found.n_reaches, 24 * HOUR, T0 + 20 * HOUR, &spans), 0);
    for (size_t i = 0; i < spans.n_items; i++) {
        const Span *s = &spans.items[i];
        text_addf(&text, "%s%s %lld-%lld", i ? ", " : "", span_kind_to_string(s->kind),
                  (long long)((s->from_wall - T0) / HOUR),
                  s->to_wall == USEC_INFINITY ? -1LL : (long long)((s->to_wall - T0) / HOUR));
        if (s->attempt > 0)
            text_addf(&text, " (%d: %s)", s->attempt, s->state ? s->state : "failed");
    }
    assert_string_equal(text_get(&text), expected);
}

static void expect_with(const Record *records, size_t n, const ExportInfo *exports, size_t n_exports,
                        const char *table_id, Usec earliest, const char *expected) {
    expect_all(&(RecallFacts){.deployment = "acme", .records = records, .n_records = n, .exports = exports,
                              .n_exports = n_exports},
               table_id, earliest, expected);
}

static void expect(const Record *records, size_t n, const char *table_id, Usec earliest, const char *expected) {
    expect_with(records, n, NULL, 0, table_id, earliest, expected);
}

static void rows_of_links(void **state) {
    Record r[] = {base("b1", T0), link_of("b1", "k1", "b1", START, T0 + HOUR),
                  link_of("b1", "k2", "k1", T0 + HOUR, T0 + 3 * HOUR),
                  link_of("b1", "k4", "k3", T0 + 4 * HOUR, T0 + 5 * HOUR)};
    expect(r, 0, "id-1", 0, "");
    expect(r, 1, "id-1", 0, "COVERED 0-0, IN FLIGHT 0-20");
    expect(r, 3, "id-1", 0, "COVERED 0-3, IN FLIGHT 3-20");
    expect(r, 4, "id-1", 0, "COVERED 0-3, IN FLIGHT 3-20"); /* a hole */
    expect(r + 1, 3, "id-1", 0, "");                         /* no base */
    r[2].previous_arn = (char *)"other";
    expect(r, 4, "id-1", 0, "COVERED 0-1, IN FLIGHT 1-20");
    r[2].previous_arn = (char *)"k1";
    r[2].from_wall += USEC_PER_SEC;
    expect(r, 4, "id-1", 0, "COVERED 0-1, IN FLIGHT 1-20");
    r[0].schedule = (char *)"other";
    expect(r, 4, "id-1", 0, "");
}

static void what_is_lost(void **state) {
    const Record r[] = {base("b1", T0), link_of("b1", "k1", "b1", START, T0 + 3 * HOUR)};
    expect(r, 2, "id-1", T0 + 3 * HOUR, "COVERED 0-3, IN FLIGHT 3-20");
    expect(r, 2, "id-1", T0 + 3 * HOUR + 1, "COVERED 0-3, LOST 3--1");
    expect(r, 2, "id-1", USEC_INFINITY, "COVERED 0-3, LOST 3--1");
    expect(r, 2, "id-2", 0, "COVERED 0-3, LOST 3--1");
}

static void bases_follow_each_other(void **state) {
    Record r[] = {base("b2", T0 + 10 * HOUR), base("b1", T0), link_of("b1", "k1", "b1", START, T0 + 3 * HOUR),
                  link_of("b1", "k2", "k1", T0 + 3 * HOUR, T0 + 10 * HOUR)};
    expect(r, 3, "id-1", 0, "COVERED 0-3, IN FLIGHT 3-10, COVERED 10-10, IN FLIGHT 10-20");
    expect(r, 3, "id-1", T0 + 5 * HOUR, "COVERED 0-3, LOST 3-10, COVERED 10-10, IN FLIGHT 10-20");
    expect(r, 4, "id-1", T0 + 5 * HOUR, "COVERED 0-10, COVERED 10-10, IN FLIGHT 10-20");
    expect(r, 3, "id-1", T0 + 15 * HOUR, "COVERED 0-3, LOST 3-10, COVERED 10-10, LOST 10--1");
}

/* An export of our token, or of another's, that has no record. */
static ExportInfo export_of(const char *arn, Usec from, Usec to, int attempt, ExportStatus status, char *token) {
    assert_int_equal(export_link_token("acme", "123456789012", "id-1", "half", START, from, to, attempt, token), 0);
    return (ExportInfo){.arn = (char *)arn,
                        .status = status,
                        .status_text = (char *)"",
                        .type = (char *)"INCREMENTAL_EXPORT",
                        .table_arn = (char *)TABLE, .table_id = (char *)"id-1",
                        .client_token = token,
                        .from_wall = from,
                        .to_wall = to,
                        .start_wall = to,
                        .end_wall = WALL_UNKNOWN,
                        .export_wall = WALL_UNKNOWN,
                        .billed_size_bytes = COUNT_UNKNOWN,
                        .item_count = COUNT_UNKNOWN};
}

static void what_is_under_way(void **state) {
    char tokens[4][EXPORT_TOKEN_SIZE];
    const Record r[] = {base("b1", T0), link_of("b1", "k1", "b1", START, T0 + 3 * HOUR)};
    ExportInfo e[] = {export_of("k3", T0 + 5 * HOUR, T0 + 6 * HOUR, 1, EXPORT_COMPLETED, tokens[0]),
                      export_of("k2a", T0 + 3 * HOUR, T0 + 5 * HOUR, 1, EXPORT_FAILED, tokens[1]),
                      export_of("k2b", T0 + 3 * HOUR, T0 + 5 * HOUR, 2, EXPORT_IN_PROGRESS, tokens[2]),
                      export_of("k1", START, T0 + 3 * HOUR, 1, EXPORT_COMPLETED, tokens[3])};
    expect_with(r, 2, e, 4, "id-1", 0,
                "COVERED 0-3, IN FLIGHT 3-5 (2: in_progress), IN FLIGHT 5-6 (1: verifying), IN FLIGHT 6-20");
    expect_with(r, 2, e, 2, "id-1", 0,
                "COVERED 0-3, IN FLIGHT 3-5 (1: failed), IN FLIGHT 5-6 (1: verifying), IN FLIGHT 6-20");
    /* what was accepted is had until it fails; what failed cannot be had again */
    expect_with(r, 2, e, 4, "id-1", T0 + 7 * HOUR,
                "COVERED 0-3, IN FLIGHT 3-5 (2: in_progress), IN FLIGHT 5-6 (1: verifying), LOST 6--1");
    expect_with(r, 2, e, 2, "id-1", T0 + 5 * HOUR, "COVERED 0-3, LOST 3--1");
    /* others' exports, other kinds, other chains' */
    memcpy(tokens[2], "others", sizeof "others");
    expect_with(r, 2, e + 2, 1, "id-1", 0, "COVERED 0-3, IN FLIGHT 3-20");
    e[1].type = NULL;
    expect_with(r, 2, e, 2, "id-1", 0, "COVERED 0-3, IN FLIGHT 3-20");
    expect_with(r, 1, e + 3, 1, "id-1", 0, "IN FLIGHT 0-3 (1: verifying), COVERED 0-0, IN FLIGHT 3-20");
}

/* What is asked about, by the instant in its ARN. */
static void what_is_asked_about(void **state) {
    static const struct {
        const char *arn, *type;
        ExportStatus status;
        bool wanted;
    } rows[] = {
        {TABLE "/export/01795406400000-aaaaaaaa", "INCREMENTAL_EXPORT", EXPORT_COMPLETED, true},
        {TABLE "/export/01795406399999-aaaaaaaa", "INCREMENTAL_EXPORT", EXPORT_COMPLETED, false},
        {TABLE "/export/01795406400000-aaaaaaaa", "FULL_EXPORT", EXPORT_IN_PROGRESS, false},
        {TABLE "/export/01795406400000-aaaaaaaa", NULL, EXPORT_IN_PROGRESS, false},
        {TABLE "/export/01795406400000-aaaaaaaa", "INCREMENTAL_EXPORT", EXPORT_FAILED, false},
        {TABLE "/export/01795442401000-aaaaaaaa", "INCREMENTAL_EXPORT", EXPORT_FAILED, true},
        {TABLE "/export/strange", "INCREMENTAL_EXPORT", EXPORT_FAILED, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ExportInfo e = {.arn = (char *)rows[i].arn, .type = (char *)rows[i].type, .status = rows[i].status};
        if (recall_wants_export(&e, T0 + 2 * HOUR, T0 + 20 * HOUR) != rows[i].wanted)
            fail_msg("row %zu", i);
    }
}

static Record loss_of(const char *base_arn, Usec from, Usec to) {
    Record r = link_of(base_arn, NULL, NULL, from, to);
    r.lost = (char *)"it was so";
    return r;
}

/* What is recorded as lost stays so, whatever has become of its chain. */
static void what_was_lost(void **state) {
    const Record r[] = {base("b1", T0), base("b2", T0 + 10 * HOUR), link_of("b1", "k1", "b1", START, T0 + 3 * HOUR),
                        link_of("b1", "k2", "k1", T0 + 3 * HOUR, T0 + 5 * HOUR)};
    Record loss = loss_of("b1", T0 + 3 * HOUR, T0 + 10 * HOUR);
    RecallFacts facts = {.deployment = "acme", .records = r, .n_records = 4, .losses = &loss, .n_losses = 1};
    expect_all(&facts, "id-1", 0, "COVERED 0-3, LOST 3-10, COVERED 10-10, IN FLIGHT 10-20");
    facts.records = r + 1; /* the first chain has expired */
    facts.n_records = 1;
    expect_all(&facts, "id-1", 0, "LOST 3-10, COVERED 10-10, IN FLIGHT 10-20");
    facts.records = r;
    facts.n_records = 4;
    loss = loss_of("b1", T0, T0 + 10 * HOUR);
    expect_all(&facts, "id-1", 0, "COVERED 0-0, LOST 0-10, COVERED 10-10, IN FLIGHT 10-20");
    loss.export_arn = loss.base_arn;
    expect_all(&facts, "id-1", 0, "LOST 0-10, COVERED 10-10, IN FLIGHT 10-20");
    loss.schedule = (char *)"other";
    expect_all(&facts, "id-1", 0, "COVERED 0-5, IN FLIGHT 5-10, COVERED 10-10, IN FLIGHT 10-20");
}

/* A link that was found damaged and made again is named by nobody: the ones that follow name the first. */
static void what_was_made_again(void **state) {
    Record r[] = {base("b1", T0), link_of("b1", "k2", "k1", T0 + HOUR, T0 + 3 * HOUR),
                  link_of("b1", "again", "b1", START, T0 + HOUR)};
    const Record gone = link_of("b1", "k1", "b1", START, T0 + HOUR);
    RecallFacts facts = {.deployment = "acme", .records = r, .n_records = 3, .gone = &gone, .n_gone = 1};
    r[2].attempt = 2;
    expect_all(&facts, "id-1", 0, "COVERED 0-3, IN FLIGHT 3-20");
    facts.n_records = 2; /* not yet */
    expect_all(&facts, "id-1", 0, "COVERED 0-0, IN FLIGHT 0-20");
    facts.n_records = 3;
    facts.n_gone = 0;
    expect_all(&facts, "id-1", 0, "COVERED 0-1, IN FLIGHT 1-20");
}

static void pages(void **state) {
    static const char first[] =
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><NextContinuationToken>a+b/c=</NextContinuationToken>"
        "<Contents><Key>a&amp;b</Key><Size>1</Size></Contents><Contents><Key>c</Key></Contents></ListBucketResult>";
    static const char last[] = "<ListBucketResult><Contents><Key>d</Key></Contents></ListBucketResult>";
    CLEANUP(object_list_done) ObjectList l = {};
    AUTO_FREE char *query = NULL, *next = NULL;
    assert_int_equal(object_list_query("a b/c", NULL, &query), 0);
    assert_string_equal(query, "list-type=2&prefix=a%20b%2Fc");
    assert_int_equal(object_list_read(first, strlen(first), &l), 0);
    assert_int_equal(object_list_query("p", l.next, &next), 0);
    assert_string_equal(next, "continuation-token=a%2Bb%2Fc%3D&list-type=2&prefix=p");
    assert_int_equal(object_list_read(last, strlen(last), &l), 0);
    assert_null(l.next);
    assert_int_equal(l.n_keys, 3);
    assert_string_equal(l.keys[0], "a&b");
    assert_string_equal(l.keys[2], "d");
    assert_int_equal(object_list_read("<Error/>", 8, &l), -EBADMSG);
    assert_int_equal(object_list_read(first, 60, &l), -EBADMSG);
}

UNIT_MAIN(cmocka_unit_test(rows_of_links), cmocka_unit_test(what_is_lost), cmocka_unit_test(bases_follow_each_other),
          cmocka_unit_test(what_is_under_way), cmocka_unit_test(what_is_asked_about), cmocka_unit_test(what_was_lost),
          cmocka_unit_test(what_was_made_again), cmocka_unit_test(pages))
