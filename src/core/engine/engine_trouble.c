#include "core/engine/engine_inside.h"

int engine_say_lasting(EngineOutbox *out, Report *report, char **lasting) {
    int r = text_set(lasting, report->message);
    if (r < 0) {
        report_free(report);
        return r;
    }
    return engine_say(out, report);
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
    return false;
}
