#pragma once
/* Inside of core/recaller: the state that its files share, and what they do for each other. */

#include "core/aws/object_list.h"
#include "core/chain/recaller.h"

typedef enum RecallerKind {
    ASK_TABLE,
    ASK_RECOVERY,
    ASK_RECORDS, /* what lies on a shelf */
    ASK_RECORD,
    ASK_MANIFEST, /* of a record */
    ASK_EXPORTS,
    ASK_EXPORT,
} RecallerKind;

/* Where records may lie. */
typedef struct RecallerShelf {
    char *bucket, *folder, *region;
    const char *owner;
    bool moved; /* to the region that S3 named */
    ObjectList list;
} RecallerShelf;

typedef struct RecallerFound {
    size_t shelf;
    char *key;
    bool is_good; /* it is a record of ours */
    bool is_gone; /* and the export's manifest is not there */
    Record record;
} RecallerFound;

typedef struct RecallerBase {
    const char *arn;
    Usec wall;
} RecallerBase;

typedef struct RecallerAsk {
    RecallerKind kind;
    size_t index;
} RecallerAsk;

struct Recaller {
    const Conf *conf;
    const char *schedule;
    const Place *place;
    Target *target;
    Usec asked_wall; /* when the table's recovery was told */
    RecoveryInfo recovery;
    bool is_gone;
    RecallerShelf *shelves;
    size_t n_shelves, n_shelves_room;
    RecallerFound *found;
    size_t n_found, n_found_room;
    Record *records, *gone, *losses; /* as core/chain/recall.h has them; their content is that of what was found */
    size_t n_records, n_gone, n_losses;
    RecallerBase *bases;
    size_t n_bases, n_bases_room;
    ExportList listed;   /* without those that have a record, once these are known */
    ExportInfo *exports; /* as described */
    size_t n_exports;
    RecallerAsk *questions; /* of this stage */
    size_t n_questions, n_questions_room, n_asked, n_answered;
    int stage;
    RecallerWord *words;
    size_t n_words, n_words_room;
};

int recaller_enqueue(Recaller *r, RecallerKind kind, size_t index);
/* Takes the text; NULL: there was no memory for it. */
int recaller_say(Recaller *r, bool is_fatal, char *text);
int recaller_say_failed(Recaller *r, const char *what, const AwsError *e);

/* Of records: the questions of three stages after each other, the requests, and what answers mean. */
int recaller_find_shelves(Recaller *r);
int recaller_find_records(Recaller *r);
int recaller_find_manifests(Recaller *r);
int recaller_sort_records(Recaller *r);
/* NULL: the question is none of a shelf. */
const RecallerShelf *recaller_shelf(const Recaller *r, const RecallerAsk *question);
int recaller_fill_object(const Recaller *r, const RecallerAsk *question, AwsRequest *q);
int recaller_take_page(Recaller *r, size_t i, const CallDone *done);
int recaller_take_record(Recaller *r, RecallerFound *f, const CallDone *done);
int recaller_take_manifest(Recaller *r, RecallerFound *f, const CallDone *done);
