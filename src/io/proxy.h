#pragma once
/* Whether a request goes through a proxy, as curl and the SDKs read the environment. */

/* "": never, for hosts of this link, which are metadata services; NULL: as curl itself reads the environment
 * (https_proxy, HTTPS_PROXY, http_proxy, all_proxy, ALL_PROXY); else the proxy to use. NO_PROXY holds for all. */
const char *proxy_for(const char *url);
