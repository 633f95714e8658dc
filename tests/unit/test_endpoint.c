#include "core/aws/endpoint.h"

#include <errno.h>

#include "base/text.h"
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
        {"cn-north", "aws", "https://dynamodb.cn-north.amazonaws.com/"},
        {"us-gov-west-1a", "aws", "https://dynamodb.us-gov-west-1a.amazonaws.com/"},
        {"eusc-fr-east-1", "aws", "https://dynamodb.eusc-fr-east-1.amazonaws.com/"},
        {"local", "aws", "http://localhost:8000/"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *url = NULL;
        assert_string_equal(endpoint_partition(rows[i].region)->name, rows[i].partition);
        assert_int_equal(endpoint_url(&(EndpointWish){}, rows[i].region, &url), 0);
        assert_string_equal(url, rows[i].url);
    }
}

static void wishes_have_their_hosts(void **state) {
    static const struct {
        EndpointWish wish;
        const char *region, *url, *signing;
    } rows[] = {
        {{.fips = true}, "us-east-1", "https://dynamodb-fips.us-east-1.amazonaws.com/", "us-east-1"},
        {{.dual_stack = true}, "cn-north-1", "https://dynamodb.cn-north-1.api.amazonwebservices.com.cn/", "cn-north-1"},
        {{.fips = true, .dual_stack = true},
         "us-gov-west-1",
         "https://dynamodb-fips.us-gov-west-1.api.aws/",
         "us-gov-west-1"},
        {{.fips = true}, "us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com/", "us-gov-west-1"},
        {{.service = ENDPOINT_KMS}, "eu-central-1", "https://kms.eu-central-1.amazonaws.com/", "eu-central-1"},
        {{.service = ENDPOINT_KMS, .fips = true},
         "us-gov-west-1",
         "https://kms-fips.us-gov-west-1.amazonaws.com/",
         "us-gov-west-1"},
        {{.service = ENDPOINT_KMS, .configured = "http://[::1]:1"}, "local", "http://[::1]:1/", "local"},
        {{.service = ENDPOINT_STS}, "us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov/", "us-iso-east-1"},
        {{.service = ENDPOINT_STS}, "aws-global", "https://sts.amazonaws.com/", "us-east-1"},
        {{.service = ENDPOINT_STS, .fips = true},
         "eu-west-1",
         "https://sts-fips.eu-west-1.amazonaws.com/",
         "eu-west-1"},
        {{.service = ENDPOINT_STS, .legacy = true}, "eu-west-1", "https://sts.amazonaws.com/", "us-east-1"},
        {{.service = ENDPOINT_STS, .legacy = true},
         "eu-south-1",
         "https://sts.eu-south-1.amazonaws.com/",
         "eu-south-1"},
        {{.service = ENDPOINT_STS, .legacy = true, .dual_stack = true},
         "eu-west-1",
         "https://sts.eu-west-1.api.aws/",
         "eu-west-1"},
        {{.service = ENDPOINT_STS, .legacy = true, .configured = "http://[::1]:1"},
         "eu-west-1",
         "http://[::1]:1/",
         "eu-west-1"},
        {{.legacy = true}, "eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com/", "eu-west-1"},
        {{}, "local", "http://localhost:8000/", "us-east-1"},
        {{.configured = "http://[::1]:1"}, "local", "http://[::1]:1/", "local"},
        {{.configured = "http://[::1]:1", .fips = true}, "eu-west-1", "http://[::1]:1/", "eu-west-1"},
        {{.dual_stack = true}, "local", NULL, "us-east-1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *url = NULL;
        assert_int_equal(endpoint_url(&rows[i].wish, rows[i].region, &url), rows[i].url ? 0 : -EOPNOTSUPP);
        assert_true(text_equal(url, rows[i].url));
        assert_string_equal(endpoint_signing_region(&rows[i].wish, rows[i].region), rows[i].signing);
    }
}

static void hosts_of_aws_are_known(void **state) {
    static const char *const yes[] = {"dynamodb.eu-west-1.amazonaws.com", "X.API.AWS",
                                      "sts.cn-north-1.amazonaws.com.cn", "dynamodb.us-isof-east-1.csp.hci.ic.gov"};
    static const char *const no[] = {"localhost", "amazonaws.com", "xamazonaws.com", "amazonaws.com.example.org", ""};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        assert_true(endpoint_is_amazon(yes[i], strlen(yes[i])));
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        assert_false(endpoint_is_amazon(no[i], strlen(no[i])));
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
        assert_int_equal(endpoint_url(&(EndpointWish){.configured = rows[i].given}, "eu-central-1", &url), 0);
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
        assert_int_equal(endpoint_url(&(EndpointWish){}, bad[i], &url), -EINVAL);
        assert_int_equal(endpoint_url(&(EndpointWish){.configured = "http://127.0.0.1"}, bad[i], &url), -EINVAL);
        assert_null(url);
    }
    assert_true(endpoint_region_is_valid("a23456789012345678901234567890123456789012345678901234567890123"));
}

UNIT_MAIN(cmocka_unit_test(regions_have_their_partition), cmocka_unit_test(wishes_have_their_hosts),
          cmocka_unit_test(hosts_of_aws_are_known), cmocka_unit_test(a_configured_url_is_taken),
          cmocka_unit_test(a_region_must_fit_into_a_host_name))
