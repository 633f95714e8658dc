#include "sim/service_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define MAX_OVERSIZE (UINT64_C(256) << 20)

/* What an action takes: W a word, M a message (the rest of the line), S a status, D a duration, B bytes; lower case:
 * may be left out. */
static const struct {
    const char *name, *arguments;
} actions[SERVICE_FAULT_ACTIONS] = {
    [SERVICE_FAULT_NONE] = {"", ""},
    [SERVICE_FAULT_LATE] = {"late", "D"},
    [SERVICE_FAULT_DELAY] = {"delay", "D"},
    [SERVICE_FAULT_LAG] = {"lag", "D"},
    [SERVICE_FAULT_ERROR] = {"error", "Wsm"},
    [SERVICE_FAULT_ERROR_AFTER] = {"error-after", "Wsm"},
    [SERVICE_FAULT_DROP_BEFORE] = {"drop-before", ""},
    [SERVICE_FAULT_DROP_AFTER] = {"drop-after", ""},
    [SERVICE_FAULT_TRUNCATE] = {"truncate", ""},
    [SERVICE_FAULT_OVERSIZE] = {"oversize", "B"},
    [SERVICE_FAULT_GARBAGE] = {"garbage", ""},
    [SERVICE_FAULT_HTML] = {"html", "s"},
    [SERVICE_FAULT_EMPTY] = {"empty", "s"},
    [SERVICE_FAULT_FLIP] = {"flip", ""},
    [SERVICE_FAULT_CRC] = {"crc", ""},
    [SERVICE_FAULT_WRONG_TYPE] = {"wrong-type", "w"},
    [SERVICE_FAULT_OMIT] = {"omit", "W"},
    [SERVICE_FAULT_STATUS] = {"status", "W"},
    [SERVICE_FAULT_EMPTY_PAGE] = {"empty-page", ""},
    [SERVICE_FAULT_FAIL_EXPORT] = {"fail-export", "Wm"},
    [SERVICE_FAULT_HOLD_EXPORT] = {"hold-export", "D"},
};

const char *service_fault_to_string(ServiceFaultAction a) { return actions[a].name; }

void service_fault_done(ServiceFault *f) {
    free(f->operation);
    free(f->table);
    free(f->word);
    free(f->message);
    *f = (ServiceFault){};
}

void service_faults_clear(ServiceFaults *faults) {
    for (size_t i = 0; i < faults->n_items; i++)
        service_fault_done(&faults->items[i]);
    free(faults->items);
    *faults = (ServiceFaults){};
}

static int complain(char **ret_why, const char *word, const char *why) {
    free(*ret_why);
    *ret_why = text_format("%s: %s", word, why);
    return *ret_why ? -EINVAL : -ENOMEM;
}

/* The next word, terminated in place; NULL at the end. */
static char *take_word(char **rest) {
    char *word = *rest + strspn(*rest, " \t\r");
    size_t n = strcspn(word, " \t\r");
    if (n == 0)
        return NULL;
    *rest = word + n + (word[n] ? 1 : 0);
    word[n] = '\0';
    return word;
}

static int parse_times(const char *value, uint64_t *ret) {
    int64_t n = 1;
    if (strcmp(value, "forever") == 0) {
        *ret = UINT64_MAX;
        return 0;
    }
    if (strcmp(value, "once") != 0 && parse_int(value, 1, INT64_MAX, &n) < 0)
        return -EINVAL;
    *ret = (uint64_t)n;
    return 0;
}

/* table=, after=, times=; 0: it is none of them. */
static int parse_condition(const char *word, ServiceFault *f, char **ret_why) {
    int64_t n;
    if (text_starts_with(word, "table=")) {
        int rc = text_set(&f->table, word + strlen("table="));
        return rc < 0 ? rc : 1;
    }
    if (text_starts_with(word, "after=")) {
        if (parse_int(word + strlen("after="), 0, INT64_MAX, &n) < 0)
            return complain(ret_why, word, "not a number of calls");
        f->n_after = (uint64_t)n;
        return 1;
    }
    if (text_starts_with(word, "times=")) {
        if (parse_times(word + strlen("times="), &f->n_times) < 0)
            return complain(ret_why, word, "not a number of calls; HINT: a number, once or forever");
        return 1;
    }
    return 0;
}

