#include "ctl/retained.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/expiry/stock.h"
#include "ctl/words.h"

void retained_done(Retained *r) {
    for (size_t i = 0; i < r->n_decisions; i++) {
        free(r->decisions[i].decision);
        free(r->decisions[i].why);
        free(r->decisions[i].who);
    }
    free(r->decisions);
    free(r->held_by);
    free(r->held_because);
    *r = (Retained){};
}

static int take_decision(void *context, Usec wall, const char *decision, const char *why, const char *who) {
    Retained *r = context;
    if (ARRAY_GROW(r->decisions, r->n_decisions, r->n_room) < 0)
        return -ENOMEM;
    RetainedDecision *d = &r->decisions[r->n_decisions++];
    *d = (RetainedDecision){.wall = wall};
    return text_set(&d->decision, decision) < 0 || text_set(&d->why, why) < 0 || text_set(&d->who, who) < 0 ? -ENOMEM
                                                                                                            : 0;
}

/* The word of a hold that has ended is that of the decision before it. */
static int take_hold(void *context, Usec until_wall, const char *why, const char *who) {
    Retained *r = context;
    r->held_until_wall = until_wall;
    return text_set(&r->held_because, why) < 0 || text_set(&r->held_by, who) < 0 ? -ENOMEM : 0;
}

int retained_load(StoreRead *store, const char *arn, Usec now_wall, Retained *ret) {
    CLEANUP(retained_done) Retained r = {.held_until_wall = WALL_UNKNOWN};
    int rc = store_read_hold(store, arn, take_hold, &r);
    if (rc < 0 || (rc = store_read_decisions(store, arn, take_decision, &r)) < 0)
        return rc;
    r.held = r.held_until_wall > now_wall;
    *ret = r;
    r = (Retained){};
    return 0;
}

const char *retained_word(const Retained *r) {
    static const Decision of_people[] = {DECISION_HELD, DECISION_RELEASED, DECISION_ADOPTED};
    if (r->held)
        return decision_to_string(DECISION_HELD);
    for (size_t i = r->n_decisions; i > 0; i--) {
        bool by_people = false;
        for (size_t j = 0; j < ARRAY_SIZE(of_people); j++)
            by_people |= strcmp(r->decisions[i - 1].decision, decision_to_string(of_people[j])) == 0;
        if (!by_people)
            return r->decisions[i - 1].decision;
    }
    return NULL;
}

int retained_hold_describe(const Retained *r, Text *t) {
    char until[DATE_ISO_SIZE];
    if (!r->held)
        return 0;
    text_add(t, "is held by ");
    words_add(t, r->held_by ? r->held_by : "somebody");
    if (r->held_until_wall != USEC_INFINITY)
        text_addf(t, " until %s", words_time(r->held_until_wall, until));
    if (r->held_because) {
        text_add(t, ": ");
        words_add(t, r->held_because);
    }
    return t->error;
}

void retained_json(Json *j, const Retained *r) {
    json_bool(j, "held", r->held);
    json_wall(j, "held_until", r->held ? r->held_until_wall : WALL_UNKNOWN);
    json_string(j, "held_by", r->held ? r->held_by : NULL);
    json_string(j, "held_because", r->held ? r->held_because : NULL);
    json_open(j, "decisions", '[');
    for (size_t i = 0; i < r->n_decisions; i++) {
        json_open(j, NULL, '{');
        json_wall(j, "time", r->decisions[i].wall);
        json_string(j, "decision", r->decisions[i].decision);
        json_string(j, "why", r->decisions[i].why);
        json_string(j, "who", r->decisions[i].who);
        json_close(j, '}');
    }
    json_close(j, ']');
}
