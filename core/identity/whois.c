
/*
 * Copyright (C) The Tailgate authors
 *
 * A WhoIs answer to an identity.  Fields: tailscale client/tailscale/apitype
 * WhoIsResponse, tailcfg.Node, tailcfg.UserProfile, tailcfg.Hostinfo.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"
#include "core/identity/json.h"

#include <string.h>


/* time.Time{}, "0001-01-01T00:00:00Z": a key that does not expire */

#define ZERO_TIME  (-62135596800)


static void
read_key_expiry(tgi_reader_t *reader, json_t *node, tg_identity_t *identity)
{
    int64_t   seconds;
    tg_str_t  text;

    text = tgi_json_string(reader, node, "Node.KeyExpiry", TG_LIST_ITEM_MAX);

    if (reader->rc != TG_OK || text.len == 0) {
        return;
    }

    if (tgi_time_parse(&seconds, text.data, text.len) != TG_OK) {
        tgi_json_fail(reader, TG_ERR_SYNTAX,
                      "Node.KeyExpiry is not an RFC 3339 time");
        return;
    }

    if (seconds == ZERO_TIME) {
        return;
    }

    /* 0 is never: the epoch itself is long ago */

    identity->key_expiry = seconds != 0 ? seconds : -1;
}


static bool
is_default_route(const tg_cidr_t *cidr)
{
    return cidr->prefix == 0;
}


/*
 * Service addresses are announced as single ones of the tailnet ranges.  An
 * address that maps an IPv4 site (TailscaleViaRange) looks the same and is a
 * route to a machine behind the node.
 */

static bool
is_tailnet_host(const tg_cidr_t *cidr)
{
    static const tg_cidr_t  via = {
        { TG_ADDR_V6,
          { 0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0, 0x0b, 0x1a }, 0 }, 64
    };

    return cidr->prefix == (cidr->addr.family == TG_ADDR_V4 ? 32 : 128)
           && tg_addr_is_tailnet(&cidr->addr)
           && !tg_cidr_match(&via, &cidr->addr);
}


static bool
read_prefix(tgi_reader_t *reader, json_t *array, size_t i, const char *path,
    tg_cidr_t *cidr)
{
    tg_str_t  text;

    text = tgi_json_item(reader, array, i, path);

    if (reader->rc != TG_OK) {
        return false;
    }

    if (tg_cidr_parse(cidr, text.data, text.len) != TG_OK) {
        tgi_json_fail(reader, TG_ERR_SYNTAX, "%s[%zu] is not a prefix", path,
                      i);
        return false;
    }

    return true;
}


static bool
is_own_prefix(const tg_cidr_t *own, size_t n, const tg_cidr_t *cidr)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (own[i].prefix == cidr->prefix
            && tg_addr_equal(&own[i].addr, &cidr->addr))
        {
            return true;
        }
    }

    return false;
}


/* Node.Addresses and Node.AllowedIPs: the address, and whether it routes. */

static void
read_addresses(tgi_reader_t *reader, json_t *node, tg_identity_t *identity)
{
    size_t      i, n;
    json_t     *array;
    tg_cidr_t   cidr, *own;

    array = tgi_json_array(reader, node, "Node.Addresses");
    n = json_array_size(array);

    if (n > TG_LIST_MAX) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "Node.Addresses has over %d items",
                      TG_LIST_MAX);
        return;
    }

    own = NULL;

    if (n > 0) {
        own = tgi_alloc(reader->alloc, n, sizeof(tg_cidr_t));
        if (own == NULL) {
            tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
            return;
        }
    }

    for (i = 0; i < n; i++) {
        if (!read_prefix(reader, array, i, "Node.Addresses", &own[i])) {
            return;
        }
    }

    if (n > 0) {
        identity->node_addr = own[0].addr;
    }

    /* an absent AllowedIPs is Addresses (capability version 112) */

    array = tgi_json_array(reader, node, "Node.AllowedIPs");

    for (i = 0; i < json_array_size(array); i++) {

        if (!read_prefix(reader, array, i, "Node.AllowedIPs", &cidr)) {
            return;
        }

        if (!is_default_route(&cidr) && !is_tailnet_host(&cidr)
            && !is_own_prefix(own, n, &cidr))
        {
            identity->traits |= TG_TRAIT_ROUTED;
        }
    }
}


static void
read_node(tgi_reader_t *reader, json_t *node, tg_identity_t *identity)
{
    json_t  *hostinfo;

    identity->node_id = tgi_json_string(reader, node, "Node.StableID",
                                        TG_LIST_ITEM_MAX);

    if (identity->node_id.len == 0) {
        tgi_json_fail(reader, TG_ERR_MISSING, "Node.StableID is missing");
    }

    identity->node = tgi_name_undotted(tgi_json_string(reader, node,
                                                       "Node.Name",
                                                       TG_NAME_MAX));
    identity->computed_name = tgi_json_string(reader, node,
                                              "Node.ComputedName",
                                              TG_NAME_MAX);
    identity->tags = tgi_json_list(reader, node, "Node.Tags",
                                   TG_LIST_ITEM_MAX, TGI_TEXT_STRICT);

    hostinfo = tgi_json_object(reader, node, "Node.Hostinfo");

    identity->os = tgi_json_string(reader, hostinfo, "Node.Hostinfo.OS",
                                   TG_NAME_MAX);
    identity->os_version = tgi_json_string(reader, hostinfo,
                                           "Node.Hostinfo.OSVersion",
                                           TG_NAME_MAX);
    identity->client_version = tgi_json_string(reader, hostinfo,
                                               "Node.Hostinfo.IPNVersion",
                                               TG_NAME_MAX);

    if (tgi_json_bool(reader, hostinfo, "Node.Hostinfo.ShareeNode")
        || tgi_json_int(reader, node, "Node.Sharer") != 0)
    {
        identity->traits |= TG_TRAIT_SHARED;
    }

    read_key_expiry(reader, node, identity);
    read_addresses(reader, node, identity);
}


