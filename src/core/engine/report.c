#include "core/engine/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"

#define MESSAGE_MAX 4096

enum { LEVEL_CRITICAL = 2, LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO };

/* Made with `journalctl --new-id128`; they never change. */
const ReportRow report_rows[REPORT_KINDS] = {
    [REPORT_STARTED] = {"8bd3247c0f704f33be4f2c50e6e97dff", LEVEL_NOTICE},
    [REPORT_NOT_STARTED] = {"60e45fb4e0e94abe993eb6c1bcd4f0c4", LEVEL_ERROR},
    [REPORT_BROKEN] = {"7c7c1e3bc2194a9e88e5654ed0627aae", LEVEL_CRITICAL},
    [REPORT_STOPPED] = {"4794154bbc6f42e3b8f7bfff2c6bd15d", LEVEL_NOTICE},
    [REPORT_RELOADED] = {"0739ec039a11428daca3a211ae8f9f30", LEVEL_NOTICE},
    [REPORT_RELOAD_REFUSED] = {"af8d691fb7a5443994cae3ca8d9a0821", LEVEL_ERROR},
    [REPORT_SUCCEEDED] = {"545c152fa6df47049b315df1712dc6a8", LEVEL_INFO},
    [REPORT_FAILED] = {"b7c012a4b9b04a7aa84e0df1b8d9e048", LEVEL_ERROR},
    [REPORT_SKIPPED] = {"52e98934df2a411c9202e9c108213dfe", LEVEL_ERROR},
    [REPORT_SUPERSEDED] = {"04a5e629829d413c8623e34956125798", LEVEL_WARNING},
    [REPORT_SHUT_OUT] = {"922f6c9a880940a3bec0afb01d800693", LEVEL_INFO},
    [REPORT_DEFERRED] = {"917b8e0c4a8c44da9c7f1e840d435aa3", LEVEL_WARNING},
    [REPORT_UNCERTAIN] = {"63778f8500004eb9815cccd79932c997", LEVEL_WARNING},
    [REPORT_ADOPTED] = {"d6920da0e1c94c2fa14f74e295bd645f", LEVEL_NOTICE},
    [REPORT_ASKED_AGAIN] = {"4a568e0316e14eec98b1b38e87116bf7", LEVEL_NOTICE},
    [REPORT_LATE] = {"2621c1d66b9e4f128d0fcf2d94dbdab5", LEVEL_WARNING},
    [REPORT_OVERDUE] = {"7f78af6fcc304001b17a50b812c6c7fa", LEVEL_ERROR},
    [REPORT_STALE] = {"ae7e20a0a4ac4ec8ad1bd5345d324b45", LEVEL_ERROR},
    [REPORT_RECOVERED] = {"a6afb21a8515420ea019c1a4ad031fe6", LEVEL_NOTICE},
    [REPORT_ENROLLED] = {"49f18b7d0c0743ad8978a1da866f2a5d", LEVEL_NOTICE},
    [REPORT_WITHDRAWN] = {"b8be8a7f707245d48af9f3110c057def", LEVEL_WARNING},
    [REPORT_DISCOVERY_FAILED] = {"634a1bcb2ece48bea3c0c1fa62898c42", LEVEL_ERROR},
    [REPORT_CREDENTIALS] = {"01f854b2d9c14a28be0144a9977518de", LEVEL_ERROR},
    [REPORT_CREDENTIALS_FOUND] = {"f8b764321a604fe5b9bb2e98ca04fd04", LEVEL_INFO},
    [REPORT_UNREACHABLE] = {"0a637ed10d8d4c2a858f5086558b64e9", LEVEL_ERROR},
    [REPORT_REACHED] = {"cecb2e5279834b85ab637fc5f49aabec", LEVEL_NOTICE},
    [REPORT_CONFIG] = {"084fea7fe00a49cbbd6aac2e223fd548", LEVEL_WARNING},
    [REPORT_CONFIG_BAD] = {"6f76f19621064ab18b3959f7364bba56", LEVEL_ERROR},
    [REPORT_CLOCK_UNKNOWN] = {"09d2ea81e63a4662962eaaf310b4beae", LEVEL_ERROR},
    [REPORT_CLOCK_WRONG] = {"ae4a014922fa49819fa46631f284146d", LEVEL_ERROR},
    [REPORT_CLOCK_RIGHT] = {"0d69a247ec5f422a80b10167b0fe7607", LEVEL_NOTICE},
    [REPORT_CLOCK_STEPPED] = {"b4390701715b4e18acb397caf8339860", LEVEL_WARNING},
    [REPORT_CHAIN_BEGUN] = {"a74ec727a3e54dd4857e3554f10369df", LEVEL_NOTICE},
    [REPORT_CHAIN_ENDED] = {"7eb65c24b606403f856bb355c8e59855", LEVEL_INFO},
    [REPORT_CHAIN_BASE] = {"12abae120b53483f9cc9342a235c55f2", LEVEL_NOTICE},
    [REPORT_CHAIN_BEHIND] = {"a24d27d5d8a04cc29a5ca32affeea6d6", LEVEL_WARNING},
    [REPORT_CHAIN_LOST] = {"bcd7f5fb286146628e534ec95fefeea2", LEVEL_ERROR},
    [REPORT_SUSPENDED] = {"923692ec1d88430d9f6b9d34966b02fb", LEVEL_NOTICE},
    [REPORT_ZONES_CHANGED] = {"034c9de96b354a35895e35752d11825a", LEVEL_NOTICE},
    [REPORT_EXPIRED] = {"aeda25045c254e2bb5724599cef17d17", LEVEL_INFO},
    [REPORT_BEYOND] = {"f50546fce41d42eda0ba99bad9cce184", LEVEL_NOTICE},
    [REPORT_BRAKED] = {"af8d3eda2fee4ca98398b9c5c57460eb", LEVEL_ERROR},
    [REPORT_EXPIRY_FAILED] = {"514ad8dc44424a53ae027844b4c82607", LEVEL_ERROR},
    [REPORT_VANISHED] = {"0cbe2285b1e146ec9394b21361321871", LEVEL_WARNING},
    [REPORT_NOT_ADOPTED] = {"7876870b20f74b25a91f670d33e885df", LEVEL_WARNING},
    [REPORT_NO_CONTROL] = {"046dd8c9fad04e1d8ea79567e70c8564", LEVEL_WARNING},
    [REPORT_ORDERED] = {"bd91509b8ed64b1ca0667f5a6323cfbf", LEVEL_NOTICE},
    [REPORT_PAUSED] = {"a7cabe3e85ac4c2396e636e33b5d72fb", LEVEL_WARNING},
    [REPORT_RESUMED] = {"bdb26130cfb5433dbefd3ae8f9eef761", LEVEL_NOTICE},
    [REPORT_DAMAGED] = {"85d7e5fbf9ea44ecb437c9ef0880476f", LEVEL_ERROR},
    [REPORT_CHECK_UNKNOWN] = {"c02b539a389a408998808ad65ce5a924", LEVEL_WARNING},
    [REPORT_NOT_RECORDED] = {"b6575c3da6674964a2260a61966ac6b9", LEVEL_WARNING},
    [REPORT_RECORDED_AGAIN] = {"3bf0167efac54b09986f5e9008a94c34", LEVEL_NOTICE},
    [REPORT_RECORD_DIFFERS] = {"147b2fc204d04955b1b175902dad17bb", LEVEL_ERROR},
    [REPORT_TABLE_GONE] = {"3e0623b0e1f54e8ea085ebd435ae0a2a", LEVEL_ERROR},
    [REPORT_TABLE_BACK] = {"627b71ad6f8842f9a0dc7b353bc401e2", LEVEL_NOTICE},
    [REPORT_RECREATED] = {"c13aab5c73214e4ab471b5ab79825985", LEVEL_WARNING},
    [REPORT_RECOVERY_OFF] = {"8a874d59e53f4e4db456378bdf0f1855", LEVEL_ERROR},
    [REPORT_RECOVERY_ON] = {"cfccc6c41f1e4590969ef9ff294b14ff", LEVEL_NOTICE},
    [REPORT_TOO_FEW] = {"72e6df0375ee46638759b456bf08ffb9", LEVEL_ERROR},
    [REPORT_ENOUGH] = {"4b3397bae69e40de948de617eacdb73e", LEVEL_NOTICE},
};

