#include "io/varlink_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/format/varlink.h"
#include "io/clocks.h"
#include "io/varlink_socket.h"

#define SWEEP_USEC USEC_PER_SEC
#define ACCEPTS_AT_ONCE 16
#define GROUPS_MAX 1024

typedef struct Client {
    uint64_t id;
    VarlinkServer *server;
    int fd;
    sd_event_source *source;
    VarlinkPeer peer;
    char *begun; /* of a message that has not come in full */
    size_t n_begun;
    Text out;        /* not sent yet */
    bool calling;    /* a call is under way */
    Usec moved_mono; /* when something came or left last */
} Client;

struct VarlinkServer {
    sd_event *event;
    const VarlinkPort *port;
    void *context;
    char *path;
    int fd;
    unsigned order_gid;
    uint64_t next_id;
    sd_event_source *listen_source, *sweep_source;
    Client *clients[VARLINK_CLIENTS_MAX];
    size_t n_clients;
};

/* --- clients --- */

static void client_free(Client *c) {
    sd_event_source_disable_unref(c->source);
    if (c->fd >= 0)
        close(c->fd);
    free(c->begun);
    text_done(&c->out);
    free(c);
}

static void drop(Client *c) {
    VarlinkServer *s = c->server;
    for (size_t i = 0; i < s->n_clients; i++)
        if (s->clients[i] == c) {
            s->clients[i] = s->clients[--s->n_clients];
            break;
        }
    if (c->calling)
        s->port->gone(s->context, c->id);
    client_free(c);
}

static Client *find(const VarlinkServer *s, uint64_t id) {
    for (size_t i = 0; i < s->n_clients; i++)
        if (s->clients[i]->id == id)
            return s->clients[i];
    return NULL;
}

/* It is read from when it may call, and written to when there is something for it. */
static int listen_to(Client *c) {
    return sd_event_source_set_io_events(c->source, c->out.len > 0 ? EPOLLOUT : c->calling ? 0 : EPOLLIN);
}

/* --- answers --- */

static int flush(Client *c) {
    while (c->out.len > 0) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        memmove(c->out.data, c->out.data + n, c->out.len - (size_t)n);
        c->out.len -= (size_t)n;
        c->moved_mono = clocks_read().mono;
    }
    text_done(&c->out); /* answers are rare: no memory for those that wait */
    return 0;
}

void varlink_server_send(VarlinkServer *s, uint64_t client, const Text *messages, bool continues) {
    Client *c = find(s, client);
    if (!c)
        return;
    if (c->out.len == 0)
        c->moved_mono = clocks_read().mono;
    c->calling &= continues;
    if (text_add_bytes(&c->out, messages->data, messages->len) < 0 || flush(c) < 0 || listen_to(c) < 0)
        drop(c);
}

bool varlink_server_is_behind(const VarlinkServer *s, uint64_t client) {
    const Client *c = find(s, client);
    return c && c->out.len > 0;
}

/* --- calls --- */

/* What has come of a message is kept until the rest is here. */
static int keep(Client *c, const char *bytes, size_t n) {
    if (c->n_begun + n > VARLINK_CALL_MAX)
        return -EMSGSIZE;
    char *grown = realloc(c->begun, c->n_begun + n);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + c->n_begun, bytes, n);
    c->begun = grown;
    c->n_begun += n;
    return 0;
}

static int take_message(Client *c) {
    AUTO_FREE char *message = TAKE_PTR(c->begun);
    size_t len = c->n_begun - 1;
    c->n_begun = 0;
    c->calling = true;
    return c->server->port->call(c->server->context, c->id, &c->peer, message, len);
}

/* Up to the end of one message: the next stays in the kernel until this one is answered. */
static int receive(Client *c) {
    char buffer[4096];
    ssize_t n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT | MSG_PEEK);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (n == 0)
        return -ECONNRESET;
    const char *nul = memchr(buffer, '\0', (size_t)n);
    size_t wanted = nul ? (size_t)(nul - buffer) + 1 : (size_t)n;
    n = recv(c->fd, buffer, wanted, MSG_DONTWAIT);
    if (n != (ssize_t)wanted)
        return -EIO;
    if (c->n_begun == 0) /* patience counts from the first byte */
        c->moved_mono = clocks_read().mono;
    int r = keep(c, buffer, wanted);
    return r < 0 || !nul ? r : take_message(c);
}

static int on_client(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    Client *c = userdata;
    VarlinkServer *s = c->server;
    uint64_t id = c->id;
    int r = 0;
    if (revents & EPOLLOUT)
        r = flush(c);
    else if (revents & EPOLLIN)
        r = receive(c);
    else if (revents & (EPOLLHUP | EPOLLERR))
        r = -ECONNRESET;
    c = find(s, id); /* an answer may have ended it */
    if (c && (r < 0 || listen_to(c) < 0))
        drop(c);
    return 0;
}

/* --- new clients --- */

static int read_peer(const VarlinkServer *s, int fd, VarlinkPeer *ret) {
    struct ucred cred;
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof cred, groups_len = sizeof groups;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -errno;
    size_t n = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_len) < 0 ? 0 : groups_len / sizeof groups[0];
    VarlinkPeer p = {
        .uid = cred.uid, .in_service_group = cred.gid == getegid(), .in_order_group = cred.gid == s->order_gid};
    for (size_t i = 0; i < n; i++) {
        p.in_service_group |= groups[i] == getegid();
        p.in_order_group |= groups[i] == s->order_gid;
    }
    p.in_order_group &= s->order_gid != (unsigned)-1;
    *ret = p;
    return 0;
}

