#pragma once
/* A host that runs the real engine, a network, and the model of the service, on one virtual clock: years of schedules
 * in seconds, and every run of a seed is the same run.
 *
 * True time is the service's. The host's wall clock is true time plus an offset that can be stepped; its monotonic
 * clock counts true time since it was switched on. The host is up between world_boot and the end of its engine: a crash
 * loses whatever it had in memory and everything that had not left, and what is on the network goes on its way.
 *
 * What the host does with a turn is what the daemon does: turn, commit, say, send. */

#include "core/credentials/keeper.h"
#include "core/engine/engine.h"
#include "sim/service.h"

typedef struct World World;

/* What the network does to an exchange. */
typedef enum WorldFault {
    WORLD_REFUSED,      /* no connection: the request provably never left */
    WORLD_REQUEST_LOST, /* it never arrives; the client gives up */
    WORLD_REQUEST_LATE, /* it arrives after the client has given up */
    WORLD_RESET_BEFORE, /* the connection breaks before the service has read it */
    WORLD_RESET_AFTER,  /* it takes effect; the connection breaks instead of the reply */
    WORLD_REPLY_LOST,   /* it takes effect; the client gives up */
    WORLD_REPLY_LATE,   /* the reply arrives shortly before the client gives up */
    WORLD_REPLY_TWICE,  /* the same reply arrives twice */
    WORLD_FAULTS,
} WorldFault;

typedef struct WorldSettings {
    uint64_t seed;
    Usec start_wall;                /* true time */
    int permille[WORLD_FAULTS];     /* how often each strikes, of a thousand exchanges */
    Usec latency_usec;              /* of a request or reply, at most; at least a tenth of it */
    const ServiceSettings *service; /* copied */
} WorldSettings;

/* What the owner does for the host. */
typedef struct WorldOwner {
    void *context;
    /* To disk; a failure is a crash. */
    int (*commit)(void *context, const LedgerBatch *batch);
    /* May be NULL. */
    void (*said)(void *context, const Report *r, Usec true_wall);
    /* What became of an order. May be NULL. */
    void (*obeyed)(void *context, const Order *o);
    /* As each request leaves the host. May be NULL. */
    void (*sent)(void *context, const HttpRequest *request, Usec true_wall);
    /* After each exchange with the service that was carried out, before its reply leaves. May be NULL. */
    void (*served)(void *context, const ServiceRequest *request, const ServiceReply *reply, Usec true_wall);
    /* What answers in the service's place (a metadata service; a gate before the service); true: *reply, which has its
     * id, is filled. May be NULL. */
    bool (*answered)(void *context, const HttpRequest *request, Usec true_wall, HttpReply *reply);
    /* What is new about credentials. May be NULL. */
    void (*kept)(void *context, const ProviderNews *news, Usec true_wall);
    /* After each turn that was committed. A failure ends world_run with it. May be NULL. */
    int (*turned)(void *context, const Engine *e, Now now);
} WorldOwner;

int world_new(const WorldSettings *settings, const WorldOwner *owner, World **ret);
void world_free(World *w);
DEFINE_CLEANUP(World, world_free)

Service *world_service(World *w);
Usec world_true_wall(const World *w);
Now world_host_now(const World *w);
Engine *world_engine(World *w); /* NULL while the host is down */
/* Changes what the network does from now on. */
void world_set_faults(World *w, const int permille[static WORLD_FAULTS]);
/* From now on no connection can be made to addresses that hold this text; NULL: to all again. Borrowed. */
void world_set_cut(World *w, const char *in_url);
/* Steps the host's wall clock to true time plus this. */
void world_set_offset(World *w, Usec offset_usec);

/* Something happened that is worth a turn. */
void world_wake(World *w);

/* Switches the host on with this engine (taken). */
void world_boot(World *w, Engine *e);
/* From now on until it goes down the host looks after its credentials with this (taken). */
void world_keep(World *w, Keeper *k);
/* Takes the host down as by kill -9. Nothing happens when it is down. */
void world_crash(World *w);
/* The host crashes at the n-th point from now (1: the next); 0: never. Points lie before and after each commit, after
 * each request that leaves and before each reply that arrives. */
void world_crash_at(World *w, uint64_t n);
/* Points passed since the start of the world. */
uint64_t world_n_points(const World *w);

/* Lets time pass until true time is until_wall. 0; -ECONNABORTED: the host crashed (it is down, time stands where it
 * happened); -ELOOP: the engine asks for turn after turn at one instant; what `turned` said; an errno of the engine. */
int world_run(World *w, Usec until_wall);
