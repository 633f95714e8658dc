#include "sim/service_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 38
#define MAX_EXPONENT 126  /* 0.9e126 is the largest that there is */
#define MIN_EXPONENT -129 /* and 0.1e-129 the smallest */
#define MAX_MEMBERS 20000

static int refuse(Text *why, const char *format, ...) PRINTF_LIKE(2, 3);

static int refuse(Text *why, const char *format, ...) {
    va_list args;
    text_clear(why);
    va_start(args, format);
    int rc = text_addfv(why, format, args);
    va_end(args);
    return rc < 0 ? rc : -EINVAL;
}

/* ---- numbers ---- */

/* 0.DIGITS times ten to the exponent. */
typedef struct Decimal {
    bool is_negative;
    char digits[MAX_DIGITS + 1];
    int n_digits, exponent;
} Decimal;

/* Takes the digits before the point, then those after it; zeros at either end do not count. -ERANGE: too many. */
static int take_digits(const char **s, Decimal *d, bool is_fraction, bool *any, int *n_zeros) {
    for (; **s >= '0' && **s <= '9'; (*s)++, *any = true) {
        bool leads = d->n_digits == 0 && **s == '0';
        if (!is_fraction && !leads)
            d->exponent++;
        if (is_fraction && leads)
            d->exponent--;
        if (leads)
            continue;
        if (**s == '0') {
            ++*n_zeros;
            continue;
        }
        if (d->n_digits + *n_zeros >= MAX_DIGITS)
            return -ERANGE;
        for (; *n_zeros > 0; --*n_zeros)
            d->digits[d->n_digits++] = '0';
        d->digits[d->n_digits++] = **s;
    }
    return 0;
}

static int decimal_parse(const char *s, Decimal *d) {
    bool any = false;
    int n_zeros = 0;
    *d = (Decimal){.is_negative = *s == '-'};
    s += *s == '-' || *s == '+';
    int rc = take_digits(&s, d, false, &any, &n_zeros);
    if (rc >= 0 && *s == '.') {
        s++;
        rc = take_digits(&s, d, true, &any, &n_zeros);
    }
    if (rc < 0 || !any)
        return rc < 0 ? rc : -EINVAL;
    if (*s == 'e' || *s == 'E') {
        char *end;
        if (!(s[1] >= '0' && s[1] <= '9') && !((s[1] == '-' || s[1] == '+') && s[2] >= '0' && s[2] <= '9'))
            return -EINVAL;
        long exponent = strtol(s + 1, &end, 10);
        if (exponent > 1000 || exponent < -1000)
            return d->n_digits > 0 || *end ? -ERANGE : 0;
        d->exponent += (int)exponent;
        s = end;
    }
    if (*s)
        return -EINVAL;
    return d->n_digits > 0 && (d->exponent > MAX_EXPONENT || d->exponent < MIN_EXPONENT) ? -ERANGE : 0;
}

int service_number_normalise(const char *s, char number[static SERVICE_NUMBER_SIZE]) {
    Decimal d;
    AUTO_TEXT t = TEXT_INIT(SERVICE_NUMBER_SIZE - 1);
    int rc = decimal_parse(s, &d);
    if (rc < 0)
        return rc;
    if (d.n_digits > 0 && d.is_negative)
        text_add_char(&t, '-');
    if (d.n_digits == 0 || d.exponent <= 0)
        text_add(&t, "0");
    for (int i = 0; d.n_digits > 0 && i < d.exponent; i++)
        text_add_char(&t, i < d.n_digits ? d.digits[i] : '0');
    if (d.n_digits > 0 && d.exponent < d.n_digits) {
        text_add_char(&t, '.');
        for (int i = d.exponent; i < d.n_digits; i++)
            text_add_char(&t, i < 0 ? '0' : d.digits[i]);
    }
    snprintf(number, SERVICE_NUMBER_SIZE, "%s", text_get(&t));
    return t.error;
}

/* ---- scalars: what they are written as, and how much they count ---- */

static int add_scalar_number(const char *s, Text *to, int64_t *size, Text *why) {
    char number[SERVICE_NUMBER_SIZE];
    int rc = service_number_normalise(s, number);
    if (rc == -ERANGE)
        return refuse(why, "Number overflow. Attempting to store a number with magnitude larger than supported range");
    if (rc == -EINVAL)
        return refuse(why, "The parameter cannot be converted to a numeric value: %s", s);
    if (rc < 0)
        return rc;
    *size += (int64_t)strlen(number) / 2 + 1;
    return text_add(to, number);
}

static int add_scalar_binary(const char *s, Text *to, int64_t *size, Text *why) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(s), body = strspn(s, alphabet);
    if (n % 4 || n - body > 2 || strspn(s + body, "=") != n - body)
        return refuse(why, "One or more parameter values were invalid: Invalid attribute value: %s is not base64", s);
    *size += (int64_t)(n / 4 * 3 - (n - body));
    return text_add(to, s);
}

static int add_scalar(char type, const char *s, Text *to, int64_t *size, Text *why) {
    if (type == 'N')
        return add_scalar_number(s, to, size, why);
    if (type == 'B')
        return add_scalar_binary(s, to, size, why);
    *size += (int64_t)strlen(s);
    return text_add(to, s);
}

/* ---- collections ---- */

