#pragma once
/* One line of an export's data. */

#include "sim/service_state.h"

/* Whether the export tells of an item. */
bool service_record_holds(const ServiceExport *e, const ServiceItem *item);
/* Adds the line of an item, if the export holds it; true: it does. */
bool service_record_add(Text *t, const ServiceExport *e, const ServiceItem *item);
