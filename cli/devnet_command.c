
/*
 * Copyright (C) The Tailgate authors
 *
 * Commands that change the tailnet while it runs, or how it answers.
 */

#include <cli/devnet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define WORDS_MAX    256
#define MSEC_MAX     UINT64_C(3600000)
#define ARENA_MAX    (16 * 1024 * 1024)

/* What was seen of a real tailscaled: tailgate-devnet(1). */

#define RESTART_DOWN     800
#define RESTART_NOSTATE  900


typedef struct {
    cli_devnet_t  *devnet;
    const char    *words[WORDS_MAX];   /* [0] is the command */
    size_t         n;
    json_t        *result;
} call_t;


#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
fail(call_t *call, const char *fmt, ...)
{
    char     text[512];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    (void) json_object_set_new(call->result, "error", json_string(text));
}


static cli_node_t *
node_of(call_t *call, const char *name)
{
    cli_node_t  *node;

    node = cli_world_node(call->devnet->world, name);

    if (node == NULL) {
        fail(call, "no node is named \"%s\"", name);
    }

    return node;
}


static cli_user_t *
user_of(call_t *call, const char *login)
{
    cli_user_t  *user;

    user = cli_world_user(call->devnet->world, login);

    if (user == NULL) {
        fail(call, "no user has the login \"%s\"", login);
    }

    return user;
}


static bool
msec_of(call_t *call, const char *text, uint64_t *msec)
{
    char       *end;
    uintmax_t   value;

    errno = 0;
    value = strtoumax(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || errno || value > MSEC_MAX) {
        fail(call, "\"%s\" is no number of milliseconds up to an hour", text);
        return false;
    }

    *msec = value;

    return true;
}


static bool
flag_of(call_t *call, const char *word, bool *flag)
{
    *flag = strcmp(word, "yes") == 0;

    if (!*flag && strcmp(word, "no") != 0) {
        fail(call, "\"%s\" is neither yes nor no", word);
        return false;
    }

    return true;
}


/* The words from the first-th on, as a list of texts. */

static json_t *
list_of(const call_t *call, size_t first)
{
    size_t   i;
    json_t  *list;

    list = json_array();

    for (i = first; i < call->n; i++) {
        (void) json_array_append_new(list, json_string(call->words[i]));
    }

    return list;
}


static void
replace(json_t **member, json_t *value)
{
    json_decref(*member);
    *member = value;
}


static void
peer_changed(call_t *call, cli_node_t *node)
{
    cli_world_changed(call->devnet->world, node);
    cli_bus_peer(call->devnet, node);
}


/* A word is YAML, of which JSON is a part. */

static bool
parse_word(call_t *call, const char *word, tg_arena_t **arena,
    cli_yaml_t **root)
{
    tg_error_t  error;

    *arena = tg_arena_new(ARENA_MAX);

    if (*arena == NULL) {
        fail(call, "out of memory");
        return false;
    }

    if (cli_yaml_parse(word, strlen(word), *arena, root, &error) != TG_OK) {
        fail(call, "%zu:%zu: %s", error.line, error.column, error.text);
        return false;
    }

    if (*root == NULL) {
        fail(call, "there is nothing in \"%s\"", word);
        return false;
    }

    return true;
}


static bool
is_name_taken(call_t *call, const cli_yaml_t *map)
{
    const cli_yaml_t  *child;

    for (child = map->type == CLI_YAML_MAP ? map->first : NULL; child;
         child = child->next)
    {
        if (strcmp(child->key, "name") == 0 && child->type == CLI_YAML_SCALAR
            && cli_world_node(call->devnet->world, child->text))
        {
            fail(call, "a node is named \"%s\" already", child->text);
            return true;
        }
    }

    return false;
}


static void
run_add(call_t *call)
{
    cli_node_t  *node;
    cli_yaml_t  *root;
    tg_arena_t  *arena;
    tg_error_t   error;

    if (parse_word(call, call->words[1], &arena, &root)
        && !is_name_taken(call, root))
    {
        if (cli_load_node(root, call->devnet->world, false, &node, &error)
            == TG_OK)
        {
            cli_world_fill(call->devnet->world, node);
            cli_bus_peer(call->devnet, node);

        } else {
            fail(call, "%zu:%zu: %s", error.line, error.column, error.text);
        }
    }

    tg_arena_free(&arena);
}


