#pragma once
/* Writes XML as S3 answers it. */

#include "base/text.h"

#define SERVICE_XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* <name>value</name>, escaped; nothing for NULL. */
void service_xml_add(Text *t, const char *name, const char *value);
void service_xml_add_int(Text *t, const char *name, long long value);
