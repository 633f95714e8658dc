#pragma once
/* Is a text what its key wants? Each returns true, or false with the reason in *why, which goes on after the quoted
 * value and ends in a hint where there is one. */

#include <stdbool.h>

#include "base/text.h"

bool check_deployment(const char *s, Text *why);
bool check_schedule_name(const char *s, Text *why);
bool check_table(const char *s, Text *why); /* a table's name, its ARN or a pattern */
bool check_tag(const char *s, Text *why);   /* key=value */
bool check_region(const char *s, Text *why);
bool check_endpoint(const char *s, Text *why);
bool check_line(const char *s, Text *why); /* anything without control characters */
bool check_path(const char *s, Text *why);
bool check_bucket(const char *s, Text *why);
bool check_account(const char *s, Text *why);
/* Of STS, AssumeRole. */
bool check_role_arn(const char *s, Text *why);
bool check_external_id(const char *s, Text *why);
bool check_session_name(const char *s, Text *why);
bool check_prefix(const char *s, Text *why);
bool check_kms_key(const char *s, Text *why);
