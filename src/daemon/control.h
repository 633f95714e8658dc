#pragma once
/* The control socket in the daemon's loop: calls become orders to the engine, and what becomes of them answers. */

#include <systemd/sd-event.h>

#include "core/control/control.h"
#include "core/engine/engine.h"

typedef struct Control Control;

/* What it asks of the loop. */
typedef struct ControlLoop {
    /* There are orders: a turn is wanted, after what else there is to do. */
    void (*wanted)(void *context);
    /* The configuration is read anew. *ret_problem (owned by the caller) says why it was refused; it stays NULL when it
     * was taken. Negative: the daemon ends. */
    int (*reload)(void *context, char **ret_problem);
    void (*state)(void *context, ControlState *ret); /* strings are borrowed until the next call */
} ControlLoop;

/* Listens on DIRECTORY/control. -errno, and *ret_problem (owned by the caller) says what it means. */
int control_new(sd_event *event, const char *directory, const ControlLoop *loop, void *context, Control **ret,
                char **ret_problem);
void control_free(Control *c);
DEFINE_CLEANUP(Control, control_free)

/* The group whose members may give orders; NULL, and one that does not exist: root alone may. */
void control_set_group(Control *c, const char *group);
bool control_group_exists(const char *group);

/* Orders of clients that the engine has not seen yet. -ENOMEM: end the process. */
int control_push(Control *c, Engine *e);
/* After the commit, and before engine_committed: answers orders, and tells of their runs. */
void control_take(Control *c, EngineOutbox *out);
