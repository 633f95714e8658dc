/* What comes through the control socket: whatever it is, each answer is one JSON object and its NUL, and keeps its
 * maximum. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/control/control.h"
#include "core/format/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void call_it(const char *message, size_t len, const ControlPeer *peer) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    CLEANUP(order_free_ptr) Order *order = NULL;
    VarlinkCall call;
    ControlAsk ask;
    if (varlink_read_call(message, len, &call) < 0)
        return;
    require(control_read(&call, peer, &out, &ask, &order) >= 0);
    require((ask == CONTROL_ORDER) == (order != NULL));
    require((ask == CONTROL_ANSWERED) == (out.len > 0));
    require(!order || peer->may_order);
    if (out.len > 0)
        require(out.error == 0 && strlen(out.data) == out.len - 1 && !json_scan(out.data, out.len - 1, 8));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const ControlPeer root = {.who = "root", .may_read = true, .may_order = true};
    static const ControlPeer reader = {.who = "uid 7", .may_read = true};
    VarlinkReply reply;
    AUTO_FREE char *copy = malloc(size + 1);
    require(copy != NULL);
    memcpy(copy, data, size);
    size_t len = size < VARLINK_CALL_MAX ? size : VARLINK_CALL_MAX;
    call_it(copy, len, &root);
    call_it(copy, len, &reader);
    (void)varlink_read_reply(copy, len, &reply);
    return 0;
}
