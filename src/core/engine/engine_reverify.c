/* Exports are checked again, at the level of their schedule, when their last check is older than its `reverify`: a
 * lifecycle rule or a person may have deleted or replaced what a chain of restores rests on. One account and region
 * checks one export at a time. One that is to expire some day, and was never checked in its bucket, is so once, at
 * once: without knowing its manifests nothing of it can be deleted. What is under way when the process ends begins
 * anew. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/verify/verify.h"

/* After a start each table waits so much longer than the one before. */
#define STAGGER_USEC (500 * USEC_PER_MSEC)
/* A table without an export that will have to be checked is looked at again then. */
#define IDLE_USEC USEC_PER_DAY
/* What could not be asked is asked again then. */
#define UNKNOWN_USEC (10 * USEC_PER_MINUTE)
#define CALL_USEC (5 * USEC_PER_MINUTE)
/* A commit comes within that. */
#define SETTLE_USEC USEC_PER_SEC
/* Tables whose stock is looked at in one turn. */
#define TURN_MAX 32

/* Of one account and region. */
struct Reverify {
    char *account, *region;
    Heap due; /* of Target.reverify, wall */
    Target *target; /* whose export is being checked; NULL: none is */
    char *arn, *schedule;
    char *who; /* ordered it; NULL: it was due */
    VerifyLevel level;
    Verify *verify;
    bool calling, unknown_said;
    Usec next_mono;
};

static void end(Reverify *v) {
    v->target = NULL;
    verify_free(TAKE_PTR(v->verify));
    free(TAKE_PTR(v->arn));
    free(TAKE_PTR(v->schedule));
    free(TAKE_PTR(v->who));
    v->unknown_said = false;
}

void engine_reverify_done(Engine *e) {
    for (size_t i = 0; i < e->n_reverifies; i++) {
        end(e->reverifies[i]);
        heap_done(&e->reverifies[i]->due);
        free(e->reverifies[i]->account);
        free(e->reverifies[i]->region);
        free(e->reverifies[i]);
    }
    free(e->reverifies);
}

static int find(Engine *e, const Target *t, Reverify **ret) {
    for (size_t i = 0; i < e->n_reverifies; i++)
        if (strcmp(e->reverifies[i]->account, t->account) == 0 && strcmp(e->reverifies[i]->region, t->region) == 0) {
            *ret = e->reverifies[i];
            return 0;
        }
    if (ARRAY_GROW(e->reverifies, e->n_reverifies, e->n_reverifies_room) < 0)
        return -ENOMEM;
    Reverify *v = calloc(1, sizeof *v);
    if (!v)
        return -ENOMEM;
    *ret = e->reverifies[e->n_reverifies++] = v;
    return text_set(&v->account, t->account) < 0 || text_set(&v->region, t->region) < 0 ? -ENOMEM : 0;
}

/* --- when --- */

/* That has, or had, the name; NULL: none. */
static const ScheduleConf *schedule_of(const Target *t, const char *name) {
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (t->enrolments[i]->schedule && conf_schedule_is(t->enrolments[i]->schedule, name))
            return t->enrolments[i]->schedule;
    return NULL;
}

/* 0: exports of that schedule are not checked again because time has passed. */
static Usec period_of(const Target *t, const char *schedule) {
    const ScheduleConf *s = schedule_of(t, schedule);
    return s ? s->reverify_usec : 0;
}

/* One that the service's word is enough for is looked at because it is to go. */
static VerifyLevel level_of(const Target *t, const char *schedule) {
    const ScheduleConf *s = schedule_of(t, schedule);
    return s && s->verify != VERIFY_SERVICE ? s->verify : VERIFY_MANIFEST;
}

static bool deletes(const Target *t, const char *schedule) {
    const ScheduleConf *s = expire_schedule(t, ACTION_EXPORT, schedule);
    return s && s->expire == EXPIRE_DELETE;
}

static bool is_wanted(const Target *t) {
    for (size_t i = 0; t->table_arn && i < t->n_enrolments; i++)
        if (period_of(t, t->enrolments[i]->schedule_name) > 0 || deletes(t, t->enrolments[i]->schedule_name))
            return true;
    return false;
}

int engine_arm_reverify(Engine *e, Target *t, Usec at_wall) {
    Reverify *v;
    int r = find(e, t, &v);
    return r < 0 ? r : heap_set(&v->due, &t->reverify, at_wall);
}

static bool is_under_way(const Engine *e, const Target *t) {
    for (size_t i = 0; i < e->n_reverifies; i++)
        if (e->reverifies[i]->target == t)
            return true;
    return false;
}

bool engine_is_reverifying(const Engine *e, const char *arn) {
    for (size_t i = 0; i < e->n_reverifies; i++)
        if (text_equal(e->reverifies[i]->arn, arn))
            return true;
    return false;
}

