#include "base/id_map.h"

#include "unit.h"

#define N 3000

static void it_finds_what_is_in_it(void **state) {
    static IdNode nodes[N];
    static bool in[N];
    IdMap m = {};
    size_t n_in = 0;
    uint64_t random = 99;
    assert_null(id_map_get(&m, 1));
    id_map_remove(&m, &nodes[0]);
    for (size_t i = 0; i < N; i++) /* neighbours, multiples of a large power of two, and the ends of the range */
        nodes[i] = (IdNode){.id = i % 2 ? UINT64_MAX - i : i << 40, .owner = &nodes[i]};
    for (int round = 0; round < 30000; round++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t i = (random >> 33) % N;
        if (in[i])
            id_map_remove(&m, &nodes[i]);
        else
            assert_int_equal(id_map_put(&m, &nodes[i]), 0);
        in[i] = !in[i];
        n_in += in[i] ? 1 : (size_t)-1;
        assert_int_equal(m.n_nodes, n_in);
        assert_ptr_equal(id_map_get(&m, nodes[i].id), in[i] ? &nodes[i] : NULL);
    }
    size_t longest = 0;
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(id_map_get(&m, nodes[i].id), in[i] ? &nodes[i] : NULL);
    for (size_t i = 0; i < m.n_chains; i++) {
        size_t length = 0;
        for (const IdNode *node = m.chains[i]; node; node = node->next)
            length++;
        longest = length > longest ? length : longest;
    }
    assert_in_range(longest, 1, 12);
    id_map_done(&m);
    assert_null(id_map_get(&m, nodes[0].id));
}

UNIT_MAIN(cmocka_unit_test(it_finds_what_is_in_it))
