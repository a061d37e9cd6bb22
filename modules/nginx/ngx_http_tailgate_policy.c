
/*
 * Copyright (C) The Tailgate authors
 *
 * Policies at configuration time: files, each of which is read and compiled
 * once, and the rules that stand in nginx.conf itself.  All of it is made
 * before the workers are, and is never written to again.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


typedef struct {
    ngx_conf_t                 *cf;
    ngx_str_t                  *name;
    ngx_uint_t                  errors;
} ngx_http_tailgate_report_t;


static ngx_http_tailgate_policy_t *ngx_http_tailgate_policy_load(
    ngx_conf_t *cf, ngx_str_t *file);
static ngx_int_t ngx_http_tailgate_policy_read(ngx_conf_t *cf,
    ngx_str_t *name, u_char **data, size_t *len);
static ssize_t ngx_http_tailgate_policy_read_fd(ngx_fd_t fd, u_char *data,
    size_t size);
static ngx_int_t ngx_http_tailgate_policy_compile(ngx_conf_t *cf,
    ngx_http_tailgate_policy_t *policy, u_char *data, size_t len);
static void ngx_http_tailgate_policy_report(void *ctx,
    const tg_policy_message_t *message);
static ngx_int_t ngx_http_tailgate_policy_headers(ngx_conf_t *cf,
    ngx_http_tailgate_policy_t *policy);
static ngx_int_t ngx_http_tailgate_merge_more(ngx_conf_t *cf,
    ngx_array_t **conf, ngx_array_t *prev);
static ngx_int_t ngx_http_tailgate_inline_push(ngx_array_t *rules,
    ngx_array_t *more);
static ngx_int_t ngx_http_tailgate_inline_compile(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf);
static ngx_int_t ngx_http_tailgate_policy_in_force(ngx_conf_t *cf,
    ngx_http_tailgate_policy_t *policy);
static void ngx_http_tailgate_own_rule(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf);


/* tailgate_policy FILE | off */

char *
ngx_http_tailgate_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    if (lcf->policy != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs a file, or \"off\"";
    }

    if (value[1].len == 3 && ngx_strncmp(value[1].data, "off", 3) == 0) {
        lcf->policy = NULL;
        return NGX_CONF_OK;
    }

    lcf->policy = ngx_http_tailgate_policy_load(cf, &value[1]);
    if (lcf->policy == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_tailgate_own_rule(cf, lcf);

    return NGX_CONF_OK;
}


/* tailgate_allow, tailgate_deny, tailgate_require WORD ... */

char *
ngx_http_tailgate_rule(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    int               rc;
    u_char           *p;
    tg_str_t          id, *words;
    ngx_str_t        *value;
    tg_rule_t       **rule;
    ngx_uint_t        i;
    tg_alloc_t        alloc;
    tg_error_t        error;
    ngx_array_t     **rules;
    tg_rule_kind_t   *kind;

    rules = (ngx_array_t **) ((char *) conf + cmd->offset);
    kind = cmd->post;

    if (*rules == NGX_CONF_UNSET_PTR) {
        *rules = ngx_array_create(cf->pool, 4, sizeof(tg_rule_t *));
        if (*rules == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    words = ngx_palloc(cf->temp_pool, cf->args->nelts * sizeof(tg_str_t));
    p = ngx_pnalloc(cf->temp_pool, cmd->name.len + NGX_INT_T_LEN + 2
                                   + cf->conf_file->file.name.len);

    if (words == NULL || p == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        words[i - 1].data = (char *) value[i].data;
        words[i - 1].len = value[i].len;
    }

    lcf->digest = ngx_http_tailgate_digest_words(lcf->digest, cf->args);

    id.data = (char *) p;
    id.len = ngx_sprintf(p, "%V:%V:%ui", &cmd->name,
                         &cf->conf_file->file.name, cf->conf_file->line)
             - p;

    rule = ngx_array_push(*rules);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    alloc = ngx_http_tailgate_alloc(cf->pool);
    ngx_memzero(&error, sizeof(tg_error_t));

    rc = tg_rule_parse(*kind, words, cf->args->nelts - 1, id, &alloc, rule,
                       &error);

    if (rc != TG_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid rule in \"%V\": %s", &cmd->name,
                           error.text[0] ? error.text : tg_strerror(rc));
        return NGX_CONF_ERROR;
    }

    if (error.text[0] != '\0') {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "rule in \"%V\": %s",
                           &cmd->name, error.text);
    }

    ngx_http_tailgate_own_rule(cf, lcf);

    return NGX_CONF_OK;
}


