#pragma once
/* The interface io.ddbackupd.Control: what its calls mean, and how they are answered. Bytes and values; the daemon
 * carries them (daemon/control.c). Its text is control_interface, which is installed as io.ddbackupd.Control.varlink,
 * too. */

#include "core/control/order.h"
#include "core/format/varlink.h"

#define CONTROL_INTERFACE "io.ddbackupd.Control"
#define CONTROL_SOCKET "control" /* in the runtime directory */

extern const char control_interface[];

/* Who calls, and what they may. */
typedef struct ControlPeer {
    const char *who; /* "root", "uid 1000" */
    bool may_read, may_order;
} ControlPeer;

/* What a call asks for. */
typedef enum ControlAsk {
    CONTROL_ANSWERED, /* nothing: its answer is in the text */
    CONTROL_STATE,    /* what the daemon is at */
    CONTROL_RELOAD,
    CONTROL_ORDER, /* *ret_order */
} ControlAsk;

/* Reads a call, and answers what can be answered here: introspection, and what is wrong with it. -EBADMSG: it is no
 * call at all, and so cannot be answered; -ENOMEM. */
int control_read(const VarlinkCall *call, const ControlPeer *peer, Text *out, ControlAsk *ret_ask, Order **ret_order);

/* The answer to an order; with `continues` more follow. */
int control_answer(const Order *o, bool continues, Text *out);
/* The answer to a reload; `problem` NULL: it went well. */
int control_answer_reload(const char *problem, Text *out);

/* What lasts, and keeps work from being done. */
typedef struct ControlTrouble {
    const char *account, *region; /* NULL: all of them */
    bool is_of_credentials;       /* the message does not name its object */
    const char *message;
} ControlTrouble;

typedef struct ControlState {
    const char *state_directory;
    const char *deployment, *status; /* as STATUS= says it */
    const char *reload_refused;          /* why the last reload was; NULL: it was not */
    const ControlTrouble *troubles;      /* as many as fit are told */
    size_t n_troubles;
    bool trusts_clock;
    Usec paused_until_wall; /* 0: it is not paused */
    size_t n_unsettled;
    uint64_t n_turns;
    Usec late_usec; /* how late a turn was, at most, since that was asked last */
} ControlState;
int control_answer_state(const ControlState *s, Text *out);

/* How far the runs of an order are. */
typedef struct ControlProgress {
    size_t n_runs, n_settled, n_succeeded;
    int64_t run;                     /* the one that moved last */
    const char *table, *state, *why; /* why may be NULL */
} ControlProgress;
int control_add_progress(const ControlProgress *p, bool continues, Text *out);