/* A status that may be left out is told from a message by its three digits. */
static bool is_status(const char *rest, int64_t *ret) {
    char word[4] = "";
    rest += strspn(rest, " \t\r");
    if (strcspn(rest, " \t\r") != 3)
        return false;
    memcpy(word, rest, 3);
    return parse_int(word, 200, 599, ret) >= 0;
}

static int parse_argument(char kind, char **rest, ServiceFault *f, char **ret_why) {
    int64_t status;
    const char *word;
    if (kind == 's') {
        if (is_status(*rest, &status)) {
            take_word(rest);
            f->status = (int)status;
        }
        return 0;
    }
    if (kind == 'm') {
        *rest += strspn(*rest, " \t\r");
        int rc = **rest ? text_set(&f->message, *rest) : 0;
        *rest += strlen(*rest);
        return rc;
    }
    word = take_word(rest);
    if (!word)
        return kind == 'w' ? 0 : complain(ret_why, actions[f->action].name, "its value is missing");
    if (kind == 'W' || kind == 'w')
        return text_set(&f->word, word);
    if (kind == 'D' && parse_duration(word, &f->usec) < 0)
        return complain(ret_why, word, "not a duration; HINT: 250ms, 5s, 2h");
    if (kind == 'B' && (parse_size(word, &f->bytes) < 0 || f->bytes > MAX_OVERSIZE))
        return complain(ret_why, word, "not a size, or over 256M");
    return 0;
}

static int parse_action(const char *word, char **rest, ServiceFault *f, char **ret_why) {
    for (int i = 1; i < SERVICE_FAULT_ACTIONS; i++)
        if (strcmp(actions[i].name, word) == 0)
            f->action = (ServiceFaultAction)i;
    if (f->action == SERVICE_FAULT_NONE)
        return complain(ret_why, word, "no such action or condition");
    for (const char *kind = actions[f->action].arguments; *kind; kind++) {
        int rc = parse_argument(*kind, rest, f, ret_why);
        if (rc < 0)
            return rc;
    }
    word = take_word(rest);
    return word ? complain(ret_why, word, "one word too many") : 0;
}

static int parse(char *line, ServiceFault *f, char **ret_why) {
    const char *word = take_word(&line);
    int rc = word ? text_set(&f->operation, word) : complain(ret_why, "rule", "an operation is missing");
    while (rc >= 0) {
        word = take_word(&line);
        if (!word)
            return complain(ret_why, f->operation, "its action is missing");
        rc = parse_condition(word, f, ret_why);
        if (rc == 0)
            return parse_action(word, &line, f, ret_why);
    }
    return rc;
}

int service_fault_parse(const char *line, ServiceFault *ret, char **ret_why) {
    ServiceFault f = {.n_times = 1};
    AUTO_FREE char *copy = strdup(line);
    int rc = copy ? parse(copy, &f, ret_why) : -ENOMEM;
    if (rc < 0) {
        service_fault_done(&f);
        return rc;
    }
    *ret = f;
    return 0;
}

/* Does this rule act on the call? Only calls that match are counted. */
static bool rule_takes(ServiceFault *f, const char *operation, const char *table) {
    if (!glob_match(f->operation, operation) || (f->table && !glob_match(f->table, table)))
        return false;
    f->n_calls++;
    if (f->n_calls <= f->n_after || f->n_hits >= f->n_times)
        return false;
    f->n_hits++;
    return true;
}

ServiceFaultHit service_faults_take(ServiceFaults *faults, const char *operation, const char *table) {
    ServiceFaultHit hit = {};
    for (size_t i = 0; i < faults->n_items; i++) {
        ServiceFault *f = &faults->items[i];
        if (f->action == SERVICE_FAULT_LATE || !rule_takes(f, operation, table))
            continue;
        if (f->action == SERVICE_FAULT_DELAY)
            hit.delay_usec = usec_add(hit.delay_usec, f->usec);
        else if (f->action == SERVICE_FAULT_LAG)
            hit.lag_usec = usec_max(hit.lag_usec, f->usec);
        else {
            hit.rule = f;
            break;
        }
    }
    return hit;
}

Usec service_faults_take_late(ServiceFaults *faults, const char *operation, const char *table) {
    for (size_t i = 0; i < faults->n_items; i++) {
        ServiceFault *f = &faults->items[i];
        if (f->action == SERVICE_FAULT_LATE && rule_takes(f, operation, table))
            return f->usec;
    }
    return 0;
}
