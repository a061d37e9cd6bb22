
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy explain: one decision, and what every rule had to do with
 * it.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <string.h>


static int explain(cli_policy_t *self);
static void print(const cli_policy_t *self, const cli_peer_t *peer,
    const tg_explanation_t *explanation);
static json_t *as_json(cli_policy_t *self, const cli_peer_t *peer,
    const tg_explanation_t *explanation);


static const char  usage[] =
    "usage: tailgate policy explain [FILE] --as LOGIN | --node NAME |\n"
    "           --addr ADDRESS | --whois ANSWER.json [--self STATUS.json]\n"
    "           --request 'DELETE https://grafana/x'\n"
    "           [--from os=iOS,os_version=18.2] [--inline DIRECTIVE]...\n"
    "           [--via WAY] [--at TIME] [--json]\n"
    "\n"
    "Decides one request as the nginx module and tailgate-authd do, and says\n"
    "of each rule that was asked whether it matches, and why.\n"
    "\n"
    "The policy:\n"
    "  FILE, --policy FILE  the policy file (" CLI_POLICY_FILE ")\n"
    "  --no-policy          none: the built-in rule and those of --inline\n"
    "  --inline DIRECTIVE   'tailgate_deny os=iOS' as in nginx.conf; also\n"
    "                       tailgate_allow, tailgate_require,\n"
    "                       tailgate_raw_path, tailgate_peers and\n"
    "                       tailgate_tailnet; may be given more than once\n"
    "Who asks, one of:\n"
    "  --as LOGIN           a person that is made up; or tag:NAME, node:NAME,\n"
    "                       stranger, unavailable\n"
    "  --node NAME          a node of the tailnet, as tailscaled knows it\n"
    "  --addr ADDRESS       whoever has this address\n"
    "  --whois ANSWER.json  a WhoIs answer that was kept\n"
    "  --from WORDS         what else there is to say: os=, os_version=,\n"
    "                       client_version=, and with --as node=, tag=,\n"
    "                       group=, capability=NAME:JSON and more\n"
    "  --self STATUS.json   the node's status that goes with --whois\n"
    "  --peers FILE         who --node is looked up among, instead of the\n"
    "                       tailnet: a status, or the tailnet of a devnet\n"
    "  --socket PATH        the LocalAPI socket\n"
    "What is asked:\n"
    "  --request REQUEST    a method and a URL; GET without a method\n"
    "  --via WAY            direct (default), service, svc:NAME or funnel\n"
    "  --method-override    it has a header that overrides the method\n"
    "  --at TIME            when (RFC 3339); default: now\n"
    "\n"
    "  --json               print one JSON object: tailgate-policy(1)\n"
    "  --help               print this message\n"
    "\n"
    "Exit status: 0 allowed, 1 denied, 2 the command line or a file is wrong,\n"
    "3 the peer cannot be identified.\n";


int
cli_policy_explain(int argc, char **argv)
{
    int           code;
    cli_policy_t  self = { .name = "policy explain" };

    if (!cli_policy_options(&self, argc, argv,
                            CLI_POLICY_JSON|CLI_POLICY_POLICY
                            |CLI_POLICY_SUBJECT|CLI_POLICY_REQUEST
                            |CLI_POLICY_AT|CLI_POLICY_PEERS, usage, &code))
    {
        return code;
    }

    code = explain(&self);

    tg_arena_free(&self.arena);

    return code;
}


