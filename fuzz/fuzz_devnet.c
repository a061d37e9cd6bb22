
/*
 * Copyright (C) The Tailgate authors
 *
 * The file of tailgate devnet: YAML to a tailnet, and that to what it answers.
 */

#include <cli/devnet.h>

#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  (1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


/* What is written has to be JSON again. */

static void
check(json_t *json, bool indent)
{
    char    *text;
    size_t   len;
    json_t  *again;

    require(json != NULL);

    text = cli_json_text(json, indent, &len);
    require(text != NULL && strlen(text) == len);

    again = json_loads(text, JSON_REJECT_DUPLICATES|JSON_ALLOW_NUL, NULL);
    require(again != NULL);

    json_decref(again);
    json_decref(json);
    free(text);
}


static void
ask(cli_world_t *world)
{
    cli_node_t  *node;

    for (node = world->nodes; node; node = node->next) {
        require(cli_world_at(world, &node->addrs[0]) == node);
        require(cli_world_key(world, node->key) == node);
        check(cli_json_whois(world, node, node->caps), true);
    }

    check(cli_json_status(world, true), true);
    check(cli_json_users(world, NULL), false);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           rc;
    tg_alloc_t    alloc;
    tgi_yaml_t   *root;
    tg_arena_t   *arena;
    tg_error_t    error;
    cli_world_t  *world;

    arena = tg_arena_new(ARENA_MAX);
    world = cli_world_new();
    require(arena != NULL && world != NULL);

    memset(&error, 0, sizeof(error));

    alloc = tg_arena_allocator(arena);

    rc = tgi_yaml_read((const char *) data, size, &cli_yaml_limits, &alloc,
                       &root, &error);

    if (rc == TG_OK) {
        rc = cli_load_world(root, world, &error);

        if (rc == TG_OK) {
            ask(world);
        }
    }

    require(rc == TG_OK || error.text[0] != '\0');

    cli_world_free(&world);
    tg_arena_free(&arena);

    return 0;
}
