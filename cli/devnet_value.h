
/*
 * Copyright (C) The Tailgate authors
 *
 * How values of a tailnet's file are loaded.  All return TG_OK, or an error
 * with a text and its place in the file.
 */

#ifndef CLI_DEVNET_VALUE_H_INCLUDED_
#define CLI_DEVNET_VALUE_H_INCLUDED_

#include <cli/devnet.h>


typedef struct {
    cli_world_t   *world;
    void          *object;         /* cli_node_t, cli_user_t, ... */
    tg_error_t    *error;
} cli_loading_t;

/* A key of a map, and how its value gets into the object. */

typedef struct {
    const char  *key;
    int        (*load)(cli_loading_t *loading, const tgi_yaml_t *value,
                       size_t offset);
    size_t       offset;           /* of the member that it sets */
} cli_field_t;


/* what is "a node": for the message about a key that is in no field */

int cli_load_map(cli_loading_t *loading, const tgi_yaml_t *map,
    const cli_field_t *fields, size_t n, const char *what);

/* The member at offset, which is JSON. */

json_t **cli_load_member(cli_loading_t *loading, size_t offset);

int cli_load_text(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);
int cli_load_texts(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);
int cli_load_flag(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);

/* The member is the opposite of the key: a node that says nothing is well. */

int cli_load_not_flag(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);

/* Of a node: addresses, where those on loopback go to a list of their own. */

int cli_load_addr(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);
int cli_load_addrs(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);
int cli_load_routes(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset);

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
int cli_fault(tg_error_t *error, int code, const tgi_yaml_t *where,
    const char *fmt, ...);
int cli_fault_key(tg_error_t *error, const tgi_yaml_t *where,
    const char *what);
int cli_fault_memory(tg_error_t *error, const tgi_yaml_t *where);


#endif /* CLI_DEVNET_VALUE_H_INCLUDED_ */
