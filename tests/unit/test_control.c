#include "core/control/control.h"

#include "unit.h"

#define TO(interface, method, parameters) "{\"method\":\"" interface "." method "\",\"parameters\":" parameters "}"
#define CALL(method, parameters) TO("io.ddbackupd.Control", method, parameters)
#define ASK(method, parameters) TO("org.varlink.service", method, parameters)
#define INVALID(name) "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"" name "\"}}"

static const ControlPeer root = {.who = "root", .may_read = true, .may_order = true};
static const ControlPeer reader = {.who = "uid 7", .may_read = true};
static const ControlPeer stranger = {.who = "uid 8"};

/* The answer without its NUL, or "" where there is none yet. */
static ControlAsk ask(const char *text, const ControlPeer *peer, Text *out, Order **ret) {
    VarlinkCall call;
    ControlAsk kind = CONTROL_ANSWERED;
    text_clear(out);
    assert_int_equal(varlink_read_call(text, strlen(text), &call), 0);
    assert_int_equal(control_read(&call, peer, out, &kind, ret), 0);
    return kind;
}

static void what_is_answered_at_once(void **state) {
    static const struct {
        const char *call;
        const ControlPeer *peer;
        const char *answer; /* begins with it */
    } rows[] = {
        {ASK("GetInfo", "{}"), &reader, "{\"parameters\":{\"vendor\":\"ddbackupd\""},
        {ASK("GetInfo", "{}"), &stranger, "{\"error\":\"io.ddbackupd.Control.NotAllowed\""},
        {ASK("GetInterfaceDescription", "{\"interface\":\"io.ddbackupd.Control\"}"), &reader,
         "{\"parameters\":{\"description\":\"# Orders"},
        {ASK("GetInterfaceDescription", "{\"interface\":\"org.varlink.service\"}"), &reader,
         "{\"parameters\":{\"description\":\"# What every"},
        {ASK("GetInterfaceDescription", "{\"interface\":\"x.y\"}"), &reader,
         "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"x.y\"}}"},
        {ASK("GetInterfaceDescription", "{}"), &reader, INVALID("interface")},
        {ASK("Nothing", "{}"), &reader,
         "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"Nothing\"}}"},
        {"{\"method\":\"x.y.Z\"}", &reader,
         "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"x.y\"}}"},
        {CALL("Nothing", "{}"), &reader, "{\"error\":\"org.varlink.service.MethodNotFound\""},
        {CALL("Resume", "{}"), &reader, "{\"error\":\"io.ddbackupd.Control.NotAllowed\""},
        {CALL("Reload", "{}"), &reader, "{\"error\":\"io.ddbackupd.Control.NotAllowed\""},
        {CALL("Run", "{}"), &root, INVALID("schedule")},
        {CALL("Run", "{\"schedule\":\"\"}"), &root, INVALID("schedule")},
        {CALL("Run", "{\"schedule\":\"a\",\"table\":[]}"), &root, INVALID("table")},
        {CALL("Run", "{\"schedule\":\"a\",\"tabel\":\"b\"}"), &root, INVALID("tabel")},
        {CALL("Pause", "{}"), &root, INVALID("until")},
        {CALL("Pause", "{\"until\":\"tomorrow\"}"), &root, INVALID("until")},
        {CALL("ConfirmPrune", "{\"count\":0}"), &root, INVALID("count")},
        {CALL("ConfirmPrune", "{\"count\":\"3\"}"), &root, INVALID("count")},
    };
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(order_free_ptr) Order *o = NULL;
        assert_int_equal(ask(rows[i].call, rows[i].peer, &out, &o), CONTROL_ANSWERED);
        assert_null(o);
        if (!text_starts_with(text_get(&out), rows[i].answer))
            fail_msg("%s: %s", rows[i].call, text_get(&out));
        assert_int_equal(strlen(text_get(&out)), out.len - 1);
    }
}

static void calls_become_orders(void **state) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    CLEANUP(order_free_ptr) Order *run = NULL, *pause = NULL, *hold = NULL, *verify = NULL, *prune = NULL, *none = NULL;
    assert_int_equal(ask(CALL("Run", "{\"schedule\":\"nightly\",\"table\":\"o*\",\"why\":\"w\"}"), &root, &out, &run),
                     CONTROL_ORDER);
    assert_int_equal(run->kind, ORDER_RUN);
    assert_string_equal(run->object, "nightly");
    assert_string_equal(run->table, "o*");
    assert_string_equal(run->why, "w");
    assert_string_equal(run->who, "root");
    assert_int_equal(out.len, 0);
    assert_int_equal(ask(CALL("Pause", "{\"until\":\"2026-11-24T00:00:00Z\"}"), &root, &out, &pause), CONTROL_ORDER);
    assert_true(pause->until_wall == INT64_C(1795478400) * USEC_PER_SEC);
    assert_int_equal(ask(CALL("Hold", "{\"artefact\":\"arn:x\"}"), &root, &out, &hold), CONTROL_ORDER);
    assert_string_equal(hold->object, "arn:x");
    assert_int_equal(ask(CALL("Verify", "{\"artefact\":\"arn:y\",\"level\":\"content\"}"), &root, &out, &verify),
                     CONTROL_ORDER);
    assert_int_equal(verify->kind, ORDER_VERIFY);
    assert_string_equal(verify->object, "arn:y");
    assert_string_equal(verify->level, "content");
    assert_true(hold->until_wall == USEC_INFINITY);
    assert_int_equal(ask(CALL("ConfirmPrune", "{\"count\":30}"), &root, &out, &prune), CONTROL_ORDER);
    assert_int_equal(prune->count, 30);
    assert_int_equal(ask(CALL("GetState", "{}"), &reader, &out, &none), CONTROL_STATE);
    assert_int_equal(ask(CALL("Reload", "{}"), &root, &out, &none), CONTROL_RELOAD);
    assert_null(none);
}

