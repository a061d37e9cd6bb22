
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy apply: the programs that run by the policy.
 */

#include <cli/apply.h>
#include <cli/cli.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>


static int nginx_digest(cli_apply_t *self);
static int run_nginx(cli_apply_t *self, const char *option, const char *word);
static bool nginx_is_away(const cli_apply_t *self);
static int put_back(cli_apply_t *self);


int
cli_apply_nginx(cli_apply_t *self, bool *back)
{
    int  error;

    if (self->nginx == NULL) {
        return CLI_OK;
    }

    error = run_nginx(self, "-t", NULL);

    if (error != 0) {
        (void) printf("nginx: %s: %s, nothing to reload\n", self->nginx,
                      strerror(error));
        return CLI_OK;
    }

    if (self->run.status != 0) {
        *back = true;
        (void) fputs(self->run.output, stderr);
        return put_back(self);
    }

    error = run_nginx(self, "-s", "reload");

    if (error == 0 && self->run.status == 0) {
        return nginx_digest(self);
    }

    if (error == 0 && nginx_is_away(self)) {
        (void) printf("nginx: tested; it does not run\n");
        return CLI_OK;
    }

    (void) fputs(self->run.output, stderr);

    return cli_apply_failed(self, "nginx", "the reload failed: it goes on by"
                            " the old policy");
}


/* New workers need a moment to be there. */

static int
nginx_digest(cli_apply_t *self)
{
    cli_nginx_t  nginx;

    if (cli_nginx_wait(self->nginx_status, tg_policy_digest(self->policy.file),
                       &self->policy.alloc, &nginx)
        != TG_OK)
    {
        cli_error(self->policy.name, "out of memory");
        return CLI_USAGE;
    }

    if (nginx.state != CLI_DAEMON_ANSWERS) {
        (void) printf("nginx: tested, and told to reload; which policy its"
                      " workers run it tells where tailgate-status.conf is"
                      " included\n");
        return CLI_OK;
    }

    if (nginx.digest.len == 0) {
        (void) printf("nginx: reloaded, and has no tailgate_policy in http\n");
        return CLI_OK;
    }

    (void) printf("nginx: runs digest %.*s\n", (int) nginx.digest.len,
                  nginx.digest.data);

    if (!cli_nginx_runs(&nginx, tg_policy_digest(self->policy.file))) {
        return cli_apply_failed(self, "nginx", "this is another policy than"
                                " the one that was installed: see its error"
                                " log, and which file tailgate_policy names");
    }

    return CLI_OK;
}


static int
run_nginx(cli_apply_t *self, const char *option, const char *word)
{
    size_t       n;
    char        *argv[6];
    const char  *words[6];

    n = 0;
    words[n++] = self->nginx;

    if (self->nginx_conf != NULL) {
        words[n++] = "-c";
        words[n++] = self->nginx_conf;
    }

    words[n++] = option;
    words[n++] = word;
    words[n] = NULL;

    /* posix_spawn() changes none of them */

    memcpy(argv, words, sizeof(argv));

    return cli_run(argv, &self->run);
}


/* By what ngx_signal_process() and ngx_os_signal_process() say. */

static bool
nginx_is_away(const cli_apply_t *self)
{
    return strstr(self->run.output, "No such file or directory") != NULL
           || strstr(self->run.output, "No such process") != NULL
           || strstr(self->run.output, "invalid PID number") != NULL;
}


static int
put_back(cli_apply_t *self)
{
    bool  done;

    done = self->install.exists
           ? cli_install_write(&self->install, self->old)
           : cli_install_remove(&self->install);

    if (!done) {
        cli_error(self->policy.name, "nginx refuses its configuration with"
                  " the new policy, which stays in %s: %s", self->target,
                  self->install.error);
        return CLI_BAD;
    }

    cli_error(self->policy.name, "nginx refuses its configuration with the"
              " new policy: %s is as it was, and nothing was reloaded",
              self->target);

    return CLI_BAD;
}


int
cli_apply_authd(cli_apply_t *self)
{
    const char   *error;
    cli_authd_t   authd;

    if (self->authd == NULL) {
        return CLI_OK;
    }

    if (cli_authd_ask(self->authd, &self->policy.alloc, &authd) != TG_OK) {
        cli_error(self->policy.name, "out of memory");
        return CLI_USAGE;
    }

    if (authd.state == CLI_DAEMON_ABSENT && !self->authd_named) {
        (void) printf("tailgate-authd: it does not run\n");
        return CLI_OK;
    }

    if (authd.state != CLI_DAEMON_ANSWERS) {
        return cli_apply_failed(self, "tailgate-authd was not reloaded",
                                authd.error);
    }

    if (!cli_apply_reads(self, &authd)) {
        (void) printf("tailgate-authd: runs by \"policy: %.*s\", and was left"
                      " alone\n", (int) authd.policy.len, authd.policy.data);
        return CLI_OK;
    }

    if (!cli_authd_reload(self->authd, &self->policy.alloc, &authd, &error)) {
        return cli_apply_failed(self, "tailgate-authd was not reloaded",
                                error);
    }

    (void) printf("tailgate-authd: process %ld runs digest %.*s\n",
                  (long) authd.pid, (int) authd.digest.len,
                  authd.digest.data);

    if (!authd.ok) {
        return cli_apply_failed(self, "tailgate-authd refused the reload",
                                authd.fault.len ? authd.fault.data
                                                : "see its log");
    }

    if (authd.digest.len != tg_policy_digest(self->policy.file).len
        || memcmp(authd.digest.data, tg_policy_digest(self->policy.file).data,
                  authd.digest.len) != 0)
    {
        return cli_apply_failed(self, "tailgate-authd", "this is another"
                                " policy than the one that was installed:"
                                " somebody else has changed it since");
    }

    return CLI_OK;
}


bool
cli_apply_reads(const cli_apply_t *self, const cli_authd_t *authd)
{
    char  a[PATH_MAX], b[PATH_MAX];

    if (authd->policy.data[0] != '/') {
        return false;
    }

    if (realpath(authd->policy.data, a) == NULL
        || realpath(self->target, b) == NULL)
    {
        return strcmp(authd->policy.data, self->target) == 0;
    }

    return strcmp(a, b) == 0;
}


int
cli_apply_failed(const cli_apply_t *self, const char *what, const char *why)
{
    (void) fflush(stdout);
    cli_error(self->policy.name, "%s: %s", what, why);

    return CLI_BAD;
}
