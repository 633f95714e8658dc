#pragma once
/* The keys of KMS with which exports are to be encrypted. */

#include "ctl/doctor.h"

/* One that a schedule names for exports to that bucket; NULL: none was asked about. */
DoctorKey *doctor_key_of(const Doctor *d, const DoctorBucket *b, const ScheduleConf *s);
/* It leaves the choice to S3, which takes a key of AWS's own. */
bool doctor_key_is_managed(const ScheduleConf *s);
/* It is not of the bucket's region, and cannot be used there; then it was not asked about. */
bool doctor_key_is_elsewhere(const DoctorKey *k);
