
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate status: how this node is, what is wrong and what to do about it.
 */

#include <cli/ask.h>
#include <cli/cli.h>
#include <cli/daemons.h>

#include <tailgate/addr.h>
#include <tailgate/identity.h>
#include <tailgate_config.h>

#include <getopt.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define ARENA_MAX     (4 * 1024 * 1024)
#define PROBLEMS_MAX  32
#define FAULT_MAX     400          /* bytes of another program's sentence */


/* What is wrong, each a sentence that says what to do. */

typedef struct {
    char    text[PROBLEMS_MAX][512];
    size_t  n;
} problems_t;


/* What runs by a policy here; a socket of NULL: that is not looked for. */

typedef struct {
    const char   *authd_socket;
    const char   *nginx_socket;
    bool          authd_named;     /* on the command line */
    bool          nginx_named;
    cli_authd_t   authd;
    cli_nginx_t   nginx;
} daemons_t;


static int parse(int argc, char **argv, const char **socket,
    daemons_t *daemons, bool *json, int *code);
static int examine_daemons(daemons_t *daemons, const tg_alloc_t *alloc,
    problems_t *problems);
static int whole_characters(tg_str_t text);
static void print_daemons(const daemons_t *daemons);
static void print_time(const char *name, int64_t seconds);
static int json_daemons(json_t *root, const daemons_t *daemons);
static int examine(const char *socket, const tg_alloc_t *alloc,
    tg_self_t *self, problems_t *problems);
