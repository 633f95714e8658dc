#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

typedef struct Process {
    struct Process *next;
    Processes *owner;
    uint64_t id;
    pid_t pid; /* 0: it is not there (any more) */
    int output_fd, pid_fd;
    sd_event_source *output_source, *pid_source, *timer;
    char *output;
    size_t len;
    char problem[160]; /* "": none yet */
} Process;

struct Processes {
    sd_event *event;
    ProcessLimits limits;
    ProcessEnded ended;
    void *context;
    Process *first;
};

/* The whole group: what it started goes with it. */
static void kill_process(Process *p) {
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    p->pid = 0;
}

static void process_free(Process *p) {
    if (!p)
        return;
    kill_process(p);
    sd_event_source_disable_unref(p->output_source);
    sd_event_source_disable_unref(p->pid_source);
    sd_event_source_disable_unref(p->timer);
    if (p->output_fd >= 0)
        close(p->output_fd);
    if (p->pid_fd >= 0)
        close(p->pid_fd);
    if (p->output)
        secret_wipe(p->output, p->len);
    free(p->output);
    free(p);
}
DEFINE_CLEANUP(Process, process_free)

static void end(Process *p) {
    Processes *owner = p->owner;
    for (Process **at = &owner->first; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    kill_process(p);
    p->output[p->len] = '\0';
    owner->ended(owner->context, p->id, p->output, p->len, *p->problem ? p->problem : NULL);
    process_free(p);
}

/* All that is there now. */
static void drain(Process *p) {
    for (;;) {
        char excess[512];
        bool full = p->len == p->owner->limits.max_output;
        ssize_t n = full ? read(p->output_fd, excess, sizeof excess)
                         : read(p->output_fd, p->output + p->len, p->owner->limits.max_output - p->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 && p->output_source)
            p->output_source = sd_event_source_disable_unref(p->output_source);
        if (n <= 0)
            return;
        if (full) {
            snprintf(p->problem, sizeof p->problem, "it printed more than %zu bytes", p->owner->limits.max_output);
            p->output_source = sd_event_source_disable_unref(p->output_source);
            return;
        }
        p->len += (size_t)n;
    }
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Process *p = userdata;
    drain(p);
    if (*p->problem)
        end(p);
    return 0;
}

static int on_exit_of(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Process *p = userdata;
    int status = 0;
    pid_t pid = waitpid(p->pid, &status, WNOHANG);
    if (pid == 0)
        return 0;
    p->pid = 0;
    drain(p);
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        snprintf(p->problem, sizeof p->problem, "it ended with status %d", WEXITSTATUS(status));
    else if (pid > 0 && WIFSIGNALED(status))
        snprintf(p->problem, sizeof p->problem, "it was ended by signal %d", WTERMSIG(status));
    end(p);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
    Process *p = userdata;
    if (!*p->problem)
        snprintf(p->problem, sizeof p->problem, "it did not end within %d seconds",
                 (int)(p->owner->limits.timeout_usec / USEC_PER_SEC));
    end(p);
    return 0;
}

int processes_new(sd_event *event, const ProcessLimits *limits, ProcessEnded ended, void *context, Processes **ret) {
    Processes *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    *p = (Processes){.event = sd_event_ref(event), .limits = *limits, .ended = ended, .context = context};
    *ret = p;
    return 0;
}

void processes_free(Processes *p) {
    if (!p)
        return;
    while (p->first) {
        Process *next = p->first->next;
        process_free(p->first);
        p->first = next;
    }
    sd_event_unref(p->event);
    free(p);
}

/* Signals that we block are its own to have. */
static int spawn(Process *p, char *const *argv) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    p->output_fd = fds[0];
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    sigemptyset(&none);
    sigfillset(&all);
    int r = posix_spawn_file_actions_init(&files);
    if (r == 0 && (r = posix_spawnattr_init(&attributes)) != 0)
        posix_spawn_file_actions_destroy(&files);
    if (r == 0) {
        if ((r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
            (r = posix_spawn_file_actions_adddup2(&files, fds[1], 1)) == 0 &&
            (r = posix_spawnattr_setsigmask(&attributes, &none)) == 0 &&
            (r = posix_spawnattr_setsigdefault(&attributes, &all)) == 0 &&
            (r = posix_spawnattr_setflags(&attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)) == 0)
            r = posix_spawnp(&p->pid, argv[0], &files, &attributes, argv, environ);
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    close(fds[1]);
    if (r != 0)
        p->pid = 0;
    return -r;
}

static Process *process_new(Processes *owner, uint64_t id) {
    AUTO_FREE char *output = calloc(1, owner->limits.max_output + 1);
    AUTO_FREE Process *p = calloc(1, sizeof *p);
    if (!output || !p)
        return NULL;
    p->owner = owner;
    p->id = id;
    p->output_fd = p->pid_fd = -1;
    p->output = TAKE_PTR(output);
    return TAKE_PTR(p);
}

int processes_run(Processes *owner, uint64_t id, char *const *argv) {
    CLEANUP(process_free_ptr) Process *p = process_new(owner, id);
    if (!p)
        return -ENOMEM;
    int r = spawn(p, argv);
    if (r < 0)
        snprintf(p->problem, sizeof p->problem, "%.80s: %s", argv[0], strerror(-r));
    else if ((p->pid_fd = (int)syscall(SYS_pidfd_open, p->pid, 0)) < 0)
        return -errno;
    if (p->pid > 0 &&
        ((r = sd_event_add_io(owner->event, &p->output_source, p->output_fd, EPOLLIN, on_output, p)) < 0 ||
         (r = sd_event_add_io(owner->event, &p->pid_source, p->pid_fd, EPOLLIN, on_exit_of, p)) < 0))
        return r;
    r = sd_event_add_time_relative(owner->event, &p->timer, CLOCK_MONOTONIC,
                                   p->pid > 0 ? (uint64_t)owner->limits.timeout_usec : 0, 0, on_timeout, p);
    if (r < 0)
        return r;
    p->next = owner->first;
    owner->first = TAKE_PTR(p);
    return 0;
}
