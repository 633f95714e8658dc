#include "io/proxy.h"

#include "base/text.h"
#include "unit.h"

static void proxies_are_those_of_the_environment(void **state) {
    static const struct {
        const char *lower, *upper, *url, *proxy; /* NULL: curl reads the environment itself */
    } rows[] = {
        {"", "http://upper", "http://localhost:8000/", "http://upper"},
        {"http://lower", "http://upper", "http://localhost:8000/", NULL},
        {"", "", "http://localhost:8000/", NULL},
        {"", "http://upper", "https://dynamodb.eu-central-1.amazonaws.com/", NULL},
        {"http://lower", "http://upper", "http://169.254.169.254/latest/api/token", ""},
        {"http://lower", "http://upper", "http://169.254.170.2/v2/credentials", ""},
        {"http://lower", "http://upper", "http://[fd00:ec2::254]/latest/", ""},
        {"http://lower", "http://upper", "http://[FD00:EC2::23]/v1/credentials", ""},
        {"http://lower", "http://upper", "http://[fe80::1%25eth0]:80/", ""},
        {"http://lower", "http://upper", "https://[FEBF::1]/", ""},
        {"", "http://upper", "http://[fec0::1]/", "http://upper"},
        {"", "http://upper", "http://169.253.0.1/", "http://upper"},
        {"", "http://upper", "http://127.0.0.1/", "http://upper"},
        {"", "http://upper", "http://[::1]/", "http://upper"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        setenv("http_proxy", rows[i].lower, 1);
        setenv("HTTP_PROXY", rows[i].upper, 1);
        if (!text_equal(proxy_for(rows[i].url), rows[i].proxy))
            fail_msg("row %zu: %s", i, rows[i].url);
    }
}

UNIT_MAIN(cmocka_unit_test(proxies_are_those_of_the_environment))
