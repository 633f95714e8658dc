#include "ctl/situation_json.h"

void situation_json_counts(Json *j, const Situation *s) {
    json_open(j, "counts", '{');
    json_int(j, "tables", (int64_t)s->n.tables);
    json_int(j, "enrolments", (int64_t)s->n_standings);
    json_int(j, "fresh", (int64_t)s->n.fresh);
    json_int(j, "stale", (int64_t)s->n.stale);
    json_int(j, "pending", (int64_t)s->n.pending);
    json_int(j, "unwatched", (int64_t)s->n.unwatched);
    json_int(j, "not_enrolled", (int64_t)s->n.not_enrolled);
    json_int(j, "failed", (int64_t)s->n.failed);
    json_int(j, "under_way", (int64_t)s->n_unsettled);
    json_int(j, "uncertain", (int64_t)s->n.uncertain);
    json_int(j, "late", (int64_t)s->n.late);
    json_int(j, "overdue", (int64_t)s->n.overdue);
    json_int(j, "troubles", (int64_t)s->n.troubles);
    json_int(j, "too_few", (int64_t)s->n.too_few);
    json_int(j, "gone", (int64_t)s->n.gone);
    json_int(j, "unrecoverable", (int64_t)s->n.unrecoverable);
    json_close(j, '}');
}

void situation_json_problems(Json *j, const Situation *s) {
    json_open(j, "problems", '[');
    for (size_t i = 0; i < s->n_problems; i++) {
        json_open(j, NULL, '{');
        json_string(j, "level", level_to_string(s->problems[i].level));
        json_string(j, "text", s->problems[i].text);
        json_close(j, '}');
    }
    json_close(j, ']');
}