/* The rest of a message, or to read an answer. */
static bool owes(const Client *c) { return c->n_begun > 0 || c->out.len > 0; }

/* Those who owe something go before those who are idle. */
static bool goes_before(const Client *a, const Client *b) {
    return owes(a) != owes(b) ? owes(a) : a->moved_mono < b->moved_mono;
}

static int make_room(VarlinkServer *s) {
    Client *first = NULL;
    if (s->n_clients < VARLINK_CLIENTS_MAX)
        return 0;
    for (size_t i = 0; i < s->n_clients; i++)
        if (!s->clients[i]->calling && (!first || goes_before(s->clients[i], first)))
            first = s->clients[i];
    if (!first)
        return -EBUSY;
    drop(first);
    return 0;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata);

static int start_sweeping(VarlinkServer *s) {
    if (s->sweep_source)
        return 0;
    int r =
        sd_event_add_time_relative(s->event, &s->sweep_source, CLOCK_MONOTONIC, (uint64_t)SWEEP_USEC, 0, on_sweep, s);
    return r < 0 ? r : sd_event_source_set_priority(s->sweep_source, VARLINK_PRIORITY);
}

/* Takes the descriptor. */
static int welcome(VarlinkServer *s, int fd) {
    Client *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return -ENOMEM;
    }
    *c = (Client){.id = ++s->next_id,
                  .server = s,
                  .fd = fd,
                  .out = TEXT_INIT(VARLINK_REPLY_MAX),
                  .moved_mono = clocks_read().mono};
    int r = make_room(s);
    if (r >= 0)
        r = read_peer(s, fd, &c->peer);
    if (r >= 0)
        r = sd_event_add_io(s->event, &c->source, fd, EPOLLIN, on_client, c);
    if (r >= 0)
        r = sd_event_source_set_priority(c->source, VARLINK_PRIORITY);
    if (r >= 0)
        r = start_sweeping(s);
    if (r < 0) {
        client_free(c);
        return r;
    }
    s->clients[s->n_clients++] = c;
    return 0;
}

static int on_connect(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
    VarlinkServer *s = userdata;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client >= 0)
            (void)welcome(s, client);
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR && errno != ECONNABORTED) {
            /* no descriptors or no memory are left: those who wait are looked after with the next sweep */
            sd_event_source_set_enabled(source, SD_EVENT_OFF);
            return start_sweeping(s);
        }
    }
    return 0;
}

/* --- patience --- */

static bool is_out_of_patience(const Client *c, Usec now_mono) {
    Usec quiet = now_mono - c->moved_mono;
    return owes(c) ? quiet > VARLINK_PATIENCE_USEC : !c->calling && quiet > VARLINK_IDLE_USEC;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
    VarlinkServer *s = userdata;
    Usec now_mono = clocks_read().mono;
    for (size_t i = s->n_clients; i-- > 0;)
        if (is_out_of_patience(s->clients[i], now_mono))
            drop(s->clients[i]);
    sd_event_source_set_enabled(s->listen_source, SD_EVENT_ON);
    s->sweep_source = sd_event_source_disable_unref(s->sweep_source);
    return s->n_clients > 0 ? start_sweeping(s) : 0;
}

/* --- the socket --- */

void varlink_server_set_group(VarlinkServer *s, unsigned gid) { s->order_gid = gid; }

void varlink_server_free(VarlinkServer *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n_clients; i++)
        client_free(s->clients[i]);
    sd_event_source_disable_unref(s->listen_source);
    sd_event_source_disable_unref(s->sweep_source);
    if (s->fd >= 0) {
        unlink(s->path);
        close(s->fd);
    }
    free(s->path);
    free(s);
}

/* One that was left by a daemon that was killed is taken away; one that somebody answers on is not. */
static int clear_stale(const char *path) {
    int fd = -1, r = varlink_connect(path, &fd);
    if (fd >= 0)
        close(fd);
    if (r == -ECONNREFUSED)
        return unlink(path) < 0 ? -errno : 0;
    return r == -ENOENT ? 0 : r >= 0 || r == -EAGAIN ? -EADDRINUSE : r;
}

static int bind_socket(VarlinkServer *s, const char *directory) {
    if (mkdir(directory, 0755) < 0 ? errno != EEXIST : chmod(directory, 0755) < 0) /* whatever the umask is */
        return -errno;
    int r = clear_stale(s->path);
    if (r < 0 || (r = varlink_bind(s->path, &s->fd)) < 0)
        return r;
    if (chmod(s->path, 0666) < 0 || listen(s->fd, 512) < 0) {
        r = -errno;
        unlink(s->path);
        close(s->fd);
        s->fd = -1;
    }
    return r;
}

int varlink_server_new(sd_event *event, const char *directory, const char *name, const VarlinkPort *port, void *context,
                       VarlinkServer **ret) {
    CLEANUP(varlink_server_free_ptr) VarlinkServer *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    *s = (VarlinkServer){.event = event, .port = port, .context = context, .fd = -1, .order_gid = (unsigned)-1};
    s->path = text_format("%s/%s", directory, name);
    int r = s->path ? bind_socket(s, directory) : -ENOMEM;
    if (r >= 0)
        r = sd_event_add_io(event, &s->listen_source, s->fd, EPOLLIN, on_connect, s);
    if (r >= 0)
        r = sd_event_source_set_priority(s->listen_source, VARLINK_PRIORITY);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(s);
    return 0;
}
