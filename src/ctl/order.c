/* Orders to the daemon, through its control socket. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "core/control/control.h"
#include "ctl/daemon_voice.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/store_read.h"
#include "io/varlink_client.h"

/* The daemon answers after its next turn; a commit may take the time of the slowest fsync. */
#define ANSWER_WITHIN_USEC USEC_PER_MINUTE

static int unheard(const CtlOptions *o, int r) {
    static const struct {
        int error;
        const char *what, *hint;
    } rows[] = {
        {-ENOENT, "no daemon listens there", "is ddbackupd running? --runtime-directory names another place"},
        {-ECONNREFUSED, "no daemon listens there any more", "systemctl start ddbackupd"},
        {-EACCES, "no permission", "use sudo"},
        {-EAGAIN, "too many others wait", "try again in a moment"},
        {-ETIMEDOUT, "the daemon does not answer", "'systemctl status ddbackupd' and the journal say what it is at"},
        {-ECONNRESET, "the daemon hung up", "it may have too many clients, or have ended; try again"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].error == r) {
            fprintf(stderr, "ddbackupctl: %s/" CONTROL_SOCKET ": %s; HINT: %s\n", o->runtime_directory, rows[i].what,
                    rows[i].hint);
            return CTL_FAILED;
        }
    fprintf(stderr, "ddbackupctl: %s/" CONTROL_SOCKET ": %s\n", o->runtime_directory, strerror(-r));
    return CTL_FAILED;
}

/* An error that the daemon answered with. */
static int refused(const VarlinkReply *reply) {
    AUTO_FREE char *message = NULL, *parameter = NULL;
    if (varlink_string(reply->parameters, "message", ORDER_MESSAGE_MAX, &message) >= 0 && message)
        fprintf(stderr, "ddbackupctl: %s\n", message);
    else if (varlink_string(reply->parameters, "parameter", VARLINK_NAME_MAX, &parameter) >= 0 && parameter)
        fprintf(stderr, "ddbackupctl: %s: the daemon does not take that; HINT: is it of the same version?\n",
                parameter);
    else
        fprintf(stderr, "ddbackupctl: the daemon answered %s; HINT: is it of the same version?\n", reply->error);
    return CTL_FAILED;
}

static void add_member(Text *t, const char *name, const char *value) {
    if (!value)
        return;
    text_addf(t, "%s\"%s\":", t->len > 1 ? "," : "", name);
    text_add_json(t, value);
}

static void add_until(Text *t, const CtlOptions *o, Usec now_wall) {
    char iso[DATE_ISO_SIZE];
    if (o->for_usec > 0 || o->until_wall > 0)
        add_member(
            t, "until",
            date_to_iso(usec_min(o->until_wall > 0 ? o->until_wall : usec_add(now_wall, o->for_usec), WALL_MAX), iso));
}

/* Says what came back: words for people, all of it for programs. */
static int tell(const CtlOptions *o, const VarlinkReply *reply, Text *out) {
    AUTO_FREE char *message = NULL;
    if (reply->error[0])
        return refused(reply);
    if (o->json) {
        text_add_bytes(out, reply->parameters.at ? reply->parameters.at : "{}",
                       reply->parameters.at ? reply->parameters.n : 2);
        text_add_char(out, '\n');
        return CTL_OK;
    }
    int r = varlink_string(reply->parameters, "message", ORDER_MESSAGE_MAX, &message);
    if (r == -ENOMEM)
        return ctl_failed(NULL);
    if (message) {
        words_add(out, message);
        text_add_char(out, '\n');
    }
    return CTL_OK;
}

static int begin(const CtlOptions *o, const char *method, const Text *parameters, bool more, VarlinkClient **ret,
                 VarlinkReply *ret_reply) {
    AUTO_FREE char *path = text_format("%s/" CONTROL_SOCKET, o->runtime_directory);
    if (!path || parameters->error == -ENOMEM)
        return -ENOMEM;
    if (parameters->error < 0)
        return parameters->error;
    int r = varlink_client_new(path, ret);
    if (r >= 0)
        r = varlink_client_call(*ret, method, text_get(parameters), more);
    return r < 0 ? r : varlink_client_next(*ret, ANSWER_WITHIN_USEC, ret_reply);
}

/* --- run --- */

