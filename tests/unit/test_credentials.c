#include "core/credentials.h"

#include "base/text.h"

#include "unit.h"

#define KEYS(n) "aws_access_key_id = AKID" n "\naws_secret_access_key = secret" n "\n"

typedef struct Row {
    const char *profile;
    bool config_file;
    const char *text;
    int result;
    unsigned line;                  /* with -EBADMSG */
    const char *key_id, *secret, *token; /* with 0 */
} Row;

static const Row rows[] = {
    /* the two forms of sections */
    {"default", false, "[default]\n" KEYS("1"), 0, 0, "AKID1", "secret1", NULL},
    {"default", true, "[default]\n" KEYS("1"), 0, 0, "AKID1", "secret1", NULL},
    {"ops", false, "[default]\n" KEYS("1") "[ops]\n" KEYS("2") "aws_session_token = T/+=\n", 0, 0, "AKID2", "secret2",
     "T/+="},
    {"ops", true, "[profile ops]\n" KEYS("2") "[default]\n" KEYS("1"), 0, 0, "AKID2", "secret2", NULL},
    {"ops", true, "[ops]\n" KEYS("2"), -ENOENT},
    {"ops", false, "[profile ops]\n" KEYS("2"), -ENOENT},
    {"profile ops", false, "[profile ops]\n" KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
    {"op", false, "[ops]\n" KEYS("2") "[o]\n" KEYS("3"), -ENOENT},
    {"Ops", false, "[ops]\n" KEYS("2"), -ENOENT},
    {"ops", true, "[profile\t ops ]\n" KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
    {"my ops", true, "[profile \"my ops\"]\n" KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
    {"ops", true, "[profileops]\n" KEYS("2"), -ENOENT},
    {"ops", true, "[sso-session ops]\n" KEYS("2") "[services ops]\n" KEYS("3"), -ENOENT},
    {"ops", false, "", -ENOENT},
    {"ops", false, "# nothing\n", -ENOENT},
    {"ops", false, "[ops]\n", -ENOENT},
    {"ops", false, "[ops]\nregion = eu-central-1\n", -ENOENT},
    /* [profile default] and [default] */
    {"default", true, "[default]\n" KEYS("1") "[profile default]\n" KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
    {"default", true, "[profile default]\n" KEYS("2") "[default]\n" KEYS("1") "aws_session_token = T\n", 0, 0, "AKID2",
     "secret2", NULL},
    {"default", true, "[default]\n" KEYS("1") "[profile default]\nregion = x\n", -ENOENT},
    /* white space, comments, line ends, duplicates */
    {"ops", false, "\xef\xbb\xbf[ops]\r\naws_access_key_id=AKID2\r\naws_secret_access_key=secret2\r\n", 0, 0, "AKID2",
     "secret2", NULL},
    {"ops", false, "  [ ops ]  \n  aws_access_key_id  =\tAKID2  \n  aws_secret_access_key = secret2", 0, 0, "AKID2",
     "secret2", NULL},
    {"ops", false, "[ops] # mine\n; x\n\n#y\n" KEYS("2") "aws_session_token = abc#def ;old\n", 0, 0, "AKID2", "secret2",
     "abc#def"},
    {"ops", false, "[ops]\naws_access_key_id : AKID2\nAWS_Secret_Access_Key = sec=ret:2\n", 0, 0, "AKID2", "sec=ret:2",
     NULL},
    {"ops", false, "[ops]\n" KEYS("1") KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
    {"ops", false, "[ops]\naws_access_key_id = AKID2\n[x]\n" KEYS("1") "[ops]\naws_secret_access_key = secret2\n", 0, 0,
     "AKID2", "secret2", NULL},
    {"ops", false, "[ops]\n" KEYS("2") "aws_session_token =\n", 0, 0, "AKID2", "secret2", NULL},
    {"ops", false, "[ops]\naws_access_key_id =\naws_secret_access_key =\n", -ENOENT},
    /* nested values are no keys of the profile */
    {"ops", true, "[profile ops]\ns3 =\n  aws_access_key_id = NO\n\n  x\n" KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
    {"ops", true, "[profile x]\nservices = y\n  [profile ops]\n[profile ops]\n" KEYS("2"), 0, 0, "AKID2", "secret2",
     NULL},
    /* damaged */
    {"ops", false, "aws_access_key_id = AKID\n[ops]\n" KEYS("2"), -EBADMSG, 1},
    {"ops", false, "[ops]\n" KEYS("2") "nonsense\n", -EBADMSG, 4},
    {"ops", false, "[ops]\n" KEYS("2") "= x\n", -EBADMSG, 4},
    {"ops", false, "[x]\nnonsense\n[ops]\n" KEYS("2"), -EBADMSG, 2},
    {"ops", false, "\n[ops\n" KEYS("2"), -EBADMSG, 2},
    {"ops", false, "[ops]\naws_access_key_id = AKID2\n", -EBADMSG, 2},
    {"ops", false, "[ops]\n\naws_secret_access_key = secret2\n", -EBADMSG, 3},
    {"ops", false, "[ops]\n" KEYS("2") "aws_session_token = abc\n  def\n", -EBADMSG, 4},
    {"ops", false, "[ops]\naws_access_key_id = AKID 2\naws_secret_access_key = secret2\n", -EBADMSG, 2},
    {"ops", false, "[ops]\naws_access_key_id = AKID2\naws_secret_access_key = sec\xc3\xa4\n", -EBADMSG, 3},
    {"ops", false, "[ops]\naws_access_key_id = AK\rID\naws_secret_access_key = secret2\n", -EBADMSG, 2},
    /* another origin of credentials: static keys beside it are another identity's */
    {"ops", true, "[profile ops]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n", -EBADMSG, 2},
    {"ops", true, "[profile ops]\n" KEYS("2") "role_arn = arn:aws:iam::1:role/x\n", -EBADMSG, 4},
    {"ops", true, "[profile ops]\ncredential_process = /bin/x\n", -EBADMSG, 2},
    {"ops", true, "[profile ops]\nsso_session = corp\n", -EBADMSG, 2},
    {"ops", true, "[profile ops]\nweb_identity_token_file = /t\n", -EBADMSG, 2},
    {"ops", true, "[profile x]\nrole_arn = r\n[profile ops]\n" KEYS("2"), 0, 0, "AKID2", "secret2", NULL},
};

static void profiles_are_read(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Row *row = &rows[i];
        CLEANUP(credentials_free_ptr) Credentials *c = NULL;
        const char *why = NULL;
        unsigned line = 0;
        int r = credentials_from_profile(row->text, strlen(row->text), row->profile, row->config_file, &c, &why, &line);
        if (r != row->result || line != row->line)
            print_error("row %zu: %d at line %u (%s)\n", i, r, line, why ? why : "");
        assert_int_equal(r, row->result);
        assert_int_equal(line, row->line);
        assert_int_equal(why != NULL, r == -EBADMSG);
        assert_int_equal(c != NULL, r == 0);
        if (r < 0)
            continue;
        assert_string_equal(c->access_key_id, row->key_id);
        assert_string_equal(c->secret_access_key.bytes, row->secret);
        assert_int_equal(c->session_token.bytes != NULL, row->token != NULL);
        if (row->token)
            assert_string_equal(c->session_token.bytes, row->token);
        assert_true(c->expires_wall == USEC_INFINITY);
        assert_null(c->source);
    }
}

static void a_nul_in_a_key_is_refused(void **state) {
    static const char text[] = "[ops]\naws_access_key_id = AK\0ID\naws_secret_access_key = s\n";
    Credentials *c = NULL;
    const char *why = NULL;
    unsigned line = 0;
    assert_int_equal(credentials_from_profile(text, sizeof text - 1, "ops", false, &c, &why, &line), -EBADMSG);
    assert_int_equal(line, 2);
}

static void values_are_found(void **state) {
    static const char text[] = "[default]\nregion = us-east-1\n[profile ops]\nREGION = eu-central-1 # here\noutput=\n"
                               "s3 =\n  region = x\nrole_arn = r\n";
    static const struct {
        const char *profile, *key, *value; /* NULL: -ENOENT */
    } values[] = {
        {"default", "region", "us-east-1"}, {"ops", "region", "eu-central-1"}, {"ops", "output", NULL},
        {"ops", "s3", NULL},                {"ops", "missing", NULL},          {"none", "region", NULL},
        {"ops", "role_arn", "r"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        AUTO_FREE char *value = NULL;
        int r = profile_value(text, sizeof text - 1, values[i].profile, true, values[i].key, &value);
        assert_int_equal(r, values[i].value ? 0 : -ENOENT);
        if (values[i].value)
            assert_string_equal(value, values[i].value);
    }
    AUTO_FREE char *value = NULL;
    assert_int_equal(profile_value("x\n", 2, "ops", true, "region", &value), -ENOENT);
}

static void copies_are_equal_and_apart(void **state) {
    static const char text[] = "[a]\n" KEYS("1") "aws_session_token = T\n[b]\n" KEYS("1");
    CLEANUP(credentials_free_ptr) Credentials *a = NULL;
    CLEANUP(credentials_free_ptr) Credentials *b = NULL;
    CLEANUP(credentials_free_ptr) Credentials *copy = NULL;
    const char *why;
    unsigned line;
    assert_int_equal(credentials_from_profile(text, sizeof text - 1, "a", false, &a, &why, &line), 0);
    assert_int_equal(credentials_from_profile(text, sizeof text - 1, "b", false, &b, &why, &line), 0);
    assert_int_equal(text_set(&a->source, "here"), 0);
    assert_int_equal(credentials_copy(a, &copy), 0);
    assert_string_equal(copy->source, "here");
    assert_true(credentials_equal(a, copy));
    assert_false(credentials_equal(a, b)); /* the token */
    assert_int_equal(text_set(&copy->source, "there"), 0);
    assert_true(credentials_equal(a, copy));
    copy->expires_wall = 1;
    assert_false(credentials_equal(a, copy));
    copy->expires_wall = a->expires_wall;
    copy->secret_access_key.bytes[0] = 'S';
    assert_false(credentials_equal(a, copy));
    credentials_free(NULL);
}

UNIT_MAIN(cmocka_unit_test(profiles_are_read), cmocka_unit_test(a_nul_in_a_key_is_refused),
          cmocka_unit_test(values_are_found), cmocka_unit_test(copies_are_equal_and_apart))
