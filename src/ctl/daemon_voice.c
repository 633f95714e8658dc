#include "ctl/daemon_voice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/text.h"
#include "core/control/control.h"
#include "io/varlink_client.h"

#define WORD_MAX 4096

static void trouble_done(VoiceTrouble *t) {
    free(t->account);
    free(t->region);
    free(t->message);
    *t = (VoiceTrouble){};
}

void daemon_voice_done(DaemonVoice *v) {
    for (size_t i = 0; i < v->n_troubles; i++)
        trouble_done(&v->troubles[i]);
    free(v->troubles);
    free(v->reload_refused);
    *v = (DaemonVoice){};
}

/* Whatever the two call it. */
static bool is_same_directory(const char *a, const char *b) {
    struct stat x, y;
    return a && stat(a, &x) >= 0 && stat(b, &y) >= 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int add_trouble(DaemonVoice *v, JsonSpan object) {
    CLEANUP(trouble_done) VoiceTrouble t = {};
    if (ARRAY_GROW(v->troubles, v->n_troubles, v->n_room) < 0 ||
        varlink_string(object, "account", WORD_MAX, &t.account) == -ENOMEM ||
        varlink_string(object, "region", WORD_MAX, &t.region) == -ENOMEM ||
        varlink_string(object, "message", WORD_MAX, &t.message) == -ENOMEM)
        return -ENOMEM;
    if (t.message) {
        v->troubles[v->n_troubles++] = t;
        t = (VoiceTrouble){};
    }
    return 0;
}

static int take_answer(const VarlinkReply *reply, const char *state_directory, DaemonVoice *v) {
    AUTO_FREE char *directory = NULL;
    JsonSpan state = json_flat_member(reply->parameters, "state"), element;
    const char *at = NULL;
    int r = varlink_string(state, "state_directory", WORD_MAX, &directory);
    if (r == -ENOMEM || !is_same_directory(directory, state_directory))
        return r == -ENOMEM ? r : 0;
    JsonSpan trusts = json_flat_member(state, "trusts_clock");
    v->heard = VOICE_HEARD;
    v->trusts_clock = trusts.n == 4 && memcmp(trusts.at, "true", 4) == 0;
    r = varlink_string(state, "reload_refused", WORD_MAX, &v->reload_refused);
    for (JsonSpan all = json_flat_member(state, "troubles"); r != -ENOMEM && json_flat_next(all, &at, &element);)
        r = add_trouble(v, element);
    return r == -ENOMEM ? r : 0;
}

int daemon_voice_hear(const char *runtime_directory, const char *state_directory, DaemonVoice *ret) {
    CLEANUP(varlink_client_free_ptr) VarlinkClient *client = NULL;
    AUTO_FREE char *path = text_format("%s/" CONTROL_SOCKET, runtime_directory);
    VarlinkReply reply = {};
    *ret = (DaemonVoice){};
    if (!path)
        return -ENOMEM;
    int r = varlink_client_new(path, &client);
    if (r >= 0)
        r = varlink_client_call(client, CONTROL_INTERFACE ".GetState", "{}", false);
    if (r >= 0)
        r = varlink_client_next(client, VOICE_WAIT_USEC, &reply);
    if (r == -ETIMEDOUT || r == -EAGAIN)
        ret->heard = VOICE_SILENT;
    if (r >= 0 && !reply.error[0])
        r = take_answer(&reply, state_directory, ret);
    return r == -ENOMEM ? r : 0;
}
