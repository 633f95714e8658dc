#pragma once
/* Inside the engine: its state, and what its parts do for each other in a turn. engine.c is life and turn,
 * engine_clock.c whether the time can be trusted, engine_enrol.c targets, slots and freshness, engine_describe.c
 * tables ahead of their slots, engine_run.c the runs, engine_poll.c backups that are being made, engine_chain.c,
 * engine_link.c, engine_loss.c and engine_base.c chains of incremental exports, engine_damage.c exports of which is
 * found later that they are damaged, engine_expiry.c (with engine_expiry.h) those that are to go, engine_erase.c the
 * same of exports, engine_reverify.c exports that are checked again, engine_verify.c those by order, engine_record.c
 * the records of chains in their buckets, engine_order.c what people ask for, engine_pause.c while nothing new may
 * start, engine_inventory.c the tables that places have and their tags, engine_news.c what happens to tables,
 * engine_recovery.c their point-in-time recovery, engine_outbox.c what a turn collects. */

#include "base/heap.h"
#include "core/control/order.h"
#include "core/engine/engine.h"
#include "core/engine/engine_tag.h"
#include "core/expiry/stock.h"
#include "core/run/poll.h"
#include "core/run/trust.h"
#include "core/table/place.h"

/* Work of one turn: due slots taken at most, and as many steps of runs, and tables of orders. */
#define ENGINE_TURN_MAX 512

/* Tables of one account and region that are described ahead of their slots. */
#define AHEAD_MAX 4 /* at once: few, so that a run that has to describe its table itself comes soon */
#define LOOKS_MAX 2
typedef struct Ahead {
    char *account, *region;
    Heap due;       /* of targets to describe, wall */
    Usec lead_usec; /* before a slot */
    size_t n_targets;
    Target *describing[AHEAD_MAX];
    Heap looks; /* of targets whose recovery is to be looked at, mono */
    Target *looking[LOOKS_MAX];
} Ahead;

/* Asking the service for its time, while nothing else does. */
typedef struct Probe {
    bool calling;
    Usec next_mono;
    size_t place;   /* that is asked */
    int n_failures; /* of all places, in a row */
} Probe;

typedef struct Expiry Expiry;
typedef struct Recorder Recorder;

/* Somebody wants an export checked now. */
typedef struct CheckOrder {
    char *arn, *who;
    VerifyLevel level;
} CheckOrder;

struct Engine {
    Conf *conf;
    Client *client;
    Places places;
    Targets targets;
    Run **runs; /* unsettled (and, until the commit, just settled), by id */
    size_t n_runs, n_runs_room;
    int64_t next_run_id;
    Trust trust;
    Probe probe;
    bool enrol_wanted; /* targets are to be brought in line */
    bool clock_said;   /* that the time cannot be trusted */
    char *clock_trouble; /* how that was said; or NULL */
    bool hurry;        /* some place hurries */
    bool stopping;
    Usec linger_mono; /* until then what the last turns have changed may wait for a
                       * commit; USEC_INFINITY: nothing waits */
    bool qualified;    /* names need account and region */
    Heap due, fresh;   /* of enrolments, wall */
    Heap steps;        /* of runs, mono */
    Heap deadlines;    /* of runs, wall */
    Ahead **aheads;    /* one for each account and region */
    size_t n_aheads, n_aheads_room;
    bool room_made; /* an export is not in flight any more: another one may begin */
    Poll **polls; /* one for each account and region */
    size_t n_polls, n_polls_room;
    Expiry **expiries; /* one for each account and region with backups that expire */
    size_t n_expiries, n_expiries_room;
    struct Eraser **erasers; /* one for each account and region with exports that expire */
    size_t n_erasers, n_erasers_room;
    CheckOrder *checks; /* that somebody wants and that have not begun */
    size_t n_checks, n_checks_room;
    struct Reverify **reverifies; /* one for each account and region with exports that are checked again */
    size_t n_reverifies, n_reverifies_room;
    Recorder **recorders; /* one for each account and region with chains */
    size_t n_recorders, n_recorders_room;
    bool expiry_anew; /* the configuration is new: look at every table, for what expires and what is checked again */
    StockPort port;
    StockState stock; /* without those that are being deleted, which are doubts */
    Lineage **lineages; /* none ever leaves */
    size_t n_lineages, n_lineages_room, n_waiting; /* n_waiting: for their turn to ask for a window */
    int64_t next_chain_id;
    Heap looks; /* of lineages, wall */
    HttpReply **inbox;
    size_t n_inbox, n_inbox_room;
    ClientOutbox calls;
    Order **orders; /* to be carried out, the first of them perhaps in part */
    size_t n_orders, n_orders_room;
    const Target *order_at; /* the last target that the first order has seen; NULL: none */
    Pause pause;
    bool pause_is_unsaid; /* by this process: it came out of the ledger */
    bool count_wanted; /* tables are to be counted, for min_tables */
    bool *few; /* of each entry of the configuration: it selects too few, and that was said; NULL: none was counted */
    LedgerTable *tables; /* of inventories that have changed, for the next commit */
    size_t n_tables, n_tables_room;
};

