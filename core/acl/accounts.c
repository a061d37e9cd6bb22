
/*
 * Copyright (C) The Tailgate authors
 *
 * What else a person asks a policy: which accounts it speaks of, and what to
 * beware of.
 */

#include "core/acl/ssh.h"

#include "core/acl/go.h"
#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


#define WARNING_MAX  512


typedef struct {
    tgi_map_t    seen;
    tg_str_t    *list;
    size_t       n;
} accounts_t;


static int
add(accounts_t *accounts, tg_str_t name)
{
    int  rc;

    if (name.len == 0) {
        return TG_OK;
    }

    rc = tgi_map_add(&accounts->seen, name, 0);

    if (rc == TG_OK) {
        accounts->list[accounts->n++] = name;
    }

    return rc == TG_ERR_NOMEM ? rc : TG_OK;
}


static const char *const  test_lists[] = { "accept", "check", "deny" };


static size_t
count_tests(const tg_hujson_t *tests)
{
    size_t              n;
    const tg_hujson_t  *test, *field;

    n = 0;

    for (test = tests == NULL ? NULL : tests->child; test != NULL;
         test = test->next)
    {
        for (field = test->child; field != NULL; field = field->next) {
            n += field->n;
        }
    }

    return n;
}


static int
add_tests(accounts_t *accounts, const tg_hujson_t *tests)
{
    int                 rc;
    size_t              i;
    const tg_hujson_t  *test, *field, *item;

    for (test = tests == NULL ? NULL : tests->child; test != NULL;
         test = test->next)
    {
        for (field = test->child; field != NULL; field = field->next) {

            for (i = 0; i < 3; i++) {
                if (tgi_go_key(field->key, test_lists[i])) {
                    break;
                }
            }

            for (item = i == 3 ? NULL : field->child; item != NULL;
                 item = item->next)
            {
                rc = add(accounts, tgi_go_trim(item->text));
                if (rc != TG_OK) {
                    return rc;
                }
            }
        }
    }

    return TG_OK;
}


static int
fill(const tg_acl_t *acl, const tg_str_t *login, accounts_t *accounts)
{
    int     rc;
    size_t  i, k;

    static const tg_str_t  usual[] = {
        TG_STR("root"), TG_STR("ubuntu"), TG_STR("nobody")
    };

    for (i = 0, rc = TG_OK; rc == TG_OK && i < 3; i++) {
        rc = add(accounts, usual[i]);
    }

    for (i = 0; rc == TG_OK && i < acl->nssh; i++) {
        for (k = 0; rc == TG_OK && k < acl->ssh[i].nliterals; k++) {
            rc = add(accounts, acl->ssh[i].literals[k]);
        }
    }

    if (rc == TG_OK) {
        rc = add_tests(accounts, acl->sections[TGI_SSH_TESTS]);
    }

    if (rc == TG_OK && login != NULL) {
        return add(accounts, tgi_login_local(*login));
    }

    for (i = 0; rc == TG_OK && acl->netmap != NULL && i < acl->netmap->nusers;
         i++)
    {
        rc = add(accounts, tgi_login_local(acl->netmap->users[i].login));
    }

    return rc;
}


int
tg_acl_accounts(const tg_acl_t *acl, const tg_str_t *login,
    const tg_alloc_t *alloc, const tg_str_t **list, size_t *n)
{
    int         rc;
    size_t      i, max;
    accounts_t  accounts;

    max = 4 + count_tests(acl->sections[TGI_SSH_TESTS])
          + (acl->netmap == NULL ? 0 : acl->netmap->nusers);

    for (i = 0; i < acl->nssh; i++) {
        max += acl->ssh[i].nliterals;
    }

    accounts.n = 0;
    accounts.list = tgi_alloc(alloc, max, sizeof(tg_str_t));

    if (accounts.list == NULL
        || tgi_map_init(&accounts.seen, 64, NULL) != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    rc = fill(acl, login, &accounts);
    tgi_map_done(&accounts.seen);

    *list = accounts.list;
    *n = accounts.n;

    return rc;
}


typedef struct {
    const tg_acl_t   *acl;
    tg_acl_warn_pt    warn;
    void             *ctx;
} warner_t;


static void
warn_at(const warner_t *warner, size_t offset, const char *message)
{
    size_t  line, column;

    tg_hujson_position(warner->acl->text.data, warner->acl->text.len, offset,
                       &line, &column);

    warner->warn(warner->ctx, line, column, message);
}


/* Who else than its user may open a session on a user's node? */

static void
warn_rule(const warner_t *warner, const tgi_ssh_t *rule)
{
    char                      message[WARNING_MAX];
    size_t                    s, d, line, column;
    const tg_acl_netmap_t    *netmap;

    netmap = warner->acl->netmap;
    line = 0;
    column = 0;

    for (d = 0; d < netmap->nnodes; d++) {

        if (netmap->owners[d] == TGI_NOBODY || !tgi_set_has(&rule->dst, d)) {
            continue;
        }

        for (s = 0; s < netmap->nnodes; s++) {
            if (netmap->owners[s] != netmap->owners[d]
                && tgi_set_has(&rule->src, s))
            {
                break;
            }
        }

        if (s == netmap->nnodes) {
            continue;
        }

        (void) snprintf(message, sizeof(message), "%.*s may open sessions on "
                        "%.*s, a node of %.*s: whoever runs code there is "
                        "that user",
                        (int) netmap->nodes[s].name.len,
                        netmap->nodes[s].name.data,
                        (int) netmap->nodes[d].name.len,
                        netmap->nodes[d].name.data,
                        (int) netmap->nodes[d].login.len,
                        netmap->nodes[d].login.data);

        /* a walk over the text: once, the nodes may be many */
        if (line == 0) {
            tg_hujson_position(warner->acl->text.data, warner->acl->text.len,
                               rule->rule->offset, &line, &column);
        }

        warner->warn(warner->ctx, line, column, message);
    }
}


static void
warn_routes(const warner_t *warner)
{
    char                      message[WARNING_MAX];
    size_t                    i;
    const tg_acl_node_t      *node;
    const tg_acl_netmap_t    *netmap;

    netmap = warner->acl->netmap;

    for (i = 0; i < netmap->nnodes; i++) {
        node = &netmap->nodes[i];

        if (node->login.len == 0 || !node->advertises) {
            continue;
        }

        (void) snprintf(message, sizeof(message), "%.*s, a node of %.*s, "
                        "advertises routes: whoever sits behind it is that "
                        "user", (int) node->name.len, node->name.data,
                        (int) node->login.len, node->login.data);

        warner->warn(warner->ctx, 0, 0, message);
    }
}


void
tg_acl_warn(const tg_acl_t *acl, tg_acl_warn_pt warn, void *ctx)
{
    size_t            i;
    warner_t          warner = { acl, warn, ctx };
    const tgi_ssh_t  *rule;

    for (i = 0; i < acl->nssh; i++) {
        rule = &acl->ssh[i];

        if (rule->posture) {
            warn_at(&warner, rule->rule->offset, "this rule asks for a device "
                    "posture, which is not known here: it lets nobody in");
        }

        if (rule->recorder) {
            warn_at(&warner, rule->rule->offset, "this rule enforces a "
                    "recorder, which there is none of here: it lets nobody "
                    "in");
        }

        if (acl->netmap != NULL && rule->people) {
            warn_rule(&warner, rule);
        }
    }

    if (acl->netmap != NULL) {
        warn_routes(&warner);
    }
}
