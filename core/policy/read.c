
/*
 * Copyright (C) The Tailgate authors
 *
 * A policy file: its top level, and what becomes of it.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>


#define VALUES_MAX   2000000
#define DEPTH_MAX    12

/* A value of the tree takes about so much; the rest is for messages. */

#define SCRATCH_MAX  ((size_t) 1024 * 1024 * 1024)


static const tgi_yaml_limits_t  yaml_limits = {
    .size = TG_POLICY_SIZE_MAX,
    .nodes = VALUES_MAX,
    .depth = DEPTH_MAX
};


static void
read_version(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    (void) object;

    if (tgi_is_text(rd, node, "\"version\"")
        && strcmp(node->text.data, "1") != 0)
    {
        tgi_tell(rd, TGI_P_VERSION, node, node->text.data, NULL, NULL);
    }
}


static void
read_tailnets(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_policy_t  *policy;

    policy = object;

    tgi_read_tailnets(rd, node, &policy->tailnets);
}


static bool
check_member(tgi_read_t *rd, const tgi_yaml_t *item)
{
    const char  *text;

    text = item->text.data;

    if (strncmp(text, "group:", 6) == 0
        || tgi_map_get(&rd->policy->group_map, item->text) != TGI_MAP_NONE)
    {
        tgi_tell(rd, TGI_P_NESTED_GROUP, item, text, NULL, NULL);
        return false;
    }

    return tgi_check_login(rd, item);
}


static void
read_group(tgi_read_t *rd, const tgi_yaml_t *node, tgi_group_t *group)
{
    size_t  i;

    if (node->kind == TGI_YAML_SEQUENCE && node->n == 0) {
        tgi_messages_add(&rd->messages, TGI_P_EMPTY_GROUP, tgi_place(node),
                         node->key.data, NULL, NULL);
        return;
    }

    tgi_read_list(rd, node, check_member, &group->members);

    for (i = 0; i < group->members.n; i++) {
        if (!tgi_copy_lower(rd, group->members.items[i],
                            &group->members.items[i]))
        {
            return;
        }
    }
}


static void
read_groups(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_policy_t       *policy;
    tgi_group_t       *group;
    const tgi_yaml_t  *item;

    policy = object;

    if (!tgi_is_mapping(rd, node, "\"groups\"") || node->n == 0) {
        return;
    }

    policy->groups = tgi_new(rd, node->n, sizeof(tgi_group_t));

    if (policy->groups == NULL
        || tgi_map_init(&policy->group_map, node->n, rd->alloc) != TG_OK)
    {
        rd->messages.nomem = true;
        return;
    }

    /* all names first, so that a group among members is told from a login */

    for (item = node->first; item != NULL; item = item->next) {

        group = &policy->groups[policy->ngroups];
        group->line = item->line;
        group->column = item->column;
        group->index = policy->ngroups;

        if (!tgi_is_name(item->key)) {
            tgi_messages_add(&rd->messages, TGI_P_NAME, tgi_place(item),
                             item->key.data, "a group", "write letters,"
                             " digits, \"-\", \"_\" and \".\"");
        }

        if (!tgi_copy(rd, item->key, &group->name)
            || tgi_map_add(&policy->group_map, group->name,
                           (uint32_t) group->index) != TG_OK)
        {
            rd->messages.nomem = true;
            return;
        }

        policy->ngroups++;
    }

    group = policy->groups;

    for (item = node->first; item != NULL; item = item->next) {
        read_group(rd, item, group++);
    }
}


static void
read_always_allow(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    (void) object;

    tgi_messages_add(&rd->messages, TGI_P_ALWAYS_ALLOW, tgi_place(node), NULL,
                     NULL, NULL);
}


static void
read_always_deny(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_str_t      always = TG_STR("always");
    tg_policy_t  *policy;

    policy = object;

    tgi_read_rules(rd, node, TG_RULE_DENY, always, &policy->always_deny);
}


static void
read_always_require(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_str_t      always = TG_STR("always");
    tg_policy_t  *policy;

    policy = object;

    tgi_read_rules(rd, node, TG_RULE_REQUIRE, always,
                   &policy->always_require);
}


