#include "core/conf/conf_check.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "core/aws/endpoint.h"
#include "core/aws/table_arn.h"
#include "core/conf/conf_expand.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool holds_only(const char *s, const char *allowed) { return s[strspn(s, allowed)] == '\0'; }
static bool begins(const char *s, const char *prefix) { return strncasecmp(s, prefix, strlen(prefix)) == 0; }

static bool no(Text *why, const char *reason) {
    text_add(why, reason);
    return false;
}

static bool ends(const char *s, const char *suffix) {
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

static bool check_name(const char *s, size_t max, Text *why) {
    if (!holds_only(s, LETTERS DIGITS "_-"))
        return no(why, "holds other characters than letters, digits, '_' and '-'");
    if (strlen(s) > max) {
        text_addf(why, "is longer than %zu characters", max);
        return false;
    }
    return true;
}

bool check_deployment(const char *s, Text *why) { return check_name(s, 32, why); }
bool check_schedule_name(const char *s, Text *why) { return check_name(s, 64, why); }

/* Is every '[' closed? An unclosed one matches nothing. */
static bool classes_are_closed(const char *s) {
    while ((s = strchr(s, '['))) {
        s++;
        if (*s == '!' || *s == '^')
            s++;
        s = *s ? strchr(s + 1, ']') : NULL; /* a ']' that comes first is a member */
        if (!s)
            return false;
    }
    return true;
}

bool check_table(const char *s, Text *why) {
    bool pattern = glob_is_pattern(s);
    TableArn arn;
    if (begins(s, "arn:") && (pattern || !table_arn_parse(s, &arn)))
        return no(why, "is no ARN of a table; HINT: such as "
                       "\"arn:aws:dynamodb:eu-central-1:111111111111:table/orders\", without wildcards");
    if (begins(s, "arn:") && strchr(arn.table, '/'))
        return no(why, "is the ARN of something that belongs to a table; HINT: end it behind the table's name");
    if (begins(s, "arn:"))
        return check_table(arn.table, why);
    if (strpbrk(s, ", ;"))
        return no(why, "is no name of a table; HINT: several are a list, [\"orders\", \"carts\"]");
    if (!holds_only(s, pattern ? LETTERS DIGITS "_.-*?[]!^" : LETTERS DIGITS "_.-"))
        return no(why,
                  "is no name of a table; HINT: letters, digits, '_', '.' and '-', or a pattern with *, ? and [ ]");
    if (!classes_are_closed(s))
        return no(why, "has a '[' that is never closed; HINT: a class of characters is written [a-z]");
    if (!pattern && strlen(s) < 3)
        return no(why,
                  "is too short for a table's name, which has 3 to 255 characters; HINT: a pattern holds *, ? or [ ]");
    return strlen(s) <= 255 || no(why, "is longer than the 255 characters of a table's name");
}

/* Letters of any script: bytes above 127. */
bool check_tag(const char *s, Text *why) {
    const char *equal = strchr(s, '=');
    if (equal && equal > s && (equal[-1] == ' ' || equal[1] == ' ' || *s == ' ' || ends(s, " ")))
        return no(why, "has blanks around key or value, which would be part of them; HINT: such as \"backup=yes\"");
    if (!equal || equal == s)
        return no(why, "is no tag; HINT: \"key=value\", or \"key=*\" for any value");
    for (const char *c = s; *c; c++)
        if (!((unsigned char)*c >= 0x80 || strchr(LETTERS DIGITS " +-=._:/@*?[]!^", *c)))
            return no(why, "is no tag; HINT: letters, digits, blanks and characters of +-=._:/@, and *, ? and [ ] for "
                           "others");
    if (!classes_are_closed(s))
        return no(why, "has a '[' that is never closed; HINT: a class of characters is written [a-z]");
    return strlen(s) <= 4 * (128 + 256) + 1 || no(why, "is longer than a tag can be");
}

bool check_region(const char *s, Text *why) {
    size_t n = strlen(s);
    if (!holds_only(s, LOWER DIGITS "-") || n > 64)
        return no(why, "is no region; HINT: such as \"eu-central-1\"");
    if (n > 4 && strchr(s, '-') && strchr(LOWER, s[n - 1]) && strchr(DIGITS, s[n - 2]) && s[n - 3] == '-') {
        text_addf(why, "is an availability zone; HINT: its region is \"%.*s\"", (int)n - 1, s);
        return false;
    }
    if (begins(s, "fips-") || (n > 5 && strcmp(s + n - 5, "-fips") == 0))
        return no(why, "is no region of its own; HINT: the region without \"fips\", and use_fips_endpoint = true");
    return true;
}

bool check_endpoint(const char *s, Text *why) {
    const char *form = "is no address of a service; HINT: such as \"https://dynamodb.eu-central-1.amazonaws.com\" or "
                       "\"http://127.0.0.1:8000\", without a path";
    bool plain = strncmp(s, "http://", 7) == 0;
    if (!plain && strncmp(s, "https://", 8) != 0)
        return no(why, form);
    const char *host = strstr(s, "://") + 3, *port;
    if (*host == '[') { /* an IPv6 address */
        size_t n = strspn(host + 1, DIGITS "abcdefABCDEF:.");
        if (n < 2 || host[1 + n] != ']')
            return no(why, form);
        port = host + n + 2;
    } else
        port = host + strspn(host, LETTERS DIGITS "-.");
    int64_t number;
    if (port == host || (*port && (*port != ':' || parse_int(port + 1, 1, 65535, &number) < 0 || port[1] == '-')))
        return no(why, form);
    if (plain && endpoint_is_amazon(host, (size_t)(port - host)))
        return no(why, "would send requests to AWS in the clear; HINT: https://");
    return true;
}

bool check_line(const char *s, Text *why) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return no(why, "holds a control character; HINT: take it out");
    return true;
}