/* --- engine_trouble.c --- */

/* Says what lasts until *lasting is freed; takes the report. */
int engine_say_lasting(EngineOutbox *out, Report *report, char **lasting);

/* --- engine_outbox.c --- */

/* Takes the report; NULL is nothing to say. */
int engine_say(EngineOutbox *out, Report *report);
/* Once a turn, however often it is put. */
int engine_put_enrolment(EngineOutbox *out, Enrolment *e);
int engine_put_target(EngineOutbox *out, Target *t); /* if it changed */

/* --- engine_clock.c --- */

/* The first thing of a turn. */
int engine_watch_clock(Engine *e, Now raw, EngineOutbox *out);
/* A reply brought a Date. */
int engine_take_date(Engine *e, Usec server_wall, Now raw, EngineOutbox *out);
/* When the service is to be asked for its time; USEC_INFINITY: not now. */
Usec engine_probe_mono(const Engine *e);
int engine_probe(Engine *e, Now now);
int engine_probed(Engine *e, CallDone *done, Now raw, EngineOutbox *out);

/* --- engine_enrol.c --- */

/* Brings targets and enrolments in line with the configuration and the tables that exist. */
int engine_enrol(Engine *e, Now now, EngineOutbox *out);
/* The same for one table of a place, whose tags were read. */
int engine_enrol_table(Engine *e, const Place *p, const char *table, Now now, EngineOutbox *out);
/* Waits for the slot after the cursor. */
int engine_arm_due(Engine *e, Enrolment *n);
/* Says what there is to say of its freshness, and waits for the next time. */
int engine_freshness(Engine *e, Enrolment *n, Now now, EngineOutbox *out);
/* A slot has come, or several: the newest gets a run, the others a range. */
int engine_due(Engine *e, Enrolment *n, Now now, EngineOutbox *out);
int engine_discover(Engine *e, Place *p, Now now);
int engine_discovered(Engine *e, Place *p, CallDone *done, Now now, EngineOutbox *out);
/* What a call's end says of its place: said if it is news. True when it is a trouble of the place, so that nothing need
 * be said of the table. */
int engine_take_place(Engine *e, Place *p, const CallDone *done, EngineOutbox *out, bool *ret_trouble);

/* --- engine_describe.c --- */

/* Waits for the time to describe it: its slots or its description have changed. */
int engine_arm_ahead(Engine *e, Target *t);
/* The targets or the limits have changed. */
int engine_arm_all_ahead(Engine *e);
/* When there is one to describe; USEC_INFINITY: not now. */
Usec engine_ahead_wall(const Engine *e);
int engine_describe_ahead(Engine *e, Now now);
int engine_described(Engine *e, const CallDone *done, Now now, EngineOutbox *out);
void engine_ahead_done(Engine *e);

/* --- engine_news.c --- */

