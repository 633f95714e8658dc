#include "ctl/become.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/verbs.h"

static int failed(const CtlOptions *o, const char *what, const char *hint) {
    int error = errno;
    AUTO_TEXT t = TEXT_INIT(8192);
    text_addf(&t, "%s: %s%s; HINT: %s", o->state_directory, what, strerror(error), hint);
    ctl_failed(text_get(&t));
    return -error;
}

int become_writer(const CtlOptions *o) {
    struct rlimit none = {0, 0};
    struct stat st;
    setrlimit(RLIMIT_CORE, &none);
    umask(0027);
    if (stat(o->state_directory, &st) < 0)
        return failed(o, "", "start ddbackupd once, or name its directory with --state-directory");
    if (geteuid() == 0 && st.st_uid != 0 &&
        (setgroups(0, NULL) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
         setresuid(st.st_uid, st.st_uid, st.st_uid) < 0))
        return failed(o, "its owner cannot be become: ", "ask as the daemon's user");
    prctl(PR_SET_DUMPABLE, 0); /* a change of the user switches it on or off, by sysctl */
    return 0;
}

int become_refused(const CtlOptions *o, int r, const char *error) {
    if (r != -EBUSY)
        return ctl_failed(error);
    AUTO_TEXT t = TEXT_INIT(8192);
    text_addf(&t, "%s: ddbackupd runs, and has the ledger to itself; HINT: stop it first: systemctl stop ddbackupd",
              o->state_directory);
    return ctl_failed(text_get(&t));
}
