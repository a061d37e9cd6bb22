
/*
 * Copyright (C) The Tailgate authors
 *
 * authd.yaml: one table of keys, each with its kind, default and meaning.
 * What comes out is constant; a reload makes a new one.
 */

#ifndef AUTHD_CONFIG_H_INCLUDED_
#define AUTHD_CONFIG_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>
#include <tailgate/gate.h>
#include <tailgate/headers.h>
#include <tailgate/policy.h>

#include <net/http/server.h>

#include <stdio.h>
#include <sys/types.h>


#define AUTHD_CONFIG_FILE  "/etc/tailgate/authd.yaml"


/* Whom a listener believes what is said about others. */

typedef struct {
    const uid_t      *uids;        /* of Unix socket peers */
    size_t            nuids;
    const gid_t      *gids;
    size_t            ngids;
    const tg_cidr_t  *cidrs;       /* of TCP peers */
    size_t            ncidrs;
} authd_senders_t;


/* What a profile's secret header carries. */

typedef struct {
    const tg_profile_t  *profile;
    tg_str_t             value;
} authd_secret_t;


typedef struct {
    const tg_str_t  *items;
    size_t           n;
} authd_words_t;


/* Where go links are served; "links" of the file. */

typedef struct {
    const char       *unix_path;       /* NULL: none */
    mode_t            unix_mode;
    gid_t             unix_group;      /* (gid_t) -1: leave it */
    const tg_addr_t  *tcp;             /* loopback, with ports */
    size_t            ntcp;
    const uint16_t   *ports;           /* of the node's own addresses */
    size_t            nports;
    authd_words_t     hosts;           /* lower case; the first is shown */
    authd_words_t     https;           /* those of them that have TLS */
    const char       *store;
    tg_str_t          fallback;        /* empty: none */
    authd_words_t     admins;
    bool              readonly;
    bool              strangers;
} authd_links_conf_t;


typedef enum {
    AUTHD_POLICY_NONE = 0,         /* everybody is denied */
    AUTHD_POLICY_MEMBER,
    AUTHD_POLICY_FILE
} authd_policy_t;


typedef struct {
    tg_arena_t            *arena;  /* everything below lives in it */

    const char            *unix_path;      /* NULL: none */
    mode_t                 unix_mode;
    gid_t                  unix_group;     /* (gid_t) -1: leave it */
    bool                   has_tcp;
    tg_addr_t              tcp_addr;
    authd_words_t          tcp_hosts;
    authd_senders_t        senders;

    const char            *localapi;       /* path of the socket */
    uint64_t               localapi_timeout;
    size_t                 localapi_keepalive;
    size_t                 localapi_connections;

    size_t                 cache_size;     /* bytes; 0: nothing is kept */
    uint64_t               cache_ttl;
    uint64_t               cache_negative;
    uint64_t               cache_stale;
    size_t                 cache_misses;   /* a second; 0: any */

    authd_policy_t         policy;
    const char            *policy_file;    /* NULL: none */
    tg_policy_t           *rules;          /* of it; NULL: not loaded */
    tg_arena_t            *rules_arena;
    tg_gate_rules_t        gate;
    const tg_service_t    *services;
    size_t                 nservices;
    const authd_secret_t  *secrets;
    size_t                 nsecrets;

    int                    log_level;      /* authd_log_level_t */
    int                    log_format;     /* authd_log_format_t */
    const char            *audit;          /* path; "stderr"; NULL: none */

    tgn_http_limits_t      limits;

    authd_links_conf_t     links;
} authd_config_t;


/* A fault of a file; none of its strings has control characters. */

typedef struct {
    const char            *file;
    size_t                 line;       /* 0: of the file as a whole */
    size_t                 column;     /* 0: not known */
    bool                   warning;    /* it can be used all the same */
    const char            *text;
    const authd_config_t  *conf;       /* of a policy file: the configuration
                                          that names it; else NULL */
} authd_fault_t;

/* Told of each fault of a file, in its order. */

typedef void (*authd_config_report_pt)(const authd_fault_t *fault,
    void *data);

/*
 * Writes "FILE:LINE:COLUMN: TEXT", as far as there is a line and a column, cut
 * at size; what is no UTF-8 or a control character becomes "?".
 */

void authd_fault_format(const authd_fault_t *fault, char *buf, size_t size);


/*
 * authd_config_load() reads a file (bounded, regular) and everything that it
 * names, the policy file too.  authd_config_parse() does so for bytes in
 * memory, without the policy file; file is their name in messages.  Both set
 * *config only if there was no fault but warnings, and return whether.
 *
 * authd_config_free() wipes the secrets, frees and sets *config to NULL; a
 * NULL *config is fine.
 */

bool authd_config_load(const char *file, authd_config_t **config,
    authd_config_report_pt report, void *data);
bool authd_config_parse(const char *file, const char *bytes, size_t len,
    authd_config_t **config, authd_config_report_pt report, void *data);
void authd_config_free(authd_config_t **config);

/*
 * Prints what is in force as a file that can be read again: every key with its
 * meaning above it, as the file has it or by default.  False on a fault of the
 * file, or when out of memory.
 */

bool authd_config_dump(const char *file, FILE *out,
    authd_config_report_pt report, void *data);

/*
 * The first key that differs between two configurations and that a running
 * daemon cannot change, or NULL.
 */

const char *authd_config_fixed(const authd_config_t *a,
    const authd_config_t *b);


#endif /* AUTHD_CONFIG_H_INCLUDED_ */
