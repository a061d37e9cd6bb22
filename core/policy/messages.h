
/*
 * Copyright (C) The Tailgate authors
 *
 * What there is to say about a policy.  docs/policy-errors.md has a section
 * for each code.
 */

#ifndef TGI_POLICY_MESSAGES_H_INCLUDED_
#define TGI_POLICY_MESSAGES_H_INCLUDED_

#include <tailgate/policy.h>


typedef enum {
    TGI_P_SYNTAX = 0,
    TGI_P_TAB,
    TGI_P_BYTES,
    TGI_P_LIMITS,
    TGI_P_DUPLICATE_KEY,
    TGI_P_ANCHOR,
    TGI_P_YAML_TAG,
    TGI_P_DOCUMENTS,
    TGI_P_KEY,
    TGI_P_UNKNOWN_KEY,
    TGI_P_NOT_MAPPING,
    TGI_P_NOT_LIST,
    TGI_P_NOT_TEXT,
    TGI_P_EMPTY,
    TGI_P_CONTROL,
    TGI_P_MISSING,
    TGI_P_VERSION,
    TGI_P_KEY_TWICE,
    TGI_P_WORD,
    TGI_P_TOO_MANY,
    TGI_P_MORE,

    TGI_P_NAME,
    TGI_P_ROUTE_TWICE,
    TGI_P_NO_GROUP,
    TGI_P_UNUSED_GROUP,
    TGI_P_NESTED_GROUP,
    TGI_P_EMPTY_GROUP,

    TGI_P_USER_ADDR,
    TGI_P_USER_TAGGED_DEVICES,
    TGI_P_USER_PREFIX,
    TGI_P_USER_ANY,
    TGI_P_USER,
    TGI_P_USER_NO_DOMAIN,
    TGI_P_TAG_PREFIX,
    TGI_P_TAG,
    TGI_P_NODE,
    TGI_P_TAILNET,
    TGI_P_AUTOGROUP,
    TGI_P_CAPABILITY,
    TGI_P_WHERE_ALONE,
    TGI_P_WHERE,

    TGI_P_OS,
    TGI_P_VERSION_RANGE,
    TGI_P_DURATION,
    TGI_P_TIME,
    TGI_P_VIA,

    TGI_P_HOST_PORT,
    TGI_P_HOST_SCHEME,
    TGI_P_HOST,
    TGI_P_PATH_START,
    TGI_P_PATH,
    TGI_P_METHOD_CASE,
    TGI_P_METHOD,

    TGI_P_NEVER,
    TGI_P_SHADOWED,
    TGI_P_AMBIGUOUS,
    TGI_P_NO_ALLOW,
    TGI_P_ALWAYS_ALLOW,
    TGI_P_CHECK,

    TGI_P_HEADER_NAME,
    TGI_P_HEADER_NEEDED,
    TGI_P_HEADER_TWICE,
    TGI_P_HEADER_FROM,
    TGI_P_HEADER_KEY,
    TGI_P_HEADER_ROLE,
    TGI_P_ENCODING,
    TGI_P_ORDER_TWICE,
    TGI_P_DEFAULT,

    TGI_P_INLINE_WORD,
    TGI_P_TEST_PEER,
    TGI_P_TEST_REQUEST,
    TGI_P_TEST_RULE,

    TGI_P_N
} tgi_code_t;

typedef struct {
    char                   code[5];
    tg_policy_severity_t   severity;
    const char            *text;       /* %1, %2, %3 are the arguments */
} tgi_code_text_t;

extern const tgi_code_text_t  tgi_codes[TGI_P_N];


/* Nobody reads more than so many at once. */

#define TGI_MESSAGES_MAX  100


typedef struct {
    size_t  line;
    size_t  column;
} tgi_place_t;

typedef struct tgi_message_s  tgi_message_t;

typedef struct {
    const tg_alloc_t  *alloc;
    tgi_message_t     *first;
    tgi_message_t     *last;
    size_t             n;
    size_t             dropped;        /* past what anybody reads */
    size_t             errors;
    bool               nomem;
} tgi_messages_t;


/* a, b and c, any of which may be NULL, are NUL-terminated and of any bytes. */

void tgi_messages_add(tgi_messages_t *messages, tgi_code_t code,
    tgi_place_t place, const char *a, const char *b, const char *c);

/* All of them, sorted by their lines.  TG_OK or TG_ERR_NOMEM. */

int tgi_messages_report(tgi_messages_t *messages, tg_policy_report_pt report,
    void *ctx);


#endif /* TGI_POLICY_MESSAGES_H_INCLUDED_ */
