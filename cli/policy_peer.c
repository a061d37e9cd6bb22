
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: one peer, made up or as tailscaled knows it.
 */

#include <cli/ask.h>
#include <cli/cli.h>
#include <cli/policy.h>

#include <tailgate/addr.h>

#include "core/base/base.h"

#include <string.h>


#define STATUS_MAX  (64 * 1024 * 1024)


static int take_address(cli_policy_t *self, cli_peer_t *peer);
static int take_whois(cli_policy_t *self, cli_peer_t *peer);
static int take_persona(cli_policy_t *self, cli_peer_t *peer);
static int change(cli_policy_t *self, cli_peer_t *peer);


int
cli_policy_self(cli_policy_t *self)
{
    int           code;
    tg_str_t      text;
    tg_error_t    error;
    cli_answer_t  answer;

    if (self->self.node_id.len > 0) {
        return CLI_OK;
    }

    if (self->self_path == NULL) {
        if (cli_ask_self(self->socket, &self->alloc, &self->self, &answer)
            == TG_OK)
        {
            return CLI_OK;
        }

        cli_error(self->name, "%s", answer.error);
        return CLI_UNAVAILABLE;
    }

    code = cli_policy_read(self, self->self_path, STATUS_MAX, &text);
    if (code != CLI_OK) {
        return code;
    }

    if (tg_status_parse(text.data, text.len, &self->alloc, &self->self,
                        &error) != TG_OK)
    {
        cli_error(self->name, "%s: %s", self->self_path, error.text);
        return CLI_USAGE;
    }

    return CLI_OK;
}


int
cli_policy_peer(cli_policy_t *self, int code, tg_str_t body, cli_peer_t *peer)
{
    int          rc;
    char        *why;
    size_t       len;
    tg_caps_t   *caps;
    tg_error_t   error;

    peer->peer.self = &self->self;
    peer->peer.status = tg_whois_status(code, body.data, body.len,
                                        &self->self, self->now, &self->alloc,
                                        &peer->identity, &error);

    if (peer->peer.status == TG_STATUS_UNAVAILABLE) {
        len = strlen(error.text) + 1;
        why = self->alloc.alloc(self->alloc.ctx, len);

        peer->why = "out of memory";

        if (why != NULL) {
            memcpy(why, error.text, len);
            peer->why = why;
        }

        return CLI_OK;
    }

    if (peer->peer.status == TG_STATUS_STRANGER) {
        peer->why = "nobody on the tailnet has this address";
        return CLI_OK;
    }

    peer->peer.identity = &peer->identity;

    rc = tg_caps_parse(peer->identity.caps, &self->alloc, &caps);

    if (rc == TG_ERR_NOMEM) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    /* of capabilities that cannot be read none is believed */

    peer->peer.caps = rc == TG_OK ? caps : NULL;

    return CLI_OK;
}


int
cli_policy_subject(cli_policy_t *self, cli_peer_t *peer)
{
    int  code, named;

    memset(peer, 0, sizeof(cli_peer_t));

    named = (self->as != NULL) + (self->node != NULL) + (self->addr != NULL)
            + (self->whois != NULL);

    if (named != 1) {
        return cli_usage(self->name, "one of --as, --node, --addr and --whois"
                         " is needed");
    }

    if (self->as != NULL) {
        return take_persona(self, peer);
    }

    if (self->node != NULL) {
        code = cli_policy_node(self, self->node, peer);

    } else if (self->addr != NULL) {
        code = take_address(self, peer);

    } else {
        code = take_whois(self, peer);
    }

    return code != CLI_OK ? code : change(self, peer);
}


static int
take_persona(cli_policy_t *self, cli_peer_t *peer)
{
    tg_str_t    as;
    tg_error_t  error;

    as.data = self->as;
    as.len = strlen(self->as);

    if (tg_persona(self->file, as, self->from, self->nfrom, self->now,
                   &self->alloc, &peer->peer, &error) != TG_OK)
    {
        cli_error(self->name, "%s", error.text);
        return CLI_USAGE;
    }

    if (peer->peer.identity != NULL) {
        peer->identity = *peer->peer.identity;
        peer->peer.identity = &peer->identity;
    }

    return CLI_OK;
}


static int
take_whois(cli_policy_t *self, cli_peer_t *peer)
{
    int       code;
    tg_str_t  body;

    code = cli_policy_self(self);

    if (code == CLI_OK) {
        code = cli_policy_read(self, self->whois, TG_WHOIS_BODY_MAX, &body);
    }

    return code == CLI_OK ? cli_policy_peer(self, 200, body, peer) : code;
}


