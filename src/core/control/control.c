#include "core/control/control.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "core/conf/conf.h"

#define SERVICE "org.varlink.service"

/* --- what a method takes --- */

enum {
    TAKES_SCHEDULE = 1,
    TAKES_TABLE = 2,
    TAKES_ARTEFACT = 4,
    TAKES_UNTIL = 8,
    NEEDS_UNTIL = 16,
    TAKES_WHY = 32,
    TAKES_COUNT = 64,
    TAKES_LEVEL = 128
};

static const struct {
    const char *name;
    ControlAsk ask;
    OrderKind kind;
    unsigned takes;
} methods[] = {
    {"GetState", CONTROL_STATE, ORDER_KINDS, 0},
    {"Reload", CONTROL_RELOAD, ORDER_KINDS, 0},
    {"Run", CONTROL_ORDER, ORDER_RUN, TAKES_SCHEDULE | TAKES_TABLE | TAKES_WHY},
    {"Pause", CONTROL_ORDER, ORDER_PAUSE, TAKES_UNTIL | NEEDS_UNTIL | TAKES_WHY},
    {"Resume", CONTROL_ORDER, ORDER_RESUME, 0},
    {"Hold", CONTROL_ORDER, ORDER_HOLD, TAKES_ARTEFACT | TAKES_UNTIL | TAKES_WHY},
    {"Release", CONTROL_ORDER, ORDER_RELEASE, TAKES_ARTEFACT},
    {"Adopt", CONTROL_ORDER, ORDER_ADOPT, TAKES_ARTEFACT},
    {"ConfirmPrune", CONTROL_ORDER, ORDER_CONFIRM_PRUNE, TAKES_COUNT},
    {"Verify", CONTROL_ORDER, ORDER_VERIFY, TAKES_ARTEFACT | TAKES_LEVEL | TAKES_WHY},
    {"ResumeExpiry", CONTROL_ORDER, ORDER_RESUME_EXPIRY, 0},
};

static const struct {
    const char *name;
    unsigned bits;
} parameters[] = {
    {"schedule", TAKES_SCHEDULE}, {"table", TAKES_TABLE}, {"artefact", TAKES_ARTEFACT},
    {"until", TAKES_UNTIL},       {"why", TAKES_WHY},     {"count", TAKES_COUNT},
    {"level", TAKES_LEVEL},
};

static int invalid(Text *out, const char *name) {
    return varlink_add_error(out, SERVICE ".InvalidParameter", "parameter", name);
}

/* 1: said so. A name that is misspelt must not be taken for one that was left out. */
static int refuse_foreign(const VarlinkCall *call, unsigned takes, Text *out) {
    const char *names[ARRAY_SIZE(parameters)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
        if (takes & parameters[i].bits)
            names[n++] = parameters[i].name;
    JsonSpan foreign = json_flat_foreign(call->parameters, names, n);
    Secret name = {};
    if (!foreign.at)
        return 0;
    int r = json_flat_string(foreign, &name);
    if (r >= 0)
        r = invalid(out, name.bytes);
    secret_done(&name);
    return r < 0 ? r : 1;
}

/* --- introspection --- */

static int answer_info(Text *out) {
    return varlink_add_reply(out,
                             "{\"vendor\":\"ddbackupd\",\"product\":\"ddbackupd\",\"version\":\"" PACKAGE_VERSION
                             "\",\"url\":\"\",\"interfaces\":[\"" SERVICE "\",\"" CONTROL_INTERFACE "\"]}",
                             false);
}

static const char service_interface[] = "# What every Varlink service says of itself.\n"
                                        "interface org.varlink.service\n"
                                        "\n"
                                        "method GetInfo() -> (\n"
                                        "  vendor: string,\n"
                                        "  product: string,\n"
                                        "  version: string,\n"
                                        "  url: string,\n"
                                        "  interfaces: []string\n"
                                        ")\n"
                                        "\n"
                                        "method GetInterfaceDescription(interface: string) -> (description: string)\n"
                                        "\n"
                                        "error InterfaceNotFound (interface: string)\n"
                                        "error MethodNotFound (method: string)\n"
                                        "error MethodNotImplemented (method: string)\n"
                                        "error InvalidParameter (parameter: string)\n"
                                        "error PermissionDenied ()\n"
                                        "error ExpectedMore ()\n";

static int answer_description(const VarlinkCall *call, Text *out) {
    AUTO_FREE char *name = NULL;
    AUTO_TEXT t = TEXT_INIT(VARLINK_REPLY_MAX);
    int r = varlink_string(call->parameters, "interface", VARLINK_NAME_MAX, &name);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !name)
        return invalid(out, "interface");
    const char *text = strcmp(name, SERVICE) == 0             ? service_interface
                       : strcmp(name, CONTROL_INTERFACE) == 0 ? control_interface
                                                              : NULL;
    if (!text)
        return varlink_add_error(out, SERVICE ".InterfaceNotFound", "interface", name);
    text_add(&t, "{\"description\":");
    text_add_json(&t, text);
    text_add(&t, "}");
    return t.error < 0 ? t.error : varlink_add_reply(out, text_get(&t), false);
}

