#include "io/imds_region.h"

#include <errno.h>

#include "core/credentials/imds.h"
#include "core/credentials/provider_plan.h"
#include "io/credentials_source.h"
#include "io/exchange.h"

static int ask(const ImdsSettings *settings, char **ret, Text *why) {
    CLEANUP(imds_done) Imds imds = {.wants_region = true};
    int r = 0;
    while (r == 0) {
        HttpRequest *request = NULL;
        CLEANUP(http_reply_free_ptr) HttpReply *reply = NULL;
        if ((r = imds_request(&imds, settings, &request)) < 0 || (r = exchange(NULL, &request, 1, &reply)) < 0)
            return r;
        r = imds_region_reply(&imds, settings, reply, ret, why);
    }
    return r;
}

int imds_region(const Conf *c, char **ret, char **ret_problem) {
    CLEANUP(provider_plan_done) ProviderPlan plan = {};
    AUTO_TEXT why = TEXT_INIT(1024);
    int r = provider_plan_imds(credentials_port(), c->aws.profile, &plan, &why);
    if (r > 0) {
        ImdsSettings settings = {.url = plan.url,
                                 .v1_disabled = plan.imds_v1_disabled,
                                 .attempts = plan.imds_attempts,
                                 .timeout_usec = plan.imds_timeout_usec};
        r = ask(&settings, ret, &why);
    } else if (r == 0) {
        text_add(&why, "the instance metadata service is switched off");
        r = -EBADMSG;
    }
    if (r == -EBADMSG || r == -EREMOTEIO) {
        r = text_take(&why, ret_problem);
        return r < 0 ? r : -ENOENT;
    }
    return r < 0 ? r : 0;
}
