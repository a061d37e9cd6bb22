
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy who: everyone on the tailnet who may.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include "core/base/base.h"

#include <string.h>


#define COLUMNS  5


typedef struct {
    cli_peers_t      peers;
    tg_decision_t   *decisions;
    size_t           allowed;
    size_t           unavailable;
} answer_t;


static int who(cli_policy_t *self);
static void print(cli_policy_t *self, const answer_t *answer,
    tg_str_t *cells);
static json_t *as_json(cli_policy_t *self, const answer_t *answer);


static const char  usage[] =
    "usage: tailgate policy who [FILE] --request 'GET https://grafana/x'\n"
    "           [--peers FILE] [--inline DIRECTIVE]... [--json]\n"
    "\n"
    "Lists everyone on the tailnet who may do this, from which node, and by\n"
    "which rule.\n"
    "\n"
    "  FILE, --policy FILE  the policy file (" CLI_POLICY_FILE ")\n"
    "  --no-policy          none: the built-in rule and those of --inline\n"
    "  --inline DIRECTIVE   a rule as in nginx.conf; may be given more than\n"
    "                       once\n"
    "  --request REQUEST    a method and a URL; GET without a method\n"
    "  --via WAY            direct (default), service, svc:NAME or funnel\n"
    "  --method-override    it has a header that overrides the method\n"
    "  --at TIME            when (RFC 3339); default: now\n"
    "  --peers FILE         who is there: what tailscale status --json\n"
    "                       prints, which tells neither versions nor\n"
    "                       capabilities, or the tailnet of a devnet;\n"
    "                       default: the node is asked\n"
    "  --socket PATH        the LocalAPI socket\n"
    "  --json               print one JSON object\n"
    "  --help               print this message\n"
    "\n"
    "Exit status: 0 somebody may, 1 nobody, 2 the command line or a file is\n"
    "wrong, 3 the node does not answer.\n";


int
cli_policy_who(int argc, char **argv)
{
    int           code;
    cli_policy_t  self = { .name = "policy who" };

    if (!cli_policy_options(&self, argc, argv,
                            CLI_POLICY_JSON|CLI_POLICY_POLICY
                            |CLI_POLICY_REQUEST|CLI_POLICY_AT
                            |CLI_POLICY_PEERS, usage, &code))
    {
        return code;
    }

    code = who(&self);

    tg_arena_free(&self.arena);

    return code;
}


static int
who(cli_policy_t *self)
{
    int        code;
    size_t     i;
    answer_t   answer = { .allowed = 0 };
    tg_str_t  *cells;

    code = cli_policy_rules(self);

    if (code == CLI_OK) {
        code = cli_policy_request(self);
    }

    if (code == CLI_OK) {
        code = cli_policy_peers(self, &answer.peers);
    }

    if (code != CLI_OK) {
        return code;
    }

    answer.decisions = tgi_alloc(&self->alloc, answer.peers.n + 1,
                                 sizeof(tg_decision_t));
    cells = tgi_alloc(&self->alloc, answer.peers.n * COLUMNS + 1,
                      sizeof(tg_str_t));

    if (answer.decisions == NULL || cells == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    for (i = 0; i < answer.peers.n; i++) {
        tg_policy_decide(self->file, self->inline_rules, &self->gate,
                         &answer.peers.items[i].peer, &self->request,
                         &answer.decisions[i]);

        answer.allowed += answer.decisions[i].verdict == TG_ALLOW;
        answer.unavailable += answer.decisions[i].verdict == TG_UNAVAILABLE;
    }

    code = answer.allowed > 0 ? CLI_OK : CLI_BAD;

    if (self->json) {
        return cli_policy_put(self, as_json(self, &answer), code);
    }

    print(self, &answer, cells);

    return code;
}


static void
print(cli_policy_t *self, const answer_t *answer, tg_str_t *cells)
{
    size_t             i;
    tg_str_t          *cell;
    const cli_peer_t  *peer;

    static const char *const  names[COLUMNS] = {
        "WHO", "NODE", "OS", "NOW", "RULE"
    };
    static const tg_str_t  online = TG_STR("online");
    static const tg_str_t  offline = TG_STR("offline");
    static const tg_str_t  builtin = TG_STR("(built-in)");

    cell = cells;

    for (i = 0; i < answer->peers.n; i++) {
        peer = &answer->peers.items[i];

        if (answer->decisions[i].verdict != TG_ALLOW) {
            continue;
        }

        *cell++ = cli_peer_who(peer);
        *cell++ = cli_peer_node(self, peer);
        *cell++ = peer->identity.os;
        *cell++ = peer->offline ? offline : online;
        *cell++ = answer->decisions[i].rule.len > 0
                  ? answer->decisions[i].rule : builtin;
    }

    if (answer->allowed > 0) {
        cli_policy_table(names, cells, COLUMNS, answer->allowed);
        (void) fputc('\n', stdout);
    }

    (void) printf("%zu of %zu nodes may\n", answer->allowed, answer->peers.n);

    if (answer->unavailable > 0) {
        (void) printf("%zu could not be identified\n", answer->unavailable);
    }

    if (answer->peers.partial) {
        cli_note_partial(self);
    }
}


static json_t *
as_json(cli_policy_t *self, const answer_t *answer)
{
    size_t             i;
    json_t            *json, *list, *item;
    const cli_peer_t  *peer;

    list = json_array();

    for (i = 0; i < answer->peers.n; i++) {
        peer = &answer->peers.items[i];

        if (answer->decisions[i].verdict != TG_ALLOW) {
            continue;
        }

        item = cli_peer_json(peer);
        (void) json_object_set_new(item, "online",
                                   json_boolean(!peer->offline));
        (void) json_object_set_new(item, "route",
                                   cli_policy_text(answer->decisions[i]
                                                   .route));
        (void) json_object_set_new(item, "rule",
                                   cli_policy_text(answer->decisions[i]
                                                   .rule));
        (void) json_array_append_new(list, item);
    }

    json = json_object();

    (void) json_object_set_new(json, "policy",
                               cli_policy_json(self->file, self->policy));
    (void) json_object_set_new(json, "request",
                               cli_request_json(&self->request));
    (void) json_object_set_new(json, "allowed", list);
    (void) json_object_set_new(json, "asked",
        json_integer((json_int_t) answer->peers.n));
    (void) json_object_set_new(json, "unavailable",
        json_integer((json_int_t) answer->unavailable));
    (void) json_object_set_new(json, "partial",
                               json_boolean(answer->peers.partial));

    return json;
}