static void
run_add_user(call_t *call)
{
    cli_yaml_t  *root;
    tg_arena_t  *arena;
    tg_error_t   error;

    if (parse_word(call, call->words[1], &arena, &root)) {

        if (cli_load_user(root, call->devnet->world, &error) == TG_OK) {
            cli_bus_users(call->devnet, NULL);

        } else {
            fail(call, "%zu:%zu: %s", error.line, error.column, error.text);
        }
    }

    tg_arena_free(&arena);
}


static void
run_remove(call_t *call)
{
    bool         whole;
    int64_t      id;
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (node == call->devnet->world->self) {
        fail(call, "this node itself cannot be removed");
        return;
    }

    whole = call->n == 3;

    if (whole && strcmp(call->words[2], "whole") != 0) {
        fail(call, "\"%s\" is not \"whole\"", call->words[2]);
        return;
    }

    id = node->id;
    cli_world_remove(call->devnet->world, node);

    if (whole) {
        cli_bus_whole(call->devnet);

    } else {
        cli_bus_removed(call->devnet, id);
    }
}


static void
run_rename(call_t *call)
{
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->words[2][0] == '\0'
        || cli_world_node(call->devnet->world, call->words[2]))
    {
        fail(call, "a node is named \"%s\" already, or this is no name",
             call->words[2]);
        return;
    }

    replace(&node->name, json_string(call->words[2]));
    peer_changed(call, node);
}


static void
run_retag(call_t *call)
{
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->n == 2 && node->user == NULL) {
        fail(call, "\"%s\" has no user: without tags it is nobody's",
             call->words[1]);
        return;
    }

    replace(&node->tags, list_of(call, 2));
    peer_changed(call, node);
}


static void
run_move(call_t *call)
{
    cli_node_t  *node;
    cli_user_t  *user;

    node = node_of(call, call->words[1]);
    user = node ? user_of(call, call->words[2]) : NULL;

    if (user) {
        node->user = user;
        replace(&node->tags, json_array());

        cli_bus_users(call->devnet, user);
        peer_changed(call, node);
    }
}


static void
run_groups(call_t *call)
{
    cli_user_t  *user;

    user = user_of(call, call->words[1]);

    if (user) {
        replace(&user->groups, list_of(call, 2));
        cli_world_changed(call->devnet->world, NULL);
        cli_bus_users(call->devnet, NULL);
    }
}


static void
run_name(call_t *call)
{
    cli_user_t  *user;

    user = user_of(call, call->words[1]);

    if (user) {
        replace(&user->name, json_string(call->words[2]));
        cli_world_changed(call->devnet->world, NULL);
        cli_bus_users(call->devnet, NULL);
    }
}


static json_t *
now_text(void)
{
    char       text[32];
    time_t     now;
    struct tm  tm;

    now = time(NULL);

    if (gmtime_r(&now, &tm) == NULL
        || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    {
        return NULL;
    }

    return json_string(text);
}


static void
run_expire(call_t *call)
{
    json_t      *when;
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->n == 2) {
        when = now_text();

    } else if (strcmp(call->words[2], "never") == 0) {
        when = NULL;

    } else {
        when = json_string(call->words[2]);
    }

    node->expired = call->n == 2;
    replace(&node->key_expiry, when);

    cli_world_changed(call->devnet->world, node);
    cli_bus_whole(call->devnet);
}


static void
run_flag(call_t *call)
{
    bool         flag;
    cli_node_t  *node;
    const char  *command;

    node = node_of(call, call->words[1]);

    if (node == NULL || !flag_of(call, call->words[2], &flag)) {
        return;
    }

    command = call->words[0];

    if (strcmp(command, "online") == 0) {
        node->offline = !flag;
        cli_world_changed(call->devnet->world, node);
        cli_bus_online(call->devnet, node);
        return;
    }

    if (strcmp(command, "authorize") == 0) {
        node->unauthorized = !flag;

    } else if (strcmp(command, "sign") == 0) {
        node->unsigned_ = !flag;

    } else {
        node->shared = flag;
    }

    peer_changed(call, node);
}


