#pragma once
/* Words for people: on a terminal, in UTC unless a zone is given. */

#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/calendar/zone.h"
#include "core/run/run.h"

/* Adds s without what could drive a terminal: control characters and bytes that are not UTF-8 become '?', line breaks
 * and tabs become spaces. */
int words_add(Text *t, const char *s);
/* How many characters s has on a terminal; s is clean. */
size_t words_width(const char *s);

/* "2026-11-23T02:00:00Z", to the second; "-" where it is not known or never. */
const char *words_time(Usec wall, char buffer[static DATE_ISO_SIZE]);
/* In a zone: "2026-11-23 03:00:00 CET", and "2026-11-23T03:00:00+01:00" for programs. */
#define WORDS_LOCAL_SIZE 64
const char *words_local(const Zone *zone, Usec wall, char buffer[static WORDS_LOCAL_SIZE]);
const char *words_local_iso(const Zone *zone, Usec wall, char buffer[static WORDS_LOCAL_SIZE]);
/* "5min 3s", "9h 1min", "30h", "9d": how long ago; the longer, the coarser, and "0" for what lies ahead. */
const char *words_age(Usec usec, char buffer[static DURATION_SIZE]);
/* "orders", or "own/eu-central-1/orders". */
int words_label(Text *t, bool qualified, const char *account, const char *region, const char *table);
/* "1 table", "2 tables". */
int words_count(Text *t, size_t n, const char *one, const char *many);
/* The reason of a run with its hint, as one sentence; nothing where it has none. */
int words_reason(Text *t, const Run *r);
