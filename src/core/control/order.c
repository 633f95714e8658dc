#include "core/control/order.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

static const char *const kind_names[ORDER_KINDS] = {
    [ORDER_RUN] = "run",
    [ORDER_PAUSE] = "pause",
    [ORDER_RESUME] = "resume",
    [ORDER_HOLD] = "hold",
    [ORDER_RELEASE] = "release",
    [ORDER_ADOPT] = "adopt",
    [ORDER_CONFIRM_PRUNE] = "confirm prune",
    [ORDER_VERIFY] = "verify",
    [ORDER_RESUME_EXPIRY] = "resume expiry",
};

int order_new(OrderKind kind, Order **ret) {
    Order *o = calloc(1, sizeof *o);
    if (!o)
        return -ENOMEM;
    o->kind = kind;
    o->until_wall = USEC_INFINITY;
    *ret = o;
    return 0;
}

void order_free(Order *o) {
    if (!o)
        return;
    free(o->object);
    free(o->table);
    free(o->who);
    free(o->why);
    free(o->level);
    free(o->message);
    free(o->runs);
    free(o);
}

int order_answer(Order *o, OrderOutcome outcome, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(ORDER_MESSAGE_MAX);
    AUTO_FREE char *message = NULL;
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    int r = text_take(&t, &message);
    if (r < 0)
        return r;
    free(o->message);
    o->message = TAKE_PTR(message);
    o->outcome = outcome;
    return 0;
}

int order_add_run(Order *o, int64_t id) {
    if (ARRAY_GROW(o->runs, o->n_runs, o->n_runs_room) < 0)
        return -ENOMEM;
    o->runs[o->n_runs++] = id;
    return 0;
}

const char *order_kind_to_string(OrderKind k) { return kind_names[k]; }

int order_kind_from_string(const char *s, OrderKind *ret) {
    for (int i = 0; i < ORDER_KINDS; i++)
        if (strcmp(kind_names[i], s) == 0) {
            *ret = (OrderKind)i;
            return 0;
        }
    return -EINVAL;
}
