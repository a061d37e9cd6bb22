
/*
 * Copyright (C) The Tailgate authors
 *
 * A made-up peer, for tests and explanations.
 */

#include "core/policy/read.h"

#include "core/base/base.h"
#include "core/identity/identity.h"

#include <string.h>

#include <jansson.h>


typedef struct {
    tg_identity_t     *identity;
    tg_self_t         *self;
    const tg_alloc_t  *alloc;
    tg_error_t        *error;
    json_t            *caps;
    int64_t            now;
    size_t             nwords;
} persona_t;

typedef struct {
    const char  *name;
    int        (*set)(persona_t *persona, tg_str_t value);
    size_t       offset;       /* of the text that it sets */
    uint32_t     trait;        /* that it sets */
} word_t;


static int set_text(persona_t *persona, tg_str_t value, size_t offset);
static int set_group(persona_t *persona, tg_str_t value);
static int set_tag(persona_t *persona, tg_str_t value);
static int set_key_expires_in(persona_t *persona, tg_str_t value);
static int set_capability(persona_t *persona, tg_str_t value);


#define TEXT(field)  NULL, offsetof(tg_identity_t, field), 0

static const word_t  words[] = {
    { "os", TEXT(os) },
    { "os_version", TEXT(os_version) },
    { "client_version", TEXT(client_version) },
    { "node", TEXT(node) },
    { "node_id", TEXT(node_id) },
    { "tailnet", TEXT(tailnet) },
    { "group", set_group, 0, 0 },
    { "tag", set_tag, 0, 0 },
    { "key_expires_in", set_key_expires_in, 0, 0 },
    { "capability", set_capability, 0, 0 },
    { "shared", NULL, 0, TG_TRAIT_SHARED },
    { "routed", NULL, 0, TG_TRAIT_ROUTED },
    { "expired", NULL, 0, TG_TRAIT_EXPIRED },
    { "unauthorized", NULL, 0, TG_TRAIT_UNAUTHORIZED },
    { "unsigned", NULL, 0, TG_TRAIT_UNSIGNED }
};

#define NWORDS  (sizeof(words) / sizeof(words[0]))


static bool
has_prefix(tg_str_t text, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}


static bool
is_text(tg_str_t text, const char *other)
{
    return tgi_str_equal(text, (tg_str_t) { other, strlen(other) });
}


static int
no_memory(persona_t *persona)
{
    return tgi_error(persona->error, TG_ERR_NOMEM, "out of memory");
}


static int
set_text(persona_t *persona, tg_str_t value, size_t offset)
{
    tg_str_t  *field;

    field = (tg_str_t *) (void *) ((char *) persona->identity + offset);

    if (tgi_str_copy(field, value.data, value.len, persona->alloc) != TG_OK) {
        return no_memory(persona);
    }

    return TG_OK;
}


/* There is room for as many as there are words. */

static int
add_item(persona_t *persona, tg_list_t *list, tg_str_t value)
{
    if (list->items == NULL) {
        list->items = tgi_alloc(persona->alloc, persona->nwords + 1,
                                sizeof(tg_str_t));
        if (list->items == NULL) {
            return no_memory(persona);
        }
    }

    if (tgi_str_copy(&list->items[list->n], value.data, value.len,
                     persona->alloc) != TG_OK)
    {
        return no_memory(persona);
    }

    list->n++;

    return TG_OK;
}


static int
set_group(persona_t *persona, tg_str_t value)
{
    return add_item(persona, &persona->identity->groups, value);
}


static int
set_tag(persona_t *persona, tg_str_t value)
{
    if (!has_prefix(value, "tag:")) {
        return tgi_error(persona->error, TG_ERR_REFUSED,
                         "the tag \"%.*s\" lacks its prefix \"tag:\"",
                         (int) value.len, value.data);
    }

    return add_item(persona, &persona->identity->tags, value);
}


