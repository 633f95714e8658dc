#include "core/endpoint.h"

#include "unit.h"

static void regions_have_their_partition(void **state) {
    static const struct {
        const char *region, *partition, *url;
    } rows[] = {
        {"us-east-1", "aws", "https://dynamodb.us-east-1.amazonaws.com/"},
        {"eu-central-1", "aws", "https://dynamodb.eu-central-1.amazonaws.com/"},
        {"xx-future-9", "aws", "https://dynamodb.xx-future-9.amazonaws.com/"},
        {"us-gov-west-1", "aws-us-gov", "https://dynamodb.us-gov-west-1.amazonaws.com/"},
        {"cn-north-1", "aws-cn", "https://dynamodb.cn-north-1.amazonaws.com.cn/"},
        {"cn-northwest-1", "aws-cn", "https://dynamodb.cn-northwest-1.amazonaws.com.cn/"},
        {"us-iso-east-1", "aws-iso", "https://dynamodb.us-iso-east-1.c2s.ic.gov/"},
        {"us-isob-east-1", "aws-iso-b", "https://dynamodb.us-isob-east-1.sc2s.sgov.gov/"},
        {"eu-isoe-west-1", "aws-iso-e", "https://dynamodb.eu-isoe-west-1.cloud.adc-e.uk/"},
        {"us-isof-south-1", "aws-iso-f", "https://dynamodb.us-isof-south-1.csp.hci.ic.gov/"},
        {"eusc-de-east-1", "aws-eusc", "https://dynamodb.eusc-de-east-1.amazonaws.eu/"},
        {"aws-cn-global", "aws-cn", "https://dynamodb.aws-cn-global.amazonaws.com.cn/"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *url = NULL;
        assert_string_equal(endpoint_partition(rows[i].region)->name, rows[i].partition);
        assert_int_equal(endpoint_url(NULL, rows[i].region, &url), 0);
        assert_string_equal(url, rows[i].url);
    }
}

static void a_configured_url_is_taken(void **state) {
    static const struct {
        const char *given, *url;
    } rows[] = {
        {"http://127.0.0.1:8000", "http://127.0.0.1:8000/"},
        {"http://127.0.0.1:8000/", "http://127.0.0.1:8000/"},
        {"https://vpce-1.example.com/path", "https://vpce-1.example.com/path"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *url = NULL;
        assert_int_equal(endpoint_url(rows[i].given, "eu-central-1", &url), 0);
        assert_string_equal(url, rows[i].url);
    }
}

static void a_region_must_fit_into_a_host_name(void **state) {
    static const char *const bad[] = {
        "", "EU-CENTRAL-1", "eu central", "eu.central", "eu/central", "a@b", "eu-c\xc3\xa4ntral-1",
        "a234567890123456789012345678901234567890123456789012345678901234",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *url = NULL;
        assert_false(endpoint_region_is_valid(bad[i]));
        assert_int_equal(endpoint_url(NULL, bad[i], &url), -EINVAL);
        assert_int_equal(endpoint_url("http://127.0.0.1", bad[i], &url), -EINVAL);
        assert_null(url);
    }
    assert_true(endpoint_region_is_valid("a23456789012345678901234567890123456789012345678901234567890123"));
}

UNIT_MAIN(cmocka_unit_test(regions_have_their_partition), cmocka_unit_test(a_configured_url_is_taken),
          cmocka_unit_test(a_region_must_fit_into_a_host_name))
