
/*
 * Copyright (C) The Tailgate authors
 *
 * Who may log in where, and as whom.
 */

#include "core/acl/ssh.h"

#include "core/acl/go.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* A node with more tags than fit is looked up in all rules. */

#define LISTS_MAX  32

typedef struct {
    uint32_t  key;
    uint32_t  rule;
} entry_t;

static const tg_str_t  self_key = TG_STR("autogroup:self");
static const tg_str_t  member_key = TG_STR("autogroup:member");
static const tg_str_t  tagged_key = TG_STR("autogroup:tagged");
static const tg_str_t  root_name = TG_STR("root");


static int collect(tg_acl_t *acl, entry_t *entries, size_t *n);
static bool key_of(const tg_acl_t *acl, tg_str_t text, tg_str_t *key);
static int sort(tg_acl_t *acl, const entry_t *entries, size_t n);


int
tgi_ssh_index(tg_acl_t *acl)
{
    int                 rc;
    size_t              i, n;
    entry_t            *entries;
    const tg_hujson_t  *dst;

    if (acl->netmap == NULL) {
        return TG_OK;
    }

    for (i = 0, n = 0; i < acl->nssh; i++) {
        for (dst = acl->ssh[i].rule->child; dst != NULL; dst = dst->next) {
            n += tgi_go_key(dst->key, "dst") ? dst->n : 0;
        }
    }

    entries = malloc((n + 1) * sizeof(entry_t));

    if (entries == NULL
        || tgi_map_init(&acl->by_dst, 64, acl->alloc) != TG_OK)
    {
        free(entries);
        return TG_ERR_NOMEM;
    }

    rc = collect(acl, entries, &n);
    if (rc == TG_OK) {
        rc = sort(acl, entries, n);
    }

    free(entries);

    return rc;
}


static int
collect(tg_acl_t *acl, entry_t *entries, size_t *n)
{
    int                 rc;
    size_t              i;
    tg_str_t            key;
    uint32_t            number;
    const tg_hujson_t  *dst, *item;

    for (i = 0, *n = 0; i < acl->nssh; i++) {

        for (dst = acl->ssh[i].rule->child; dst != NULL; dst = dst->next) {

            if (!tgi_go_key(dst->key, "dst")) {
                continue;
            }

            for (item = dst->child; item != NULL; item = item->next) {

                if (!key_of(acl, tgi_go_trim(item->text), &key)) {
                    continue;
                }

                number = tgi_map_get(&acl->by_dst, key);

                if (number == TGI_MAP_NONE) {
                    number = (uint32_t) acl->by_dst.n;

                    rc = tgi_map_add(&acl->by_dst, key, number);
                    if (rc != TG_OK) {
                        return rc;
                    }
                }

                entries[*n].key = number;
                entries[(*n)++].rule = (uint32_t) i;
            }
        }
    }

    return TG_OK;
}


/* What a node that it means would look for: headscale's "a@" is a login. */

static bool
key_of(const tg_acl_t *acl, tg_str_t text, tg_str_t *key)
{
    uint32_t   user;
    tgi_sel_t  sel;

    tgi_selector(&sel, text);

    switch (sel.kind) {

    case TGI_SEL_EMAIL:
        user = tgi_acl_user(acl, text);

        if (user == TGI_MAP_NONE) {
            return false;
        }

        *key = acl->netmap->users[user].login;
        return true;

    case TGI_SEL_MEMBER:
        *key = member_key;
        return true;

    default:
        *key = text;
        return true;
    }
}


static int
sort(tg_acl_t *acl, const entry_t *entries, size_t n)
{
    size_t     i, k, *starts;
    uint32_t  *rules;

    k = acl->by_dst.n;

    rules = tgi_alloc(acl->alloc, n + 1, sizeof(uint32_t));
    acl->by_rules = tgi_alloc(acl->alloc, k + 1, sizeof(tgi_rules_t));
    starts = calloc(k + 2, sizeof(size_t));

    if (rules == NULL || acl->by_rules == NULL || starts == NULL) {
        free(starts);
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < n; i++) {
        starts[entries[i].key + 1]++;
    }

    for (i = 0; i < k; i++) {
        starts[i + 1] += starts[i];
        acl->by_rules[i].rules = rules + starts[i];
        acl->by_rules[i].n = 0;
    }

    for (i = 0; i < n; i++) {
        rules[starts[entries[i].key]++] = entries[i].rule;
        acl->by_rules[entries[i].key].n++;
    }

    free(starts);

    return TG_OK;
}


static bool
same_user(const tg_acl_t *acl, size_t src, size_t dst)
{
    return acl->netmap->owners[src] != TGI_NOBODY
           && acl->netmap->owners[src] == acl->netmap->owners[dst];
}


static bool
has_user(const tg_acl_t *acl, const tgi_ssh_t *rule, size_t src, tg_str_t user)
{
    size_t    i;
    tg_str_t  login;

    for (i = 0; i < rule->nliterals; i++) {
        if (tgi_str_equal(rule->literals[i], user)) {
            return true;
        }
    }

    if (rule->nonroot && user.len > 0 && !tgi_str_equal(user, root_name)) {
        return true;
    }

    login = acl->netmap->nodes[src].login;

    for (i = 0; login.len > 0 && i < rule->ndomains; i++) {
        if (tgi_str_equal(tgi_login_domain(login), rule->domains[i])
            && tgi_str_equal(tgi_login_local(login), user))
        {
            return true;
        }
    }

    return false;
}


