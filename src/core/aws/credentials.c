#include "core/aws/credentials.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

void credentials_free(Credentials *c) {
    if (!c)
        return;
    free(c->access_key_id);
    secret_done(&c->secret_access_key);
    secret_done(&c->session_token);
    free(c->source);
    free(c);
}

int credentials_copy(const Credentials *c, Credentials **ret) {
    CLEANUP(credentials_free_ptr) Credentials *copy = calloc(1, sizeof *copy);
    if (!copy)
        return -ENOMEM;
    copy->expires_wall = c->expires_wall;
    if (text_set(&copy->access_key_id, c->access_key_id) < 0 || text_set(&copy->source, c->source) < 0 ||
        secret_copy(&copy->secret_access_key, &c->secret_access_key) < 0 ||
        secret_copy(&copy->session_token, &c->session_token) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(copy);
    return 0;
}

bool credentials_equal(const Credentials *a, const Credentials *b) {
    return text_equal(a->access_key_id, b->access_key_id) && a->expires_wall == b->expires_wall &&
           secret_equal(&a->secret_access_key, &b->secret_access_key) &&
           secret_equal(&a->session_token, &b->session_token);
}

/* Keys and tokens go into headers: what cannot stand there is damaged. */
static bool is_printable(const char *s) {
    for (; *s; s++)
        if (*s <= ' ' || *s > '~')
            return false;
    return true;
}

int credentials_new(const char *id, const char *secret, const char *token, Usec expires_wall, Credentials **ret) {
    if (!*id || !*secret || !is_printable(id) || !is_printable(secret) || (token && !is_printable(token)))
        return -EBADMSG;
    CLEANUP(credentials_free_ptr) Credentials *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->expires_wall = expires_wall;
    if (text_set(&c->access_key_id, id) < 0 || secret_set(&c->secret_access_key, secret, strlen(secret)) < 0 ||
        (token && *token && secret_set(&c->session_token, token, strlen(token)) < 0))
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}
