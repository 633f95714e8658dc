#pragma once
/* Processes whose output is wanted (credential_process): started without a shell, with /dev/null to read, our standard
 * error, and a pipe of ours to print to; bounded in time and output. */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macros.h"

typedef struct Processes Processes;

/* One has ended. `problem` NULL: well; `output` is what it printed, terminated beyond len and wiped afterwards.
 * Called from the event loop alone. */
typedef void (*ProcessEnded)(void *context, uint64_t id, const char *output, size_t len, const char *problem);

typedef struct ProcessLimits {
    Usec timeout_usec;
    size_t max_output;
} ProcessLimits;

int processes_new(sd_event *event, const ProcessLimits *limits, ProcessEnded ended, void *context, Processes **ret);
/* Kills what is left. */
void processes_free(Processes *p);
DEFINE_CLEANUP(Processes, processes_free)
/* A process that cannot be started ends in the next round of the loop. -ENOMEM and the like: nothing was begun. */
int processes_run(Processes *p, uint64_t id, char *const *argv);
