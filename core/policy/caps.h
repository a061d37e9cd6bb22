
/*
 * Copyright (C) The Tailgate authors
 *
 * Capabilities as a tree of values that a decision walks.
 */

#ifndef TGI_CAPS_H_INCLUDED_
#define TGI_CAPS_H_INCLUDED_

#include "core/policy/policy.h"


/* Arrays and objects inside each other. */

#define TGI_CAPS_DEPTH_MAX  64


typedef enum {
    TGI_VALUE_NULL = 0,
    TGI_VALUE_BOOL,
    TGI_VALUE_INTEGER,
    TGI_VALUE_REAL,
    TGI_VALUE_TEXT,
    TGI_VALUE_ARRAY,
    TGI_VALUE_OBJECT
} tgi_value_kind_t;

typedef struct tgi_value_s  tgi_value_t;

struct tgi_value_s {
    tgi_value_kind_t      kind;
    size_t                n;       /* items of an array or object */
    union {
        bool              boolean;
        int64_t           integer;
        double            real;
        tg_str_t          text;
        tgi_value_t      *items;
    } u;
    tg_str_t              name;    /* in an object */
};

/* The items are the capabilities, each an array, by name. */

struct tg_caps_s {
    tgi_value_t  *items;
    size_t        n;
};


/* The array of grants, NULL without that capability.  caps may be NULL. */

const tgi_value_t *tgi_caps_find(const tg_caps_t *caps, tg_str_t name);

/* The field of an object, NULL without it and for what is no object. */

const tgi_value_t *tgi_value_field(const tgi_value_t *object, tg_str_t name);

/* Whether one grant satisfies all of the fields. */

bool tgi_where_match(const tgi_where_t *where, size_t n,
    const tgi_value_t *grant);

/* The same for one field. */

bool tgi_where_field_match(const tgi_where_t *where, const tgi_value_t *grant);


#endif /* TGI_CAPS_H_INCLUDED_ */
