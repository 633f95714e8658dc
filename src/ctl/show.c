#include <errno.h>

#include "base/array.h"
#include "ctl/json.h"
#include "ctl/retained.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/store_read.h"

/* One run with its story; the answer is built while it is read. */
typedef struct Show {
    Run *run;
    size_t n_found;
    Text found; /* their numbers */
    Artefact **artefacts;
    size_t n_artefacts, n_room;
    Text notes;   /* the story, in the form that was asked for */
    Text *details; /* of each artefact, for people */
    Retained *retained; /* of each artefact */
    Json json;
    Text *to; /* where details go */
} Show;

static void show_done(Show *s) {
    run_free(s->run);
    for (size_t i = 0; i < s->n_artefacts; i++) {
        artefact_free(s->artefacts[i]);
        if (s->details)
            text_done(&s->details[i]);
        if (s->retained)
            retained_done(&s->retained[i]);
    }
    free(s->retained);
    free(s->artefacts);
    free(s->details);
    text_done(&s->notes);
    text_done(&s->found);
}

#define STORY_MAX (64u << 20)
/* Numbers of runs that have one name. */
#define SHOWN_MAX 10

static void add_field(Text *t, const char *name, const char *value) {
    if (!value || !*value)
        return;
    text_addf(t, "  %-16s ", name);
    words_add(t, value);
    text_add_char(t, '\n');
}

static void add_time(Text *t, const char *name, Usec wall) {
    char iso[DATE_ISO_SIZE];
    if (wall != WALL_UNKNOWN && wall != USEC_INFINITY)
        add_field(t, name, date_to_iso(wall, iso));
}

static void add_number(Text *t, const char *name, int64_t n) {
    if (n != COUNT_UNKNOWN)
        text_addf(t, "  %-16s %lld\n", name, (long long)n);
}

/* --- reading --- */

static int take_run(void *context, Run *run) {
    Show *s = context;
    if (s->n_found++ < SHOWN_MAX)
        text_addf(&s->found, "%s%lld", s->n_found > 1 ? ", " : "", (long long)run->id);
    run_free(s->run);
    s->run = run;
    return 0;
}

static int take_artefact(void *context, Artefact *artefact) {
    Show *s = context;
    CLEANUP(artefact_free_ptr) Artefact *taken = artefact;
    if (ARRAY_GROW(s->artefacts, s->n_artefacts, s->n_room) < 0)
        return -ENOMEM;
    s->artefacts[s->n_artefacts++] = TAKE_PTR(taken);
    return 0;
}

static int take_detail(void *context, const char *name, const char *value) {
    Show *s = context;
    text_addf(s->to, "  %-24s ", name);
    words_add(s->to, value);
    return text_add_char(s->to, '\n');
}

static int take_note(void *context, const StoreNote *note) {
    Show *s = context;
    char iso[DATE_ISO_SIZE];
    text_addf(&s->notes, "  %-24s  %-20s  %-11s", date_to_iso(note->wall, iso), note->event, note->state);
    if (note->why) {
        text_add(&s->notes, "  ");
        words_add(&s->notes, note->why);
    }
    while (s->notes.len > 0 && s->notes.data[s->notes.len - 1] == ' ')
        s->notes.data[--s->notes.len] = '\0';
    return text_add_char(&s->notes, '\n');
}

static int take_note_json(void *context, const StoreNote *note) {
    Show *s = context;
    json_open(&s->json, NULL, '{');
    json_wall(&s->json, "time", note->wall);
    json_string(&s->json, "event", note->event);
    json_string(&s->json, "state", note->state);
    json_string(&s->json, "why", note->why);
    json_close(&s->json, '}');
    return s->notes.error;
}

static int read_details(Show *s, StoreRead *store) {
    int r = 0;
    s->details = calloc(s->n_artefacts + 1, sizeof *s->details);
    if (!s->details)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < s->n_artefacts; i++) {
        s->details[i] = TEXT_INIT(STORY_MAX);
        s->to = &s->details[i];
        r = store_read_details(store, s->artefacts[i]->arn, take_detail, s);
    }
    return r;
}

static int read_retained(Show *s, StoreRead *store, Usec now_wall) {
    int r = 0;
    s->retained = calloc(s->n_artefacts + 1, sizeof *s->retained);
    if (!s->retained)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < s->n_artefacts; i++)
        r = retained_load(store, s->artefacts[i]->arn, now_wall, &s->retained[i]);
    return r;
}

static int load(Show *s, const CtlOptions *o, Usec now_wall, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = store_read_open(o->state_directory, &store, ret_error);
    if (r < 0)
        return r;
    r = store_read_runs(store, STORE_RUNS_NAMED, o->run, take_run, s);
    if (r >= 0 && s->n_found == 1) {
        r = store_read_artefacts(store, s->run->id, take_artefact, s);
        if (r >= 0)
            r = store_read_notes(store, s->run->id, o->json ? take_note_json : take_note, s);
        if (r >= 0)
            r = read_retained(s, store, now_wall);
        if (r >= 0 && !o->json)
            r = read_details(s, store);
    }
    if (r < 0)
        (void)text_set(ret_error, store_read_error(store));
    return r;
}

/* --- printing --- */

