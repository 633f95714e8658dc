/* ddbackupctl: says what ddbackupd did, does and will do. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/verbs.h"
#include "io/clocks.h"

/* No answer is longer; 'list --all' of millions of runs asks for --limit. */
#define ANSWER_MAX (512u << 20)
/* Wrong usage of `check`, as monitoring systems know it. */
#define CHECK_USAGE 3

static int (*const verbs[CTL_VERBS])(const CtlOptions *o, Usec now_wall, Text *out) = {
    [CTL_STATUS] = verb_status,   [CTL_LIST] = verb_list,   [CTL_SHOW] = verb_show,
    [CTL_CHECK] = verb_check,     [CTL_PLAN] = verb_plan,   [CTL_CALENDAR] = verb_calendar,
    [CTL_PRUNE] = verb_prune,     [CTL_DOCTOR] = verb_doctor,   [CTL_REBUILD] = verb_rebuild,
    [CTL_SET_ASIDE] = verb_set_aside,
    [CTL_VERIFY] = verb_verify,
    [CTL_RUN] = verb_run,         [CTL_PAUSE] = verb_order, [CTL_RESUME] = verb_order,
    [CTL_RELOAD] = verb_order,    [CTL_HOLD] = verb_order,  [CTL_RELEASE] = verb_order,
    [CTL_ADOPT] = verb_order,     [CTL_CHAIN] = verb_chain,
};

int ctl_failed(const char *error) {
    fprintf(stderr, "ddbackupctl: %s\n", error ? error : "out of memory");
    return CTL_FAILED;
}

/* The answer goes out in one piece, or not at all. Where 1 is a warning, no answer is worse than that. */
static int print(const Text *out, int status, bool has_levels) {
    int failed = has_levels ? 2 : CTL_FAILED;
    if (out->error < 0) {
        ctl_failed(out->error == -E2BIG ? "the answer is too long; HINT: ask for less with --limit or --table" : NULL);
        return failed;
    }
    if (fputs(text_get(out), stdout) >= 0 && fflush(stdout) == 0)
        return status;
    ctl_failed(strerror(errno));
    return failed;
}

int main(int argc, char **argv) {
    CtlOptions options;
    int r = options_parse(argc, argv, &options);
    if (r < 0)
        return options.verb == CTL_CHECK ? CHECK_USAGE : CTL_USAGE;
    if (r == 0)
        return CTL_OK;
    AUTO_TEXT out = TEXT_INIT(ANSWER_MAX);
    int status = verbs[options.verb](&options, clocks_read().wall, &out);
    bool has_levels = options.verb == CTL_CHECK || options.verb == CTL_CHAIN || options.verb == CTL_DOCTOR;
    return print(&out, status, has_levels);
}
