#include "io/conf_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "core/conf/conf_syntax.h"
#include "io/zone_file.h"

#define FILE_MAX_SIZE (1 << 20)

/* --- text to tree --- */

static ConfKind kind_of(const config_setting_t *s) {
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP:
        return CONF_GROUP;
    case CONFIG_TYPE_ARRAY:
    case CONFIG_TYPE_LIST:
        return CONF_LIST;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return CONF_INT;
    case CONFIG_TYPE_FLOAT:
        return CONF_FLOAT;
    case CONFIG_TYPE_BOOL:
        return CONF_BOOL;
    default:
        return CONF_STRING;
    }
}

static int convert(const config_setting_t *s, const char *name, ConfTree **ret) {
    unsigned line = config_setting_source_line(s);
    CLEANUP(conf_tree_free_ptr) ConfTree *t = conf_tree_new(kind_of(s), config_setting_name(s), name, line);
    if (!t)
        return -ENOMEM;
    const char *string;
    int r = 0;
    switch (t->kind) {
    case CONF_GROUP:
    case CONF_LIST:
        for (int i = 0; r >= 0 && i < config_setting_length(s); i++) {
            ConfTree *child = NULL;
            r = convert(config_setting_get_elem(s, (unsigned)i), name, &child);
            if (r >= 0)
                r = conf_tree_add(t, child);
        }
        break;
    case CONF_STRING:
        string = config_setting_get_string(s);
        r = text_set(&t->string, string ? string : "");
        break;
    case CONF_INT: /* each type has its own getter, which tells nothing of the other */
        t->integer =
            config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_int64(s);
        break;
    case CONF_FLOAT:
        t->number = config_setting_get_float(s);
        break;
    case CONF_BOOL:
        t->boolean = config_setting_get_bool(s);
        break;
    }
    if (r < 0)
        return r;
    *ret = TAKE_PTR(t);
    return 0;
}

int conf_file_parse_text(const char *text, size_t len, const char *name, ConfProblems *problems, ConfTree **ret) {
    AUTO_FREE char *plain = NULL;
    int r = conf_syntax_check(text, len, name, problems, &plain);
    if (r < 0)
        return r;
    CLEANUP(config_destroy) config_t config;
    config_init(&config);
    if (!config_read_string(&config, plain)) {
        int line = config_error_line(&config);
        r = conf_problems_add(problems, name, line > 0 ? (unsigned)line : 1, "%s; HINT: see ddbackupd.conf(5), SYNTAX",
                              config_error_text(&config));
        return r < 0 ? r : -EINVAL;
    }
    return convert(config_root_setting(&config), name, ret);
}

/* --- files --- */

static int say(ConfProblems *problems, const char *path, const char *what) {
    return conf_problems_add(problems, path, 0, "%s", what) < 0 ? -ENOMEM : -EINVAL;
}

static int say_errno(ConfProblems *problems, const char *path, int error) {
    struct stat st;
    bool is_link = error == ENOENT && lstat(path, &st) == 0;
    const char *hint = is_link           ? "it is a link to what is not there: mend it, or take it away"
                       : error == ENOENT ? "ddbackupd.conf(5) has an example to begin with; another file is named with "
                                           "--config"
                       : error == EACCES       ? "let the user of the daemon read it"
                       : error == EISDIR       ? "name the file in it"
                       : error == ENOTDIR      ? "one of the directories in its path is a file"
                       : error == ELOOP        ? "a link leads back to itself"
                       : error == ENAMETOOLONG ? "is that the name of a file?"
                                               : "is the disk well?";
    int r = conf_problems_add(problems, path, 0, "%s; HINT: %s", strerror(error), hint);
    return r < 0 ? r : -EINVAL;
}

/* The whole file; what keeps it from being read is said. */
static int read_bytes(const char *path, ConfProblems *problems, Text *t) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return say_errno(problems, path, errno);
    struct stat st;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = say_errno(problems, path, errno);
    else if (S_ISDIR(st.st_mode))
        r = say_errno(problems, path, EISDIR);
    else if (!S_ISREG(st.st_mode))
        r = say(problems, path, "is no regular file; HINT: copy it into one");
    char buffer[16384];
    for (ssize_t n; r >= 0 && (n = read(fd, buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno != EINTR)
            r = say_errno(problems, path, errno);
        else if (n > 0)
            r = text_add_bytes(t, buffer, (size_t)n);
    }
    close(fd);
    if (r == -E2BIG)
        r = say(problems, path, "is larger than 1 MiB; HINT: is it the right file?");
    return r;
}

