
/*
 * Copyright (C) The Tailgate authors
 *
 * Secrets: those that an administrator keeps in a file, and the key that is
 * made when nginx starts.  The latter is in a shared zone, which a reload
 * keeps, so that all workers, old and new, have the same.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"

#include <sys/random.h>


#define NGX_HTTP_TAILGATE_SECRET_MAX  1024


static char *ngx_http_tailgate_secret_read(ngx_conf_t *cf, ngx_str_t *file,
    u_char *buf, size_t size, size_t *len);
static ngx_int_t ngx_http_tailgate_secret_init_zone(ngx_shm_zone_t *zone,
    void *data);


/* A header's value: the first line, printable ASCII. */

char *
ngx_http_tailgate_secret_line(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *secret)
{
    char    *rv;
    u_char   buf[NGX_HTTP_TAILGATE_SECRET_MAX];
    size_t   i, len;

    rv = ngx_http_tailgate_secret_read(cf, file, buf, sizeof(buf), &len);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 0; i < len; i++) {
        if (buf[i] < 0x20 || buf[i] > 0x7e) {
            break;
        }
    }

    if (len == 0 || i != len || buf[0] == ' ' || buf[len - 1] == ' ') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no good for a header: one line of "
                           "printable ASCII is needed", file);
        rv = NGX_CONF_ERROR;
        goto done;
    }

    secret->data = ngx_pnalloc(cf->pool, len);
    if (secret->data == NULL) {
        rv = NGX_CONF_ERROR;
        goto done;
    }

    ngx_memcpy(secret->data, buf, len);
    secret->len = len;

done:

    explicit_bzero(buf, sizeof(buf));

    return rv;
}


/* A key: as many hexadecimal digits as it has half bytes. */

char *
ngx_http_tailgate_secret_key(ngx_conf_t *cf, ngx_str_t *file, u_char **key)
{
    char       *rv;
    u_char      buf[NGX_HTTP_TAILGATE_SECRET_MAX];
    size_t      i, len;
    ngx_int_t   n;

    rv = ngx_http_tailgate_secret_read(cf, file, buf, sizeof(buf), &len);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    *key = ngx_pnalloc(cf->pool, TG_SESSION_KEY_LEN);
    if (*key == NULL) {
        rv = NGX_CONF_ERROR;
        goto done;
    }

    for (i = 0; len == TG_SESSION_KEY_LEN * 2 && i < TG_SESSION_KEY_LEN; i++) {

        n = ngx_hextoi(&buf[i * 2], 2);

        if (n == NGX_ERROR) {
            break;
        }

        (*key)[i] = (u_char) n;
    }

    if (len != TG_SESSION_KEY_LEN * 2 || i != TG_SESSION_KEY_LEN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no good for a key: one line of %d "
                           "hexadecimal digits is needed, as "
                           "\"openssl rand -hex %d\" makes it",
                           file, TG_SESSION_KEY_LEN * 2, TG_SESSION_KEY_LEN);
        rv = NGX_CONF_ERROR;
    }

done:

    explicit_bzero(buf, sizeof(buf));

    return rv;
}


/* The file without the end of its line.  Others must not be able to read it. */

static char *
ngx_http_tailgate_secret_read(ngx_conf_t *cf, ngx_str_t *file, u_char *buf,
    size_t size, size_t *len)
{
    char             *rv;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_str_t         name;
    ngx_file_info_t   fi;

    rv = NGX_CONF_ERROR;
    name = *file;

    if (name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a file with a secret is needed");
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &name);
        return NGX_CONF_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", &name);
        goto done;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a regular file", &name);
        goto done;
    }

    if (fi.st_mode & (S_IROTH|S_IWOTH|S_IWGRP)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" holds a secret that others may read or "
                           "change: chmod 600 it", &name);
        goto done;
    }

    n = ngx_read_fd(fd, buf, size);

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", &name);
        goto done;
    }

    if ((size_t) n == size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is longer than a secret may be, which is "
                           "%uz bytes", &name, size - 1);
        goto done;
    }

    if (n && buf[n - 1] == LF) {
        n--;
    }

    if (n && buf[n - 1] == CR) {
        n--;
    }

    *len = n;
    rv = NGX_CONF_OK;

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &name);
    }

    return rv;
}


ngx_int_t
ngx_http_tailgate_secret_zone(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf)
{
    ngx_str_t  name = ngx_string("tailgate_session");

    mcf->zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize,
                                      &ngx_http_tailgate_module);
    if (mcf->zone == NULL) {
        return NGX_ERROR;
    }

    mcf->zone->init = ngx_http_tailgate_secret_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_secret_init_zone(ngx_shm_zone_t *zone, void *data)
{
    size_t            n;
    u_char           *key;
    ssize_t           rc;
    ngx_slab_pool_t  *shpool;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    key = ngx_slab_alloc(shpool, TG_SESSION_KEY_LEN);
    if (key == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; n < TG_SESSION_KEY_LEN; n += rc) {

        rc = getrandom(key + n, TG_SESSION_KEY_LEN - n, 0);

        if (rc == -1) {

            if (ngx_errno == NGX_EINTR) {
                rc = 0;
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, ngx_errno,
                          "getrandom() failed");
            return NGX_ERROR;
        }
    }

    shpool->data = key;
    zone->data = key;

    return NGX_OK;
}


const uint8_t *
ngx_http_tailgate_secret(ngx_http_tailgate_main_conf_t *mcf)
{
    return mcf->key ? mcf->key : mcf->zone->data;
}
