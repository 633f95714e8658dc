#include "sim/service_mangle.h"

#include <errno.h>
#include <string.h>

#include "sim/service_json.h"

typedef struct Change {
    ServiceFaultAction action;
    const char *word; /* a member; NULL: every one that is no structure. A status. */
} Change;

/* A value of another type, where the one that was there cannot be meant. */
static void add_other_type(Text *t, const ServiceJson *j) {
    switch (j->type) {
    case SERVICE_JSON_STRING:
        service_json_add_int(t, j->name, 7);
        break;
    case SERVICE_JSON_NUMBER:
    case SERVICE_JSON_TRUE:
    case SERVICE_JSON_FALSE:
    case SERVICE_JSON_NULL:
        service_json_add_string(t, j->name, "seven");
        break;
    case SERVICE_JSON_LIST:
    case SERVICE_JSON_OBJECT:
        service_json_add_bool(t, j->name, true);
        break;
    }
}

static bool is_status(const char *name) {
    size_t n = strlen(name), suffix = strlen("Status");
    return n >= suffix && strcmp(name + n - suffix, "Status") == 0;
}

/* Copies a value with its change; names are looked at on every level. */
static void add_changed(Text *t, const ServiceJson *j, const Change *change) {
    bool has_items = j->type == SERVICE_JSON_OBJECT || j->type == SERVICE_JSON_LIST;
    bool named = change->word && j->name && strcmp(j->name, change->word) == 0;
    if (change->action == SERVICE_FAULT_OMIT && named)
        return;
    if (change->action == SERVICE_FAULT_WRONG_TYPE && (named || (!change->word && !has_items))) {
        add_other_type(t, j);
        return;
    }
    if (change->action == SERVICE_FAULT_STATUS && j->type == SERVICE_JSON_STRING && j->name && is_status(j->name)) {
        service_json_add_string(t, j->name, change->word);
        return;
    }
    if (!has_items) {
        service_json_add_value(t, j->name, j);
        return;
    }
    service_json_open(t, j->name, j->type == SERVICE_JSON_LIST ? '[' : '{');
    for (const ServiceJson *item = j->first; item; item = item->next)
        add_changed(t, item, change);
    service_json_close(t, j->type == SERVICE_JSON_LIST ? ']' : '}');
}

static int rewrite(ServiceReply *r, const ServiceFault *rule) {
    CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
    Change change = {rule->action, rule->word};
    int rc = service_json_parse(text_get(&r->body), r->body.len, &j);
    if (rc == -EBADMSG) /* nothing to change */
        return 0;
    if (rc < 0)
        return rc;
    text_clear(&r->body);
    add_changed(&r->body, j, &change);
    return r->body.error;
}

/* Longer by a member that nobody knows. */
static int pad(ServiceReply *r, uint64_t bytes) {
    static const char filler[] = "................................................................";
    Text *t = &r->body;
    if (t->len > 0 && t->data[t->len - 1] == '}')
        t->data[--t->len] = '\0';
    else
        text_add_char(t, '{');
    t->max = t->len + bytes + 64;
    service_json_open(t, "Padding", '"');
    while (t->len + 2 < bytes && t->error == 0)
        text_add_bytes(t, filler, bytes - t->len - 2 < 64 ? bytes - t->len - 2 : 64);
    return text_add(t, "\"}");
}

static int replace(ServiceReply *r, int status, const char *body) {
    text_clear(&r->body);
    r->status = status;
    return text_add(&r->body, body);
}

int service_mangle(ServiceReply *r, const ServiceFault *rule, bool *ret_wrong_crc, bool *ret_html) {
    switch (rule->action) {
    case SERVICE_FAULT_DROP_AFTER:
        r->ending = SERVICE_CLOSED;
        return 0;
    case SERVICE_FAULT_TRUNCATE:
        r->ending = SERVICE_TRUNCATE;
        return 0;
    case SERVICE_FAULT_OVERSIZE:
        return pad(r, rule->bytes);
    case SERVICE_FAULT_GARBAGE:
        return replace(r, r->status, "}]\xff\xfe this is not JSON");
    case SERVICE_FAULT_HTML:
        *ret_html = true;
        return replace(r, rule->status ? rule->status : 503,
                       "<html><body><h1>503 Service Unavailable</h1>No server is available to handle this "
                       "request.</body></html>\n");
    case SERVICE_FAULT_EMPTY:
        return replace(r, rule->status ? rule->status : r->status, "");
    case SERVICE_FAULT_FLIP:
        if (r->body.len > 0)
            r->body.data[r->body.len / 2] ^= 1;
        return 0;
    case SERVICE_FAULT_CRC:
        *ret_wrong_crc = true;
        return 0;
    case SERVICE_FAULT_WRONG_TYPE:
    case SERVICE_FAULT_OMIT:
    case SERVICE_FAULT_STATUS:
        return rewrite(r, rule);
    case SERVICE_FAULT_NONE:
    case SERVICE_FAULT_LATE:
    case SERVICE_FAULT_DELAY:
    case SERVICE_FAULT_LAG:
    case SERVICE_FAULT_ERROR:
    case SERVICE_FAULT_ERROR_AFTER:
    case SERVICE_FAULT_DROP_BEFORE:
    case SERVICE_FAULT_EMPTY_PAGE:
    case SERVICE_FAULT_FAIL_EXPORT:
    case SERVICE_FAULT_HOLD_EXPORT:
    case SERVICE_FAULT_ACTIONS:
        break;
    }
    return 0;
}
