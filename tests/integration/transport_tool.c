/* Drives the transport for the tests: commands on standard input, one a line, words separated by tabs; one JSON object
 * a reply on standard output.
 *
 *   send METHOD URL once|repeatable BODY CONNECT_MSEC TIMEOUT_MSEC MAX_REPLY COUNT    hands COUNT requests over
 *   wait                                   runs until every request has its reply, for 60 seconds at most
 *   run MSEC                               runs for that long
 *   configure CA_BUNDLE|- MAX_CONNECTIONS MAX_PER_HOST
 *   free                                   ends what is under way and begins anew
 *   rest                                   gives back what it does not need
 *
 * wait, run, free and rest end their output with a line ".", the first two of them say before how often replies were
 * told.
 * The end of the input ends it, with whatever is under way. */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/parse.h"
#include "base/text.h"
#include "io/transport.h"

#define MAX_WORDS 10

typedef struct Tool {
    sd_event *event;
    Transport *transport;
    uint64_t n_sent;
    size_t n_told; /* calls of on_replies */
} Tool;

static const TransportSettings defaults = {.max_connections = 64, .max_per_host = 32};

static void print_reply(const HttpReply *r) {
    static const char *const outcomes[] = {"replied", "not_sent", "unknown"};
    AUTO_TEXT t = TEXT_INIT(1 << 24);
    text_addf(&t, "{\"id\":%" PRIu64 ",\"outcome\":\"%s\",\"status\":%d,\"body_len\":%zu", r->id, outcomes[r->outcome],
              r->status, r->body_len);
    text_add(&t, ",\"body\":");
    text_add_json(&t, r->body ? r->body : "");
    text_add(&t, ",\"error\":");
    text_add_json(&t, r->error ? r->error : "");
    text_add(&t, ",\"headers\":[");
    for (size_t i = 0; i < r->headers.n_items; i++) {
        text_add(&t, i ? ",[" : "[");
        text_add_json(&t, r->headers.items[i].name);
        text_add_char(&t, ',');
        text_add_json(&t, r->headers.items[i].value);
        text_add_char(&t, ']');
    }
    text_add(&t, "]}");
    puts(t.error ? "too long" : text_get(&t));
}

static void on_replies(Transport *transport, void *context) {
    Tool *tool = context;
    tool->n_told++;
    HttpReply *reply;
    while ((reply = transport_take(transport))) {
        print_reply(reply);
        http_reply_free(reply);
    }
}

static int number(const char *word) {
    int64_t n = 0;
    return word && parse_int(word, 0, INT32_MAX, &n) == 0 ? (int)n : 0;
}

static int send_one(Tool *tool, char **words) {
    static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    if (!q || text_set(&q->url, words[2]) < 0 || (words[4][0] && text_set(&q->body, words[4]) < 0))
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(methods[i], words[1]) == 0)
            q->method = (HttpMethod)i;
    q->id = ++tool->n_sent;
    q->repeatable = strcmp(words[3], "repeatable") == 0;
    q->body_len = strlen(words[4]);
    q->connect_timeout_usec = number(words[5]) * USEC_PER_MSEC;
    q->timeout_usec = number(words[6]) * USEC_PER_MSEC;
    q->max_reply = (size_t)number(words[7]);
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, q->id);
    if (http_headers_add(&q->headers, "X-Id", id) < 0 || http_headers_add(&q->headers, "X-Empty", "") < 0 ||
        http_headers_add(&q->headers, "Accept-Encoding", "identity") < 0 ||
        http_headers_add(&q->headers, "Authorization", "AWS4-HMAC-SHA256 a,  b") < 0)
        return -ENOMEM;
    return transport_send(tool->transport, TAKE_PTR(q));
}

/* For so long, or until all is quiet. */
static int run(Tool *tool, uint64_t usec, bool until_quiet) {
    uint64_t now, end;
    sd_event_now(tool->event, CLOCK_MONOTONIC, &now);
    end = now + usec;
    int r = 0;
    while (r >= 0 && now < end && !(until_quiet && transport_n_requests(tool->transport) == 0)) {
        r = sd_event_run(tool->event, end - now);
        sd_event_now(tool->event, CLOCK_MONOTONIC, &now);
    }
    while (r >= 0 && until_quiet && (r = sd_event_run(tool->event, 0)) > 0) /* replies are told a little later */
        ;
    printf("{\"told\":%zu}\n.\n", tool->n_told);
    return r < 0 ? r : 0;
}

static int configure(Tool *tool, char **words) {
    TransportSettings s = {.ca_bundle = strcmp(words[1], "-") == 0 ? NULL : words[1],
                           .max_connections = number(words[2]),
                           .max_per_host = number(words[3])};
    return transport_configure(tool->transport, &s);
}

static int begin_anew(Tool *tool) {
    transport_free(TAKE_PTR(tool->transport));
    puts(".");
    return transport_new(tool->event, &defaults, on_replies, tool, &tool->transport);
}

static int rest(Tool *tool) {
    transport_rest(tool->transport);
    puts(".");
    return 0;
}

static int command(Tool *tool, char *line) {
    char *words[MAX_WORDS] = {};
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *word; n < MAX_WORDS && (word = strsep(&line, "\t"));)
        words[n++] = word;
    int r = -EINVAL;
    if (strcmp(words[0], "send") == 0 && n == 9)
        for (int i = number(words[8]); i > 0 && (r = send_one(tool, words)) == 0; i--)
            ;
    else if (strcmp(words[0], "wait") == 0)
        r = run(tool, 60 * (uint64_t)USEC_PER_SEC, true);
    else if (strcmp(words[0], "run") == 0 && n == 2)
        r = run(tool, (uint64_t)number(words[1]) * 1000, false);
    else if (strcmp(words[0], "configure") == 0 && n == 4)
        r = configure(tool, words);
    else if (strcmp(words[0], "free") == 0)
        r = begin_anew(tool);
    else if (strcmp(words[0], "rest") == 0)
        r = rest(tool);
    fflush(stdout);
    return r;
}

int main(void) {
    Tool tool = {};
    char line[4096];
    int r = sd_event_new(&tool.event);
    if (r >= 0)
        r = transport_new(tool.event, &defaults, on_replies, &tool, &tool.transport);
    while (r >= 0 && fgets(line, sizeof line, stdin))
        r = command(&tool, line);
    if (r < 0)
        fprintf(stderr, "transport_tool: %s\n", strerror(-r));
    transport_free(tool.transport);
    sd_event_unref(tool.event);
    return r < 0;
}