/* Where the first of a level's own rules stands, for a message. */

static void
ngx_http_tailgate_own_rule(ngx_conf_t *cf, ngx_http_tailgate_loc_conf_t *lcf)
{
    if (lcf->own_line == 0) {
        lcf->own_file = cf->conf_file->file.name;
        lcf->own_line = cf->conf_file->line;
    }
}


/* One compilation for each file, however many locations name it. */

static ngx_http_tailgate_policy_t *
ngx_http_tailgate_policy_load(ngx_conf_t *cf, ngx_str_t *file)
{
    size_t                           len;
    u_char                          *data;
    ngx_int_t                        rc;
    ngx_str_t                        name;
    ngx_uint_t                       i;
    ngx_http_tailgate_policy_t      *policy, **pp;
    ngx_http_tailgate_main_conf_t   *mcf;

    name = *file;

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NULL;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tailgate_module);

    pp = mcf->policies.elts;

    for (i = 0; i < mcf->policies.nelts; i++) {
        if (pp[i]->name.len == name.len
            && ngx_memcmp(pp[i]->name.data, name.data, name.len) == 0)
        {
            return pp[i];
        }
    }

    policy = ngx_pcalloc(cf->pool, sizeof(ngx_http_tailgate_policy_t));
    if (policy == NULL) {
        return NULL;
    }

    policy->name = name;

    if (ngx_http_tailgate_policy_read(cf, &name, &data, &len) != NGX_OK) {
        return NULL;
    }

    rc = ngx_http_tailgate_policy_compile(cf, policy, data, len);

    ngx_free(data);

    if (rc != NGX_OK
        || ngx_http_tailgate_policy_headers(cf, policy) != NGX_OK)
    {
        return NULL;
    }

    pp = ngx_array_push(&mcf->policies);
    if (pp == NULL) {
        return NULL;
    }

    *pp = policy;

    return policy;
}


/* The whole of a file; the caller frees *data. */

static ngx_int_t
ngx_http_tailgate_policy_read(ngx_conf_t *cf, ngx_str_t *name, u_char **data,
    size_t *len)
{
    u_char           *buf;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_int_t         rc;
    ngx_file_info_t   fi;

    rc = NGX_ERROR;
    buf = NULL;

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", name);
        goto done;
    }

    if (ngx_file_size(&fi) > TG_POLICY_SIZE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is longer than the %d bytes that a policy "
                           "may have", name, TG_POLICY_SIZE_MAX);
        goto done;
    }

    /* it may grow under way: what is read past its size is too long */

    *len = (size_t) ngx_file_size(&fi);

    buf = ngx_alloc(*len + 1, cf->log);
    if (buf == NULL) {
        goto done;
    }

    n = ngx_http_tailgate_policy_read_fd(fd, buf, *len + 1);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", name);
        goto done;
    }

    if ((size_t) n != *len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" changed while it was read", name);
        goto done;
    }

    *data = buf;
    buf = NULL;
    rc = NGX_OK;

done:

    if (buf) {
        ngx_free(buf);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


static ssize_t
ngx_http_tailgate_policy_read_fd(ngx_fd_t fd, u_char *data, size_t size)
{
    size_t   len;
    ssize_t  n;

    for (len = 0; len < size; len += n) {

        n = ngx_read_fd(fd, data + len, size - len);

        if (n == -1) {
            return -1;
        }

        if (n == 0) {
            break;
        }
    }

    return len;
}


static ngx_int_t
ngx_http_tailgate_policy_compile(ngx_conf_t *cf,
    ngx_http_tailgate_policy_t *policy, u_char *data, size_t len)
{
    int                          rc;
    tg_alloc_t                   alloc;
    ngx_http_tailgate_report_t   report;

    report.cf = cf;
    report.name = &policy->name;
    report.errors = 0;

    alloc = ngx_http_tailgate_alloc(cf->pool);

    rc = tg_policy_compile((char *) data, len, &alloc,
                           ngx_http_tailgate_policy_report, &report,
                           &policy->policy);

    if (rc == TG_OK) {
        return NGX_OK;
    }

    if (report.errors == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the policy \"%V\" cannot be compiled: %s",
                           &policy->name, tg_strerror(rc));
    }

    return NGX_ERROR;
}


