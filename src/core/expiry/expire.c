#include "core/expiry/expire.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/run/look.h"

/* --- the listing --- */

void expire_listing_done(ExpireListing *l) {
    for (size_t i = 0; i < l->n_items; i++)
        backup_info_done(&l->items[i]);
    free(l->items);
    free(l->cursor);
    *l = (ExpireListing){.wall = WALL_UNKNOWN};
}

int expire_listing_request(const ExpireListing *l, const char *table, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_BACKUPS);
    if (!q || text_set(&q->list_backups.table, table) < 0 || text_set(&q->list_backups.start_arn, l->cursor) < 0)
        return -ENOMEM;
    q->list_backups.limit = 100;
    *ret = TAKE_PTR(q);
    return 0;
}

static int by_arn(const void *a, const void *b) {
    return strcmp(((const BackupInfo *)a)->arn, ((const BackupInfo *)b)->arn);
}

int expire_listing_take(ExpireListing *l, BackupList *page, Usec server_wall, bool *ret_more) {
    if (l->n_pages == 0)
        l->wall = server_wall;
    if (l->wall == WALL_UNKNOWN)
        return -ENODATA;
    if (page->next && (text_equal(page->next, l->cursor) || l->n_pages >= LOOK_MAX_PAGES))
        return -ELOOP;
    l->n_pages++;
    for (size_t i = 0; i < page->n_items; i++) {
        if (ARRAY_GROW(l->items, l->n_items, l->n_room) < 0)
            return -ENOMEM;
        l->items[l->n_items++] = page->items[i];
        page->items[i] = (BackupInfo){};
    }
    free(l->cursor);
    l->cursor = TAKE_PTR(page->next);
    *ret_more = l->cursor;
    l->complete = !l->cursor;
    if (l->complete && l->n_items > 0)
        qsort(l->items, l->n_items, sizeof *l->items, by_arn);
    return 0;
}

const BackupInfo *expire_listing_find(const ExpireListing *l, const char *arn) {
    BackupInfo key = {.arn = (char *)arn};
    return l->n_items > 0 ? bsearch(&key, l->items, l->n_items, sizeof *l->items, by_arn) : NULL;
}

/* --- whose is it? --- */

const ScheduleConf *expire_schedule(const Target *t, Action action, const char *name) {
    for (size_t i = 0; i < t->n_enrolments; i++) {
        const ScheduleConf *s = t->enrolments[i]->schedule;
        if (s && s->action == action && s->expire != EXPIRE_OFF && retention_keep_is_set(&s->keep) &&
            conf_schedule_is(s, name))
            return s;
    }
    return NULL;
}

bool expire_is_wanted(const Target *t, Action action) {
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (t->enrolments[i]->schedule && expire_schedule(t, action, t->enrolments[i]->schedule->name))
            return true;
    return false;
}

/* DeleteBackup takes an ARN of any region for the one in its own: what it names is checked here. */
bool expire_is_of_table(const char *arn, const Target *t, const char *kind) {
    char account[13];
    AUTO_FREE char *middle = text_format(":dynamodb:%s:%s:table/%s/%s/", t->region, target_account_id(t, account),
                                         t->table, kind);
    const char *found = middle && text_starts_with(arn, "arn:") ? strstr(arn, middle) : NULL;
    /* arn:PARTITION, and no other colon before it; an id, and no other slash behind it */
    return account[0] && found && memchr(arn + 4, ':', (size_t)(found - arn - 4)) == NULL &&
           found[strlen(middle)] != '\0' && !strchr(found + strlen(middle), '/');
}

/* What the listing shows is compared with what the ledger has, and that with what this deployment would have done. */
int expire_guard(const char *deployment, const Target *t, const StockItem *i, const BackupInfo *shown,
                 const char **ret) {
    const Artefact *a = i->artefact;
    char account[13];
    AUTO_FREE char *name = NULL;
    int r = backup_name(deployment, target_account_id(t, account), t->region, t->table, i->schedule, i->slot_wall,
                        &name);
    if (r < 0)
        return r;
    *ret = NULL;
    if (strcmp(i->account, t->account) != 0 || strcmp(i->region, t->region) != 0 || strcmp(i->table, t->table) != 0 ||
        !expire_is_of_table(a->arn, t, "backup"))
        *ret = "its ARN is of another account, region or table";
    else if (a->action != ACTION_BACKUP || !text_equal(a->name, name) || !text_equal(i->intended_name, name))
        *ret = "its name is not the one that this deployment gives to that slot";
    else if (shown && !text_equal(shown->name, name))
        *ret = "the service shows it under another name";
    else if (shown && !text_equal(shown->type, "USER"))
        *ret = "the service shows it as no backup of a user";
    else if (!a->table_id || (shown && !text_equal(shown->table_id, a->table_id)))
        *ret = "the service shows it as of another table of this name";
    else if (shown && shown->created_wall != a->created_wall)
        *ret = "the service shows it as made at another time";
    return 0;
}

/* --- the plan --- */

void expire_plan_done(ExpirePlan *p) {
    free(p->lines);
    free(p->groups);
    *p = (ExpirePlan){};
}

static int find_group(ExpirePlan *p, const ScheduleConf *s, const char *table_id, size_t *ret) {
    for (*ret = 0; *ret < p->n_groups; ++*ret)
        if (p->groups[*ret].schedule == s && text_equal(p->groups[*ret].table_id, table_id))
            return 0;
    if (ARRAY_GROW(p->groups, p->n_groups, p->n_groups_room) < 0)
        return -ENOMEM;
    p->groups[p->n_groups++] = (ExpireGroup){.schedule = s, .table_id = table_id};
    return 0;
}

