#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>

#include "base/parse.h"

#define PROBE_FIRST_USEC (2 * USEC_PER_SEC)
#define PROBE_MAX_USEC USEC_PER_MINUTE
/* A failure to ask is said when it lasts: the network may come up a little after we do. */
#define PROBE_SAID_AFTER 3

#define AMOUNT_SIZE (DURATION_SIZE + 16)
/* "3h ahead", "20s behind", "0 ahead". */
static const char *amount_of(Usec usec, char buffer[static AMOUNT_SIZE]) {
    char duration[DURATION_SIZE];
    duration_to_string((usec < 0 ? -usec : usec) / USEC_PER_SEC * USEC_PER_SEC, duration);
    snprintf(buffer, AMOUNT_SIZE, "%s %s", duration, usec < 0 ? "behind" : "ahead");
    return buffer;
}

/* What was noted down by a clock that was ahead must not hold anything up. */
static int repair(Engine *e, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++)
        for (size_t j = 0; r >= 0 && j < e->targets.items[i]->n_enrolments; j++) {
            Enrolment *n = e->targets.items[i]->enrolments[j];
            bool ahead = n->cursor_wall > now.wall + 2 * TRUST_SLACK_USEC;
            bool said_ahead = n->stale_wall != WALL_UNKNOWN && n->stale_said_wall > now.wall;
            if (ahead)
                n->cursor_wall = now.wall;
            if (n->first_seen_wall > now.wall)
                n->first_seen_wall = now.wall;
            if (said_ahead)
                n->stale_wall = n->stale_said_wall = WALL_UNKNOWN;
            if (!ahead && !said_ahead)
                continue;
            r = engine_put_enrolment(out, n);
            if (r >= 0 && n->schedule)
                r = engine_arm_due(e, n);
            if (r >= 0 && n->schedule)
                r = engine_freshness(e, n, now, out);
        }
    return r;
}

static int take_news(Engine *e, TrustNews news, Usec usec, Now raw, EngineOutbox *out) {
    Report *report = NULL;
    char amount[AMOUNT_SIZE];
    int r = 0;
    amount_of(usec, amount);
    switch (news) {
    case TRUST_NEWS_NONE:
        return 0;
    case TRUST_NEWS_STEPPED:
        e->probe.n_failures = 0;
        e->probe.next_mono = raw.mono;
        e->clock_said = true;
        r = report_plain(REPORT_CLOCK_STEPPED, &report,
                         "the clock was set: it is %s of what it was; nothing new starts until the service confirms it",
                         amount);
        break;
    case TRUST_NEWS_AGREED:
        if (e->clock_said)
            r = report_plain(REPORT_CLOCK_RIGHT, &report, "the clock agrees with the service's: it is %s", amount);
        e->clock_said = false;
        free(TAKE_PTR(e->clock_trouble));
        break;
    case TRUST_NEWS_DISAGREED:
        e->clock_said = true;
        r = report_plain(REPORT_CLOCK_WRONG, &report,
                         "the clock is wrong: it is %s of the service's; nothing new starts; HINT: set it and see that "
                         "it is synchronised (timedatectl)",
                         amount);
        break;
    }
    if (r >= 0)
        r = news == TRUST_NEWS_AGREED ? engine_say(out, report) : engine_say_lasting(out, report, &e->clock_trouble);
    if (r < 0)
        return r;
    return news == TRUST_NEWS_STEPPED ? 0 : repair(e, trust_now(&e->trust, raw), out);
}

int engine_watch_clock(Engine *e, Now raw, EngineOutbox *out) {
    Usec usec = 0;
    TrustNews news = trust_turn(&e->trust, raw, &usec);
    return take_news(e, news, usec, raw, out);
}

int engine_take_date(Engine *e, Usec server_wall, Now raw, EngineOutbox *out) {
    Usec usec = 0;
    TrustNews news = trust_take_date(&e->trust, server_wall, raw, &usec);
    return take_news(e, news, usec, raw, out);
}

static size_t n_in_trouble(const Engine *e) {
    size_t n = 0;
    for (size_t i = 0; i < e->places.n_items; i++)
        n += e->places.items[i].trouble_said;
    return n;
}

/* For the time, while it is not known; and where there is trouble, so that its end is seen although nothing is due. */
Usec engine_probe_mono(const Engine *e) {
    bool wanted = !trust_holds(&e->trust) || n_in_trouble(e) > 0;
    return !wanted || e->probe.calling || e->stopping ? USEC_INFINITY : e->probe.next_mono;
}

/* Where there are several, one that does not answer must not hold up the others for long. */
#define PROBE_WITHIN_USEC (10 * USEC_PER_SEC)

int engine_probe(Engine *e, Now now) {
    for (size_t i = 0; i < e->places.n_items && trust_holds(&e->trust) && !e->places.items[e->probe.place].trouble_said;
         i++)
        e->probe.place = (e->probe.place + 1) % e->places.n_items;
    const Place *p = &e->places.items[e->probe.place];
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_TABLES);
    if (!q)
        return -ENOMEM;
    q->list_tables.limit = 1;
    int r = client_begin(e->client,
                         &(CallSpec){.account = p->account,
                                     .region = p->region,
                                     .request = TAKE_PTR(q),
                                     .tag = tag_make(TAG_OF_PROBE, 0),
                                     .deadline_mono = now.mono + (places_are_many(&e->places) ? PROBE_WITHIN_USEC
                                                                                             : USEC_PER_MINUTE)},
                         now);
    e->probe.calling = r >= 0;
    return r;
}

int engine_probed(Engine *e, CallDone *done, Now raw, EngineOutbox *out) {
    Probe *p = &e->probe;
    Place *asked = &e->places.items[p->place];
    Usec wait = PROBE_FIRST_USEC;
    bool trouble;
    p->calling = false;
    int taken = asked->trouble_said ? engine_take_place(e, asked, done, out, &trouble) : 0;
    if (taken < 0)
        return taken;
    if (trust_holds(&e->trust)) {
        p->place = (p->place + 1) % e->places.n_items;
        p->next_mono = raw.mono + PROBE_MAX_USEC / (Usec)(1 + n_in_trouble(e) / 2);
        return 0;
    }
    if (done->server_wall != WALL_UNKNOWN) { /* whatever the answer was, it had the time; the clock may yet be set */
        p->n_failures = 0;
        p->next_mono = raw.mono + PROBE_MAX_USEC;
        return 0;
    }
    const Place *place = &e->places.items[p->place];
    p->place = (p->place + 1) % e->places.n_items;
    if (p->place != 0) { /* whichever answers will do: the next one at once */
        p->next_mono = raw.mono;
        return 0;
    }
    for (int i = 0; i < p->n_failures && wait < PROBE_MAX_USEC; i++)
        wait *= 2;
    p->next_mono = raw.mono + usec_min(wait, PROBE_MAX_USEC);
    if (++p->n_failures != PROBE_SAID_AFTER)
        return 0;
    char label[PLACE_LABEL_SIZE];
    Report *report = NULL;
    const AwsError *error = &done->error;
    e->clock_said = true;
    int r = report_plain(REPORT_CLOCK_UNKNOWN, &report,
                         "%s: the service cannot be asked for the time, and nothing new starts: %s%s%s%s%s",
                         place_label(place, e->qualified, label), error->code, error->message[0] ? ": " : "",
                         error->message, error->hint ? "; HINT: " : "", error->hint ? error->hint : "");
    return r < 0 ? r : engine_say_lasting(out, report, &e->clock_trouble);
}
