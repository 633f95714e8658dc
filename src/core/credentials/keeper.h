#pragma once
/* The credentials of all accounts: one provider each. One that is broken delays no other. */

#include "core/conf/conf.h"
#include "core/credentials/provider.h"

typedef struct Keeper Keeper;

int keeper_new(const ProviderPort *port, uint64_t seed, Keeper **ret);
void keeper_free(Keeper *k);
DEFINE_CLEANUP(Keeper, keeper_free)

/* From now on this account is looked after so; one of that name begins anew. -ENOMEM. */
int keeper_set(Keeper *k, const char *account, const ProviderWish *wish);
/* The accounts of a configuration are looked after from now on, and no others. One without a role has the daemon's own
 * credentials. `region`: where roles are assumed for accounts that name none. */
int keeper_follow(Keeper *k, const Conf *conf, const char *region);
void keeper_remove(Keeper *k, const char *account);
void keeper_restart(Keeper *k, Now now); /* files have changed */
void keeper_refresh(Keeper *k, const char *account, Now now);

/* Whether a request is one of the keeper's. */
bool keeper_owns(uint64_t request_id);
/* Takes the reply. What comes of it is told by the next turn. */
int keeper_reply(Keeper *k, HttpReply *reply, Now now);
int keeper_process_done(Keeper *k, uint64_t id, const char *output, size_t len, const char *problem, Now now);
/* *out is added to. */
int keeper_turn(Keeper *k, Now now, ProviderOutbox *out, Usec *ret_next_mono);

size_t keeper_n_accounts(const Keeper *k);
const Provider *keeper_provider(const Keeper *k, size_t i);
/* The files of all of them whose change is a reason for keeper_restart, each once; known from the first turn on. Free
 * the array; the names are borrowed until the next turn. -ENOMEM. */
int keeper_files(const Keeper *k, const char ***ret, size_t *ret_n);
