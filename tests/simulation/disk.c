#include "disk.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "core/aws/retry.h"

#define MAX_FILES 8
#define SECTOR 512
#define MAX_REGIONS 16

typedef struct Bytes {
    unsigned char *data;
    size_t len, room;
} Bytes;

typedef struct DiskFile {
    char name[256];
    bool exists;
    Bytes now, synced;
    size_t dirty_from, dirty_to; /* what may differ between them, beside the length */
    void *regions[MAX_REGIONS]; /* shared memory of the WAL's index; gone with the process */
} DiskFile;

static struct {
    DiskFile files[MAX_FILES];
    uint64_t random, n_writes, n_syncs, full_at, fail_sync_at;
    bool detached, failed;
} disk;

typedef struct OpenFile {
    sqlite3_file base;
    DiskFile *file;
} OpenFile;

static int bytes_resize(Bytes *b, size_t len) {
    if (len > b->room) {
        size_t room = len * 2;
        unsigned char *data = realloc(b->data, room);
        if (!data)
            return SQLITE_NOMEM;
        b->data = data;
        b->room = room;
    }
    if (len > b->len)
        memset(b->data + b->len, 0, len - b->len);
    b->len = len;
    return SQLITE_OK;
}

static DiskFile *file_of(sqlite3_file *f) { return ((OpenFile *)f)->file; }

static int make_durable(DiskFile *f) {
    int code = bytes_resize(&f->synced, f->now.len);
    size_t to = f->dirty_to < f->now.len ? f->dirty_to : f->now.len;
    if (code == SQLITE_OK && f->dirty_from < to)
        memcpy(f->synced.data + f->dirty_from, f->now.data + f->dirty_from, to - f->dirty_from);
    f->dirty_from = f->dirty_to = 0;
    return code;
}

static void forget_regions(DiskFile *f) {
    for (int i = 0; i < MAX_REGIONS; i++) {
        free(f->regions[i]);
        f->regions[i] = NULL;
    }
}

/* --- a file --- */

static int file_close(sqlite3_file *f) { return SQLITE_OK; }

static int file_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) {
    const Bytes *b = &file_of(f)->now;
    size_t have = (size_t)at < b->len ? b->len - (size_t)at : 0;
    if (have > (size_t)n)
        have = (size_t)n;
    if (have > 0)
        memcpy(to, b->data + at, have);
    memset((char *)to + have, 0, (size_t)n - have);
    return have == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) {
    Bytes *b = &file_of(f)->now;
    if (disk.detached)
        return SQLITE_IOERR_WRITE;
    disk.n_writes++;
    if (disk.full_at && disk.n_writes >= disk.full_at) {
        disk.failed = true;
        return SQLITE_FULL;
    }
    size_t end = (size_t)at + (size_t)n;
    int code = end > b->len ? bytes_resize(b, end) : SQLITE_OK;
    if (code != SQLITE_OK)
        return code;
    memcpy(b->data + at, from, (size_t)n);
    DiskFile *file = file_of(f);
    bool clean = file->dirty_from == file->dirty_to;
    file->dirty_from = clean || (size_t)at < file->dirty_from ? (size_t)at : file->dirty_from;
    file->dirty_to = clean || end > file->dirty_to ? end : file->dirty_to;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 len) {
    Bytes *b = &file_of(f)->now;
    if (disk.detached)
        return SQLITE_IOERR_TRUNCATE;
    DiskFile *file = file_of(f);
    file->dirty_from = (size_t)len < file->dirty_from || file->dirty_from == file->dirty_to ? (size_t)len
                                                                                            : file->dirty_from;
    file->dirty_to = b->len > file->dirty_to ? b->len : file->dirty_to;
    return (size_t)len < b->len ? bytes_resize(b, (size_t)len) : SQLITE_OK;
}

static int file_sync(sqlite3_file *f, int flags) {
    if (disk.detached)
        return SQLITE_IOERR_FSYNC;
    disk.n_syncs++;
    if (disk.fail_sync_at && disk.n_syncs == disk.fail_sync_at) {
        disk.failed = true;
        return SQLITE_IOERR_FSYNC;
    }
    return make_durable(file_of(f));
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret) {
    *ret = (sqlite3_int64)file_of(f)->now.len;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *f, int level) { return SQLITE_OK; }

static int file_is_reserved(sqlite3_file *f, int *ret) {
    *ret = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg) { return SQLITE_NOTFOUND; }
