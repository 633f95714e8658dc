#pragma once
/* Leaving scope cleans up; ownership moves with TAKE_PTR. */

#include <stddef.h>
#include <stdlib.h>

#define CLEANUP(f) __attribute__((cleanup(f)))
#define AUTO_FREE CLEANUP(free_ptr)
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Hands the pointer on and leaves NULL behind. */
#define TAKE_PTR(p)                                                                                                    \
    ({                                                                                                                 \
        __typeof__(p) *taken_at_ = &(p);                                                                               \
        __typeof__(p) taken_ = *taken_at_;                                                                             \
        *taken_at_ = NULL;                                                                                             \
        taken_;                                                                                                        \
    })

/* Defines type_free_ptr() for CLEANUP(type_free_ptr); `free_fn` must take NULL. */
#define DEFINE_CLEANUP(type, free_fn)                                                                                  \
    static inline void free_fn##_ptr(type **p) { free_fn(*p); }

static inline void free_ptr(void *p) { free(*(void **)p); }

static inline int int_max(int a, int b) { return a > b ? a : b; }
