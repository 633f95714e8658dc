#include "core/engine/engine_expiry.h"

int engine_say_lasting(EngineOutbox *out, Report *report, char **lasting) {
    int r = text_set(lasting, report->message);
    if (r < 0) {
        report_free(report);
        return r;
    }
    return engine_say(out, report);
}

int engine_say_obstacle(EngineOutbox *out, Report *report, const char *table, Obstacle *o, Usec *said_mono, Now now) {
    bool silent = *said_mono != 0 && now.mono - *said_mono < EXPIRY_SAID_USEC;
    int r = text_set(&o->table, table);
    if (r >= 0)
        r = text_set(&o->message, report->message);
    if (r < 0 || silent) {
        report_free(report);
        return r;
    }
    *said_mono = now.mono;
    return engine_say(out, report);
}

void engine_end_obstacle(Obstacle *o, const char *table) {
    if (table && !text_equal(o->table, table))
        return;
    free(TAKE_PTR(o->table));
    free(TAKE_PTR(o->message));
}

bool engine_trouble(const Engine *e, size_t i, EngineTrouble *ret) {
    size_t n = 0;
    if (e->clock_trouble && n++ == i) {
        *ret = (EngineTrouble){.message = e->clock_trouble};
        return true;
    }
    for (size_t j = 0; j < e->places.n_items; j++) {
        const Place *p = &e->places.items[j];
        const char *said[] = {p->trouble_said ? p->trouble_text : NULL, p->listing_trouble_text};
        for (size_t k = 0; k < ARRAY_SIZE(said); k++)
            if (said[k] && n++ == i) {
                *ret = (EngineTrouble){.account = p->account, .region = p->region, .message = said[k]};
                return true;
            }
    }
    for (size_t j = 0; j < e->n_expiries; j++) {
        const Expiry *x = e->expiries[j];
        if (x->obstacle.message && n++ == i) {
            *ret = (EngineTrouble){.account = x->account, .region = x->region, .message = x->obstacle.message};
            return true;
        }
    }
    return engine_erase_trouble(e, i - n, ret);
}