static void answers(void **state) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    CLEANUP(order_free_ptr) Order *o = NULL;
    assert_int_equal(order_new(ORDER_RUN, &o), 0);
    for (int64_t id = 7; id <= 9; id++)
        assert_int_equal(order_add_run(o, id), 0);
    assert_int_equal(order_answer(o, ORDER_DONE, "3 runs begun"), 0);
    assert_int_equal(control_answer(o, true, &out), 0);
    assert_string_equal(text_get(&out),
                        "{\"parameters\":{\"message\":\"3 runs begun\",\"runs\":[7,8,9]},\"continues\":true}");
    text_clear(&out);
    assert_int_equal(order_answer(o, ORDER_NOT_FOUND, "x: no such schedule"), 0);
    assert_int_equal(control_answer(o, false, &out), 0);
    assert_string_equal(
        text_get(&out),
        "{\"error\":\"io.ddbackupd.Control.NotFound\",\"parameters\":{\"message\":\"x: no such schedule\"}}");
    text_clear(&out);
    ControlProgress p = {.n_runs = 3,
                         .n_settled = 2,
                         .n_succeeded = 1,
                         .run = 8,
                         .table = "orders",
                         .state = "failed",
                         .why = "because"};
    assert_int_equal(control_add_progress(&p, false, &out), 0);
    assert_string_equal(text_get(&out),
                        "{\"parameters\":{\"progress\":{\"runs\":3,\"settled\":2,\"succeeded\":1,\"run\":8,"
                        "\"table\":\"orders\",\"state\":\"failed\",\"why\":\"because\"}}}");
    text_clear(&out);
    static const ControlTrouble troubles[] = {{.message = "the clock"},
                                              {.account = "own", .is_of_credentials = true, .message = "none"},
                                              {.account = "shop", .is_of_credentials = true, .message = "none"},
                                              {.account = "shop", .region = "r", .message = "shop/r: \"down\""}};
    ControlState s = {.state_directory = "/s",
                      .deployment = "acme",
                      .status = "ok",
                      .reload_refused = "bad",
                      .troubles = troubles,
                      .n_troubles = ARRAY_SIZE(troubles),
                      .trusts_clock = true,
                      .paused_until_wall = USEC_PER_SEC,
                      .n_turns = 3};
    assert_int_equal(control_answer_state(&s, &out), 0);
    assert_string_equal(text_get(&out),
                        "{\"parameters\":{\"state\":{\"deployment\":\"acme\",\"status\":\"ok\","
                        "\"state_directory\":\"/s\","
                        "\"reload_refused\":\"bad\",\"troubles\":[{\"message\":\"the clock\"},"
                        "{\"message\":\"credentials: none\",\"account\":\"own\"},"
                        "{\"message\":\"shop: credentials: none\",\"account\":\"shop\"},"
                        "{\"message\":\"shop/r: \\\"down\\\"\",\"account\":\"shop\",\"region\":\"r\"}],"
                        "\"trusts_clock\":true,"
                        "\"paused_until\":\"1970-01-01T00:00:01Z\",\"unsettled\":0,\"turns\":3,\"late_usec\":0}}}");
}

/* However many runs there are and whatever the message holds, an answer keeps its maximum. */
static void the_longest_answer(void **state) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    char message[ORDER_MESSAGE_MAX + 1] = {};
    CLEANUP(order_free_ptr) Order *o = NULL;
    memset(message, '\x01', ORDER_MESSAGE_MAX);
    assert_int_equal(order_new(ORDER_RUN, &o), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(order_add_run(o, INT64_MAX), 0);
    assert_int_equal(order_answer(o, ORDER_DONE, "%s", message), 0);
    assert_int_equal(control_answer(o, true, &out), 0);
}

static void the_longest_state(void **state) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    static char message[8192];
    static ControlTrouble troubles[64];
    memset(message, '\x01', sizeof message - 1);
    for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
        troubles[i] = (ControlTrouble){.account = "shop", .is_of_credentials = true, .message = message};
    ControlState s = {.state_directory = "/s",
                      .deployment = "acme",
                      .status = "ok",
                      .reload_refused = message,
                      .troubles = troubles,
                      .n_troubles = ARRAY_SIZE(troubles)};
    assert_int_equal(control_answer_state(&s, &out), 0);
}

UNIT_MAIN(cmocka_unit_test(what_is_answered_at_once), cmocka_unit_test(calls_become_orders), cmocka_unit_test(answers),
          cmocka_unit_test(the_longest_answer), cmocka_unit_test(the_longest_state))
