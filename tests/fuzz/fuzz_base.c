/* The small grammars of src/base: dates of the wire, durations, sizes, numbers, patterns. What is read and printed
 * reads the same again. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good) {
    if (!good)
        abort();
}

static void dates(const char *s) {
    char text[DATE_ISO_SIZE], compact[DATE_COMPACT_SIZE], http[DATE_HTTP_SIZE];
    Usec wall, again;
    if (date_from_iso(s, &wall) == 0 && wall >= 0 && wall <= WALL_MAX) {
        require(date_from_iso(date_to_iso(wall, text), &again) == 0 && again == wall / USEC_PER_MSEC * USEC_PER_MSEC);
        require(date_from_iso(date_to_compact(wall, compact), &again) == 0 &&
                again == wall / USEC_PER_SEC * USEC_PER_SEC);
    }
    if (date_from_http(s, &wall) == 0 && wall >= 0)
        require(date_from_http(date_to_http(wall, http), &again) == 0 && again == wall);
}

static void spans(const char *s) {
    char duration[DURATION_SIZE], size_text[SIZE_TEXT_SIZE];
    Usec usec, again;
    uint64_t bytes;
    int64_t number;
    if (parse_duration(s, &usec) == 0) {
        require(usec >= 0 && parse_duration(duration_to_string(usec, duration), &again) == 0 && again <= usec);
    }
    if (parse_size(s, &bytes) == 0)
        size_to_string(bytes, size_text);
    if (parse_int(s, -5, 5, &number) == 0)
        require(number >= -5 && number <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *s = malloc(size + 1);
    if (!s)
        return 0;
    memcpy(s, data, size);
    s[size] = '\0';
    dates(s);
    spans(s);
    /* a pattern, a newline, a name */
    char *name = strchr(s, '\n');
    if (name) {
        *name++ = '\0';
        glob_match(s, name);
        require(glob_match("*", name));
        require(name_distance(s, name) == name_distance(name, s));
    }
    free(s);
    return 0;
}