/* Nothing of this is on the bus: that is what a real one does. */

static void
run_caps(call_t *call)
{
    json_t      *caps;
    cli_node_t  *node;
    cli_yaml_t  *root;
    tg_arena_t  *arena;
    tg_error_t   error;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->n == 4
        && cli_world_service(call->devnet->world, call->words[3]) == NULL)
    {
        fail(call, "no Service is named \"%s\"", call->words[3]);
        return;
    }

    caps = NULL;

    if (parse_word(call, call->words[2], &arena, &root)) {

        if (cli_load_capabilities(root, &caps, &error) != TG_OK) {
            fail(call, "%zu:%zu: %s", error.line, error.column, error.text);

        } else if (call->n == 4) {
            (void) json_object_set_new(node->service_caps, call->words[3],
                                       caps);

        } else {
            replace(&node->caps, caps);
            cli_world_changed(call->devnet->world, node);
        }
    }

    tg_arena_free(&arena);
}


static void
run_state(call_t *call)
{
    json_t       *before;
    cli_world_t  *world;

    world = call->devnet->world;

    before = world->state;
    world->state = json_string(call->words[1]);

    if (world->state == NULL || cli_json_state(world) < 0) {
        replace(&world->state, before);
        fail(call, "\"%s\" is no state: NoState, NeedsLogin, NeedsMachineAuth,"
                   " Stopped, Starting, Running", call->words[1]);
        return;
    }

    json_decref(before);
    cli_bus_state(call->devnet);
}


static void
run_restart(call_t *call)
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
        fail(call, "out of memory");
    }
}


static void
run_resend(call_t *call)
{
    cli_bus_whole(call->devnet);
}


static void
set_fault(call_t *call, const char *kind, uint64_t msec, size_t scope_word)
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
        fail(call, "\"%s\" is neither whois, status nor all", word);
        return;
    }

    call->devnet->fault.kind = kind;
    call->devnet->fault.msec = msec;
    call->devnet->fault.scope = scope;
}


static void
run_slow(call_t *call)
{
    uint64_t  msec;

    if (msec_of(call, call->words[1], &msec)) {
        set_fault(call, "slow", msec ? msec : 1, 2);
    }
}


static void
run_silent(call_t *call)
{
    set_fault(call, "silent", 0, 1);
}


static void
run_nonsense(call_t *call)
{
    size_t       i;
    const char  *kind;

    for (i = 0; (kind = cli_fault_kind(i)) != NULL; i++) {

        if (strcmp(kind, call->words[1]) == 0) {
            set_fault(call, kind, 0, 2);
            return;
        }
    }

    fail(call, "\"%s\" is no kind of nonsense: see tailgate devnet ctl --help",
         call->words[1]);
}


static void
run_normal(call_t *call)
{
    call->devnet->fault.scope = 0;
}


static void
set_count(call_t *call, const char *key, size_t n)
{
    (void) json_object_set_new(call->result, key,
                               json_integer((json_int_t) n));
}


