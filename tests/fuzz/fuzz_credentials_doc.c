/* The documents in which credentials arrive: JSON of processes, metadata services and SSO; XML
 * of STS; command lines. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/credentials/credentials_doc.h"
#include "core/credentials/imds.h"
#include "core/credentials/sts.h"
#include "core/format/shell_split.h"
#include "core/format/xml_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

/* What is taken can be sent in a header. */
static void check(int r, const Credentials *c) {
    require((r >= 0) == (c != NULL));
    if (!c)
        return;
    require(strlen(c->secret_access_key.bytes) == c->secret_access_key.len && c->secret_access_key.len > 0);
    require(strpbrk(c->access_key_id, "\r\n \t") == NULL && *c->access_key_id);
    require(!c->session_token.bytes || strpbrk(c->session_token.bytes, "\r\n \t") == NULL);
}

static void read_json(const char *text, size_t len) {
    CLEANUP(credentials_free_ptr) Credentials *process = NULL;
    CLEANUP(credentials_free_ptr) Credentials *metadata = NULL;
    CLEANUP(credentials_free_ptr) Credentials *sso = NULL;
    CLEANUP(secret_done) Secret token = {};
    AUTO_TEXT why = TEXT_INIT(1 << 16);
    Usec expires;
    int r = credentials_from_process(text, len, &process, &why);
    check(r, process);
    r = credentials_from_metadata(text, len, &metadata, &why);
    check(r, metadata);
    r = credentials_from_sso(text, len, &sso, &why);
    check(r, sso);
    (void)sso_token_from_cache(text, len, 0, &token, &expires, &why);
}

static void read_reply(char *text, size_t len, int status) {
    HttpReply reply = {.outcome = HTTP_REPLIED, .status = status, .body = text, .body_len = len};
    CLEANUP(credentials_free_ptr) Credentials *sts = NULL;
    AUTO_TEXT why = TEXT_INIT(1 << 16);
    StsError error;
    int taken = sts_reply(&reply, &sts, &error, &why);
    check(taken, sts);
    for (int step = IMDS_TOKEN; step <= IMDS_CREDENTIALS; step++) {
        CLEANUP(imds_done) Imds imds = {.step = (ImdsStep)step};
        CLEANUP(credentials_free_ptr) Credentials *c = NULL;
        ImdsSettings settings = {.url = "http://x/", .attempts = 1};
        AUTO_TEXT t = TEXT_INIT(1 << 16);
        if (step == IMDS_CREDENTIALS && !(imds.role = strdup("r")))
            abort();
        int r = imds_reply(&imds, &settings, &reply, &c, &t);
        require((r > 0) == (c != NULL));
    }
}

static void split(const char *line) {
    CLEANUP(shell_split_free_ptr) char **words = NULL;
    size_t n = 0;
    int r = shell_split(line, &words);
    require((r >= 0) == (words != NULL));
    for (size_t i = 0; words && words[i]; i++)
        n += strlen(words[i]);
    require(n <= strlen(line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(secret_done) Secret found = {};
    char *text = malloc(size + 1); /* as replies and files come: terminated beyond their length */
    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    read_json(text, size);
    read_reply(text, size, 200);
    read_reply(text, size, 403);
    split(text);
    int r = xml_find(text, size, "a/b", &found);
    require((r >= 0) == (found.bytes != NULL));
    free(text);
    return 0;
}
