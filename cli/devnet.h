
/*
 * Copyright (C) The Tailgate authors
 *
 * Between the files of tailgate devnet: devnet_world.c holds who is on the
 * tailnet, devnet_load.c makes it from YAML by devnet_yaml.c, devnet_json.c
 * writes what a tailscaled would, devnet_api.c and devnet_bus.c answer by it,
 * devnet_fault.c answers wrongly on purpose, devnet_command.c changes the
 * world, devnet_control.c carries commands.
 */

#ifndef CLI_DEVNET_H_INCLUDED_
#define CLI_DEVNET_H_INCLUDED_

#include <net/http/server.h>
#include <net/loop/loop.h>
#include <tailgate/addr.h>
#include <tailgate/base.h>

#include "core/base/yaml.h"

#include <jansson.h>


/* devnet_yaml.c */

#define CLI_YAML_FILE_MAX  (64 * 1024 * 1024)

extern const tgi_yaml_limits_t  cli_yaml_limits;

/* As JSON: plain scalars become numbers, true, false and null. */

json_t *cli_yaml_json(const tgi_yaml_t *node);


/* devnet_world.c */

#define CLI_NODE_ADDRS  8

/* tailscaled's own id for the owner of tagged nodes. */

#define CLI_TAGGED_ID  INT64_C(2147455555)

typedef struct cli_user_s  cli_user_t;
typedef struct cli_node_s  cli_node_t;

/* Texts are JSON strings, as they may hold anything that JSON can. */

struct cli_user_s {
    cli_user_t       *next;
    int64_t           id;
    json_t           *login;
    json_t           *name;
    json_t           *picture;     /* may be NULL, as groups */
    json_t           *groups;
};

struct cli_node_s {
    cli_node_t       *next;
    int64_t           id;
    json_t           *name;        /* with a dot: of another tailnet */
    json_t           *hostname;
    cli_user_t       *user;        /* NULL: it never had one */
    json_t           *tags;        /* may be empty, as routes */
    json_t           *routes;
    json_t           *os;
    json_t           *os_version;
    json_t           *caps;
    json_t           *service_caps;
    json_t           *key_expiry;  /* NULL: never */
    tg_addr_t         addrs[CLI_NODE_ADDRS];
    size_t            naddrs;
    tg_addr_t         loopback[CLI_NODE_ADDRS];
    size_t            nloopback;
    bool              expired;
    bool              unauthorized;
    bool              unsigned_;
    bool              shared;
    bool              offline;
    char              key[65];     /* hex */
    char             *whois;       /* the answer, until something changes */
    size_t            whois_len;
};

typedef struct cli_service_s  cli_service_t;

struct cli_service_s {
    cli_service_t    *next;
    json_t           *name;
    tg_addr_t         addrs[CLI_NODE_ADDRS];
    size_t            naddrs;
};

typedef struct {
    tg_addr_t         addr;
    cli_node_t       *node;        /* NULL: a free place */
} cli_place_t;

typedef struct {
    json_t           *tailnet;     /* "example.ts.net" */
    json_t           *version;
    json_t           *state;       /* ipn.State, "Running" */
    json_t           *health;      /* texts, may be NULL */
    cli_node_t       *self;
    cli_node_t       *nodes;       /* peers, by id */
    cli_node_t       *tail;        /* the last of them */
    cli_user_t       *users;       /* by id */
    cli_service_t    *services;
    int64_t           last_node;
    int64_t           last_user;
    cli_place_t      *places;      /* hash of all addresses; NULL: stale */
    size_t            nplaces;     /* a power of two */
    size_t            nplaced;
} cli_world_t;

cli_world_t *cli_world_new(void);
void cli_world_free(cli_world_t **world);

/* Not in the world before cli_world_add(). */

cli_node_t *cli_node_new(void);
void cli_node_free(cli_node_t *node);
cli_user_t *cli_user_new(void);
void cli_user_free(cli_user_t *user);

/*
 * Gives it an id and a key; node is the world's then.  TG_ERR_REFUSED, with a
 * text, if an address or a user's login is taken, and TG_ERR_NOMEM: it stays
 * the caller's.  Whether a node's name is taken is the caller's to check.
 *
 * cli_world_fill() gives a node of the world an address of each family that it
 * has none of: when all nodes that have addresses of their own are there.
 */

int cli_world_add(cli_world_t *world, cli_node_t *node, bool self,
    tg_error_t *error);
void cli_world_fill(cli_world_t *world, cli_node_t *node);
int cli_world_add_user(cli_world_t *world, cli_user_t *user,
    tg_error_t *error);
void cli_world_remove(cli_world_t *world, cli_node_t *node);

/* By name, with or without the tailnet; NULL if there is none. */

cli_node_t *cli_world_node(const cli_world_t *world, const char *name);
cli_user_t *cli_world_user(const cli_world_t *world, const char *login);
cli_service_t *cli_world_service(const cli_world_t *world, const char *name);

/* By one of its own addresses, or by a loopback address that it sits on. */

cli_node_t *cli_world_at(cli_world_t *world, const tg_addr_t *addr);
cli_node_t *cli_world_key(const cli_world_t *world, const char *hex);

/* What was rendered of it is no longer so; NULL: of anybody. */

void cli_world_changed(cli_world_t *world, cli_node_t *node);


/* devnet_load.c */

int cli_load_world(const tgi_yaml_t *root, cli_world_t *world,
    tg_error_t *error);
