
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy diff: every decision that another policy changes, for
 * everyone on the tailnet and for the requests of an audit log.
 */

#include <cli/cli.h>
#include <cli/policy_diff.h>

#include "core/base/base.h"

#include <string.h>


static int load(cli_diff_t *diff);
static int ask_all(cli_diff_t *diff);
static int ask_routes(cli_diff_t *diff, size_t which, tgi_map_t *seen);


static const char  usage[] =
    "usage: tailgate policy diff OLD NEW [--peers FILE | --no-peers]\n"
    "           [--log AUDIT] [--json]\n"
    "\n"
    "Prints every decision that changes from the policy OLD to NEW: for\n"
    "everyone on the tailnet, at each host, path and method that a rule of\n"
    "either names, and for each request of an audit log.\n"
    "\n"
    "  --peers FILE   who is there: what tailscale status --json prints,\n"
    "                 which tells neither versions nor capabilities, or the\n"
    "                 tailnet of a devnet; default: the node is asked\n"
    "  --no-peers     nobody is there, only --log counts\n"
    "  --log AUDIT    lines of JSON that tailgate-authd or nginx wrote with\n"
    "                 its log_format tailgate; - is standard input\n"
    "  --via WAY      direct (default), service, svc:NAME or funnel\n"
    "  --at TIME      when (RFC 3339); default: now, for the log too\n"
    "  --socket PATH  the LocalAPI socket\n"
    "  --json         print one JSON object\n"
    "  --help         print this message\n"
    "\n"
    "Exit status: 0 nothing changes, 1 something does, 2 the command line or\n"
    "a file is wrong, 3 the node does not answer.\n";


int
cli_policy_diff(int argc, char **argv)
{
    int           code;
    cli_diff_t    diff = { .opened = 0 };
    cli_policy_t  self = { .name = "policy diff" };

    if (!cli_policy_options(&self, argc, argv,
                            CLI_POLICY_JSON|CLI_POLICY_PEERS|CLI_POLICY_LOG
                            |CLI_POLICY_VIA|CLI_POLICY_AT, usage, &code))
    {
        return code;
    }

    diff.self = &self;

    if (self.nfiles != 2) {
        code = cli_usage(self.name, "it takes OLD and NEW");

    } else if (self.no_peers && (self.log_path == NULL
                                 || self.peers_path != NULL))
    {
        code = cli_usage(self.name, "--no-peers is for --log alone");

    } else {
        code = load(&diff);
    }

    if (code == CLI_OK) {
        code = ask_all(&diff);
    }

    if (code == CLI_OK) {
        code = cli_diff_print(&diff);
    }

    tg_arena_free(&self.arena);

    return code;
}


static int
load(cli_diff_t *diff)
{
    int            code;
    size_t         i;
    cli_policy_t  *self;

    self = diff->self;
    code = cli_policy_at(self);

    if (code == CLI_OK) {
        code = cli_policy_via(self, &self->request);
    }

    for (i = 0; code == CLI_OK && i < 2; i++) {
        diff->paths[i] = self->files[i];
        code = cli_policy_compile(self, self->files[i], false, NULL,
                                  &diff->policies[i]);

        if (code == CLI_BAD) {
            cli_error(self->name, "%s is refused", self->files[i]);
            code = CLI_USAGE;
        }
    }

    self->request.now = self->now;

    if (code == CLI_OK && !self->no_peers) {
        code = cli_policy_peers(self, &diff->peers);
    }

    return code;
}


bool
cli_diff_ask(cli_diff_t *diff, const cli_peer_t *peer,
    const tg_request_t *request, tg_decision_t *old, tg_decision_t *new)
{
    tg_policy_decide(diff->policies[0], NULL, NULL, &peer->peer, request, old);
    tg_policy_decide(diff->policies[1], NULL, NULL, &peer->peer, request, new);

    return old->verdict != new->verdict;
}


