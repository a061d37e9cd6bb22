
/*
 * Copyright (C) The Tailgate authors
 *
 * Between the files of "tailgate policy apply".
 */

#ifndef CLI_APPLY_H_INCLUDED_
#define CLI_APPLY_H_INCLUDED_

#include <cli/daemons.h>
#include <cli/install.h>
#include <cli/policy.h>
#include <cli/run.h>


typedef struct {
    cli_policy_t    policy;
    cli_install_t   install;
    const char     *target;
    const char     *nginx;         /* the program; NULL: leave it alone */
    const char     *nginx_conf;    /* NULL: its own default */
    const char     *nginx_status;  /* the socket that tells its digest */
    const char     *authd;         /* the socket; NULL: leave it alone */
    bool            authd_named;   /* on the command line */
    bool            dry_run;
    tg_str_t        bytes;
    tg_str_t        old;           /* what there was, if install.exists */
    cli_run_t       run;
} cli_apply_t;


/*
 * Each does its part, says so, and returns an exit code.  *back: nginx refused
 * the policy, and the old one is in its place again.
 */

int cli_apply_nginx(cli_apply_t *self, bool *back);
int cli_apply_authd(cli_apply_t *self);

/* Whether the policy of authd is the file that is installed. */

bool cli_apply_reads(const cli_apply_t *self, const cli_authd_t *authd);

/* CLI_BAD, with a message. */

int cli_apply_failed(const cli_apply_t *self, const char *what,
    const char *why);


#endif /* CLI_APPLY_H_INCLUDED_ */