int cli_load_node(const tgi_yaml_t *map, cli_world_t *world, bool self,
    cli_node_t **node, tg_error_t *error);
int cli_load_user(const tgi_yaml_t *map, cli_world_t *world,
    tg_error_t *error);
int cli_load_capabilities(const tgi_yaml_t *map, json_t **caps,
    tg_error_t *error);


/*
 * devnet_json.c.  Fields and their order are those of Go's tailcfg.Node,
 * apitype.WhoIsResponse, ipnstate.Status and ipn.Notify.  All return new
 * references, or NULL when out of memory.
 */

json_t *cli_json_node(const cli_world_t *world, const cli_node_t *node);
json_t *cli_json_whois(const cli_world_t *world, const cli_node_t *node,
    json_t *caps);
json_t *cli_json_users(const cli_world_t *world, const cli_user_t *only);
json_t *cli_json_status(const cli_world_t *world, bool peers);
int cli_json_state(const cli_world_t *world);

/*
 * Text as Go's encoding/json writes it: "<", ">" and "&" escaped, indented by
 * tabs or compact.  malloc()ed, NUL-terminated.
 */

char *cli_json_text(const json_t *json, bool indent, size_t *len);


/* devnet.c, and what the rest needs of it. */

typedef struct cli_devnet_s   cli_devnet_t;
typedef struct cli_watcher_s  cli_watcher_t;
typedef struct cli_held_s     cli_held_t;
typedef struct cli_client_s   cli_client_t;

#define CLI_SCOPE_WHOIS   0x1u
#define CLI_SCOPE_STATUS  0x2u
#define CLI_SCOPE_ALL     0x3u

typedef struct {
    unsigned          scope;       /* 0: none */
    const char       *kind;        /* "slow", "silent", or of nonsense */
    uint64_t          msec;        /* of slow */
} cli_fault_t;

struct cli_devnet_s {
    tgn_loop_t       *loop;
    tgn_http_t       *http;
    cli_world_t      *world;
    const char       *socket;
    mode_t            mode;
    cli_fault_t       fault;
    cli_watcher_t    *watchers;
    cli_held_t       *held;        /* requests that wait */
    tgn_timer_t      *timer;       /* of a restart */
    unsigned          phase;
    uint64_t          nostate;     /* ms */
    size_t            whois;       /* answered, since the last reset */
    size_t            status;
    size_t            bus;
    size_t            accepted;
    int               control;     /* listening descriptor, -1 if none */
    tgn_poll_t       *control_poll;
    cli_client_t     *clients;
};

int cli_devnet_listen(cli_devnet_t *devnet, tg_error_t *error);


/* devnet_api.c */

void cli_api_handle(tgn_request_t *r, void *data);

/* Headers that every answer of the LocalAPI has; type is Content-Type. */

void cli_api_headers(cli_devnet_t *devnet, tgn_request_t *r, const char *type);
void cli_api_json(cli_devnet_t *devnet, tgn_request_t *r, const char *text,
    size_t len);
void cli_api_error(cli_devnet_t *devnet, tgn_request_t *r, int status,
    const char *text);

/* Answers as it would without a fault. */

void cli_api_whois(cli_devnet_t *devnet, tgn_request_t *r);
void cli_api_status(cli_devnet_t *devnet, tgn_request_t *r);


/* devnet_bus.c */

#define CLI_BUS_STATE    (UINT64_C(1) << 1)
#define CLI_BUS_PEERS    (UINT64_C(1) << 12)
#define CLI_BUS_STATUS   (UINT64_C(1) << 14)
#define CLI_BUS_PATCHES  (UINT64_C(1) << 15)

void cli_bus_watch(cli_devnet_t *devnet, tgn_request_t *r);

/* What tailscaled tells about a change; user may be NULL for all of them. */

void cli_bus_state(cli_devnet_t *devnet);
void cli_bus_peer(cli_devnet_t *devnet, const cli_node_t *node);
void cli_bus_removed(cli_devnet_t *devnet, int64_t id);
void cli_bus_users(cli_devnet_t *devnet, const cli_user_t *user);
void cli_bus_online(cli_devnet_t *devnet, const cli_node_t *node);
void cli_bus_whole(cli_devnet_t *devnet);
void cli_bus_plain(cli_devnet_t *devnet);
void cli_bus_free(cli_devnet_t *devnet);


/* devnet_fault.c */

/* The n-th kind of nonsense, from 0; NULL if there are not so many. */

const char *cli_fault_kind(size_t n);

/* Whether it took the request over. */

bool cli_fault_handle(cli_devnet_t *devnet, tgn_request_t *r, unsigned scope);
void cli_fault_free(cli_devnet_t *devnet);


/* devnet_command.c */

/*
 * Runs a command; the result is a new reference to an object, with "error" in
 * it if the command failed.
 */

json_t *cli_command_run(cli_devnet_t *devnet, const json_t *words);
void cli_command_help(void);

/* devnet_restart.c: msec without a socket, then msec without a netmap. */

int cli_restart(cli_devnet_t *devnet, uint64_t down, uint64_t nostate);


/* devnet_control.c */

int cli_control_listen(cli_devnet_t *devnet, const char *path,
    tg_error_t *error);
void cli_control_free(cli_devnet_t *devnet, const char *path);
int cli_control_send(const char *path, int argc, char **argv);


#endif /* CLI_DEVNET_H_INCLUDED_ */