static void
ngx_http_tailgate_policy_report(void *ctx, const tg_policy_message_t *message)
{
    ngx_http_tailgate_report_t *report = ctx;

    ngx_uint_t  level;

    level = NGX_LOG_WARN;

    if (message->severity == TG_POLICY_ERROR) {
        level = NGX_LOG_EMERG;
        report->errors++;
    }

    if (message->line == 0) {
        ngx_log_error(level, report->cf->log, 0, "%V: %s: %s",
                      report->name, message->code, message->text);
        return;
    }

    ngx_log_error(level, report->cf->log, 0, "%V:%uz:%uz: %s: %s",
                  report->name, message->line, message->column, message->code,
                  message->text);
}


/* What routes add to requests, in the form of a location's own headers. */

static ngx_int_t
ngx_http_tailgate_policy_headers(ngx_conf_t *cf,
    ngx_http_tailgate_policy_t *policy)
{
    size_t                       i, n, nheaders;
    tg_str_t                     name;
    ngx_http_tailgate_route_t   *route;
    ngx_http_tailgate_header_t  *header;

    policy->nroutes = tg_policy_nroutes(policy->policy);

    policy->routes = ngx_pcalloc(cf->pool, (policy->nroutes + 1)
                                          * sizeof(ngx_http_tailgate_route_t));
    if (policy->routes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < policy->nroutes; i++) {

        nheaders = tg_policy_nheaders(policy->policy, i);

        if (nheaders == 0) {
            continue;
        }

        header = ngx_pcalloc(cf->pool,
                             nheaders * sizeof(ngx_http_tailgate_header_t));
        if (header == NULL) {
            return NGX_ERROR;
        }

        route = &policy->routes[i];
        route->headers = header;
        route->nheaders = nheaders;

        for (n = 0; n < nheaders; n++) {

            header[n].policy = tg_policy_header(policy->policy, i, n);
            name = tg_policy_header_name(header[n].policy);

            header[n].name.data = (u_char *) name.data;
            header[n].name.len = name.len;
        }
    }

    return NGX_OK;
}


/*
 * Rules that deny and those that are required accumulate on the way down;
 * those that allow replace the ones above.  A location without any of its own
 * shares what was compiled for the level above.
 */

