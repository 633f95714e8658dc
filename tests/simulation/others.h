#pragma once
/* What other people and programs do at the service, in the same account, behind the daemon's back. */

#include "house.h"

/* Sends a signed request now; the reply's body, to be freed. A refusal ends the test program. */
char *others_call(House *h, const char *operation, const char *body);

/* Makes a backup; its ARN, to be freed. */
char *others_create_backup(House *h, const char *table, const char *name);
void others_delete_backup(House *h, const char *arn);
/* The n-th backup (from 0, by age) of the table at the service; its ARN, to be freed; NULL: there are not so many. */
char *others_find_backup(House *h, const char *table, int n);
/* Creates a table with a tag; NULL: without one. */
void others_create_table(House *h, const char *table, const char *key, const char *value);
void others_delete_table(House *h, const char *table);
/* Gives it the tag, or another value of it. */
void others_tag(House *h, const char *table, const char *key, const char *value);
/* Deletes the table and creates it again under the same name. */
void others_recreate_table(House *h, const char *table);
/* Point-in-time recovery, on for so many days; 0: off. */
void others_set_recovery(House *h, const char *table, int days);
