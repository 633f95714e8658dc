/* Exports of which a later check finds that they are damaged or gone. A link's window is asked for again, as long as
 * the table can be restored to it; without its base a chain restores nothing. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static Lineage *lineage_of(const Engine *e, const StockItem *i, const char *schedule) {
    const Target *t = targets_find(&e->targets, i->account, i->region, i->table);
    const Enrolment *n = t ? target_enrolment(t, schedule) : NULL;
    return n ? n->lineage : NULL;
}

bool engine_may_judge(const Engine *e, const StockItem *i) {
    const Lineage *l = i->base_arn ? lineage_of(e, i, i->schedule) : NULL;
    const Chain *c = l ? lineage_chain_of_base(l, i->base_arn) : NULL;
    return !c || !c->changed;
}

/* --- freshness --- */

static int set_newest(Engine *e, Enrolment *n, Usec newest_wall, Now now, EngineOutbox *out) {
    if (!n || newest_wall >= n->newest_wall)
        return 0;
    n->newest_wall = newest_wall;
    int r = engine_put_enrolment(out, n);
    return r < 0 || !n->schedule ? r : engine_freshness(e, n, now, out);
}

/* The newest that is still good counts. */
static int fall_back(Engine *e, const Target *t, const char *schedule, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    AUTO_FREE char *prefix = text_format("%s/export/", t->table_arn);
    int r = prefix ? engine_read_stock(e, out, prefix, &stock) : -ENOMEM;
    Usec newest = WALL_UNKNOWN;
    for (size_t i = 0; i < stock.n_items; i++)
        if (strcmp(stock.items[i].schedule, schedule) == 0)
            newest = usec_max(newest, stock.items[i].artefact->created_wall);
    return r < 0 ? r : set_newest(e, target_enrolment(t, schedule), newest, now, out);
}

/* The same of a lineage: how far its chains reach. */
static int pull_back(Engine *e, Lineage *l, const ChainOthers *others, Now now, EngineOutbox *out) {
    Usec newest = others->reach_wall;
    for (size_t i = 0; i < l->n_chains; i++)
        newest = usec_max(newest, chain_watermark(l->chains[i]));
    return set_newest(e, l->enrolment, newest, now, out);
}

/* --- chains --- */

/* The chain itself, which comes back where it had settled. *ret NULL: the ledger has none. */
static int find_chain(Engine *e, Lineage *l, const char *base_arn, Usec from_wall, Chain **ret, Chain **ret_found,
                      ChainOthers *ret_others) {
    CLEANUP(chain_free_ptr) Chain *found = NULL;
    *ret = NULL;
    *ret_others = (ChainOthers){.reach_wall = WALL_UNKNOWN, .earlier_wall = WALL_UNKNOWN};
    int r = e->port.read_chain
                ? e->port.read_chain(e->port.context, l, base_arn, from_wall, &found, ret_others)
                : -ENOENT;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    Chain *known = lineage_chain_of_base(l, base_arn);
    if (!known && (r = lineage_add_chain(l, found)) < 0)
        return r;
    *ret = known ? known : found;
    *ret_found = known ? found : NULL;
    TAKE_PTR(found);
    return 0;
}

/* Its chain goes on from there. Where the base goes, or is gone, there is no chain to mend. */
static int link_damaged(Engine *e, const StockItem *i, const Stock *stock, Now now, EngineOutbox *out) {
    CLEANUP(chain_free_ptr) Chain *found = NULL;
    Lineage *l = lineage_of(e, i, i->schedule);
    const StockItem *base = stock_find(stock, i->base_arn);
    Chain *c;
    ChainOthers others;
    if (!l || i->is_spare || !base || base->artefact->life != ARTEFACT_VERIFIED)
        return 0;
    int r = find_chain(e, l, i->base_arn, i->from_wall, &c, &found, &others);
    if (r < 0 || !c)
        return r;
    if (!chain_window(c, i->from_wall) && i->from_wall >= c->covered_wall) /* behind what was lost */
        return 0;
    r = chain_take_damaged(c, i->from_wall, found, now);
    if (r == -ESTALE) /* the ledger has other windows: nothing rests on this one */
        return 0;
    if (r < 0 || (r = engine_put_chain(out, c)) < 0 || (r = pull_back(e, l, &others, now, out)) < 0)
        return r;
    return l->asking == LINEAGE_IDLE ? heap_set(&e->looks, &l->look, now.wall) : 0;
}

static int base_damaged(Engine *e, const StockItem *i, Lineage *l, const char *why, Now now, EngineOutbox *out) {
    CLEANUP(chain_free_ptr) Chain *found = NULL;
    Chain *c;
    ChainOthers others;
    int r = find_chain(e, l, i->artefact->arn, USEC_INFINITY, &c, &found, &others);
    if (r < 0 || !c)
        return r;
    r = engine_void_chain(e, l, c, why, now, out);
    return r < 0 ? r : pull_back(e, l, &others, now, out);
}

int engine_export_damaged(Engine *e, const StockItem *i, VerifyLevel level, const char *why, Now now,
                          EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    Report *report = NULL;
    ReportArtefact about = {.account = i->account, .region = i->region, .table = i->table, .schedule = i->schedule,
                            .slot_wall = WALL_UNKNOWN, .arn = i->artefact->arn};
    const char *act = i->base_arn ? "its window is exported again, if the table can still be restored to it"
                                  : "nothing can be restored from it; 'ddbackupctl run' makes a new one";
    const Target *t = targets_find(&e->targets, i->account, i->region, i->table);
    int r = t && t->table_arn ? 0 : -ENOENT;
    if (r >= 0) {
        AUTO_FREE char *prefix = text_format("%s/export/", t->table_arn);
        r = prefix ? engine_read_stock(e, out, prefix, &stock) : -ENOMEM;
    }
    if (r < 0 && r != -ENOENT)
        return r;
    r = stock_put_check(&out->batch.stock,
                        &(StockCheck){.arn = i->artefact->arn, .level = level, .found = (char *)why});
    if (r >= 0)
        r = report_artefact(&about, REPORT_DAMAGED, e->qualified, &report,
                            "export %s of %s is damaged: %s; HINT: %s; who deletes or writes in the bucket?",
                            i->schedule, i->artefact->arn, why, act);
    if (r >= 0)
        r = engine_say(out, report);
    if (r < 0 || !t || !t->table_arn)
        return r;
    if (i->base_arn)
        return link_damaged(e, i, &stock, now, out);
    for (size_t j = 0; r >= 0 && j < t->n_enrolments; j++)
        if (t->enrolments[j]->lineage)
            r = base_damaged(e, i, t->enrolments[j]->lineage, why, now, out);
    return r < 0 ? r : fall_back(e, t, i->schedule, now, out);
}
