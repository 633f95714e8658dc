#pragma once
/* Inside the loop: its state, and what its parts do for each other. loop.c is life and what wakes it, loop_turn.c the
 * turn, loop_credentials.c who the daemon is, loop_conf.c what comes of the configuration and of a new one. */

#include <systemd/sd-event.h>

#include "core/credentials/keeper.h"
#include "core/engine/engine.h"
#include "daemon/control.h"
#include "daemon/loop.h"
#include "io/process.h"
#include "io/store.h"
#include "io/transport.h"
#include "io/watch.h"
#include "io/zone_watch.h"

#define EXIT_BROKEN 70
#define EXIT_CONF 78 /* EX_CONFIG of sysexits.h; the unit does not start again after it */

/* So many are told of at most. */
#define LOOP_TROUBLES_MAX 64

typedef struct Loop {
    const DaemonOptions *options;
    sd_event *event;
    Store *store;
    Engine *engine;
    Transport *transport;
    EngineOutbox out;
    Keeper *keeper;
    ProviderOutbox kept; /* of the keeper */
    Processes *processes;
    Watch *watch;
    ConfTree *tree; /* of the running configuration */
    ZoneWatch *zone_watch;
    char *region;
    char *reload_problem; /* of the last reload, while it was refused */
    char *status;         /* as last told */
    ControlTrouble troubles[LOOP_TROUBLES_MAX]; /* as last asked for; borrowed */
    int timer_fd;         /* CLOCK_REALTIME, cancelled when the clock is set: a step is a reason for a turn */
    sd_event_source *timer_source, *watchdog_source;
    Control *control; /* NULL: its socket could not be made */
    sd_event_source *order_source; /* orders have come: a turn, once their senders have had their moment */
    uint64_t n_turns;
    Usec wanted_mono; /* the next turn; USEC_INFINITY: none */
    Usec late_usec;   /* how late it came at most, since that was asked */
    Usec watchdog_usec;
    Usec told_mono; /* when the status was made last */
    Usec suspended_usec; /* since boot, as of the last turn */
    bool rests; /* has given back what it does not need until something happens */
    bool stopping;
} Loop;

/* --- loop_turn.c --- */

/* Turn, commit, say, send. What cannot go on has ended the loop. */
int loop_turn(Loop *l);
/* A turn that fails ends the process: what is on disk is where the next start goes on. */
int loop_give_up(Loop *l, const char *what, int error);

/* --- loop_credentials.c --- */

/* Who the daemon is, by the configuration as it is now; and the files that say so, from the first look at them on. */
int loop_look_for_credentials(Loop *l);
/* The keeper's turn; what it wants sent is in l->kept. */
int loop_turn_keeper(Loop *l, Now now, Usec *ret_next_mono);
int loop_send_kept(Loop *l);
void loop_on_process(void *context, uint64_t id, const char *output, size_t len, const char *problem);

/* --- loop_conf.c --- */

/* Borrows from the loop, which has its region and its store. */
EngineSettings loop_engine_settings(const Loop *l);
TransportSettings loop_transport_settings(const Conf *c);
void loop_set_control_group(Loop *l);
/* What the configuration probably means otherwise, to the journal. */
void loop_advise(const Loop *l, const Conf *c);
int loop_watch_zones(Loop *l);
/* Reads the configuration anew, takes it if it is good, and tells the service manager, also where that did not ask. */
int loop_reload(Loop *l);
