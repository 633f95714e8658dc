#pragma once
/* The metadata service of the instance that is the house's host, and the gate that lets nobody with its expired
 * credentials through to the service. */

#include "house.h"

/* The service's settings for it: temporary credentials, quick backups. */
ServiceSettings house_metadata_service(void);
/* A keeper that finds nothing but the instance's role. */
void house_metadata_boot(World *w, uint64_t seed);
/* WorldOwner.answered. */
bool house_metadata_answer(const HttpRequest *request, Usec true_wall, HttpReply *reply, HouseFigures *figures);
