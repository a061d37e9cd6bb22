
/*
 * Copyright (C) The Tailgate authors
 *
 * What the acls and the grants sections share.
 */

#ifndef TGI_ACL_RULES_H_INCLUDED_
#define TGI_ACL_RULES_H_INCLUDED_

#include "core/acl/acl.h"


/* The strings of a list, trimmed, and where they stand. */

typedef struct {
    tg_str_t  *texts;
    size_t    *offsets;
    size_t     n;
} tgi_items_t;

int tgi_rules_items(tg_acl_t *acl, const tg_hujson_t *list,
    tgi_items_t *items);

/* autogroup:self in dst wants people in src. */

int tgi_rules_check_self(tg_acl_t *acl, const tgi_items_t *src,
    size_t offset);

/* Does a rule with this srcPosture (NULL: none) ask for a device posture? */

bool tgi_rules_posture(const tg_acl_t *acl, const tg_hujson_t *posture);

int tgi_rules_add_flow(tg_acl_t *acl, const tgi_flow_t *flow);

/* "host:ports" at the last colon, brackets of an IPv6 address removed. */

bool tgi_rules_split(tg_str_t text, tg_str_t *host, tg_str_t *ports);


#endif /* TGI_ACL_RULES_H_INCLUDED_ */
