
/*
 * Copyright (C) The Tailgate authors
 *
 * The ssh section: what its rules say, in the words of the service where it
 * refuses one.
 */

#include "core/acl/acl.h"

#include "core/acl/go.h"
#include "core/acl/ssh.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


static const char *const  ssh_fields[] = {
    "action", "src", "dst", "users", "checkPeriod", "acceptEnv", "srcPosture",
    "recorder", "enforceRecorder"
};

enum {
    ACTION = 0, SRC, DST, USERS, PERIOD, ENV, POSTURE, RECORDER, ENFORCE
};

#define NFIELDS     (sizeof(ssh_fields) / sizeof(ssh_fields[0]))
#define PERIOD_MAX  (168 * TGI_GO_HOUR)


static int compile_rule(tg_acl_t *acl, const tg_hujson_t *value,
    tgi_ssh_t *rule);
static int read_action(tg_acl_t *acl, const tg_hujson_t *value,
    const tg_hujson_t *action, tgi_ssh_t *rule);
static int read_users(tg_acl_t *acl, const tg_hujson_t *value,
    const tg_hujson_t *users, tgi_ssh_t *rule);
static int read_user(tg_acl_t *acl, const tg_hujson_t *item, tgi_ssh_t *rule);
static int read_env(tg_acl_t *acl, const tg_hujson_t *env, tgi_ssh_t *rule);
static int read_period(tg_acl_t *acl, const tg_hujson_t *period,
    tgi_ssh_t *rule);
static int read_posture(tg_acl_t *acl, const tg_hujson_t **fields,
    tgi_ssh_t *rule);
static int read_src(tg_acl_t *acl, const tg_hujson_t *src, tgi_ssh_t *rule);
static int check_src(tg_acl_t *acl, const tg_hujson_t *item,
    const tgi_sel_t *sel, const tgi_ssh_t *rule);
static int read_dst(tg_acl_t *acl, const tg_hujson_t *dst,
    const tg_hujson_t *src, tgi_ssh_t *rule);
static int check_dst(tg_acl_t *acl, const tg_hujson_t *item,
    const tgi_sel_t *sel, const tg_hujson_t *src);


/* Places are asked for often: each is counted on from the one before. */

static void
find_places(const tg_acl_t *acl, tgi_ssh_t *rules, size_t n)
{
    size_t  i, line, column, start;

    for (i = 0, start = 0, line = 1, column = 1; i < n; i++) {
        tg_hujson_position(acl->text.data + start, acl->text.len - start,
                           rules[i].rule->offset - start, &rules[i].line,
                           &rules[i].column);

        rules[i].column += rules[i].line == 1 ? column - 1 : 0;
        rules[i].line += line - 1;

        start = rules[i].rule->offset;
        line = rules[i].line;
        column = rules[i].column;
    }
}


/* Checks come first, then accepts, each in the order of the file. */

int
tgi_acl_compile_ssh(tg_acl_t *acl, const tg_hujson_t *rules)
{
    int                 rc;
    size_t              i, n;
    tgi_ssh_t          *file;
    const tg_hujson_t  *value;

    rc = tgi_acl_objects(acl, rules, "ssh");
    if (rc != TG_OK || rules == NULL || rules->n == 0) {
        return rc;
    }

    file = calloc(rules->n, sizeof(tgi_ssh_t));
    acl->ssh = tgi_alloc(acl->alloc, rules->n, sizeof(tgi_ssh_t));

    if (file == NULL || acl->ssh == NULL) {
        free(file);
        return TG_ERR_NOMEM;
    }

    for (n = 0, value = rules->child; rc == TG_OK && value != NULL;
         value = value->next)
    {
        file[n].index = (uint32_t) n;
        rc = compile_rule(acl, value, &file[n++]);
    }

    if (rc == TG_OK) {
        find_places(acl, file, n);
    }

    for (i = 0; rc == TG_OK && i < n; i++) {
        if (file[i].action == TG_ACL_CHECK) {
            acl->ssh[acl->nssh++] = file[i];
        }
    }

    for (i = 0; rc == TG_OK && i < n; i++) {
        if (file[i].action == TG_ACL_ACCEPT) {
            acl->ssh[acl->nssh++] = file[i];
        }
    }

    free(file);

    return rc == TG_OK ? tgi_ssh_index(acl) : rc;
}


