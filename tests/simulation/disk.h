#pragma once
/* A disk in memory, as an SQLite VFS that takes the default's place: what was not synced is lost or torn at a power
 * cut, sector by sector, and the n-th write or sync can fail. One process, any number of files. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes it SQLite's default VFS; `seed` decides what a power cut tears. */
void disk_begin(uint64_t seed);
/* Forgets every file. */
void disk_end(void);

/* The process dies: from now on nothing that it does reaches the disk, so that what it leaves behind can be cleaned up
 * (store_close). Then disk_attach for the next process. */
void disk_detach(void);
/* With `power_cut`, of what was written since the last sync each sector of 512 bytes is there or not; else all of it
 * is, as after kill -9. */
void disk_attach(bool power_cut);

/* The n-th write from now fails with "disk full" (0: none), and so do all later ones until this is called again. */
void disk_fill_at(uint64_t n);
/* Whether a write or sync has failed so, ever. */
bool disk_has_failed(void);
/* The n-th sync from now fails (0: none), once. */
void disk_fail_sync_at(uint64_t n);

uint64_t disk_n_syncs(void);
uint64_t disk_n_writes(void);
