#pragma once
/* Trusted time: may the wall clock be believed? Slots fall due by it alone while it agrees within five minutes with a
 * Date that the service has sent since the start or the last step of the clock. While it does not, the time is kept by
 * the monotonic clock or by the service's Date, so that what is under way has its deadlines right, and nothing new
 * starts. */

#include <stdbool.h>

#include "base/clock.h"

/* How far the two may be apart: the service refuses signatures beyond it, too. */
#define TRUST_SLACK_USEC (5 * USEC_PER_MINUTE)
/* How long a fresh start waits for a first Date before it takes deadlines by the clock it has. */
#define TRUST_PATIENCE_USEC (15 * USEC_PER_MINUTE)

typedef struct Trust {
    bool agreed;        /* a Date agreed */
    bool disagrees;     /* the last Date did not */
    bool has_time;      /* offset_usec is founded: on a Date, or on the time before a step */
    Usec offset_usec;   /* the time to use, less the wall clock */
    Usec started_mono;
    Now last;           /* of the last turn, as the clocks said */
} Trust;

Trust trust_make(Now raw);

/* What is new; the first thing of each turn. */
typedef enum TrustNews {
    TRUST_NEWS_NONE,
    TRUST_NEWS_STEPPED,   /* the wall clock was set: *ret_usec is by how much */
    TRUST_NEWS_AGREED,    /* the wall clock is right; it was not known, or thought wrong, before */
    TRUST_NEWS_DISAGREED, /* the wall clock is wrong: *ret_usec is how far ahead of the service's it is */
} TrustNews;

TrustNews trust_turn(Trust *t, Now raw, Usec *ret_usec);
/* A Date that has just come. It has whole seconds and travelled; both are nothing against the slack. */
TrustNews trust_take_date(Trust *t, Usec server_wall, Now raw, Usec *ret_usec);

/* May something new start? */
static inline bool trust_holds(const Trust *t) { return t->agreed; }
/* May deadlines pass? */
bool trust_has_time(const Trust *t, Now raw);
/* The time to go by. */
static inline Now trust_now(const Trust *t, Now raw) {
    return (Now){.wall = raw.wall + t->offset_usec, .mono = raw.mono};
}
