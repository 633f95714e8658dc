#pragma once
/* The emulator without HTTP: the service model behind a lock, the clock, the request log, and the paths under
 * /_emulator/ by which tests steer it. */

#include <stdio.h>

#include "sim/service.h"

typedef struct Emulator Emulator;

/* `log` may be NULL; it and `service` are taken over. -ENOMEM leaves both alone. */
int emulator_new(Service *service, FILE *log, Usec clock_offset_usec, Emulator **ret);
void emulator_free(Emulator *e);
DEFINE_CLEANUP(Emulator, emulator_free)

/* Serves one request, from any thread. The log has its line before this returns. */
void emulator_exchange(Emulator *e, const ServiceRequest *request, ServiceReply *ret);
