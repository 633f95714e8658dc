/* Backups at the service that are not in the ledger: others made them, or the ledger lost them. Asks the service. */

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/run/look.h"
#include "ctl/aws_session.h"
#include "ctl/json.h"
#include "ctl/survey.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/clocks.h"

typedef struct Foreign {
    Survey s;
    char **arns; /* that the ledger knows, sorted */
    size_t n_arns, n_arns_room;
    AwsSession aws;
    RunLook **walks; /* of each place */
    Table table;
    Json *json; /* NULL: for people */
    size_t n_failed;
} Foreign;

static void foreign_done(Foreign *f) {
    for (size_t i = 0; i < f->n_arns; i++)
        free(f->arns[i]);
    free(f->arns);
    for (size_t i = 0; f->walks && i < f->s.places.n_items; i++)
        run_look_free(f->walks[i]);
    free(f->walks);
    table_done(&f->table);
    survey_done(&f->s);
    aws_session_done(&f->aws);
}

static int take_arn(void *context, const char *arn) {
    Foreign *f = context;
    if (ARRAY_GROW(f->arns, f->n_arns, f->n_arns_room) < 0 || !(f->arns[f->n_arns] = strdup(arn)))
        return -ENOMEM;
    f->n_arns++;
    return 0;
}

static int read_arns(void *context, StoreRead *store) { return store_read_arns(store, take_arn, context); }

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool is_known(const Foreign *f, const char *arn) {
    return f->n_arns > 0 && bsearch(&arn, f->arns, f->n_arns, sizeof *f->arns, compare);
}

static const char *reason_of(const Foreign *f, const BackupInfo *b) {
    size_t n = strlen(f->aws.conf->deployment);
    if (!text_equal(b->type, "USER"))
        return "DynamoDB made it";
    return strncmp(b->name, f->aws.conf->deployment, n) == 0 && b->name[n] == '.'
               ? "it bears this deployment's name, and the ledger does not know it"
               : "others made it";
}

static int add(Foreign *f, const Place *p, const BackupInfo *b) {
    const CtlOptions *o = f->s.options;
    const char *table = b->table_name ? b->table_name : "?";
    if (is_known(f, b->arn) || !options_select(o, p->account, p->region, table, o->schedule))
        return 0;
    if (f->json) {
        Json *j = f->json;
        json_open(j, NULL, '{');
        json_target(j, p->account, p->region, table, NULL);
        json_string(j, "arn", b->arn);
        json_string(j, "name", b->name);
        json_string(j, "type", b->type);
        json_string(j, "status", b->status_text);
        json_wall(j, "created", b->created_wall);
        json_count(j, "size_bytes", b->size_bytes);
        json_string(j, "reason", reason_of(f, b));
        json_close(j, '}');
        return 0;
    }
    AUTO_TEXT label = TEXT_INIT(1024);
    char iso[DATE_ISO_SIZE], size[SIZE_TEXT_SIZE];
    words_label(&label, f->s.qualified, p->account, p->region, table);
    table_add(&f->table, text_get(&label));
    table_add(&f->table, b->name);
    table_add(&f->table, b->type);
    table_add(&f->table, b->status_text);
    table_add(&f->table, words_time(b->created_wall, iso));
    table_add(&f->table, b->size_bytes != COUNT_UNKNOWN ? size_to_string((uint64_t)b->size_bytes, size) : NULL);
    table_add(&f->table, o->arn ? b->arn : NULL);
    table_add(&f->table, reason_of(f, b));
    return f->table.error;
}

static int next_page(Foreign *f, size_t i, Now now) {
    const Place *p = &f->s.places.items[i];
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_BACKUPS);
    if (!q || text_set(&q->list_backups.type, "ALL") < 0 ||
        text_set(&q->list_backups.start_arn, f->walks[i]->cursor) < 0)
        return -ENOMEM;
    return ask_begin(f->aws.ask, p->account, p->region, TAKE_PTR(q), i, now);
}