char *
ngx_http_tailgate_merge_rules(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *prev, ngx_http_tailgate_loc_conf_t *conf)
{
    ngx_http_tailgate_loc_conf_t   *lcf;
    ngx_http_tailgate_srv_conf_t   *scf;
    ngx_http_tailgate_main_conf_t  *mcf;

    conf->parent = prev;

    ngx_conf_merge_ptr_value(conf->policy, prev->policy, NULL);
    ngx_conf_merge_ptr_value(conf->allows, prev->allows, NULL);
    ngx_conf_merge_uint_value(conf->raw_path, prev->raw_path, 0);

    if (ngx_http_tailgate_merge_more(cf, &conf->denies, prev->denies)
        != NGX_OK
        || ngx_http_tailgate_merge_more(cf, &conf->requires, prev->requires)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->enable == NGX_HTTP_TAILGATE_OFF) {
        return NGX_CONF_OK;
    }

    lcf = conf;

    if (conf->policy == prev->policy && conf->allows == prev->allows
        && conf->denies == prev->denies && conf->requires == prev->requires
        && conf->raw_path == prev->raw_path)
    {
        lcf = prev;
    }

    if (!lcf->compiled
        && ngx_http_tailgate_inline_compile(cf, lcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->rules = lcf->rules;
    conf->depends = tg_policy_depends(conf->policy ? conf->policy->policy
                                                   : NULL, conf->rules);
    conf->compiled = 1;

    if (conf->policy || conf->rules) {

        mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tailgate_module);
        scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_tailgate_module);

        mcf->policed = 1;
        scf->policed = 1;
    }

    if (conf->policy
        && ngx_http_tailgate_policy_in_force(cf, conf->policy) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* The rules of the levels above come before the level's own. */

static ngx_int_t
ngx_http_tailgate_merge_more(ngx_conf_t *cf, ngx_array_t **conf,
    ngx_array_t *prev)
{
    ngx_array_t  *all;

    if (prev == NGX_CONF_UNSET_PTR) {
        prev = NULL;
    }

    if (*conf == NGX_CONF_UNSET_PTR) {
        *conf = prev;
        return NGX_OK;
    }

    if (prev == NULL) {
        return NGX_OK;
    }

    all = ngx_array_create(cf->pool, prev->nelts + (*conf)->nelts,
                           sizeof(tg_rule_t *));

    if (all == NULL
        || ngx_http_tailgate_inline_push(all, prev) != NGX_OK
        || ngx_http_tailgate_inline_push(all, *conf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    *conf = all;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_inline_push(ngx_array_t *rules, ngx_array_t *more)
{
    void  *p;

    if (more == NULL || more->nelts == 0) {
        return NGX_OK;
    }

    p = ngx_array_push_n(rules, more->nelts);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, more->elts, more->nelts * sizeof(tg_rule_t *));

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_inline_compile(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf)
{
    int                        rc;
    tg_alloc_t                 alloc;
    tg_error_t                 error;
    ngx_array_t                rules;
    ngx_http_core_loc_conf_t  *clcf;

    lcf->compiled = 1;

    if (ngx_array_init(&rules, cf->temp_pool, 8, sizeof(tg_rule_t *))
        != NGX_OK
        || ngx_http_tailgate_inline_push(&rules, lcf->denies) != NGX_OK
        || ngx_http_tailgate_inline_push(&rules, lcf->requires) != NGX_OK
        || ngx_http_tailgate_inline_push(&rules, lcf->allows) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (rules.nelts == 0) {
        return NGX_OK;
    }

    alloc = ngx_http_tailgate_alloc(cf->pool);
    ngx_memzero(&error, sizeof(tg_error_t));

    rc = tg_inline_compile((const tg_rule_t *const *) rules.elts, rules.nelts,
                           lcf->raw_path == 1,
                           lcf->policy ? lcf->policy->policy : NULL, &alloc,
                           &lcf->rules, &error);

    if (rc == TG_OK) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "invalid rules in force in %s \"%V\": %s",
                  clcf->name.len ? "location" : "server", &clcf->name,
                  error.text[0] ? error.text : tg_strerror(rc));

    return NGX_ERROR;
}


/* No client of the server may send a header that a route of it sets. */

static ngx_int_t
ngx_http_tailgate_policy_in_force(ngx_conf_t *cf,
    ngx_http_tailgate_policy_t *policy)
{
    size_t                         i;
    ngx_str_t                      name;
    ngx_uint_t                     n;
    const tg_list_t               *list;
    ngx_http_tailgate_policy_t   **pp;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_tailgate_module);

    pp = scf->policies.elts;

    for (n = 0; n < scf->policies.nelts; n++) {
        if (pp[n] == policy) {
            return NGX_OK;
        }
    }

    pp = ngx_array_push(&scf->policies);
    if (pp == NULL) {
        return NGX_ERROR;
    }

    *pp = policy;

    list = tg_policy_header_names(policy->policy);

    for (i = 0; i < list->n; i++) {

        name.data = (u_char *) list->items[i].data;
        name.len = list->items[i].len;

        if (ngx_http_tailgate_push_str(&scf->managed, &name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * When all of the configuration has been read: rules that guard nothing, as
 * "tailgate" is on nowhere where they are in force, are taken for an
 * oversight that would leave an app open.
 */

ngx_int_t
ngx_http_tailgate_check_rules(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf)
{
    ngx_uint_t                      i;
    ngx_http_tailgate_loc_conf_t  **lcf, *level;

    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {

        if (lcf[i]->enable == NGX_HTTP_TAILGATE_OFF) {
            continue;
        }

        for (level = lcf[i]; level && !level->guards; level = level->parent) {
            level->guards = 1;
        }
    }

    for (i = 0; i < mcf->locations.nelts; i++) {

        if (lcf[i]->own_line && !lcf[i]->guards) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "rules guard nothing, as \"tailgate\" is off where "
                          "they are in force, in %V:%ui",
                          &lcf[i]->own_file, lcf[i]->own_line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