/* A selected table is not there, or is. Said when it is news. */
int engine_table_gone(Engine *e, Target *t, Now now, EngineOutbox *out);
int engine_table_there(Engine *e, Target *t, EngineOutbox *out);
/* It was described: it is there, and may have been made anew. */
int engine_table_described(Engine *e, Target *t, Now now, EngineOutbox *out);
/* The same of all that listings tell of. */
int engine_compare_listings(Engine *e, Now now, EngineOutbox *out);
/* Entries that select fewer tables than they should. */
int engine_count_tables(Engine *e, EngineOutbox *out);

/* --- engine_recovery.c --- */

/* Waits for the time to look at its point-in-time recovery, if it matters. Its Ahead is there. */
int engine_arm_recovery(Engine *e, Target *t, Now now);
Usec engine_recovery_mono(const Engine *e);
int engine_look_at_recovery(Engine *e, Now now);
int engine_recovery_looked(Engine *e, CallDone *done, Now now, EngineOutbox *out);

/* --- engine_inventory.c --- */

/* What the ledger knows of tables becomes the places'. */
int engine_restore_inventories(Engine *e, const Ledger *ledger);
/* The inventories of places that were before go on in those of the same name. */
int engine_keep_inventories(Engine *e, Places *old, Now now);
/* Of places whose account is not known no ARN is taken for their own, until it is learned. */
void engine_meet_places(Engine *e);
int engine_seek_accounts(Engine *e);
/* What has changed goes into the batch. */
int engine_put_tables(Engine *e, EngineOutbox *out);
/* A place's listing is complete. */
int engine_take_listing(Engine *e, Place *p, Now now);
/* When there are tags to read; USEC_INFINITY: not now. */
Usec engine_inventory_mono(const Engine *e);
int engine_read_tags(Engine *e, Now now);
int engine_tags_read(Engine *e, CallDone *done, Now now, EngineOutbox *out);
/* The calls under way are forgotten. */
void engine_cancel_tags(Engine *e);

/* --- engine_poll.c --- */

/* The run's next question comes then: its own, or that of a round of its poll. */
int engine_wait(Engine *e, Run *r, Usec at_mono);
void engine_stop_polling(Engine *e, Run *r);
Usec engine_poll_mono(const Engine *e);
int engine_poll(Engine *e, Now now);
int engine_polled(Engine *e, const CallDone *done, Now now, EngineOutbox *out);

/* --- engine_run.c --- */

Run *engine_find_run(const Engine *e, uint64_t id);
int engine_begin_run(Engine *e, Enrolment *n, Usec slot, Now now, EngineOutbox *out);
/* The run asks its next thing, if there is one to ask. */
int engine_step(Engine *e, Run *r, Now now, EngineOutbox *out);
int engine_answer(Engine *e, CallDone *done, Now now, EngineOutbox *out);
/* Exports that waited for others to end may begin. */
int engine_make_room(Engine *e, Now now);
int engine_deadline(Engine *e, Run *r, Now now, EngineOutbox *out);
/* After events: says what the new notes of the run's story are worth saying, re-arms its deadline, and gives a success
 * to the enrolment's freshness. */
int engine_settle_notes(Engine *e, Run *r, Now now, EngineOutbox *out);

/* --- engine_expiry.c --- */

/* At the start: takes what the ledger has; what was being deleted is in doubt. */
int engine_begin_expiry(Engine *e, StockState *state, Now now);
void engine_expiry_done(Engine *e);
/* The old configuration's plans end. */
void engine_reconfigure_expiry(Engine *e);
/* Targets and schedules are in line with the configuration. */
int engine_arm_all_expiry(Engine *e, Now now, EngineOutbox *out);
/* A backup of the table succeeded. */
int engine_expiry_after(Engine *e, Target *t, Now now);
Usec engine_expiry_mono(const Engine *e);
int engine_expire(Engine *e, Now now, EngineOutbox *out);
int engine_expiry_answered(Engine *e, CallDone *done, Now now, EngineOutbox *out);

/* --- engine_reverify.c --- */