static int
take_address(cli_policy_t *self, cli_peer_t *peer)
{
    int        code;
    bool       with_port;
    tg_addr_t  addr;

    if (tg_addr_parse(&addr, self->addr, strlen(self->addr)) != TG_OK) {
        cli_error(self->name, "\"%s\" is no address: use 100.64.0.4,"
                  " 127.0.0.1:4242 or [fd7a:115c:a1e0::4]:443", self->addr);
        return CLI_USAGE;
    }

    with_port = tg_addr_is_loopback(&addr);

    if (with_port && addr.port == 0) {
        cli_error(self->name, "\"%s\" is on loopback and needs its port",
                  self->addr);
        return CLI_USAGE;
    }

    code = cli_policy_self(self);
    if (code != CLI_OK) {
        return code;
    }

    if (!with_port && !tg_addr_is_tailnet(&addr)) {
        peer->peer.self = &self->self;
        peer->peer.status = TG_STATUS_STRANGER;
        peer->why = tg_reason_text(TG_REASON_NOT_TAILNET);
        return CLI_OK;
    }

    return cli_policy_ask(self, &addr, with_port, peer);
}


int
cli_policy_ask(cli_policy_t *self, const tg_addr_t *addr, bool with_port,
    cli_peer_t *peer)
{
    char          target[TG_LOCALAPI_TARGET_MAX], text[TG_ADDR_TEXT_MAX];
    size_t        len;
    cli_answer_t  answer;

    if (tg_whois_target(addr, with_port, self->request.service, NULL, target,
                        &len) != TG_OK)
    {
        cli_error(self->name, "\"%s\" is no name of a Service: use svc:NAME",
                  self->via_text);
        return CLI_USAGE;
    }

    len = tg_addr_format(addr, with_port, text);

    if (tgi_str_copy(&peer->address, text, len, &self->alloc) != TG_OK
        || cli_ask(self->socket, target, &self->alloc, &answer) != TG_OK)
    {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    if (answer.code == 0) {
        cli_error(self->name, "%s", answer.error);
        return CLI_UNAVAILABLE;
    }

    return cli_policy_peer(self, answer.code, answer.body, peer);
}


/* What if it ran something else? */

static int
change(cli_policy_t *self, cli_peer_t *peer)
{
    size_t    i, k;
    tg_str_t  word;

    const struct {
        tg_str_t   key;
        tg_str_t  *value;
    } words[] = {
        { TG_STR("os="), &peer->identity.os },
        { TG_STR("os_version="), &peer->identity.os_version },
        { TG_STR("client_version="), &peer->identity.client_version }
    };

    for (i = 0; i < self->nfrom; i++) {
        word = self->from[i];

        for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            if (word.len >= words[k].key.len
                && memcmp(word.data, words[k].key.data, words[k].key.len) == 0)
            {
                break;
            }
        }

        if (k == sizeof(words) / sizeof(words[0])) {
            cli_error(self->name, "--from \"%.*s\": of a peer that is there"
                      " os, os_version and client_version can be imagined"
                      " otherwise; use --as for the rest", (int) word.len,
                      word.data);
            return CLI_USAGE;
        }

        words[k].value->data = word.data + words[k].key.len;
        words[k].value->len = word.len - words[k].key.len;
    }

    return CLI_OK;
}


tg_str_t
cli_peer_who(const cli_peer_t *peer)
{
    const char  *name;

    if (peer->peer.identity == NULL) {
        name = tg_status_name(peer->peer.status);
        return (tg_str_t) { name, strlen(name) };
    }

    if (peer->identity.tags.n > 0) {
        return peer->identity.tags.items[0];
    }

    return peer->identity.login.len > 0 ? peer->identity.login
                                        : peer->identity.node;
}


tg_str_t
cli_peer_node(const cli_policy_t *self, const cli_peer_t *peer)
{
    tg_str_t  node;

    node = peer->identity.node;

    if (self->self.tailnet.len > 0
        && node.len > self->self.tailnet.len + 1
        && tgi_str_equal_nocase(peer->identity.tailnet, self->self.tailnet))
    {
        node.len -= self->self.tailnet.len + 1;
    }

    return node;
}


static json_t *
list_json(const tg_list_t *list)
{
    size_t   i;
    json_t  *json;

    json = json_array();

    for (i = 0; i < list->n; i++) {
        (void) json_array_append_new(json, cli_policy_text(list->items[i]));
    }

    return json;
}


json_t *
cli_peer_json(const cli_peer_t *peer)
{
    json_t               *json;
    const tg_identity_t  *id;

    json = json_object();

    (void) json_object_set_new(json, "status",
                               json_string(tg_status_name(peer->peer.status)));

    if (peer->why != NULL) {
        (void) json_object_set_new(json, "why", json_string(peer->why));
    }

    id = peer->peer.identity;

    if (id == NULL) {
        return json;
    }

    cli_set_text(json, "login", id->login);
    cli_set_text(json, "node", id->node);
    cli_set_text(json, "node_id", id->node_id);
    cli_set_text(json, "tailnet", id->tailnet);
    cli_set_text(json, "os", id->os);
    cli_set_text(json, "os_version", id->os_version);
    cli_set_text(json, "client_version", id->client_version);
    cli_set_text(json, "address", peer->address);

    if (id->tags.n > 0) {
        (void) json_object_set_new(json, "tags", list_json(&id->tags));
    }

    if (id->groups.n > 0) {
        (void) json_object_set_new(json, "groups", list_json(&id->groups));
    }

    return json;
}
