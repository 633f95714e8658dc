/* The least that could be done: CreateBackup and DescribeBackup for N tables, by curl's multi interface and its own
 * signer, with no ledger, no log and no second thought. What ddbackupd's cost is compared with.
 *
 *   curl_multi URL REGION KEY_ID SECRET PREFIX N     tables PREFIX000 .. */

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PARALLEL 32

typedef struct Transfer {
    CURL *easy;
    struct curl_slist *headers;
    char body[1024], reply[8192];
    size_t n_reply;
    bool describes;
} Transfer;

typedef struct Bench {
    CURLM *multi;
    const char *url, *provider, *user, *prefix;
    int n_tables, n_begun, n_done;
} Bench;

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
    Transfer *t = userdata;
    if (t->n_reply + size * n >= sizeof t->reply)
        return 0;
    memcpy(t->reply + t->n_reply, data, size * n);
    t->n_reply += size * n;
    t->reply[t->n_reply] = '\0';
    return size * n;
}

static void begin(Bench *b, Transfer *t, const char *operation) {
    char target[128];
    snprintf(target, sizeof target, "X-Amz-Target: DynamoDB_20120810.%s", operation);
    curl_slist_free_all(t->headers);
    t->headers = curl_slist_append(NULL, target);
    t->headers = curl_slist_append(t->headers, "Content-Type: application/x-amz-json-1.0");
    t->n_reply = 0;
    curl_easy_setopt(t->easy, CURLOPT_URL, b->url);
    curl_easy_setopt(t->easy, CURLOPT_AWS_SIGV4, b->provider);
    curl_easy_setopt(t->easy, CURLOPT_USERPWD, b->user);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_multi_add_handle(b->multi, t->easy);
}

static bool create_next(Bench *b, Transfer *t) {
    if (b->n_begun == b->n_tables)
        return false;
    snprintf(t->body, sizeof t->body, "{\"TableName\":\"%s%03d\",\"BackupName\":\"bench.curl.%03d\"}", b->prefix,
             b->n_begun, b->n_begun);
    b->n_begun++;
    t->describes = false;
    begin(b, t, "CreateBackup");
    return true;
}

/* Gives the slot its next request; exits when a reply is not what it has to be. */
static void finished(Bench *b, Transfer *t, CURLcode code) {
    long status = 0;
    char arn[512];
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(b->multi, t->easy);
    const char *found = strstr(t->reply, "\"BackupArn\":\"");
    if (code != CURLE_OK || status != 200 || !found || sscanf(found, "\"BackupArn\":\"%500[^\"]", arn) != 1) {
        fprintf(stderr, "curl_multi: %s, HTTP %ld: %s\n", curl_easy_strerror(code), status, t->reply);
        exit(1);
    }
    if (t->describes && strstr(t->reply, "\"AVAILABLE\"")) {
        b->n_done++;
        create_next(b, t);
        return;
    }
    t->describes = true;
    snprintf(t->body, sizeof t->body, "{\"BackupArn\":\"%s\"}", arn);
    begin(b, t, "DescribeBackup");
}

static void run(Bench *b) {
    for (int running = 1, n; b->n_done < b->n_tables;) {
        curl_multi_perform(b->multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(b->multi, &n));) {
            Transfer *t;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            finished(b, t, m->data.result);
        }
        if (b->n_done < b->n_tables)
            curl_multi_poll(b->multi, NULL, 0, 1000, NULL);
    }
}

int main(int argc, char **argv) {
    static Transfer transfers[MAX_PARALLEL];
    char provider[128], user[256];
    if (argc != 7) {
        fprintf(stderr, "Usage: curl_multi URL REGION KEY_ID SECRET PREFIX N\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    snprintf(provider, sizeof provider, "aws:amz:%s:dynamodb", argv[2]);
    snprintf(user, sizeof user, "%s:%s", argv[3], argv[4]);
    Bench b = {.multi = curl_multi_init(), .url = argv[1], .provider = provider, .user = user, .prefix = argv[5],
               .n_tables = atoi(argv[6])};
    for (int i = 0; i < MAX_PARALLEL; i++) {
        transfers[i].easy = curl_easy_init();
        create_next(&b, &transfers[i]);
    }
    run(&b);
    for (int i = 0; i < MAX_PARALLEL; i++) {
        curl_easy_cleanup(transfers[i].easy);
        curl_slist_free_all(transfers[i].headers);
    }
    curl_multi_cleanup(b.multi);
    printf("%d\n", b.n_done);
    return 0;
}
