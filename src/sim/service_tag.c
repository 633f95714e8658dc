/* Tags: TagResource, UntagResource, ListTagsOfResource. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/service_state.h"

#define MAX_TAGS 50
#define MAX_KEY 128
#define MAX_VALUE 256

static const ServiceJson *find_tag(const ServiceJson *list, const char *key) {
    for (const ServiceJson *tag = list ? list->first : NULL; tag; tag = tag->next)
        if (text_equal(service_json_get_string(tag, "Key"), key))
            return tag;
    return NULL;
}

/* Letters of any script, digits, blanks and + - = . _ : / @; lengths count characters. */
static bool is_tag_text(const char *s, size_t min, size_t max) {
    size_t n = 0;
    for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
        n += (*c & 0xc0) != 0x80;
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c >= 0x80;
        if (!letter && !strchr(" +-=._:/@", *c))
            return false;
    }
    return n >= min && n <= max;
}

static int check_key(ServiceCall *c, const char *key) {
    if (!key || !is_tag_text(key, 1, MAX_KEY))
        return SERVICE_REFUSE_VALUE(
            c, "One or more parameter values were invalid: The Tag Key provided is invalid, Key: %s",
            key ? key : "null");
    if (strncasecmp(key, "aws:", 4) == 0)
        return SERVICE_REFUSE_VALUE(
            c, "One or more parameter values were invalid: Tag Key cannot be prefixed with aws:, Key: %s", key);
    return 0;
}

static int check_tags(ServiceCall *c, const ServiceJson *tags) {
    for (const ServiceJson *tag = tags->first; tag; tag = tag->next) {
        const char *key = service_json_get_string(tag, "Key"), *value = service_json_get_string(tag, "Value");
        int rc = check_key(c, key);
        if (rc < 0)
            return rc;
        if (!value || !is_tag_text(value, 0, MAX_VALUE))
            return SERVICE_REFUSE_VALUE(
                c, "One or more parameter values were invalid: The Tag Value provided is invalid, Value: %s",
                value ? value : "null");
        if (find_tag(tags, key) != tag)
            return SERVICE_REFUSE_VALUE(c,
                                        "One or more parameter values were invalid: Duplicate Tag Keys provided as "
                                        "input: Duplicate Tag Key found %s",
                                        key);
    }
    return tags->n_items <= MAX_TAGS
               ? 0
               : SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Number of Tags exceed the current "
                                         "limit for the provided ResourceArn");
}

static void add_tag(Text *t, const ServiceJson *tag) {
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "Key", service_json_get_string(tag, "Key"));
    service_json_add_string(t, "Value", service_json_get_string(tag, "Value"));
    service_json_close(t, '}');
}

int service_tags_from_json(ServiceCall *c, const ServiceJson *tags, Text *to) {
    int rc = check_tags(c, tags);
    if (rc < 0)
        return rc;
    service_json_open(to, NULL, '[');
    for (const ServiceJson *tag = tags->first; tag; tag = tag->next)
        add_tag(to, tag);
    service_json_close(to, ']');
    return to->error;
}

/* The table that ResourceArn names; nothing else has tags. */
static int find_resource(ServiceCall *c, ServiceTable **ret) {
    const char *s = service_json_get_string(c->input, "ResourceArn");
    ServiceArn arn;
    if (!text_starts_with(s, "arn:"))
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: ARNs must start with 'arn:': %s", s);
    int rc = service_arn_parse(s, &arn);
    if (rc < 0 || strcmp(arn.kind, "backup") == 0 || strcmp(arn.kind, "export") == 0)
        return SERVICE_REFUSE_VALUE(
            c, "One or more parameter values were invalid: Provided Arn is not a DynamoDB resource arn: %s", s);
    if (arn.kind[0])
        return SERVICE_REFUSE_VALUE(c,
                                    "One or more parameter values were invalid: Invalid resource arn provided, only "
                                    "table or stream is accepted. Provided resource arn: %s",
                                    s);
    if (strcmp(arn.account, c->service->settings.account) != 0)
        return service_refuse(c, "AccessDeniedException", "Access is denied");
    if (strcmp(arn.region, c->region) != 0)
        return SERVICE_REFUSE_VALUE(c, "Invalid TableArn: Invalid ResourceArn provided as input %s", s);
    ServiceTable *t = service_get_table(c->service, c->region, arn.table, c->now_wall);
    if (!t || c->now_wall < t->active_wall || t->deleted_wall != USEC_INFINITY)
        return service_refuse(c, "ResourceNotFoundException", "Requested resource not found: ResourceArn: %s not found",
                              s);
    *ret = t;
    return 0;
}