static int
compile_rule(tg_acl_t *acl, const tg_hujson_t *value, tgi_ssh_t *rule)
{
    int                 rc;
    const tg_hujson_t  *fields[NFIELDS];

    rc = tgi_acl_fields(acl, value, ssh_fields, NFIELDS, fields);
    if (rc != TG_OK) {
        return rc;
    }

    rule->rule = value;

    if ((rc = read_action(acl, value, fields[ACTION], rule)) != TG_OK
        || (rc = read_users(acl, value, fields[USERS], rule)) != TG_OK
        || (rc = read_env(acl, fields[ENV], rule)) != TG_OK
        || (rc = read_period(acl, fields[PERIOD], rule)) != TG_OK
        || (rc = read_posture(acl, fields, rule)) != TG_OK
        || (rc = read_src(acl, fields[SRC], rule)) != TG_OK)
    {
        return rc;
    }

    return read_dst(acl, fields[DST], fields[SRC], rule);
}


static int
read_action(tg_acl_t *acl, const tg_hujson_t *value, const tg_hujson_t *action,
    tgi_ssh_t *rule)
{
    tg_str_t  text = TG_NULL_STR;

    static const tg_str_t  accept = TG_STR("accept");
    static const tg_str_t  check = TG_STR("check");

    if (action != NULL && action->type != TG_HUJSON_STRING) {
        return tgi_acl_fail(acl, action->offset, "action must be a string");
    }

    if (action != NULL) {
        text = tgi_go_trim(action->text);
    }

    if (text.len == 0) {
        return tgi_acl_fail(acl, action == NULL ? value->offset
                                                : action->offset,
                            "action must be specified");
    }

    if (tgi_str_equal(text, accept)) {
        rule->action = TG_ACL_ACCEPT;

    } else if (tgi_str_equal(text, check)) {
        rule->action = TG_ACL_CHECK;

    } else {
        return tgi_acl_fail(acl, action->offset, "%q is not a valid action",
                            &text);
    }

    return TG_OK;
}


