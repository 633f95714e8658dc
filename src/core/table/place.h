#pragma once
/* Where tables are: a region of an account. Each place has a walk through its tables of its own, so that a broken
 * account or a region that is down holds up no other. */

#include "core/conf/conf_select.h"
#include "core/table/discovery.h"
#include "core/table/inventory.h"

/* What calls of a place end with that is no matter of a single table. */
typedef enum PlaceTrouble {
    PLACE_WELL,
    PLACE_CREDENTIALS, /* they are refused */
    PLACE_UNREACHABLE, /* requests do not get there */
} PlaceTrouble;

#define PLACE_STRANGER "?"

typedef struct Place {
    char *account;
    char *region;        /* NULL: not known (places_make) */
    char account_id[13]; /* of the account's role; "": not known; PLACE_STRANGER: not known, and no ARN is taken for its
                            own */
    Discovery discovery;
    bool has_listing; /* a walk was completed since the configuration was loaded */
    Inventory inventory;
    size_t n_sought; /* tables that were to tell whose account it is */
    PlaceTrouble trouble;
    bool trouble_said;
    char *trouble_text;         /* as it was said; NULL: by somebody else */
    char *listing_trouble_text; /* why the tables could not be listed, while that lasts; or NULL */
    int n_asking, n_exports; /* links that are being asked for, exports in flight: while links get their turns */
    bool hurry; /* fresh credentials: what was deferred is tried at once */
} Place;

/* In the order of the configuration. */
typedef struct Places {
    Place *items;
    size_t n_items;
} Places;

/* The places of a configuration. `own_region` is for accounts that name none; NULL: it is not known, and such a place
 * has no region. Their walks are due at once. -ENOMEM. */
int places_make(const Conf *c, const char *own_region, Now now, Places *ret);
void places_done(Places *p);
/* A place without a region stands for every region of its account. NULL: it is none of them. */
Place *places_find(const Places *p, const char *account, const char *region);
/* Names need account and region. */
static inline bool places_are_many(const Places *p) { return p->n_items > 1; }

/* What is known of a table there; `table_arn` as it was described last, or NULL. Borrows. */
TableFacts place_facts(const Place *p, const char *table, const char *table_arn);

/* "eu-central-1", or "prod/eu-central-1". Borrowed from the buffer. */
#define PLACE_LABEL_SIZE 160
const char *place_label(const Place *p, bool qualified, char buffer[static PLACE_LABEL_SIZE]);

/* What the end of a call says of its place. */
PlaceTrouble place_trouble_of(const CallDone *done);
/* Notes it down, and whether there is something to say: trouble is said once, an account's credentials for all of its
 * regions and a region's silence for all accounts, and so is its end. */
typedef enum PlaceNews { PLACE_NEWS_NONE, PLACE_NEWS_TROUBLE, PLACE_NEWS_OVER } PlaceNews;
PlaceNews places_take(Places *all, Place *p, const CallDone *done);
