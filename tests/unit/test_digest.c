#include "core/format/crc32.h"
#include "core/format/digest.h"

#include "unit.h"

/* FIPS 180-4's examples and the hashes that are on every signed request. */
static void sha256_of_known_messages(void **state) {
    static const struct {
        const char *message, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char hex[DIGEST_HEX_SIZE];
        assert_int_equal(digest_sha256_hex(rows[i].message, strlen(rows[i].message), hex), 0);
        assert_string_equal(hex, rows[i].hex);
    }
    char hex[DIGEST_HEX_SIZE];
    assert_int_equal(digest_sha256_hex(NULL, 0, hex), 0);
    assert_string_equal(hex, rows[0].hex);
}

/* RFC 4231, test cases 1, 2 and 6, and empty inputs. */
static void hmac_of_known_messages(void **state) {
    char long_key[131];
    memset(long_key, 0xaa, sizeof long_key);
    const struct {
        const char *key;
        size_t n_key;
        const char *message, *hex;
    } rows[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {long_key, sizeof long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {NULL, 0, "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t digest[DIGEST_SIZE];
        char hex[DIGEST_HEX_SIZE];
        assert_int_equal(
            digest_hmac_sha256(rows[i].key, rows[i].n_key, rows[i].message, strlen(rows[i].message), digest), 0);
        digest_to_hex(digest, hex);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void crc32_of_known_messages(void **state) {
    static const struct {
        const char *message;
        uint32_t crc;
    } rows[] = {
        {"", 0},
        {"123456789", 0xcbf43926},
        {"{}", 2745614147},
        {"{\"TableNames\":[]}", 1315925753},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(crc32_of(rows[i].message, strlen(rows[i].message)), rows[i].crc);
}

UNIT_MAIN(cmocka_unit_test(sha256_of_known_messages), cmocka_unit_test(hmac_of_known_messages),
          cmocka_unit_test(crc32_of_known_messages))
