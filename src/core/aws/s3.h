#pragma once
/* S3's side of a call: how its requests and replies look on the wire. All its operations share one shape, a method on
 * an object or a bucket; what differs stands in the query and the headers (Amazon S3 API reference). */

#include "core/aws/codec.h"
#include "core/aws/http.h"

/* Method, URL, headers and body, all that a signature covers but what the signer adds. `endpoint` is that of a region,
 * with its slash. Virtual-hosted style; path style with endpoints that were configured, and for buckets with dots,
 * which no wildcard certificate covers. Keys are encoded byte by byte, each once. -ENOMEM. */
int s3_make_request(const AwsRequest *r, const char *endpoint, bool path_style, HttpRequest *q);

/* Code and message of an error's XML body; both empty where it is none (HEAD has no body). -ENOMEM. */
int s3_error(const char *body, size_t len, char *ret_code, size_t code_size, char *ret_message, size_t message_size);

/* What a good reply says of the object; takes the reply's body. -EBADMSG: its headers contradict each other, ret_why
 * says how; -ENOMEM. */
int s3_decode(AwsOp op, HttpReply *reply, AwsReply **ret, char ret_why[static CODEC_WHY_SIZE]);
