/* Exports that somebody wants checked again now, and their order. They wait in memory: after a restart nobody knows of
 * them, and whoever wanted it sees no new check. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

static void check_clear(CheckOrder *c) {
    free(c->arn);
    free(c->who);
}

void engine_checks_done(Engine *e) {
    for (size_t i = 0; i < e->n_checks; i++)
        check_clear(&e->checks[i]);
    free(e->checks);
}

CheckOrder *engine_check_of(const Engine *e, const Target *t) {
    size_t n = t->table_arn ? strlen(t->table_arn) : 0;
    for (size_t i = 0; n > 0 && i < e->n_checks; i++)
        if (strncmp(e->checks[i].arn, t->table_arn, n) == 0 && e->checks[i].arn[n] == '/')
            return &e->checks[i];
    return NULL;
}

void engine_check_done(Engine *e, CheckOrder *c) {
    if (!c)
        return;
    check_clear(c);
    e->n_checks--;
    memmove(c, c + 1, (e->n_checks - (size_t)(c - e->checks)) * sizeof *c);
}

static int put_check(Engine *e, const Order *o, VerifyLevel level) {
    CheckOrder c = {.level = level};
    if (ARRAY_GROW(e->checks, e->n_checks, e->n_checks_room) < 0 || text_set(&c.arn, o->object) < 0 ||
        text_set(&c.who, o->who) < 0) {
        check_clear(&c);
        return -ENOMEM;
    }
    e->checks[e->n_checks++] = c;
    return 0;
}

/* NULL: it can be checked. */
static const char *unfit(const Engine *e, const StockItem *i, const Target *t) {
    if (e->stopping)
        return "the daemon is stopping";
    if (i->artefact->life != ARTEFACT_VERIFIED)
        return "it has not been verified, or goes; HINT: 'ddbackupctl show' has its story";
    if (!i->artefact->details)
        return "where its manifest is was not recorded; HINT: 'ddbackupctl verify' without --by-daemon asks for it";
    if (!t || !t->table_arn)
        return "the daemon does not know its table any more; HINT: 'ddbackupctl verify' without --by-daemon checks it";
    return NULL;
}

static bool waits(const Engine *e, const char *arn) {
    for (size_t i = 0; i < e->n_checks; i++)
        if (strcmp(e->checks[i].arn, arn) == 0)
            return true;
    return engine_is_reverifying(e, arn);
}

/* That of the order, else of the schedule; DynamoDB's word alone would be nothing new. */
static VerifyLevel level_of(const Order *o, const StockItem *i, const Target *t) {
    const Enrolment *n = target_enrolment(t, i->schedule);
    VerifyLevel level = n && n->schedule ? n->schedule->verify : VERIFY_MANIFEST;
    if (o->level)
        (void)verify_level_from_string(o->level, &level);
    return level > VERIFY_MANIFEST ? level : VERIFY_MANIFEST;
}

static int find_export(const Engine *e, const EngineOutbox *out, const Order *o, Stock *stock, StockItem **ret) {
    const char *slash = o->object ? strstr(o->object, "/export/") : NULL;
    if (!slash)
        return 0;
    AUTO_FREE char *prefix = strndup(o->object, (size_t)(slash - o->object) + strlen("/export/"));
    int r = prefix ? engine_read_stock(e, out, prefix, stock) : -ENOMEM;
    if (r >= 0)
        *ret = stock_find(stock, o->object);
    return r;
}

int engine_verify(Engine *e, Order *o, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    StockItem *i = NULL;
    VerifyLevel level;
    if (o->level && (verify_level_from_string(o->level, &level) < 0 || level == VERIFY_SERVICE))
        return order_answer(o, ORDER_REFUSED, "%s: no such level; HINT: manifest, objects or content", o->level);
    int r = find_export(e, out, o, &stock, &i);
    if (r < 0 || !i)
        return r < 0 ? r
                     : order_answer(o, ORDER_NOT_FOUND,
                                    "%s: the ledger has no finished export of that ARN; HINT: 'ddbackupctl list "
                                    "--arn' shows what it has",
                                    o->object);
    Target *t = targets_find(&e->targets, i->account, i->region, i->table);
    const char *why = unfit(e, i, t);
    if (why)
        return order_answer(o, ORDER_REFUSED, "%s: %s", o->object, why);
    if (waits(e, o->object))
        return order_answer(o, ORDER_UNCHANGED, "%s: it is being checked, or is to be, already", o->object);
    level = level_of(o, i, t);
    if ((r = put_check(e, o, level)) < 0 || (r = engine_arm_reverify(e, t, now.wall)) < 0)
        return r;
    return order_answer(o, ORDER_DONE,
                        "%s: is checked at level %s, as soon as no other of its region is; the journal, and "
                        "'ddbackupctl show %s', tell what came of it",
                        o->object, verify_level_to_string(level), o->object);
}
