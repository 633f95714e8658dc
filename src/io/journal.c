#define SD_JOURNAL_SUPPRESS_LOCATION
#include "io/journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"

static struct {
    bool fields;
    int max_level;
} journal = {.max_level = 6};

/* As sd-daemon(3) has it: $JOURNAL_STREAM holds device and inode of the stream that systemd connected. */
static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char self[64];
    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(self, sizeof self, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, self) == 0;
}

void journal_open(JournalTo to, int max_level) {
    journal.fields = to == JOURNAL_FIELDS || (to == JOURNAL_AUTO && stderr_is_journal());
    journal.max_level = max_level;
}

void journal_set_level(int max_level) { journal.max_level = max_level; }

bool journal_has_fields(void) { return journal.fields; }

static const char *level_name(int level) {
    static const char *const names[] = {"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"};
    return names[level & 7];
}

static void print_line(int level, const char *message, Usec wall) {
    char when[DATE_ISO_SIZE];
    AUTO_TEXT line = TEXT_INIT(16384);
    text_addf(&line, "%s %-7s %s", date_to_iso(wall / USEC_PER_SEC * USEC_PER_SEC, when), level_name(level), message);
    for (size_t i = 0; i < line.len; i++)
        if ((unsigned char)line.data[i] < 0x20)
            line.data[i] = ' ';
    text_add_char(&line, '\n');
    const char *s = text_get(&line);
    for (size_t left = line.len; left > 0;) {
        ssize_t n = write(STDERR_FILENO, s, left);
        if (n <= 0)
            break;
        s += n;
        left -= (size_t)n;
    }
}

#define MAX_FIELDS 16

typedef struct Fields {
    struct iovec items[MAX_FIELDS];
    char *owned[MAX_FIELDS];
    int n;
} Fields;

static void fields_done(Fields *f) {
    for (int i = 0; i < f->n; i++)
        free(f->owned[i]);
}

/* Takes "NAME=value"; a value that is not there is left out. */
static void field_add(Fields *f, char *assignment) {
    if (!assignment || f->n == MAX_FIELDS) {
        free(assignment);
        return;
    }
    f->owned[f->n] = assignment;
    f->items[f->n++] = (struct iovec){.iov_base = assignment, .iov_len = strlen(assignment)};
}

static void field_text(Fields *f, const char *name, const char *value) {
    if (value)
        field_add(f, text_format("%s=%s", name, value));
}

void journal_say(const Report *r, Now now) {
    const ReportRow *row = &report_rows[r->kind];
    if (row->level > journal.max_level)
        return;
    if (!journal.fields) {
        print_line(row->level, r->message, now.wall);
        return;
    }
    CLEANUP(fields_done) Fields f = {};
    char slot[DATE_ISO_SIZE];
    field_text(&f, "MESSAGE", r->message);
    field_add(&f, text_format("PRIORITY=%d", row->level));
    field_text(&f, "MESSAGE_ID", row->message_id);
    field_text(&f, "SYSLOG_IDENTIFIER", "ddbackupd");
    field_text(&f, "DDB_TABLE", r->target);
    field_text(&f, "DDB_SCHEDULE", r->schedule);
    field_text(&f, "DDB_SLOT", r->slot_wall != WALL_UNKNOWN ? date_to_iso(r->slot_wall, slot) : NULL);
    if (r->run_id > 0)
        field_add(&f, text_format("DDB_RUN_ID=%" PRId64, r->run_id));
    field_text(&f, "DDB_BACKUP_ARN", r->backup_arn);
    field_text(&f, "DDB_EXPORT_ARN", r->export_arn);
    field_text(&f, "AWS_REQUEST_ID", r->request_id);
    if (r->duration_usec != WALL_UNKNOWN)
        field_add(&f, text_format("DURATION_USEC=%" PRId64, r->duration_usec));
    sd_journal_sendv(f.items, f.n);
}

void journal_event(ReportKind kind, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(8192);
    struct timespec ts;
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &ts);
    Report r = {.kind = kind, .slot_wall = WALL_UNKNOWN, .duration_usec = WALL_UNKNOWN};
    if (text_take(&t, &r.message) >= 0)
        journal_say(&r, (Now){.wall = ts.tv_sec * USEC_PER_SEC});
    free(r.message);
}

bool journal_says(int level) { return level <= journal.max_level; }

void journal_debug(const char *message) {
    struct timespec ts;
    if (!journal_says(7))
        return;
    if (journal.fields) {
        sd_journal_send("MESSAGE=%s", message, "PRIORITY=7", "SYSLOG_IDENTIFIER=ddbackupd", NULL);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &ts);
    print_line(7, message, ts.tv_sec * USEC_PER_SEC);
}