void report_free(Report *r) {
    if (!r)
        return;
    free(r->message);
    free(r->target);
    free(r->schedule);
    free(r->backup_arn);
    free(r->export_arn);
    free(r->request_id);
    free(r);
}

static Report *report_new(ReportKind kind) {
    Report *r = calloc(1, sizeof *r);
    if (r)
        *r = (Report){.kind = kind, .slot_wall = WALL_UNKNOWN, .duration_usec = WALL_UNKNOWN};
    return r;
}

int report_plain(ReportKind kind, Report **ret, const char *format, ...) {
    CLEANUP(report_free_ptr) Report *r = report_new(kind);
    if (!r)
        return -ENOMEM;
    AUTO_TEXT t = TEXT_INIT(MESSAGE_MAX);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    int rc = text_take(&t, &r->message);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(r);
    return 0;
}

/* The target and what is said of it. Takes the report. */
static int say_of(Report *taken, const char *format, va_list args, Report **ret) PRINTF_LIKE(2, 0);
static int say_of(Report *taken, const char *format, va_list args, Report **ret) {
    CLEANUP(report_free_ptr) Report *r = taken;
    AUTO_TEXT t = TEXT_INIT(MESSAGE_MAX);
    text_addf(&t, "%s: ", r->target);
    text_addfv(&t, format, args);
    int rc = text_take(&t, &r->message);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(r);
    return 0;
}

