
/*
 * Copyright (C) The Tailgate authors
 *
 * Commands that change how this node answers.
 */

#include <cli/devnet_command.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>


#define MSEC_MAX     UINT64_C(3600000)

/* What was seen of a real tailscaled: tailgate-devnet(1). */

#define RESTART_DOWN     800
#define RESTART_NOSTATE  900


static bool
msec_of(cli_call_t *call, const char *text, uint64_t *msec)
{
    char       *end;
    uintmax_t   value;

    errno = 0;
    value = strtoumax(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || errno || value > MSEC_MAX) {
        cli_fail(call, "\"%s\" is no number of milliseconds up to an hour",
                 text);
        return false;
    }

    *msec = value;

    return true;
}


void
cli_run_state(cli_call_t *call)
{
    json_t       *before;
    cli_world_t  *world;

    world = call->devnet->world;

    before = world->state;
    world->state = json_string(call->words[1]);

    if (world->state == NULL || cli_json_state(world) < 0) {
        json_decref(world->state);
        world->state = before;
        cli_fail(call, "\"%s\" is no state: NoState, NeedsLogin,"
                       " NeedsMachineAuth, Stopped, Starting, Running",
                 call->words[1]);
        return;
    }

    json_decref(before);
    cli_bus_state(call->devnet);
}


void
cli_run_restart(cli_call_t *call)
{
    uint64_t  down, nostate;

    down = RESTART_DOWN;
    nostate = RESTART_NOSTATE;

    if ((call->n > 1 && !msec_of(call, call->words[1], &down))
        || (call->n > 2 && !msec_of(call, call->words[2], &nostate)))
    {
        return;
    }

    if (cli_restart(call->devnet, down, nostate) != TG_OK) {
        cli_fail(call, "out of memory");
    }
}


void
cli_run_resend(cli_call_t *call)
{
    cli_bus_whole(call->devnet);
}


static void
set_fault(cli_call_t *call, const char *kind, uint64_t msec, size_t scope_word)
{
    unsigned     scope;
    const char  *word;

    word = call->n > scope_word ? call->words[scope_word] : "whois";

    if (strcmp(word, "whois") == 0) {
        scope = CLI_SCOPE_WHOIS;

    } else if (strcmp(word, "status") == 0) {
        scope = CLI_SCOPE_STATUS;

    } else if (strcmp(word, "all") == 0) {
        scope = CLI_SCOPE_ALL;

    } else {
        cli_fail(call, "\"%s\" is neither whois, status nor all", word);
        return;
    }

    call->devnet->fault.kind = kind;
    call->devnet->fault.msec = msec;
    call->devnet->fault.scope = scope;
}


void
cli_run_slow(cli_call_t *call)
{
    uint64_t  msec;

    if (msec_of(call, call->words[1], &msec)) {
        set_fault(call, "slow", msec ? msec : 1, 2);
    }
}


void
cli_run_silent(cli_call_t *call)
{
    set_fault(call, "silent", 0, 1);
}


void
cli_run_nonsense(cli_call_t *call)
{
    size_t       i;
    const char  *kind;

    for (i = 0; (kind = cli_fault_kind(i)) != NULL; i++) {

        if (strcmp(kind, call->words[1]) == 0) {
            set_fault(call, kind, 0, 2);
            return;
        }
    }

    cli_fail(call, "\"%s\" is no kind of nonsense: see tailgate devnet ctl"
                   " --help", call->words[1]);
}


void
cli_run_normal(cli_call_t *call)
{
    call->devnet->fault.scope = 0;
}


static void
set_count(cli_call_t *call, const char *key, size_t n)
{
    (void) json_object_set_new(call->result, key,
                               json_integer((json_int_t) n));
}


void
cli_run_count(cli_call_t *call)
{
    cli_devnet_t  *devnet;

    devnet = call->devnet;

    if (call->n == 2 && strcmp(call->words[1], "reset") != 0) {
        cli_fail(call, "\"%s\" is not \"reset\"", call->words[1]);
        return;
    }

    set_count(call, "whois", devnet->whois);
    set_count(call, "status", devnet->status);
    set_count(call, "bus", devnet->bus);
    set_count(call, "accepted", devnet->accepted);
    set_count(call, "connections", tgn_http_connections(devnet->http));

    if (call->n == 2) {
        devnet->whois = 0;
        devnet->status = 0;
        devnet->bus = 0;
        devnet->accepted = 0;
    }
}
