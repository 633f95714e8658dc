#include "core/engine/engine_tag.h"

#include "unit.h"

static void kind_and_index_come_back(void **state) {
    static const uint64_t indexes[] = {0, 1, UINT64_C(1) << 32, (UINT64_C(1) << TAG_INDEX_BITS) - 1};
    for (TagKind kind = TAG_OF_RUN; kind <= TAG_OF_RECORD; kind++)
        for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
            assert_int_equal(tag_kind(tag_make(kind, indexes[i])), kind);
            assert_int_equal(tag_index(tag_make(kind, indexes[i])), indexes[i]);
        }
}

/* What sends a request names the run by it. */
static void the_tag_of_a_run_is_its_id(void **state) { assert_int_equal(tag_make(TAG_OF_RUN, 4711), 4711); }

UNIT_MAIN(cmocka_unit_test(kind_and_index_come_back), cmocka_unit_test(the_tag_of_a_run_is_its_id))
