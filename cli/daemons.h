
/*
 * Copyright (C) The Tailgate authors
 *
 * What runs by a policy on this machine, and by which one.
 */

#ifndef CLI_DAEMONS_H_INCLUDED_
#define CLI_DAEMONS_H_INCLUDED_

#include <tailgate/base.h>

#include <jansson.h>
#include <sys/types.h>


#define CLI_AUTHD_SOCKET  "/run/tailgate/authd.sock"
#define CLI_NGINX_SOCKET  "/run/tailgate/nginx.sock"


typedef enum {
    CLI_DAEMON_ANSWERS = 0,
    CLI_DAEMON_ABSENT,         /* there is no such socket */
    CLI_DAEMON_HIDDEN,         /* this account may not ask */
    CLI_DAEMON_SILENT          /* error says why */
} cli_daemon_state_t;


/* tailgate-authd's /v1/status; the strings live in the arena. */

typedef struct {
    cli_daemon_state_t   state;
    const char          *error;        /* a sentence unless it answers */
    pid_t                pid;
    bool                 ok;           /* the last configuration is in force */
    tg_str_t             fault;        /* why not */
    tg_str_t             policy;       /* a path, "member" or "none" */
    tg_str_t             digest;       /* empty without a policy file */
    int64_t              loaded;       /* seconds since the epoch */
    int64_t              reloads;      /* so far, refused ones too */
    int64_t              nroutes;
} cli_authd_t;

/* TG_OK, or TG_ERR_NOMEM. */

int cli_authd_ask(const char *socket, const tg_alloc_t *alloc,
    cli_authd_t *authd);

/* As a new JSON object, or NULL when out of memory. */

json_t *cli_authd_json(const char *socket, const cli_authd_t *authd);

/*
 * Sends SIGHUP to the one that answered, and asks until it has read its
 * configuration.  False: *error says why, and *authd is what was last known.
 */

bool cli_authd_reload(const char *socket, const tg_alloc_t *alloc,
    cli_authd_t *authd, const char **error);


/*
 * nginx, where conf/nginx/tailgate-status.conf is included.  digest is that of
 * the policy file in force at its http level, empty without one.
 */

typedef struct {
    cli_daemon_state_t   state;
    const char          *error;
    tg_str_t             digest;
    int64_t              loaded;       /* seconds since the epoch */
    bool                 refused;      /* its last reload was */
    bool                 bus_lost;     /* of changes */
} cli_nginx_t;

int cli_nginx_ask(const char *socket, const tg_alloc_t *alloc,
    cli_nginx_t *nginx);

/*
 * The same, again and again until all of its workers say digest, for at most
 * ten seconds.
 */

int cli_nginx_wait(const char *socket, tg_str_t digest,
    const tg_alloc_t *alloc, cli_nginx_t *nginx);

bool cli_nginx_runs(const cli_nginx_t *nginx, tg_str_t digest);


#endif /* CLI_DAEMONS_H_INCLUDED_ */