static void problem(problems_t *problems, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void examine_state(const tg_self_t *self, problems_t *problems);
static void examine_addresses(const tg_self_t *self, problems_t *problems);
static bool has_interface(const tg_self_t *self, bool *known);
static bool in_container(void);
static void print_table(const char *socket, const tg_self_t *self,
    const daemons_t *daemons, const problems_t *problems);
static int print_json(const char *socket, const tg_self_t *self,
    const daemons_t *daemons, const problems_t *problems);


static const char  usage[] =
    "usage: tailgate status [--json] [--socket PATH] [--authd PATH]\n"
    "                       [--nginx PATH]\n"
    "\n"
    "Says how this node is, by which policy tailgate-authd and nginx run,\n"
    "what is wrong, and what to do about it.\n"
    "\n"
    "  --json          print one JSON object\n"
    "  --socket PATH   the LocalAPI socket (" TG_LOCALAPI_SOCKET ")\n"
    "  --authd PATH    tailgate-authd's socket\n"
    "                  (" CLI_AUTHD_SOCKET ", if it is there)\n"
    "  --nginx PATH    where nginx tells its policy, if\n"
    "                  tailgate-status.conf is included\n"
    "                  (" CLI_NGINX_SOCKET ", if it is there)\n"
    "  --help          print this message\n"
    "\n"
    "Exit status: 0 nothing is wrong, 1 something is, 2 the command line is\n"
    "wrong, 3 the identity service is unavailable.\n";


int
cli_status(int argc, char **argv)
{
    int          code, rc;
    bool         json;
    tg_self_t    self = { 0 };
    tg_alloc_t   alloc;
    tg_arena_t  *arena;
    daemons_t    daemons;
    problems_t   problems;
    const char  *socket;

    if (parse(argc, argv, &socket, &daemons, &json, &code) != TG_OK) {
        return code;
    }

    arena = tg_arena_new(ARENA_MAX);

    if (arena == NULL) {
        cli_error("status", "out of memory");
        return CLI_UNAVAILABLE;
    }

    problems.n = 0;
    alloc = tg_arena_allocator(arena);
    code = examine(socket, &alloc, &self, &problems);
    rc = examine_daemons(&daemons, &alloc, &problems);

    if (code == CLI_OK || rc == CLI_UNAVAILABLE) {
        code = rc;
    }

    if (socket == NULL) {
        socket = TG_LOCALAPI_SOCKET;
    }

    if (!json) {
        print_table(socket, &self, &daemons, &problems);

    } else if (print_json(socket, &self, &daemons, &problems) != TG_OK) {
        cli_error("status", "out of memory");
        code = CLI_UNAVAILABLE;
    }

    tg_arena_free(&arena);

    return code;
}


static int
parse(int argc, char **argv, const char **socket, daemons_t *daemons,
    bool *json, int *code)
{
    int  c;

    static const struct option  options[] = {
        { "json", no_argument, NULL, 'j' },
        { "socket", required_argument, NULL, 's' },
        { "authd", required_argument, NULL, 'a' },
        { "nginx", required_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    memset(daemons, 0, sizeof(daemons_t));

    daemons->authd_socket = CLI_AUTHD_SOCKET;
    daemons->nginx_socket = CLI_NGINX_SOCKET;

    *socket = NULL;
    *json = false;
    *code = CLI_USAGE;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j':
            *json = true;
            break;

        case 's':
            *socket = optarg;
            break;

        case 'a':
            daemons->authd_socket = optarg;
            daemons->authd_named = true;
            break;

        case 'n':
            daemons->nginx_socket = optarg;
            daemons->nginx_named = true;
            break;

        case 'h':
            fputs(usage, stdout);
            *code = CLI_OK;
            return TG_ERR_ABSENT;

        default:
            cli_usage("status", "the command line was not understood");
            return TG_ERR_SYNTAX;
        }
    }

    if (optind != argc) {
        cli_usage("status", "\"%s\" is one argument too many", argv[optind]);
        return TG_ERR_SYNTAX;
    }

    return TG_OK;
}


static int
examine(const char *socket, const tg_alloc_t *alloc, tg_self_t *self,
    problems_t *problems)
{
    size_t         i;
    cli_answer_t   answer;

    if (cli_ask_self(socket, alloc, self, &answer) != TG_OK) {
        problem(problems, "%s", answer.error);
        return CLI_UNAVAILABLE;
    }

    examine_state(self, problems);

    if (self->running) {
        examine_addresses(self, problems);
    }

    for (i = 0; i < self->health.n; i++) {
        problem(problems, "tailscaled reports: %.*s",
                (int) self->health.items[i].len, self->health.items[i].data);
    }

    if (!self->running) {
        return CLI_UNAVAILABLE;
    }

    return (problems->n == 0) ? CLI_OK : CLI_BAD;
}


/*
 * What is not there, or hidden from this account, is a fault only where it was
 * asked for.
 */

static int
examine_daemons(daemons_t *daemons, const tg_alloc_t *alloc,
    problems_t *problems)
{
    size_t               n;
    cli_daemon_state_t   state;

    n = problems->n;

    if (cli_authd_ask(daemons->authd_socket, alloc, &daemons->authd) != TG_OK
        || cli_nginx_ask(daemons->nginx_socket, alloc, &daemons->nginx)
           != TG_OK)
    {
        problem(problems, "out of memory");
        return CLI_UNAVAILABLE;
    }

    state = daemons->authd.state;

    if (state == CLI_DAEMON_SILENT
        || (state != CLI_DAEMON_ANSWERS && daemons->authd_named))
    {
        problem(problems, "tailgate-authd at %s: %s", daemons->authd_socket,
                daemons->authd.error);
    }

    if (state == CLI_DAEMON_ANSWERS && !daemons->authd.ok) {
        problem(problems, "tailgate-authd refused its last reload and goes on"
                " by what was in force: %.*s",
                whole_characters(daemons->authd.fault),
                daemons->authd.fault.data);
    }

    state = daemons->nginx.state;

    if (state == CLI_DAEMON_SILENT
        || (state != CLI_DAEMON_ANSWERS && daemons->nginx_named))
    {
        problem(problems, "nginx at %s: %s", daemons->nginx_socket,
                daemons->nginx.error);
    }

    if (daemons->nginx.refused) {
        problem(problems, "nginx refused its last reload and goes on by what"
                " was in force: its error log says why");
    }

    if (daemons->nginx.bus_lost) {
        problem(problems, "nginx does not hear of changes from tailscaled:"
                " each peer is asked for anew until it does");
    }

    return problems->n == n ? CLI_OK : CLI_BAD;
}


/* How much of text fits into a problem without half a character. */

static int
whole_characters(tg_str_t text)
{
    size_t  len;

    len = text.len < FAULT_MAX ? text.len : FAULT_MAX;

    while (len != 0 && len < text.len
           && ((unsigned char) text.data[len] & 0xc0) == 0x80)
    {
        len--;
    }

    return (int) len;
}


static void
problem(problems_t *problems, const char *format, ...)
{
    va_list  args;

    if (problems->n == PROBLEMS_MAX) {
        return;
    }

    va_start(args, format);
    vsnprintf(problems->text[problems->n], sizeof(problems->text[0]), format,
              args);
    va_end(args);

    problems->n++;
}


static void
examine_state(const tg_self_t *self, problems_t *problems)
{
    size_t  i;

    /* The states of tailscale's ipn.State. */

    static const struct {
        const char  *state;
        const char  *advice;
    } states[] = {
        { "NoState", "tailscaled has no network map yet: every request is a "
          "503 until it has; if this lasts, its control server is out of "
          "reach: look at tailscale status" },
        { "InUseOtherUser", "another user of this machine runs tailscale" },
        { "NeedsLogin", "this node is logged out: run tailscale up" },
        { "NeedsMachineAuth", "an admin of the tailnet has to approve this "
          "node" },
        { "Stopped", "tailscale is stopped: run tailscale up" },
        { "Starting", "tailscaled is starting: ask again in a moment" },
    };

    if (self->running) {
        return;
    }

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (self->state.len == strlen(states[i].state)
            && memcmp(self->state.data, states[i].state, self->state.len) == 0)
        {
            problem(problems, "%s", states[i].advice);
            return;
        }
    }

    problem(problems, "tailscaled is in state \"%.*s\", and not Running",
            (int) self->state.len, self->state.data);
}


