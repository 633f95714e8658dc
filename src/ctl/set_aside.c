/* A ledger that is damaged beyond use makes way, by order. */

#include "ctl/become.h"
#include "ctl/json.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/store_aside.h"

int verb_set_aside(const CtlOptions *o, Usec now_wall, Text *out) {
    AUTO_FREE char *path = NULL, *error = NULL;
    if (become_writer(o) < 0)
        return CTL_FAILED;
    int r = store_set_aside(o->state_directory, now_wall, &path, &error);
    if (r < 0)
        return become_refused(o, r, error);
    if (o->json) {
        Json j = {.out = out};
        json_open(&j, NULL, '{');
        json_wall(&j, "now", now_wall);
        json_string(&j, "state_directory", o->state_directory);
        json_string(&j, "set_aside", path);
        json_close(&j, '}');
        text_add_char(out, '\n');
        return CTL_OK;
    }
    text_add(out, "The ledger is now ");
    words_add(out, path);
    text_add(out, ", with its -wal and -shm, where it had them, beside it.\n"
                  "Next: 'ddbackupctl rebuild' finds again what the service knows; then start ddbackupd.\n");
    return CTL_OK;
}
