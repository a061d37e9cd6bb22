
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/reload.h"
#include "authd/notify.h"
#include "authd/senders.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define FAULT_MAX  6144            /* a path and a sentence */


static bool conf_take(authd_t *authd, authd_config_t *conf);
static void conf_fixed(authd_t *authd, const char *key);
static bool audit_open(const authd_config_t *conf, const authd_log_t *log,
    int *fd);
static void audit_set(authd_t *authd, int fd);
static void report(const authd_fault_t *fault, void *data);


bool
authd_begin(authd_t *authd)
{
    int  fd;

    if (!authd_config_load(authd->file, &authd->conf, report, authd)) {
        return false;
    }

    authd->log.level = (authd_log_level_t) authd->conf->log_level;
    authd->log.format = (authd_log_format_t) authd->conf->log_format;
    authd->metrics.config_time = (int64_t) time(NULL);
    authd->metrics.config_ok = true;

    authd_metrics_routes(&authd->metrics, authd->conf->rules);

    if (!audit_open(authd->conf, &authd->log, &fd)) {
        return false;
    }

    audit_set(authd, fd);

    return true;
}


void
authd_end(authd_t *authd)
{
    audit_set(authd, -1);
    authd_config_free(&authd->conf);
}


void
authd_reload(authd_t *authd)
{
    bool             ok;
    const char      *fixed;
    authd_config_t  *conf;

    conf = NULL;

    (void) authd_notify_reloading();

    authd->reload_error[0] = '\0';
    authd->reload_policy = false;

    ok = authd_config_load(authd->file, &conf, report, authd);

    if (ok) {
        fixed = authd_config_fixed(authd->conf, conf);

        if (fixed != NULL) {
            conf_fixed(authd, fixed);
            ok = false;
        }
    }

    if (ok && conf_take(authd, conf)) {
        authd->metrics.reloads++;
        authd->metrics.config_ok = true;
        authd->metrics.config_time = (int64_t) time(NULL);

        authd_tell_policy(authd);
        authd_log(&authd->log, AUTHD_LOG_INFO, "%s is in force", authd->file);
        (void) authd_notify_ready("answering");

        return;
    }

    authd_config_free(&conf);

    authd->metrics.reloads_failed++;
    authd->metrics.policy_errors += authd->reload_policy;
    authd->metrics.config_ok = false;
    authd->reload_error_time = (int64_t) time(NULL);

    if (authd->reload_error[0] == '\0') {
        (void) snprintf(authd->reload_error, AUTHD_ERROR_MAX, "see the log");
    }

    authd_log(&authd->log, AUTHD_LOG_ERROR, "the configuration that was in"
              " force stays in force");
    (void) authd_notify_ready("answering by an old configuration: the new one"
                              " has faults, see the log");
}


void
authd_limits(authd_t *authd)
{
    tgn_http_limits_t  limits;

    limits = authd->conf->limits;

    authd_sender_shares(authd->http, &limits);
    tgn_http_set_limits(authd->http, &limits);
}


void
authd_tell_policy(const authd_t *authd)
{
    tg_str_t               digest;
    const authd_config_t  *conf;

    conf = authd->conf;

    if (conf->rules == NULL) {
        return;
    }

    digest = tg_policy_digest(conf->rules);

    authd_log(&authd->log, AUTHD_LOG_INFO, "policy %s, %zu routes, SHA-256"
              " %.*s", conf->policy_file, tg_policy_nroutes(conf->rules),
              (int) digest.len, digest.data);
}


/* Whatever can fail comes first. */

static bool
conf_take(authd_t *authd, authd_config_t *conf)
{
    int              fd;
    authd_config_t  *old;

    old = authd->conf;

    if (!audit_open(conf, &authd->log, &fd)) {
        return false;
    }

    if (!authd_identify_configure(authd->identify, conf)) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "out of memory");

        if (fd > STDERR_FILENO) {
            (void) close(fd);
        }

        return false;
    }

    authd->conf = conf;
    authd->log.level = (authd_log_level_t) conf->log_level;
    authd->log.format = (authd_log_format_t) conf->log_format;

    audit_set(authd, fd);
    authd_limits(authd);
    authd_metrics_routes(&authd->metrics, conf->rules);
    authd_config_free(&old);

    if (conf->policy == AUTHD_POLICY_NONE) {
        authd_log(&authd->log, AUTHD_LOG_WARN, "every request will be denied:"
                  " %s has no policy", authd->file);
    }

    return true;
}


/* A key that a reload cannot change. */

static void
conf_fixed(authd_t *authd, const char *key)
{
    char           text[128];
    authd_fault_t  fault = { .file = authd->file, .text = text };

    (void) snprintf(text, sizeof(text), "%s cannot change while the daemon"
                    " runs: restart it", key);

    report(&fault, authd);
}


/* *fd is -1 if there is to be none. */

static bool
audit_open(const authd_config_t *conf, const authd_log_t *log, int *fd)
{
    *fd = -1;

    if (conf->audit == NULL) {
        return true;
    }

    if (strcmp(conf->audit, "stderr") == 0) {
        *fd = STDERR_FILENO;
        return true;
    }

    *fd = open(conf->audit, O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC|O_NOCTTY,
               0640);

    if (*fd == -1) {
        authd_log(log, AUTHD_LOG_ERROR, "audit file %s: %s", conf->audit,
                  strerror(errno));
        return false;
    }

    return true;
}


/* Takes fd over; what was open before is closed. */

static void
audit_set(authd_t *authd, int fd)
{
    if (authd->audit.fd > STDERR_FILENO) {
        (void) close(authd->audit.fd);
    }

    authd->audit = authd->log;
    authd->audit.fd = fd;
    authd->audit.level = AUTHD_LOG_DEBUG;

    if (fd != STDERR_FILENO) {
        authd->audit.journal = false;
    }
}


/* The first fault is what the status tells, the log has them all. */

static void
report(const authd_fault_t *fault, void *data)
{
    char          text[FAULT_MAX];
    authd_t      *authd;
    authd_log_t   log;

    authd = data;
    log = authd->log;

    /* at the start nothing is in force, but how to log may be known */

    if (authd->conf == NULL && fault->conf != NULL) {
        log.format = (authd_log_format_t) fault->conf->log_format;
    }

    authd_fault_format(fault, text, sizeof(text));

    if (fault->warning) {
        authd_log(&log, AUTHD_LOG_WARN, "%s", text);
        return;
    }

    authd->reload_policy = authd->reload_policy
                           || strcmp(fault->file, authd->file) != 0;

    if (authd->reload_error[0] == '\0') {
        authd_fault_format(fault, authd->reload_error, AUTHD_ERROR_MAX);
    }

    authd_log(&log, AUTHD_LOG_ERROR, "%s", text);
}
