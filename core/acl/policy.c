
/*
 * Copyright (C) The Tailgate authors
 *
 * The policy as a whole: its sections, and what they define for each other.
 */

#include "core/acl/acl.h"

#include "core/acl/go.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/*
 * All sections that the service knows (its reference of the policy file); the
 * first eight are TGI_GROUPS and so on.  Those that decide nothing here are
 * read and left alone.
 */

static const char *const  sections[] = {
    "groups", "tagOwners", "hosts", "acls", "grants", "ssh", "tests",
    "sshTests", "autoApprovers", "nodeAttrs", "postures",
    "defaultSrcPosture", "ipsets", "derpMap", "disableIPv4", "OneCGNATRoute",
    "randomizeClientPort", "extraDNSRecords"
};

#define NSECTIONS          (sizeof(sections) / sizeof(sections[0]))
#define DEFAULT_POSTURE    11


static int compile_sections(tg_acl_t *acl, const tg_hujson_t *policy);
static int compile_groups(tg_acl_t *acl, const tg_hujson_t *groups);
static int check_group(tg_acl_t *acl, const tg_hujson_t *group);
static int fill_group(tg_acl_t *acl, const tg_hujson_t *group,
    tgi_group_t *made);
static int compile_tag_owners(tg_acl_t *acl, const tg_hujson_t *owners);
static int compile_hosts(tg_acl_t *acl, const tg_hujson_t *hosts);
static int compile_routes(tg_acl_t *acl);


int
tgi_acl_fail(tg_acl_t *acl, size_t offset, const char *format, ...)
{
    int      rc;
    va_list  args;

    if (acl->fault == NULL) {
        return TG_ERR_REFUSED;
    }

    va_start(args, format);
    rc = tgi_go_message(&acl->fault->message, acl->alloc, format, args);
    va_end(args);

    acl->fault->stage = TG_ACL_STAGE_VALIDATION;
    tg_hujson_position(acl->text.data, acl->text.len, offset,
                       &acl->fault->line, &acl->fault->column);

    return rc == TG_OK ? TG_ERR_REFUSED : rc;
}


int
tgi_acl_strings(tg_acl_t *acl, const tg_hujson_t *value, const char *name)
{
    const tg_hujson_t  *item;

    if (value == NULL) {
        return TG_OK;
    }

    if (value->type != TG_HUJSON_ARRAY) {
        return tgi_acl_fail(acl, value->offset, "%s must be a list of strings",
                            name);
    }

    for (item = value->child; item != NULL; item = item->next) {
        if (item->type != TG_HUJSON_STRING) {
            return tgi_acl_fail(acl, item->offset,
                                "%s must be a list of strings", name);
        }
    }

    return TG_OK;
}


int
tgi_acl_objects(tg_acl_t *acl, const tg_hujson_t *value, const char *name)
{
    const tg_hujson_t  *item;

    if (value == NULL) {
        return TG_OK;
    }

    if (value->type != TG_HUJSON_ARRAY) {
        return tgi_acl_fail(acl, value->offset, "%s must be a list of objects",
                            name);
    }

    for (item = value->child; item != NULL; item = item->next) {
        if (item->type != TG_HUJSON_OBJECT) {
            return tgi_acl_fail(acl, item->offset,
                                "%s must be a list of objects", name);
        }
    }

    return TG_OK;
}


int
tgi_acl_fields(tg_acl_t *acl, const tg_hujson_t *object,
    const char *const *names, size_t n, const tg_hujson_t **fields)
{
    bool                seen[32];
    size_t              i;
    const tg_hujson_t  *member;

    memset(seen, 0, sizeof(seen));

    for (i = 0; i < n; i++) {
        fields[i] = NULL;
    }

    for (member = object->child; member != NULL; member = member->next) {

        for (i = 0; i < n; i++) {
            if (tgi_go_key(member->key, names[i])) {
                break;
            }
        }

        if (i == n) {
            return tgi_acl_fail(acl, member->key_offset, "unknown field %q",
                                &member->key);
        }

        if (seen[i]) {
            return tgi_acl_fail(acl, member->key_offset,
                                "field %q stands here a second time",
                                &member->key);
        }

        seen[i] = true;
        fields[i] = member->type == TG_HUJSON_NULL ? NULL : member;
    }

    return TG_OK;
}


