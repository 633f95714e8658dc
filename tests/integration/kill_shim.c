/* Preloaded into ddbackupd by test_kill.py, which builds it. It knows the points of the daemon's life: before and after
 * each request sent, each reply read, each write to a file and each sync of one. Writes and syncs are counted from the
 * last request or reply, so that their names stay when something changes elsewhere:
 *
 *   before send CreateBackup 1
 *   after sync 1 since receive DescribeTable 1
 *
 * DDB_KILL        the point at which the process gets SIGKILL
 * DDB_FAIL        a write from which on the disk is full, or a sync from which on none succeeds
 * DDB_TRACE       a file to which the points are appended as they are passed
 * DDB_CLOCK_USEC  is added to the wall clock */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 1024
#define MAX_OPS 32

static char phase[80] = "start";
static unsigned n_syncs, n_writes; /* in this phase */
static char op_of[MAX_FD][40];     /* what was last sent over it, until the reply begins */
static clockid_t timer_clock[MAX_FD];

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* --- points --- */

static void pass(const char *when, const char *event) {
    static int trace_fd = -2;
    static const char *kill_at;
    char line[160];
    if (trace_fd == -2) {
        const char *path = getenv("DDB_TRACE");
        kill_at = getenv("DDB_KILL");
        trace_fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    }
    int n = snprintf(line, sizeof line, "%s %s", when, event);
    if (kill_at && strcmp(line, kill_at) == 0)
        kill(getpid(), SIGKILL);
    line[n++] = '\n';
    if (trace_fd >= 0)
        syscall(SYS_write, trace_fd, line, n);
}

/* How many requests of an operation there were, with `add` more. */
static unsigned count_of(const char *op, unsigned add) {
    static struct {
        char op[40];
        unsigned n;
    } counts[MAX_OPS];
    for (size_t i = 0; i < MAX_OPS; i++)
        if (!counts[i].op[0] || strcmp(counts[i].op, op) == 0) {
            snprintf(counts[i].op, sizeof counts[i].op, "%s", op);
            counts[i].n += add;
            return counts[i].n;
        }
    abort();
}

static void enter(const char *event) {
    snprintf(phase, sizeof phase, "%s", event);
    n_syncs = n_writes = 0;
}

/* --- requests and replies --- */

/* The operation that a request names; false when these bytes begin none. */
static int operation(const void *bytes, size_t n, char ret[static 40]) {
    static const char target[] = "X-Amz-Target: DynamoDB_20120810.";
    const char *at = memmem(bytes, n, target, sizeof target - 1);
    if (!at)
        return 0;
    at += sizeof target - 1;
    snprintf(ret, 40, "%.*s", (int)strcspn(at, "\r\n"), at);
    return 1;
}

ssize_t send(int fd, const void *bytes, size_t n, int flags) {
    char op[40], event[80];
    int is_request = fd < MAX_FD && operation(bytes, n, op);
    if (!is_request)
        return REAL(send)(fd, bytes, n, flags);
    snprintf(event, sizeof event, "send %s %u", op, count_of(op, 1));
    pass("before", event);
    ssize_t r = REAL(send)(fd, bytes, n, flags);
    memcpy(op_of[fd], op, sizeof op);
    enter(event);
    pass("after", event);
    return r;
}

ssize_t recv(int fd, void *bytes, size_t n, int flags) {
    char event[80];
    int n_there = 0;
    int is_awaited = fd < MAX_FD && op_of[fd][0] && !(flags & MSG_PEEK);
    if (!is_awaited || ioctl(fd, FIONREAD, &n_there) < 0 || n_there == 0)
        return REAL(recv)(fd, bytes, n, flags);
    snprintf(event, sizeof event, "receive %s %u", op_of[fd], count_of(op_of[fd], 0));
    op_of[fd][0] = '\0';
    pass("before", event);
    ssize_t r = REAL(recv)(fd, bytes, n, flags);
    enter(event);
    pass("after", event);
    return r;
}

/* --- files --- */

static void name_file(char *ret, size_t size, const char *kind, unsigned n) {
    snprintf(ret, size, "%s %u since %s", kind, n, phase);
}

/* The disk fails from the event of that name on: for all events of that kind. */
static int is_broken(const char *event, int *broken) {
    const char *fail_at = getenv("DDB_FAIL");
    *broken |= fail_at && strcmp(event, fail_at) == 0;
    return *broken;
}

static int sync_file(int fd, int (*real)(int)) {
    static int broken;
    char event[120];
    name_file(event, sizeof event, "sync", ++n_syncs);
    pass("before", event);
    if (is_broken(event, &broken)) {
        errno = EIO;
        return -1;
    }
    int r = real(fd);
    pass("after", event);
    return r;
}

int fdatasync(int fd) { return sync_file(fd, REAL(fdatasync)); }
int fsync(int fd) { return sync_file(fd, REAL(fsync)); }

typedef ssize_t (*WriteAt)(int fd, const void *bytes, size_t n, off64_t at);

static ssize_t write_file(int fd, const void *bytes, size_t n, off64_t at, WriteAt real) {
    static int broken;
    char event[120];
    name_file(event, sizeof event, "write", ++n_writes);
    pass("before", event);
    if (is_broken(event, &broken)) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t r = real(fd, bytes, n, at);
    pass("after", event);
    return r;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    return write_file(fd, bytes, n, at, REAL(pwrite64));
}

/* --- the wall clock --- */

static int64_t offset_usec(void) {
    static int64_t offset;
    static int known;
    if (!known) {
        const char *text = getenv("DDB_CLOCK_USEC");
        offset = text ? strtoll(text, NULL, 10) : 0;
        known = 1;
    }
    return offset;
}

static void shift(struct timespec *t, int64_t by_usec) {
    int64_t usec = t->tv_sec * INT64_C(1000000) + t->tv_nsec / 1000 + by_usec;
    t->tv_sec = usec / 1000000;
    t->tv_nsec = usec % 1000000 * 1000 + t->tv_nsec % 1000;
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
    if (syscall(SYS_clock_gettime, clock, ret) < 0)
        return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        shift(ret, offset_usec());
    return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    *ret = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (ret)
        *ret = t.tv_sec;
    return t.tv_sec;
}

int timerfd_create(clockid_t clock, int flags) {
    int fd = REAL(timerfd_create)(clock, flags);
    if (fd >= 0 && fd < MAX_FD)
        timer_clock[fd] = clock;
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new_time, struct itimerspec *old_time) {
    struct itimerspec t = *new_time;
    int is_set = t.it_value.tv_sec != 0 || t.it_value.tv_nsec != 0;
    if (fd < MAX_FD && timer_clock[fd] == CLOCK_REALTIME && (flags & TFD_TIMER_ABSTIME) && is_set) {
        shift(&t.it_value, -offset_usec());
        if (t.it_value.tv_sec < 1)
            t.it_value = (struct timespec){.tv_sec = 1};
    }
    return REAL(timerfd_settime)(fd, flags, &t, old_time);
}
