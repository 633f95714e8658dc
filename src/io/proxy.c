#include "io/proxy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "io/http_queue.h"

/* 169.254.0.0/16, fe80::/10, and fd00:ec2::/32, where AWS has its metadata services over IPv6. */
static bool is_link_local(const char *host) {
    return text_starts_with(host, "169.254.") ||
           (strncasecmp(host, "[fe", 3) == 0 && host[3] && strchr("89abAB", host[3])) ||
           strncasecmp(host, "[fd00:ec2:", 10) == 0;
}

const char *proxy_for(const char *url) {
    const char *host;
    http_url_host(url, &host);
    if (is_link_local(host))
        return "";
    /* curl leaves HTTP_PROXY alone for the sake of CGI programs, which have it from their clients; the SDKs read it */
    const char *lower = getenv("http_proxy"), *upper = getenv("HTTP_PROXY");
    return strncasecmp(url, "http:", 5) == 0 && (!lower || !*lower) && upper && *upper ? upper : NULL;
}