static int read_service(const VarlinkCall *call, Text *out) {
    if (strcmp(call->method, "GetInfo") == 0)
        return answer_info(out);
    if (strcmp(call->method, "GetInterfaceDescription") == 0)
        return answer_description(call, out);
    return varlink_add_error(out, SERVICE ".MethodNotFound", "method", call->method);
}

/* --- orders --- */

/* The word of a parameter, which is needed. Not empty. *ret stays NULL where it was refused, which is said. */
static int read_word(const VarlinkCall *call, const char *name, bool needed, Text *out, char **ret) {
    int r = varlink_string(call->parameters, name, ORDER_WORD_MAX / 2, ret);
    if (r == -ENOMEM)
        return r;
    bool bad = r < 0 || (*ret ? !**ret : needed);
    return bad ? (invalid(out, name), 1) : 0;
}

static int read_until(const VarlinkCall *call, bool needed, Text *out, Order *o) {
    AUTO_FREE char *text = NULL;
    int r = read_word(call, "until", needed, out, &text);
    if (r != 0 || !text)
        return r;
    return date_from_iso(text, &o->until_wall) < 0 ? (invalid(out, "until"), 1) : 0;
}

/* 1: something was wrong with it, and was said. */
static int read_order(const VarlinkCall *call, unsigned takes, Text *out, Order *o) {
    int r = 0;
    if (takes & TAKES_SCHEDULE)
        r = read_word(call, "schedule", true, out, &o->object);
    if (r == 0 && takes & TAKES_ARTEFACT)
        r = read_word(call, "artefact", true, out, &o->object);
    if (r == 0 && takes & TAKES_TABLE)
        r = read_word(call, "table", false, out, &o->table);
    if (r == 0 && takes & TAKES_WHY)
        r = read_word(call, "why", false, out, &o->why);
    if (r == 0 && takes & TAKES_LEVEL)
        r = read_word(call, "level", false, out, &o->level);
    if (r == 0 && takes & TAKES_UNTIL)
        r = read_until(call, takes & NEEDS_UNTIL, out, o);
    if (r == 0 && takes & TAKES_COUNT &&
        (varlink_int(call->parameters, "count", 1, INT32_MAX, &o->count) < 0 || o->count == 0)) {
        invalid(out, "count");
        r = 1;
    }
    return r;
}

static int refuse_peer(Text *out, bool order) {
    return varlink_add_error(out, CONTROL_INTERFACE ".NotAllowed", "message",
                             order ? "orders are for root and the members of control_group; HINT: use sudo, or have "
                                     "control_group set in ddbackupd.conf(5)"
                                   : "the daemon answers its group; HINT: join the group ddbackupd, or use sudo");
}

static int read_control(const VarlinkCall *call, const ControlPeer *peer, Text *out, ControlAsk *ret_ask,
                        Order **ret_order) {
    size_t i = 0;
    while (i < ARRAY_SIZE(methods) && strcmp(methods[i].name, call->method) != 0)
        i++;
    if (i == ARRAY_SIZE(methods))
        return varlink_add_error(out, SERVICE ".MethodNotFound", "method", call->method);
    if (methods[i].ask != CONTROL_STATE && !peer->may_order)
        return refuse_peer(out, true);
    int r = refuse_foreign(call, methods[i].takes, out);
    if (r != 0)
        return r < 0 ? r : 0;
    CLEANUP(order_free_ptr) Order *o = NULL;
    if (methods[i].ask == CONTROL_ORDER &&
        ((r = order_new(methods[i].kind, &o)) < 0 || (r = text_set(&o->who, peer->who)) < 0 ||
         (r = read_order(call, methods[i].takes, out, o)) != 0))
        return r < 0 ? r : 0;
    *ret_order = TAKE_PTR(o);
    *ret_ask = methods[i].ask;
    return 0;
}

int control_read(const VarlinkCall *call, const ControlPeer *peer, Text *out, ControlAsk *ret_ask, Order **ret_order) {
    *ret_ask = CONTROL_ANSWERED;
    if (!peer->may_read && !peer->may_order)
        return refuse_peer(out, false);
    if (strcmp(call->interface, SERVICE) == 0)
        return read_service(call, out);
    if (strcmp(call->interface, CONTROL_INTERFACE) == 0)
        return read_control(call, peer, out, ret_ask, ret_order);
    return varlink_add_error(out, SERVICE ".InterfaceNotFound", "interface", call->interface);
}

/* --- answers --- */

static int answer_message(const char *message, Text *out) {
    AUTO_TEXT t = TEXT_INIT(VARLINK_REPLY_MAX);
    text_add(&t, "{\"message\":");
    text_add_json(&t, message ? message : "");
    text_add(&t, "}");
    return t.error < 0 ? t.error : varlink_add_reply(out, text_get(&t), false);
}

/* The ids of very many runs would be longer than an answer may be. */
#define RUNS_TOLD 1000

