#pragma once
/* What the daemon says of itself in one line: STATUS= of sd_notify(3), and GetState of the control socket. */

#include "base/text.h"
#include "core/credentials/keeper.h"
#include "core/engine/engine.h"

/* `reload_problem` is of the last reload, while it was refused; else NULL. Errors stick in the text. */
int status_line(const Engine *e, const Keeper *keeper, const char *reload_problem, Now now, Text *out);
