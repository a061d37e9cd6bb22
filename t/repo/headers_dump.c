
/*
 * Copyright (C) The Tailgate authors
 *
 * Prints the table of header profiles, a line for each header with a tab
 * between fields, for headers_doc.py.
 */

#include <tailgate/headers.h>

#include <stdio.h>


static const char  *const sources[TG_ATTR_MAX] = {
    [TG_ATTR_LOGIN] = "login",
    [TG_ATTR_USER] = "user",
    [TG_ATTR_NAME] = "name",
    [TG_ATTR_PICTURE] = "picture",
    [TG_ATTR_GROUPS] = "groups",
    [TG_ATTR_TAGS] = "tags",
    [TG_ATTR_NODE] = "node",
    [TG_ATTR_NODE_ID] = "node id",
    [TG_ATTR_NODE_ADDR] = "node address",
    [TG_ATTR_TAILNET] = "tailnet",
    [TG_ATTR_OS] = "os",
    [TG_ATTR_OS_VERSION] = "os version",
    [TG_ATTR_CAPS] = "capabilities",
    [TG_ATTR_PRINCIPAL] = "principal",
    [TG_ATTR_CAPABILITY_FIELD] = "capability"
};

static const char  *const transforms[] = {
    [TG_TRANSFORM_WHOLE] = "",
    [TG_TRANSFORM_LOWER] = "lower case",
    [TG_TRANSFORM_LOCAL_PART] = "before the \"@\"",
    [TG_TRANSFORM_FIRST_NAME] = "before the last blank",
    [TG_TRANSFORM_LAST_NAME] = "behind the last blank"
};

static const char  *const encodings[] = {
    [TG_ENCODING_UTF8] = "utf8",
    [TG_ENCODING_LATIN1] = "latin1",
    [TG_ENCODING_ASCII] = "ascii",
    [TG_ENCODING_PERCENT] = "percent",
    [TG_ENCODING_QUOTED_PRINTABLE] = "quoted-printable",
    [TG_ENCODING_RFC2047] = "rfc2047"
};

static const char  *const joins[] = {
    [TG_JOIN_SEPARATOR] = "separator",
    [TG_JOIN_JSON] = "json",
    [TG_JOIN_SEPARATOR_OR_JSON] = "separator or json"
};


static void
print_header(const tg_header_t *header)
{
    bool    list;
    size_t  i;

    list = header->source == TG_ATTR_GROUPS || header->source == TG_ATTR_TAGS;

    printf("header\t%s\t%s\t%s\t%s\t%s\t%c\t%zu\t%s\t%s\t%s\t%s\n",
           header->name, sources[header->source],
           transforms[header->transform], encodings[header->encoding],
           list ? joins[header->join] : "",
           list && header->separator ? header->separator : ' ', header->max,
           header->empty ? header->empty : "-",
           header->constant ? header->constant : "",
           header->cap ? header->cap : "", header->field ? header->field : "");

    for (i = 0; i < header->norder; i++) {
        printf("role\t%s\t%s\n", header->order[i],
               header->values ? header->values[i] : header->order[i]);
    }
}


int
main(void)
{
    size_t               i, j, n;
    const tg_profile_t  *profiles;

    profiles = tg_profile_table(&n);

    for (i = 0; i < n; i++) {
        printf("profile\t%s\t%s\t%s\n", profiles[i].name, profiles[i].summary,
               profiles[i].secret_header ? profiles[i].secret_header : "");

        for (j = 0; j < profiles[i].nheaders; j++) {
            print_header(&profiles[i].headers[j]);
        }

        for (j = 0; j < profiles[i].ncookies; j++) {
            printf("cookie\t%s\n", profiles[i].cookies[j]);
        }
    }

    return 0;
}
