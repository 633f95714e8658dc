#include "core/table/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/aws/table_arn.h"
#include "core/table/target.h"

void places_done(Places *p) {
    for (size_t i = 0; i < p->n_items; i++) {
        free(p->items[i].account);
        free(p->items[i].region);
        free(p->items[i].trouble_text);
        free(p->items[i].listing_trouble_text);
        discovery_done(&p->items[i].discovery);
        inventory_done(&p->items[i].inventory);
    }
    free(p->items);
    *p = (Places){};
}

static int add(Places *p, const Conf *c, const char *account, const char *region, Now now) {
    Place *place = &p->items[p->n_items++];
    if (text_set(&place->account, account) < 0 || text_set(&place->region, region) < 0)
        return -ENOMEM;
    const AccountConf *known = conf_account(c, account);
    if (known)
        conf_account_id(known, place->account_id);
    discovery_restart(&place->discovery, conf_needs_discovery(c, account), now);
    return 0;
}

int places_make(const Conf *c, const char *own_region, Now now, Places *ret) {
    CLEANUP(places_done) Places p = {};
    p.items = calloc(conf_n_places(c), sizeof *p.items);
    if (!p.items)
        return -ENOMEM;
    int r = c->n_accounts == 0 ? add(&p, c, ACCOUNT_OWN, own_region, now) : 0;
    for (size_t i = 0; i < c->n_accounts; i++) {
        const AccountConf *a = &c->accounts[i];
        if (r >= 0 && a->n_regions == 0)
            r = add(&p, c, a->name, own_region, now);
        for (size_t j = 0; r >= 0 && j < a->n_regions; j++)
            r = add(&p, c, a->name, a->regions[j], now);
    }
    if (r < 0)
        return r;
    places_done(ret);
    *ret = p;
    p = (Places){};
    return 0;
}

Place *places_find(const Places *p, const char *account, const char *region) {
    for (size_t i = 0; i < p->n_items; i++)
        if (strcmp(p->items[i].account, account) == 0 &&
            (!p->items[i].region || strcmp(p->items[i].region, region) == 0))
            return &p->items[i];
    return NULL;
}

TableFacts place_facts(const Place *p, const char *table, const char *table_arn) {
    TableFacts t = {.account = p->account, .region = p->region, .table = table};
    if (strlen(p->account_id) != 12)
        table_arn_account_id(p->inventory.arn_prefix, t.account_id);
    if (strlen(p->account_id) != 12 && !*t.account_id)
        table_arn_account_id(table_arn, t.account_id);
    if (!*t.account_id)
        memcpy(t.account_id, p->account_id, sizeof t.account_id);
    t.tags = table ? inventory_tags(&p->inventory, table) : NULL;
    return t;
}

const char *place_label(const Place *p, bool qualified, char buffer[static PLACE_LABEL_SIZE]) {
    snprintf(buffer, PLACE_LABEL_SIZE, "%s%s%s", qualified ? p->account : "", qualified ? "/" : "", p->region);
    return buffer;
}

/* --- trouble --- */

PlaceTrouble place_trouble_of(const CallDone *done) {
    if (done->error.class == AWS_CREDENTIALS)
        return PLACE_CREDENTIALS;
    /* a single request without an answer may be a single broken connection */
    bool silent = done->error.class == AWS_TRANSIENT || (done->error.class == AWS_UNCERTAIN && done->n_sends > 1);
    return silent && done->error.status == 0 && done->server_wall == WALL_UNKNOWN ? PLACE_UNREACHABLE : PLACE_WELL;
}

/* Another place has said the same already: of the same account, or of the same region. */
static bool is_said(const Places *all, const Place *p, PlaceTrouble trouble) {
    for (size_t i = 0; i < all->n_items; i++) {
        const Place *q = &all->items[i];
        if (q != p && q->trouble_said && q->trouble == trouble &&
            (trouble == PLACE_CREDENTIALS ? strcmp(q->account, p->account) == 0 : strcmp(q->region, p->region) == 0))
            return true;
    }
    return false;
}

/* The service answered, and knew who asked. */
static bool knew_us(AwsErrorClass c) {
    switch (c) {
    case AWS_OK:
    case AWS_QUOTA:
    case AWS_NOT_FOUND:
    case AWS_NOT_READY:
    case AWS_PITR_OFF:
    case AWS_TIME_REFUSED:
    case AWS_DENIED:
        return true;
    case AWS_THROTTLED:
    case AWS_TRANSIENT:
    case AWS_UNCERTAIN:
    case AWS_CREDENTIALS:
    case AWS_CLOCK_SKEW:
    case AWS_REFUSED:
        return false;
    }
    return false;
}

/* Whatever else it says, does it disprove the trouble? */
static bool disproves(PlaceTrouble trouble, const CallDone *done) {
    switch (trouble) {
    case PLACE_WELL:
        return done->error.class == AWS_OK;
    case PLACE_CREDENTIALS:
        return knew_us(done->error.class);
    case PLACE_UNREACHABLE:
        return done->error.class == AWS_OK || done->server_wall != WALL_UNKNOWN;
    }
    return false;
}

PlaceNews places_take(Places *all, Place *p, const CallDone *done) {
    PlaceTrouble trouble = place_trouble_of(done);
    bool was_said = p->trouble_said;
    if (trouble == PLACE_WELL && !disproves(p->trouble, done))
        return PLACE_NEWS_NONE; /* of a table, or not known */
    if (trouble == p->trouble && (was_said || trouble == PLACE_WELL))
        return PLACE_NEWS_NONE;
    p->trouble = trouble;
    p->trouble_said = false;
    if (trouble == PLACE_WELL)
        return was_said ? PLACE_NEWS_OVER : PLACE_NEWS_NONE;
    p->trouble_said = !is_said(all, p, trouble);
    return p->trouble_said ? PLACE_NEWS_TROUBLE : PLACE_NEWS_NONE;
}
