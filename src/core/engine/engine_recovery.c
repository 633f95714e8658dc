/* Looking after point-in-time recovery, where schedules want it on. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/table/recovery.h"

#define PATIENCE_USEC (10 * USEC_PER_MINUTE)
#define RETRY_USEC (5 * USEC_PER_MINUTE)

int engine_arm_recovery(Engine *e, Target *t, Now now) {
    if (t->looking)
        return 0;
    bool wanted = recovery_wish(t) != PITR_IGNORE;
    if (!wanted && t->recovery != RECOVERY_UNKNOWN) { /* nobody looks after it from now on */
        t->recovery = RECOVERY_UNKNOWN;
        t->recovery_wall = WALL_UNKNOWN;
        t->changed = true;
    }
    if (!wanted || t->gone_wall != WALL_UNKNOWN)
        return t->place ? heap_set(&t->place->looks, &t->look, USEC_INFINITY) : 0;
    Usec wait = 0;
    if (t->recovery_wall != WALL_UNKNOWN)
        wait = usec_max(0, e->conf->aws.inspection_interval_usec - usec_max(0, now.wall - t->recovery_wall));
    return heap_set(&t->place->looks, &t->look, now.mono + wait);
}

static size_t free_seat(const Ahead *a) {
    size_t i = 0;
    while (i < LOOKS_MAX && a->looking[i])
        i++;
    return i;
}

Usec engine_recovery_mono(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->n_aheads; i++)
        if (free_seat(e->aheads[i]) < LOOKS_MAX)
            next = usec_min(next, heap_next(&e->aheads[i]->looks));
    return next;
}

/* `op` is DescribeContinuousBackups, or UpdateContinuousBackups to switch it on. */
static int ask(Engine *e, size_t place, size_t seat, Target *t, AwsOp op, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op);
    if (!q)
        return -ENOMEM;
    char **table = op == AWS_OP_UPDATE_CONTINUOUS_BACKUPS ? &q->update_continuous_backups.table
                                                          : &q->describe_continuous_backups.table;
    q->update_continuous_backups.enabled = op == AWS_OP_UPDATE_CONTINUOUS_BACKUPS;
    if (text_set(table, t->table) < 0)
        return -ENOMEM;
    int r = client_begin(e->client,
                         &(CallSpec){.account = t->account,
                                     .region = t->region,
                                     .request = TAKE_PTR(q),
                                     .tag = tag_make(TAG_OF_LOOK, place * LOOKS_MAX + seat),
                                     .deadline_mono = now.mono + PATIENCE_USEC},
                         now);
    if (r < 0)
        return r;
    e->aheads[place]->looking[seat] = t;
    t->looking = true;
    return heap_set(&t->place->looks, &t->look, USEC_INFINITY);
}

int engine_look_at_recovery(Engine *e, Now now) {
    Target *t;
    int r = 0;
    for (size_t i = 0; i < e->n_aheads; i++)
        for (size_t seat; r >= 0 && (seat = free_seat(e->aheads[i])) < LOOKS_MAX &&
                          (t = heap_due(&e->aheads[i]->looks, now.mono));)
            r = ask(e, i, seat, t, AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, now);
    return r;
}

static const char *hint_on(const Target *t, Text *text) {
    text_addf(text,
              "; HINT: pitr = \"enable\" switches it on (billed), or aws dynamodb update-continuous-backups --region "
              "%s --table-name %s --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
              t->region, t->table);
    return text_get(text);
}

static int say_news(Engine *e, Target *t, RecoveryNews news, const RecoveryInfo *info, EngineOutbox *out) {
    char earliest[DATE_ISO_SIZE];
    AUTO_TEXT hint = TEXT_INIT(2048);
    Report *report = NULL;
    int r = 0;
    switch (news) {
    case RECOVERY_NEWS_NONE:
        return 0;
    case RECOVERY_NEWS_OFF:
        r = report_target(t, REPORT_RECOVERY_OFF, e->qualified, &report, "point-in-time recovery is off%s",
                          hint_on(t, &hint));
        break;
    case RECOVERY_NEWS_LOST:
        r = report_target(t, REPORT_RECOVERY_OFF, e->qualified, &report,
                          "point-in-time recovery was switched off; nothing of before can be restored or exported any "
                          "more%s",
                          hint_on(t, &hint));
        break;
    case RECOVERY_NEWS_RESTARTED:
        r = report_target(t, REPORT_RECOVERY_OFF, e->qualified, &report,
                          "point-in-time recovery was switched off and on again; it reaches back to %s and no further",
                          date_to_iso(info->earliest_wall, earliest));
        break;
    case RECOVERY_NEWS_BACK:
        r = report_target(t, REPORT_RECOVERY_ON, e->qualified, &report, "point-in-time recovery is on, since %s",
                          date_to_iso(info->earliest_wall, earliest));
        break;
    }
    return r < 0 ? r : engine_say(out, report);
}

static int failed(Engine *e, Target *t, const AwsError *error, bool trouble, bool enabling, Now now,
                  EngineOutbox *out) {
    Report *report = NULL;
    int r = heap_set(&t->place->looks, &t->look, now.mono + RETRY_USEC);
    if (r < 0 || trouble || t->look_failed || error->class == AWS_NOT_FOUND)
        return r;
    t->look_failed = true;
    r = report_target(t, enabling ? REPORT_RECOVERY_OFF : REPORT_DISCOVERY_FAILED, e->qualified, &report,
                      "point-in-time recovery %s: %s%s%s%s%s",
                      enabling ? "is off, and could not be switched on" : "could not be looked at", error->code,
                      error->message[0] ? ": " : "", error->message, error->hint ? "; HINT: " : "",
                      error->hint ? error->hint : "");
    return r < 0 ? r : engine_say(out, report);
}

static int switched_on(Engine *e, Target *t, const RecoveryInfo *info, Now now, EngineOutbox *out) {
    Report *report = NULL;
    (void)recovery_take(t, info, now.wall);
    int r =
        report_target(t, REPORT_RECOVERY_ON, e->qualified, &report,
                      "point-in-time recovery was off, and was switched on as pitr = \"enable\" says; it is billed");
    return r < 0 ? r : engine_say(out, report);
}

int engine_recovery_looked(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    size_t at = tag_index(done->tag), place = at / LOOKS_MAX, seat = at % LOOKS_MAX;
    Target *t = TAKE_PTR(e->aheads[place]->looking[seat]);
    Place *p = places_find(&e->places, t->account, t->region);
    bool trouble = false, enabling = t->enabling;
    t->looking = t->enabling = false;
    int r = p ? engine_take_place(e, p, done, out, &trouble) : 0;
    if (r < 0 || done->error.class != AWS_OK)
        return r < 0 ? r : failed(e, t, &done->error, trouble, enabling, now, out);
    const RecoveryInfo *info = &done->reply->recovery;
    if (enabling && info->pitr_enabled)
        r = switched_on(e, t, info, now, out);
    else if (!info->pitr_enabled && recovery_wish(t) == PITR_ENABLE && !enabling && !e->stopping) {
        t->enabling = true;
        return ask(e, place, seat, t, AWS_OP_UPDATE_CONTINUOUS_BACKUPS, now);
    } else
        r = say_news(e, t, recovery_take(t, info, now.wall), info, out);
    t->look_failed = false;
    if (r < 0 || (r = engine_put_target(out, t)) < 0)
        return r;
    return engine_arm_recovery(e, t, now);
}