static int
explain(cli_policy_t *self)
{
    int               code;
    cli_peer_t        peer;
    tg_explanation_t  explanation;

    code = cli_policy_rules(self);

    if (code == CLI_OK) {
        code = cli_policy_request(self);
    }

    if (code == CLI_OK) {
        code = cli_policy_subject(self, &peer);
    }

    if (code != CLI_OK) {
        return code;
    }

    if (tg_policy_explain(self->file, self->inline_rules, &self->gate,
                          &peer.peer, &self->request, &self->alloc,
                          &explanation) != TG_OK)
    {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    switch (explanation.decision.verdict) {

    case TG_ALLOW:
        code = CLI_OK;
        break;

    case TG_UNAVAILABLE:
        code = CLI_UNAVAILABLE;
        break;

    default:
        code = CLI_BAD;
    }

    if (self->json) {
        return cli_policy_put(self, as_json(self, &peer, &explanation), code);
    }

    print(self, &peer, &explanation);

    return code;
}


static void
row(const char *name, tg_str_t value)
{
    if (value.len > 0) {
        (void) printf("%-9s", name);
        cli_print(stdout, value);
        (void) fputc('\n', stdout);
    }
}


static void
print_peer(const cli_policy_t *self, const cli_peer_t *peer)
{
    size_t                i;
    const tg_identity_t  *id;

    (void) printf("%-9s", "peer");
    cli_print(stdout, cli_peer_who(peer));

    id = peer->peer.identity;

    if (id != NULL) {
        for (i = 1; i < id->tags.n; i++) {
            (void) fputs(", ", stdout);
            cli_print(stdout, id->tags.items[i]);
        }

        if (id->node.len > 0) {
            (void) fputs(" on ", stdout);
            cli_print(stdout, cli_peer_node(self, peer));
        }

        if (id->os.len > 0) {
            (void) fputs(", ", stdout);
            cli_print(stdout, id->os);
        }

        if (id->os_version.len > 0) {
            (void) fputc(' ', stdout);
            cli_print(stdout, id->os_version);
        }

        (void) printf(" (%s)", tg_status_name(peer->peer.status));
    }

    if (peer->why != NULL) {
        (void) fputs(": ", stdout);
        cli_print(stdout, (tg_str_t) { peer->why, strlen(peer->why) });
    }

    (void) fputc('\n', stdout);
}


static void
print_rule(const tg_explained_rule_t *rule, size_t width)
{
    size_t                           i, widest;
    const tg_explained_condition_t  *condition;

    (void) printf("%s %s  ", rule->decides ? "=>" : "  ",
                  rule->matches ? "hit " : "miss");

    if (rule->line > 0) {
        cli_print_padded(stdout, rule->rule, width);
        (void) printf("  line %zu", rule->line);

    } else {
        cli_print(stdout, rule->rule);
    }

    (void) fputc('\n', stdout);

    widest = 0;

    for (i = 0; i < rule->nconditions; i++) {
        condition = &rule->conditions[i];

        if (cli_print_width(condition->condition) > widest) {
            widest = cli_print_width(condition->condition);
        }
    }

    for (i = 0; i < rule->nconditions; i++) {
        condition = &rule->conditions[i];

        (void) printf("         %s  ", condition->holds ? "yes" : "no ");
        cli_print_padded(stdout, condition->condition, widest);
        (void) fputs("  ", stdout);
        cli_print(stdout, condition->why);
        (void) fputc('\n', stdout);
    }
}


static void
print(const cli_policy_t *self, const cli_peer_t *peer,
    const tg_explanation_t *explanation)
{
    size_t                i, width;
    const tg_decision_t  *decision;

    decision = &explanation->decision;

    (void) printf("%s: %s\n\n", cli_verdict_name(decision->verdict),
                  decision->text);

    (void) printf("%-9s", "request");
    cli_print(stdout, self->request.method);
    (void) fputc(' ', stdout);
    cli_print(stdout, self->request.host);
    cli_print(stdout, self->request.path);
    (void) fputc('\n', stdout);

    print_peer(self, peer);
    row("route", decision->route);
    row("rule", decision->rule);
    row("contact", decision->contact);

    if (decision->bad_grants > 0) {
        (void) printf("%-9s%zu could not be read, and allow nothing\n",
                      "grants", decision->bad_grants);
    }

    width = 0;

    for (i = 0; i < explanation->nrules; i++) {
        if (cli_print_width(explanation->rules[i].rule) > width) {
            width = cli_print_width(explanation->rules[i].rule);
        }
    }

    for (i = 0; i < explanation->nrules; i++) {
        (void) fputs(i == 0 ? "\n" : "", stdout);
        print_rule(&explanation->rules[i], width);
    }

    for (i = 0; i < explanation->nneeded; i++) {
        (void) fputs(i == 0 ? "\nFor an allow:\n" : "", stdout);
        (void) fputs("  - ", stdout);
        cli_print(stdout, explanation->needed[i]);
        (void) fputc('\n', stdout);
    }
}


static json_t *
rule_json(const tg_explained_rule_t *rule)
{
    size_t                           i;
    json_t                          *json, *list, *item;
    const tg_explained_condition_t  *condition;

    static const char *const  kinds[] = {
        [TG_RULE_ALLOW] = "allow",
        [TG_RULE_DENY] = "deny",
        [TG_RULE_REQUIRE] = "require"
    };

    list = json_array();

    for (i = 0; i < rule->nconditions; i++) {
        condition = &rule->conditions[i];
        item = json_object();

        (void) json_object_set_new(item, "condition",
                                   cli_policy_text(condition->condition));
        (void) json_object_set_new(item, "holds",
                                   json_boolean(condition->holds));
        (void) json_object_set_new(item, "why",
                                   cli_policy_text(condition->why));
        (void) json_array_append_new(list, item);
    }

    json = json_object();

    (void) json_object_set_new(json, "rule", cli_policy_text(rule->rule));
    (void) json_object_set_new(json, "kind", json_string(kinds[rule->kind]));
    (void) json_object_set_new(json, "line",
                               json_integer((json_int_t) rule->line));
    (void) json_object_set_new(json, "matches", json_boolean(rule->matches));
    (void) json_object_set_new(json, "decides", json_boolean(rule->decides));
    (void) json_object_set_new(json, "conditions", list);

    return json;
}


/* What an allowed request is sent on with, besides the identity. */

static json_t *
headers_json(cli_policy_t *self, const cli_peer_t *peer,
    const tg_decision_t *decision)
{
    char                      *name;
    size_t                     i;
    json_t                    *json;
    tg_str_t                   value, text;
    const tg_policy_header_t  *header;

    json = json_object();

    if (self->file == NULL || decision->verdict != TG_ALLOW
        || decision->route_index == SIZE_MAX)
    {
        return json;
    }

    for (i = 0; i < tg_policy_nheaders(self->file, decision->route_index);
         i++)
    {
        header = tg_policy_header(self->file, decision->route_index, i);
        text = tg_policy_header_name(header);
        name = self->alloc.alloc(self->alloc.ctx, text.len + 1);

        if (name == NULL
            || tg_policy_header_value(self->file, header, &peer->peer,
                                      &self->request, &self->alloc, &value)
               != TG_OK)
        {
            continue;
        }

        memcpy(name, text.data, text.len);
        name[text.len] = '\0';
        (void) json_object_set_new(json, name, cli_policy_text(value));
    }

    return json;
}


static json_t *
as_json(cli_policy_t *self, const cli_peer_t *peer,
    const tg_explanation_t *explanation)
{
    size_t                i;
    json_t               *json, *list;
    const tg_decision_t  *decision;

    decision = &explanation->decision;
    json = json_object();

    cli_decision_json(json, decision);

    list = json_array();

    for (i = 0; i < explanation->nrules; i++) {
        (void) json_array_append_new(list, rule_json(&explanation->rules[i]));
    }

    (void) json_object_set_new(json, "rules", list);

    list = json_array();

    for (i = 0; i < explanation->nneeded; i++) {
        (void) json_array_append_new(list,
                                     cli_policy_text(explanation->needed[i]));
    }

    (void) json_object_set_new(json, "needed", list);
    (void) json_object_set_new(json, "headers",
                               headers_json(self, peer, decision));
    (void) json_object_set_new(json, "explain_denials",
                               json_boolean(decision->explain));
    (void) json_object_set_new(json, "contact",
                               cli_policy_text(decision->contact));
    (void) json_object_set_new(json, "bad_grants",
        json_integer((json_int_t) decision->bad_grants));
    (void) json_object_set_new(json, "policy",
                               cli_policy_json(self->file, self->policy));
    (void) json_object_set_new(json, "request",
                               cli_request_json(&self->request));
    (void) json_object_set_new(json, "peer", cli_peer_json(peer));

    return json;
}
