#pragma once
/* A growing string that is born with its maximum.
 *
 * Errors stick: the first failed addition sets `error` (-ENOMEM, or -E2BIG above `max`) and later ones do
 * nothing, so that a writer checks once, at the end. `data` is always terminated unless it is NULL. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

typedef struct Text {
    char *data;
    size_t len;  /* bytes before the terminator */
    size_t size; /* bytes allocated */
    size_t max;  /* largest len allowed */
    int error;
} Text;

#define TEXT_INIT(max_bytes) ((Text){.max = (max_bytes)})

void text_done(Text *t);
/* Empties it and forgets an error; the memory is kept. */
void text_clear(Text *t);

int text_add_bytes(Text *t, const void *bytes, size_t n);
int text_add(Text *t, const char *s);
static inline int text_add_char(Text *t, char c) {
    if (t->error || t->len + 1 >= t->size || t->len >= t->max)
        return text_add_bytes(t, &c, 1);
    t->data[t->len++] = c;
    t->data[t->len] = '\0';
    return 0;
}
int text_addf(Text *t, const char *format, ...) PRINTF_LIKE(2, 3);
int text_addfv(Text *t, const char *format, va_list args) PRINTF_LIKE(2, 0);
/* Adds s as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
int text_add_json(Text *t, const char *s);

/* The string, or "" while nothing was added. Borrowed. */
const char *text_get(const Text *t);
/* Moves the string out (never NULL on success: "" is allocated); returns t->error and leaves *ret alone after one. */
int text_take(Text *t, char **ret);

/* A fresh formatted string, or NULL without memory. */
char *text_format(const char *format, ...) PRINTF_LIKE(1, 2);

/* Bytes of the valid UTF-8 sequence that the terminated string s begins with, or 0. */
size_t text_utf8_length(const char *s);

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts_with(const char *s, const char *prefix);

/* Replaces *s by a copy of value (NULL allowed). -ENOMEM leaves *s alone. */
int text_set(char **s, const char *value);

static inline void text_done_ptr(Text *t) { text_done(t); }
#define AUTO_TEXT CLEANUP(text_done_ptr) Text
