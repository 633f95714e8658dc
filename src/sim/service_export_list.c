/* ListExports. With TableArn the newest come first and only those of the table that bears the name now; without, the
 * oldest come first: so it was seen, and neither is promised. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/service_state.h"

#define PAGE 25
#define LISTED_USEC (90 * USEC_PER_DAY)

typedef struct Listing {
    const ServiceTable *table;
    bool is_filtered;
    int64_t limit;
    uint64_t next; /* the index to begin with */
} Listing;

static int listing_parse(ServiceCall *c, Listing *l) {
    const char *s = service_json_get_string(c->input, "TableArn");
    const char *token = service_json_get_string(c->input, "NextToken");
    ServiceArn arn;
    size_t n_exports = c->service->n_exports;
    *l = (Listing){.limit = PAGE, .is_filtered = s != NULL, .next = s && n_exports > 0 ? n_exports - 1 : 0};
    (void)service_json_to_int(service_json_get(c->input, "MaxResults"), &l->limit);
    if (s) {
        if (service_arn_parse(s, &arn) < 0 || arn.kind[0])
            return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: tableArn is not a valid ARN");
        if (strcmp(arn.account, c->service->settings.account) != 0)
            return service_refuse(c, "AccessDeniedException", "Access is denied");
        if (strcmp(arn.region, c->region) == 0)
            l->table = service_get_table(c->service, c->region, arn.table, c->now_wall);
        if (l->table && l->table->deleted_wall != USEC_INFINITY)
            l->table = NULL;
    }
    if (token && (strlen(token) != 16 || sscanf(token, "%16" SCNx64, &l->next) != 1 ||
                  strspn(token, "0123456789abcdef") != 16 || l->next >= n_exports))
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: Provided nextToken is invalid: %s", token);
    return 0;
}

static bool listing_takes(const Listing *l, const ServiceCall *c, const ServiceExport *e) {
    if (strcmp(e->region, c->region) != 0 || c->now_wall < e->visible_wall ||
        c->now_wall < usec_add(e->token_wall, c->fault.lag_usec) || c->now_wall >= e->end_wall + LISTED_USEC)
        return false;
    return !l->is_filtered || (l->table && strcmp(l->table->id, e->table_id) == 0);
}

int service_list_exports(ServiceCall *c) {
    const Service *s = c->service;
    int64_t n = 0;
    Listing l;
    int rc = listing_parse(c, &l);
    if (rc < 0)
        return rc;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "ExportSummaries", '[');
    for (; l.next < s->n_exports; l.next += l.is_filtered ? UINT64_MAX : 1) { /* down to 0 and below: out of range */
        const ServiceExport *e = s->exports[l.next];
        if (!listing_takes(&l, c, e))
            continue;
        if (n++ == l.limit)
            break;
        service_json_open(c->out, NULL, '{');
        service_export_add_arn(c, e, "ExportArn");
        service_json_add_string(c->out, "ExportStatus", service_export_status(e, c->now_wall));
        service_json_add_string(c->out, "ExportType", e->is_incremental ? "INCREMENTAL_EXPORT" : "FULL_EXPORT");
        service_json_close(c->out, '}');
    }
    service_json_close(c->out, ']');
    if (l.next < s->n_exports) {
        char token[17];
        snprintf(token, sizeof token, "%016" PRIx64, l.next);
        service_json_add_string(c->out, "NextToken", token);
    }
    service_json_close(c->out, '}');
    return 0;
}