cli_change_t *
cli_diff_add(cli_diff_t *diff)
{
    size_t         max;
    cli_change_t  *changes;

    if (diff->nchanges == diff->max) {
        max = diff->max > 0 ? 2 * diff->max : 256;
        changes = tgi_alloc(&diff->self->alloc, max, sizeof(cli_change_t));

        if (changes == NULL) {
            cli_error(diff->self->name, "out of memory");
            return NULL;
        }

        if (diff->nchanges > 0) {
            memcpy(changes, diff->changes,
                   diff->nchanges * sizeof(cli_change_t));
        }

        diff->changes = changes;
        diff->max = max;
    }

    memset(&diff->changes[diff->nchanges], 0, sizeof(cli_change_t));

    return &diff->changes[diff->nchanges++];
}


/* The methods of both, those that nobody names last. */

static int
merge_methods(cli_diff_t *diff)
{
    size_t       i, k;
    tg_list_t    both[2];
    tg_alloc_t  *alloc;

    alloc = &diff->self->alloc;

    if (tg_policy_methods(diff->policies[0], alloc, &both[0]) != TG_OK
        || tg_policy_methods(diff->policies[1], alloc, &both[1]) != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    diff->methods.items = tgi_alloc(alloc, both[0].n + both[1].n,
                                    sizeof(tg_str_t));

    if (diff->methods.items == NULL) {
        return TG_ERR_NOMEM;
    }

    memcpy(diff->methods.items, both[0].items,
           (both[0].n - 1) * sizeof(tg_str_t));
    diff->methods.n = both[0].n - 1;

    for (i = 0; i < both[1].n; i++) {
        for (k = 0; k < diff->methods.n; k++) {
            if (tgi_str_equal(both[1].items[i], diff->methods.items[k])) {
                break;
            }
        }

        if (k == diff->methods.n) {
            diff->methods.items[diff->methods.n++] = both[1].items[i];
        }
    }

    return TG_OK;
}


static int
ask_all(cli_diff_t *diff)
{
    int            code;
    tgi_map_t      seen;
    cli_policy_t  *self;

    self = diff->self;

    if (merge_methods(diff) != TG_OK
        || tgi_map_init(&seen, 1024, &self->alloc) != TG_OK)
    {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    code = ask_routes(diff, 0, &seen);

    if (code == CLI_OK) {
        code = ask_routes(diff, 1, &seen);
    }

    if (code == CLI_OK && self->log_path != NULL) {
        code = cli_diff_log(diff, self->log_path);
    }

    return code;
}


/* A change of the same kind at the same place, for another method. */

static cli_change_t *
find_change(cli_diff_t *diff, size_t first, const tg_decision_t *old,
    const tg_decision_t *new)
{
    size_t         i;
    cli_change_t  *change;

    for (i = first; i < diff->nchanges; i++) {
        change = &diff->changes[i];

        if (change->old.reason == old->reason
            && change->new.reason == new->reason
            && tgi_str_equal(change->old.rule, old->rule)
            && tgi_str_equal(change->new.rule, new->rule))
        {
            return change;
        }
    }

    change = cli_diff_add(diff);

    if (change != NULL) {
        change->old = *old;
        change->new = *new;
    }

    return change;
}


static int
ask_peer(cli_diff_t *diff, const cli_peer_t *peer,
    const tg_policy_place_t *place)
{
    size_t          i, first;
    cli_change_t   *change;
    tg_request_t    request;
    tg_decision_t   old, new;

    request = diff->self->request;
    request.host = place->sample_host;
    request.path = place->sample_path;
    first = diff->nchanges;

    for (i = 0; i < diff->methods.n; i++) {
        request.method = diff->methods.items[i];
        diff->asked++;

        if (!cli_diff_ask(diff, peer, &request, &old, &new)) {
            continue;
        }

        change = find_change(diff, first, &old, &new);
        if (change == NULL) {
            return CLI_USAGE;
        }

        if (change->methods == NULL) {
            change->peer = peer;
            change->host = place->host;
            change->path = place->path;
            change->methods = tgi_alloc(&diff->self->alloc, diff->methods.n,
                                        sizeof(bool));

            if (change->methods == NULL) {
                cli_error(diff->self->name, "out of memory");
                return CLI_USAGE;
            }

            memset(change->methods, 0, diff->methods.n * sizeof(bool));
        }

        change->methods[i] = true;
        cli_diff_count(diff, change);
    }

    return CLI_OK;
}


/*
 * Whether it was not asked about yet; of peer if that is not NULL, else of
 * everybody.
 */

static bool
is_new(cli_diff_t *diff, tgi_map_t *seen, const cli_peer_t *peer,
    const tg_policy_place_t *place)
{
    char      *p;
    size_t     len, head;
    tg_str_t   key;

    head = peer != NULL ? sizeof(peer) : 0;
    len = head + place->sample_host.len + 1 + place->sample_path.len;

    p = tgi_alloc(&diff->self->alloc, len, 1);
    if (p == NULL) {
        return true;
    }

    memcpy(p, &peer, head);
    memcpy(p + head, place->sample_host.data, place->sample_host.len);
    p[head + place->sample_host.len] = ' ';
    memcpy(p + head + place->sample_host.len + 1, place->sample_path.data,
           place->sample_path.len);

    key = (tg_str_t) { p + head, len - head };

    if (peer == NULL) {
        return tgi_map_add(seen, key, 0) != TG_ERR_REFUSED;
    }

    return tgi_map_get(seen, key) == TGI_MAP_NONE
           && tgi_map_add(seen, (tg_str_t) { p, len }, 0) != TG_ERR_REFUSED;
}


static int
get_places(cli_diff_t *diff, size_t which, size_t route,
    const tg_caps_t *caps, tg_policy_place_t **places, size_t *n)
{
    int  rc;

    rc = tg_policy_places(diff->policies[which], route, caps,
                          &diff->self->alloc, places, n);

    if (rc != TG_OK) {
        cli_error(diff->self->name, "%s: %s", diff->paths[which],
                  rc == TG_ERR_LIMIT
                  ? "a route tells too many hosts and paths apart"
                  : tg_strerror(rc));
        return CLI_USAGE;
    }

    return CLI_OK;
}


/* What grants of the tailnet open, by route and where none is. */

static int
ask_grants(cli_diff_t *diff, size_t which, const cli_peer_t *peer,
    tgi_map_t *seen)
{
    int                 code;
    size_t              i, k, n, nroutes;
    tg_policy_place_t  *places;

    nroutes = tg_policy_nroutes(diff->policies[which]);

    code = get_places(diff, which, nroutes, peer->peer.caps, &places, &n);

    if (code != CLI_OK || n == 0) {
        return code;
    }

    for (i = 0; i <= nroutes && code == CLI_OK; i++) {
        code = get_places(diff, which, i, peer->peer.caps, &places, &n);

        for (k = 0; code == CLI_OK && k < n; k++) {
            if (is_new(diff, seen, peer, &places[k])) {
                code = ask_peer(diff, peer, &places[k]);
            }
        }
    }

    return code;
}


static int
ask_routes(cli_diff_t *diff, size_t which, tgi_map_t *seen)
{
    int                 code;
    size_t              i, k, peer, n;
    tg_policy_place_t  *places;

    code = CLI_OK;

    for (i = 0; i < tg_policy_nroutes(diff->policies[which]); i++) {

        code = get_places(diff, which, i, NULL, &places, &n);

        for (k = 0; code == CLI_OK && k < n; k++) {

            if (!is_new(diff, seen, NULL, &places[k])) {
                continue;
            }

            for (peer = 0; code == CLI_OK && peer < diff->peers.n; peer++) {
                code = ask_peer(diff, &diff->peers.items[peer], &places[k]);
            }
        }

        if (code != CLI_OK) {
            return code;
        }
    }

    for (peer = 0; code == CLI_OK && peer < diff->peers.n; peer++) {
        code = ask_grants(diff, which, &diff->peers.items[peer], seen);
    }

    return code;
}