tg_acl_try_t
tg_acl_rule_try(const tg_acl_t *acl, size_t number, size_t src, size_t dst,
    tg_str_t user)
{
    bool              dst_self, dst_named;
    const tgi_ssh_t  *rule;

    rule = &acl->ssh[number];

    dst_named = tgi_set_has(&rule->dst, dst);
    dst_self = rule->self && acl->netmap->owners[dst] != TGI_NOBODY;

    if (!dst_named && !dst_self) {
        return TG_ACL_TRY_DST;
    }

    if (!tgi_set_has(&rule->src, src)) {
        return TG_ACL_TRY_SRC;
    }

    if (!dst_named && !same_user(acl, src, dst)) {
        return TG_ACL_TRY_SELF;
    }

    if (!has_user(acl, rule, src, user)) {
        return TG_ACL_TRY_USER;
    }

    if (rule->posture) {
        return TG_ACL_TRY_POSTURE;
    }

    return rule->recorder ? TG_ACL_TRY_RECORDER : TG_ACL_TRY_MATCH;
}


/* The rules that may have dst as a destination, each list in their order. */

typedef struct {
    tgi_rules_t  lists[LISTS_MAX];
    size_t       n;
    uint32_t     next;         /* when all rules are candidates */
    bool         all;
} candidates_t;


static void
add_list(const tg_acl_t *acl, candidates_t *candidates, tg_str_t key)
{
    uint32_t  number;

    number = tgi_map_get(&acl->by_dst, key);

    if (number == TGI_MAP_NONE) {
        return;
    }

    if (candidates->n == LISTS_MAX) {
        candidates->all = true;
        return;
    }

    candidates->lists[candidates->n++] = acl->by_rules[number];
}


static void
find_candidates(const tg_acl_t *acl, size_t dst, candidates_t *candidates)
{
    size_t                i;
    const tg_acl_node_t  *node;

    node = &acl->netmap->nodes[dst];
    candidates->n = 0;
    candidates->next = 0;
    candidates->all = false;

    for (i = 0; i < node->ntags; i++) {
        add_list(acl, candidates, node->tags[i]);
    }

    if (node->login.len > 0) {
        add_list(acl, candidates, node->login);
        add_list(acl, candidates, self_key);
    }

    add_list(acl, candidates, node->ntags > 0 ? tagged_key : member_key);
}


static bool
next_candidate(const tg_acl_t *acl, candidates_t *candidates, size_t *rule)
{
    size_t        i;
    uint32_t      best;
    tgi_rules_t  *list;

    if (candidates->all) {
        *rule = candidates->next++;
        return *rule < acl->nssh;
    }

    for (i = 0, best = UINT32_MAX; i < candidates->n; i++) {
        list = &candidates->lists[i];

        if (list->n > 0 && list->rules[0] < best) {
            best = list->rules[0];
        }
    }

    for (i = 0; i < candidates->n; i++) {
        list = &candidates->lists[i];

        while (list->n > 0 && list->rules[0] == best) {
            list->rules++;
            list->n--;
        }
    }

    *rule = best;

    return best != UINT32_MAX;
}


/*
 * A check that nobody here can make true (a posture, an enforced recorder) is
 * no reason to fall through to an accept: it ends in a denial.
 */

void
tg_acl_ssh(const tg_acl_t *acl, size_t src, size_t dst, tg_str_t user,
    tg_acl_ssh_t *decision)
{
    size_t            number;
    tg_acl_try_t      result;
    candidates_t      candidates;
    const tgi_ssh_t  *rule;

    memset(decision, 0, sizeof(tg_acl_ssh_t));
    find_candidates(acl, dst, &candidates);

    while (next_candidate(acl, &candidates, &number)) {
        result = tg_acl_rule_try(acl, number, src, dst, user);
        rule = &acl->ssh[number];

        if (result == TG_ACL_TRY_DST || result == TG_ACL_TRY_SRC
            || result == TG_ACL_TRY_SELF)
        {
            continue;
        }

        decision->principal = true;

        if (result == TG_ACL_TRY_USER) {
            continue;
        }

        decision->rule = number;

        if (result != TG_ACL_TRY_MATCH) {

            if (rule->action == TG_ACL_CHECK) {
                return;
            }

            continue;
        }

        decision->action = rule->action;
        decision->period = rule->period;
        decision->zero = rule->zero;
        decision->accept_env = rule->env;

        return;
    }
}


size_t
tg_acl_rules(const tg_acl_t *acl)
{
    return acl->nssh;
}


void
tg_acl_rule(const tg_acl_t *acl, size_t number, tg_acl_rule_t *info)
{
    const tgi_ssh_t  *rule;

    rule = &acl->ssh[number];

    info->action = rule->action;
    info->index = rule->index;
    info->rule = rule->rule;
    info->line = rule->line;
    info->column = rule->column;
}
