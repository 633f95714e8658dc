#include "ctl/chain_remote.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/chain/recaller.h"
#include "ctl/aws_session.h"
#include "ctl/verbs.h"
#include "io/clocks.h"

/* Which of the conversations an answer is for, in its tag. */
#define TAG_SHIFT 40

typedef struct Remote {
    const CtlOptions *options;
    const char *table;
    AwsSession aws;
    Places places;
    Recaller **recallers; /* one for each account and region */
    Target **targets;
    size_t n;
    bool failed; /* what was not seen may be there: no answer is better than a wrong one */
} Remote;

static void remote_done(Remote *m) {
    for (size_t i = 0; i < m->n; i++)
        recaller_free(m->recallers[i]);
    free(m->recallers);
    free(m->targets);
    places_done(&m->places);
    aws_session_done(&m->aws);
}

static int go_on(Remote *m, size_t i, Now now) {
    RecallerQuestion q;
    int r;
    while ((r = recaller_ask(m->recallers[i], now, &q)) >= 0)
        if ((r = ask_begin(m->aws.ask, m->targets[i]->account, q.region, q.request,
                           (uint64_t)i << TAG_SHIFT | q.tag, now)) < 0)
            return r;
    return r == -EAGAIN || r == -ENOENT ? 0 : r;
}

static int take_answer(void *context, CallDone *done, Now now) {
    Remote *m = context;
    size_t i = (size_t)(done->tag >> TAG_SHIFT);
    done->tag &= (UINT64_C(1) << TAG_SHIFT) - 1;
    int r = recaller_answer(m->recallers[i], done, now);
    return r < 0 ? r : go_on(m, i, now);
}

static int converse(Remote *m, Targets *targets) {
    const CtlOptions *o = m->options;
    int r = 0;
    m->recallers = calloc(m->places.n_items + 1, sizeof *m->recallers);
    m->targets = calloc(m->places.n_items + 1, sizeof *m->targets);
    if (!m->recallers || !m->targets)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < m->places.n_items; i++) {
        const Place *p = &m->places.items[i];
        if (!options_select(o, p->account, p->region, m->table, o->schedule))
            continue;
        if (!aws_session_has(&m->aws, p->account)) {
            m->failed = true;
            continue;
        }
        r = targets_ensure(targets, p->account, p->region, m->table, &m->targets[m->n]);
        if (r >= 0)
            r = recaller_new(m->aws.conf, o->schedule, p, m->targets[m->n], &m->recallers[m->n]);
        if (r >= 0)
            r = go_on(m, m->n++, clocks_read());
    }
    return r < 0 ? r : ask_run(m->aws.ask, take_answer, m);
}

static void say_words(Remote *m) {
    for (size_t i = 0; i < m->n; i++) {
        size_t n;
        const RecallerWord *words = recaller_words(m->recallers[i], &n);
        for (size_t j = 0; j < n; j++) {
            m->failed |= words[j].is_fatal;
            ctl_failed(words[j].text);
        }
    }
}

/* The attempts that windows borrow go where the ledger has them. */
static int keep_runs(Recall *recalled, Ledger *l) {
    for (; recalled->n_runs > 0; recalled->n_runs--) {
        if (ARRAY_GROW(l->runs, l->n_runs, l->n_runs_room) < 0)
            return -ENOMEM;
        l->runs[l->n_runs++] = recalled->runs[recalled->n_runs - 1];
    }
    return 0;
}

static int recall(Remote *m, size_t i, const ScheduleConf *s, Now now, StoreChains *into) {
    CLEANUP(recall_done) Recall recalled = {};
    const Target *t = m->targets[i];
    Lineage *l;
    int r = ledger_lineage(&into->ledger, t->account, t->region, t->table, s->name, &l);
    if (r < 0 || (r = recaller_recall(m->recallers[i], s, l, now, &recalled)) < 0 ||
        (r = keep_runs(&recalled, &into->ledger)) < 0)
        return r;
    l->enrolment->schedule = NULL; /* the configuration goes */
    if (recalled.n_reaches == 0)
        return 0;
    StoreLineage *item = &into->items[into->n_items++];
    *item = (StoreLineage){.lineage = l, .reaches = recalled.reaches, .n_reaches = recalled.n_reaches};
    recalled.reaches = NULL;
    recalled.n_reaches = 0;
    return 0;
}

static int recall_all(Remote *m, Now now, StoreChains *into) {
    const Conf *conf = m->aws.conf;
    int r = 0;
    into->items = calloc(m->n * conf->n_schedules + 1, sizeof *into->items);
    if (!into->items)
        return -ENOMEM;
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; r >= 0 && j < conf->n_schedules; j++) {
            const ScheduleConf *s = &conf->schedules[j];
            if (s->action == ACTION_INCREMENTAL &&
                (!m->options->schedule || strcmp(s->name, m->options->schedule) == 0))
                r = recall(m, i, s, now, into);
        }
    return r;
}

/* The table's name, out of "orders" or "account/region/orders". NULL: it is a pattern. */
static const char *table_of(const CtlOptions *o) {
    const char *slash = strrchr(o->table, '/');
    return strpbrk(o->table, "*?[") ? NULL : slash ? slash + 1 : o->table;
}

int chain_remote(const CtlOptions *o, Usec now_wall, Targets *ret_targets, StoreChains *ret) {
    CLEANUP(remote_done) Remote m = {.options = o, .table = table_of(o)};
    if (!m.table) {
        ctl_failed("--remote asks for one table at a time; HINT: give its name, or account/region/name");
        return -EINVAL;
    }
    int r = aws_session_open(&m.aws, o, USEC_INFINITY);
    if (r < 0)
        return r;
    if ((r = aws_session_places(&m.aws, &m.places)) >= 0)
        r = converse(&m, ret_targets);
    say_words(&m);
    if (r >= 0 && !m.failed)
        r = recall_all(&m, (Now){.wall = now_wall, .mono = clocks_read().mono}, ret);
    if (r < 0)
        ctl_failed(strerror(-r));
    return r < 0 ? r : m.failed ? -EIO : 0;
}