typedef struct Reverify Reverify;
void engine_reverify_done(Engine *e);
/* Targets and schedules are in line with the configuration. */
int engine_arm_all_reverify(Engine *e, Now now);
/* What the run asked for is verified, if it is. */
int engine_reverify_after(Engine *e, const Run *r, Now now);
Usec engine_reverify_wall(const Engine *e, Now now);
int engine_reverify(Engine *e, Now now, EngineOutbox *out);
int engine_reverified(Engine *e, CallDone *done, Now now, EngineOutbox *out);

/* --- engine_damage.c --- */

/* What is in this turn's batch does not concern its chain: engine_export_damaged may be asked. */
bool engine_may_judge(const Engine *e, const StockItem *i);
/* Said, and in the ledger: it is as good as gone, and so is what its chain rested on it. `why` is borrowed. */
int engine_export_damaged(Engine *e, const StockItem *i, VerifyLevel level, const char *why, Now now,
                          EngineOutbox *out);

/* Looks for an export of the table to check. */
int engine_arm_reverify(Engine *e, Target *t, Usec at_wall);
bool engine_is_reverifying(const Engine *e, const char *arn);

/* --- engine_verify.c --- */

/* Carries out an order: the export is checked again as soon as its account and region check no other. */
int engine_verify(Engine *e, Order *o, Now now, EngineOutbox *out);
/* Of an export of the table; NULL: nobody wants one. */
CheckOrder *engine_check_of(const Engine *e, const Target *t);
/* It has begun, or cannot. */
void engine_check_done(Engine *e, CheckOrder *c);
void engine_checks_done(Engine *e);

/* --- engine_erase.c --- */

typedef struct Eraser Eraser;
void engine_erase_done(Engine *e);
/* An export whose deletion has begun: it goes on. */
int engine_erase_on(Engine *e, const StockItem *i);
/* The old configuration's plans end. */
void engine_reconfigure_erasing(Engine *e);
/* The next pass over the table's exports comes then, or sooner if it was to; none where they do not expire. */
int engine_arm_erasing(Engine *e, Target *t, Usec at_mono);
/* It comes then and not before: a pass that is due in this very turn would not see what is new. */
int engine_erase_after(Engine *e, Target *t, Usec at_mono);
Usec engine_erase_mono(const Engine *e);
int engine_erase(Engine *e, Now now, EngineOutbox *out);
int engine_erased(Engine *e, CallDone *done, Now now, EngineOutbox *out);

/* --- engine_record.c --- */

void engine_recorders_done(Engine *e);
/* A chain of it may have come further. */
int engine_want_records(Engine *e, const Lineage *l, Now now);
/* Exports of the table have expired. */
int engine_want_records_of(Engine *e, const char *account, const char *region, const char *table, Now now);
Usec engine_record_mono(const Engine *e);
int engine_record(Engine *e, Now now, EngineOutbox *out);
int engine_recorded(Engine *e, CallDone *done, Now now, EngineOutbox *out);

/* --- engine_order.c --- */

/* Carries out orders; counts its work in *n_taken. */
int engine_take_orders(Engine *e, Now now, EngineOutbox *out, size_t *n_taken);
/* A run outside of the calendar, which begins at once: no spread. -EEXIST: there is one. */
int engine_begin_now(Engine *e, Enrolment *n, Now now, EngineOutbox *out, Run **ret);

/* --- engine_pause.c --- */

int engine_pause(Engine *e, Order *o, Now now, EngineOutbox *out);
int engine_resume(Engine *e, Order *o, Now now, EngineOutbox *out);
/* Nothing new may start. */
static inline bool engine_is_paused(const Engine *e) { return pause_is_set(&e->pause); }
/* Ends a pause that has run out. */
int engine_watch_pause(Engine *e, Now now, EngineOutbox *out);
/* The run has not begun, and must not while the pause lasts. */
bool engine_pause_holds(const Engine *e, const Run *r);
bool engine_holds_room(const Run *r); /* an export that is in flight, or about to be */

/* --- engine_chain.c --- */