/* A tagged node has no user, whatever the profile says. */

static void
read_profile(tgi_reader_t *reader, json_t *root, tg_identity_t *identity)
{
    json_t  *profile;

    profile = tgi_json_object(reader, root, "UserProfile");

    if (reader->rc != TG_OK || identity->tags.n > 0) {
        return;
    }

    if (profile == NULL) {
        tgi_json_fail(reader, TG_ERR_MISSING, "UserProfile is missing");
        return;
    }

    identity->login = tgi_json_string(reader, profile, "UserProfile.LoginName",
                                      TG_WHOIS_BODY_MAX);
    identity->name = tgi_json_string(reader, profile,
                                     "UserProfile.DisplayName", TG_NAME_MAX);
    identity->picture = tgi_json_string(reader, profile,
                                        "UserProfile.ProfilePicURL",
                                        TG_URL_MAX);
    identity->groups = tgi_json_list(reader, profile, "UserProfile.Groups",
                                     TG_LIST_ITEM_MAX, TGI_TEXT_STRICT);

    if (reader->rc == TG_OK) {
        reader->rc = tgi_login_check(identity, "UserProfile.LoginName",
                                     reader->error);
    }
}


/* ASCII only, so that every runtime reads the same JSON from a header. */

static void
read_caps(tgi_reader_t *reader, json_t *root, tg_identity_t *identity)
{
    char        *p;
    size_t       len;
    json_t      *caps, *value;
    const char  *key;

    static const size_t  flags = JSON_COMPACT|JSON_ENSURE_ASCII;

    caps = tgi_json_object(reader, root, "CapMap");

    identity->caps = (tg_str_t) TG_STR("{}");

    if (json_object_size(caps) == 0) {
        return;
    }

    json_object_foreach(caps, key, value) {
        if (!json_is_array(value) && !json_is_null(value)) {
            tgi_json_fail(reader, TG_ERR_TYPE,
                          "CapMap of \"%s\" is not an array", key);
            return;
        }
    }

    len = json_dumpb(caps, NULL, 0, flags);

    if (len > TG_CAPS_MAX) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "CapMap is over %d bytes",
                      TG_CAPS_MAX);
        return;
    }

    p = tgi_alloc(reader->alloc, len, 1);

    if (p == NULL || json_dumpb(caps, p, len, flags) != len || len == 0) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return;
    }

    /* the one control character that JSON does not escape */

    if (memchr(p, 0x7f, len) != NULL) {
        tgi_json_fail(reader, TG_ERR_REFUSED,
                      "CapMap holds a control character");
        return;
    }

    identity->caps.data = p;
    identity->caps.len = len;
}


static void
judge(tgi_reader_t *reader, json_t *node, const tg_self_t *self, int64_t now,
    tg_identity_t *identity)
{
    if (tgi_json_bool(reader, node, "Node.Expired")
        || (identity->key_expiry != 0 && identity->key_expiry <= now))
    {
        identity->traits |= TG_TRAIT_EXPIRED;
    }

    /* headscale leaves MachineAuthorized out once a key has expired */

    if (!tgi_json_bool(reader, node, "Node.MachineAuthorized")
        && !(identity->traits & TG_TRAIT_EXPIRED))
    {
        identity->traits |= TG_TRAIT_UNAUTHORIZED;
    }

    if (tgi_json_bool(reader, node, "Node.UnsignedPeerAPIOnly")) {
        identity->traits |= TG_TRAIT_UNSIGNED;
    }

    if (self == NULL || self->tailnet.len == 0
        || !tgi_str_equal_nocase(identity->tailnet, self->tailnet))
    {
        identity->traits |= TG_TRAIT_SHARED;
    }

    if (identity->tags.n > 0) {
        identity->traits |= TG_TRAIT_TAGGED;

    } else if (!(identity->traits & TG_TRAIT_SHARED)) {
        identity->traits |= TG_TRAIT_MEMBER;
    }

    identity->status = tgi_traits_status(identity->traits);
}


int
tg_whois_parse(const char *json, size_t len, const tg_self_t *self,
    int64_t now, const tg_alloc_t *alloc, tg_identity_t *identity,
    tg_error_t *error)
{
    json_t        *root, *node;
    tgi_reader_t   reader = { alloc, error, TG_OK };

    memset(identity, 0, sizeof(tg_identity_t));

    if (error != NULL) {
        memset(error, 0, sizeof(tg_error_t));
    }

    root = tgi_json_load(&reader, json, len);

    node = tgi_json_object(&reader, root, "Node");

    if (node == NULL) {
        tgi_json_fail(&reader, TG_ERR_MISSING, "Node is missing");
        goto out;
    }

    read_node(&reader, node, identity);
    read_profile(&reader, root, identity);
    read_caps(&reader, root, identity);

    if (reader.rc == TG_OK
        && tgi_name_tailnet(identity->node, alloc, &identity->tailnet)
           != TG_OK)
    {
        tgi_json_fail(&reader, TG_ERR_NOMEM, "out of memory");
    }

    judge(&reader, node, self, now, identity);

out:

    json_decref(root);

    if (reader.rc != TG_OK) {
        memset(identity, 0, sizeof(tg_identity_t));
    }

    return reader.rc;
}