bool check_path(const char *s, Text *why) {
    return *s == '/' ? check_line(s, why) : no(why, "is no absolute path; HINT: begin it with '/'");
}

/* S3 User Guide, "General purpose bucket naming rules". */
static bool is_reserved_bucket(const char *s) {
    return begins(s, "xn--") || begins(s, "sthree-") || begins(s, "amzn-s3-demo-") || ends(s, "-s3alias") ||
           ends(s, "--ol-s3") || ends(s, ".mrap") || ends(s, "--x-s3") || ends(s, "--table-s3");
}

bool check_bucket(const char *s, Text *why) {
    if (begins(s, "arn:"))
        return no(why, "is an ARN, which exports do not take; HINT: the bucket's name alone");
    if (begins(s, "s3:"))
        return no(why, "is an address; HINT: the bucket's name alone, and the rest in prefix");
    if (!conf_expand_check(s, why))
        return false;
    bool template = conf_expand_has_template(s);
    AUTO_FREE char *plain = NULL;
    int r = conf_expand_strip(s, &plain);
    if (r < 0) {
        why->error = r;
        return false;
    }
    size_t n = strlen(plain);
    if (strchr(plain, '/'))
        return no(why, "is no name of a bucket; HINT: the bucket's name alone, and the rest in prefix");
    if (strstr(plain, "${"))
        return no(why, "is no name of a bucket; HINT: templates are written %{region}");
    if (!holds_only(plain, LOWER DIGITS ".-"))
        return no(why, "is no name of a bucket; HINT: lower-case letters, digits, '-' and '.'");
    /* what a template stands for is not known yet */
    if (template)
        return n <= 63 || no(why, "is no name of a bucket; HINT: it has 3 to 63 characters");
    if (n < 3 || n > 63)
        return no(why, "is no name of a bucket; HINT: it has 3 to 63 characters");
    if (strchr(".-", plain[0]) || strchr(".-", plain[n - 1]) || strstr(plain, ".."))
        return no(why, "is no name of a bucket; HINT: a letter or a digit first and last, and no \"..\"");
    size_t n_dots = 0;
    for (const char *dot = strchr(plain, '.'); dot; dot = strchr(dot + 1, '.'))
        n_dots++;
    if (is_reserved_bucket(plain))
        return no(why, "is no name of a bucket for exports; HINT: S3 keeps names that begin with xn--, sthree- or "
                       "amzn-s3-demo-, and endings such as -s3alias and --x-s3, for itself");
    if (n_dots == 3 && holds_only(plain, DIGITS "."))
        return no(why, "is no name of a bucket; HINT: it must not look like an IP address");
    return true;
}

bool check_account(const char *s, Text *why) {
    return (strlen(s) == 12 && holds_only(s, DIGITS)) ||
           no(why, "is no account; HINT: its 12 digits, with leading zeros, without hyphens");
}

bool check_prefix(const char *s, Text *why) {
    if (*s == '/')
        return no(why, "begins with '/'; HINT: take it away");
    if (s[strlen(s) - 1] == '/')
        return no(why, "ends with '/', which is put there anyway; HINT: take it away");
    return check_line(s, why) && conf_expand_check(s, why);
}

bool check_kms_key(const char *s, Text *why) {
    return holds_only(s, LETTERS DIGITS ":/_-.") ||
           no(why, "is no key; HINT: the key's id, its ARN, or \"alias/NAME\"");
}

bool check_role_arn(const char *s, Text *why) {
    const char *form = "is no ARN of a role; HINT: such as \"arn:aws:iam::111111111111:role/ddbackupd\"";
    if (strncmp(s, "arn:aws", 7) != 0)
        return no(why, form);
    const char *rest = s + 4 + strcspn(s + 4, ":");
    if (strncmp(rest, ":iam::", 6) != 0)
        return no(why, form);
    rest += 6;
    if (strspn(rest, DIGITS) != 12 || strncmp(rest + 12, ":role/", 6) != 0)
        return no(why, form);
    rest += 18;
    return (*rest && holds_only(rest, LETTERS DIGITS "_+=,.@/-")) || no(why, form);
}

bool check_external_id(const char *s, Text *why) {
    size_t n = strlen(s);
    return (n >= 2 && holds_only(s, LETTERS DIGITS "_+=,.@:/-")) ||
           no(why, "is no external id; HINT: 2 to 1024 letters, digits and characters of _+=,.@:/-");
}

bool check_session_name(const char *s, Text *why) {
    size_t n = strlen(s);
    return (n >= 2 && n <= 64 && holds_only(s, LETTERS DIGITS "_+=,.@-")) ||
           no(why, "is no name of a session; HINT: 2 to 64 letters, digits and characters of _+=,.@-");
}
