/* Places: which endpoints a region's services have, whether DynamoDB answers there, and what time it is. */

#include <errno.h>

#include "core/aws/endpoint.h"
#include "core/conf/conf_client.h"
#include "core/run/trust.h"
#include "ctl/doctor.h"
#include "ctl/words.h"

/* Apart from travelling times and whole seconds. */
#define SKEW_MAX_USEC USEC_PER_MINUTE

static void say_endpoint(const Doctor *d, const DoctorPlace *p, EndpointService service, const char *name, Text *t) {
    EndpointWish wish = conf_endpoint_wish(d->aws.conf, service);
    AUTO_FREE char *url = NULL;
    int r = endpoint_url(&wish, p->place->region ? p->place->region : "", &url);
    text_addf(t, "%s%s %s", t->len > 0 ? ", " : "", name, r >= 0 ? url : "has none");
}

static int check_endpoint(Doctor *d, const DoctorPlace *p, const char *label) {
    AUTO_TEXT t = TEXT_INIT(8192);
    say_endpoint(d, p, ENDPOINT_DYNAMODB, "dynamodb", &t);
    say_endpoint(d, p, ENDPOINT_STS, "sts", &t);
    say_endpoint(d, p, ENDPOINT_S3, "s3", &t);
    if (d->n_keys > 0)
        say_endpoint(d, p, ENDPOINT_KMS, "kms", &t);
    if (p->answered || p->silent.class == AWS_OK)
        return doctor_add(d, label, "endpoints", CHECK_OK, text_get(&t), NULL);
    text_add(&t, "; ");
    doctor_say_error(&p->silent, &t);
    return doctor_add(d, label, "endpoints", CHECK_FAILED, text_get(&t), p->silent.hint);
}

Usec doctor_skew(const DoctorPlace *p) { return p->skew_usec != USEC_INFINITY ? p->skew_usec : p->account->skew_usec; }

static int check_clock(Doctor *d, const DoctorPlace *p, const char *label) {
    AUTO_TEXT t = TEXT_INIT(512);
    char span[DURATION_SIZE];
    Usec skew = doctor_skew(p);
    if (skew == USEC_INFINITY)
        return 0;
    Usec apart = (skew < 0 ? -skew : skew) / USEC_PER_SEC * USEC_PER_SEC;
    if (apart <= USEC_PER_SEC)
        return doctor_add(d, label, "clock", CHECK_OK, "this host's clock agrees with the service's", NULL);
    text_addf(&t, "this host's clock is %s %s the service's", duration_to_string(apart, span),
              skew < 0 ? "behind" : "ahead of");
    if (apart < SKEW_MAX_USEC)
        return doctor_add(d, label, "clock", CHECK_OK, text_get(&t), NULL);
    bool refused = apart >= TRUST_SLACK_USEC;
    return doctor_add(d, label, "clock", refused ? CHECK_FAILED : CHECK_WARNING, text_get(&t),
                      refused ? "nothing new starts by such a clock: set it, for example with timedatectl set-ntp true"
                              : "set it, for example with timedatectl set-ntp true");
}

int doctor_check_places(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->places.n_items; i++) {
        char label[PLACE_LABEL_SIZE];
        place_label(&d->places.items[i], places_are_many(&d->places), label);
        r = check_endpoint(d, &d->asked[i], label);
        if (r >= 0)
            r = check_clock(d, &d->asked[i], label);
    }
    return r;
}
