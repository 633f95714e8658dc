#include "core/aws/object_list.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/format/xml_find.h"

#define QUERY_MAX 16384

void object_list_done(ObjectList *l) {
    for (size_t i = 0; i < l->n_keys; i++)
        free(l->keys[i]);
    free(l->keys);
    free(l->next);
    *l = (ObjectList){};
}

static void add_encoded(Text *t, const char *s) {
    for (; *s; s++)
        if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("-._~", *s))
            text_add_char(t, *s);
        else
            text_addf(t, "%%%02X", (unsigned char)*s);
}

int object_list_query(const char *prefix, const char *token, char **ret) {
    AUTO_TEXT t = TEXT_INIT(QUERY_MAX);
    if (token) {
        text_add(&t, "continuation-token=");
        add_encoded(&t, token);
        text_add_char(&t, '&');
    }
    text_add(&t, "list-type=2&prefix=");
    add_encoded(&t, prefix);
    return text_take(&t, ret);
}

typedef struct Reading {
    ObjectList *into;
    bool is_listing;
} Reading;

static int take_element(void *context, const XmlPlace *at, const Secret *text) {
    Reading *r = context;
    ObjectList *l = r->into;
    if (xml_is(at, "ListBucketResult"))
        r->is_listing = true;
    if (text && xml_is(at, "ListBucketResult/NextContinuationToken"))
        return text_set(&l->next, text->bytes);
    if (!text || !xml_is(at, "ListBucketResult/Contents/Key"))
        return 0;
    if (ARRAY_GROW(l->keys, l->n_keys, l->n_room) < 0 || !(l->keys[l->n_keys] = strdup(text->bytes)))
        return -ENOMEM;
    l->n_keys++;
    return 0;
}

int object_list_read(const char *body, size_t len, ObjectList *into) {
    Reading r = {.into = into};
    free(TAKE_PTR(into->next));
    int rc = xml_each(body, len, take_element, &r);
    return rc < 0 ? rc : r.is_listing ? 0 : -EBADMSG;
}
