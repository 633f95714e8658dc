#include "core/control/pause.h"

#include <errno.h>

#include "base/text.h"

int pause_set(Pause *p, Usec since_wall, Usec until_wall, const char *who, const char *why) {
    Pause new = {.since_wall = since_wall, .until_wall = until_wall};
    if (text_set(&new.who, who) < 0 || text_set(&new.why, why) < 0) {
        pause_done(&new);
        return -ENOMEM;
    }
    pause_done(p);
    *p = new;
    return 0;
}

void pause_done(Pause *p) {
    free(p->who);
    free(p->why);
    *p = (Pause){};
}
