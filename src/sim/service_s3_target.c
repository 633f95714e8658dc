/* Which bucket and key a request is about, and the parameters of its query. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/service_auth.h"
#include "sim/service_s3.h"

#define MAX_VALUE 10000

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Undoes percent-encoding; in a query '+' is a blank. No NUL can be meant. */
static int decode(const char *s, size_t n, bool is_query, char **ret) {
    AUTO_TEXT t = TEXT_INIT(MAX_VALUE);
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (c == '+' && is_query)
            c = ' ';
        else if (c == '%') {
            if (i + 2 >= n || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
                return -EINVAL;
            c = (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
            i += 2;
        }
        if (!c)
            return -EINVAL;
        text_add_char(&t, c);
    }
    return text_take(&t, ret);
}

static int parse_query(const char *query, ServiceS3Target *t) {
    while (*query) {
        size_t n = strcspn(query, "&"), name = strcspn(query, "=&");
        if (n > 0) {
            if (t->n_parameters == SERVICE_S3_MAX_PARAMETERS)
                return -EINVAL;
            char **to_name = &t->parameters[t->n_parameters].name, **to_value = &t->parameters[t->n_parameters].value;
            t->n_parameters++;
            int rc = decode(query, name, true, to_name);
            if (rc >= 0)
                rc = name < n ? decode(query + name + 1, n - name - 1, true, to_value) : text_set(to_value, "");
            if (rc < 0)
                return rc;
        }
        query += n + (query[n] ? 1 : 0);
    }
    return 0;
}

/* "s3.eu-west-1.amazonaws.com", "s3-eu-west-1...", "s3.dualstack.eu-west-1..." hold a region. */
static void take_region(const char *host, ServiceS3Target *t) {
    if (!text_starts_with(host, "s3.") && !text_starts_with(host, "s3-"))
        return;
    host += 3;
    if (text_starts_with(host, "dualstack."))
        host += strlen("dualstack.");
    char region[SERVICE_REGION_SIZE];
    snprintf(region, sizeof region, "%.*s", (int)strcspn(host, "."), host);
    if (service_region_is_valid(region))
        snprintf(t->region, sizeof t->region, "%s", region);
}

/* The bucket in the host's name, when there is one. */
static void parse_host(const char *host, ServiceS3Target *t) {
    static const char *const marks[] = {".s3.", ".s3-", ".localhost"};
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(host, ":"), host);
    take_region(name, t);
    for (size_t i = 0; i < ARRAY_SIZE(marks) && !t->region[0]; i++) {
        const char *mark = strstr(name, marks[i]);
        if (!mark || mark == name)
            continue;
        take_region(mark + 1, t);
        snprintf(t->bucket, sizeof t->bucket, "%.*s", (int)(mark - name), name);
        return;
    }
}

static int parse_path(const char *path, size_t n, ServiceS3Target *t) {
    if (n > 0 && *path == '/') {
        path++;
        n--;
    }
    if (!t->bucket[0]) {
        const char *slash = memchr(path, '/', n);
        size_t length = slash ? (size_t)(slash - path) : n;
        AUTO_FREE char *bucket = NULL;
        int rc = decode(path, length, false, &bucket);
        if (rc < 0 || strlen(bucket) >= sizeof t->bucket)
            return rc < 0 ? rc : -EINVAL;
        snprintf(t->bucket, sizeof t->bucket, "%s", bucket);
        path += length + (slash ? 1 : 0);
        n -= length + (slash ? 1 : 0);
    }
    return decode(path, n, false, &t->key);
}

int service_s3_target_parse(const ServiceRequest *q, ServiceS3Target *ret) {
    const char *host = service_header(q, "Host");
    size_t n = strcspn(q->target, "?");
    *ret = (ServiceS3Target){};
    parse_host(host ? host : "", ret);
    int rc = parse_path(q->target, n, ret);
    if (rc >= 0)
        rc = parse_query(q->target[n] ? q->target + n + 1 : "", ret);
    if (rc < 0)
        service_s3_target_done(ret);
    return rc == -E2BIG ? -EINVAL : rc;
}

void service_s3_target_done(ServiceS3Target *t) {
    free(t->key);
    for (size_t i = 0; i < t->n_parameters; i++) {
        free(t->parameters[i].name);
        free(t->parameters[i].value);
    }
    *t = (ServiceS3Target){};
}

const char *service_s3_parameter(const ServiceS3Target *t, const char *name) {
    for (size_t i = 0; i < t->n_parameters; i++)
        if (strcmp(t->parameters[i].name, name) == 0)
            return t->parameters[i].value;
    return NULL;
}
