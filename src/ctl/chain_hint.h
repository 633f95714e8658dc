#pragma once
/* What a person can do about a chain that is late, or has lost time. */

#include "core/chain/span.h"
#include "io/store_read.h"

/* One sentence, nothing where there is nothing to do. `daemon`: DAEMON_UNKNOWN where it does not matter; `is_active`:
 * the configuration selects the table. */
void chain_hint(const Lineage *l, const Spans *spans, DaemonState daemon, bool is_active, Text *t);