int engine_arm_all_reverify(Engine *e, Now now) {
    Usec at = now.wall;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++) {
        Target *t = e->targets.items[i];
        bool waits = t->reverify.at != USEC_INFINITY;
        if (!is_wanted(t) && !engine_check_of(e, t))
            r = waits ? engine_arm_reverify(e, t, USEC_INFINITY) : 0;
        else if (!is_under_way(e, t) && (!waits || e->expiry_anew)) {
            r = engine_arm_reverify(e, t, at);
            at += STAGGER_USEC;
        }
    }
    return r;
}

int engine_reverify_after(Engine *e, const Run *r, Now now) {
    Target *t = targets_find(&e->targets, r->account, r->region, r->table);
    Usec period = t ? period_of(t, r->schedule) : 0;
    if (t && t->table_arn && r->artefact && !r->artefact->summary_md5 && is_wanted(t))
        period = STAGGER_USEC; /* it may have to be looked at before it can go */
    if (period == 0 || is_under_way(e, t) || !r->artefact || r->artefact->life != ARTEFACT_VERIFIED)
        return 0;
    return engine_arm_reverify(e, t, usec_min(t->reverify.at, now.wall + period));
}

/* By the wall clock of the turn. */
Usec engine_reverify_wall(const Engine *e, Now now) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->n_reverifies && !e->stopping; i++) {
        const Reverify *v = e->reverifies[i];
        if (!v->target)
            next = usec_min(next, heap_next(&v->due));
        else if (!v->calling)
            next = usec_min(next, now.wall + usec_max(0, v->next_mono - now.mono));
    }
    return next;
}

/* --- which --- */

static int read_exports(const Engine *e, const EngineOutbox *out, const Target *t, Stock *ret) {
    AUTO_FREE char *prefix = text_format("%s/export/", t->table_arn);
    return prefix ? engine_read_stock(e, out, prefix, ret) : -ENOMEM;
}

/* It can go only by manifests that are known, and was made before its schedule, or that of its base, asked for more
 * than the service's word. */
static bool is_unknown(const Target *t, const Stock *s, const StockItem *i) {
    const StockItem *base = i->base_arn ? stock_find(s, i->base_arn) : i;
    return !(i->artefact->summary_md5 && i->artefact->files_md5) && base && deletes(t, base->schedule);
}

/* The one whose check is oldest by its period; *ret_wall: when that is due. */
static const StockItem *first_due(const Target *t, const Stock *s, Usec *ret_wall) {
    const StockItem *first = NULL;
    *ret_wall = USEC_INFINITY;
    for (size_t i = 0; i < s->n_items; i++) {
        const Artefact *a = s->items[i].artefact;
        Usec period = period_of(t, s->items[i].schedule);
        bool unknown = is_unknown(t, s, &s->items[i]);
        if ((period == 0 && !unknown) || a->life != ARTEFACT_VERIFIED || !a->details)
            continue;
        Usec last = a->verified_wall == WALL_UNKNOWN ? a->created_wall : a->verified_wall;
        Usec at = unknown ? last : usec_add(last, period);
        if (at < *ret_wall) {
            *ret_wall = at;
            first = &s->items[i];
        }
    }
    return first;
}

static int make_verify(const Engine *e, const Target *t, const StockItem *i, VerifyLevel level, Verify **ret) {
    CLEANUP(export_place_done) ExportPlace p = {};
    const Artefact *a = i->artefact;
    int r = artefact_export_place(a, &p);
    if (r < 0)
        return r;
    return verify_new(&(VerifyWish){.level = level,
                                    .region = t->region,
                                    .bucket = p.bucket,
                                    .bucket_owner = p.bucket_owner,
                                    .prefix = p.prefix,
                                    .manifest_key = p.manifest_key,
                                    .export_arn = a->arn,
                                    .table_id = a->table_id,
                                    .from_wall = p.from_wall,
                                    .to_wall = p.to_wall,
                                    .item_count = a->item_count,
                                    .bytes_per_sec = e->conf->limits.verify_rate,
                                    .summary_md5 = a->summary_md5,
                                    .files_md5 = a->files_md5},
                      ret);
}

static int begin(Engine *e, Reverify *v, Target *t, Now now, const EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    Usec at = now.wall;
    CheckOrder *ordered = engine_check_of(e, t);
    heap_set(&v->due, &t->reverify, USEC_INFINITY);
    if (!ordered && !is_wanted(t))
        return 0;
    int r = read_exports(e, out, t, &stock);
    if (r < 0)
        return r;
    const StockItem *i = ordered ? stock_find(&stock, ordered->arn) : first_due(t, &stock, &at);
    if (!i || at > now.wall) {
        engine_check_done(e, ordered); /* what is to be checked is gone */
        return heap_set(&v->due, &t->reverify, usec_min(usec_add(at, USEC_PER_SEC), now.wall + IDLE_USEC));
    }
    v->level = ordered ? ordered->level : level_of(t, i->schedule);
    v->who = ordered ? TAKE_PTR(ordered->who) : NULL;
    engine_check_done(e, ordered);
    r = make_verify(e, t, i, v->level, &v->verify);
    if (r == -ENODATA || (r >= 0 && verify_state(v->verify) != VERIFY_ASKS)) { /* nothing to ask for */
        end(v);
        return heap_set(&v->due, &t->reverify, now.wall + IDLE_USEC);
    }
    if (r < 0 || text_set(&v->arn, i->artefact->arn) < 0 || text_set(&v->schedule, i->schedule) < 0)
        return r < 0 ? r : -ENOMEM;
    v->target = t;
    v->next_mono = now.mono;
    return 0;
}