static const tgi_key_t  always_keys[] = {
    { "allow", NULL, read_always_allow, false },
    { "deny", NULL, read_always_deny, false },
    { "require", NULL, read_always_require, false }
};

const tgi_keys_t  tgi_always_keys = {
    "\"always\"", always_keys, sizeof(always_keys) / sizeof(always_keys[0])
};


static void
read_always(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_read_keys(rd, node, "\"always\"", &tgi_always_keys, object);
}


static void
read_granting(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_policy_t  *policy;

    policy = object;

    if (tgi_is_text(rd, node, "\"capability\"")
        && tgi_check_capability(rd, node))
    {
        (void) tgi_copy(rd, node->text, &policy->grants);
    }
}


static const tgi_key_t  grants_keys[] = {
    { "capability", NULL, read_granting, true }
};

const tgi_keys_t  tgi_grants_keys = {
    "\"grants\"", grants_keys, sizeof(grants_keys) / sizeof(grants_keys[0])
};


static void
read_grants(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_policy_t  *policy;

    policy = object;
    policy->has_routes = true;

    tgi_read_keys(rd, node, "\"grants\"", &tgi_grants_keys, object);
}


void
tgi_read_explain(tgi_read_t *rd, const tgi_yaml_t *node, bool *explain)
{
    static const tgi_word_t  words[] = { { "never", 0 }, { "self", 1 } };

    *explain = tgi_read_word(rd, node, words, 2) == 1;
}


void
tgi_read_contact(tgi_read_t *rd, const tgi_yaml_t *node, tg_str_t *contact)
{
    if (tgi_is_text(rd, node, "\"contact\"")) {
        (void) tgi_copy(rd, node->text, contact);
    }
}


static void
read_explain(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_read_explain(rd, node, &((tg_policy_t *) object)->explain);
}


static void
read_contact(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_read_contact(rd, node, &((tg_policy_t *) object)->contact);
}


/* In the order of reading: what others refer to comes first. */

static const tgi_key_t  policy_keys[] = {
    { "version", NULL, read_version, true },
    { "tailnet", NULL, read_tailnets, false },
    { "explain_denials", NULL, read_explain, false },
    { "contact", NULL, read_contact, false },
    { "groups", NULL, read_groups, false },
    { "capabilities", NULL, tgi_read_roles, false },
    { "always", NULL, read_always, false },
    { "grants", NULL, read_grants, false },
    { "routes", NULL, tgi_read_routes, false },
    { "tests", NULL, tgi_read_tests, false }
};

const tgi_keys_t  tgi_policy_keys = {
    "a policy", policy_keys, sizeof(policy_keys) / sizeof(policy_keys[0])
};


/* What is in that line, from column on. */

static void
line_at(const char *data, size_t len, tgi_place_t *place, char *out,
    size_t size)
{
    size_t       i, n;
    const char  *p, *end, *next;

    p = data;
    end = data + len;

    for (i = 1; i < place->line && p < end; i++) {
        next = memchr(p, '\n', (size_t) (end - p));
        p = next != NULL ? next + 1 : end;
    }

    for (n = 0; p + n < end && p[n] != '\n' && n + 1 < size; n++) {
        out[n] = p[n];
    }

    out[n] = '\0';
}


