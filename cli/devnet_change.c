
/*
 * Copyright (C) The Tailgate authors
 *
 * Commands that change who is on the tailnet.  Each tells the bus what a
 * tailscaled would tell.
 */

#include <cli/devnet_command.h>

#include <stdio.h>
#include <string.h>
#include <time.h>


/* Of what a word of a command becomes. */

#define ARENA_MAX  (16 * 1024 * 1024)


static cli_node_t *
node_of(cli_call_t *call, const char *name)
{
    cli_node_t  *node;

    node = cli_world_node(call->devnet->world, name);

    if (node == NULL) {
        cli_fail(call, "no node is named \"%s\"", name);
    }

    return node;
}


static cli_user_t *
user_of(cli_call_t *call, const char *login)
{
    cli_user_t  *user;

    user = cli_world_user(call->devnet->world, login);

    if (user == NULL) {
        cli_fail(call, "no user has the login \"%s\"", login);
    }

    return user;
}


static bool
flag_of(cli_call_t *call, const char *word, bool *flag)
{
    *flag = strcmp(word, "yes") == 0;

    if (!*flag && strcmp(word, "no") != 0) {
        cli_fail(call, "\"%s\" is neither yes nor no", word);
        return false;
    }

    return true;
}


/* The words from the first-th on, as a list of texts. */

static json_t *
list_of(const cli_call_t *call, size_t first)
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
peer_changed(cli_call_t *call, cli_node_t *node)
{
    cli_world_changed(call->devnet->world, node);
    cli_bus_peer(call->devnet, node);
}


/* A word is YAML, of which JSON is a part. */

static bool
parse_word(cli_call_t *call, const char *word, tg_arena_t **arena,
    tgi_yaml_t **root)
{
    tg_alloc_t  alloc;
    tg_error_t  error;

    *arena = tg_arena_new(ARENA_MAX);

    if (*arena == NULL) {
        cli_fail(call, "out of memory");
        return false;
    }

    alloc = tg_arena_allocator(*arena);

    if (tgi_yaml_read(word, strlen(word), &cli_yaml_limits, &alloc, root,
                      &error)
        != TG_OK)
    {
        cli_fail(call, "%zu:%zu: %s", error.line, error.column, error.text);
        return false;
    }

    return true;
}


static bool
is_name_taken(cli_call_t *call, const tgi_yaml_t *map)
{
    const tgi_yaml_t  *child;

    for (child = map->kind == TGI_YAML_MAPPING ? map->first : NULL; child;
         child = child->next)
    {
        if (strcmp(child->key.data, "name") == 0
            && child->kind == TGI_YAML_SCALAR
            && cli_world_node(call->devnet->world, child->text.data))
        {
            cli_fail(call, "a node is named \"%s\" already", child->text.data);
            return true;
        }
    }

    return false;
}


void
cli_run_add(cli_call_t *call)
{
    cli_node_t  *node;
    tgi_yaml_t  *root;
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
            cli_fail(call, "%zu:%zu: %s", error.line, error.column, error.text);
        }
    }

    tg_arena_free(&arena);
}


void
cli_run_add_user(cli_call_t *call)
{
    tgi_yaml_t  *root;
    tg_arena_t  *arena;
    tg_error_t   error;

    if (parse_word(call, call->words[1], &arena, &root)) {

        if (cli_load_user(root, call->devnet->world, &error) == TG_OK) {
            cli_bus_users(call->devnet, NULL);

        } else {
            cli_fail(call, "%zu:%zu: %s", error.line, error.column, error.text);
        }
    }

    tg_arena_free(&arena);
}


void
cli_run_remove(cli_call_t *call)
{
    bool         whole;
    int64_t      id;
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (node == call->devnet->world->self) {
        cli_fail(call, "this node itself cannot be removed");
        return;
    }

    whole = call->n == 3;

    if (whole && strcmp(call->words[2], "whole") != 0) {
        cli_fail(call, "\"%s\" is not \"whole\"", call->words[2]);
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


void
cli_run_rename(cli_call_t *call)
{
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->words[2][0] == '\0'
        || cli_world_node(call->devnet->world, call->words[2]))
    {
        cli_fail(call, "a node is named \"%s\" already, or this is no name",
                 call->words[2]);
        return;
    }

    replace(&node->name, json_string(call->words[2]));
    peer_changed(call, node);
}


void
cli_run_retag(cli_call_t *call)
{
    cli_node_t  *node;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->n == 2 && node->user == NULL) {
        cli_fail(call, "\"%s\" has no user: without tags it is nobody's",
                 call->words[1]);
        return;
    }

    replace(&node->tags, list_of(call, 2));
    peer_changed(call, node);
}


void
cli_run_move(cli_call_t *call)
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


void
cli_run_groups(cli_call_t *call)
{
    cli_user_t  *user;

    user = user_of(call, call->words[1]);

    if (user) {
        replace(&user->groups, list_of(call, 2));
        cli_world_changed(call->devnet->world, NULL);
        cli_bus_users(call->devnet, NULL);
    }
}


void
cli_run_name(cli_call_t *call)
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


void
cli_run_expire(cli_call_t *call)
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


void
cli_run_flag(cli_call_t *call)
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

void
cli_run_caps(cli_call_t *call)
{
    json_t      *caps;
    cli_node_t  *node;
    tgi_yaml_t  *root;
    tg_arena_t  *arena;
    tg_error_t   error;

    node = node_of(call, call->words[1]);
    if (node == NULL) {
        return;
    }

    if (call->n == 4
        && cli_world_service(call->devnet->world, call->words[3]) == NULL)
    {
        cli_fail(call, "no Service is named \"%s\"", call->words[3]);
        return;
    }

    caps = NULL;

    if (parse_word(call, call->words[2], &arena, &root)) {

        if (cli_load_capabilities(root, &caps, &error) != TG_OK) {
            cli_fail(call, "%zu:%zu: %s", error.line, error.column, error.text);

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


void
cli_run_list(cli_call_t *call)
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
