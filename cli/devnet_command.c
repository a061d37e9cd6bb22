
/*
 * Copyright (C) The Tailgate authors
 *
 * The commands of tailgate devnet ctl: their table, and what runs them.
 */

#include <cli/devnet_command.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


void
cli_fail(cli_call_t *call, const char *fmt, ...)
{
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    (void) json_object_set_new(call->result, "error", json_string(text));
}


static const struct {
    const char  *name;
    size_t       min;              /* words behind it */
    size_t       max;
    void       (*run)(cli_call_t *call);
    const char  *arguments;
    const char  *summary;
} commands[] = {
    { "add", 1, 1, cli_run_add, "NODE",
      "a node joins; NODE is YAML or JSON as in the file" },
    { "add-user", 1, 1, cli_run_add_user, "USER", "a user, as in the file" },
    { "remove", 1, 2, cli_run_remove, "NAME [whole]",
      "a node leaves; whole: the bus only sends the list of those left" },
    { "rename", 2, 2, cli_run_rename, "NAME NEW", "a node gets another name" },
    { "retag", 1, CLI_WORDS_MAX, cli_run_retag, "NAME [TAG ...]",
      "a node gets these tags; none: it is its user's again" },
    { "move", 2, 2, cli_run_move, "NAME LOGIN",
      "a node, with its addresses, becomes another user's" },
    { "groups", 1, CLI_WORDS_MAX, cli_run_groups, "LOGIN [GROUP ...]",
      "a user is in these groups" },
    { "name", 2, 2, cli_run_name, "LOGIN NAME", "a user gets another name" },
    { "expire", 1, 2, cli_run_expire, "NAME [TIME | never]",
      "a node's key expires now, or at TIME (RFC 3339)" },
    { "authorize", 2, 2, cli_run_flag, "NAME yes | no",
      "a node is approved by an admin" },
    { "sign", 2, 2, cli_run_flag, "NAME yes | no",
      "a node's key is signed (tailnet lock)" },
    { "share", 2, 2, cli_run_flag, "NAME yes | no", "a node is shared in" },
    { "online", 2, 2, cli_run_flag, "NAME yes | no",
      "a node is connected to the control server" },
    { "caps", 2, 3, cli_run_caps, "NAME CAPS [svc:NAME]",
      "a node is granted CAPS, YAML or JSON, here or at a Service" },
    { "state", 1, 1, cli_run_state, "STATE",
      "this node is in STATE: NoState, Stopped, Running, ..." },
    { "restart", 0, 2, cli_run_restart, "[DOWN [NOSTATE]]",
      "no socket for DOWN ms, then 404 for everybody for NOSTATE ms" },
    { "resend", 0, 0, cli_run_resend, "", "the bus sends everybody anew" },
    { "slow", 1, 2, cli_run_slow, "MS [whois | status | all]",
      "answers come MS milliseconds late" },
    { "silent", 0, 1, cli_run_silent, "[whois | status | all]",
      "requests are taken and never answered" },
    { "nonsense", 1, 2, cli_run_nonsense, "KIND [whois | status | all]",
      "answers are nonsense of a kind" },
    { "normal", 0, 0, cli_run_normal, "", "answers are right again" },
    { "count", 0, 1, cli_run_count, "[reset]",
      "how many calls came in, and how many connections are open" },
    { "list", 0, 0, cli_run_list, "", "all nodes" }
};

#define NCOMMANDS  (sizeof(commands) / sizeof(commands[0]))


void
cli_command_help(void)
{
    size_t  i;
    char    usage[64];

    for (i = 0; i < NCOMMANDS; i++) {
        (void) snprintf(usage, sizeof(usage), "%s %s", commands[i].name,
                        commands[i].arguments);
        printf("  %-36s %s\n", usage, commands[i].summary);
    }

    printf("\nKinds of nonsense:");

    for (i = 0; cli_fault_kind(i); i++) {
        printf("%s%s", i % 7 ? " " : "\n  ", cli_fault_kind(i));
    }

    printf("\n");
}


static void
dispatch(cli_call_t *call)
{
    size_t  i;

    for (i = 0; i < NCOMMANDS; i++) {

        if (strcmp(commands[i].name, call->words[0]) != 0) {
            continue;
        }

        if (call->n - 1 < commands[i].min || call->n - 1 > commands[i].max) {
            cli_fail(call, "usage: %s %s", commands[i].name,
                     commands[i].arguments);
            return;
        }

        commands[i].run(call);
        return;
    }

    cli_fail(call, "\"%s\" is no command: see tailgate devnet ctl --help",
             call->words[0]);
}


json_t *
cli_command_run(cli_devnet_t *devnet, const json_t *words)
{
    size_t         i;
    cli_call_t     call;
    const json_t  *word;

    memset(&call, 0, sizeof(cli_call_t));

    call.devnet = devnet;
    call.n = json_array_size(words);
    call.result = json_object();

    if (call.result == NULL) {
        return NULL;
    }

    if (call.n == 0 || call.n > CLI_WORDS_MAX) {
        cli_fail(&call, "a command is a list of 1 to %d words", CLI_WORDS_MAX);
        return call.result;
    }

    for (i = 0; i < call.n; i++) {
        word = json_array_get(words, i);

        if (!json_is_string(word)) {
            cli_fail(&call, "a command is a list of texts");
            return call.result;
        }

        call.words[i] = json_string_value(word);
    }

    dispatch(&call);

    return call.result;
}