static void
tell_yaml(tgi_read_t *rd, const char *data, size_t len,
    tgi_yaml_fault_t fault, const tg_error_t *error)
{
    char         line[512];
    size_t       skip;
    tgi_code_t   code;
    const char  *text;
    tgi_place_t  place = { error->line, error->column };

    static const tgi_code_t  codes[] = {
        [TGI_YAML_FINE] = TGI_P_SYNTAX,
        [TGI_YAML_SYNTAX] = TGI_P_SYNTAX,
        [TGI_YAML_BYTES] = TGI_P_BYTES,
        [TGI_YAML_LIMITS] = TGI_P_LIMITS,
        [TGI_YAML_DUPLICATE] = TGI_P_DUPLICATE_KEY,
        [TGI_YAML_ANCHOR] = TGI_P_ANCHOR,
        [TGI_YAML_TAG] = TGI_P_YAML_TAG,
        [TGI_YAML_DOCUMENTS] = TGI_P_DOCUMENTS,
        [TGI_YAML_KEY] = TGI_P_KEY,
        [TGI_YAML_MEMORY] = TGI_P_LIMITS
    };

    code = codes[fault];

    line_at(data, len, &place, line, sizeof(line));

    text = line + strspn(line, " ");

    if (fault == TGI_YAML_SYNTAX && line[strspn(line, " ")] == '\t') {
        code = TGI_P_TAB;
        text = line + strspn(line, " \t");
    }

    if ((code == TGI_P_ANCHOR || code == TGI_P_YAML_TAG || code == TGI_P_KEY)
        && place.column != 0)
    {
        /* columns count characters */

        for (skip = 0, text = line; *text != '\0'; text++) {
            if (((unsigned char) *text & 0xc0) != 0x80
                && ++skip == place.column)
            {
                break;
            }
        }
    }

    if (code == TGI_P_SYNTAX || code == TGI_P_BYTES || code == TGI_P_LIMITS
        || code == TGI_P_DUPLICATE_KEY)
    {
        tgi_messages_add(&rd->messages, code, place, error->text, text, NULL);

    } else {
        tgi_messages_add(&rd->messages, code, place, text, NULL, NULL);
    }
}


static int
digest(tgi_read_t *rd, const char *data, size_t len)
{
    size_t         i;
    unsigned int   n;
    unsigned char  sum[EVP_MAX_MD_SIZE];

    static const char  hex[] = "0123456789abcdef";

    n = 0;

    if (EVP_Digest(data, len, sum, &n, EVP_sha256(), NULL) != 1
        || n * 2 != TG_POLICY_DIGEST_LEN)
    {
        return TG_ERR_CRYPTO;
    }

    for (i = 0; i < n; i++) {
        rd->policy->digest[2 * i] = hex[sum[i] >> 4];
        rd->policy->digest[2 * i + 1] = hex[sum[i] & 0xf];
    }

    return TG_OK;
}


/* Fills rd->policy.  Whether it is any good is in rd->messages. */

static int
read_policy(tgi_read_t *rd, const char *data, size_t len)
{
    int                rc;
    tg_error_t         error;
    tgi_yaml_t        *root;
    tgi_yaml_fault_t   fault;

    rc = tgi_yaml_read_fault(data, len, &yaml_limits, rd->scratch, &root,
                             &fault, &error);

    if (rc != TG_OK) {
        if (rc != TG_ERR_NOMEM) {
            tell_yaml(rd, data, len, fault, &error);
        }

        return rc;
    }

    rd->policy = tgi_new(rd, 1, sizeof(tg_policy_t));
    if (rd->policy == NULL) {
        return TG_ERR_NOMEM;
    }

    tgi_read_keys(rd, root, "the policy", &tgi_policy_keys, rd->policy);

    if (!rd->messages.nomem) {
        tgi_collect_headers(rd);
        tgi_check_policy(rd);
    }

    if (rd->messages.nomem) {
        return TG_ERR_NOMEM;
    }

    return rd->messages.errors != 0 ? TG_ERR_REFUSED : digest(rd, data, len);
}


int
tg_policy_compile(const char *data, size_t len, const tg_alloc_t *alloc,
    tg_policy_report_pt report, void *ctx, tg_policy_t **policy)
{
    int          rc, told;
    tg_alloc_t   scratch;
    tg_arena_t  *arena;
    tgi_read_t   rd;

    arena = tg_arena_new(SCRATCH_MAX);
    if (arena == NULL) {
        return TG_ERR_NOMEM;
    }

    scratch = tg_arena_allocator(arena);

    memset(&rd, 0, sizeof(rd));
    rd.alloc = alloc;
    rd.scratch = &scratch;
    rd.messages.alloc = &scratch;

    rc = read_policy(&rd, data, len);
    told = tgi_messages_report(&rd.messages, report, ctx);

    /* the index has the room of the tree then */

    tg_arena_free(&arena);

    if (rc == TG_OK) {
        rc = told;
    }

    if (rc == TG_OK) {
        rc = tgi_policy_index(rd.policy, alloc);
    }

    if (rc == TG_OK) {
        *policy = rd.policy;
    }

    return rc;
}
