/* Stands in for libFuzzer where it is not built in: runs a fuzzer's entry over the files of its corpus.
 * usage: fuzz_NAME [FILE|DIRECTORY]...   default: $srcdir/tests/fuzz/corpus/NAME */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_files;

static int replay_file(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    /* exactly as long as the input, so that a read beyond its end is seen by the sanitizer */
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    size_t n = bytes ? fread(bytes, 1, (size_t)size, f) : 0;
    fclose(f);
    if (bytes)
        LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    n_files++;
    return bytes ? 0 : 1;
}

static int replay(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return replay_file(path);
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), failed = n < 0;
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            failed |= replay_file(name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return failed;
}

int main(int argc, char **argv) {
    char corpus[4096];
    const char *source = getenv("srcdir"), *name = strrchr(argv[0], '/');
    name = name ? name + 1 : argv[0];
    name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    if (argc == 1) {
        snprintf(corpus, sizeof corpus, "%s/tests/fuzz/corpus/%s", source ? source : ".", name);
        failed |= replay(corpus);
    }
    if (failed || n_files == 0) {
        fprintf(stderr, "%s: nothing was replayed, or not all\n", name);
        return 1;
    }
    printf("[       OK ] %s: %u inputs\n", name, n_files);
    return 0;
}