static void print_json(const Show *s, Text *out) {
    Json j = {.out = out};
    json_open(&j, NULL, '{');
    json_run(&j, "run", s->run);
    json_open(&j, "artefacts", '[');
    for (size_t i = 0; i < s->n_artefacts; i++)
        json_artefact(&j, NULL, s->artefacts[i]);
    json_close(&j, ']');
    json_open(&j, "retention", '[');
    for (size_t i = 0; i < s->n_artefacts; i++) {
        json_open(&j, NULL, '{');
        json_string(&j, "arn", s->artefacts[i]->arn);
        retained_json(&j, &s->retained[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_open(&j, "notes", '[');
    text_add(out, text_get(&s->notes));
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

static void print_times(const Run *r, Text *out) {
    add_time(out, "due", r->due_wall);
    add_time(out, "start by", r->start_by_wall);
    add_time(out, "late after", r->warn_at_wall);
    add_time(out, "finish by", r->finish_by_wall);
    add_time(out, "intent stored", r->intent_wall);
    add_time(out, "first sent", r->first_sent_wall);
    if (r->sent_wall != r->first_sent_wall)
        add_time(out, "last sent", r->sent_wall);
    add_time(out, "settled", r->settled_wall);
}

static void print_run(const Run *r, Text *out) {
    char iso[DATE_ISO_SIZE], from[DATE_ISO_SIZE];
    if (run_is_link(r))
        text_addf(out, "Link %lld of chain %lld: %s/%s/%s, schedule %s, from %s to %s: %s\n", (long long)r->id,
                  (long long)r->chain_id, r->account, r->region, r->table, r->schedule, words_time(r->from_wall, from),
                  words_time(r->to_wall, iso), run_state_to_string(r->state));
    else
        text_addf(out, "Run %lld: %s/%s/%s, schedule %s, %s of %s: %s\n", (long long)r->id, r->account, r->region,
                  r->table, r->schedule, action_to_string(r->action), words_time(r->slot_wall, iso),
                  run_state_to_string(r->state));
    add_field(out, "reason", r->why);
    add_field(out, "hint", r->hint);
    add_field(out, "request id", r->request_id);
    print_times(r, out);
    add_field(out, r->action == ACTION_BACKUP ? "name" : "client token", r->name);
    add_field(out, "table id", r->table_id);
    add_field(out, "table ARN", r->table_arn);
    add_field(out, "S3 bucket", r->s3.bucket);
    add_field(out, "S3 bucket owner", r->s3.bucket_owner);
    add_field(out, "S3 prefix", r->s3.prefix);
    add_field(out, "S3 encryption", r->s3.sse_algorithm);
    add_field(out, "KMS key", r->s3.kms_key_id);
    add_field(out, "format", r->s3.format);
    add_number(out, "attempt", r->attempt);
    add_number(out, "requests sent", r->n_sends);
    if (r->n_deferred > 0)
        add_number(out, "deferred in a row", r->n_deferred);
}

static void print_retained(const Retained *r, Text *out) {
    AUTO_TEXT hold = TEXT_INIT(16384);
    char iso[DATE_ISO_SIZE];
    retained_hold_describe(r, &hold);
    if (hold.len > 0)
        add_field(out, "hold", text_get(&hold));
    if (r->n_decisions > 0)
        text_add(out, "Retention:\n");
    for (size_t i = 0; i < r->n_decisions; i++) {
        const RetainedDecision *d = &r->decisions[i];
        text_addf(out, "  %-24s  %-10s", date_to_iso(d->wall, iso), d->decision);
        if (d->who) {
            text_add(out, "  by ");
            words_add(out, d->who);
        }
        if (d->why) {
            text_add(out, d->who ? ": " : "  ");
            words_add(out, d->why);
        }
        text_add_char(out, '\n');
    }
}

static void print_artefact(const Artefact *a, const Text *details, const Retained *retained, Text *out) {
    text_addf(out, "\nArtefact: %s, ", artefact_life_to_string(a->life));
    words_add(out, a->arn);
    text_add_char(out, '\n');
    add_field(out, "status", a->status);
    add_time(out, "created", a->created_wall);
    add_time(out, "finished", a->finished_wall);
    add_time(out, "verified", a->verified_wall);
    if (a->action != ACTION_BACKUP && a->verified_wall != WALL_UNKNOWN)
        add_field(out, "checked", verify_level_to_string(a->level));
    add_field(out, "found", a->found);
    print_retained(retained, out);
    if (details->len == 0)
        return;
    text_add(out, "As the service describes it:\n");
    text_add(out, text_get(details));
}

static void print_people(const Show *s, Text *out) {
    print_run(s->run, out);
    for (size_t i = 0; i < s->n_artefacts; i++)
        print_artefact(s->artefacts[i], &s->details[i], &s->retained[i], out);
    text_add(out, "\nStory:\n");
    text_add(out, s->notes.len > 0 ? text_get(&s->notes) : "  nothing has happened yet\n");
}

static int not_found(const CtlOptions *o, const Show *s) {
    AUTO_TEXT t = TEXT_INIT(4096);
    AUTO_FREE char *error = NULL;
    words_add(&t, o->run);
    if (s->n_found == 0)
        text_add(&t, ": no run has this number, name, ARN or window; HINT: 'ddbackupctl list --all --arn' shows them");
    else
        text_addf(&t, ": so %zu runs are called: %s%s; HINT: say the number of one", s->n_found, text_get(&s->found),
                  s->n_found > SHOWN_MAX ? ", ..." : "");
    (void)text_take(&t, &error);
    return ctl_failed(error);
}

int verb_show(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(show_done) Show s = {.notes = TEXT_INIT(STORY_MAX), .found = TEXT_INIT(1024)};
    AUTO_FREE char *error = NULL;
    s.json = (Json){.out = &s.notes};
    if (load(&s, o, now_wall, &error) < 0)
        return ctl_failed(error);
    if (s.n_found != 1)
        return not_found(o, &s);
    if (o->json)
        print_json(&s, out);
    else
        print_people(&s, out);
    if (out->error == 0 && s.notes.error < 0)
        out->error = s.notes.error;
    return CTL_OK;
}