static void
run_count(call_t *call)
{
    cli_devnet_t  *devnet;

    devnet = call->devnet;

    if (call->n == 2 && strcmp(call->words[1], "reset") != 0) {
        fail(call, "\"%s\" is not \"reset\"", call->words[1]);
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


static void
run_list(call_t *call)
{
    json_t            *list;
    const cli_node_t  *node;

    list = json_array();

    for (node = call->devnet->world->nodes; node; node = node->next) {
        (void) json_array_append_new(list,
                                     cli_json_node(call->devnet->world, node));
    }

    (void) json_object_set_new(call->result, "nodes", list);
}


static const struct {
    const char  *name;
    size_t       min;              /* words behind it */
    size_t       max;
    void       (*run)(call_t *call);
    const char  *arguments;
    const char  *summary;
} commands[] = {
    { "add", 1, 1, run_add, "NODE",
      "a node joins; NODE is YAML or JSON as in the file" },
    { "add-user", 1, 1, run_add_user, "USER", "a user, as in the file" },
    { "remove", 1, 2, run_remove, "NAME [whole]",
      "a node leaves; whole: the bus only sends the list of those left" },
    { "rename", 2, 2, run_rename, "NAME NEW", "a node gets another name" },
    { "retag", 1, WORDS_MAX, run_retag, "NAME [TAG ...]",
      "a node gets these tags; none: it is its user's again" },
    { "move", 2, 2, run_move, "NAME LOGIN",
      "a node, with its addresses, becomes another user's" },
    { "groups", 1, WORDS_MAX, run_groups, "LOGIN [GROUP ...]",
      "a user is in these groups" },
    { "name", 2, 2, run_name, "LOGIN NAME", "a user gets another name" },
    { "expire", 1, 2, run_expire, "NAME [TIME | never]",
      "a node's key expires now, or at TIME (RFC 3339)" },
    { "authorize", 2, 2, run_flag, "NAME yes | no",
      "a node is approved by an admin" },
    { "sign", 2, 2, run_flag, "NAME yes | no",
      "a node's key is signed (tailnet lock)" },
    { "share", 2, 2, run_flag, "NAME yes | no", "a node is shared in" },
    { "online", 2, 2, run_flag, "NAME yes | no",
      "a node is connected to the control server" },
    { "caps", 2, 3, run_caps, "NAME CAPS [svc:NAME]",
      "a node is granted CAPS, YAML or JSON, here or at a Service" },
    { "state", 1, 1, run_state, "STATE",
      "this node is in STATE: NoState, Stopped, Running, ..." },
    { "restart", 0, 2, run_restart, "[DOWN [NOSTATE]]",
      "no socket for DOWN ms, then 404 for everybody for NOSTATE ms" },
    { "resend", 0, 0, run_resend, "", "the bus sends everybody anew" },
    { "slow", 1, 2, run_slow, "MS [whois | status | all]",
      "answers come MS milliseconds late" },
    { "silent", 0, 1, run_silent, "[whois | status | all]",
      "requests are taken and never answered" },
    { "nonsense", 1, 2, run_nonsense, "KIND [whois | status | all]",
      "answers are nonsense of a kind" },
    { "normal", 0, 0, run_normal, "", "answers are right again" },
    { "count", 0, 1, run_count, "[reset]",
      "how many calls came in, and how many connections are open" },
    { "list", 0, 0, run_list, "", "all nodes" }
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
dispatch(call_t *call)
{
    size_t  i;

    for (i = 0; i < NCOMMANDS; i++) {

        if (strcmp(commands[i].name, call->words[0]) != 0) {
            continue;
        }

        if (call->n - 1 < commands[i].min || call->n - 1 > commands[i].max) {
            fail(call, "usage: %s %s", commands[i].name,
                 commands[i].arguments);
            return;
        }

        commands[i].run(call);
        return;
    }

    fail(call, "\"%s\" is no command: see tailgate devnet ctl --help",
         call->words[0]);
}


json_t *
cli_command_run(cli_devnet_t *devnet, const json_t *words)
{
    size_t         i;
    call_t         call;
    const json_t  *word;

    memset(&call, 0, sizeof(call_t));

    call.devnet = devnet;
    call.n = json_array_size(words);
    call.result = json_object();

    if (call.result == NULL) {
        return NULL;
    }

    if (call.n == 0 || call.n > WORDS_MAX) {
        fail(&call, "a command is a list of 1 to %d words", WORDS_MAX);
        return call.result;
    }

    for (i = 0; i < call.n; i++) {
        word = json_array_get(words, i);

        if (!json_is_string(word)) {
            fail(&call, "a command is a list of texts");
            return call.result;
        }

        call.words[i] = json_string_value(word);
    }

    dispatch(&call);

    return call.result;
}