int report_target(const Target *target, ReportKind kind, bool qualified, Report **ret, const char *format, ...) {
    char label[TARGET_LABEL_SIZE];
    CLEANUP(report_free_ptr) Report *r = report_new(kind);
    if (!r || text_set(&r->target, target_label(target, qualified, label)) < 0)
        return -ENOMEM;
    va_list args;
    va_start(args, format);
    int rc = say_of(TAKE_PTR(r), format, args, ret);
    va_end(args);
    return rc;
}

int report_enrolment(const Enrolment *e, ReportKind kind, bool qualified, Report **ret, const char *format, ...) {
    char label[TARGET_LABEL_SIZE];
    CLEANUP(report_free_ptr) Report *r = report_new(kind);
    if (!r || text_set(&r->target, target_label(e->target, qualified, label)) < 0 ||
        text_set(&r->schedule, e->schedule_name) < 0)
        return -ENOMEM;
    va_list args;
    va_start(args, format);
    int rc = say_of(TAKE_PTR(r), format, args, ret);
    va_end(args);
    return rc;
}

int report_artefact(const ReportArtefact *a, ReportKind kind, bool qualified, Report **ret, const char *format, ...) {
    CLEANUP(report_free_ptr) Report *r = report_new(kind);
    if (!r)
        return -ENOMEM;
    r->target = qualified ? text_format("%s/%s/%s", a->account, a->region, a->table) : strdup(a->table);
    r->slot_wall = a->slot_wall;
    if (!r->target || text_set(&r->schedule, a->schedule) < 0 ||
        text_set(strstr(a->arn, "/export/") ? &r->export_arn : &r->backup_arn, a->arn) < 0)
        return -ENOMEM;
    va_list args;
    va_start(args, format);
    int rc = say_of(TAKE_PTR(r), format, args, ret);
    va_end(args);
    return rc;
}

