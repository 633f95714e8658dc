#include "sim/service_auth.h"

#include "base/date.h"
#include "unit.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW INT64_C(1767323045000000) /* 2026-01-02T03:04:05Z */

typedef struct Vector {
    const char *method, *target, *body, *service, *region, *signed_headers;
    ServiceHeader headers[6];
    const char *canonical, *signature;
} Vector;

/* Known answers of botocore 1.43.11. */
static const Vector vectors[] = {
    {"POST",
     "/",
     "{\"TableName\":\"Music\",\"BackupName\":\"ddbackupd-music-20260102T030405Z\"}",
     "dynamodb",
     "us-east-1",
     "content-type;host;x-amz-date;x-amz-target",
     {{"Host", "dynamodb.us-east-1.amazonaws.com"},
      {"Content-Type", "application/x-amz-json-1.0"},
      {"X-Amz-Target", "DynamoDB_20120810.CreateBackup"},
      {"X-Amz-Date", "20260102T030405Z"}},
     "POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:dynamodb.us-east-1.amazonaws.com\n"
     "x-amz-date:20260102T030405Z\nx-amz-target:DynamoDB_20120810.CreateBackup\n\n"
     "content-type;host;x-amz-date;x-amz-target\naae4e30d1e3d79ca95043c2b37e0ddb6693ae19eb9a6d4d54a149fc64fae6389",
     "b2e9771f8c8b5aafd2f8ec9787169b3cb2b62e10a1a4123ec9e1bfca49c15928"},
    {"POST",
     "/",
     "{}",
     "dynamodb",
     "eu-west-1",
     "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
     {{"content-type", "  application/x-amz-json-1.0 "},
      {"x-amz-target", "DynamoDB_20120810.ListBackups"},
      {"x-amz-date", "20260102T030405Z"},
      {"host", "dynamodb.eu-west-1.amazonaws.com"},
      {"x-amz-security-token", "TOKEN/EXAMPLE=="}},
     "POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:dynamodb.eu-west-1.amazonaws.com\n"
     "x-amz-date:20260102T030405Z\nx-amz-security-token:TOKEN/EXAMPLE==\nx-amz-target:DynamoDB_20120810.ListBackups\n\n"
     "content-type;host;x-amz-date;x-amz-security-token;x-amz-target\n"
     "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
     "59bf6a93167041edb57bae7d0db3a3c79208a3c9ea51af24028905a7f0a47a50"},
    {"GET",
     "/pre%20fix/AWSDynamoDB/01693685827463-2d8752fd/manifest-summary.json",
     "",
     "s3",
     "us-east-1",
     "host;x-amz-content-sha256;x-amz-date",
     {{"Host", "bkt.s3.us-east-1.amazonaws.com"},
      {"X-Amz-Date", "20260102T030405Z"},
      {"X-Amz-Content-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
     "GET\n/pre%20fix/AWSDynamoDB/01693685827463-2d8752fd/manifest-summary.json\n\n"
     "host:bkt.s3.us-east-1.amazonaws.com\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "x-amz-date:20260102T030405Z\n\nhost;x-amz-content-sha256;x-amz-date\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "ac7dd45a0edfd31b1b66b7a5bfbf3179914f89a2d7c9dab4eeb03ec875517aa4"},
    {"GET",
     "/my.bkt?list-type=2&prefix=a%20b%2f%c3%bc&max-keys=10",
     "",
     "s3",
     "us-east-1",
     "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
     {{"Host", "s3.us-east-1.amazonaws.com"},
      {"X-Amz-Date", "20260102T030405Z"},
      {"X-Amz-Security-Token", "TOKEN/EXAMPLE=="},
      {"X-Amz-Content-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
     "GET\n/my.bkt\nlist-type=2&max-keys=10&prefix=a%20b%2F%C3%BC\nhost:s3.us-east-1.amazonaws.com\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "x-amz-date:20260102T030405Z\nx-amz-security-token:TOKEN/EXAMPLE==\n\n"
     "host;x-amz-content-sha256;x-amz-date;x-amz-security-token\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "c120cc4e2c510e1de33749990221714d5c4761e8bc976472ded3cb068956032f"},
    {"POST",
     "/",
     "Action=GetCallerIdentity&Version=2011-06-15",
     "sts",
     "us-west-2",
     "content-type;host;x-amz-date",
     {{"Host", "sts.us-west-2.amazonaws.com"},
      {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
      {"X-Amz-Date", "20260102T030405Z"}},
     "POST\n/\n\ncontent-type:application/x-www-form-urlencoded; charset=utf-8\nhost:sts.us-west-2.amazonaws.com\n"
     "x-amz-date:20260102T030405Z\n\ncontent-type;host;x-amz-date\n"
     "ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843",
     "746791eeb13ecd8d5fcea708e607783136562ba6c3f903f171c3f787690744a8"},
};

static size_t count_headers(const Vector *v) {
    size_t n = 0;
    while (n < ARRAY_SIZE(v->headers) && v->headers[n].name)
        n++;
    return n;
}

static ServiceRequest request_of(const Vector *v) {
    return (ServiceRequest){.method = v->method,
                            .target = v->target,
                            .headers = v->headers,
                            .n_headers = count_headers(v),
                            .body = v->body,
                            .body_len = strlen(v->body)};
}

static void known_answers(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        const Vector *v = &vectors[i];
        ServiceRequest q = request_of(v);
        AUTO_TEXT canonical = TEXT_INIT(10000);
        char hash[SERVICE_AUTH_HEX_SIZE], signature[SERVICE_AUTH_HEX_SIZE];
        assert_int_equal(service_auth_canonical(&q, v->signed_headers, strcmp(v->service, "s3") == 0, &canonical), 0);
        assert_string_equal(text_get(&canonical), v->canonical);
        assert_int_equal(service_auth_hash(canonical.data, canonical.len, hash), 0);
        AUTO_FREE char *to_sign = text_format("AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/%s/%s/aws4_request\n%s",
                                              v->region, v->service, hash);
        assert_int_equal(service_auth_sign(SECRET, "20260102", v->region, v->service, to_sign, signature), 0);
        assert_string_equal(signature, v->signature);
    }
}

static void paths_and_queries(void **state) {
    static const struct {
        const char *target;
        bool s3;
        const char *lines; /* the second and third line of the canonical request */
    } rows[] = {
        {"/", false, "/\n\n"},
        {"", false, "/\n\n"},
        {"//a///b/", false, "/a/b/\n\n"},
        {"/a/./b/../c", false, "/a/c\n\n"},
        {"/../..", false, "/\n\n"},
        {"/a%20b", false, "/a%2520b\n\n"},
        {"/a%20b//c", true, "/a%20b//c\n\n"},
        {"/?b=2&a=1&a=0", false, "/\na=0&a=1&b=2\n"},
        {"/?a-b=1&a=2", false, "/\na=2&a-b=1\n"},
        {"/?flag&x=a+b", false, "/\nflag=&x=a%2Bb\n"},
        {"/?x=%7e%2f", false, "/\nx=~%2F\n"},
        {"/?&&", false, "/\n\n"},
        {"/?x=%", false, "/\nx=%25\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ServiceRequest q = {.method = "GET", .target = rows[i].target};
        AUTO_TEXT t = TEXT_INIT(10000);
        assert_int_equal(service_auth_canonical(&q, "host", rows[i].s3, &t), 0);
        AUTO_FREE char *begin = text_format("GET\n%s", rows[i].lines);
        if (!text_starts_with(text_get(&t), begin))
            fail_msg("%s gives %s", rows[i].target, text_get(&t));
    }
}

static void header_values(void **state) {
    static const ServiceHeader headers[] = {{"X-B", "  a   b\t c "}, {"x-a", "1"}, {"X-A", " 2 "}, {"X-Empty", ""}};
    ServiceRequest q = {.method = "GET", .target = "/", .headers = headers, .n_headers = ARRAY_SIZE(headers)};
    AUTO_TEXT t = TEXT_INIT(10000);
    assert_int_equal(service_auth_canonical(&q, "x-a;x-b;x-empty", false, &t), 0);
    assert_non_null(strstr(text_get(&t), "\nx-a:1,2\nx-b:a b c\nx-empty:\n\nx-a;x-b;x-empty\n"));
}

#define AUTHORIZATION(key, scope, headers, signature)                                                                  \
    "AWS4-HMAC-SHA256 Credential=" key "/" scope ", SignedHeaders=" headers ", Signature=" signature
#define SCOPE "20260102/us-east-1/dynamodb/aws4_request"
#define HEADERS "content-type;host;x-amz-date;x-amz-target"
#define SIGNATURE "b2e9771f8c8b5aafd2f8ec9787169b3cb2b62e10a1a4123ec9e1bfca49c15928"
#define GOOD AUTHORIZATION("AKIDEXAMPLE", SCOPE, HEADERS, SIGNATURE)

static void check(const char *authorization, const char *date, const char *body, const char *token, const char *region,
                  Usec now, const char *code, const char *message) {
    const Vector *v = &vectors[0];
    ServiceHeader headers[8];
    size_t n = count_headers(v);
    memcpy(headers, v->headers, sizeof v->headers);
    if (date)
        headers[n - 1].value = date;
    else
        n--;
    if (authorization)
        headers[n++] = (ServiceHeader){"Authorization", authorization};
    if (token)
        headers[n++] = (ServiceHeader){"X-Amz-Security-Token", token};
    ServiceRequest q = request_of(v);
    q.headers = headers;
    q.n_headers = n;
    if (body) {
        q.body = body;
        q.body_len = strlen(body);
    }
    ServiceAuthKey key = {
        .access_key = "AKIDEXAMPLE", .secret_key = SECRET, .service = "dynamodb", .region = region};
    ServiceAuthResult result;
    assert_int_equal(service_auth_check(&q, &key, now, &result), 0);
    if (!text_equal(result.code, code))
        fail_msg("%s: %s, expected %s", authorization, result.code ? result.code : "genuine", code ? code : "genuine");
    if (message && !text_starts_with(text_get(&result.message), message))
        fail_msg("%s, expected %s", text_get(&result.message), message);
    text_done(&result.message);
}

static void refusals(void **state) {
    static const char date[] = "20260102T030405Z", invalid[] = "InvalidSignatureException",
                      incomplete[] = "IncompleteSignatureException";
    check(GOOD, date, NULL, NULL, NULL, NOW, NULL, NULL);
    check(GOOD, date, NULL, NULL, "us-east-1", NOW, NULL, NULL);
    /* no blanks between the parts are needed */
    check("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" SCOPE ",SignedHeaders=" HEADERS ",Signature=" SIGNATURE, date,
          NULL, NULL, NULL, NOW, NULL, NULL);
    /* five minutes to both sides, and not a second more */
    check(GOOD, date, NULL, NULL, NULL, NOW + 300 * USEC_PER_SEC, NULL, NULL);
    check(GOOD, date, NULL, NULL, NULL, NOW - 300 * USEC_PER_SEC, NULL, NULL);
    check(GOOD, date, NULL, NULL, NULL, NOW + 301 * USEC_PER_SEC, invalid,
          "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)");
    check(GOOD, date, NULL, NULL, NULL, NOW - 301 * USEC_PER_SEC, invalid,
          "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 "
          "min.)");
    check(GOOD, date, "{}", NULL, NULL, NOW, invalid,
          "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
          "Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this "
          "request should have been\n'POST\n/\n\ncontent-type:");
    check(GOOD, "20260102T030406Z", NULL, NULL, NULL, NOW, invalid, "The request signature we calculated does not");
    check(GOOD, date, NULL, NULL, "eu-west-1", NOW, invalid,
          "Credential should be scoped to a valid region, not 'us-east-1'. ");
    check(GOOD, date, NULL, "TOKEN", NULL, NOW, "UnrecognizedClientException",
          "The security token included in the request is invalid");
    check(NULL, date, NULL, NULL, NULL, NOW, "MissingAuthenticationTokenException",
          "Request is missing Authentication Token");
    check("Bearer x", date, NULL, NULL, NULL, NOW, "MissingAuthenticationTokenException", NULL);
    check("AWS4-HMAC-SHA256 Credential=a", date, NULL, NULL, NULL, NOW, incomplete,
          "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' "
          "parameter. Authorization=AWS4-HMAC-SHA256 Credential=a");
    check(GOOD, NULL, NULL, NULL, NULL, NOW, incomplete,
          "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    check(GOOD, "yesterday", NULL, NULL, NULL, NOW, incomplete,
          "Date must be in ISO-8601 'basic format'. Got 'yesterday'.");
    check(AUTHORIZATION("AKIDEXAMPLE", SCOPE, "x-amz-date", SIGNATURE), date, NULL, NULL, NULL, NOW, invalid,
          "'Host' must be a 'SignedHeader'");
    check("AWS4-HMAC-SHA1 Credential=AKIDEXAMPLE/" SCOPE ", SignedHeaders=" HEADERS ", Signature=" SIGNATURE, date,
          NULL, NULL, NULL, NOW, incomplete, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'");
    check(AUTHORIZATION("AKIDEXAMPLE", "20260102/us-east-1", HEADERS, SIGNATURE), date, NULL, NULL, NULL, NOW,
          incomplete, "Credential must have exactly 5 slash-delimited elements");
    check(AUTHORIZATION("AKIDEXAMPLE", "20260101/nowhere/s3/aws5", HEADERS, SIGNATURE), date, NULL, NULL, NULL, NOW,
          invalid,
          "Credential should be scoped to a valid region, not 'nowhere'. Credential should be scoped to correct "
          "service: 'dynamodb'. Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. Date "
          "in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260101' != "
          "'20260102', from '20260102T030405Z'. ");
    check(AUTHORIZATION("AKIDOTHER", SCOPE, HEADERS, SIGNATURE), date, NULL, NULL, NULL, NOW,
          "UnrecognizedClientException", "The security token included in the request is invalid.");
    check(AUTHORIZATION("AKIDEXAMPLE", SCOPE, HEADERS, "b2e9"), date, NULL, NULL, NULL, NOW, invalid, NULL);
}

/* A temporary key is good with its token alone. */
static void session_tokens(void **state) {
    const Vector *v = &vectors[1];
    ServiceHeader headers[8];
    size_t n = count_headers(v);
    memcpy(headers, v->headers, sizeof v->headers);
    headers[n] = (ServiceHeader){
        "Authorization",
        AUTHORIZATION("AKIDEXAMPLE", "20260102/eu-west-1/dynamodb/aws4_request",
                      "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
                      "59bf6a93167041edb57bae7d0db3a3c79208a3c9ea51af24028905a7f0a47a50")};
    ServiceRequest q = request_of(v);
    q.headers = headers;
    q.n_headers = n + 1;
    static const struct {
        const char *token;
        bool good;
    } rows[] = {{"TOKEN/EXAMPLE==", true}, {"another", false}, {NULL, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ServiceAuthKey key = {.access_key = "AKIDEXAMPLE",
                              .secret_key = SECRET,
                              .session_token = rows[i].token,
                              .service = "dynamodb"};
        ServiceAuthResult result;
        assert_int_equal(service_auth_check(&q, &key, NOW, &result), 0);
        assert_true(text_equal(result.code, rows[i].good ? NULL : "UnrecognizedClientException"));
        assert_string_equal(result.key_id, "AKIDEXAMPLE");
        assert_string_equal(result.region, "eu-west-1");
        text_done(&result.message);
    }
}

UNIT_MAIN(cmocka_unit_test(known_answers), cmocka_unit_test(paths_and_queries), cmocka_unit_test(header_values),
          cmocka_unit_test(refusals), cmocka_unit_test(session_tokens))
