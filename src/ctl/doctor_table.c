/* Tables: that they exist, and that those which are exported can be. */

#include <errno.h>
#include <inttypes.h>

#include "ctl/doctor.h"
#include "ctl/words.h"

static int add(Doctor *d, const char *label, const char *name, CheckState state, const Text *detail, const char *hint) {
    size_t n = d->n_checks;
    int r = doctor_add(d, label, name, state, text_get(detail), hint);
    if (r >= 0)
        d->checks[n].of_table = true;
    return r;
}

static int check_table(Doctor *d, const DoctorTable *t, const char *label) {
    AUTO_TEXT detail = TEXT_INIT(4096);
    char size[SIZE_TEXT_SIZE];
    if (!t->place->answered) /* that is said of the place */
        return 0;
    if (!t->described) {
        doctor_say_error(&t->error, &detail);
        return add(d, label, "table", CHECK_FAILED, &detail, t->error.hint);
    }
    size_to_string((uint64_t)(t->size_bytes > 0 ? t->size_bytes : 0), size);
    text_addf(&detail, "%s, %s, %" PRId64 " item%s", t->status, size, t->item_count > 0 ? t->item_count : 0,
              t->item_count == 1 ? "" : "s");
    if (text_equal(t->status, "ACTIVE") || text_equal(t->status, "UPDATING"))
        return add(d, label, "table", CHECK_OK, &detail, NULL);
    return add(d, label, "table", CHECK_WARNING, &detail,
               "a table in this state cannot be backed up; wait, or see to it");
}

/* Recovery that no schedule needs is told where it can be told. */
static int check_recovery(Doctor *d, const DoctorTable *t, const char *label) {
    AUTO_TEXT detail = TEXT_INIT(4096);
    char since[DATE_ISO_SIZE];
    if (!t->described)
        return 0;
    if (!t->recovery_known) {
        doctor_say_error(&t->recovery_error, &detail);
        return t->wish > PITR_IGNORE ? add(d, label, "recovery", CHECK_FAILED, &detail, t->recovery_error.hint) : 0;
    }
    if (t->recovery.pitr_enabled) {
        text_addf(&detail, "point-in-time recovery since %s", words_time(t->recovery.earliest_wall, since));
        return add(d, label, "recovery", CHECK_OK, &detail, NULL);
    }
    if (t->wish <= PITR_IGNORE || t->wish == PITR_ENABLE) {
        text_addf(&detail, "point-in-time recovery is off, and %s",
                  t->wish == PITR_ENABLE ? "the daemon will enable it" : "no schedule needs it");
        return add(d, label, "recovery", CHECK_OK, &detail, NULL);
    }
    text_add(&detail, "point-in-time recovery is off, and its schedules need it");
    AUTO_FREE char *hint = text_format("aws dynamodb update-continuous-backups --region %s --table-name %s "
                                       "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true "
                                       "(billed)",
                                       t->target->region, t->target->table);
    return hint ? add(d, label, "recovery", CHECK_FAILED, &detail, hint) : -ENOMEM;
}

static int check_listing(Doctor *d, const DoctorPlace *p) {
    char label[PLACE_LABEL_SIZE];
    AUTO_TEXT detail = TEXT_INIT(4096);
    const AwsError *e = p->place->has_listing ? &p->tags : &p->listing;
    if (!p->answered || !p->place->discovery.wanted || (p->place->has_listing && !e->code[0]))
        return 0;
    text_add(&detail,
             p->place->has_listing ? "the tags of its tables cannot be read: " : "the tables cannot be listed: ");
    doctor_say_error(e, &detail);
    place_label(p->place, places_are_many(&d->places), label);
    return doctor_add(d, label, "tables", CHECK_FAILED, text_get(&detail), e->hint);
}

int doctor_check_tables(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->places.n_items; i++)
        r = check_listing(d, &d->asked[i]);
    for (size_t i = 0; r >= 0 && i < d->n_tables; i++) {
        char label[TARGET_LABEL_SIZE];
        const DoctorTable *t = &d->tables[i];
        target_label(t->target, places_are_many(&d->places), label);
        r = check_table(d, t, label);
        if (r >= 0)
            r = check_recovery(d, t, label);
    }
    if (r >= 0 && d->n_tables == 0 && d->options->table)
        return doctor_add(d, d->options->table, "tables", CHECK_FAILED, "the configuration selects no such table",
                          "'ddbackupctl doctor' without --table asks about all that it selects");
    bool told = true; /* which tables there are */
    for (size_t i = 0; i < d->places.n_items; i++)
        told &= d->asked[i].answered && d->asked[i].listing.class == AWS_OK;
    if (r >= 0 && told && d->n_tables == 0)
        r = doctor_add(d, d->aws.conf->deployment, "tables", CHECK_FAILED,
                       "the configuration selects no table that exists", "'ddbackupctl plan' shows what it selects");
    return r;
}
