
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate whois: who is behind an address, and would the built-in rule let
 * them in.
 */

#include <cli/ask.h>
#include <cli/cli.h>

#include <tailgate/addr.h>
#include <tailgate/gate.h>
#include <tailgate/identity.h>

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>


#define ARENA_MAX  (16 * 1024 * 1024)


typedef struct {
    tg_addr_t       addr;
    bool            with_port;
    const char     *socket;
    tg_str_t        service;
    bool            json;
} options_t;

typedef struct {
    tg_status_t     status;
    tg_verdict_t    verdict;
    const char     *reason;
    tg_identity_t   identity;
    tg_error_t      error;
} result_t;


static int parse(int argc, char **argv, options_t *o, int *code);
static bool parse_address(const char *text, options_t *o);
static int look_up(const options_t *o, const tg_alloc_t *alloc,
    result_t *result);
static void print_table(const options_t *o, const result_t *result,
    const tg_alloc_t *alloc);
static int print_json(const options_t *o, const result_t *result);
static json_t *identity_json(const tg_identity_t *identity);
static void set_list(json_t *object, const char *key, const tg_list_t *list);
static tg_str_t format_expiry(int64_t when, char *buf, size_t size);
static const char *verdict_name(tg_verdict_t verdict);


static const char  usage[] =
    "usage: tailgate whois [--json] [--socket PATH] [--service NAME]\n"
    "                      ADDRESS[:PORT]\n"
    "\n"
    "Says who is behind an address of this tailnet, as tailscaled tells, and\n"
    "whether the rule \"a member of this tailnet\" lets them in.\n"
    "\n"
    "  --json           print one JSON object\n"
    "  --service NAME   resolve capabilities for a Service (svc:NAME)\n"
    "  --socket PATH    the LocalAPI socket (" TG_LOCALAPI_SOCKET ")\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 the peer is known, 1 nobody has that address, 2 the\n"
    "command line is wrong, 3 the identity service is unavailable.\n";


int
cli_whois(int argc, char **argv)
{
    int          code;
    options_t    o;
    result_t     result = { 0 };
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    if (parse(argc, argv, &o, &code) != TG_OK) {
        return code;
    }

    arena = tg_arena_new(ARENA_MAX);

    if (arena == NULL) {
        cli_error("whois", "out of memory");
        return CLI_UNAVAILABLE;
    }

    alloc = tg_arena_allocator(arena);
    code = look_up(&o, &alloc, &result);

    if (code == CLI_USAGE) {
        goto out;
    }

    if (o.json) {
        if (print_json(&o, &result) != TG_OK) {
            cli_error("whois", "out of memory");
            code = CLI_UNAVAILABLE;
        }

    } else if (code != CLI_UNAVAILABLE) {
        print_table(&o, &result, &alloc);
    }

    if (code == CLI_UNAVAILABLE) {
        cli_error("whois", "%s", result.error.text);
    }

out:

    tg_arena_free(&arena);

    return code;
}


static int
parse(int argc, char **argv, options_t *o, int *code)
{
    int  c;

    static const struct option  options[] = {
        { "json", no_argument, NULL, 'j' },
        { "service", required_argument, NULL, 'S' },
        { "socket", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    *o = (options_t) { 0 };
    *code = CLI_USAGE;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j':
            o->json = true;
            break;

        case 'S':
            o->service.data = optarg;
            o->service.len = strlen(optarg);
            break;

        case 's':
            o->socket = optarg;
            break;

        case 'h':
            fputs(usage, stdout);
            *code = CLI_OK;
            return TG_ERR_ABSENT;

        default:
            cli_usage("whois", "the command line was not understood");
            return TG_ERR_SYNTAX;
        }
    }

    if (argc - optind != 1) {
        cli_usage("whois", "one address is wanted, not %d", argc - optind);
        return TG_ERR_SYNTAX;
    }

    return parse_address(argv[optind], o) ? TG_OK : TG_ERR_SYNTAX;
}


