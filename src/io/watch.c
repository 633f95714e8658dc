#include "io/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

struct Watch {
    WatchChanged changed;
    void *context;
    struct {
        char *name; /* without its directory */
        sd_event_source *source;
    } *files;
    size_t n_files;
};

void watch_free(Watch *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->n_files; i++) {
        sd_event_source_disable_unref(w->files[i].source);
        free(w->files[i].name);
    }
    free(w->files);
    free(w);
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *context) {
    Watch *w = context;
    bool ours = event->len == 0;
    for (size_t i = 0; i < w->n_files; i++)
        ours |= strcmp(event->name, w->files[i].name) == 0;
    if (ours || (event->mask & IN_MOVED_TO)) /* directories of symbolic links are switched by renaming a link */
        w->changed(w->context);
    return 0;
}

int watch_new(sd_event *event, const char *const *files, size_t n_files, WatchChanged changed, void *context,
              Watch **ret) {
    CLEANUP(watch_free_ptr) Watch *w = calloc(1, sizeof *w);
    if (!w || !(w->files = calloc(n_files + 1, sizeof *w->files)))
        return -ENOMEM;
    w->changed = changed;
    w->context = context;
    for (size_t i = 0; i < n_files; i++) {
        const char *slash = strrchr(files[i], '/');
        AUTO_FREE char *directory = slash ? strndup(files[i], (size_t)(slash - files[i]) + (slash == files[i]))
                                          : strdup(".");
        AUTO_FREE char *name = strdup(slash ? slash + 1 : files[i]);
        sd_event_source *source = NULL;
        if (!directory || !name)
            return -ENOMEM;
        int r = sd_event_add_inotify(event, &source, directory,
                                     IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR, on_change,
                                     w);
        if (r == -ENOMEM)
            return r;
        if (r < 0) /* no such directory, no permission: nothing to watch there */
            continue;
        w->files[w->n_files].source = source;
        w->files[w->n_files++].name = TAKE_PTR(name);
    }
    *ret = TAKE_PTR(w);
    return 0;
}
