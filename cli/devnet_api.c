
/*
 * Copyright (C) The Tailgate authors
 *
 * The LocalAPI as tailscaled's ipn/localapi answers it: whois, status and the
 * bus.  Texts, codes and headers are its own.
 */

#include <cli/devnet.h>

#include <stdlib.h>
#include <string.h>


/* Up to here Go knows an answer's length before it has to begin sending. */

#define GO_BUFFER  2048

#define ARG_MAX_LEN  256


static tg_str_t
str(const char *text)
{
    tg_str_t  s;

    s.data = text;
    s.len = strlen(text);

    return s;
}


void
cli_api_headers(cli_devnet_t *devnet, tgn_request_t *r, const char *type)
{
    static const char  policy[] = "default-src 'none'; frame-ancestors 'none';"
                                  " script-src 'none'; script-src-elem 'none';"
                                  " script-src-attr 'none'";

    (void) tgn_response_header(r, "Content-Security-Policy", str(policy));
    (void) tgn_response_header(r, "Content-Type", str(type));
    (void) tgn_response_header(r, "Tailscale-Cap", str("142"));
    (void) tgn_response_header(r, "Tailscale-Version",
                               str(json_string_value(devnet->world->version)));
    (void) tgn_response_header(r, "X-Content-Type-Options", str("nosniff"));
    (void) tgn_response_header(r, "X-Frame-Options", str("DENY"));
}


void
cli_api_error(cli_devnet_t *devnet, tgn_request_t *r, int status,
    const char *text)
{
    cli_api_headers(devnet, r, "text/plain; charset=utf-8");
    tgn_response_send(r, status, str(text));
}


void
cli_api_json(cli_devnet_t *devnet, tgn_request_t *r, const char *text,
    size_t len)
{
    tg_str_t  body;

    body.data = text;
    body.len = len;

    cli_api_headers(devnet, r, "application/json");

    if (len <= GO_BUFFER) {
        tgn_response_send(r, 200, body);
        return;
    }

    if (tgn_response_begin(r, 200, TGN_LENGTH_CHUNKED) == TG_OK
        && tgn_response_write(r, body) == TG_OK)
    {
        tgn_response_end(r);
    }
}


/* As net/http's FormValue(): the first one, empty if there is none. */

static bool
argument(const tgn_request_t *r, const char *name, char buf[ARG_MAX_LEN])
{
    size_t  len;

    buf[0] = '\0';

    return tgn_query_arg(r->query, name, 0, buf, ARG_MAX_LEN, &len) == TG_OK
           && len != 0;
}


/*
 * Finds the peer that addr speaks of.  Returns an HTTP status, 0 if it was
 * found, and the text of the error.
 */

static int
find_by_key(cli_world_t *world, const char *text, cli_node_t **node,
    const char **error)
{
    const char  *hex;

    hex = text + strlen("nodekey:");

    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdefABCDEF") != 64) {
        *error = "invalid nodekey in 'addr' parameter\n";
        return 400;
    }

    *node = cli_world_key(world, hex);

    return *node ? 0 : 404;
}


/*
 * Whom an address belongs to.  A node's own address needs no port; one on
 * loopback is only known by its port, and only to TCP: it stands for what
 * tailscaled in userspace mode proxies, whatever the port is.
 */

static int
find_by_addr(cli_world_t *world, const char *text, const char *proto,
    cli_node_t **node, const char **error)
{
    int        rc;
    size_t     len;
    tg_addr_t  addr;

    len = strlen(text);

    /* Go takes brackets with a port only */

    rc = text[len - 1] == ']' ? TG_ERR_SYNTAX
                              : tg_addr_parse(&addr, text, len);

    if (rc == TG_ERR_REFUSED) {
        /* a zone id: understood, and nobody's */
        return 404;
    }

    if (rc != TG_OK) {
        *error = "invalid 'addr' parameter\n";
        return 400;
    }

    if (tg_addr_is_loopback(&addr)
        && (addr.port == 0
            || (proto[0] != '\0' && strcmp(proto, "tcp") != 0)))
    {
        return 404;
    }

    *node = cli_world_at(world, &addr);

    return *node ? 0 : 404;
}


/* tailcfg.AsServiceName() */

static bool
is_service(const char *name)
{
    size_t  len;

    if (strncmp(name, "svc:", 4) != 0) {
        return false;
    }

    name += 4;
    len = strlen(name);

    return len > 0 && len <= 63
           && strspn(name, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == len
           && name[0] != '-' && name[len - 1] != '-';
}


static bool
has_addr(const tg_addr_t *addrs, size_t n, const tg_addr_t *addr)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (tg_addr_equal(&addrs[i], addr)) {
            return true;
        }
    }

    return false;
}


/* What is granted at the destination that was hit; *caps is borrowed. */

static int
find_caps(const tgn_request_t *r, const cli_world_t *world,
    const cli_node_t *node, json_t **caps, const char **error)
{
    char                  name[ARG_MAX_LEN], dst[ARG_MAX_LEN];
    tg_addr_t             addr;
    const cli_service_t  *service;

    if (argument(r, "svc_name", name)) {

        if (!is_service(name)) {
            *error = "invalid svc_name\n";
            return 400;
        }

        *caps = json_object_get(node->service_caps, name);
        return 0;
    }

    if (!argument(r, "dst_ip", dst)) {
        *caps = node->caps;
        return 0;
    }

    if (tg_addr_parse(&addr, dst, strlen(dst)) != TG_OK || addr.port
        || dst[0] == '[')
    {
        *error = "invalid dst_ip\n";
        return 400;
    }

    *caps = NULL;

    if (has_addr(world->self->addrs, world->self->naddrs, &addr)) {
        *caps = node->caps;
    }

    for (service = world->services; service; service = service->next) {

        if (has_addr(service->addrs, service->naddrs, &addr)) {
            *caps = json_object_get(node->service_caps,
                                    json_string_value(service->name));
        }
    }

    return 0;
}


