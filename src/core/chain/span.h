#pragma once
/* What the chains of a table come to, as spans of time: covered, in flight, late, lost. Pure; what is asked is the
 * ledger's, or what was found in the bucket and at the service. */

#include <stddef.h>

#include "core/chain/lineage.h"

typedef enum SpanKind {
    SPAN_COVERED,   /* every instant of it can be restored */
    SPAN_IN_FLIGHT, /* it is being exported, or will be at the next slot */
    SPAN_LATE,      /* the same, for longer than the tolerance */
    SPAN_LOST,      /* no instant of it can be restored, ever */
} SpanKind;

/* One chain, settled or not. */
typedef struct ChainReach {
    int64_t id;
    ChainState state;
    char *base_arn;
    Usec base_wall, covered_wall;
    int64_t n_links; /* verified */
} ChainReach;

/* Strings are borrowed. */
typedef struct Span {
    SpanKind kind;
    Usec from_wall;
    Usec to_wall;     /* USEC_INFINITY: it has no end yet */
    int64_t chain_id; /* 0: of none */
    const char *arn;  /* of the base of what is covered, of an export under way; NULL: none */
    const char *why;  /* LOST, and what an attempt waits for or failed with; NULL: nothing */
    int64_t n_links;  /* COVERED */
    int attempt;      /* of a window that was asked for; 0: none was */
    const char *state; /* of that attempt; NULL: none is under way */
} Span;

typedef struct Spans {
    Span *items; /* by from_wall */
    size_t n_items, n_room;
} Spans;

void spans_done(Spans *s);

/* The lineage has its unsettled chains with their windows, and all losses; `reaches` are all chains. Time from the
 * watermark on that has waited for longer than `tolerance` is late. -ENOMEM. */
int spans_make(const Lineage *l, const ChainReach *reaches, size_t n_reaches, Usec tolerance_usec, Usec now_wall,
               Spans *ret);

/* The end of what is covered; WALL_UNKNOWN: nothing is. */
Usec spans_watermark(const Spans *s);
/* 0: covered but for what is in flight; 1: some of it is late; 2: nothing is covered, or what is lost has no end
 * yet. */
int spans_level(const Spans *s);
const char *span_kind_to_string(SpanKind k); /* "COVERED", "IN FLIGHT", ... */
