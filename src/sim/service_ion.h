#pragma once
/* Amazon Ion, as exports with ExportFormat ION have it. */

#include "base/text.h"
#include "sim/service_json.h"

/* A structure of attributes, {"id":{"S":"a"},"n":{"N":"1"}}, as {id:"a",n:1.}. */
void service_ion_add_attributes(Text *t, const ServiceJson *attributes);