static void
send_whois(cli_devnet_t *devnet, tgn_request_t *r, cli_node_t *node,
    json_t *caps)
{
    char    *text;
    size_t   len;
    json_t  *json;

    if (caps == node->caps && node->whois) {
        cli_api_json(devnet, r, node->whois, node->whois_len);
        return;
    }

    json = cli_json_whois(devnet->world, node, caps);
    text = json ? cli_json_text(json, true, &len) : NULL;
    json_decref(json);

    if (text == NULL) {
        cli_api_error(devnet, r, 500, "JSON encoding error\n");
        return;
    }

    if (caps == node->caps) {
        node->whois = text;
        node->whois_len = len;
        cli_api_json(devnet, r, text, len);
        return;
    }

    cli_api_json(devnet, r, text, len);
    free(text);
}


void
cli_api_whois(cli_devnet_t *devnet, tgn_request_t *r)
{
    int          status;
    char         addr[ARG_MAX_LEN], proto[ARG_MAX_LEN];
    json_t      *caps;
    const char  *error;
    cli_node_t  *node;

    caps = NULL;
    node = NULL;
    error = "no match for IP:port\n";

    if (!argument(r, "addr", addr)) {
        cli_api_error(devnet, r, 400, "missing 'addr' parameter\n");
        return;
    }

    (void) argument(r, "proto", proto);

    status = strncmp(addr, "nodekey:", 8) == 0
             ? find_by_key(devnet->world, addr, &node, &error)
             : find_by_addr(devnet->world, addr, proto, &node, &error);

    if (status != 400 && cli_json_state(devnet->world) == 0) {
        /* no netmap yet: it knows nobody */
        status = 404;
    }

    if (status == 0) {
        status = find_caps(r, devnet->world, node, &caps, &error);
    }

    if (status) {
        cli_api_error(devnet, r, status, error);
        return;
    }

    send_whois(devnet, r, node, caps);
}


/* strconv.ParseBool(), where what it does not know is true. */

static bool
wants_peers(const tgn_request_t *r)
{
    char    value[ARG_MAX_LEN];
    size_t  i;

    static const char *const  no[] = {
        "0", "f", "F", "false", "FALSE", "False"
    };

    (void) argument(r, "peers", value);

    for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (strcmp(value, no[i]) == 0) {
            return false;
        }
    }

    return true;
}


void
cli_api_status(cli_devnet_t *devnet, tgn_request_t *r)
{
    char    *text, *grown;
    size_t   len;
    json_t  *json;

    json = cli_json_status(devnet->world, wants_peers(r));
    text = json ? cli_json_text(json, true, &len) : NULL;
    json_decref(json);

    /* json.Encoder ends what it writes with a line end */

    grown = text ? realloc(text, len + 2) : NULL;

    if (grown == NULL) {
        free(text);
        cli_api_error(devnet, r, 500, "JSON encoding error\n");
        return;
    }

    grown[len++] = '\n';
    grown[len] = '\0';

    cli_api_json(devnet, r, grown, len);
    free(grown);
}


static bool
is_valid(const tgn_request_t *r)
{
    size_t    i;
    tg_str_t  value;

    static const char *const  foreign[] = { "Origin", "Referer" };
    static const char         host[] = "local-tailscaled.sock";

    for (i = 0; i < 2; i++) {
        if (tgn_request_header(r, foreign[i], 0, &value) && value.len) {
            return false;
        }
    }

    return r->host.len == 0
           || (r->host.len == sizeof(host) - 1
               && memcmp(r->host.data, host, r->host.len) == 0);
}


void
cli_api_handle(tgn_request_t *r, void *data)
{
    size_t         i;
    cli_devnet_t  *devnet = data;

    static const struct {
        const char  *path;
        unsigned     scope;
        void       (*answer)(cli_devnet_t *devnet, tgn_request_t *r);
    } routes[] = {
        { "/localapi/v0/whois", CLI_SCOPE_WHOIS, cli_api_whois },
        { "/localapi/v0/status", CLI_SCOPE_STATUS, cli_api_status },
        { "/localapi/v0/watch-ipn-bus", 0, cli_bus_watch }
    };

    if (!is_valid(r)) {
        (void) tgn_response_header(r, "Content-Type",
                                   str("text/plain; charset=utf-8"));
        (void) tgn_response_header(r, "X-Content-Type-Options",
                                   str("nosniff"));
        tgn_response_send(r, 403, str("invalid localapi request\n"));
        return;
    }

    for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {

        if (r->path.len != strlen(routes[i].path)
            || memcmp(r->path.data, routes[i].path, r->path.len) != 0)
        {
            continue;
        }

        devnet->whois += routes[i].scope == CLI_SCOPE_WHOIS;
        devnet->status += routes[i].scope == CLI_SCOPE_STATUS;

        if (!cli_fault_handle(devnet, r, routes[i].scope)) {
            routes[i].answer(devnet, r);
        }

        return;
    }

    cli_api_error(devnet, r, 404, "404 page not found\n");
}
