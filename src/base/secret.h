#pragma once
/* A secret has no print path: the type keeps it out of formats and is wiped when it goes. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Secret {
    char *bytes; /* terminated; NULL while unset */
    size_t len;
} Secret;

/* Replaces the value by a copy; n bytes, which may contain anything. -ENOMEM leaves it alone. */
int secret_set(Secret *s, const char *bytes, size_t n);
int secret_copy(Secret *to, const Secret *from);
void secret_done(Secret *s);
bool secret_equal(const Secret *a, const Secret *b);
/* Overwrites n bytes in a way that the compiler keeps. */
void secret_wipe(void *bytes, size_t n);
