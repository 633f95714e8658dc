#pragma once
/* What the running daemon says of itself and the ledger does not hold: what keeps it from its work. Asked through its
 * control socket; it may be silent. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

typedef enum VoiceHeard {
    VOICE_NOBODY, /* nobody listens there whom we may ask, or it is the daemon of another ledger */
    VOICE_SILENT, /* somebody does, and gave no answer in VOICE_WAIT_USEC */
    VOICE_HEARD,
} VoiceHeard;

/* A daemon whose disk is slow may take so long; its watchdog gives it three minutes. */
#define VOICE_WAIT_USEC (5 * USEC_PER_SEC)

typedef struct VoiceTrouble {
    char *account, *region; /* NULL: of everything, or of all regions */
    char *message;          /* names its object, and may end in a HINT */
} VoiceTrouble;

typedef struct DaemonVoice {
    VoiceHeard heard;
    bool trusts_clock;
    char *reload_refused; /* NULL: the last one was not */
    VoiceTrouble *troubles;
    size_t n_troubles, n_room;
} DaemonVoice;

/* -ENOMEM alone. */
int daemon_voice_hear(const char *runtime_directory, const char *state_directory, DaemonVoice *ret);
void daemon_voice_done(DaemonVoice *v);