static bool
parse_address(const char *text, options_t *o)
{
    int  rc;

    rc = tg_addr_parse(&o->addr, text, strlen(text));

    if (rc == TG_ERR_REFUSED) {
        cli_error("whois", "\"%s\" has a zone id: no peer of a tailnet has "
                  "one", text);
        return false;
    }

    if (rc != TG_OK) {
        cli_error("whois", "\"%s\" is no address: use 100.64.0.4, "
                  "127.0.0.1:4242 or [fd7a:115c:a1e0::4]:443", text);
        return false;
    }

    /*
     * An ephemeral port says nothing about a tailnet address, and tailscaled
     * knows loopback connections by nothing else.
     */

    o->with_port = tg_addr_is_loopback(&o->addr);

    if (o->with_port && o->addr.port == 0) {
        cli_error("whois", "\"%s\" is on loopback and needs its port: with "
                  "userspace networking tailscaled tells peers apart by it",
                  text);
        return false;
    }

    return true;
}


static int
look_up(const options_t *o, const tg_alloc_t *alloc, result_t *result)
{
    int            rc;
    char           target[TG_LOCALAPI_TARGET_MAX];
    size_t         len;
    tg_self_t      self = { 0 };
    cli_answer_t   answer = { 0 };

    static const tg_gate_rules_t  rules = { .peers = TG_TRAIT_MEMBER };

    result->status = TG_STATUS_UNAVAILABLE;
    result->verdict = TG_UNAVAILABLE;
    result->reason = "the identity service is unavailable";

    rc = cli_ask_self(o->socket, alloc, &self, &answer);

    if (rc != TG_OK) {
        snprintf(result->error.text, sizeof(result->error.text), "%s",
                 answer.error);
        return CLI_UNAVAILABLE;
    }

    if (!tg_addr_is_tailnet(&o->addr) && !o->with_port) {
        result->status = TG_STATUS_STRANGER;
        result->verdict = TG_DENY;
        result->reason = tg_reason_text(TG_REASON_NOT_TAILNET);
        return CLI_BAD;
    }

    rc = tg_whois_target(&o->addr, o->with_port, o->service, NULL, target,
                         &len);

    if (rc != TG_OK) {
        cli_error("whois", "\"%.*s\" is no name of a Service: use svc:NAME",
                  (int) o->service.len, o->service.data);
        return CLI_USAGE;
    }

    if (cli_ask(o->socket, target, alloc, &answer) != TG_OK) {
        answer.error = "out of memory";
    }

    if (answer.code == 0) {
        snprintf(result->error.text, sizeof(result->error.text), "%s",
                 answer.error);
        return CLI_UNAVAILABLE;
    }

    result->status = tg_whois_status(answer.code, answer.body.data,
                                     answer.body.len, &self, time(NULL),
                                     alloc, &result->identity,
                                     &result->error);
    result->verdict = tg_gate_decide(&rules, result->status,
                                     &result->identity, &self,
                                     &result->reason);

    switch (result->status) {
    case TG_STATUS_UNAVAILABLE:
        return CLI_UNAVAILABLE;

    case TG_STATUS_STRANGER:
        return CLI_BAD;

    default:
        return CLI_OK;
    }
}


static void
print_table(const options_t *o, const result_t *result,
    const tg_alloc_t *alloc)
{
    int            rc;
    char           text[512];
    size_t         i;
    tg_str_t       value;

    static const struct {
        const char  *name;
        tg_attr_t    attr;
    } rows[] = {
        { "login", TG_ATTR_LOGIN },
        { "name", TG_ATTR_NAME },
        { "picture", TG_ATTR_PICTURE },
        { "groups", TG_ATTR_GROUPS },
        { "node", TG_ATTR_NODE },
        { "node id", TG_ATTR_NODE_ID },
        { "tailnet", TG_ATTR_TAILNET },
        { "tags", TG_ATTR_TAGS },
        { "os", TG_ATTR_OS },
        { "os version", TG_ATTR_OS_VERSION },
        { "capabilities", TG_ATTR_CAPS },
    };

    value.data = text;
    value.len = tg_addr_format(&o->addr, o->with_port, text);
    cli_row("address", value);

    value.data = tg_status_name(result->status);
    value.len = strlen(value.data);
    cli_row("status", value);

    if (result->status != TG_STATUS_STRANGER) {
        for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            rc = tg_identity_attr(&result->identity, rows[i].attr, alloc,
                                  &value);
            if (rc == TG_OK) {
                cli_row(rows[i].name, value);
            }
        }

        cli_row("client", result->identity.client_version);
        cli_row("key expiry", format_expiry(result->identity.key_expiry,
                                            text, sizeof(text)));
    }

    value.data = text;
    value.len = (size_t) snprintf(text, sizeof(text), "%s: %s",
                                  verdict_name(result->verdict),
                                  result->reason);

    if (value.len >= sizeof(text)) {
        value.len = sizeof(text) - 1;
    }

    cli_row("verdict", value);
}


