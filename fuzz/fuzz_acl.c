
/*
 * Copyright (C) The Tailgate authors
 *
 * Policies for a small tailnet.  One that compiles can be asked anything; what
 * it decides agrees with its own explanation; one that does not says why.
 */

#include <tailgate/acl.h>

#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  (64 * 1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const char  people[] =
    "{\"users\": {\"odin\": \"odin@example.com\","
    " \"thor\": \"thor@example.org\"},"
    " \"tailnet_domains\": [\"example.com\"],"
    " \"nodes\": {"
    "\"server\": {\"tags\": [\"tag:server\", \"tag:b\"],"
    " \"ipv4\": \"100.64.0.1\", \"ipv6\": \"fd7a:115c:a1e0::1\","
    " \"approved_routes\": [\"10.33.0.0/16\"]},"
    "\"odins\": {\"user\": \"odin\", \"ipv4\": \"100.64.0.2\"},"
    "\"odins2\": {\"user\": \"odin\", \"ipv4\": \"100.64.0.3\"},"
    "\"thors\": {\"user\": \"thor\", \"ipv6\": \"fd7a:115c:a1e0::4\"}}}";


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static void
ask(const tg_acl_t *acl, const tg_alloc_t *alloc, size_t src, size_t dst)
{
    size_t               i, n;
    tg_acl_try_t         result;
    tg_acl_ssh_t         decision;
    tg_acl_rule_t        rule;
    const tg_acl_cap_t  *caps;

    static const tg_str_t  root = TG_STR("root");

    tg_acl_ssh(acl, src, dst, root, &decision);

    if (decision.action != TG_ACL_DENY) {
        tg_acl_rule(acl, decision.rule, &rule);
        require(rule.action == decision.action && rule.line > 0);

        for (i = 0; i < decision.rule; i++) {
            result = tg_acl_rule_try(acl, i, src, dst, root);
            require(result != TG_ACL_TRY_MATCH);
        }

        require(tg_acl_rule_try(acl, i, src, dst, root) == TG_ACL_TRY_MATCH);

    } else {
        for (i = 0, n = 0; i < tg_acl_rules(acl); i++) {
            result = tg_acl_rule_try(acl, i, src, dst, root);
            n += result == TG_ACL_TRY_POSTURE || result == TG_ACL_TRY_RECORDER;
            require(result != TG_ACL_TRY_MATCH || n > 0);
        }
    }

    (void) tg_acl_reach(acl, src, dst, 6, 22);
    require(tg_acl_caps(acl, src, dst, alloc, &caps, &n) == TG_OK);
}


static void
ignore(void *ctx, size_t line, size_t column, const char *message)
{
    (void) ctx;
    (void) line;
    (void) column;
    require(message[0] != '\0');
}


static void
compile(tg_str_t text, const tg_acl_netmap_t *netmap, const tg_alloc_t *alloc,
    tg_acl_dialect_t dialect)
{
    int                 rc;
    size_t              src, dst, n;
    tg_acl_t           *acl;
    tg_acl_fault_t      fault;
    const tg_str_t     *accounts;
    const tg_hujson_t  *root;

    if (tg_hujson_parse(&root, text.data, text.len, alloc, NULL) != TG_OK) {
        return;
    }

    rc = tg_acl_compile(&acl, root, text, netmap, dialect, alloc, &fault);

    if (rc != TG_OK) {
        require(rc == TG_ERR_REFUSED && fault.message.len > 0
                && fault.line > 0 && fault.column > 0);
        return;
    }

    require(tg_acl_accounts(acl, NULL, alloc, &accounts, &n) == TG_OK);
    require(n >= 3);
    tg_acl_warn(acl, ignore, NULL);

    if (netmap == NULL) {
        require(tg_acl_test(acl, NULL, NULL) == 0);
        return;
    }

    (void) tg_acl_test(acl, NULL, NULL);

    for (src = 0; src < tg_acl_nodes(netmap); src++) {
        for (dst = 0; dst < tg_acl_nodes(netmap); dst++) {
            ask(acl, alloc, src, dst);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_str_t            text;
    tg_alloc_t          alloc;
    tg_arena_t         *arena;
    tg_acl_netmap_t    *netmap;
    const tg_hujson_t  *root;

    static const tg_str_t  nodes = { people, sizeof(people) - 1 };

    arena = tg_arena_new(ARENA_MAX);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    require(tg_hujson_parse(&root, nodes.data, nodes.len, &alloc, NULL)
            == TG_OK);
    require(tg_acl_netmap(&netmap, root, nodes, NULL, 0, &alloc, NULL)
            == TG_OK);

    text.data = (const char *) data;
    text.len = size;

    compile(text, netmap, &alloc, TG_ACL_TAILSCALE);
    compile(text, netmap, &alloc, TG_ACL_HEADSCALE);
    compile(text, NULL, &alloc, TG_ACL_TAILSCALE);

    /* and as the netmap, of either shape */
    if (tg_hujson_parse(&root, text.data, text.len, &alloc, NULL) == TG_OK) {
        (void) tg_acl_netmap(&netmap, root, text, NULL, 0, &alloc, NULL);
    }

    tg_arena_free(&arena);

    return 0;
}