static int file_sector(sqlite3_file *f) { return SECTOR; }
static int file_traits(sqlite3_file *f) { return 0; }

static int shm_map(sqlite3_file *f, int i, int size, int extend, void volatile **ret) {
    DiskFile *file = file_of(f);
    *ret = NULL;
    if (i >= MAX_REGIONS)
        return SQLITE_IOERR_SHMMAP;
    if (!file->regions[i] && extend && !(file->regions[i] = calloc(1, (size_t)size)))
        return SQLITE_NOMEM;
    *ret = file->regions[i];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *f, int at, int n, int flags) { return SQLITE_OK; }
static void shm_barrier(sqlite3_file *f) {}

static int shm_unmap(sqlite3_file *f, int delete_it) {
    if (delete_it)
        forget_regions(file_of(f));
    return SQLITE_OK;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* --- the file system --- */

static DiskFile *find(const char *name, bool make) {
    DiskFile *vacant = NULL;
    for (int i = 0; i < MAX_FILES; i++) {
        if (disk.files[i].exists && strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
        if (!disk.files[i].exists && !vacant)
            vacant = &disk.files[i];
    }
    if (!make || !vacant || strlen(name) >= sizeof vacant->name)
        return NULL;
    strcpy(vacant->name, name);
    vacant->exists = true;
    vacant->now.len = vacant->synced.len = vacant->dirty_from = vacant->dirty_to = 0;
    return vacant;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags) {
    OpenFile *o = (OpenFile *)f;
    *o = (OpenFile){};
    o->file = find(name ? name : "(temporary)", flags & SQLITE_OPEN_CREATE);
    if (!o->file)
        return SQLITE_CANTOPEN;
    o->base.pMethods = &file_methods;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory) {
    DiskFile *f = find(name, false);
    if (!f || disk.detached)
        return f ? SQLITE_IOERR_DELETE : SQLITE_IOERR_DELETE_NOENT;
    f->exists = false;
    forget_regions(f);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret) {
    *ret = find(name, false) != NULL;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *ret) {
    sqlite3_snprintf(size, ret, "%s", name);
    return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int n, char *ret) {
    for (int i = 0; i < n; i++)
        ret[i] = (char)retry_random(&disk.random);
    return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int usec) { return usec; }

static int vfs_time(sqlite3_vfs *vfs, double *ret) {
    *ret = 2461000.5;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *ret) { return 0; }

static sqlite3_vfs vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(OpenFile),
    .mxPathname = 255,
    .zName = "disk",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xRandomness = vfs_random,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time,
    .xGetLastError = vfs_last_error,
};

void disk_begin(uint64_t seed) {
    disk_end();
    disk.random = seed;
    sqlite3_vfs_register(&vfs, 1);
}

void disk_end(void) {
    for (int i = 0; i < MAX_FILES; i++) {
        forget_regions(&disk.files[i]);
        free(disk.files[i].now.data);
        free(disk.files[i].synced.data);
    }
    memset(&disk, 0, sizeof disk);
}

void disk_detach(void) { disk.detached = true; }

static void cut_power(DiskFile *f) {
    for (size_t at = 0; f->exists && at < f->now.len; at += SECTOR) {
        size_t n = f->now.len - at < SECTOR ? f->now.len - at : SECTOR;
        bool was = at + n <= f->synced.len;
        if ((was && memcmp(f->now.data + at, f->synced.data + at, n) == 0) || retry_random(&disk.random) % 2)
            continue;
        if (was)
            memcpy(f->now.data + at, f->synced.data + at, n);
        else
            memset(f->now.data + at, 0, n);
    }
    f->dirty_from = 0;
    f->dirty_to = f->now.len;
    (void)make_durable(f);
}

void disk_attach(bool power_cut) {
    disk.detached = false;
    for (int i = 0; i < MAX_FILES; i++) {
        forget_regions(&disk.files[i]);
        if (power_cut)
            cut_power(&disk.files[i]);
    }
}

void disk_fill_at(uint64_t n) { disk.full_at = n == 0 ? 0 : disk.n_writes + n; }
void disk_fail_sync_at(uint64_t n) { disk.fail_sync_at = n == 0 ? 0 : disk.n_syncs + n; }
bool disk_has_failed(void) { return disk.failed; }
uint64_t disk_n_syncs(void) { return disk.n_syncs; }
uint64_t disk_n_writes(void) { return disk.n_writes; }
