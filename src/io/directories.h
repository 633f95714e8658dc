#pragma once
/* The directories that systemd makes for the service, or where it makes them. Borrowed for ever. */

const char *directories_state(void);
const char *directories_runtime(void);
