#include "emulator/emulator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/parse.h"

#define MAX_LOG (64u << 20)
#define MAX_STATE (256u << 20)
#define PREFIX "/_emulator/"

struct Emulator {
    pthread_mutex_t lock;
    Service *service;
    FILE *log;
    Text kept; /* the log once more, for GET /_emulator/log; its older half goes when it is full */
    Usec clock_offset_usec;
};

int emulator_new(Service *service, FILE *log, Usec clock_offset_usec, Emulator **ret) {
    Emulator *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    *e = (Emulator){
        .service = service, .log = log, .kept = TEXT_INIT(MAX_LOG), .clock_offset_usec = clock_offset_usec};
    pthread_mutex_init(&e->lock, NULL);
    *ret = e;
    return 0;
}

void emulator_free(Emulator *e) {
    if (!e)
        return;
    service_free(e->service);
    if (e->log)
        fclose(e->log);
    text_done(&e->kept);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static Usec now_wall(const Emulator *e) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000 + e->clock_offset_usec;
}

static void log_reply(Emulator *e, Usec wall, const ServiceReply *r) {
    AUTO_TEXT line = TEXT_INIT(10000);
    if (service_log_to_json(e->service, wall, r, &line) < 0 || text_add_char(&line, '\n') < 0)
        return;
    if (e->log) {
        fputs(text_get(&line), e->log);
        fflush(e->log);
    }
    if (e->kept.len + line.len > e->kept.max) {
        const char *rest = strchr(e->kept.data + e->kept.len / 2, '\n') + 1;
        e->kept.len -= (size_t)(rest - e->kept.data);
        memmove(e->kept.data, rest, e->kept.len + 1);
    }
    text_add(&e->kept, text_get(&line));
}

/* ---- the paths for tests ---- */

static int put_faults(Emulator *e, const ServiceRequest *q, Text *t) {
    AUTO_FREE char *script = strndup(q->body ? q->body : "", q->body_len), *why = NULL;
    int rc = script ? service_add_faults(e->service, script, &why) : -ENOMEM;
    if (rc < 0)
        text_addf(t, "faults: %s\n", why ? why : strerror(-rc));
    return rc;
}

/* "2h" moves the clock on, "-90s" back. */
static int put_clock(Emulator *e, const ServiceRequest *q, Text *t) {
    AUTO_FREE char *word = strndup(q->body ? q->body : "", q->body_len);
    Usec usec;
    if (!word)
        return -ENOMEM;
    word[strcspn(word, "\r\n")] = '\0';
    int rc = parse_duration(word + (word[0] == '-'), &usec);
    if (rc < 0 || usec > 366 * 100 * USEC_PER_DAY) {
        text_addf(t, "clock: %s: not a duration; HINT: 2h moves it on, -90s back\n", word);
        return -EINVAL;
    }
    e->clock_offset_usec += word[0] == '-' ? -usec : usec;
    return 0;
}

/* GET /_emulator/items/REGION/TABLE[/INSTANT] */
static int get_items(Emulator *e, const char *path, Text *t) {
    AUTO_FREE char *copy = strdup(path);
    char *rest = copy, *region = copy ? strsep(&rest, "/") : NULL, *table = strsep(&rest, "/");
    Usec before_wall = USEC_INFINITY;
    if (!copy)
        return -ENOMEM;
    if (!table || (rest && date_from_iso(rest, &before_wall) < 0)) {
        text_add(t, "items: REGION/TABLE or REGION/TABLE/INSTANT is wanted\n");
        return -EINVAL;
    }
    int rc = service_items_to_lines(e->service, region, table, before_wall, now_wall(e), t);
    if (rc == -ENOENT)
        text_addf(t, "items: %s/%s: no such table\n", region, table);
    return rc;
}

/* "REGION TABLE FIRST N [MARK]" */
static int put_items(Emulator *e, const ServiceRequest *q, Text *t) {
    AUTO_FREE char *line = strndup(q->body ? q->body : "", q->body_len);
    char *rest = line, *word[4] = {};
    int64_t first, n;
    if (!line)
        return -ENOMEM;
    for (int i = 0; i < 4; i++)
        word[i] = strsep(&rest, " ");
    if (!word[3] || parse_int(word[2], 0, INT32_MAX, &first) < 0 || parse_int(word[3], 0, INT32_MAX, &n) < 0) {
        text_add(t, "items: wanted: REGION TABLE FIRST N [MARK]; HINT: without a mark they are deleted\n");
        return -EINVAL;
    }
    int rc = service_write_items(e->service, word[0], word[1], first, n, rest, now_wall(e));
    if (rc == -ENOENT || rc == -EINVAL)
        text_addf(t, "items: %s/%s: %s\n", word[0], word[1],
                  rc == -ENOENT ? "no such table" : "its key is not \"id\" alone");
    return rc;
}

static int control(Emulator *e, const ServiceRequest *q, Text *t) {
    const char *path = q->target + strlen(PREFIX);
    bool get = strcmp(q->method, "GET") == 0, post = strcmp(q->method, "POST") == 0;
    if (get && strcmp(path, "state") == 0)
        return service_state_to_json(e->service, now_wall(e), t);
    if (get && strcmp(path, "log") == 0)
        return text_add(t, text_get(&e->kept));
    if (get && strcmp(path, "faults") == 0)
        return service_faults_to_json(e->service, t);
    if (post && strcmp(path, "faults") == 0)
        return put_faults(e, q, t);
    if (strcmp(q->method, "DELETE") == 0 && strcmp(path, "faults") == 0) {
        service_clear_faults(e->service);
        return 0;
    }
    if (post && strcmp(path, "clock") == 0)
        return put_clock(e, q, t);
    if (get && text_starts_with(path, "items/"))
        return get_items(e, path + strlen("items/"), t);
    if (post && strcmp(path, "items") == 0)
        return put_items(e, q, t);
    text_addf(t,
              "%s %s: no such thing; HINT: GET state, log, faults or items/REGION/TABLE; POST faults, clock or items; "
              "DELETE faults\n",
              q->method, q->target);
    return -ENOENT;
}

static void serve_control(Emulator *e, const ServiceRequest *q, ServiceReply *r) {
    *r = (ServiceReply){.body = TEXT_INIT(MAX_STATE), .status = 200};
    int rc = control(e, q, &r->body);
    if (rc < 0)
        r->status = rc == -ENOENT ? 404 : rc == -EINVAL ? 400 : 500;
    r->headers[r->n_headers++] = (ServiceHeader){"Content-Type", rc < 0 ? "text/plain" : "application/json"};
}

void emulator_exchange(Emulator *e, const ServiceRequest *q, ServiceReply *ret) {
    pthread_mutex_lock(&e->lock);
    if (text_starts_with(q->target, PREFIX))
        serve_control(e, q, ret);
    else {
        Usec wall = now_wall(e);
        service_handle(e->service, wall, q, ret);
        if (ret->ending != SERVICE_LATER && (ret->operation[0] || strcmp(q->method, "POST") == 0))
            log_reply(e, wall, ret);
    }
    pthread_mutex_unlock(&e->lock);
}
