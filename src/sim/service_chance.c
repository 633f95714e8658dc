/* What the service makes up: UUIDs and the like, by a seed. */

#include <inttypes.h>
#include <stdio.h>

#include "sim/service_state.h"

uint64_t service_random(Service *s) { /* splitmix64 */
    uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void service_make_uuid(Service *s, char uuid[static SERVICE_UUID_SIZE]) {
    uint64_t a = service_random(s), b = service_random(s);
    snprintf(uuid, SERVICE_UUID_SIZE, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64, a >> 32,
             a >> 16 & 0xffff, a & 0xfff, (b >> 48 & 0x3fff) | 0x8000, b & UINT64_C(0xffffffffffff));
}

void service_make_id(Service *s, Usec wall, char id[static SERVICE_ID_SIZE]) {
    snprintf(id, SERVICE_ID_SIZE, "%014" PRIu64 "-%08" PRIx64,
             (uint64_t)(wall / USEC_PER_MSEC) % UINT64_C(100000000000000), service_random(s) >> 32);
}
