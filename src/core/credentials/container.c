#include "core/credentials/container.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/text.h"

#define TIMEOUT_USEC (2 * USEC_PER_SEC)
#define MAX_REPLY (64u << 10)

/* 127.0.0.0/8 in its four decimal numbers. */
static bool is_loopback(const char *host) {
    int n_parts = 0;
    char part[8];
    for (const char *at = host;; at++) {
        size_t n = strcspn(at, ".");
        int64_t value;
        if (n == 0 || n > 3)
            return false;
        memcpy(part, at, n);
        part[n] = '\0';
        if (strspn(part, "0123456789") != n || parse_int(part, 0, 255, &value) < 0 || (n_parts == 0 && value != 127))
            return false;
        n_parts++;
        at += n;
        if (!*at)
            return n_parts == 4;
    }
}

bool container_url_is_allowed(const char *url) {
    static const char *const hosts[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "::1"};
    if (strncasecmp(url, "https://", 8) == 0)
        return url[8] != '\0';
    if (strncasecmp(url, "http://", 7) != 0)
        return false;
    const char *at = url + 7;
    size_t n = strcspn(at, "/?#");
    const char *user = memchr(at, '@', n);
    if (user) {
        n -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    if (*at == '[') {
        at++;
        n = strcspn(at, "]");
    } else
        n = strcspn(at, ":/?#");
    char host[64];
    if (n == 0 || n >= sizeof host)
        return false;
    memcpy(host, at, n);
    host[n] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
        if (strcasecmp(host, hosts[i]) == 0)
            return true;
    return is_loopback(host);
}

int container_request(const char *url, const char *authorization, HttpRequest **ret) {
    if (authorization && strpbrk(authorization, "\r\n"))
        return -EBADMSG;
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    if (!q || !(q->url = strdup(url)) || http_headers_add(&q->headers, "Accept", "application/json") < 0 ||
        (authorization && http_headers_add(&q->headers, "Authorization", authorization) < 0))
        return -ENOMEM;
    q->method = HTTP_GET;
    q->repeatable = true;
    q->direct = strncasecmp(url, "http://", 7) == 0;
    q->connect_timeout_usec = q->timeout_usec = TIMEOUT_USEC;
    q->max_reply = MAX_REPLY;
    *ret = TAKE_PTR(q);
    return 0;
}
