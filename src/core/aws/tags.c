#include "core/aws/tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"

/* 50 of 128 + 256 characters of at most 4 bytes, and some. */
#define TAGS_MAX (128 * 1024)

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* No tag of the service holds a control character; whatever imitates it gets none past us. */
static void add_clean(Text *t, const char *s) {
    for (; *s; s++)
        text_add_char(t, (unsigned char)*s < 0x20 ? '?' : *s);
}

static int sort(char *lines, size_t n, char **ret) {
    AUTO_FREE char **items = calloc(n + 1, sizeof *items);
    AUTO_TEXT t = TEXT_INIT(TAGS_MAX);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = strsep(&lines, "\n");
    qsort(items, n, sizeof *items, compare);
    for (size_t i = 0; i < n; i++)
        text_addf(&t, "%s%s", i > 0 ? "\n" : "", items[i]);
    return text_take(&t, ret);
}

int tags_add(char **tags, const TagList *page) {
    AUTO_TEXT t = TEXT_INIT(TAGS_MAX);
    AUTO_FREE char *sorted = NULL;
    size_t n = page->n_items;
    for (size_t i = 0; i < page->n_items; i++) {
        text_add(&t, i > 0 ? "\n" : "");
        add_clean(&t, page->items[i].key);
        text_add_char(&t, '=');
        add_clean(&t, page->items[i].value);
    }
    for (const char *c = *tags && **tags ? *tags : NULL; c; c = strchr(c + 1, '\n'))
        n++;
    if (*tags && **tags)
        text_addf(&t, "%s%s", t.len > 0 ? "\n" : "", *tags);
    if (t.error)
        return t.error;
    int r = sort(t.data, n, &sorted);
    if (r < 0)
        return r;
    free(*tags);
    *tags = TAKE_PTR(sorted);
    return 0;
}

bool tags_match(const char *tags, const char *wanted) {
    while (*tags) {
        size_t n = strcspn(tags, "\n");
        char line[4096]; /* twice what a tag can have */
        if (n < sizeof line) {
            memcpy(line, tags, n);
            line[n] = '\0';
            if (glob_match(wanted, line))
                return true;
        }
        tags += n + (tags[n] == '\n');
    }
    return false;
}