static int say_failed(Foreign *f, const Place *p, const AwsError *e) {
    char label[PLACE_LABEL_SIZE];
    AUTO_TEXT t = TEXT_INIT(2048);
    f->n_failed++;
    if (strcmp(e->code, "NoCredentials") == 0) /* why was said */
        return 0;
    text_addf(&t, "%s: the backups cannot be listed: %s%s%s%s%s", place_label(p, f->s.qualified, label),
              e->code[0] ? e->code : "the listing does not end", e->message[0] ? ": " : "", e->message,
              e->hint ? "; HINT: " : "", e->hint ? e->hint : "");
    ctl_failed(text_get(&t));
    return 0;
}

static int take_page(void *context, CallDone *done, Now now) {
    Foreign *f = context;
    const Place *p = &f->s.places.items[done->tag];
    if (done->error.class != AWS_OK)
        return say_failed(f, p, &done->error);
    const BackupList *page = &done->reply->backups;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < page->n_items; i++)
        r = add(f, p, &page->items[i]);
    if (r < 0 || !page->next)
        return r;
    r = run_look_turn_page(f->walks[done->tag], page->next);
    return r == -ELOOP ? say_failed(f, p, &done->error) : r < 0 ? r : next_page(f, (size_t)done->tag, now);
}

static int search(Foreign *f) {
    f->walks = calloc(f->s.places.n_items, sizeof *f->walks);
    int r = f->walks ? 0 : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < f->s.places.n_items; i++)
        r = (f->walks[i] = run_look_new(0)) ? next_page(f, i, clocks_read()) : -ENOMEM;
    return r < 0 ? r : ask_run(f->aws.ask, take_page, f);
}

/* As the daemon would find them. The places are made anew, with the region that they have. */
static int prepare(Foreign *f) {
    Places places = {};
    f->aws.conf = TAKE_PTR(f->s.conf);
    if (aws_session_open(&f->aws, f->s.options, USEC_INFINITY) < 0)
        return CTL_FAILED;
    if (aws_session_places(&f->aws, &places) < 0)
        return ctl_failed(NULL);
    places_done(&f->s.places);
    f->s.places = places;
    aws_session_say_problems(&f->aws);
    return CTL_OK;
}

static int answer(Foreign *f, Text *out) {
    if (f->json) {
        json_close(f->json, ']');
        json_close(f->json, '}');
        text_add_char(out, '\n');
    } else {
        if (table_n_rows(&f->table) == 0 && f->n_failed == 0)
            text_add(out, "The ledger knows every backup at the service.\n");
        if (table_print(&f->table, 0, out) < 0)
            return ctl_failed(NULL);
    }
    return f->n_failed > 0 ? CTL_FAILED : CTL_OK;
}

int list_foreign(const CtlOptions *o, Usec now_wall, Text *out) {
    static const TableColumn columns[] = {{"TABLE"},   {"NAME"},
                                          {"TYPE"},    {"STATUS"},
                                          {"CREATED"}, {"SIZE", .right = true},
                                          {"ARN", .spare = true}, {"REASON"}};
    CLEANUP(foreign_done) Foreign f = {.s = {.options = o}};
    Json j = {.out = out};
    table_init(&f.table, columns, ARRAY_SIZE(columns));
    int status = survey_load(&f.s, read_arns, &f);
    if (status != CTL_OK)
        return status;
    if (f.n_arns > 0)
        qsort(f.arns, f.n_arns, sizeof *f.arns, compare);
    if ((status = prepare(&f)) != CTL_OK)
        return status;
    if (o->json) {
        f.json = &j;
        json_open(&j, NULL, '{');
        json_wall(&j, "now", now_wall);
        json_open(&j, "backups", '[');
    }
    int r = search(&f);
    if (r >= 0)
        return answer(&f, out);
    text_clear(out);
    return ctl_failed(strerror(-r));
}
