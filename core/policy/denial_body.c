
/*
 * Copyright (C) The Tailgate authors
 *
 * A denial in each form but the page.
 */

#include "core/policy/denial.h"

#include <stdio.h>
#include <string.h>


static void json_list(tgi_out_t *out, const tgi_denial_row_t *row);
static void webdav_element(tgi_out_t *out, const char *name, tg_str_t value);
static const char *phrase(int status);
static tg_str_t str(const char *text);


void
tgi_denial_text(tgi_out_t *out, const tgi_denial_facts_t *facts)
{
    char                     code[8];
    size_t                   i, j;
    const tgi_denial_row_t  *row;

    (void) snprintf(code, sizeof(code), "%d ", facts->status);

    tgi_out_str(out, code);
    tgi_out_str(out, phrase(facts->status));
    tgi_out_str(out, ": ");
    tgi_out_line(out, str(facts->detail));
    tgi_out_str(out, "\n");
    tgi_out_str(out, facts->advice);
    tgi_out_str(out, "\n");

    for (i = 0; i < facts->nrows; i++) {
        row = &facts->rows[i];

        tgi_out_str(out, row->name);
        tgi_out_str(out, ":");

        for (j = 0; j < row->n; j++) {
            tgi_out_str(out, " ");
            tgi_out_line(out, row->items[j]);
        }

        tgi_out_str(out, "\n");
    }

    if (facts->contact.len != 0) {
        tgi_out_str(out, "contact: ");
        tgi_out_line(out, facts->contact);
        tgi_out_str(out, "\n");
    }

    if (facts->id.len != 0) {
        tgi_out_str(out, "request ");
        tgi_out_line(out, facts->id);
        tgi_out_str(out, "\n");
    }
}


void
tgi_denial_json(tgi_out_t *out, const tgi_denial_facts_t *facts)
{
    char    head[128];
    size_t  i;

    (void) snprintf(head, sizeof(head), "{\"type\":\"about:blank\","
                    "\"title\":\"%s\",\"status\":%d,\"detail\":\"",
                    phrase(facts->status), facts->status);

    tgi_out_str(out, head);
    tgi_out_json(out, str(facts->detail));
    tgi_out_str(out, "\"");

    for (i = 0; i < facts->nrows; i++) {
        json_list(out, &facts->rows[i]);
    }

    if (facts->contact.len != 0) {
        tgi_out_str(out, ",\"contact\":\"");
        tgi_out_json(out, facts->contact);
        tgi_out_str(out, "\"");
    }

    if (facts->id.len != 0) {
        tgi_out_str(out, ",\"request\":\"");
        tgi_out_json(out, facts->id);
        tgi_out_str(out, "\"");
    }

    tgi_out_str(out, "}\n");
}


static void
json_list(tgi_out_t *out, const tgi_denial_row_t *row)
{
    size_t  i;

    tgi_out_str(out, ",\"");
    tgi_out_str(out, row->name);
    tgi_out_str(out, row->list ? "\":[\"" : "\":\"");

    for (i = 0; i < row->n; i++) {
        tgi_out_str(out, i == 0 ? "" : "\",\"");
        tgi_out_json(out, row->items[i]);
    }

    tgi_out_str(out, row->list ? "\"]" : "\"");
}


/* What is not DAV's own has a namespace of its own (RFC 4918 16, 17). */

void
tgi_denial_webdav(tgi_out_t *out, const tgi_denial_facts_t *facts)
{
    size_t                   i, j;
    const tgi_denial_row_t  *row;

    tgi_out_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                "<D:error xmlns:D=\"DAV:\" xmlns:T=\"tailgate:\">\n");

    webdav_element(out, "detail", str(facts->detail));

    for (i = 0; i < facts->nrows; i++) {
        row = &facts->rows[i];

        for (j = 0; j < row->n; j++) {
            webdav_element(out, row->name, row->items[j]);
        }
    }

    webdav_element(out, "contact", facts->contact);
    webdav_element(out, "request", facts->id);

    tgi_out_str(out, "</D:error>\n");
}


static void
webdav_element(tgi_out_t *out, const char *name, tg_str_t value)
{
    if (value.len == 0) {
        return;
    }

    tgi_out_str(out, "<T:");
    tgi_out_str(out, name);
    tgi_out_str(out, ">");
    tgi_out_markup(out, value);
    tgi_out_str(out, "</T:");
    tgi_out_str(out, name);
    tgi_out_str(out, ">\n");
}


void
tgi_denial_grpc(tgi_out_t *out, const tgi_denial_facts_t *facts)
{
    tgi_out_percent(out, str(facts->detail));

    if (facts->id.len != 0) {
        tgi_out_str(out, " (request ");
        tgi_out_percent(out, facts->id);
        tgi_out_str(out, ")");
    }
}


static const char *
phrase(int status)
{
    return status == 503 ? "Service Unavailable" : "Forbidden";
}


static tg_str_t
str(const char *text)
{
    tg_str_t  out;

    out.data = text;
    out.len = strlen(text);

    return out;
}