typedef struct Progress {
    int64_t n_runs, n_settled, n_succeeded, run;
    char *table, *state, *why;
} Progress;

static void progress_done(Progress *p) {
    free(p->table);
    free(p->state);
    free(p->why);
    *p = (Progress){};
}

static int read_progress(const VarlinkReply *reply, Progress *ret) {
    JsonSpan p = json_flat_member(reply->parameters, "progress");
    progress_done(ret);
    if (varlink_int(p, "runs", 0, INT64_MAX, &ret->n_runs) < 0 ||
        varlink_int(p, "settled", 0, INT64_MAX, &ret->n_settled) < 0 ||
        varlink_int(p, "succeeded", 0, INT64_MAX, &ret->n_succeeded) < 0 ||
        varlink_int(p, "run", 0, INT64_MAX, &ret->run) < 0 ||
        varlink_string(p, "table", ORDER_WORD_MAX, &ret->table) < 0 ||
        varlink_string(p, "state", ORDER_WORD_MAX, &ret->state) < 0 ||
        varlink_string(p, "why", ORDER_MESSAGE_MAX, &ret->why) < 0)
        return -EBADMSG;
    return ret->table && ret->state ? 0 : -EBADMSG;
}

/* One line, that changes in place on a terminal; elsewhere a line for each step of a single run, or each run that
 * settles. */
static void show_progress(const Progress *p, const Progress *before, bool is_terminal) {
    AUTO_TEXT t = TEXT_INIT(8192);
    if (!is_terminal && p->n_runs > 1 && p->n_settled == before->n_settled)
        return;
    if (p->n_runs > 1)
        text_addf(&t, "%lld of %lld settled, %lld succeeded; ", (long long)p->n_settled, (long long)p->n_runs,
                  (long long)p->n_succeeded);
    text_addf(&t, "run %lld, ", (long long)p->run);
    words_add(&t, p->table);
    text_addf(&t, ": %s", p->state);
    if (p->why && !is_terminal) {
        text_add(&t, ": ");
        words_add(&t, p->why);
    }
    fprintf(stderr, is_terminal ? "\r\033[K%s" : "%s\n", text_get(&t));
}

/* Until all have settled. */
static int follow(const CtlOptions *o, VarlinkClient *client, Text *out) {
    CLEANUP(progress_done) Progress p = {}, before = {};
    VarlinkReply reply = {.continues = true};
    bool is_terminal = isatty(STDERR_FILENO);
    int r = 0;
    while (r >= 0 && reply.continues) {
        before.n_settled = p.n_settled;
        r = varlink_client_next(client, USEC_INFINITY, &reply);
        if (r >= 0 && !reply.error[0])
            r = read_progress(&reply, &p);
        if (r >= 0 && !reply.error[0] && !o->json)
            show_progress(&p, &before, is_terminal);
    }
    if (is_terminal && !o->json)
        fputc('\n', stderr);
    if (r < 0)
        return unheard(o, r);
    if (reply.error[0] || o->json)
        r = tell(o, &reply, out);
    else
        text_addf(out, "%lld of %lld succeeded\n", (long long)p.n_succeeded, (long long)p.n_runs);
    return r != CTL_OK ? r : p.n_succeeded == p.n_runs ? CTL_OK : CTL_FAILED;
}

#define CLOCK_TRIES 75
#define CLOCK_WAIT_USEC (200 * USEC_PER_MSEC)

/* One that was started just now has not heard the service's time yet, and refuses what it takes a moment later. */
static int await_clock(const CtlOptions *o) {
    bool waits = true;
    int r = 0;
    for (int i = 0; r >= 0 && waits && i < CLOCK_TRIES; i++) {
        CLEANUP(daemon_voice_done) DaemonVoice v = {};
        r = daemon_voice_hear(o->runtime_directory, o->state_directory, &v);
        waits = v.heard == VOICE_HEARD && !v.trusts_clock && v.n_troubles == 0;
        if (waits)
            usleep(CLOCK_WAIT_USEC);
    }
    return r;
}