static void
examine_addresses(const tg_self_t *self, problems_t *problems)
{
    bool  known;

    if (self->naddrs == 0) {
        problem(problems, "this node has no address on its tailnet");
        return;
    }

    if (has_interface(self, &known) || !known) {
        return;
    }

    if (in_container()) {
        problem(problems, "none of this node's addresses is on an interface "
                "of this container: nginx in a container sees the bridge's "
                "address instead of the peer's, and everybody is a stranger; "
                "give the container the host's network (network_mode: host), "
                "or the network of the one that runs tailscaled");
        return;
    }

    problem(problems, "none of this node's addresses is on an interface here: "
            "tailscaled runs with userspace networking, or in another network "
            "namespace; with userspace networking peers come from 127.0.0.1 "
            "and Tailgate tells them apart by port, else run nginx where "
            "tailscaled runs");
}


static bool
has_interface(const tg_self_t *self, bool *known)
{
    bool             found;
    size_t           i;
    tg_addr_t        addr;
    socklen_t        len;
    struct ifaddrs  *list, *ifa;

    found = false;
    *known = (getifaddrs(&list) == 0);

    if (!*known) {
        return false;
    }

    for (ifa = list; ifa != NULL && !found; ifa = ifa->ifa_next) {
        if (ifa->ifa_addr == NULL) {
            continue;
        }

        len = (ifa->ifa_addr->sa_family == AF_INET6)
              ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

        if (tg_addr_from_sockaddr(&addr, ifa->ifa_addr, len) != TG_OK) {
            continue;
        }

        for (i = 0; i < self->naddrs; i++) {
            found = found || tg_addr_equal(&addr, &self->addrs[i]);
        }
    }

    freeifaddrs(list);

    return found;
}


/* The marks that Docker and Podman leave. */

static bool
in_container(void)
{
    return access("/.dockerenv", F_OK) == 0
           || access("/run/.containerenv", F_OK) == 0;
}


static void
print_table(const char *socket, const tg_self_t *self,
    const daemons_t *daemons, const problems_t *problems)
{
    char      text[TG_ADDR_TEXT_MAX];
    size_t    i;
    tg_str_t  value;

    value.data = socket;
    value.len = strlen(socket);
    cli_row("socket", value);
    cli_row("state", self->state);
    cli_row("tailscaled", self->version);
    cli_row("node", self->node);
    cli_row("node id", self->node_id);
    cli_row("tailnet", self->tailnet);

    for (i = 0; i < self->naddrs; i++) {
        value.data = text;
        value.len = tg_addr_format(&self->addrs[i], false, text);
        cli_row("address", value);
    }

    value = (tg_str_t) TG_STR(TAILGATE_VERSION);
    cli_row("tailgate", value);

    print_daemons(daemons);

    for (i = 0; i < problems->n; i++) {
        value.data = problems->text[i];
        value.len = strlen(problems->text[i]);
        cli_row("problem", value);
    }

    if (problems->n == 0) {
        value = (tg_str_t) TG_STR("none");
        cli_row("problems", value);
    }
}


