#include "ctl/chain_hint.h"

#include "base/date.h"
#include "base/text.h"
#include "ctl/words.h"

/* The first of that kind; LOST: the one without an end. */
static const Span *find(const Spans *spans, SpanKind kind) {
    for (size_t i = 0; i < spans->n_items; i++) {
        const Span *s = &spans->items[i];
        if (s->kind == kind && (kind != SPAN_LOST || s->to_wall == USEC_INFINITY))
            return s;
    }
    return NULL;
}

/* Why what is late does not come. */
static void add_cause(const Span *late, DaemonState daemon, Text *t) {
    if (daemon == DAEMON_STOPPED)
        text_add(t, "the daemon is not running, 'systemctl start ddbackupd'");
    else if (late->attempt == 0)
        text_add(t, "'ddbackupctl status' shows what keeps the daemon from asking for it");
    else if (late->arn)
        text_addf(t, "'ddbackupctl show %s' tells of the attempt under way", late->arn);
    else
        text_addf(t, "'journalctl -u ddbackupd' tells why attempt %d at it came to nothing", late->attempt);
}

void chain_hint(const Lineage *l, const Spans *spans, DaemonState daemon, bool is_active, Text *t) {
    char from[DATE_ISO_SIZE];
    const Span *lost = find(spans, SPAN_LOST), *late = find(spans, SPAN_LATE);
    if (!is_active && (lost || late))
        text_add(t, "nothing more is exported of it, as the configuration does not select it for that schedule; if it "
                    "should be, give it to the schedule again");
    else if (lost)
        text_addf(t, "what comes from now on can be restored once there is a new export of the schedule that %s is "
                     "based on, with point-in-time recovery on: 'ddbackupctl run' asks for one, and on_lost = \"full\" "
                     "does by itself%s",
                  l->schedule,
                  daemon == DAEMON_STOPPED ? "; the daemon is not running, 'systemctl start ddbackupd'" : "");
    else if (late) {
        add_cause(late, daemon, t);
        text_addf(t, "; nothing is lost as long as the table can be restored to %s", words_time(late->from_wall, from));
    } else if (spans_watermark(spans) == WALL_UNKNOWN)
        text_addf(t, "the export that %s begins with is not verified yet: 'ddbackupctl list --action export' shows "
                     "what has become of it",
                  l->schedule);
}
