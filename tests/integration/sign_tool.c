/* Signs requests for tests/integration/test_signer.py.
 *
 * Each line of the input is one request, its fields separated by tabs: method, URL, service, region, access key id,
 * secret, session token, date as 20260102T030405Z, body in base64; then for each header its name and its value in
 * base64. Each line of the output is the Authorization header, a tab, and the canonical request with its line ends
 * written as \n. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "core/aws/sigv4.h"

#define MAX_FIELDS 256

static int base64_value(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static char *base64_decode(const char *text, size_t *ret_n) {
    char *bytes = malloc(strlen(text) + 1);
    if (!bytes)
        return NULL;
    unsigned bits = 0;
    int n_bits = 0;
    size_t n = 0;
    for (int value; (value = base64_value(*text)) >= 0; text++) {
        bits = bits << 6 | (unsigned)value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes[n++] = (char)(unsigned char)(bits >> n_bits);
        }
    }
    bytes[n] = '\0';
    *ret_n = n;
    return bytes;
}

static size_t split_fields(char *line, char **fields) {
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *field; n < MAX_FIELDS && (field = strsep(&line, "\t"));)
        fields[n++] = field;
    return n;
}

static int read_request(char *const *fields, size_t n_fields, HttpRequest *q) {
    static const HttpMethod methods[] = {HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE};
    int r = -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(http_method_to_string(methods[i]), fields[0]) == 0) {
            q->method = methods[i];
            r = 0;
        }
    q->url = strdup(fields[1]);
    q->body = base64_decode(fields[8], &q->body_len);
    for (size_t i = 9; r >= 0 && i < n_fields; i += 2) {
        size_t n;
        AUTO_FREE char *value = base64_decode(fields[i + 1], &n);
        r = http_headers_add(&q->headers, fields[i], value ? value : "");
    }
    return q->url && q->body ? r : -ENOMEM;
}

static int read_credentials(char *const *fields, Credentials *c) {
    int r = secret_set(&c->secret_access_key, fields[5], strlen(fields[5]));
    if (r >= 0 && *fields[6])
        r = secret_set(&c->session_token, fields[6], strlen(fields[6]));
    return r < 0 ? r : text_set(&c->access_key_id, fields[4]);
}

static void print_signed(const HttpRequest *q, const Text *canonical) {
    printf("%s\t", http_headers_get(&q->headers, "Authorization"));
    for (size_t i = 0; i < canonical->len; i++)
        if (canonical->data[i] == '\n')
            fputs("\\n", stdout);
        else
            putchar(canonical->data[i]);
    putchar('\n');
}

static int sign_line(char *line) {
    char *fields[MAX_FIELDS];
    size_t n = split_fields(line, fields);
    if (n < 9 || n % 2 == 0)
        return -EINVAL;
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    CLEANUP(credentials_free_ptr) Credentials *c = calloc(1, sizeof *c);
    if (!q || !c)
        return -ENOMEM;
    SigV4Scope scope = {.service = fields[2], .region = fields[3]};
    AUTO_TEXT canonical = TEXT_INIT(1 << 20);
    AUTO_TEXT names = TEXT_INIT(1 << 20);
    int r = date_from_iso(fields[7], &scope.wall);
    if (r < 0 || (r = read_request(fields, n, q)) < 0 || (r = read_credentials(fields, c)) < 0 ||
        (r = sigv4_sign(q, &scope, c, NULL)) < 0 ||
        (r = sigv4_canonical_request(q, scope.service, &canonical, &names)) < 0)
        return r;
    print_signed(q, &canonical);
    return 0;
}

int main(void) {
    AUTO_FREE char *line = NULL;
    size_t size = 0;
    for (unsigned number = 1; getline(&line, &size, stdin) > 0; number++) {
        int r = sign_line(line);
        if (r < 0) {
            fprintf(stderr, "line %u: %s\n", number, strerror(-r));
            return 1;
        }
    }
    return 0;
}
