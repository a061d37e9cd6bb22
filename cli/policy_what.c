
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy what: all that somebody may reach.
 */

#include <cli/cli.h>
#include <cli/policy_what.h>

#include "core/base/base.h"

#include <string.h>


#define COLUMNS  5


static int what(cli_policy_t *self);
static int print(cli_policy_t *self, const cli_rows_t *rows);
static json_t *as_json(cli_policy_t *self, const cli_peer_t *peer,
    const cli_rows_t *rows);


static const char  usage[] =
    "usage: tailgate policy what [FILE] --as LOGIN | --node NAME |\n"
    "           --addr ADDRESS | --whois ANSWER.json [--self STATUS.json]\n"
    "           [--from os=iOS,os_version=18.2] [--json]\n"
    "\n"
    "Lists every route that somebody may reach: which hosts, paths and\n"
    "methods as far as the rules tell them apart, and by which rule.  What is\n"
    "not listed is as the wider path above it; \"none\" is an exception.\n"
    "\n"
    "  FILE, --policy FILE  the policy file (" CLI_POLICY_FILE ")\n"
    "  --as LOGIN           a person that is made up; or tag:NAME, node:NAME\n"
    "  --node NAME          a node of the tailnet, as tailscaled knows it\n"
    "  --addr ADDRESS       whoever has this address\n"
    "  --whois ANSWER.json  a WhoIs answer that was kept\n"
    "  --from WORDS         what else there is to say of who asks\n"
    "  --self STATUS.json   the node's status that goes with --whois\n"
    "  --peers FILE         who --node is looked up among\n"
    "  --socket PATH        the LocalAPI socket\n"
    "  --via WAY            direct (default), service, svc:NAME or funnel\n"
    "  --at TIME            when (RFC 3339); default: now\n"
    "  --json               print one JSON object\n"
    "  --help               print this message\n"
    "\n"
    "Exit status: 0 there is such a route, 1 there is none, 2 the command\n"
    "line or a file is wrong, 3 the node does not answer.\n";


int
cli_policy_what(int argc, char **argv)
{
    int           code;
    cli_policy_t  self = { .name = "policy what" };

    if (!cli_policy_options(&self, argc, argv,
                            CLI_POLICY_JSON|CLI_POLICY_POLICY
                            |CLI_POLICY_SUBJECT|CLI_POLICY_VIA|CLI_POLICY_AT
                            |CLI_POLICY_PEERS, usage, &code))
    {
        return code;
    }

    code = self.no_policy || self.ninlines > 0
           ? cli_usage(self.name, "routes are in a policy file")
           : what(&self);

    tg_arena_free(&self.arena);

    return code;
}


static int
what(cli_policy_t *self)
{
    int          code;
    size_t       i;
    cli_peer_t   peer;
    cli_spots_t  spots = { .n = 0 };

    code = cli_policy_rules(self);

    if (code == CLI_OK) {
        code = cli_policy_via(self, &self->request);
    }

    if (code == CLI_OK) {
        code = cli_policy_subject(self, &peer);
    }

    if (code != CLI_OK) {
        return code;
    }

    if (peer.peer.status == TG_STATUS_UNAVAILABLE) {
        cli_error(self->name, "%s", peer.why != NULL ? peer.why
                                    : "the identity service is unavailable");
        return CLI_UNAVAILABLE;
    }

    if (tg_policy_methods(self->file, &self->alloc, &spots.asked.methods)
        != TG_OK)
    {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    spots.told.methods = spots.asked.methods;

    for (i = 0; i <= tg_policy_nroutes(self->file); i++) {
        code = cli_spots_ask(self, &peer, i, &spots);
        if (code != CLI_OK) {
            return code;
        }
    }

    code = cli_spots_tell(self, &spots);
    if (code != CLI_OK) {
        return code;
    }

    code = spots.asked.n > 0 ? CLI_OK : CLI_BAD;

    if (self->json) {
        return cli_policy_put(self, as_json(self, &peer, &spots.told), code);
    }

    if (print(self, &spots.told) != CLI_OK) {
        return CLI_USAGE;
    }

    /* or a person who is let in each day seems to be shut out */

    if (self->as != NULL && peer.peer.identity != NULL
        && peer.peer.identity->os.len == 0)
    {
        (void) fflush(stdout);
        (void) fputs("note: no operating system was given, and a deny takes "
                     "one that is not\nknown for its own; say --from "
                     "os=NAME,os_version=NUMBER\n", stderr);
    }

    return code;
}


static int
print(cli_policy_t *self, const cli_rows_t *rows)
{
    size_t            i;
    tg_str_t         *cells, *cell;
    const cli_row_t  *row;

    static const char *const  names[COLUMNS] = {
        "ROUTE", "HOST", "PATH", "METHODS", "RULE"
    };

    if (rows->n == 0) {
        (void) puts("no route");
        return CLI_OK;
    }

    cells = tgi_alloc(&self->alloc, rows->n * COLUMNS, sizeof(tg_str_t));

    if (cells == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    cell = cells;

    for (i = 0; i < rows->n; i++) {
        row = &rows->items[i];

        *cell++ = row->route;
        *cell++ = row->place->host;
        *cell++ = row->place->path;
        *cell++ = cli_methods_text(&self->alloc, &rows->methods,
                                   row->methods);
        *cell++ = row->rule;
    }

    cli_policy_table(names, cells, COLUMNS, rows->n);

    return CLI_OK;
}


static json_t *
as_json(cli_policy_t *self, const cli_peer_t *peer, const cli_rows_t *rows)
{
    size_t            i;
    json_t           *json, *list, *item;
    const cli_row_t  *row;

    list = json_array();

    for (i = 0; i < rows->n; i++) {
        row = &rows->items[i];

        item = json_object();
        (void) json_object_set_new(item, "route",
                                   cli_policy_text(row->route));
        (void) json_object_set_new(item, "host",
                                   cli_policy_text(row->place->host));
        (void) json_object_set_new(item, "path",
                                   cli_policy_text(row->place->path));
        (void) json_object_set_new(item, "methods",
                                   cli_methods_json(&rows->methods,
                                                    row->methods));
        (void) json_object_set_new(item, "rule", cli_policy_text(row->rule));
        (void) json_array_append_new(list, item);
    }

    json = json_object();

    (void) json_object_set_new(json, "policy",
                               cli_policy_json(self->file, self->policy));
    (void) json_object_set_new(json, "peer", cli_peer_json(peer));
    (void) json_object_set_new(json, "at", json_integer(self->now));
    (void) json_object_set_new(json, "allowed", list);

    return json;
}