static int compare_strings(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void free_strings(char **strings, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(strings[i]);
    free(strings);
}

static int add_sorted(Text *t, const char *type, char **members, size_t n, Text *why) {
    qsort(members, n, sizeof members[0], compare_strings);
    for (size_t i = 1; i < n; i++)
        if (strcmp(members[i - 1], members[i]) == 0)
            return refuse(why, "One or more parameter values were invalid: Input collection contains duplicates: %s",
                          members[i]);
    service_json_open(t, type, '[');
    for (size_t i = 0; i < n; i++)
        service_json_add_string(t, NULL, members[i]);
    service_json_close(t, ']');
    return 0;
}

static int add_set(Text *t, const ServiceJson *set, int64_t *size, Text *why) {
    if (set->type != SERVICE_JSON_LIST || set->n_items == 0)
        return refuse(why, "One or more parameter values were invalid: A set (%s) may not be empty", set->name);
    char **members = calloc(set->n_items, sizeof members[0]);
    size_t n = 0;
    int rc = members ? 0 : -ENOMEM;
    for (const ServiceJson *j = set->first; j && rc >= 0; j = j->next) {
        AUTO_TEXT one = TEXT_INIT(1u << 20);
        rc = j->type == SERVICE_JSON_STRING ? add_scalar(set->name[0], j->text, &one, size, why)
                                            : refuse(why, "Unexpected value in a set (%s)", set->name);
        if (rc >= 0 && (rc = text_take(&one, &members[n])) >= 0)
            n++;
    }
    if (rc >= 0)
        rc = add_sorted(t, set->name, members, n, why);
    free_strings(members, n);
    return rc;
}

static int add_list(Text *t, const ServiceJson *list, int64_t *size, Text *why) {
    int rc = list->type == SERVICE_JSON_LIST ? 0 : refuse(why, "Unexpected value of a list (%s)", list->name);
    service_json_open(t, list->name, '[');
    for (const ServiceJson *j = list->first; j && rc >= 0; j = j->next, *size += 1)
        rc = service_value_add(t, NULL, j, size, why);
    service_json_close(t, ']');
    *size += 3;
    return rc;
}

static int compare_members(const void *a, const void *b) {
    return strcmp((*(const ServiceJson *const *)a)->name, (*(const ServiceJson *const *)b)->name);
}

int service_value_add_attributes(Text *t, const char *name, const ServiceJson *attributes, int64_t *size, Text *why) {
    if (attributes->type != SERVICE_JSON_OBJECT || attributes->n_items > MAX_MEMBERS)
        return refuse(why, "Unexpected value of a map");
    AUTO_FREE const ServiceJson **members = calloc(attributes->n_items + 1, sizeof members[0]);
    size_t n = 0;
    if (!members)
        return -ENOMEM;
    for (const ServiceJson *j = attributes->first; j; j = j->next)
        members[n++] = j;
    if (n > 1)
        qsort(members, n, sizeof members[0], compare_members);
    service_json_open(t, name, '{');
    for (size_t i = 0; i < n; i++) {
        *size += (int64_t)strlen(members[i]->name);
        int rc = service_value_add(t, members[i]->name, members[i], size, why);
        if (rc < 0)
            return rc;
    }
    service_json_close(t, '}');
    return t->error;
}

/* ---- values ---- */

typedef enum Kind { KIND_SCALAR, KIND_SET, KIND_LIST, KIND_MAP, KIND_BOOL, KIND_NULL } Kind;

static const struct {
    const char *type;
    Kind kind;
} types[] = {{"S", KIND_SCALAR}, {"N", KIND_SCALAR}, {"B", KIND_SCALAR}, {"SS", KIND_SET},    {"NS", KIND_SET},
             {"BS", KIND_SET},   {"L", KIND_LIST},   {"M", KIND_MAP},    {"BOOL", KIND_BOOL}, {"NULL", KIND_NULL}};

const char *service_value_type(const ServiceJson *value) {
    if (value->type != SERVICE_JSON_OBJECT || value->n_items != 1)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].type, value->first->name) == 0)
            return types[i].type;
    return NULL;
}

static int add_scalar_value(Text *t, const ServiceJson *j, int64_t *size, Text *why) {
    AUTO_TEXT one = TEXT_INIT(1u << 20);
    if (j->type != SERVICE_JSON_STRING)
        return refuse(why, "Unexpected value (%s)", j->name);
    int rc = add_scalar(j->name[0], j->text, &one, size, why);
    service_json_add_string(t, j->name, text_get(&one));
    return rc;
}

static int add_word(Text *t, const ServiceJson *j, bool must_be_true, int64_t *size, Text *why) {
    bool is_true = j->type == SERVICE_JSON_TRUE;
    if (!is_true && (must_be_true || j->type != SERVICE_JSON_FALSE))
        return refuse(why, "One or more parameter values were invalid: Unexpected value of type %s", j->name);
    *size += 1;
    service_json_add_bool(t, j->name, is_true);
    return 0;
}

static int add_kind(Text *t, const ServiceJson *j, Kind kind, int64_t *size, Text *why) {
    switch (kind) {
    case KIND_SCALAR:
        return add_scalar_value(t, j, size, why);
    case KIND_SET:
        return add_set(t, j, size, why);
    case KIND_LIST:
        return add_list(t, j, size, why);
    case KIND_MAP:
        *size += 3 + (int64_t)j->n_items;
        return service_value_add_attributes(t, j->name, j, size, why);
    case KIND_BOOL:
        return add_word(t, j, false, size, why);
    case KIND_NULL:
        return add_word(t, j, true, size, why);
    }
    return -EINVAL;
}

int service_value_add(Text *t, const char *name, const ServiceJson *value, int64_t *size, Text *why) {
    if (value->type == SERVICE_JSON_OBJECT && value->n_items > 1)
        return refuse(why, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
                           "supported datatypes");
    const char *type = service_value_type(value);
    if (!type)
        return refuse(why, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
    service_json_open(t, name, '{');
    int rc = -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (types[i].type == type)
            rc = add_kind(t, value->first, types[i].kind, size, why);
    service_json_close(t, '}');
    return rc < 0 ? rc : t->error;
}