/* Is it one of those that the rules went by? */
static bool counts(RetentionReason r) {
    switch (r) {
    case RETENTION_LAST:
    case RETENTION_HOURLY:
    case RETENTION_DAILY:
    case RETENTION_WEEKLY:
    case RETENTION_MONTHLY:
    case RETENTION_YEARLY:
    case RETENTION_WITHIN:
    case RETENTION_FLOOR:
    case RETENTION_NEEDED:
    case RETENTION_HELD:
    case RETENTION_NO_POLICY:
    case RETENTION_BEYOND:
        return true;
    case RETENTION_FUTURE:
    case RETENTION_UNFINISHED:
    case RETENTION_LISTED_ONLY:
    case RETENTION_FOREIGN:
    case RETENTION_REASONS:
        break;
    }
    return false;
}

/* Nobody has known so far that it would go. */
static bool is_sudden(const StockItem *i) {
    return i->decision != DECISION_WITHDRAWN && i->hold_until_wall == WALL_UNKNOWN;
}

/* The newest that a pass has decided about; WALL_UNKNOWN: none has seen the group. */
static Usec last_decided(const ExpirePlan *p, size_t group) {
    Usec last = WALL_UNKNOWN;
    for (size_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].schedule && p->lines[i].group == group && p->lines[i].item->decision != DECISIONS)
            last = usec_max(last, p->lines[i].item->artefact->created_wall);
    return last;
}

/* `items` and `verdicts` have room for the whole stock. */
static int judge_group(ExpirePlan *p, size_t group, Usec now_wall, RetentionItem *items, RetentionVerdict *verdicts) {
    ExpireGroup *g = &p->groups[group];
    const RetentionPolicy policy = {.keep = g->schedule->keep, .zone = g->schedule->zone};
    size_t n = 0;
    for (size_t i = 0; i < p->n_lines; i++) {
        const ExpireLine *l = &p->lines[i];
        if (!l->schedule || l->group != group || !l->listed)
            continue;
        items[n++] = (RetentionItem){
            .id = l->item->artefact->arn,
            .made_wall = l->item->artefact->created_wall,
            .ours = !l->guard,
            .finished = l->finished,
            .held = l->held,
            .needed = l->needed,
        };
    }
    int r = retention_judge(items, n, &policy, now_wall, verdicts);
    if (r < 0)
        return r;
    Usec decided_wall = last_decided(p, group);
    n = 0;
    for (size_t i = 0; i < p->n_lines; i++) {
        ExpireLine *l = &p->lines[i];
        if (!l->schedule || l->group != group || !l->listed)
            continue;
        l->verdict = verdicts[n++];
        g->n_counted += counts(l->verdict.reason);
        g->n_new += counts(l->verdict.reason) && l->item->artefact->created_wall > decided_wall;
        g->n_beyond += l->verdict.expendable;
        g->n_sudden += l->verdict.expendable && is_sudden(l->item);
    }
    p->n_beyond += g->n_beyond;
    if (decided_wall == WALL_UNKNOWN)
        g->n_new = 1;
    return 0;
}

int expire_plan_group(ExpirePlan *p, ExpireLine *l) {
    return l->schedule ? find_group(p, l->schedule, l->item->artefact->table_id, &l->group) : 0;
}

int expire_plan_judge(ExpirePlan *p, Usec now_wall) {
    AUTO_FREE RetentionItem *items = calloc(p->n_lines + 1, sizeof *items);
    AUTO_FREE RetentionVerdict *verdicts = calloc(p->n_lines + 1, sizeof *verdicts);
    int r = items && verdicts ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < p->n_groups; i++)
        r = judge_group(p, i, now_wall, items, verdicts);
    return r;
}

int expire_plan(const char *deployment, const Target *t, const Stock *stock, const ExpireListing *listing,
                Usec now_wall, ExpirePlan *ret) {
    CLEANUP(expire_plan_done) ExpirePlan p = {.lines = calloc(stock->n_items + 1, sizeof *p.lines),
                                              .n_lines = stock->n_items,
                                              .action = ACTION_BACKUP};
    int r = p.lines ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < stock->n_items; i++) {
        ExpireLine *l = &p.lines[i];
        const StockItem *item = &stock->items[i];
        const BackupInfo *shown = listing ? expire_listing_find(listing, item->artefact->arn) : NULL;
        *l = (ExpireLine){.item = item,
                          .schedule = expire_schedule(t, ACTION_BACKUP, item->schedule),
                          .listed = !listing || (shown && shown->status != BACKUP_DELETED),
                          .held = stock_is_held(item, now_wall)};
        l->finished = item->artefact->life == ARTEFACT_VERIFIED &&
                      (!listing || (shown && shown->status == BACKUP_AVAILABLE));
        r = expire_guard(deployment, t, l->item, shown, &l->guard);
        if (r >= 0)
            r = expire_plan_group(&p, l);
    }
    if (r < 0 || (r = expire_plan_judge(&p, now_wall)) < 0)
        return r;
    *ret = p;
    p = (ExpirePlan){};
    return 0;
}

size_t expire_allowance(const Conf *c, const ExpireGroup *g) {
    const RetentionKeep *k = &g->schedule->keep;
    size_t n_rules = (size_t)((k->last > 0) + (k->hourly > 0) + (k->daily > 0) + (k->weekly > 0) + (k->monthly > 0) +
                              (k->yearly > 0) + (k->within_usec > 0));
    size_t share = (size_t)(c->limits.max_delete_share * (double)g->n_counted);
    size_t pushed_out = n_rules * (g->n_new > 1 ? g->n_new : 1);
    size_t allowed = share > pushed_out ? share : pushed_out;
    return allowed < (size_t)c->limits.max_delete ? allowed : (size_t)c->limits.max_delete;
}