static int
print_json(const options_t *o, const result_t *result)
{
    int      rc;
    char     text[TG_ADDR_TEXT_MAX];
    json_t  *root;

    rc = TG_ERR_NOMEM;

    if (result->status == TG_STATUS_STRANGER
        || result->status == TG_STATUS_UNAVAILABLE)
    {
        root = json_object();

    } else {
        root = identity_json(&result->identity);
    }

    if (root == NULL) {
        return rc;
    }

    tg_addr_format(&o->addr, o->with_port, text);

    if (json_object_set_new(root, "address", json_string(text)) != 0
        || json_object_set_new(root, "status",
                               json_string(tg_status_name(result->status)))
           != 0
        || json_object_set_new(root, "verdict",
                               json_string(verdict_name(result->verdict))) != 0
        || json_object_set_new(root, "reason", json_string(result->reason))
           != 0
        || (result->status == TG_STATUS_UNAVAILABLE
            && json_object_set_new(root, "error",
                                   json_string(result->error.text)) != 0))
    {
        goto out;
    }

    if (json_dumpf(root, stdout, JSON_INDENT(2)) != 0) {
        goto out;
    }

    putchar('\n');
    rc = TG_OK;

out:

    json_decref(root);

    return rc;
}


static json_t *
identity_json(const tg_identity_t *identity)
{
    char     text[TG_ADDR_TEXT_MAX];
    json_t  *root, *caps;

    root = json_object();

    if (root == NULL) {
        return NULL;
    }

    cli_set_text(root, "login", identity->login);
    cli_set_text(root, "user", identity->user);
    cli_set_text(root, "name", identity->name);
    cli_set_text(root, "picture", identity->picture);
    set_list(root, "groups", &identity->groups);
    cli_set_text(root, "node", identity->node);
    cli_set_text(root, "node_id", identity->node_id);
    cli_set_text(root, "tailnet", identity->tailnet);
    set_list(root, "tags", &identity->tags);
    cli_set_text(root, "os", identity->os);
    cli_set_text(root, "os_version", identity->os_version);
    cli_set_text(root, "client_version", identity->client_version);
    cli_set_text(root, "key_expiry", format_expiry(identity->key_expiry, text,
                                                   sizeof(text)));

    if (identity->node_addr.family != TG_ADDR_NONE) {
        tg_addr_format(&identity->node_addr, false, text);
        json_object_set_new(root, "node_addr", json_string(text));
    }

    caps = json_loadb(identity->caps.data, identity->caps.len, 0, NULL);
    json_object_set_new(root, "capabilities", caps);

    return root;
}


static void
set_list(json_t *object, const char *key, const tg_list_t *list)
{
    size_t   i;
    json_t  *array;

    if (list->n == 0) {
        return;
    }

    array = json_array();

    for (i = 0; i < list->n; i++) {
        json_array_append_new(array, json_stringn(list->items[i].data,
                                                  list->items[i].len));
    }

    json_object_set_new(object, key, array);
}


static tg_str_t
format_expiry(int64_t when, char *buf, size_t size)
{
    time_t     t;
    tg_str_t   text = TG_STR("never");
    struct tm  tm;

    if (when == 0) {
        return text;
    }

    t = (time_t) when;

    if (gmtime_r(&t, &tm) == NULL) {
        return text;
    }

    text.data = buf;
    text.len = strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm);

    return text;
}


static const char *
verdict_name(tg_verdict_t verdict)
{
    switch (verdict) {
    case TG_ALLOW:
        return "allow";

    case TG_UNAVAILABLE:
        return "unavailable";

    default:
        return "deny";
    }
}