/* Puts the new list in force. A write that changes nothing takes no lock. */
static int replace(ServiceCall *c, ServiceTable *t, const Text *tags) {
    if (strcmp(text_get(tags), t->tags.len > 0 ? text_get(&t->tags) : "[]") == 0)
        return 0;
    if (c->now_wall < t->tags_wall)
        return service_refuse(c, "LimitExceededException",
                              "Subscriber limit exceeded: Table tags are being updated: %s", t->name);
    text_clear(&t->old_tags);
    text_add(&t->old_tags, text_get(&t->tags));
    text_clear(&t->tags);
    t->tags_wall = usec_add(c->now_wall, c->service->settings.tag_usec);
    c->effect = true;
    return text_add(&t->tags, text_get(tags));
}

static int parse_tags(const ServiceTable *t, ServiceJson **ret) {
    const char *tags = t->tags.len > 0 ? text_get(&t->tags) : "[]";
    return service_json_parse(tags, strlen(tags), ret);
}

int service_tag_resource(ServiceCall *c) {
    const ServiceJson *added = service_json_get(c->input, "Tags");
    CLEANUP(service_json_free_ptr) ServiceJson *present = NULL;
    AUTO_TEXT merged = TEXT_INIT(1u << 20);
    ServiceTable *t;
    size_t n = 0;
    int rc = find_resource(c, &t);
    if (rc >= 0 && added->n_items == 0)
        return SERVICE_REFUSE_VALUE(
            c, "One or more parameter values were invalid: Atleast one Tag needs to be provided as Input.");
    if (rc >= 0)
        rc = check_tags(c, added);
    if (rc >= 0)
        rc = parse_tags(t, &present);
    if (rc < 0)
        return rc;
    service_json_open(&merged, NULL, '[');
    for (const ServiceJson *tag = present->first; tag; tag = tag->next, n++) {
        const ServiceJson *instead = find_tag(added, service_json_get_string(tag, "Key"));
        add_tag(&merged, instead ? instead : tag);
    }
    for (const ServiceJson *tag = added->first; tag; tag = tag->next)
        if (!find_tag(present, service_json_get_string(tag, "Key"))) {
            add_tag(&merged, tag);
            n++;
        }
    service_json_close(&merged, ']');
    if (merged.error)
        return merged.error;
    if (n > MAX_TAGS)
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: Number of Tags exceed the current "
                                       "limit for the provided ResourceArn");
    return replace(c, t, &merged);
}

int service_untag_resource(ServiceCall *c) {
    const ServiceJson *keys = service_json_get(c->input, "TagKeys");
    CLEANUP(service_json_free_ptr) ServiceJson *present = NULL;
    AUTO_TEXT left = TEXT_INIT(1u << 20);
    ServiceTable *t;
    int rc = find_resource(c, &t);
    if (rc >= 0 && keys->n_items == 0)
        return SERVICE_REFUSE_VALUE(
            c, "One or more parameter values were invalid: Atleast one Tag Key needs to be provided as Input.");
    for (const ServiceJson *key = keys->first; key && rc >= 0; key = key->next)
        rc = check_key(c, key->type == SERVICE_JSON_STRING ? key->text : NULL);
    if (rc >= 0)
        rc = parse_tags(t, &present);
    if (rc < 0)
        return rc;
    service_json_open(&left, NULL, '[');
    for (const ServiceJson *tag = present->first; tag; tag = tag->next) {
        bool named = false;
        for (const ServiceJson *key = keys->first; key; key = key->next)
            named |= text_equal(key->text, service_json_get_string(tag, "Key"));
        if (!named)
            add_tag(&left, tag);
    }
    service_json_close(&left, ']');
    return left.error ? left.error : replace(c, t, &left);
}

int service_list_tags(ServiceCall *c) {
    ServiceTable *t;
    int rc = find_resource(c, &t);
    if (rc < 0)
        return rc;
    const Text *seen = c->now_wall < t->tags_wall ? &t->old_tags : &t->tags;
    service_json_open(c->out, NULL, '{');
    service_json_add_raw(c->out, "Tags", seen->len > 0 ? text_get(seen) : "[]");
    service_json_close(c->out, '}');
    return 0;
}
