/* What an expression means and when it elapses, without configuration or ledger. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "core/calendar/calendar.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/zone_file.h"

typedef struct Answer {
    const CtlOptions *options;
    char *normal;
    Zone *zone;
    Usec base_wall;
    Usec *elapses;
    size_t n_elapses, n_room;
    bool ends; /* it never elapses after those */
} Answer;

static void answer_done(Answer *a) {
    free(a->normal);
    zone_free(a->zone);
    free(a->elapses);
}

/* --- reading what is asked --- */

/* The expression again, with a mark under the character. */
static int expression_error(const char *expression, const CalendarError *error) {
    AUTO_TEXT t = TEXT_INIT(65536);
    words_add(&t, expression);
    size_t len = strlen(expression), at = error->position < len ? error->position : len;
    AUTO_FREE char *before = strndup(expression, at);
    fprintf(stderr, "ddbackupctl: %s\n  %s\n  %*s^\n", error->message, text_get(&t),
            (int)(before ? words_width(before) : at), "");
    return CTL_FAILED;
}

static int zone_error(const char *name, int error) {
    AUTO_TEXT t = TEXT_INIT(1024);
    words_add(&t, name);
    if (error == -ENOENT)
        text_add(&t, ": there is no such time zone; HINT: an IANA name such as \"Europe/Berlin\", see timedatectl "
                     "list-timezones");
    else
        text_addf(&t, ": the time zone cannot be read: %s", strerror(-error));
    return ctl_failed(text_get(&t));
}

/* An instant with its offset, or a local time, whose seconds or time of day may be left out. */
static int read_base(const char *s, const Zone *zone, Usec *ret_wall) {
    static const struct {
        size_t length;
        const char *rest;
    } forms[] = {{10, "T00:00:00Z"}, {16, ":00Z"}, {19, "Z"}};
    if (date_from_iso(s, ret_wall) >= 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        Usec local;
        char whole[32];
        if (strlen(s) != forms[i].length)
            continue;
        snprintf(whole, sizeof whole, "%s%s", s, forms[i].rest);
        if (date_from_iso(whole, &local) < 0)
            continue;
        *ret_wall = zone_instants(zone, local).wall[0];
        return 0;
    }
    return -EINVAL;
}

static int find_elapses(Answer *a, const Calendar *c) {
    Usec wall = a->base_wall;
    for (int64_t i = 0; i < a->options->iterations; i++) {
        if (ARRAY_GROW(a->elapses, a->n_elapses, a->n_room) < 0)
            return -ENOMEM;
        a->ends = calendar_next(c, a->zone, wall, &wall) < 0;
        if (a->ends)
            break;
        a->elapses[a->n_elapses++] = wall;
    }
    return 0;
}

/* --- saying it --- */

static void print_json(const Answer *a, Text *out) {
    Json j = {.out = out};
    char local[WORDS_LOCAL_SIZE];
    json_open(&j, NULL, '{');
    json_string(&j, "expression", a->options->expression);
    json_string(&j, "normal_form", a->normal);
    json_string(&j, "timezone", zone_name(a->zone));
    json_wall(&j, "base", a->base_wall);
    json_open(&j, "elapses", '[');
    for (size_t i = 0; i < a->n_elapses; i++) {
        json_open(&j, NULL, '{');
        json_string(&j, "local", words_local_iso(a->zone, a->elapses[i], local));
        json_wall(&j, "utc", a->elapses[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_bool(&j, "ends", a->ends);
    json_close(&j, '}');
    text_add_char(out, '\n');
}

static int print_people(const Answer *a, Text *out) {
    static const TableColumn columns[] = {{"LOCAL"}, {"UTC"}, {"IN", .right = true}};
    CLEANUP(table_done) Table t;
    char iso[DATE_ISO_SIZE], local[WORDS_LOCAL_SIZE], span[DURATION_SIZE];
    text_add(out, "Expression:  ");
    words_add(out, a->options->expression);
    text_addf(out, "\nNormal form: %s\nTime zone:   %s\nAfter:       %s\n\n", a->normal, zone_name(a->zone),
              words_local(a->zone, a->base_wall, local));
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < a->n_elapses; i++) {
        table_add(&t, words_local(a->zone, a->elapses[i], local));
        table_add(&t, date_to_iso(a->elapses[i], iso));
        table_add(&t, duration_to_string(a->elapses[i] - a->base_wall, span));
    }
    int r = table_print(&t, 2, out);
    if (a->ends)
        text_add(out, a->n_elapses > 0 ? "  and never again\n" : "  never\n");
    return r;
}

int verb_calendar(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(answer_done) Answer a = {.options = o, .base_wall = now_wall};
    CLEANUP(calendar_free_ptr) Calendar *c = NULL;
    CalendarError error;
    int r = calendar_parse(o->expression, &c, &error);
    if (r == -EINVAL)
        return expression_error(o->expression, &error);
    if (r < 0)
        return ctl_failed(NULL);
    const char *zone = calendar_zone_name(c) ? calendar_zone_name(c) : o->timezone ? o->timezone : "UTC";
    r = zone_file_load(NULL, zone, &a.zone);
    if (r < 0)
        return zone_error(zone, r);
    if (o->base_time && read_base(o->base_time, a.zone, &a.base_wall) < 0)
        return ctl_failed("--base-time: no such time; HINT: \"2026-11-24T02:00:00Z\", or without a zone in that of the "
                          "expression, \"2026-11-24 02:00\"");
    if ((r = calendar_to_string(c, &a.normal)) < 0 || (r = find_elapses(&a, c)) < 0)
        return ctl_failed(strerror(-r));
    if (o->json)
        print_json(&a, out);
    else if (print_people(&a, out) < 0)
        return ctl_failed(NULL);
    return CTL_OK;
}
