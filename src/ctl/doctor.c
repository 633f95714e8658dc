/* Is everything there that the daemon needs? Asks by itself, as the daemon would, and changes nothing. */

#include "ctl/doctor.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/table/target.h"
#include "ctl/verbs.h"

#define DOCTOR_FAILED 2

static void doctor_done(Doctor *d) {
    for (size_t i = 0; i < d->n_checks; i++) {
        free(d->checks[i].object);
        free(d->checks[i].detail);
        free(d->checks[i].hint);
    }
    for (size_t i = 0; i < d->n_accounts; i++) {
        sts_identity_done(&d->accounts[i].identity);
        free(d->accounts[i].identity_problem);
    }
    free(d->checks);
    doctor_keys_done(d);
    doctor_buckets_done(d);
    free(d->accounts);
    free(d->tables);
    free(d->asked);
    targets_done(&d->targets);
    places_done(&d->places);
    aws_session_done(&d->aws);
}

const char *check_state_to_string(CheckState s) {
    static const char *const names[] = {[CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_FAILED] = "failed"};
    return names[s];
}

int doctor_add(Doctor *d, const char *object, const char *name, CheckState state, const char *detail,
               const char *hint) {
    if (ARRAY_GROW(d->checks, d->n_checks, d->n_checks_room) < 0)
        return -ENOMEM;
    Check *c = &d->checks[d->n_checks++];
    *c = (Check){.name = name, .state = state};
    d->n_of[state]++;
    bool set = text_set(&c->object, object) >= 0 && text_set(&c->detail, detail) >= 0 && text_set(&c->hint, hint) >= 0;
    return set ? 0 : -ENOMEM;
}

void doctor_say_error(const AwsError *e, Text *t) {
    text_addf(t, "%s%s%s", e->code, e->message[0] ? ": " : "", e->message);
}

/* --- the steps --- */

static int make_accounts(Doctor *d) {
    d->accounts = calloc(d->aws.credentials.n_items + 1, sizeof *d->accounts);
    if (!d->accounts)
        return -ENOMEM;
    for (; d->n_accounts < d->aws.credentials.n_items; d->n_accounts++) {
        const FetchedAccount *f = &d->aws.credentials.items[d->n_accounts];
        DoctorAccount *a = &d->accounts[d->n_accounts];
        *a = (DoctorAccount){.fetched = f, .conf = conf_account(d->aws.conf, f->account), .skew_usec = USEC_INFINITY};
        a->role_is_denied = !f->found && a->conf && a->conf->role_arn && strstr(f->why, "AccessDenied");
    }
    return 0;
}

static int make_places(Doctor *d) {
    if (aws_session_places(&d->aws, &d->places) < 0 || !(d->asked = calloc(d->places.n_items + 1, sizeof *d->asked)))
        return -ENOMEM;
    for (size_t i = 0; i < d->places.n_items; i++) {
        d->asked[i] = (DoctorPlace){.place = &d->places.items[i], .skew_usec = USEC_INFINITY};
        for (size_t j = 0; j < d->n_accounts; j++)
            if (strcmp(d->accounts[j].fetched->account, d->places.items[i].account) == 0)
                d->asked[i].account = &d->accounts[j];
    }
    return 0;
}

static int ask(Doctor *d) {
    int r;
    if ((r = make_accounts(d)) < 0 || (r = make_places(d)) < 0 || (r = doctor_ask_identities(d)) < 0)
        return r;
    if ((r = doctor_ask_tables(d)) < 0 || (r = doctor_ask_buckets(d)) < 0)
        return r;
    return doctor_ask_keys(d);
}

static int check(Doctor *d) {
    int r;
    if ((r = doctor_check_accounts(d)) < 0 || (r = doctor_check_places(d)) < 0 || (r = doctor_check_grants(d)) < 0)
        return r;
    r = doctor_check_tables(d);
    return r < 0 ? r : doctor_check_buckets(d);
}

int verb_doctor(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(doctor_done) Doctor d = {.options = o, .now_wall = now_wall};
    int r;
    if (aws_session_open(&d.aws, o, USEC_INFINITY) < 0)
        return DOCTOR_FAILED;
    if ((r = ask(&d)) < 0 || (r = check(&d)) < 0) {
        ctl_failed(strerror(-r));
        return DOCTOR_FAILED;
    }
    if (o->json)
        doctor_print_json(&d, out);
    else if (doctor_print(&d, out) < 0) {
        ctl_failed(NULL);
        return DOCTOR_FAILED;
    }
    return d.n_of[CHECK_FAILED] > 0 ? DOCTOR_FAILED : d.n_of[CHECK_WARNING] > 0 ? 1 : CTL_OK;
}
