#pragma once
/* Files that may be replaced while we run: tells when one of them was written, replaced, made or removed. */

#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/macros.h"

typedef struct Watch Watch;
typedef void (*WatchChanged)(void *context);

/* Watches the directories of the files, so that a replacement by rename is seen; directories that do not exist are
 * passed over. */
int watch_new(sd_event *event, const char *const *files, size_t n_files, WatchChanged changed, void *context,
              Watch **ret);
void watch_free(Watch *w);
DEFINE_CLEANUP(Watch, watch_free)
