
/*
 * Copyright (C) The Tailgate authors
 *
 * What stands behind the directives about headers and cookies.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static char *ngx_http_tailgate_header_name(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *name);
static char *ngx_http_tailgate_profile(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_tailgate_profile_t *profile);
static char *ngx_http_tailgate_profile_secrets(ngx_conf_t *cf,
    ngx_array_t *profiles, ngx_str_t *file);
static ngx_uint_t ngx_http_tailgate_is_off(ngx_conf_t *cf);
static ngx_uint_t ngx_http_tailgate_cookie_is_good(ngx_str_t *name);


/* tailgate_strip NAME ... */

char *
ngx_http_tailgate_strip_names(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_srv_conf_t *scf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (scf->strip == NULL) {
        scf->strip = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
        if (scf->strip == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_tailgate_header_name(cf, cmd, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        if (ngx_http_tailgate_push_str(scf->strip, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* A name that a request must not lose, or that is none, is refused. */

static char *
ngx_http_tailgate_header_name(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name)
{
    int          rc;
    tg_alloc_t   alloc;
    tg_strip_t  *set;

    alloc = ngx_http_tailgate_alloc(cf->temp_pool);

    set = tg_strip_new(&alloc);
    if (set == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = tg_strip_add(set, (char *) name->data, name->len);

    switch (rc) {

    case TG_OK:
        return NGX_CONF_OK;

    case TG_ERR_REFUSED:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the header \"%V\" in \"%V\" is one that HTTP "
                           "itself needs", name, &cmd->name);
        return NGX_CONF_ERROR;

    default:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid header name \"%V\" in \"%V\": %s",
                           name, &cmd->name, tg_strerror(rc));
        return NGX_CONF_ERROR;
    }
}


/* tailgate_headers PROFILE ... [secret=FILE] | off */

char *
ngx_http_tailgate_headers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    char                         *rv;
    ngx_str_t                    *value, secret;
    ngx_uint_t                    i;
    ngx_http_tailgate_profile_t  *profile;

    if (lcf->profiles != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    lcf->profiles = ngx_array_create(cf->pool, 2,
                                     sizeof(ngx_http_tailgate_profile_t));
    if (lcf->profiles == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_tailgate_is_off(cf)) {
        return NGX_CONF_OK;
    }

    ngx_str_null(&secret);
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "secret=", 7) == 0) {
            secret.data = value[i].data + 7;
            secret.len = value[i].len - 7;
            continue;
        }

        if (ngx_strcmp(value[i].data, "off") == 0) {
            return "has parameters beside \"off\"";
        }

        profile = ngx_array_push(lcf->profiles);
        if (profile == NULL) {
            return NGX_CONF_ERROR;
        }

        rv = ngx_http_tailgate_profile(cf, &value[i], profile);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (secret.data) {
        return ngx_http_tailgate_profile_secrets(cf, lcf->profiles, &secret);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tailgate_profile(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_tailgate_profile_t *profile)
{
    size_t               i, n;
    u_char              *p, text[NGX_MAX_CONF_ERRSTR / 2];
    const tg_profile_t  *table;

    ngx_memzero(profile, sizeof(ngx_http_tailgate_profile_t));

    profile->profile = tg_profile_find((char *) name->data, name->len);

    if (profile->profile) {
        return NGX_CONF_OK;
    }

    table = tg_profile_table(&n);
    p = text;

    for (i = 0; i < n; i++) {
        p = ngx_slprintf(p, text + sizeof(text), "%s%s", i ? ", " : "",
                         table[i].name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown profile \"%V\" in \"tailgate_headers\": there "
                       "are %*s", name, (size_t) (p - text), text);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_tailgate_profile_secrets(ngx_conf_t *cf, ngx_array_t *profiles,
    ngx_str_t *file)
{
    char                         *rv;
    ngx_str_t                     secret;
    ngx_uint_t                    i, used;
    ngx_http_tailgate_profile_t  *profile;

    rv = ngx_http_tailgate_secret_line(cf, file, &secret);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    used = 0;
    profile = profiles->elts;

    for (i = 0; i < profiles->nelts; i++) {
        if (profile[i].profile->secret_header) {
            profile[i].secret = secret;
            used = 1;
        }
    }

    if (!used) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no profile in \"tailgate_headers\" has a header "
                           "for the secret of \"%V\"", file);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* tailgate_set_header NAME VALUE [encoding=WORD] */

char *
ngx_http_tailgate_set_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    char                              *rv;
    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ngx_http_tailgate_header_t        *header;
    ngx_http_compile_complex_value_t   ccv;

    if (lcf->set_headers == NGX_CONF_UNSET_PTR) {
        lcf->set_headers = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_http_tailgate_header_t));
        if (lcf->set_headers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    rv = ngx_http_tailgate_header_name(cf, cmd, &value[1]);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    header = lcf->set_headers->elts;

    for (i = 0; i < lcf->set_headers->nelts; i++) {
        if (ngx_http_tailgate_same_name(&header[i].name, &value[1])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the header \"%V\" is set twice by \"%V\"",
                               &value[1], &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    header = ngx_array_push(lcf->set_headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(header, sizeof(ngx_http_tailgate_header_t));

    header->name = value[1];

    header->value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (header->value == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = header->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[3].data, "encoding=", 9) != 0
        || tg_encoding_parse((char *) value[3].data + 9, value[3].len - 9,
                             &header->encoding)
           != TG_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"%V\": \"encoding=\" "
                           "with utf8, latin1, ascii, percent, "
                           "quoted-printable or rfc2047 is needed",
                           &value[3], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* tailgate_session COOKIE ... | off */

char *
ngx_http_tailgate_session_cookies(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    tg_str_t    *cookie;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->cookies != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    lcf->cookies = ngx_array_create(cf->pool, 2, sizeof(tg_str_t));
    if (lcf->cookies == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_tailgate_is_off(cf)) {
        return NGX_CONF_OK;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0) {
            return "has cookies beside \"off\"";
        }

        if (!ngx_http_tailgate_cookie_is_good(&value[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid cookie \"%V\" in \"%V\": the name of "
                               "a cookie is needed, with \"*\" at its end for "
                               "any rest; \"" TG_SESSION_PREFIX "\" is taken",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        cookie = ngx_array_push(lcf->cookies);
        if (cookie == NULL) {
            return NGX_CONF_ERROR;
        }

        cookie->data = (char *) value[i].data;
        cookie->len = value[i].len;
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_tailgate_is_off(ngx_conf_t *cf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    return cf->args->nelts == 2 && value[1].len == 3
           && ngx_strncmp(value[1].data, "off", 3) == 0;
}


/* RFC 6265, 4.1.1: a token */

static ngx_uint_t
ngx_http_tailgate_cookie_is_good(ngx_str_t *name)
{
    size_t  i, len;

    len = name->len;

    if (len && name->data[len - 1] == '*') {
        len--;
    }

    if (len == 0 || len > 128
        || ngx_strncmp(name->data, TG_SESSION_PREFIX,
                       sizeof(TG_SESSION_PREFIX) - 1)
           == 0)
    {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (name->data[i] <= ' ' || name->data[i] >= 0x7f
            || ngx_strchr("()<>@,;:\\\"/[]?={}*", name->data[i]))
        {
            return 0;
        }
    }

    return 1;
}


/* After folding: "X_User" is "X-User". */

ngx_uint_t
ngx_http_tailgate_same_name(ngx_str_t *a, ngx_str_t *b)
{
    char  x[TG_HEADER_NAME_MAX], y[TG_HEADER_NAME_MAX];

    if (a->len != b->len || a->len > TG_HEADER_NAME_MAX) {
        return 0;
    }

    tg_header_fold((char *) a->data, a->len, x);
    tg_header_fold((char *) b->data, b->len, y);

    return ngx_memcmp(x, y, a->len) == 0;
}