static int
set_key_expires_in(persona_t *persona, tg_str_t value)
{
    int64_t  seconds;

    if (is_text(value, "never")) {
        persona->identity->key_expiry = 0;
        return TG_OK;
    }

    if (!tgi_duration_parse(value.data, value.len, &seconds)) {
        return tgi_error(persona->error, TG_ERR_SYNTAX,
                         "\"%.*s\" is no duration: write \"7d\" or \"12h\","
                         " or never", (int) value.len, value.data);
    }

    /* 0 would be never */

    persona->identity->key_expiry = persona->now + seconds;

    if (persona->identity->key_expiry == 0) {
        persona->identity->key_expiry = 1;
    }

    return TG_OK;
}


/* The grants of one capability so far, a borrowed array. */

static json_t *
grants_of(persona_t *persona, tg_str_t name)
{
    json_t  *grants;
    char     key[TG_LIST_ITEM_MAX + 1];

    memcpy(key, name.data, name.len);
    key[name.len] = '\0';

    grants = json_object_get(persona->caps, key);

    if (grants == NULL) {
        grants = json_array();

        if (json_object_set_new(persona->caps, key, grants) != 0) {
            return NULL;
        }
    }

    return grants;
}


/* "NAME" or "NAME:JSON"; a name may have ":" itself ("https://..."). */

static int
set_capability(persona_t *persona, tg_str_t value)
{
    size_t        i;
    json_t       *grants, *json;
    tg_str_t      name;
    json_error_t  fault;

    for (i = 0; i + 1 < value.len; i++) {
        if (value.data[i] == ':'
            && (value.data[i + 1] == '{' || value.data[i + 1] == '['))
        {
            break;
        }
    }

    name = value;

    if (i + 1 < value.len) {
        name.len = i;
    }

    if (name.len == 0 || name.len > TG_LIST_ITEM_MAX) {
        return tgi_error(persona->error, TG_ERR_SYNTAX,
                         "a capability has a name of up to %d bytes",
                         TG_LIST_ITEM_MAX);
    }

    grants = grants_of(persona, name);
    if (grants == NULL) {
        return no_memory(persona);
    }

    if (name.len == value.len) {
        return TG_OK;
    }

    json = json_loadb(value.data + i + 1, value.len - i - 1,
                      JSON_REJECT_DUPLICATES, &fault);
    if (json == NULL) {
        return tgi_error(persona->error, TG_ERR_SYNTAX,
                         "the JSON of the capability \"%.*s\" cannot be read:"
                         " %s", (int) name.len, name.data, fault.text);
    }

    if (json_is_array(json)) {
        i = (size_t) json_array_extend(grants, json);
        json_decref(json);

    } else {
        i = (size_t) json_array_append_new(grants, json);
    }

    return i == 0 ? TG_OK : no_memory(persona);
}


static int
unknown_word(persona_t *persona, tg_str_t key)
{
    char         hint[160], text[64];
    size_t       i;
    const char  *names[NWORDS];

    for (i = 0; i < NWORDS; i++) {
        names[i] = words[i].name;
    }

    i = key.len < sizeof(text) ? key.len : sizeof(text) - 1;
    memcpy(text, key.data, i);
    text[i] = '\0';

    tgi_nearest(hint, sizeof(hint), text, names, NWORDS);

    return tgi_error(persona->error, TG_ERR_REFUSED,
                     "\"%s\" is no attribute of a peer; %s", text, hint);
}


static int
set_word(persona_t *persona, tg_str_t word)
{
    size_t       i;
    tg_str_t     key, value;
    const char  *sign;

    sign = word.len != 0 ? memchr(word.data, '=', word.len) : NULL;

    if (sign == NULL || tgi_text_check(word.data, word.len) != TG_OK) {
        return tgi_error(persona->error, TG_ERR_SYNTAX,
                         "\"%.*s\" is no attribute: write KEY=VALUE, such as"
                         " \"os=iOS\"", (int) word.len,
                         word.data != NULL ? word.data : "");
    }

    key.data = word.data;
    key.len = (size_t) (sign - word.data);
    value.data = sign + 1;
    value.len = word.len - key.len - 1;

    for (i = 0; i < NWORDS && !is_text(key, words[i].name); i++) {
        /* void */
    }

    if (i == NWORDS) {
        return unknown_word(persona, key);
    }

    if (words[i].set != NULL) {
        return words[i].set(persona, value);
    }

    if (words[i].trait == 0) {
        return set_text(persona, value, words[i].offset);
    }

    if (is_text(value, "yes")) {
        persona->identity->traits |= words[i].trait;

    } else if (!is_text(value, "no")) {
        return tgi_error(persona->error, TG_ERR_SYNTAX,
                         "\"%s\" is yes or no", words[i].name);
    }

    return TG_OK;
}


