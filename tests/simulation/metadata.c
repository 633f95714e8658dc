#include "metadata.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/table/target.h"

static const char *environment(void *context, const char *name) { return NULL; }

static int read_file(void *context, const char *path, char **ret, size_t *ret_len) { return -ENOENT; }

void house_metadata_boot(World *w, uint64_t seed) {
    static const ProviderPort port = {.environment = environment, .read_file = read_file};
    ProviderWish wish = {.region = "eu-central-1"};
    Keeper *k;
    if (keeper_new(&port, seed, &k) < 0 || keeper_set(k, ACCOUNT_OWN, &wish) < 0 ||
        engine_await_credentials(world_engine(w), ACCOUNT_OWN) < 0)
        abort();
    world_keep(w, k);
}

/* The last 30 minutes of each third hour's credentials lose 20 to this. */
static bool is_out(Usec wall) {
    Usec minute = wall / USEC_PER_MINUTE % 180;
    return minute >= 38 && minute < 58;
}

static void answer(HttpReply *reply, int status, char *body) {
    if (!body)
        abort();
    reply->outcome = HTTP_REPLIED;
    reply->status = status;
    reply->body = body;
    reply->body_len = strlen(body);
}

ServiceSettings house_metadata_service(void) {
    ServiceSettings s = service_settings_default();
    s.session_token = "of-the-instance";
    s.backup_usec = 2 * USEC_PER_SEC;
    s.export_usec = 3 * USEC_PER_MINUTE;
    return s;
}

/* The last ones that were given are good until then; the model of the service knows one key alone. */
static Usec good_until;

/* Credentials of the hour that has begun, from 30 minutes before it on. */
static char *credentials(Usec wall) {
    ServiceSettings service = house_metadata_service();
    char until[DATE_ISO_SIZE];
    Usec expires = ((wall + 30 * USEC_PER_MINUTE) / USEC_PER_HOUR + 1) * USEC_PER_HOUR;
    good_until = expires;
    return text_format("{\"Code\":\"Success\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"%s\",\"Token\":\"%s\","
                       "\"Expiration\":\"%s\"}",
                       service.access_key, service.secret_key, service.session_token, date_to_iso(expires, until));
}

static bool ask_metadata(const HttpRequest *request, Usec true_wall, HttpReply *reply) {
    static const char role[] = "/latest/meta-data/iam/security-credentials/";
    const char *path = request->url + strlen("http://169.254.169.254");
    const char *token = http_headers_get(&request->headers, "x-aws-ec2-metadata-token");
    if (!request->direct)
        abort();
    if (is_out(true_wall)) {
        reply->outcome = HTTP_UNKNOWN;
        reply->error = strdup("timed out");
    } else if (strcmp(path, "/latest/api/token") == 0)
        answer(reply, request->method == HTTP_PUT ? 200 : 405, strdup("metadata-token"));
    else if (!token || strcmp(token, "metadata-token") != 0)
        answer(reply, 401, strdup(""));
    else if (strcmp(path, role) == 0)
        answer(reply, 200, strdup("backup-role"));
    else
        answer(reply, 200, credentials(true_wall));
    return true;
}

bool house_metadata_answer(const HttpRequest *request, Usec true_wall, HttpReply *reply, HouseFigures *figures) {
    static const char expired[] = "{\"__type\":\"com.amazon.coral.service#ExpiredTokenException\",\"message\":\"The "
                                  "security token included in the "
                                  "request is expired\"}";
    if (text_starts_with(request->url, "http://169.254.169.254/"))
        return ask_metadata(request, true_wall, reply);
    if (true_wall < good_until)
        return false;
    figures->n_expired++;
    answer(reply, 400, strdup(expired));
    return true;
}
