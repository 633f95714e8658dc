/* Checks an export in its bucket here and now, with reading calls alone. The daemon is not asked, and nothing is
 * written down; but with --by-daemon it is an order. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/table/target.h"
#include "core/verify/verify.h"
#include "ctl/aws_session.h"
#include "ctl/json.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/clocks.h"
#include "io/store_read.h"

typedef struct Work {
    const CtlOptions *options;
    Run *run;
    size_t n_found;
    AwsSession aws;
    Verify *verify;
    AwsError error; /* of DescribeExport */
    int n_unknown;
    Text bad; /* what DescribeExport says that cannot be */
} Work;

/* What could not be asked is asked again so often. */
#define UNKNOWN_MAX 3

static void work_done(Work *w) {
    run_free(w->run);
    verify_free(w->verify);
    aws_session_done(&w->aws);
    text_done(&w->bad);
}

/* --- the export --- */

static int take_run(void *context, Run *run) {
    Work *w = context;
    run_free(w->run);
    w->run = run;
    w->n_found++;
    return 0;
}

static int find(Work *w, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = store_read_open(w->options->state_directory, &store, ret_error);
    if (r < 0)
        return r;
    r = store_read_runs(store, STORE_RUNS_NAMED, w->options->run, take_run, w);
    return r < 0 ? text_set(ret_error, store_read_error(store)) < 0 ? -ENOMEM : r : 0;
}

/* NULL: it can be checked. */
static const char *unfit(const Work *w) {
    if (w->n_found == 0)
        return ": no run has this number, name or ARN; HINT: 'ddbackupctl list --all --arn' shows them";
    if (w->n_found > 1)
        return ": several runs have this name; HINT: say the run's number";
    if (w->run->action == ACTION_BACKUP)
        return ": it is a backup, of which DynamoDB shows nothing to check; HINT: name an export";
    if (!w->run->artefact || w->run->artefact->finished_wall == WALL_UNKNOWN)
        return ": no export of it is finished; HINT: 'ddbackupctl show' has its story";
    return NULL;
}

/* --- asking --- */

static int ask_next(Work *w, Now now) {
    AwsRequest *q = NULL;
    int r = verify_request(w->verify, &q);
    return r < 0 ? r : ask_begin(w->aws.ask, w->run->account, verify_region(w->verify), q, 1, now);
}

static int describe(Work *w, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_EXPORT);
    if (!q || text_set(&q->describe_export.arn, w->run->artefact->arn) < 0)
        return -ENOMEM;
    return ask_begin(w->aws.ask, w->run->account, w->run->region, TAKE_PTR(q), 0, now);
}

static int take_description(Work *w, const ExportInfo *info, Now now) {
    const Run *run = w->run;
    if (info->status != EXPORT_COMPLETED || !info->manifest_key) {
        text_addf(&w->bad, "the service reports %s%s", info->status_text,
                  info->manifest_key ? "" : ", and no manifest");
        return 0;
    }
    int r = verify_new(&(VerifyWish){.level = w->options->has_level ? w->options->level : VERIFY_OBJECTS,
                                     .region = run->region,
                                     .bucket = run->s3.bucket,
                                     .bucket_owner = run->s3.bucket_owner,
                                     .prefix = run->s3.prefix,
                                     .manifest_key = info->manifest_key,
                                     .export_arn = run->artefact->arn,
                                     .table_id = run->table_id,
                                     .from_wall = info->from_wall,
                                     .to_wall = info->to_wall,
                                     .item_count = info->item_count},
                       &w->verify);
    return r < 0 || verify_state(w->verify) != VERIFY_ASKS ? r : ask_next(w, now);
}

static int take_answer(void *context, CallDone *done, Now now) {
    Work *w = context;
    if (!w->verify) {
        w->error = done->error;
        return done->error.class == AWS_OK ? take_description(w, &done->reply->export, now) : 0;
    }
    bool unknown;
    Usec wait;
    int r = verify_answer(w->verify, done, &unknown, &wait);
    w->n_unknown = unknown ? w->n_unknown + 1 : 0;
    return r < 0 || verify_state(w->verify) != VERIFY_ASKS || w->n_unknown >= UNKNOWN_MAX ? r : ask_next(w, now);
}

/* --- the answer --- */

static void print_json(const Work *w, const char *result, const char *why, Text *out) {
    Json j = {.out = out};
    VerifyFacts none = {};
    const VerifyFacts *f = w->verify ? verify_facts(w->verify) : &none;
    json_open(&j, NULL, '{');
    json_target(&j, w->run->account, w->run->region, w->run->table, w->run->schedule);
    json_string(&j, "arn", w->run->artefact->arn);
    json_string(&j, "level", verify_level_to_string(w->options->has_level ? w->options->level : VERIFY_OBJECTS));
    json_string(&j, "result", result);
    json_string(&j, "why", why && *why ? why : NULL);
    json_int(&j, "objects", f->n_objects);
    json_int(&j, "items", f->n_items);
    json_int(&j, "bytes", f->n_bytes);
    json_int(&j, "uncompared_etags", f->n_uncompared);
    json_close(&j, '}');
    text_add_char(out, '\n');
}

static int print(const Work *w, Text *out) {
    VerifyLevel level = w->options->has_level ? w->options->level : VERIFY_OBJECTS;
    bool passed = w->verify && verify_state(w->verify) == VERIFY_PASSED;
    bool bad = w->bad.len > 0 || (w->verify && verify_state(w->verify) == VERIFY_BAD);
    const char *result = passed ? "passed" : bad ? "bad" : "unknown";
    char words[VERIFY_TEXT_SIZE], number[700];
    const char *why = w->bad.len > 0 ? text_get(&w->bad) : w->verify ? verify_why(w->verify) : number;
    snprintf(number, sizeof number, "%s: %s", w->error.code, w->error.message);
    const char *hint = bad ? NULL : w->verify ? verify_hint(w->verify) : w->error.hint;
    if (w->options->json)
        print_json(w, result, why, out);
    else {
        text_addf(out, "%s, %s: ", w->run->table, verify_level_to_string(level));
        text_addf(out, "%s: %s", result, passed ? verify_facts_to_string(verify_facts(w->verify), level, words) : why);
        text_addf(out, "%s%s\n", hint && !passed ? "; HINT: " : "", hint && !passed ? hint : "");
    }
    return passed ? CTL_OK : bad ? CTL_BAD : CTL_FAILED;
}

int verb_verify(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(work_done) Work w = {.options = o, .bad = TEXT_INIT(1024)};
    AUTO_FREE char *problem = NULL;
    if (o->by_daemon)
        return verb_order(o, now_wall, out);
    if (find(&w, &problem) < 0)
        return ctl_failed(problem);
    const char *trouble = unfit(&w);
    if (trouble) {
        AUTO_FREE char *error = text_format("%s%s", o->run, trouble);
        return ctl_failed(error);
    }
    if (aws_session_open(&w.aws, o, USEC_PER_MINUTE * 10) < 0 || !aws_session_has(&w.aws, w.run->account))
        return CTL_FAILED;
    int r = describe(&w, clocks_read());
    if (r >= 0)
        r = ask_run(w.aws.ask, take_answer, &w);
    return r < 0 ? ctl_failed(strerror(-r)) : print(&w, out);
}
