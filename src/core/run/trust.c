#include "core/run/trust.h"

/* Between two turns the clocks may drift apart by this and still be the same: slewing, and reading
 * one after the other. */
static Usec drift_allowed(Usec elapsed_usec) { return 2 * USEC_PER_SEC + elapsed_usec / 1000; }

static Usec size_of(Usec usec) { return usec < 0 ? -usec : usec; }

Trust trust_make(Now raw) { return (Trust){.started_mono = raw.mono, .last = raw}; }

TrustNews trust_turn(Trust *t, Now raw, Usec *ret_usec) {
    Usec elapsed = raw.mono - t->last.mono;
    Usec step = raw.wall - t->last.wall - elapsed;
    t->last = raw;
    if (size_of(step) <= drift_allowed(elapsed))
        return TRUST_NEWS_NONE;
    /* the time before the step goes on, by the monotonic clock, until a Date tells better */
    t->has_time |= t->agreed;
    t->offset_usec -= step;
    t->agreed = t->disagrees = false;
    *ret_usec = step;
    return TRUST_NEWS_STEPPED;
}

TrustNews trust_take_date(Trust *t, Usec server_wall, Now raw, Usec *ret_usec) {
    Usec ahead = raw.wall - server_wall;
    bool was_agreed = t->agreed, disagreed = t->disagrees;
    t->agreed = size_of(ahead) <= TRUST_SLACK_USEC;
    t->disagrees = !t->agreed;
    t->has_time = true;
    t->offset_usec = t->agreed ? 0 : -ahead;
    *ret_usec = ahead;
    if (t->agreed)
        return was_agreed ? TRUST_NEWS_NONE : TRUST_NEWS_AGREED;
    return disagreed ? TRUST_NEWS_NONE : TRUST_NEWS_DISAGREED;
}

bool trust_has_time(const Trust *t, Now raw) {
    return t->has_time || raw.mono - t->started_mono >= TRUST_PATIENCE_USEC;
}