int
tg_acl_compile(tg_acl_t **acl, const tg_hujson_t *policy, tg_str_t text,
    const tg_acl_netmap_t *netmap, tg_acl_dialect_t dialect,
    const tg_alloc_t *alloc, tg_acl_fault_t *fault)
{
    int        rc;
    tg_acl_t  *made;

    if (fault != NULL) {
        memset(fault, 0, sizeof(tg_acl_fault_t));
    }

    made = tgi_alloc(alloc, 1, sizeof(tg_acl_t));
    if (made == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(made, 0, sizeof(tg_acl_t));
    made->netmap = netmap;
    made->dialect = dialect;
    made->alloc = alloc;
    made->fault = fault;
    made->text = text;

    rc = policy->type == TG_HUJSON_OBJECT
         ? compile_sections(made, policy)
         : tgi_acl_fail(made, policy->offset, "a policy must be an object");

    if (rc == TG_ERR_NOMEM && fault != NULL && fault->message.len == 0) {
        fault->stage = TG_ACL_STAGE_SYNTAX;
        fault->message.data = "out of memory";
        fault->message.len = sizeof("out of memory") - 1;
    }

    if (rc == TG_OK) {
        made->fault = NULL;
        *acl = made;
    }

    return rc;
}


/* A key that is there but null is no reason to allow everything. */

static bool
has_section(const tg_hujson_t *policy, const char *name)
{
    const tg_hujson_t  *member;

    for (member = policy->child; member != NULL; member = member->next) {
        if (tgi_go_key(member->key, name)) {
            return true;
        }
    }

    return false;
}


static int
compile_sections(tg_acl_t *acl, const tg_hujson_t *policy)
{
    int                 rc;
    const tg_hujson_t  *posture, *found[NSECTIONS];

    rc = tgi_acl_fields(acl, policy, sections, NSECTIONS, found);
    if (rc != TG_OK) {
        return rc;
    }

    memcpy(acl->sections, found, sizeof(acl->sections));

    posture = found[DEFAULT_POSTURE];
    acl->posture = posture != NULL
                   && !(posture->type == TG_HUJSON_ARRAY && posture->n == 0);

    acl->allow_all = !has_section(policy, "acls")
                     && !has_section(policy, "grants");

    if ((rc = compile_groups(acl, found[TGI_GROUPS])) != TG_OK
        || (rc = compile_tag_owners(acl, found[TGI_TAG_OWNERS])) != TG_OK
        || (rc = compile_hosts(acl, found[TGI_HOSTS])) != TG_OK
        || (rc = compile_routes(acl)) != TG_OK
        || (rc = tgi_acl_compile_acls(acl, found[TGI_ACLS])) != TG_OK
        || (rc = tgi_acl_compile_grants(acl, found[TGI_GRANTS])) != TG_OK
        || (rc = tgi_acl_compile_ssh(acl, found[TGI_SSH])) != TG_OK
        || (rc = tgi_acl_check_tests(acl, found[TGI_TESTS])) != TG_OK)
    {
        return rc;
    }

    return tgi_acl_check_ssh_tests(acl, found[TGI_SSH_TESTS]);
}


static int
check_map(tg_acl_t *acl, const tg_hujson_t *value, const char *name)
{
    if (value != NULL && value->type != TG_HUJSON_OBJECT) {
        return tgi_acl_fail(acl, value->offset, "%s must be an object", name);
    }

    return TG_OK;
}


static int
compare_names(const void *a, const void *b)
{
    int                 rc;
    size_t              n;
    const tg_hujson_t  *x, *y;

    x = *(const tg_hujson_t *const *) a;
    y = *(const tg_hujson_t *const *) b;
    n = x->key.len < y->key.len ? x->key.len : y->key.len;
    rc = n == 0 ? 0 : memcmp(x->key.data, y->key.data, n);

    return rc != 0 ? rc : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}


/* With two at fault, the service names the one that comes later by name. */

static int
compile_groups(tg_acl_t *acl, const tg_hujson_t *groups)
{
    int                  rc;
    size_t               i, n;
    const tg_hujson_t   *group, **sorted;

    rc = check_map(acl, groups, "groups");
    if (rc != TG_OK || groups == NULL) {
        return rc;
    }

    n = groups->n;
    sorted = tgi_alloc(acl->alloc, n + 1, sizeof(tg_hujson_t *));
    acl->groups = tgi_alloc(acl->alloc, n + 1, sizeof(tgi_group_t));

    if (sorted == NULL || acl->groups == NULL
        || tgi_map_init(&acl->by_group, n, acl->alloc) != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    for (i = 0, group = groups->child; group != NULL; group = group->next) {
        sorted[i++] = group;
    }

    qsort(sorted, n, sizeof(tg_hujson_t *), compare_names);

    for (i = n; i > 0; i--) {
        rc = check_group(acl, sorted[i - 1]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    for (i = 0; i < n; i++) {
        rc = tgi_map_add(&acl->by_group, sorted[i]->key, (uint32_t) i);
        if (rc == TG_OK) {
            rc = fill_group(acl, sorted[i], &acl->groups[i]);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


static int
check_group(tg_acl_t *acl, const tg_hujson_t *group)
{
    tgi_sel_t           sel;
    const tg_hujson_t  *item;

    tgi_selector(&sel, group->key);

    if (sel.kind != TGI_SEL_GROUP || group->key.len == strlen("group:")) {
        return tgi_acl_fail(acl, group->key_offset, "groups[%q]: group names "
                            "must start with 'group:'", &group->key);
    }

    if (group->type == TG_HUJSON_NULL) {
        return TG_OK;
    }

    if (group->type != TG_HUJSON_ARRAY) {
        return tgi_acl_fail(acl, group->offset,
                            "groups[%q]: must be a list of strings",
                            &group->key);
    }

    for (item = group->child; item != NULL; item = item->next) {
        if (item->type != TG_HUJSON_STRING) {
            return tgi_acl_fail(acl, item->offset,
                                "groups[%q]: must be a list of strings",
                                &group->key);
        }

        tgi_selector(&sel, tgi_go_trim(item->text));

        if (sel.kind == TGI_SEL_GROUP) {
            return tgi_acl_fail(acl, item->offset, "groups[%q]: %q: group "
                                "members cannot be recursive", &group->key,
                                &sel.text);
        }

        if (sel.kind != TGI_SEL_EMAIL) {
            return tgi_acl_fail(acl, item->offset, "groups[%q]: %q: group "
                                "members must be users", &group->key,
                                &sel.text);
        }
    }

    return TG_OK;
}


static int
fill_group(tg_acl_t *acl, const tg_hujson_t *group, tgi_group_t *made)
{
    int                 rc;
    size_t              n;
    tgi_set_t          *sets;
    tgi_sel_t           sel;
    const tg_hujson_t  *item;

    memset(made, 0, sizeof(tgi_group_t));
    made->name = group->key;

    if (acl->netmap == NULL || group->n == 0) {
        return TG_OK;
    }

    sets = malloc(group->n * sizeof(tgi_set_t));
    if (sets == NULL) {
        return TG_ERR_NOMEM;
    }

    for (n = 0, item = group->child; item != NULL; item = item->next) {
        tgi_selector(&sel, tgi_go_trim(item->text));
        tgi_acl_nodes_of(acl, &sel, &sets[n++]);
    }

    rc = tgi_set_union(&made->nodes, sets, n, acl->netmap->nnodes, acl->alloc);
    free(sets);

    return rc;
}


/* tailcfg.CheckTag, in its words; NULL: nothing is wrong. */

static const char *
check_tag(tg_str_t tag)
{
    char    c;
    size_t  i;

    static const char  prefix[] = "tag:";

    i = sizeof(prefix) - 1;

    if (tag.len < i || memcmp(tag.data, prefix, i) != 0) {
        return "tags must start with 'tag:'";
    }

    if (tag.len == i) {
        return "tag names must not be empty";
    }

    c = tgi_lower(tag.data[i]);
    if (c < 'a' || c > 'z') {
        return "tag names must start with a letter, after 'tag:'";
    }

    for ( /* void */ ; i < tag.len; i++) {
        c = tgi_lower(tag.data[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            return "tag names can only contain numbers, letters, or dashes";
        }
    }

    return NULL;
}


static int
compile_tag_owners(tg_acl_t *acl, const tg_hujson_t *owners)
{
    int                 rc;
    const char         *why;
    const tg_hujson_t  *tag, *item;

    rc = check_map(acl, owners, "tagOwners");
    if (rc != TG_OK || owners == NULL) {
        return rc;
    }

    if (tgi_map_init(&acl->by_tag, owners->n, acl->alloc) != TG_OK) {
        return TG_ERR_NOMEM;
    }

    for (tag = owners->child; tag != NULL; tag = tag->next) {
        why = check_tag(tag->key);
        if (why != NULL) {
            return tgi_acl_fail(acl, tag->key_offset, "tagOwners[%q]: %s",
                                &tag->key, why);
        }

        if (tag->type != TG_HUJSON_ARRAY && tag->type != TG_HUJSON_NULL) {
            return tgi_acl_fail(acl, tag->offset,
                                "tagOwners[%q]: must be a list of strings",
                                &tag->key);
        }

        for (item = tag->child; item != NULL; item = item->next) {
            if (item->type != TG_HUJSON_STRING) {
                return tgi_acl_fail(acl, item->offset,
                                    "tagOwners[%q]: must be a list of strings",
                                    &tag->key);
            }
        }

        rc = tgi_map_add(&acl->by_tag, tag->key, 0);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


static int
compile_hosts(tg_acl_t *acl, const tg_hujson_t *hosts)
{
    int                 rc;
    size_t              n;
    tgi_sel_t           sel;
    const tg_hujson_t  *host;

    rc = check_map(acl, hosts, "hosts");
    if (rc != TG_OK || hosts == NULL) {
        return rc;
    }

    acl->hosts = tgi_alloc(acl->alloc, hosts->n + 1, sizeof(tgi_host_t));

    if (acl->hosts == NULL
        || tgi_map_init(&acl->by_host, hosts->n, acl->alloc) != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    for (n = 0, host = hosts->child; host != NULL; host = host->next, n++) {

        tgi_selector(&sel, host->key);
        if (sel.kind != TGI_SEL_NAME || host->key.len == 0
            || memchr(host->key.data, ':', host->key.len) != NULL)
        {
            return tgi_acl_fail(acl, host->key_offset,
                                "hosts[%q]: not a name for a host",
                                &host->key);
        }

        if (host->type == TG_HUJSON_STRING) {
            tgi_selector(&sel, tgi_go_trim(host->text));
        }

        if (host->type != TG_HUJSON_STRING
            || (sel.kind != TGI_SEL_ADDRESS && sel.kind != TGI_SEL_PREFIX))
        {
            return tgi_acl_fail(acl, host->offset, "hosts[%q]: must be an "
                                "address, or a network without bits set "
                                "behind its prefix", &host->key);
        }

        acl->hosts[n].cidr = sel.cidr;
        acl->hosts[n].prefix = sel.kind == TGI_SEL_PREFIX;

        rc = tgi_map_add(&acl->by_host, host->key, (uint32_t) n);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


/* "*" as a source has the tailnet's approved subnet routes, no exit routes. */

static int
compile_routes(tg_acl_t *acl)
{
    size_t                i, k, n;
    tg_cidr_t            *routes;
    const tg_acl_node_t  *node;

    if (acl->netmap == NULL) {
        return TG_OK;
    }

    for (i = 0, n = 0; i < acl->netmap->nnodes; i++) {
        n += acl->netmap->nodes[i].nroutes;
    }

    routes = tgi_alloc(acl->alloc, n + 1, sizeof(tg_cidr_t));
    if (routes == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0, n = 0; i < acl->netmap->nnodes; i++) {
        node = &acl->netmap->nodes[i];

        for (k = 0; k < node->nroutes; k++) {
            if (node->routes[k].prefix != 0) {
                routes[n++] = node->routes[k];
            }
        }
    }

    acl->routes = routes;
    acl->nroutes = n;

    return TG_OK;
}
