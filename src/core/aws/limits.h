#pragma once
/* How fast each operation may be called, per account and region. */

#include "core/aws/aws_op.h"

typedef struct LimitsRow {
    /* Calls a second: what the API reference documents. Where it documents none (exports, tables), a figure that stays
     * clear of the rates at which throttling has been measured. */
    double rate;
    /* Calls that may leave at once after a pause; under what the service was measured to take at once. */
    double burst;
    int per_second; /* where the rate is documented so: no second has more. 0: it is not */
} LimitsRow;

extern const LimitsRow limits[AWS_OP_N];
