
/*
 * Copyright (C) The Tailgate authors
 *
 * Values of a tailnet's file: each loads into a member of what is described.
 */

#include <cli/devnet_value.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


int
cli_fault(tg_error_t *error, int code, const tgi_yaml_t *where, const char *fmt,
    ...)
{
    va_list  args;

    error->code = code;
    error->line = where->value_line;
    error->column = where->value_column;

    va_start(args, fmt);
    (void) vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);

    return code;
}


int
cli_fault_key(tg_error_t *error, const tgi_yaml_t *where, const char *what)
{
    (void) cli_fault(error, TG_ERR_REFUSED, where, "%s has no key \"%.64s\"",
                     what, where->key.data);

    error->line = where->line;
    error->column = where->column;

    return TG_ERR_REFUSED;
}


int
cli_fault_memory(tg_error_t *error, const tgi_yaml_t *where)
{
    return cli_fault(error, TG_ERR_NOMEM, where, "out of memory");
}


int
cli_load_map(cli_loading_t *loading, const tgi_yaml_t *map,
    const cli_field_t *fields, size_t n, const char *what)
{
    int                rc;
    size_t             i;
    const tgi_yaml_t  *child;

    if (map->kind != TGI_YAML_MAPPING) {
        return cli_fault(loading->error, TG_ERR_TYPE, map,
                         "%s has to be a map of keys and values", what);
    }

    for (child = map->first; child; child = child->next) {

        for (i = 0; i < n; i++) {
            if (strcmp(fields[i].key, child->key.data) == 0) {
                break;
            }
        }

        if (i == n) {
            return cli_fault_key(loading->error, child, what);
        }

        rc = fields[i].load(loading, child, fields[i].offset);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


json_t **
cli_load_member(cli_loading_t *loading, size_t offset)
{
    return (json_t **) (void *) ((char *) loading->object + offset);
}


int
cli_load_text(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    json_t  **member;

    if (value->kind != TGI_YAML_SCALAR) {
        return cli_fault(loading->error, TG_ERR_TYPE, value,
                         "\"%.64s\" has to be text", value->key.data);
    }

    member = cli_load_member(loading, offset);
    *member = json_stringn(value->text.data, value->text.len);

    return *member ? TG_OK : cli_fault_memory(loading->error, value);
}


int
cli_load_texts(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    json_t           **member;
    const tgi_yaml_t  *child;

    member = cli_load_member(loading, offset);

    json_decref(*member);
    *member = json_array();

    if (value->kind != TGI_YAML_SEQUENCE) {
        return cli_fault(loading->error, TG_ERR_TYPE, value,
                         "\"%.64s\" has to be a list", value->key.data);
    }

    for (child = value->first; child; child = child->next) {

        if (child->kind != TGI_YAML_SCALAR) {
            return cli_fault(loading->error, TG_ERR_TYPE, child,
                             "\"%.64s\" has to be a list of texts",
                             value->key.data);
        }

        if (json_array_append_new(*member,
                                  json_stringn(child->text.data,
                                               child->text.len))
            != 0)
        {
            return cli_fault_memory(loading->error, child);
        }
    }

    return TG_OK;
}


int
cli_load_flag(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    bool  *member;

    member = (bool *) (void *) ((char *) loading->object + offset);

    if (value->kind == TGI_YAML_SCALAR && value->plain) {

        if (strcmp(value->text.data, "true") == 0) {
            *member = true;
            return TG_OK;
        }

        if (strcmp(value->text.data, "false") == 0) {
            *member = false;
            return TG_OK;
        }
    }

    return cli_fault(loading->error, TG_ERR_TYPE, value,
                     "\"%.64s\" has to be true or false", value->key.data);
}


/* The member is the opposite of the key, as a node that says nothing is well.
 */

int
cli_load_not_flag(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset)
{
    int    rc;
    bool  *member;

    rc = cli_load_flag(loading, value, offset);

    if (rc == TG_OK) {
        member = (bool *) (void *) ((char *) loading->object + offset);
        *member = !*member;
    }

    return rc;
}


static int
parse_addr(cli_loading_t *loading, const tgi_yaml_t *value, tg_addr_t *addr)
{
    if (value->kind != TGI_YAML_SCALAR
        || tg_addr_parse(addr, value->text.data, value->text.len) != TG_OK
        || addr->port != 0)
    {
        return cli_fault(loading->error, TG_ERR_SYNTAX, value,
                         "this is no IP address");
    }

    return TG_OK;
}


/* Loopback addresses are where a node sits, not what it has. */

int
cli_load_addr(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    int          rc;
    size_t      *n;
    tg_addr_t    addr, *addrs;
    cli_node_t  *node = loading->object;

    (void) offset;

    rc = parse_addr(loading, value, &addr);
    if (rc != TG_OK) {
        return rc;
    }

    addrs = tg_addr_is_loopback(&addr) ? node->loopback : node->addrs;
    n = tg_addr_is_loopback(&addr) ? &node->nloopback : &node->naddrs;

    /* two are left for those that every node has */

    if (*n == CLI_NODE_ADDRS - 2) {
        return cli_fault(loading->error, TG_ERR_LIMIT, value,
                         "a node has at most %d addresses of a kind",
                         CLI_NODE_ADDRS - 2);
    }

    addrs[(*n)++] = addr;

    return TG_OK;
}


int
cli_load_addrs(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    int                rc;
    const tgi_yaml_t  *child;

    if (value->kind != TGI_YAML_SEQUENCE) {
        return cli_fault(loading->error, TG_ERR_TYPE, value,
                         "\"%.64s\" has to be a list", value->key.data);
    }

    for (child = value->first; child; child = child->next) {
        rc = cli_load_addr(loading, child, offset);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


int
cli_load_routes(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    tg_cidr_t          cidr;
    const tgi_yaml_t  *child;

    for (child = value->first; child; child = child->next) {

        if (child->kind != TGI_YAML_SCALAR
            || tg_cidr_parse(&cidr, child->text.data, child->text.len) != TG_OK
            || strchr(child->text.data, '/') == NULL)
        {
            return cli_fault(loading->error, TG_ERR_SYNTAX, child,
                             "this is no route: \"10.0.0.0/8\" would be one");
        }
    }

    return cli_load_texts(loading, value, offset);
}