static int ask(Engine *e, size_t place, Now now) {
    Reverify *v = e->reverifies[place];
    AwsRequest *request = NULL;
    int r = verify_request(v->verify, &request);
    if (r < 0)
        return r;
    v->calling = true;
    return client_begin(e->client,
                        &(CallSpec){.account = v->account,
                                    .region = verify_region(v->verify),
                                    .request = request,
                                    .tag = tag_make(TAG_OF_REVERIFY, place),
                                    .deadline_mono = now.mono + CALL_USEC},
                        now);
}

/* --- what was found --- */

static int say_unknown(Engine *e, const Reverify *v, EngineOutbox *out) {
    const char *hint = verify_hint(v->verify);
    Report *report = NULL;
    ReportArtefact about = {.account = v->account,
                            .region = v->region,
                            .table = v->target->table,
                            .schedule = v->schedule,
                            .slot_wall = WALL_UNKNOWN,
                            .arn = v->arn};
    int r = report_artefact(&about, REPORT_CHECK_UNKNOWN, e->qualified, &report,
                            "export %s of %s could not be checked again, and goes on being asked for: %s%s%s",
                            v->schedule, v->arn, verify_why(v->verify), hint ? "; HINT: " : "", hint ? hint : "");
    return r < 0 ? r : engine_say(out, report);
}

/* Somebody waits for it; what was due is silent when it is good. */
static int say_ordered(Engine *e, const Reverify *v, const char *found, EngineOutbox *out) {
    Report *report = NULL;
    ReportArtefact about = {.account = v->account,
                            .region = v->region,
                            .table = v->target->table,
                            .schedule = v->schedule,
                            .slot_wall = WALL_UNKNOWN,
                            .arn = v->arn};
    int r = report_artefact(&about, REPORT_ORDERED, e->qualified, &report,
                            "export %s of %s was checked by order of %s, and is good: %s", v->schedule, v->arn, v->who,
                            found);
    return r < 0 ? r : engine_say(out, report);
}

static int conclude(Engine *e, Reverify *v, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    char found[VERIFY_TEXT_SIZE];
    const VerifyFacts *f = verify_facts(v->verify);
    int r = read_exports(e, out, v->target, &stock);
    if (r < 0)
        return r;
    const StockItem *i = stock_find(&stock, v->arn);
    bool matters = i && i->artefact->life == ARTEFACT_VERIFIED; /* else it goes meanwhile, or is gone */
    if (matters && !engine_may_judge(e, i)) { /* what this turn changes of its chain first */
        v->next_mono = now.mono + SETTLE_USEC;
        return 0;
    }
    if (matters && verify_state(v->verify) != VERIFY_PASSED)
        r = engine_export_damaged(e, i, v->level, verify_why(v->verify), now, out);
    else if (matters)
        r = stock_put_check(&out->batch.stock,
                            &(StockCheck){.arn = v->arn,
                                          .level = v->level,
                                          .passed = true,
                                          .found = (char *)verify_facts_to_string(f, v->level, found),
                                          .summary_md5 = (char *)f->summary_md5,
                                          .files_md5 = (char *)f->files_md5});
    if (r >= 0 && v->who && matters && verify_state(v->verify) == VERIFY_PASSED)
        r = say_ordered(e, v, found, out);
    Target *t = v->target;
    end(v);
    return r < 0 ? r : heap_set(&v->due, &t->reverify, now.wall + STAGGER_USEC); /* once it is on disk */
}

int engine_reverify(Engine *e, Now now, EngineOutbox *out) {
    Target *t;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->n_reverifies; i++) {
        Reverify *v = e->reverifies[i];
        for (int n = 0; r >= 0 && n < TURN_MAX && !v->target && (t = heap_due(&v->due, now.wall)); n++)
            r = begin(e, v, t, now, out);
        if (r >= 0 && v->target && !v->calling && v->next_mono <= now.mono)
            r = verify_state(v->verify) == VERIFY_ASKS ? ask(e, i, now) : conclude(e, v, now, out);
    }
    return r;
}

int engine_reverified(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Reverify *v = e->reverifies[tag_index(done->tag)];
    bool unknown;
    Usec wait;
    v->calling = false;
    if (!v->target)
        return 0;
    int r = verify_answer(v->verify, done, &unknown, &wait);
    if (r < 0)
        return r;
    v->next_mono = now.mono + (unknown ? UNKNOWN_USEC : wait);
    if (unknown && !v->unknown_said) {
        v->unknown_said = true;
        return say_unknown(e, v, out);
    }
    return verify_state(v->verify) == VERIFY_ASKS ? 0 : conclude(e, v, now, out);
}
