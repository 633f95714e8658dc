#include "base/heap.h"

#include "unit.h"

#define N 500

static void first_is_always_the_earliest(void **state) {
    static HeapNode nodes[N];
    Heap h = {};
    unsigned random = 12345;
    for (size_t i = 0; i < N; i++)
        nodes[i] = HEAP_NODE(&nodes[i]);
    for (int round = 0; round < 20000; round++) {
        random = random * 1103515245 + 12345;
        HeapNode *node = &nodes[random / 65536 % N];
        random = random * 1103515245 + 12345;
        Usec at = random / 65536 % 5 == 0 ? USEC_INFINITY : (Usec)(random / 65536 % 1000);
        assert_int_equal(heap_set(&h, node, at), 0);
        Usec earliest = USEC_INFINITY;
        for (size_t i = 0; i < N; i++)
            earliest = usec_min(earliest, nodes[i].at);
        assert_true(heap_next(&h) == earliest);
        if (earliest != USEC_INFINITY) {
            assert_null(heap_due(&h, earliest - 1));
            assert_true(((HeapNode *)heap_due(&h, earliest))->at == earliest);
        }
    }
    heap_done(&h);
    assert_true(nodes[0].at == USEC_INFINITY);
}

UNIT_MAIN(cmocka_unit_test(first_is_always_the_earliest))
