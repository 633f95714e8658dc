#include "daemon/status_line.h"

#include "base/date.h"

static const char *second_of(Usec wall, char buffer[static DATE_ISO_SIZE]) {
    return date_to_iso(wall / USEC_PER_SEC * USEC_PER_SEC, buffer);
}

/* What is wrong with an account's credentials, and when the ones in use expire where new ones cannot be had. */
static void tell_credentials(const Keeper *keeper, Text *t) {
    char until[DATE_ISO_SIZE];
    for (size_t i = 0; i < keeper_n_accounts(keeper); i++) {
        const Provider *p = keeper_provider(keeper, i);
        Usec expires = provider_expires_wall(p);
        if (!provider_problem(p))
            continue;
        if (expires == WALL_UNKNOWN || expires == USEC_INFINITY)
            text_addf(t, "; credentials: %s", expires == WALL_UNKNOWN ? "NONE" : "cannot be read anew");
        else
            text_addf(t, "; credentials: CANNOT BE RENEWED, good until %s", second_of(expires, until));
    }
}

int status_line(const Engine *e, const Keeper *keeper, const char *reload_problem, Now now, Text *t) {
    EngineSummary s;
    char iso[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    engine_summary(e, now, &s);
    text_addf(t, "%zu table%s in %zu enrolment%s", s.n_targets, s.n_targets == 1 ? "" : "s", s.n_enrolments,
              s.n_enrolments == 1 ? "" : "s");
    if (s.n_stale > 0)
        text_addf(t, ", %zu STALE", s.n_stale);
    if (s.n_unsettled > 0)
        text_addf(t, ", %zu run%s under way", s.n_unsettled, s.n_unsettled == 1 ? "" : "s");
    if (s.next)
        text_addf(t, "; next %s/%s at %s", target_label(s.next->target, s.qualified, label), s.next->schedule_name,
                  second_of(s.next_due_wall, iso));
    else
        text_add(t, "; nothing is scheduled");
    tell_credentials(keeper, t);
    if (s.paused_until_wall > 0)
        text_addf(t, "; PAUSED until %s", second_of(s.paused_until_wall, iso));
    if (!s.trusts_clock)
        text_add(t, "; nothing new starts until the service has confirmed the time");
    if (reload_problem)
        text_addf(t, "; the last reload was refused: %s", reload_problem);
    return t->error;
}
