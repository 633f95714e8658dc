#include "sim/service_xml.h"

void service_xml_add(Text *t, const char *name, const char *value) {
    if (!value)
        return;
    text_addf(t, "<%s>", name);
    for (; *value; value++)
        switch (*value) {
        case '&':
            text_add(t, "&amp;");
            break;
        case '<':
            text_add(t, "&lt;");
            break;
        case '>':
            text_add(t, "&gt;");
            break;
        case '"':
            text_add(t, "&quot;");
            break;
        default:
            if ((unsigned char)*value < 0x20)
                text_addf(t, "&#x%x;", (unsigned)(unsigned char)*value);
            else
                text_add_char(t, *value);
        }
    text_addf(t, "</%s>", name);
}

void service_xml_add_int(Text *t, const char *name, long long value) {
    text_addf(t, "<%s>%lld</%s>", name, value, name);
}