static int
read_users(tg_acl_t *acl, const tg_hujson_t *value, const tg_hujson_t *users,
    tgi_ssh_t *rule)
{
    int                 rc;
    const tg_hujson_t  *item;

    rc = tgi_acl_strings(acl, users, "users");
    if (rc != TG_OK) {
        return rc;
    }

    if (users == NULL || users->n == 0) {
        return tgi_acl_fail(acl, users == NULL ? value->offset : users->offset,
                            "users must be specified");
    }

    rule->users = users;
    rule->literals = tgi_alloc(acl->alloc, users->n, sizeof(tg_str_t));
    rule->domains = tgi_alloc(acl->alloc, users->n, sizeof(tg_str_t));

    if (rule->literals == NULL || rule->domains == NULL) {
        return TG_ERR_NOMEM;
    }

    for (item = users->child; item != NULL; item = item->next) {
        rc = read_user(acl, item, rule);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


bool
tgi_ssh_localpart(tg_str_t user, tg_str_t *domain)
{
    static const char  prefix[] = "localpart:*@";

    if (user.len < sizeof(prefix)
        || memcmp(user.data, prefix, sizeof(prefix) - 1) != 0)
    {
        return false;
    }

    domain->data = user.data + sizeof(prefix) - 1;
    domain->len = user.len - (sizeof(prefix) - 1);

    return true;
}


static int
read_user(tg_acl_t *acl, const tg_hujson_t *item, tgi_ssh_t *rule)
{
    tg_str_t  user, domain;

    static const tg_str_t  nonroot = TG_STR("autogroup:nonroot");

    user = tgi_go_trim(item->text);

    if (user.len == 0 || (user.len == 1 && user.data[0] == '*')) {
        return tgi_acl_fail(acl, item->offset, "user %q is not valid", &user);
    }

    if (tgi_str_equal(user, nonroot)) {
        rule->nonroot = true;

    } else if (tgi_ssh_localpart(user, &domain)) {

        if (!tgi_acl_domain(acl, domain)) {
            return tgi_acl_fail(acl, item->offset, "%v is not associated with "
                                "this Tailnet and cannot be used in "
                                "user:*@<domain> expressions", &domain);
        }

        rule->domains[rule->ndomains++] = domain;

    } else {
        rule->literals[rule->nliterals++] = user;
    }

    return TG_OK;
}


static int
read_env(tg_acl_t *acl, const tg_hujson_t *env, tgi_ssh_t *rule)
{
    int                 rc;
    const tg_hujson_t  *item;

    rc = tgi_acl_strings(acl, env, "acceptEnv");
    if (rc != TG_OK || env == NULL || env->n == 0) {
        return rc;
    }

    for (item = env->child; item != NULL; item = item->next) {
        if (tgi_go_trim(item->text).len == 0) {
            return tgi_acl_fail(acl, item->offset,
                                "acceptEnv values cannot be empty");
        }
    }

    rule->env = env;

    return TG_OK;
}


static int
bad_duration(tg_acl_t *acl, const tg_hujson_t *period, const char *why,
    const tg_str_t *unit)
{
    if (unit->len > 0) {
        return tgi_acl_fail(acl, period->offset,
                            "time: %s%t in duration %t", why, unit,
                            &period->text);
    }

    return tgi_acl_fail(acl, period->offset, "time: %s%t", why,
                        &period->text);
}


static int
read_period(tg_acl_t *acl, const tg_hujson_t *period, tgi_ssh_t *rule)
{
    char         buf[TGI_GO_DURATION];
    int64_t      value;
    tg_str_t     unit, text;
    const char  *why;

    static const tg_str_t  always = TG_STR("always");

    if (rule->action == TG_ACL_CHECK) {
        rule->period = (int64_t) TG_ACL_PERIOD_DEFAULT * 1000000000;
    }

    if (period == NULL) {
        return TG_OK;
    }

    if (period->type != TG_HUJSON_STRING) {
        return tgi_acl_fail(acl, period->offset,
                            "checkPeriod must be a string");
    }

    if (tgi_str_equal(period->text, always)) {
        value = 0;

    } else {

        if (tgi_go_duration(period->text, &value, &why, &unit) != TG_OK) {
            return bad_duration(acl, period, why, &unit);
        }

        text.data = buf;
        text.len = tgi_go_duration_text(value, buf);

        if (value < 0) {
            return tgi_acl_fail(acl, period->offset, "checkPeriod %v must be "
                                "a positive duration", &text);
        }

        if (value > PERIOD_MAX) {
            return tgi_acl_fail(acl, period->offset, "checkPeriod %v is above "
                                "the max (168h)", &text);
        }

        rule->zero = value == 0;
    }

    if (rule->action != TG_ACL_CHECK) {
        return tgi_acl_fail(acl, period->key_offset, "checkPeriod is only "
                            "allowed with action \"check\"");
    }

    rule->period = value;

    return TG_OK;
}


/* Conditions that nobody here can look at: such a rule never lets in. */

static int
read_posture(tg_acl_t *acl, const tg_hujson_t **fields, tgi_ssh_t *rule)
{
    int  rc;

    rc = tgi_acl_strings(acl, fields[POSTURE], "srcPosture");

    if (rc == TG_OK) {
        rc = tgi_acl_strings(acl, fields[RECORDER], "recorder");
    }

    if (rc != TG_OK) {
        return rc;
    }

    if (fields[ENFORCE] != NULL && fields[ENFORCE]->type != TG_HUJSON_TRUE
        && fields[ENFORCE]->type != TG_HUJSON_FALSE)
    {
        return tgi_acl_fail(acl, fields[ENFORCE]->offset,
                            "enforceRecorder must be true or false");
    }

    rule->posture = fields[POSTURE] == NULL ? acl->posture
                                            : fields[POSTURE]->n > 0;
    rule->recorder = fields[ENFORCE] != NULL
                     && fields[ENFORCE]->type == TG_HUJSON_TRUE;

    return TG_OK;
}


static int
union_of(tg_acl_t *acl, const tg_hujson_t *list, tgi_set_t *nodes)
{
    int                 rc;
    size_t              n;
    tgi_sel_t           sel;
    tgi_set_t          *sets;
    const tg_hujson_t  *item;

    if (acl->netmap == NULL || list->n == 0) {
        return TG_OK;
    }

    sets = malloc(list->n * sizeof(tgi_set_t));
    if (sets == NULL) {
        return TG_ERR_NOMEM;
    }

    for (n = 0, item = list->child; item != NULL; item = item->next) {
        tgi_selector(&sel, tgi_go_trim(item->text));
        tgi_acl_nodes_of(acl, &sel, &sets[n++]);
    }

    rc = tgi_set_union(nodes, sets, n, acl->netmap->nnodes, acl->alloc);
    free(sets);

    return rc;
}


static int
read_src(tg_acl_t *acl, const tg_hujson_t *src, tgi_ssh_t *rule)
{
    int                 rc;
    tgi_sel_t           sel;
    const tg_hujson_t  *item;

    rc = tgi_acl_strings(acl, src, "src");
    if (rc != TG_OK || src == NULL) {
        return rc;
    }

    for (item = src->child; item != NULL; item = item->next) {
        tgi_selector(&sel, tgi_go_trim(item->text));

        rc = check_src(acl, item, &sel, rule);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return union_of(acl, src, &rule->src);
}


/* Nobody sits at a tagged node who could be asked. */

static int
check_tagged(tg_acl_t *acl, const tg_hujson_t *item, const tgi_ssh_t *rule)
{
    return rule->action == TG_ACL_CHECK
           ? tgi_acl_fail(acl, item->offset, "\"check\" action does not "
                          "support tags in src")
           : TG_OK;
}


static int
check_src(tg_acl_t *acl, const tg_hujson_t *item, const tgi_sel_t *sel,
    const tgi_ssh_t *rule)
{
    switch (sel->kind) {

    case TGI_SEL_EMAIL:
    case TGI_SEL_MEMBER:
        return TG_OK;

    case TGI_SEL_GROUP:
        if (tgi_map_get(&acl->by_group, sel->text) == TGI_MAP_NONE) {
            return tgi_acl_fail(acl, item->offset, "src=group not found: %q",
                                &sel->text);
        }

        return TG_OK;

    case TGI_SEL_TAG:
        if (tgi_map_get(&acl->by_tag, sel->text) == TGI_MAP_NONE) {
            return tgi_acl_fail(acl, item->offset, "src=tag not found: %q",
                                &sel->text);
        }

        return check_tagged(acl, item, rule);

    case TGI_SEL_TAGGED:
        return check_tagged(acl, item, rule);

    case TGI_SEL_DOMAIN:
        return tgi_acl_domain(acl, sel->domain) ? TG_OK
               : tgi_acl_fail(acl, item->offset, "[ssh] %v is not associated "
                              "with this Tailnet and cannot be used in "
                              "user:*@<domain> expressions", &sel->domain);

    case TGI_SEL_SELF:
        return tgi_acl_fail(acl, item->offset, "%q not valid on the src side "
                            "of a rule", &sel->text);

    case TGI_SEL_ROLE:
    case TGI_SEL_SHARED:
    case TGI_SEL_NONROOT:
    case TGI_SEL_ANYBODY:
    case TGI_SEL_INTERNET:
    case TGI_SEL_AUTOGROUP:
        return tgi_acl_fail(acl, item->offset, "%q is not allowed in src",
                            &sel->text);

    default:
        return tgi_acl_fail(acl, item->offset, "invalid src %q", &sel->text);
    }
}


static int
read_dst(tg_acl_t *acl, const tg_hujson_t *dst, const tg_hujson_t *src,
    tgi_ssh_t *rule)
{
    int                 rc;
    tgi_sel_t           sel;
    const tg_hujson_t  *item;

    rc = tgi_acl_strings(acl, dst, "dst");
    if (rc != TG_OK || dst == NULL) {
        return rc;
    }

    for (item = dst->child; item != NULL; item = item->next) {
        tgi_selector(&sel, tgi_go_trim(item->text));

        rc = check_dst(acl, item, &sel, src);
        if (rc != TG_OK) {
            return rc;
        }

        rule->self |= sel.kind == TGI_SEL_SELF;
        rule->people |= sel.kind == TGI_SEL_EMAIL
                        || sel.kind == TGI_SEL_MEMBER;
    }

    return union_of(acl, dst, &rule->dst);
}


static int
check_self(tg_acl_t *acl, const tg_hujson_t *item, const tg_hujson_t *src)
{
    tgi_sel_t           sel;
    const tg_hujson_t  *source;

    source = src == NULL ? NULL : src->child;

    for ( /* void */ ; source != NULL; source = source->next) {
        tgi_selector(&sel, tgi_go_trim(source->text));

        if (sel.kind == TGI_SEL_TAG || sel.kind == TGI_SEL_TAGGED) {
            return tgi_acl_fail(acl, item->offset, "autogroup:self can only "
                                "be used with users, groups, or supported "
                                "autogroups");
        }
    }

    return TG_OK;
}


static int
check_same_user(tg_acl_t *acl, const tg_hujson_t *item, const tgi_sel_t *sel,
    const tg_hujson_t *src)
{
    bool                same;
    const tg_hujson_t  *source;

    source = src == NULL ? NULL : src->child;
    same = source != NULL;

    for ( /* void */ ; source != NULL; source = source->next) {
        same = same && tgi_str_equal(tgi_go_trim(source->text), sel->text);
    }

    return same ? TG_OK
                : tgi_acl_fail(acl, item->offset, "users in dst are only "
                               "allowed from the same user");
}


static int
check_dst(tg_acl_t *acl, const tg_hujson_t *item, const tgi_sel_t *sel,
    const tg_hujson_t *src)
{
    switch (sel->kind) {

    case TGI_SEL_TAG:
        return tgi_map_get(&acl->by_tag, sel->text) != TGI_MAP_NONE ? TG_OK
               : tgi_acl_fail(acl, item->offset, "dst=tag not found: %q",
                              &sel->text);

    case TGI_SEL_SELF:
        return check_self(acl, item, src);

    case TGI_SEL_EMAIL:
        return check_same_user(acl, item, sel, src);

    case TGI_SEL_MEMBER:
    case TGI_SEL_TAGGED:
        if (acl->dialect == TG_ACL_HEADSCALE) {
            return TG_OK;
        }

        break;

    default:
        break;
    }

    return tgi_acl_fail(acl, item->offset, "invalid dst %q", &sel->text);
}