/* Text, in lower case where it is a name of the DNS. */

static int
join(persona_t *persona, tg_str_t a, tg_str_t b, tg_str_t *out)
{
    char  *p;

    p = tgi_alloc(persona->alloc, a.len + 1 + b.len, 1);
    if (p == NULL) {
        return no_memory(persona);
    }

    memcpy(p, a.data, a.len);
    p[a.len] = '.';
    memcpy(p + a.len + 1, b.data, b.len);

    out->data = p;
    out->len = a.len + 1 + b.len;

    return TG_OK;
}


/* Whoever has no name yet gets one, and a whole one. */

static int
set_names(persona_t *persona)
{
    int             rc;
    tg_identity_t  *identity;

    static const tg_str_t  unnamed = TG_STR("unnamed");
    static const tg_str_t  stable_id = TG_STR("nUNNAMED");

    identity = persona->identity;

    if (identity->node.len == 0) {
        identity->node = unnamed;
    }

    identity->node = tgi_name_undotted(identity->node);

    if (identity->node_id.len == 0) {
        identity->node_id = stable_id;
    }

    if (memchr(identity->node.data, '.', identity->node.len) == NULL) {
        if (identity->tailnet.len == 0) {
            identity->tailnet = persona->self->tailnet;
        }

        rc = join(persona, identity->node, identity->tailnet,
                  &identity->node);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (identity->tailnet.len == 0
        && tgi_name_tailnet(identity->node, persona->alloc,
                            &identity->tailnet) != TG_OK)
    {
        return no_memory(persona);
    }

    identity->computed_name = identity->node;

    return TG_OK;
}


/* As tg_whois_parse() does with what tailscaled tells. */

static int
judge(persona_t *persona)
{
    tg_identity_t  *identity;

    identity = persona->identity;

    if (identity->tags.n > 0 && identity->login.len != 0) {
        return tgi_error(persona->error, TG_ERR_REFUSED,
                         "a tagged node has no login: write \"as: tag:NAME\""
                         " instead of \"%.*s\"", (int) identity->login.len,
                         identity->login.data);
    }

    if (identity->key_expiry != 0 && identity->key_expiry <= persona->now) {
        identity->traits |= TG_TRAIT_EXPIRED;
    }

    if (!tgi_str_equal_nocase(identity->tailnet, persona->self->tailnet)) {
        identity->traits |= TG_TRAIT_SHARED;
    }

    if (identity->login.len == 0) {
        identity->traits |= TG_TRAIT_TAGGED;

    } else if (!(identity->traits & TG_TRAIT_SHARED)) {
        identity->traits |= TG_TRAIT_MEMBER;
    }

    identity->status = tgi_traits_status(identity->traits);

    return TG_OK;
}


static int
set_caps(persona_t *persona, tg_peer_t *peer)
{
    int         rc;
    char       *p;
    size_t      len;
    tg_caps_t  *caps;

    static const size_t  flags = JSON_COMPACT|JSON_ENSURE_ASCII;

    len = json_dumpb(persona->caps, NULL, 0, flags);

    if (len > TG_CAPS_MAX) {
        return tgi_error(persona->error, TG_ERR_LIMIT,
                         "capabilities over %d bytes", TG_CAPS_MAX);
    }

    p = tgi_alloc(persona->alloc, len + 1, 1);

    if (p == NULL || len == 0
        || json_dumpb(persona->caps, p, len, flags) != len)
    {
        return no_memory(persona);
    }

    persona->identity->caps.data = p;
    persona->identity->caps.len = len;

    rc = tg_caps_parse(persona->identity->caps, persona->alloc, &caps);

    if (rc != TG_OK) {
        return tgi_error(persona->error, rc,
                         "the capabilities cannot be read: %s",
                         tg_strerror(rc));
    }

    peer->caps = caps;

    return TG_OK;
}


/* Who it is: a login, a tag, or a node. */

static int
set_as(persona_t *persona, tg_str_t as)
{
    tg_identity_t  *identity;

    identity = persona->identity;

    if (as.len == 0 || tgi_text_check(as.data, as.len) != TG_OK) {
        return tgi_error(persona->error, TG_ERR_SYNTAX,
                         "nobody is named: write a login, tag:NAME, node:NAME,"
                         " stranger or unavailable");
    }

    if (has_prefix(as, "tag:")) {
        return set_tag(persona, as);
    }

    if (has_prefix(as, "node:")) {
        as.data += strlen("node:");
        as.len -= strlen("node:");

        return set_text(persona, as, offsetof(tg_identity_t, node));
    }

    if (tgi_str_copy(&identity->login, as.data, as.len, persona->alloc)
        != TG_OK)
    {
        return no_memory(persona);
    }

    identity->name = identity->login;

    return tgi_login_check(identity, "the login", persona->error);
}


static int
fill(persona_t *persona, tg_str_t as, const tg_str_t *from, tg_peer_t *peer)
{
    int     rc;
    size_t  i;

    rc = set_as(persona, as);

    for (i = 0; i < persona->nwords && rc == TG_OK; i++) {
        rc = set_word(persona, from[i]);
    }

    if (rc == TG_OK) {
        rc = set_names(persona);
    }

    if (rc == TG_OK) {
        rc = judge(persona);
    }

    if (rc == TG_OK) {
        rc = set_caps(persona, peer);
    }

    return rc;
}


int
tg_persona(const tg_policy_t *policy, tg_str_t as, const tg_str_t *from,
    size_t nfrom, int64_t now, const tg_alloc_t *alloc, tg_peer_t *peer,
    tg_error_t *error)
{
    int        rc;
    persona_t  persona;

    static const tg_str_t  tailnet = TG_STR("tailnet.invalid");
    static const tg_str_t  state = TG_STR("Running");

    memset(peer, 0, sizeof(*peer));
    memset(&persona, 0, sizeof(persona));

    if (error != NULL) {
        memset(error, 0, sizeof(*error));
    }

    persona.alloc = alloc;
    persona.error = error;
    persona.now = now;
    persona.nwords = nfrom;
    persona.identity = tgi_alloc(alloc, 1, sizeof(tg_identity_t));
    persona.self = tgi_alloc(alloc, 1, sizeof(tg_self_t));

    if (persona.identity == NULL || persona.self == NULL) {
        return no_memory(&persona);
    }

    memset(persona.identity, 0, sizeof(tg_identity_t));
    memset(persona.self, 0, sizeof(tg_self_t));

    persona.self->running = true;
    persona.self->state = state;
    persona.self->tailnet = (policy != NULL && policy->tailnets.n != 0)
                            ? policy->tailnets.items[0] : tailnet;

    peer->self = persona.self;

    if (is_text(as, "stranger")) {
        peer->status = TG_STATUS_STRANGER;
        return TG_OK;
    }

    if (is_text(as, "unavailable")) {
        peer->status = TG_STATUS_UNAVAILABLE;
        return TG_OK;
    }

    persona.caps = json_object();
    if (persona.caps == NULL) {
        return no_memory(&persona);
    }

    rc = fill(&persona, as, from, peer);

    json_decref(persona.caps);

    if (rc != TG_OK) {
        return rc;
    }

    peer->identity = persona.identity;
    peer->status = persona.identity->status;

    return TG_OK;
}