/* What a run says with an event; -1: nothing. */
static int kind_of(const Run *r, RunEvent event) {
    switch (event) {
    case RUN_EV_VERIFIED: /* of links the runs whose slots are covered speak */
        return run_is_link(r) ? -1 : (int)REPORT_SUCCEEDED;
    case RUN_EV_COVERED:
        return REPORT_SUCCEEDED;
    case RUN_EV_REFUSED: /* links are given up with their chain, which says so once */
        return run_is_link(r) ? -1 : (int)REPORT_FAILED;
    case RUN_EV_DISPROVED:
    case RUN_EV_FAILED_THERE:
    case RUN_EV_VANISHED:
    case RUN_EV_FINISH_EXPIRED:
        return REPORT_FAILED;
    case RUN_EV_START_EXPIRED:
        return REPORT_SKIPPED;
    case RUN_EV_DEFERRED: /* the first in a row; the story in the ledger has each new reason */
        return r->n_deferred == 1 ? (int)REPORT_DEFERRED : -1;
    case RUN_EV_UNSURE:
    case RUN_EV_INTERRUPTED:
        return REPORT_UNCERTAIN;
    case RUN_EV_ADOPTED:
        return REPORT_ADOPTED;
    case RUN_EV_ABSENT:
    case RUN_EV_RETRIED:
        return REPORT_ASKED_AGAIN;
    case RUN_EV_OVERDUE:
        return REPORT_OVERDUE;
    case RUN_EV_PREPARED:
    case RUN_EV_SENT:
    case RUN_EV_ACCEPTED:
    case RUN_EV_FINISHED:
    case RUN_EV_ORDERED:
    case RUN_EV_OUTRUN: /* its window is covered */
    case RUN_EVENTS:
        break;
    }
    return -1;
}

static void add_outcome(Text *t, const Run *r, RunEvent event) {
    const Artefact *a = r->artefact;
    char size[SIZE_TEXT_SIZE], took[DURATION_SIZE];
    switch (event) {
    case RUN_EV_VERIFIED:
        text_addf(t, "is %s: %s", a->status ? a->status : "finished", r->action == ACTION_BACKUP ? a->name : a->arn);
        if (a->item_count != COUNT_UNKNOWN && r->action == ACTION_EXPORT)
            text_addf(t, ", %lld item%s", (long long)a->item_count, a->item_count == 1 ? "" : "s");
        if (a->size_bytes != COUNT_UNKNOWN)
            text_addf(t, ", %s%s", size_to_string((uint64_t)a->size_bytes, size),
                      r->action == ACTION_EXPORT ? " billed" : "");
        if (a->found)
            text_addf(t, ", %s checked: %s", verify_level_to_string(a->level), a->found);
        if (r->first_sent_wall != WALL_UNKNOWN) {
            Usec usec = r->settled_wall - r->first_sent_wall;
            text_addf(t, ", took %s",
                      duration_to_string(usec < USEC_PER_SEC ? usec / 1000 * 1000 : usec / USEC_PER_SEC * USEC_PER_SEC,
                                         took));
        }
        break;
    case RUN_EV_DEFERRED:
        text_add(t, "has to wait");
        break;
    case RUN_EV_UNSURE:
    case RUN_EV_INTERRUPTED:
        text_add(t, "may or may not have been made; looking for it");
        break;
    case RUN_EV_ADOPTED:
        text_add(t, "adopted");
        break;
    case RUN_EV_COVERED:
        text_add(t, "is covered");
        break;
    case RUN_EV_ABSENT:
    case RUN_EV_RETRIED:
        text_add(t, "is asked for again");
        break;
    case RUN_EV_START_EXPIRED:
        text_add(t, "skipped");
        break;
    case RUN_EV_REFUSED:
    case RUN_EV_DISPROVED:
    case RUN_EV_FAILED_THERE:
    case RUN_EV_VANISHED:
    case RUN_EV_FINISH_EXPIRED:
        text_add(t, "failed");
        break;
    case RUN_EV_OVERDUE:
        text_add(t, "is overdue");
        break;
    case RUN_EV_PREPARED:
    case RUN_EV_SENT:
    case RUN_EV_ACCEPTED:
    case RUN_EV_FINISHED:
    case RUN_EV_ORDERED:
    case RUN_EV_OUTRUN:
    case RUN_EVENTS:
        break;
    }
    if (r->why && event != RUN_EV_VERIFIED)
        text_addf(t, ": %s", r->why);
    if (r->hint && event != RUN_EV_VERIFIED && event != RUN_EV_COVERED)
        text_addf(t, "; HINT: %s", r->hint);
}

