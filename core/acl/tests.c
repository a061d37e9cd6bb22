
/*
 * Copyright (C) The Tailgate authors
 *
 * The policy's own tests and sshTests.  The service only says that some
 * failed; here each assertion has its place and a reason.
 */

#include "core/acl/acl.h"

#include "core/acl/go.h"
#include "core/acl/rules.h"
#include "core/base/base.h"

#include <string.h>


static const char *const  test_fields[] = {
    "src", "proto", "accept", "deny", "srcPostureAttrs"
};

enum { SRC = 0, PROTO, ACCEPT, DENY, ATTRS };

static const char *const  ssh_fields[] = {
    "src", "dst", "accept", "check", "deny", "srcPostureAttrs"
};

enum { SSH_SRC = 0, SSH_DST, SSH_ACCEPT, SSH_CHECK, SSH_DENY, SSH_ATTRS };

#define NFIELDS      5
#define NSSH_FIELDS  6


/* What a source or a destination of a test stands for, and a walk over it. */

typedef struct {
    tgi_set_t   nodes;
    tg_addr_t   addr;
    bool        single;        /* addr alone; node has it, if any does */
    uint32_t    node;
    uint32_t    next;
} select_t;

typedef struct {
    const tg_acl_t      *acl;
    tg_acl_fail_pt       fail;
    void                *ctx;
    tg_acl_failure_t     failure;   /* what is common to a test */
    size_t               n;
} run_t;

typedef enum { FOR_TEST = 0, FOR_SSH } purpose_t;


static int check_dst(tg_acl_t *acl, const tg_hujson_t *dst);
static void run_test(run_t *run, const tg_hujson_t *test);
static void run_list(run_t *run, const tg_hujson_t *list, select_t *src,
    tg_str_t proto, bool accept);
static const char *run_item(const tg_acl_t *acl, tg_str_t item, select_t *src,
    tg_str_t proto, bool accept);
static void run_ssh_test(run_t *run, const tg_hujson_t *test);
static void run_ssh_dst(run_t *run, const tg_hujson_t **fields, select_t *src,
    select_t *dst);
static void run_ssh_user(run_t *run, const tg_hujson_t *item, select_t *src,
    const tgi_end_t *dst, tg_acl_action_t wanted);
static const char *resolve(const tg_acl_t *acl, tg_str_t text,
    tgi_which_t which, purpose_t purpose, select_t *select);
static bool next_end(const tg_acl_t *acl, select_t *select, tgi_end_t *end);