static int answer_runs(const Order *o, bool continues, Text *out) {
    AUTO_TEXT t = TEXT_INIT(VARLINK_REPLY_MAX);
    text_add(&t, "{\"message\":");
    text_add_json(&t, o->message ? o->message : "");
    text_add(&t, ",\"runs\":[");
    for (size_t i = 0; i < o->n_runs && i < RUNS_TOLD; i++)
        text_addf(&t, "%s%lld", i > 0 ? "," : "", (long long)o->runs[i]);
    text_add(&t, "]}");
    return t.error < 0 ? t.error : varlink_add_reply(out, text_get(&t), continues);
}

int control_answer(const Order *o, bool continues, Text *out) {
    switch (o->outcome) {
    case ORDER_DONE:
    case ORDER_UNCHANGED:
        break;
    case ORDER_NOT_FOUND:
        return varlink_add_error(out, CONTROL_INTERFACE ".NotFound", "message", o->message ? o->message : "");
    case ORDER_REFUSED:
        return varlink_add_error(out, CONTROL_INTERFACE ".Refused", "message", o->message ? o->message : "");
    }
    return o->kind == ORDER_RUN ? answer_runs(o, continues, out) : answer_message(o->message, out);
}

int control_answer_reload(const char *problem, Text *out) {
    return problem ? varlink_add_error(out, CONTROL_INTERFACE ".Refused", "message", problem)
                   : answer_message("configuration reloaded", out);
}

#define SAYING_MAX 3000
/* So many bytes of troubles, and the one that goes beyond. */
#define TROUBLES_ENOUGH ((size_t)8192)

/* Words of others, no longer than leaves room for all else. */
static void add_saying(Text *t, const char *before, const char *s) {
    AUTO_TEXT saying = TEXT_INIT(SAYING_MAX);
    text_addf(&saying, "%.128s", before);
    text_add_bytes(&saying, s, strnlen(s, SAYING_MAX - saying.len));
    text_add_json(t, text_get(&saying));
}

static void add_trouble(const ControlTrouble *trouble, Text *t) {
    bool is_own = trouble->account && strcmp(trouble->account, ACCOUNT_OWN) == 0;
    AUTO_TEXT before = TEXT_INIT(128);
    if (trouble->is_of_credentials)
        text_addf(&before, "%s%scredentials: ", is_own ? "" : trouble->account, is_own ? "" : ": ");
    text_add(t, "{\"message\":");
    add_saying(t, text_get(&before), trouble->message);
    if (trouble->account) {
        text_add(t, ",\"account\":");
        text_add_json(t, trouble->account);
    }
    if (trouble->region) {
        text_add(t, ",\"region\":");
        text_add_json(t, trouble->region);
    }
    text_add_char(t, '}');
}

int control_answer_state(const ControlState *s, Text *out) {
    AUTO_TEXT t = TEXT_INIT(VARLINK_REPLY_MAX);
    char until[DATE_ISO_SIZE];
    text_add(&t, "{\"state\":{\"deployment\":");
    text_add_json(&t, s->deployment);
    text_add(&t, ",\"status\":");
    text_add_json(&t, s->status);
    text_add(&t, ",\"state_directory\":");
    text_add_json(&t, s->state_directory);
    if (s->reload_refused) {
        text_add(&t, ",\"reload_refused\":");
        add_saying(&t, "", s->reload_refused);
    }
    text_add(&t, ",\"troubles\":[");
    for (size_t i = 0; i < s->n_troubles && t.len < TROUBLES_ENOUGH; i++) {
        text_add(&t, i > 0 ? "," : "");
        add_trouble(&s->troubles[i], &t);
    }
    text_add(&t, "]");
    text_addf(&t, ",\"trusts_clock\":%s", s->trusts_clock ? "true" : "false");
    if (s->paused_until_wall > 0)
        text_addf(&t, ",\"paused_until\":\"%s\"", date_to_iso(s->paused_until_wall, until));
    text_addf(&t, ",\"unsettled\":%zu,\"turns\":%llu,\"late_usec\":%lld}}", s->n_unsettled,
              (unsigned long long)s->n_turns, (long long)s->late_usec);
    return t.error < 0 ? t.error : varlink_add_reply(out, text_get(&t), false);
}

int control_add_progress(const ControlProgress *p, bool continues, Text *out) {
    AUTO_TEXT t = TEXT_INIT(VARLINK_REPLY_MAX);
    text_addf(&t, "{\"progress\":{\"runs\":%zu,\"settled\":%zu,\"succeeded\":%zu,\"run\":%lld,\"table\":", p->n_runs,
              p->n_settled, p->n_succeeded, (long long)p->run);
    text_add_json(&t, p->table);
    text_addf(&t, ",\"state\":\"%s\"", p->state);
    if (p->why) {
        text_add(&t, ",\"why\":");
        text_add_json(&t, p->why);
    }
    text_add(&t, "}}");
    return t.error < 0 ? t.error : varlink_add_reply(out, text_get(&t), continues);
}
