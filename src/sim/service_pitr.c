/* Point-in-time recovery: DescribeContinuousBackups, UpdateContinuousBackups. */

#include <errno.h>

#include "sim/service_state.h"

/* The latest restorable instant trails by so long. */
#define TRAIL_USEC (5 * USEC_PER_MINUTE)

Usec service_earliest_wall(const ServiceTable *t, Usec now_wall) {
    return usec_max(t->pitr_wall, now_wall - t->pitr_days * USEC_PER_DAY);
}

Usec service_latest_wall(const ServiceTable *t, Usec now_wall) { return usec_max(t->pitr_wall, now_wall - TRAIL_USEC); }

static int describe(ServiceCall *c, const ServiceTable *t) {
    bool on = t->pitr_wall != USEC_INFINITY;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "ContinuousBackupsDescription", '{');
    service_json_add_string(c->out, "ContinuousBackupsStatus", "ENABLED"); /* for every table */
    service_json_open(c->out, "PointInTimeRecoveryDescription", '{');
    if (on) { /* in whole seconds */
        Usec earliest = service_earliest_wall(t, c->now_wall), latest = service_latest_wall(t, c->now_wall);
        service_json_add_wall(c->out, "EarliestRestorableDateTime", earliest - earliest % USEC_PER_SEC);
        service_json_add_wall(c->out, "LatestRestorableDateTime", latest - latest % USEC_PER_SEC);
    }
    service_json_add_string(c->out, "PointInTimeRecoveryStatus", on ? "ENABLED" : "DISABLED");
    if (on)
        service_json_add_int(c->out, "RecoveryPeriodInDays", t->pitr_days);
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
    return 0;
}

int service_describe_continuous_backups(ServiceCall *c) {
    ServiceTable *t;
    int rc = service_find_protected_table(c, service_json_get_string(c->input, "TableName"), &t);
    return rc < 0 ? rc : describe(c, t);
}

int service_update_continuous_backups(ServiceCall *c) {
    const ServiceJson *specification = service_json_get(c->input, "PointInTimeRecoverySpecification");
    const ServiceJson *days = service_json_get(specification, "RecoveryPeriodInDays");
    bool enable = service_json_get(specification, "PointInTimeRecoveryEnabled")->type == SERVICE_JSON_TRUE;
    int64_t n_days = 35;
    ServiceTable *t;
    if (days && !enable)
        return SERVICE_REFUSE_VALUE(
            c, "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.");
    int rc = service_find_protected_table(c, service_json_get_string(c->input, "TableName"), &t);
    if (rc >= 0)
        rc = service_check_enabled(c, t);
    if (rc < 0)
        return rc;
    if (days)
        (void)service_json_to_int(days, &n_days);
    if (enable && t->pitr_wall == USEC_INFINITY) { /* the window begins anew */
        t->pitr_wall = c->now_wall;
        t->pitr_days = (int)n_days;
    } else if (enable && days)
        t->pitr_days = (int)n_days;
    else if (!enable) {
        t->pitr_wall = USEC_INFINITY;
        service_remove_system_backup(c->service, t);
    }
    c->effect = true;
    return describe(c, t);
}