static void
print_daemons(const daemons_t *daemons)
{
    tg_str_t  value;

    if (daemons->authd.state == CLI_DAEMON_ANSWERS) {
        cli_row("authd policy", daemons->authd.policy);
        cli_row("authd digest", daemons->authd.digest);
        print_time("authd loaded", daemons->authd.loaded);

    } else if (daemons->authd.state == CLI_DAEMON_HIDDEN) {
        value = (tg_str_t) TG_STR("runs, and this account may not ask it");
        cli_row("authd", value);
    }

    if (daemons->nginx.state == CLI_DAEMON_ANSWERS) {
        value = (tg_str_t) TG_STR("no tailgate_policy in http");
        cli_row("nginx digest", daemons->nginx.digest.len
                                ? daemons->nginx.digest : value);
        print_time("nginx loaded", daemons->nginx.loaded);
    }
}


static void
print_time(const char *name, int64_t seconds)
{
    time_t     t;
    char       text[32];
    tg_str_t   value;
    struct tm  tm;

    t = (time_t) seconds;

    if (gmtime_r(&t, &tm) != NULL) {
        value.data = text;
        value.len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
        cli_row(name, value);
    }
}


static int
json_daemons(json_t *root, const daemons_t *daemons)
{
    json_t  *nginx;

    if (daemons->authd.state != CLI_DAEMON_ABSENT
        && json_object_set_new(root, "authd",
                               cli_authd_json(daemons->authd_socket,
                                              &daemons->authd))
           != 0)
    {
        return TG_ERR_NOMEM;
    }

    if (daemons->nginx.state != CLI_DAEMON_ANSWERS) {
        return TG_OK;
    }

    nginx = json_pack("{s:s}", "socket", daemons->nginx_socket);

    if (nginx == NULL) {
        return TG_ERR_NOMEM;
    }

    cli_set_text(nginx, "digest", daemons->nginx.digest);

    (void) json_object_set_new(nginx, "loaded",
                               json_integer(daemons->nginx.loaded));
    (void) json_object_set_new(nginx, "ok",
                               json_boolean(!daemons->nginx.refused));

    return json_object_set_new(root, "nginx", nginx) == 0 ? TG_OK
                                                          : TG_ERR_NOMEM;
}


static int
print_json(const char *socket, const tg_self_t *self,
    const daemons_t *daemons, const problems_t *problems)
{
    int      rc;
    char     text[TG_ADDR_TEXT_MAX];
    size_t   i;
    json_t  *root, *list;

    rc = TG_ERR_NOMEM;
    root = json_pack("{s:s, s:b, s:s}", "socket", socket, "running",
                     (int) self->running, "tailgate", TAILGATE_VERSION);

    if (root == NULL) {
        return rc;
    }

    cli_set_text(root, "state", self->state);
    cli_set_text(root, "tailscaled", self->version);
    cli_set_text(root, "node", self->node);
    cli_set_text(root, "node_id", self->node_id);
    cli_set_text(root, "tailnet", self->tailnet);

    list = json_array();

    for (i = 0; i < self->naddrs; i++) {
        tg_addr_format(&self->addrs[i], false, text);
        json_array_append_new(list, json_string(text));
    }

    json_object_set_new(root, "addresses", list);

    list = json_array();

    for (i = 0; i < problems->n; i++) {
        json_array_append_new(list, json_string(problems->text[i]));
    }

    if (json_object_set_new(root, "problems", list) == 0
        && json_daemons(root, daemons) == TG_OK
        && json_dumpf(root, stdout, JSON_INDENT(2)) == 0)
    {
        putchar('\n');
        rc = TG_OK;
    }

    json_decref(root);

    return rc;
}