static int
check_lists(tg_acl_t *acl, const tg_hujson_t **fields, size_t n,
    const char *const *names)
{
    int     rc;
    size_t  i;

    for (i = 1; i < n - 1; i++) {

        if (strcmp(names[i], "proto") == 0) {
            if (fields[i] != NULL && fields[i]->type != TG_HUJSON_STRING) {
                return tgi_acl_fail(acl, fields[i]->offset,
                                    "proto must be a string");
            }

            continue;
        }

        rc = tgi_acl_strings(acl, fields[i], names[i]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (fields[0] != NULL && fields[0]->type != TG_HUJSON_STRING) {
        return tgi_acl_fail(acl, fields[0]->offset, "src must be a string");
    }

    return TG_OK;
}


int
tgi_acl_check_tests(tg_acl_t *acl, const tg_hujson_t *tests)
{
    int                 rc;
    const tg_hujson_t  *test, *fields[NFIELDS];

    rc = tgi_acl_objects(acl, tests, "tests");

    for (test = tests == NULL ? NULL : tests->child;
         rc == TG_OK && test != NULL; test = test->next)
    {
        rc = tgi_acl_fields(acl, test, test_fields, NFIELDS, fields);
        if (rc == TG_OK) {
            rc = check_lists(acl, fields, NFIELDS, test_fields);
        }
    }

    return rc;
}


int
tgi_acl_check_ssh_tests(tg_acl_t *acl, const tg_hujson_t *tests)
{
    int                 rc;
    const tg_hujson_t  *test, *fields[NSSH_FIELDS];

    rc = tgi_acl_objects(acl, tests, "sshTests");

    for (test = tests == NULL ? NULL : tests->child;
         rc == TG_OK && test != NULL; test = test->next)
    {
        rc = tgi_acl_fields(acl, test, ssh_fields, NSSH_FIELDS, fields);

        if (rc == TG_OK) {
            rc = check_lists(acl, fields, NSSH_FIELDS, ssh_fields);
        }

        if (rc == TG_OK && fields[SSH_DST] != NULL) {
            rc = check_dst(acl, fields[SSH_DST]);
        }
    }

    return rc;
}


static int
check_dst(tg_acl_t *acl, const tg_hujson_t *dst)
{
    uint32_t            host;
    tgi_sel_t           sel;
    const tg_hujson_t  *item;

    for (item = dst->child; item != NULL; item = item->next) {
        tgi_selector(&sel, tgi_go_trim(item->text));

        switch (sel.kind) {

        case TGI_SEL_TAG:
            if (tgi_map_get(&acl->by_tag, sel.text) == TGI_MAP_NONE) {
                return tgi_acl_fail(acl, item->offset, "SSH tests dst contains "
                                    "unknown tag %q", &sel.text);
            }

            break;

        case TGI_SEL_NAME:
            host = tgi_map_get(&acl->by_host, sel.text);

            if (host != TGI_MAP_NONE && acl->hosts[host].prefix) {
                return tgi_acl_fail(acl, item->offset, "SSH tests dst contains "
                                    "disallowed element %q", &sel.text);
            }

            break;

        case TGI_SEL_EMAIL:
        case TGI_SEL_ADDRESS:
            break;

        default:
            return tgi_acl_fail(acl, item->offset, "SSH tests dst contains "
                                "disallowed element %q", &sel.text);
        }
    }

    return TG_OK;
}


static size_t
count(const tg_hujson_t *list)
{
    return list == NULL ? 0 : list->n;
}


size_t
tg_acl_ntests(const tg_acl_t *acl)
{
    return count(acl->sections[TGI_TESTS])
           + count(acl->sections[TGI_SSH_TESTS]);
}


size_t
tg_acl_test(const tg_acl_t *acl, tg_acl_fail_pt fail, void *ctx)
{
    run_t               run;
    const tg_hujson_t  *test;

    memset(&run, 0, sizeof(run_t));
    run.acl = acl;
    run.fail = fail;
    run.ctx = ctx;

    if (acl->netmap == NULL) {
        return 0;
    }

    run.failure.section = "tests";
    test = count(acl->sections[TGI_TESTS]) == 0
           ? NULL : acl->sections[TGI_TESTS]->child;

    for ( /* void */ ; test != NULL; test = test->next) {
        run_test(&run, test);
        run.failure.index++;
    }

    run.failure.section = "sshTests";
    run.failure.index = 0;
    test = count(acl->sections[TGI_SSH_TESTS]) == 0
           ? NULL : acl->sections[TGI_SSH_TESTS]->child;

    for ( /* void */ ; test != NULL; test = test->next) {
        run_ssh_test(&run, test);
        run.failure.index++;
    }

    return run.n;
}


static void
report(run_t *run, size_t offset, const char *assertion, tg_str_t item,
    const char *reason)
{
    tg_acl_failure_t  failure;

    run->n++;

    if (run->fail == NULL) {
        return;
    }

    failure = run->failure;
    failure.assertion = assertion;
    failure.item = item;
    failure.reason = reason;
    tg_hujson_position(run->acl->text.data, run->acl->text.len, offset,
                       &failure.line, &failure.column);

    run->fail(run->ctx, &failure);
}


/* The checks of tgi_acl_check_tests() went well, so that this cannot fail. */

static void
fields_of(const tg_acl_t *acl, const tg_hujson_t *test,
    const char *const *names, size_t n, const tg_hujson_t **fields)
{
    tg_acl_t  quiet;

    quiet = *acl;
    quiet.fault = NULL;

    (void) tgi_acl_fields(&quiet, test, names, n, fields);
}


static bool
resolve_src(run_t *run, const tg_hujson_t *test, const tg_hujson_t *field,
    purpose_t purpose, select_t *src)
{
    tg_str_t     text = TG_NULL_STR;
    const char  *reason;

    if (field != NULL) {
        text = tgi_go_trim(field->text);
    }

    run->failure.src = text;
    run->failure.dst = (tg_str_t) TG_NULL_STR;

    reason = resolve(run->acl, text, TGI_SRC, purpose, src);

    if (reason != NULL) {
        report(run, field == NULL ? test->offset : field->offset, "src", text,
               reason);
    }

    return reason == NULL;
}


static void
run_test(run_t *run, const tg_hujson_t *test)
{
    select_t            src;
    tg_str_t            proto = TG_NULL_STR;
    const tg_hujson_t  *fields[NFIELDS];

    static const tg_str_t  none = TG_NULL_STR;

    fields_of(run->acl, test, test_fields, NFIELDS, fields);

    if (!resolve_src(run, test, fields[SRC], FOR_TEST, &src)) {
        return;
    }

    if (count(fields[ACCEPT]) == 0 && count(fields[DENY]) == 0) {
        report(run, test->offset, "accept", none, "nothing is asserted");
        return;
    }

    if (fields[PROTO] != NULL) {
        proto = fields[PROTO]->text;
    }

    if (proto.len > 0 && tgi_proto(proto) < 0) {
        report(run, fields[PROTO]->offset, "proto", proto,
               "not a protocol");
        return;
    }

    run_list(run, fields[ACCEPT], &src, proto, true);
    run_list(run, fields[DENY], &src, proto, false);
}


static void
run_list(run_t *run, const tg_hujson_t *list, select_t *src, tg_str_t proto,
    bool accept)
{
    const char         *reason;
    const tg_hujson_t  *item;

    item = count(list) == 0 ? NULL : list->child;

    for ( /* void */ ; item != NULL; item = item->next) {
        reason = run_item(run->acl, tgi_go_trim(item->text), src, proto,
                          accept);
        if (reason != NULL) {
            report(run, item->offset, accept ? "accept" : "deny", item->text,
                   reason);
        }
    }
}


/* Without a protocol TCP or UDP will do. */

static bool
reaches(const tg_acl_t *acl, const tgi_end_t *src, const tgi_end_t *dst,
    tg_str_t proto, unsigned port)
{
    if (proto.len > 0) {
        return tgi_reach(acl, src, dst, tgi_proto(proto), port);
    }

    return tgi_reach(acl, src, dst, TGI_PROTO_TCP, port)
           || tgi_reach(acl, src, dst, TGI_PROTO_UDP, port);
}


static const char *
run_item(const tg_acl_t *acl, tg_str_t item, select_t *src, tg_str_t proto,
    bool accept)
{
    select_t      dst;
    tg_str_t      host, ports;
    unsigned      port;
    tgi_end_t     from, to;
    const char   *reason;

    if (!tgi_rules_split(item, &host, &ports)) {
        return "no port: it must be host:port";
    }

    if (!tgi_number(ports, 65535, &port)) {
        return "not one numeric port";
    }

    reason = resolve(acl, host, TGI_DST, FOR_TEST, &dst);
    if (reason != NULL) {
        return reason;
    }

    for (dst.next = 0; next_end(acl, &dst, &to); /* void */ ) {
        for (src->next = 0; next_end(acl, src, &from); /* void */ ) {

            if (reaches(acl, &from, &to, proto, port) != accept) {
                return accept ? "denied" : "allowed";
            }
        }
    }

    return NULL;
}


static void
run_ssh_test(run_t *run, const tg_hujson_t *test)
{
    select_t            src, dst;
    tg_str_t            text;
    const char         *reason;
    const tg_hujson_t  *item, *fields[NSSH_FIELDS];

    static const tg_str_t  none = TG_NULL_STR;

    fields_of(run->acl, test, ssh_fields, NSSH_FIELDS, fields);

    if (!resolve_src(run, test, fields[SSH_SRC], FOR_SSH, &src)) {
        return;
    }

    if (count(fields[SSH_ACCEPT]) == 0 && count(fields[SSH_CHECK]) == 0
        && count(fields[SSH_DENY]) == 0)
    {
        report(run, test->offset, "accept", none, "nothing is asserted");
        return;
    }

    if (count(fields[SSH_DST]) == 0) {
        report(run, test->offset, "dst", none, "no destination");
        return;
    }

    for (item = fields[SSH_DST]->child; item != NULL; item = item->next) {
        text = tgi_go_trim(item->text);
        reason = resolve(run->acl, text, TGI_DST, FOR_SSH, &dst);

        if (reason != NULL) {
            report(run, item->offset, "dst", text, reason);
            continue;
        }

        run_ssh_dst(run, fields, &src, &dst);
    }
}


static void
run_ssh_dst(run_t *run, const tg_hujson_t **fields, select_t *src,
    select_t *dst)
{
    size_t              i;
    tgi_end_t           to;
    const tg_hujson_t  *item;

    static const struct {
        int              field;
        tg_acl_action_t  wanted;
    } lists[] = {
        { SSH_ACCEPT, TG_ACL_ACCEPT },
        { SSH_CHECK, TG_ACL_CHECK },
        { SSH_DENY, TG_ACL_DENY }
    };

    for (dst->next = 0; next_end(run->acl, dst, &to); /* void */ ) {
        run->failure.dst = run->acl->netmap->nodes[to.node].name;

        for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
            item = count(fields[lists[i].field]) == 0
                   ? NULL : fields[lists[i].field]->child;

            for ( /* void */ ; item != NULL; item = item->next) {
                run_ssh_user(run, item, src, &to, lists[i].wanted);
            }
        }
    }

    run->failure.dst = (tg_str_t) TG_NULL_STR;
}


/* accept means without a check, check means only after one. */

static void
run_ssh_user(run_t *run, const tg_hujson_t *item, select_t *src,
    const tgi_end_t *dst, tg_acl_action_t wanted)
{
    tg_str_t       user;
    tgi_end_t      from;
    tg_acl_ssh_t   decision;

    static const char *const  names[] = { "deny", "accept", "check" };
    static const char *const  got[] = {
        "denied", "accepted without a check", "accepted after a check only"
    };

    user = tgi_go_trim(item->text);

    if (user.len == 0) {
        report(run, item->offset, names[wanted], user, "an empty user");
        return;
    }

    for (src->next = 0; next_end(run->acl, src, &from); /* void */ ) {
        tg_acl_ssh(run->acl, from.node, dst->node, user, &decision);

        if (decision.action != wanted) {
            report(run, item->offset, names[wanted], user,
                   got[decision.action]);
            return;
        }
    }
}


static const char *
resolve_addr(const tg_acl_t *acl, const tg_addr_t *addr, purpose_t purpose,
    select_t *select)
{
    char      buf[TG_ADDR_TEXT_MAX];
    size_t    index;
    tg_str_t  text;

    select->single = true;
    select->addr = *addr;
    select->node = TGI_NOBODY;

    text.data = buf;
    text.len = tg_addr_format(addr, false, buf);

    if (tg_acl_node_find(acl->netmap, text, &index) == TG_OK) {
        select->node = (uint32_t) index;

    } else if (purpose == FOR_SSH) {
        return "no node has this address";
    }

    return NULL;
}


static const char *
resolve_nodes(const tg_acl_t *acl, const tgi_sel_t *sel, select_t *select)
{
    if (sel->kind == TGI_SEL_TAG
        && tgi_map_get(&acl->by_tag, sel->text) == TGI_MAP_NONE)
    {
        return "no such tag in tagOwners";
    }

    if (sel->kind == TGI_SEL_GROUP
        && tgi_map_get(&acl->by_group, sel->text) == TGI_MAP_NONE)
    {
        return "no such group";
    }

    tgi_acl_nodes_of(acl, sel, &select->nodes);

    return select->nodes.n == 0 ? "no node is meant by it" : NULL;
}


/* NULL, or why there is nothing to test. */

static const char *
resolve(const tg_acl_t *acl, tg_str_t text, tgi_which_t which,
    purpose_t purpose, select_t *select)
{
    uint32_t    host;
    tgi_sel_t   sel;

    memset(select, 0, sizeof(select_t));

    if (text.len == 0) {
        return which == TGI_SRC ? "no source" : "no destination";
    }

    tgi_selector(&sel, text);

    switch (sel.kind) {

    case TGI_SEL_EMAIL:
    case TGI_SEL_TAG:
        return resolve_nodes(acl, &sel, select);

    case TGI_SEL_GROUP:
    case TGI_SEL_MEMBER:
    case TGI_SEL_TAGGED:
        return purpose == FOR_SSH ? "groups cannot be tested"
                                  : resolve_nodes(acl, &sel, select);

    case TGI_SEL_ADDRESS:
        if (purpose == FOR_SSH && which == TGI_DST
            && sel.cidr.addr.family == TG_ADDR_V6)
        {
            return "the service fails tests of an IPv6 destination";
        }

        return resolve_addr(acl, &sel.cidr.addr, purpose, select);

    case TGI_SEL_NAME:
        host = tgi_map_get(&acl->by_host, text);

        if (host == TGI_MAP_NONE) {
            return "no such host";
        }

        if (acl->hosts[host].prefix) {
            return "a network, not one host";
        }

        return resolve_addr(acl, &acl->hosts[host].cidr.addr, purpose, select);

    default:
        return "not one host, tag, group or user";
    }
}


static bool
next_end(const tg_acl_t *acl, select_t *select, tgi_end_t *end)
{
    const tg_acl_node_t  *node;

    if (select->single) {
        end->node = select->node;
        end->addrs = &select->addr;
        end->naddrs = 1;
        return select->next++ == 0;
    }

    for ( /* void */ ; select->next < acl->netmap->nnodes; select->next++) {

        if (tgi_set_has(&select->nodes, select->next)) {
            node = &acl->netmap->nodes[select->next];
            end->node = select->next++;
            end->addrs = node->addrs;
            end->naddrs = node->naddrs;
            return true;
        }
    }

    return false;
}
