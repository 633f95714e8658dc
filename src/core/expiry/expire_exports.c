/* Exports: whose they are, and what of them may go in the light of their manifests. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/expiry/expire.h"
#include "core/run/drive.h"

/* The token is what this deployment makes of what the ledger knows of it. */
static int has_own_token(const char *deployment, const Target *t, const StockItem *i, bool *ret) {
    char account[13], token[EXPORT_TOKEN_SIZE];
    const char *table_id = i->artefact->table_id;
    target_account_id(t, account);
    *ret = false;
    if (!table_id || !text_equal(i->artefact->name, i->intended_name))
        return 0;
    if (i->base_arn) {
        int r = export_link_token(deployment, account, table_id, i->schedule, i->chain_start_wall, i->from_wall,
                                  i->slot_wall, i->attempt, token);
        *ret = r >= 0 && strcmp(token, i->artefact->name) == 0;
        return r;
    }
    for (int attempt = 1; attempt <= EXPORT_MAX_ATTEMPTS && !*ret; attempt++) {
        int r = export_token(deployment, account, table_id, i->schedule, i->slot_wall, attempt, token);
        if (r < 0)
            return r;
        *ret = strcmp(token, i->artefact->name) == 0;
    }
    return 0;
}

int expire_guard_export(const char *deployment, const Target *t, const StockItem *i, const char **ret) {
    const Artefact *a = i->artefact;
    bool own;
    int r = has_own_token(deployment, t, i, &own);
    if (r < 0)
        return r;
    *ret = NULL;
    if (strcmp(i->account, t->account) != 0 || strcmp(i->region, t->region) != 0 || strcmp(i->table, t->table) != 0 ||
        !expire_is_of_table(a->arn, t, "export"))
        *ret = "its ARN is of another account, region or table";
    else if (a->action != (i->base_arn ? ACTION_INCREMENTAL : ACTION_EXPORT) || !own)
        *ret = "its client token is not the one that this deployment gives to that slot";
    return 0;
}

static bool is_seen(const char *arn, char *const *seen, size_t n_seen) {
    for (size_t i = 0; i < n_seen; i++)
        if (strcmp(seen[i], arn) == 0)
            return true;
    return false;
}

/* It is known where its manifests lie and what they are: without that it cannot be taken away. */
static bool is_known(const Artefact *a) {
    CLEANUP(export_place_done) ExportPlace place = {};
    return a->summary_md5 && a->files_md5 && artefact_export_place(a, &place) >= 0;
}

/* It was seen to be good, lately enough. A schedule that checks nothing deletes nothing. */
static bool is_verified(const Artefact *a, const ScheduleConf *s, Usec now_wall) {
    bool checks = s->verify != VERIFY_SERVICE;
    return a->life == ARTEFACT_VERIFIED && (!checks || is_known(a)) &&
           (s->reverify_usec == 0 ||
            (a->verified_wall != WALL_UNKNOWN && now_wall < usec_add(a->verified_wall, s->reverify_usec)));
}

/* What is true of a link holds for its base. */
static int take_link(const char *deployment, const Target *t, const StockItem *link, Usec now_wall, ExpireLine *base) {
    const char *guard;
    int r = expire_guard_export(deployment, t, link, &guard);
    if (r < 0)
        return r;
    base->n_links++;
    base->held |= stock_is_held(link, now_wall);
    base->needed |= link->chain_is_open;
    base->finished &= base->schedule->verify == VERIFY_SERVICE || is_known(link->artefact);
    if (guard && !base->guard)
        base->guard = "a link of its chain is not one that this deployment made";
    return 0;
}

int expire_line_export(const char *deployment, const Target *t, const Stock *stock, const StockItem *item,
                       const ScheduleConf *s, Usec now_wall, ExpireLine *ret) {
    ExpireLine l = {.item = item,
                    .schedule = s,
                    .listed = true,
                    .finished = is_verified(item->artefact, s, now_wall),
                    .held = stock_is_held(item, now_wall),
                    .needed = item->chain_is_open};
    int r = expire_guard_export(deployment, t, item, &l.guard);
    for (size_t i = 0; r >= 0 && i < stock->n_items; i++)
        if (text_equal(stock->items[i].base_arn, item->artefact->arn))
            r = take_link(deployment, t, &stock->items[i], now_wall, &l);
    if (r >= 0)
        *ret = l;
    return r;
}

int expire_plan_exports(const char *deployment, const Target *t, const Stock *stock, char *const *seen, size_t n_seen,
                        Usec now_wall, ExpirePlan *ret) {
    CLEANUP(expire_plan_done) ExpirePlan p = {.lines = calloc(stock->n_items + 1, sizeof *p.lines),
                                              .n_lines = stock->n_items,
                                              .action = ACTION_EXPORT};
    int r = p.lines ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < stock->n_items; i++) {
        const StockItem *item = &stock->items[i];
        ExpireLine *l = &p.lines[i];
        const ScheduleConf *s = expire_schedule(t, ACTION_EXPORT, item->schedule);
        *l = (ExpireLine){.item = item};
        if (!s || item->base_arn)
            continue;
        r = expire_line_export(deployment, t, stock, item, s, now_wall, l);
        l->finished &= !seen || s->expire != EXPIRE_DELETE || is_seen(item->artefact->arn, seen, n_seen);
        if (r >= 0)
            r = expire_plan_group(&p, l);
    }
    if (r < 0 || (r = expire_plan_judge(&p, now_wall)) < 0)
        return r;
    *ret = p;
    p = (ExpirePlan){};
    return 0;
}
