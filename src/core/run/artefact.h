#pragma once
/* What exists at AWS because of us: a backup or an export, with a life of its own after its run has settled. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/macros.h"
#include "core/aws/codec.h"
#include "core/conf/conf.h"

typedef enum ArtefactLife {
    ARTEFACT_IN_PROGRESS, /* accepted by the service, not finished */
    ARTEFACT_VERIFIED,    /* finished, and it passed its level of checking */
    ARTEFACT_DISPROVED,   /* finished, but it is not what was asked for */
    ARTEFACT_FAILED,      /* the service says that it failed */
    ARTEFACT_GONE,        /* the service does not know it any more: somebody deleted it */
    ARTEFACT_EXPIRING,    /* verified, and to be deleted by us: the request may have left */
    ARTEFACT_EXPIRED,     /* deleted by us */
} ArtefactLife;

typedef struct Artefact {
    int64_t id;
    int64_t run_id;
    Action action;
    ArtefactLife life;
    char *arn;
    char *status;       /* the service's last word */
    char *name;         /* a backup's name, an export's token */
    char *table_id;     /* NULL while the service has not told it */
    Usec created_wall;  /* the content's time: a backup's creation, an export's ExportTime, an
                           incremental one's ExportToTime */
    Usec finished_wall; /* when we saw it finished, or the export's EndTime */
    Usec verified_wall;
    VerifyLevel level; /* at which that was */
    char *found;       /* what was found then; NULL: nothing to tell */
    int64_t size_bytes; /* a backup's size, an export's billed size; COUNT_UNKNOWN */
    int64_t item_count;
    char *details; /* every output field of the service, as a JSON object under AWS's names */
    /* MD5s of an export's manifests, in base64, as they were when it was first checked in its bucket; NULL: it was not,
       or they were not read from the ledger */
    char *summary_md5, *files_md5;
} Artefact;

void artefact_free(Artefact *a);
DEFINE_CLEANUP(Artefact, artefact_free)

/* Takes what the service says about it; `life` is the caller's. Fields that the reply lacks keep what was known. */
int artefact_take_backup(Artefact *a, const BackupInfo *info);
int artefact_take_export(Artefact *a, const ExportInfo *info);

/* Where an export lies, out of its details; strings are owned. */
typedef struct ExportPlace {
    char *manifest_key, *bucket;
    char *bucket_owner, *prefix; /* NULL: none was told */
    Usec from_wall, to_wall;     /* of an incremental export; else WALL_UNKNOWN */
} ExportPlace;
void export_place_done(ExportPlace *p);
/* -ENODATA: they do not tell; -ENOMEM. */
int artefact_export_place(const Artefact *a, ExportPlace *ret);

const char *artefact_life_to_string(ArtefactLife l);
int artefact_life_from_string(const char *s, ArtefactLife *ret);