/* The target and the slot, which every message of a run begins with. */
static int begin_run(const Run *r, ReportKind kind, bool qualified, Text *t, Report **ret) {
    char slot[DATE_ISO_SIZE], from[DATE_ISO_SIZE];
    CLEANUP(report_free_ptr) Report *report = report_new(kind);
    if (!report)
        return -ENOMEM;
    report->target = qualified ? text_format("%s/%s/%s", r->account, r->region, r->table) : strdup(r->table);
    if (!report->target || text_set(&report->schedule, r->schedule) < 0)
        return -ENOMEM;
    report->slot_wall = r->slot_wall;
    report->run_id = r->id;
    if (run_is_link(r))
        text_addf(t, "%s: link of %s from %s to %s ", report->target, r->schedule, date_to_iso(r->from_wall, from),
                  date_to_iso(r->to_wall, slot));
    else
        text_addf(t, "%s: %s %s %s ", report->target, action_to_string(r->action), r->schedule,
                  date_to_iso(r->slot_wall, slot));
    *ret = TAKE_PTR(report);
    return 0;
}

int report_run(const Run *r, RunEvent event, bool qualified, Report **ret) {
    int kind = kind_of(r, event);
    if (kind < 0)
        return 0;
    AUTO_TEXT t = TEXT_INIT(MESSAGE_MAX);
    CLEANUP(report_free_ptr) Report *report = NULL;
    int rc = begin_run(r, (ReportKind)kind, qualified, &t, &report);
    if (rc < 0)
        return rc;
    add_outcome(&t, r, event);
    rc = text_take(&t, &report->message);
    if (rc < 0)
        return rc;
    const char *arn = r->artefact ? r->artefact->arn : NULL;
    if (text_set(r->action == ACTION_BACKUP ? &report->backup_arn : &report->export_arn, arn) < 0 ||
        text_set(&report->request_id, r->request_id) < 0)
        return -ENOMEM;
    if (run_is_settled(r) && r->first_sent_wall != WALL_UNKNOWN)
        report->duration_usec = r->settled_wall - r->first_sent_wall;
    *ret = TAKE_PTR(report);
    return 0;
}

int report_late(const Run *r, bool qualified, Now now, Report **ret) {
    AUTO_TEXT t = TEXT_INIT(MESSAGE_MAX);
    CLEANUP(report_free_ptr) Report *report = NULL;
    char age[DURATION_SIZE];
    int rc = begin_run(r, REPORT_LATE, qualified, &t, &report);
    if (rc < 0)
        return rc;
    text_addf(&t, "takes long: %s, due %s ago%s%s", run_state_to_string(r->state),
              duration_to_string((now.wall - r->due_wall) / USEC_PER_SEC * USEC_PER_SEC, age), r->why ? ": " : "",
              r->why ? r->why : "");
    rc = text_take(&t, &report->message);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(report);
    return 0;
}

int report_watched(const Run *r, bool qualified, Report **ret) {
    AUTO_TEXT t = TEXT_INIT(MESSAGE_MAX);
    CLEANUP(report_free_ptr) Report *report = NULL;
    bool good = r->artefact->life == ARTEFACT_VERIFIED;
    int rc = begin_run(r, good ? REPORT_SUCCEEDED : REPORT_FAILED, qualified, &t, &report);
    if (rc < 0)
        return rc;
    text_addf(&t, "%s; what it asked for is %s now: %s",
              run_is_link(r) ? "is not needed any more" : "had failed by its deadline",
              good ? (r->artefact->status ? r->artefact->status : "finished")
                   : artefact_life_to_string(r->artefact->life),
              r->artefact->arn);
    rc = text_take(&t, &report->message);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(report);
    return 0;
}
