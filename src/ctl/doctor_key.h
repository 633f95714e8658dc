#pragma once
/* The keys of KMS with which exports are to be encrypted. */

#include "ctl/doctor.h"

/* One that a schedule names for exports to that bucket, or the bucket itself; NULL: it was not asked about. */
DoctorKey *doctor_key_of(const Doctor *d, const DoctorBucket *b, const char *id);
/* No key (NULL), or the name of the one that AWS keeps: S3 takes that. */
bool doctor_key_is_managed(const char *id);
/* It is not of the bucket's region, and cannot be used there; then it was not asked about. */
bool doctor_key_is_elsewhere(const DoctorKey *k);
