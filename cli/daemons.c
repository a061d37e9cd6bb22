
/*
 * Copyright (C) The Tailgate authors
 */

#include <cli/ask.h>
#include <cli/daemons.h>

#include <tailgate/policy.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define ANSWER_MAX   (1024 * 1024)
#define WAIT_STEPS   200           /* ten seconds for a reload */
#define WAIT_NS      50000000

/*
 * How often in a row nginx has to tell the new digest: for 100 ms after the
 * start of the new workers the old ones still answer, too.
 */

#define WAIT_SETTLED 8


static cli_daemon_state_t answered(const cli_answer_t *answer,
    const char *name, const tg_alloc_t *alloc, const char **error);
static bool authd_read(cli_authd_t *authd, const json_t *root,
    const tg_alloc_t *alloc);
static bool nginx_read(cli_nginx_t *nginx, const json_t *root,
    const tg_alloc_t *alloc);
static tg_str_t member(const json_t *root, const char *key,
    const tg_alloc_t *alloc);
static bool is_authd(pid_t pid);


int
cli_authd_ask(const char *socket, const tg_alloc_t *alloc, cli_authd_t *authd)
{
    json_t        *root;
    cli_answer_t   answer;

    memset(authd, 0, sizeof(cli_authd_t));

    if (cli_ask_max(socket, "/v1/status", ANSWER_MAX, alloc, &answer)
        != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    authd->state = answered(&answer, "tailgate-authd", alloc, &authd->error);

    if (authd->state != CLI_DAEMON_ANSWERS) {
        return TG_OK;
    }

    root = json_loadb(answer.body.data, answer.body.len,
                      JSON_REJECT_DUPLICATES, NULL);

    if (!authd_read(authd, root, alloc)) {
        authd->state = CLI_DAEMON_SILENT;
        authd->error = "what answers there is no tailgate-authd";
    }

    json_decref(root);

    return TG_OK;
}


json_t *
cli_authd_json(const char *socket, const cli_authd_t *authd)
{
    json_t  *root;

    root = json_pack("{s:s}", "socket", socket);

    if (root == NULL) {
        return NULL;
    }

    if (authd->state != CLI_DAEMON_ANSWERS) {
        (void) json_object_set_new(root, "error", json_string(authd->error));
        return root;
    }

    cli_set_text(root, "policy", authd->policy);
    cli_set_text(root, "digest", authd->digest);
    cli_set_text(root, "error", authd->fault);

    (void) json_object_set_new(root, "pid", json_integer(authd->pid));
    (void) json_object_set_new(root, "loaded", json_integer(authd->loaded));
    (void) json_object_set_new(root, "routes", json_integer(authd->nroutes));
    (void) json_object_set_new(root, "ok", json_boolean(authd->ok));

    return root;
}


bool
cli_authd_reload(const char *socket, const tg_alloc_t *alloc,
    cli_authd_t *authd, const char **error)
{
    int              i;
    int64_t          before;
    cli_authd_t      now;
    struct timespec  step = { 0, WAIT_NS };

    before = authd->reloads;

    if (!is_authd(authd->pid)) {
        *error = "the process that answers is not one of this machine's";
        return false;
    }

    if (kill(authd->pid, SIGHUP) == -1) {
        *error = errno == EPERM ? "this account may not send it a signal"
                                : "it has gone";
        return false;
    }

    for (i = 0; i < WAIT_STEPS; i++) {

        if (cli_authd_ask(socket, alloc, &now) != TG_OK) {
            *error = "out of memory";
            return false;
        }

        if (now.state == CLI_DAEMON_ANSWERS && now.reloads != before) {
            *authd = now;
            return true;
        }

        (void) nanosleep(&step, NULL);
    }

    *error = "it has not read its configuration within ten seconds";

    return false;
}


int
cli_nginx_ask(const char *socket, const tg_alloc_t *alloc, cli_nginx_t *nginx)
{
    json_t        *root;
    cli_answer_t   answer;

    memset(nginx, 0, sizeof(cli_nginx_t));

    if (cli_ask_max(socket, "/tailgate/status?format=json", ANSWER_MAX, alloc,
                    &answer)
        != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    nginx->state = answered(&answer, "nginx", alloc, &nginx->error);

    if (nginx->state != CLI_DAEMON_ANSWERS) {
        return TG_OK;
    }

    root = json_loadb(answer.body.data, answer.body.len,
                      JSON_REJECT_DUPLICATES, NULL);

    if (!nginx_read(nginx, root, alloc)) {
        nginx->state = CLI_DAEMON_SILENT;
        nginx->error = "what answers there is not tailgate-status.conf's";
    }

    json_decref(root);

    return TG_OK;
}


static bool
nginx_read(cli_nginx_t *nginx, const json_t *root, const tg_alloc_t *alloc)
{
    const json_t  *digest, *config, *bus;

    digest = json_object_get(root, "digest");
    config = json_object_get(root, "config");
    bus = json_object_get(json_object_get(root, "cache"), "bus");

    nginx->digest = member(root, "digest", alloc);
    nginx->refused = json_is_false(json_object_get(config, "ok"));
    nginx->loaded = json_integer_value(json_object_get(config, "time"));
    nginx->bus_lost = json_is_string(bus)
                      && strcmp(json_string_value(bus), "lost") == 0;

    return json_is_string(digest) && json_is_object(config)
           && (nginx->digest.len == 0
               || nginx->digest.len == TG_POLICY_DIGEST_LEN);
}


int
cli_nginx_wait(const char *socket, tg_str_t digest, const tg_alloc_t *alloc,
    cli_nginx_t *nginx)
{
    int              i, settled;
    struct timespec  step = { 0, WAIT_NS };

    settled = 0;

    for (i = 0; i < WAIT_STEPS && settled < WAIT_SETTLED; i++) {

        if (cli_nginx_ask(socket, alloc, nginx) != TG_OK) {
            return TG_ERR_NOMEM;
        }

        /* an old worker may close a connection as it goes */

        if (nginx->state == CLI_DAEMON_ABSENT
            || nginx->state == CLI_DAEMON_HIDDEN
            || (nginx->state == CLI_DAEMON_ANSWERS && nginx->digest.len == 0))
        {
            break;
        }

        settled = nginx->state == CLI_DAEMON_ANSWERS
                  && cli_nginx_runs(nginx, digest) ? settled + 1 : 0;

        (void) nanosleep(&step, NULL);
    }

    return TG_OK;
}


bool
cli_nginx_runs(const cli_nginx_t *nginx, tg_str_t digest)
{
    return nginx->digest.len == digest.len
           && memcmp(nginx->digest.data, digest.data, digest.len) == 0;
}


static cli_daemon_state_t
answered(const cli_answer_t *answer, const char *name,
    const tg_alloc_t *alloc, const char **error)
{
    char  *text;

    if (answer->status == TGN_LOCALAPI_OK && answer->code == 200) {
        return CLI_DAEMON_ANSWERS;
    }

    if (answer->status == TGN_LOCALAPI_ABSENT) {
        *error = "there is no such socket";
        return CLI_DAEMON_ABSENT;
    }

    if (answer->status == TGN_LOCALAPI_DENIED
        || (answer->status == TGN_LOCALAPI_OK && answer->code == 403))
    {
        *error = "this account may not ask it";
        return CLI_DAEMON_HIDDEN;
    }

    text = alloc->alloc(alloc->ctx, TG_ERROR_TEXT_MAX);

    if (text == NULL) {
        *error = "out of memory";

    } else if (answer->code != 0) {
        (void) snprintf(text, TG_ERROR_TEXT_MAX, "%s answered %d: is it of"
                        " this version?", name, answer->code);
        *error = text;

    } else {
        (void) snprintf(text, TG_ERROR_TEXT_MAX, "%s does not answer: is it"
                        " running?", name);
        *error = text;
    }

    return CLI_DAEMON_SILENT;
}


static bool
authd_read(cli_authd_t *authd, const json_t *root, const tg_alloc_t *alloc)
{
    authd->pid = (pid_t) json_integer_value(json_object_get(root, "pid"));
    authd->ok = json_is_true(json_object_get(root, "ok"));
    authd->loaded = json_integer_value(json_object_get(root, "loaded"));
    authd->reloads = json_integer_value(json_object_get(root, "reloads"));
    authd->nroutes = json_integer_value(json_object_get(root, "nroutes"));

    authd->policy = member(root, "policy", alloc);
    authd->digest = member(root, "digest", alloc);
    authd->fault = member(root, "error", alloc);

    return authd->pid > 1 && authd->policy.len != 0;
}


static tg_str_t
member(const json_t *root, const char *key, const tg_alloc_t *alloc)
{
    char          *copy;
    size_t         len;
    tg_str_t       text = TG_NULL_STR;
    const json_t  *value;

    value = json_object_get(root, key);
    len = json_string_length(value);

    if (len == 0) {
        return text;
    }

    copy = alloc->alloc(alloc->ctx, len + 1);

    if (copy != NULL) {
        memcpy(copy, json_string_value(value), len);
        copy[len] = '\0';
        text.data = copy;
        text.len = len;
    }

    return text;
}


/* A number out of an answer is nothing to send a signal to unseen. */

static bool
is_authd(pid_t pid)
{
    int      fd;
    char     path[64], name[32];
    ssize_t  n;

    (void) snprintf(path, sizeof(path), "/proc/%ld/comm", (long) pid);

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return false;
    }

    n = read(fd, name, sizeof(name));
    (void) close(fd);

    return n == 15 && memcmp(name, "tailgate-authd\n", 15) == 0;
}