int engine_load_chains(Engine *e, Ledger *ledger, Now now);
/* The enrolment has, or has lost, its schedule. */
int engine_enrol_chain(Engine *e, Enrolment *n, Now now);
/* The configuration is new: all look again once they are enrolled. */
void engine_reconfigure_chains(Engine *e);
Lineage *engine_lineage_of(const Engine *e, const Run *r); /* or NULL */
int engine_put_chain(EngineOutbox *out, Chain *c); /* if it changed */
/* What is in the batch is in the ledger; chains that have settled are forgotten. */
void engine_chains_committed(Engine *e, const LedgerBatch *batch);
/* Asks how far back the table can be restored. */
int engine_look_at_chain(Engine *e, Lineage *l, Now now);
int engine_chain_answered(Engine *e, CallDone *done, Now now, EngineOutbox *out);
/* When to look again, and whether there is a window to ask for. */
int engine_schedule_chain(Engine *e, Lineage *l, Now now);
/* It waits for its turn to ask for a window, or does not. */
void engine_chain_waits(Engine *e, Lineage *l, bool waits);
/* Its next window. */
int engine_plan_link(const Lineage *l, const Chain *c, LinkPlan *ret);
/* The oldest window that has to be asked for again, and still can be; NULL: none. */
ChainWindow *engine_retry_window(const Lineage *l, const Chain *c, Now now);
/* What a link was answered makes it doubtful that its window can still be had. */
int engine_doubt_link(Engine *e, const Run *r, Now now);

/* --- engine_link.c --- */

/* Windows are asked for, a few at a time, first those whose time runs out first. */
int engine_turn_of_chains(Engine *e, Now now);
/* The run of a link has come further, or has settled. */
int engine_link_noted(Engine *e, Run *r, Now now, EngineOutbox *out);
/* Its hard deadline has passed while the service made it, or while it was checked. */
int engine_link_overdue(Engine *e, Run *r, Now now, EngineOutbox *out);

/* --- engine_loss.c --- */

/* Where people see how far its chain has come. Borrowed from the buffer. */
#define CHAIN_HINT_SIZE (TARGET_LABEL_SIZE + 64)
const char *engine_chain_hint(const Engine *e, const Run *r, char buffer[static CHAIN_HINT_SIZE]);
/* A run whose slot waits for a chain: settled at once where its outcome is known. */
int engine_slot_noted(Engine *e, Run *r, Now now, EngineOutbox *out);
/* Chains may have come further: who succeeds whom, what is over, and which slots are covered. */
int engine_chain_moved(Engine *e, Lineage *l, Now now, EngineOutbox *out);
/* Ends a chain there: what was not accepted is not asked for any more; what was is followed to its end, for nothing. */
int engine_cut_chain(Engine *e, Chain *c, Usec at_wall, const char *why, Now now, EngineOutbox *out);
/* Its base is no good any more: all of it is lost. */
int engine_void_chain(Engine *e, Lineage *l, Chain *c, const char *why, Now now, EngineOutbox *out);
/* What the table's recovery says of the chains. */
int engine_judge_losses(Engine *e, Lineage *l, Now now, EngineOutbox *out);

/* --- engine_base.c --- */

/* What the artefact of an export is now, if chains begin with it. */
int engine_base_noted(Engine *e, const Run *r, Now now, EngineOutbox *out);
/* Finds a base where there is none, or asks for one, if that is wanted and possible. */
int engine_want_base(Engine *e, Lineage *l, Now now, EngineOutbox *out);

/* --- engine_stock.c: what carries out orders (core/control/order.h) about artefacts --- */

int engine_hold(Engine *e, Order *o, Now now, EngineOutbox *out);
int engine_release(Engine *e, Order *o, Now now, EngineOutbox *out);
/* Answers at once; what becomes of it is said in the journal. */
int engine_adopt(Engine *e, Order *o, Now now, EngineOutbox *out);
int engine_confirm_prune(Engine *e, Order *o, Now now, EngineOutbox *out);
int engine_resume_expiry(Engine *e, Order *o, Now now, EngineOutbox *out);