static int read_tree(const char *path, ConfProblems *problems, ConfTree **ret) {
    AUTO_TEXT bytes = TEXT_INIT(FILE_MAX_SIZE);
    int r = read_bytes(path, problems, &bytes);
    return r < 0 ? r : conf_file_parse_text(text_get(&bytes), bytes.len, path, problems, ret);
}

typedef struct Paths {
    char **items;
    size_t n_items, n_room;
} Paths;

static void paths_done(Paths *p) {
    for (size_t i = 0; i < p->n_items; i++)
        free(p->items[i]);
    free(p->items);
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool is_drop_in(const char *name) {
    size_t n = strlen(name);
    return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

/* The drop-ins of a file, in the order of the bytes of their names, whatever the locale. */
static int list_drop_ins(const char *path, ConfProblems *problems, Paths *p) {
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = text_format("%.*sconf.d", slash ? (int)(slash + 1 - path) : 0, path);
    if (!directory)
        return -ENOMEM;
    DIR *d = opendir(directory);
    struct stat st;
    if (!d && errno == ENOTDIR && stat(directory, &st) == 0)
        return say(problems, directory, "is no directory; HINT: drop-ins are files in it");
    if (!d)
        return errno == ENOENT || errno == ENOTDIR ? 0 : say_errno(problems, directory, errno);
    int r = 0;
    for (struct dirent *e; r >= 0 && (e = readdir(d));) {
        if (!is_drop_in(e->d_name))
            continue;
        char *name = text_format("%s/%s", directory, e->d_name);
        r = name ? ARRAY_GROW(p->items, p->n_items, p->n_room) : -ENOMEM;
        if (r >= 0)
            p->items[p->n_items++] = TAKE_PTR(name);
        free(name);
    }
    closedir(d);
    if (p->n_items > 0)
        qsort(p->items, p->n_items, sizeof *p->items, compare);
    return r;
}

/* *ret_whole: all files were read, so that what is missing in the tree is missing in them. */
static int read_files(const char *path, ConfProblems *problems, ConfTree **ret, bool *ret_whole) {
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    CLEANUP(paths_done) Paths drop_ins = {};
    *ret_whole = false;
    int result = read_tree(path, problems, &tree);
    if (result == -ENOMEM)
        return result;
    bool whole = result >= 0;
    int r = list_drop_ins(path, problems, &drop_ins);
    if (r == -ENOMEM)
        return r;
    whole &= r >= 0;
    for (size_t i = 0; i < drop_ins.n_items; i++) {
        CLEANUP(conf_tree_free_ptr) ConfTree *drop_in = NULL;
        r = read_tree(drop_ins.items[i], problems, &drop_in);
        whole &= r >= 0;
        if (r >= 0 && tree)
            r = conf_tree_merge(tree, TAKE_PTR(drop_in), problems);
        if (r == -ENOMEM)
            return r;
        result = r < 0 ? r : result;
    }
    *ret = TAKE_PTR(tree);
    *ret_whole = whole;
    return whole ? result : -EINVAL;
}

int conf_file_read(const char *path, ConfProblems *problems, ConfTree **ret) {
    bool whole;
    return read_files(path, problems, ret, &whole);
}

int conf_file_load(const char *path, ConfProblems *problems, Conf **ret, ConfTree **ret_tree) {
    CLEANUP(conf_tree_free_ptr) ConfTree *tree = NULL;
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    bool whole;
    int result = read_files(path, problems, &tree, &whole);
    if (result == -ENOMEM || !whole)
        return result;
    int r = conf_from_tree(tree, zone_file_load, NULL, problems, &conf);
    if (r < 0 || result < 0)
        return r < 0 ? r : result;
    *ret = TAKE_PTR(conf);
    if (ret_tree)
        *ret_tree = TAKE_PTR(tree);
    return 0;
}

static int advise_file(const char *path, ConfProblems *advice) {
    struct stat st;
    if (stat(path, &st) < 0 || !(st.st_mode & S_IWOTH) || (S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX))
        return 0;
    return conf_problems_add(advice, path, 0,
                             "warning: everybody may write it, and so decide what is deleted and where exports go; "
                             "HINT: chmod o-w %s",
                             path);
}

int conf_file_advise(const char *path, ConfProblems *advice) {
    CLEANUP(conf_problems_done) ConfProblems said_already = {};
    CLEANUP(paths_done) Paths drop_ins = {};
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = text_format("%.*sconf.d", slash ? (int)(slash + 1 - path) : 0, path);
    int r = directory ? list_drop_ins(path, &said_already, &drop_ins) : -ENOMEM;
    if (r == -ENOMEM || (r = advise_file(path, advice)) < 0 || (r = advise_file(directory, advice)) < 0)
        return r;
    for (size_t i = 0; r >= 0 && i < drop_ins.n_items; i++)
        r = advise_file(drop_ins.items[i], advice);
    return r;
}
