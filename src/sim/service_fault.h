#pragma once
/* The fault script: what goes wrong, with which call, and how often. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"

typedef enum ServiceFaultAction {
    SERVICE_FAULT_NONE,
    SERVICE_FAULT_LATE,        /* the network holds the request back; then it is served as if it came only now */
    SERVICE_FAULT_DELAY,       /* it takes effect; the reply comes later. Other rules apply as well. */
    SERVICE_FAULT_LAG,         /* listings show what is new only after a while. Other rules apply as well. */
    SERVICE_FAULT_ERROR,       /* refused, without effect */
    SERVICE_FAULT_ERROR_AFTER, /* takes effect and answers an error */
    SERVICE_FAULT_DROP_BEFORE, /* the connection closes, without effect */
    SERVICE_FAULT_DROP_AFTER,  /* takes effect; the connection closes without a reply */
    SERVICE_FAULT_TRUNCATE,
    SERVICE_FAULT_OVERSIZE,
    SERVICE_FAULT_GARBAGE,
    SERVICE_FAULT_HTML,
    SERVICE_FAULT_EMPTY,
    SERVICE_FAULT_FLIP, /* one bit in the middle of the body is another */
    SERVICE_FAULT_CRC,
    SERVICE_FAULT_WRONG_TYPE,
    SERVICE_FAULT_OMIT,
    SERVICE_FAULT_STATUS,
    SERVICE_FAULT_EMPTY_PAGE,
    SERVICE_FAULT_FAIL_EXPORT,
    SERVICE_FAULT_HOLD_EXPORT, /* it stays IN_PROGRESS for so long */
    SERVICE_FAULT_ACTIONS,
} ServiceFaultAction;

typedef struct ServiceFault {
    char *operation, *table; /* patterns; table NULL: any */
    uint64_t n_after;        /* calls to let pass first */
    uint64_t n_times;        /* UINT64_MAX: forever */
    ServiceFaultAction action;
    char *word;     /* error code, member, status or failure code */
    char *message;  /* of an error or a failed export; NULL: the usual one */
    int status;     /* of an error or a page; 0: the usual one */
    Usec usec;      /* of a delay or lag, or that an export is held */
    uint64_t bytes; /* of an oversized reply */
    uint64_t n_calls, n_hits;
} ServiceFault;

typedef struct ServiceFaults {
    ServiceFault *items;
    size_t n_items, n_room;
} ServiceFaults;

/* One line of the script; -EINVAL with *ret_why (to be freed, NULL without memory), -ENOMEM. */
int service_fault_parse(const char *line, ServiceFault *ret, char **ret_why);
void service_fault_done(ServiceFault *f);
void service_faults_clear(ServiceFaults *faults);
const char *service_fault_to_string(ServiceFaultAction a);

/* What the rules have for one call. A rule counts the calls that reach it: those that no rule before it took. */
typedef struct ServiceFaultHit {
    const ServiceFault *rule; /* of an action that is the only one for a call, or NULL */
    Usec delay_usec, lag_usec;
} ServiceFaultHit;

ServiceFaultHit service_faults_take(ServiceFaults *faults, const char *operation, const char *table);
/* The same for LATE alone, which comes before everything else: how long it is held; 0: not at all. */
Usec service_faults_take_late(ServiceFaults *faults, const char *operation, const char *table);