int verb_run(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(varlink_client_free_ptr) VarlinkClient *client = NULL;
    AUTO_TEXT t = TEXT_INIT(VARLINK_CALL_MAX);
    VarlinkReply reply = {};
    text_add_char(&t, '{');
    add_member(&t, "schedule", o->order_schedule);
    add_member(&t, "table", o->order_table);
    add_member(&t, "why", o->why);
    text_add_char(&t, '}');
    int r = await_clock(o);
    if (r >= 0)
        r = begin(o, CONTROL_INTERFACE ".Run", &t, o->wait, &client, &reply);
    if (r < 0)
        return unheard(o, r);
    bool waits = reply.continues && !o->json;
    AUTO_TEXT begun = TEXT_INIT(2 * ORDER_MESSAGE_MAX);
    r = tell(o, &reply, waits ? &begun : out);
    if (waits && r == CTL_OK) /* the answer will be the outcome */
        fputs(text_get(&begun), stderr);
    return r == CTL_OK && reply.continues ? follow(o, client, out) : r;
}

/* --- the others --- */

static int take_arn(void *context, Run *run) {
    CLEANUP(run_free_ptr) Run *taken = run;
    char **arn = context;
    return taken->artefact ? text_set(arn, taken->artefact->arn) : 0;
}

/* What the word means, by the ledger; an ARN is one. */
static int find_artefact(const CtlOptions *o, char **ret, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    if (text_starts_with(o->run, "arn:"))
        return text_set(ret, o->run);
    int r = store_read_open(o->state_directory, &store, ret_error);
    if (r >= 0 && (r = store_read_runs(store, STORE_RUNS_NAMED, o->run, take_arn, ret)) < 0)
        (void)text_set(ret_error, store_read_error(store));
    if (r >= 0 && !*ret) {
        *ret_error =
            text_format("%s: no run of that name has made anything; HINT: 'ddbackupctl list' shows them", o->run);
        r = -ENOENT;
    }
    return r;
}

static const char *method_of(const CtlOptions *o) {
    switch (o->verb) {
    case CTL_PAUSE:
        return CONTROL_INTERFACE ".Pause";
    case CTL_RESUME:
        return o->expiry ? CONTROL_INTERFACE ".ResumeExpiry" : CONTROL_INTERFACE ".Resume";
    case CTL_RELOAD:
        return CONTROL_INTERFACE ".Reload";
    case CTL_HOLD:
        return CONTROL_INTERFACE ".Hold";
    case CTL_RELEASE:
        return CONTROL_INTERFACE ".Release";
    case CTL_ADOPT:
        return CONTROL_INTERFACE ".Adopt";
    case CTL_VERIFY:
        return CONTROL_INTERFACE ".Verify";
    case CTL_CHAIN:
    case CTL_STATUS:
    case CTL_LIST:
    case CTL_SHOW:
    case CTL_CHECK:
    case CTL_PLAN:
    case CTL_CALENDAR:
    case CTL_PRUNE:
    case CTL_DOCTOR:
    case CTL_REBUILD:
    case CTL_SET_ASIDE:
    case CTL_RUN:
    case CTL_VERBS:
        break;
    }
    return NULL;
}

int verb_order(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(varlink_client_free_ptr) VarlinkClient *client = NULL;
    AUTO_FREE char *arn = NULL, *error = NULL;
    AUTO_TEXT t = TEXT_INIT(VARLINK_CALL_MAX);
    VarlinkReply reply = {};
    if (o->run && find_artefact(o, &arn, &error) < 0)
        return ctl_failed(error);
    text_add_char(&t, '{');
    add_member(&t, "artefact", o->run ? arn : o->artefact);
    add_until(&t, o, now_wall);
    add_member(&t, "level", o->has_level ? verify_level_to_string(o->level) : NULL);
    add_member(&t, "why", o->why);
    text_add_char(&t, '}');
    int r = begin(o, method_of(o), &t, false, &client, &reply);
    return r < 0 ? unheard(o, r) : tell(o, &reply, out);
}

int verb_confirm_prune(const CtlOptions *o, Text *out) {
    CLEANUP(varlink_client_free_ptr) VarlinkClient *client = NULL;
    AUTO_TEXT t = TEXT_INIT(VARLINK_CALL_MAX);
    VarlinkReply reply = {};
    text_addf(&t, "{\"count\":%lld}", (long long)o->confirm);
    int r = begin(o, CONTROL_INTERFACE ".ConfirmPrune", &t, false, &client, &reply);
    return r < 0 ? unheard(o, r) : tell(o, &reply, out);
}
