
/*
 * Copyright (C) The Tailgate authors
 *
 * A command of tailgate devnet ctl while it runs.
 */

#ifndef CLI_DEVNET_COMMAND_H_INCLUDED_
#define CLI_DEVNET_COMMAND_H_INCLUDED_

#include <cli/devnet.h>


#define CLI_WORDS_MAX  256

typedef struct {
    cli_devnet_t  *devnet;
    const char    *words[CLI_WORDS_MAX];   /* [0] is the command */
    size_t         n;
    json_t        *result;
} cli_call_t;

/* The command failed, and why. */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void cli_fail(cli_call_t *call, const char *fmt, ...);


/* devnet_change.c */

void cli_run_add(cli_call_t *call);
void cli_run_add_user(cli_call_t *call);
void cli_run_remove(cli_call_t *call);
void cli_run_rename(cli_call_t *call);
void cli_run_retag(cli_call_t *call);
void cli_run_move(cli_call_t *call);
void cli_run_groups(cli_call_t *call);
void cli_run_name(cli_call_t *call);
void cli_run_expire(cli_call_t *call);
void cli_run_flag(cli_call_t *call);
void cli_run_caps(cli_call_t *call);
void cli_run_list(cli_call_t *call);

/* devnet_behave.c */

void cli_run_state(cli_call_t *call);
void cli_run_restart(cli_call_t *call);
void cli_run_resend(cli_call_t *call);
void cli_run_slow(cli_call_t *call);
void cli_run_silent(cli_call_t *call);
void cli_run_nonsense(cli_call_t *call);
void cli_run_normal(cli_call_t *call);
void cli_run_count(cli_call_t *call);


#endif /* CLI_DEVNET_COMMAND_H_INCLUDED_ */
