
/*
 * Copyright (C) The Tailgate authors
 *
 * What each kind of app wants to be told.  A new app is one array of headers
 * and one entry in the table below; docs/headers.md shows the same table.
 *
 * The encoding is a property of the app's runtime: WSGI servers, Tornado, Node
 * and the Java containers decode a header's bytes as ISO 8859-1, Go takes them
 * for UTF-8.  Logins go out in lower case, as many apps would make two
 * accounts of "Alice@example.com" and "alice@example.com".
 */

#include "core/headers/headers.h"

#include <string.h>


#define N(table)  (sizeof(table) / sizeof(table[0]))

/* Room for an encoding that makes three bytes of one. */

#define LOGIN_MAX    (3 * TG_LOGIN_MAX)
#define DISPLAY_MAX     (3 * TG_NAME_MAX)
#define GROUPS_MAX   4096


#define LOGIN(header, enc)                                                    \
    { .name = header, .source = TG_ATTR_LOGIN,                                \
      .transform = TG_TRANSFORM_LOWER, .encoding = enc, .max = LOGIN_MAX }

/* A login as it is, for those who expect what Tailscale's own programs send. */

#define LOGIN_WHOLE(header, enc)                                              \
    { .name = header, .source = TG_ATTR_LOGIN, .encoding = enc,               \
      .max = LOGIN_MAX }

/* The login before its "@", for apps that refuse an address as a name. */

#define USER(header, enc)                                                     \
    { .name = header, .source = TG_ATTR_USER,                                 \
      .transform = TG_TRANSFORM_LOWER, .encoding = enc, .max = LOGIN_MAX }

#define NAME(header, enc)                                                     \
    { .name = header, .source = TG_ATTR_NAME, .encoding = enc,                \
      .max = DISPLAY_MAX }

#define GROUPS(header, enc, sep)                                              \
    { .name = header, .source = TG_ATTR_GROUPS, .encoding = enc,              \
      .join = TG_JOIN_SEPARATOR, .separator = sep, .max = GROUPS_MAX }


/* Generic conventions: UTF-8, as that is what their inventors send. */

static const tg_header_t  webauth[] = {
    LOGIN("X-Webauth-User", TG_ENCODING_UTF8),
    LOGIN("X-Webauth-Email", TG_ENCODING_UTF8),
    NAME("X-Webauth-Name", TG_ENCODING_UTF8),
    GROUPS("X-Webauth-Groups", TG_ENCODING_UTF8, ',')
};

static const tg_header_t  remote_user[] = {
    LOGIN("Remote-User", TG_ENCODING_UTF8),
    LOGIN("Remote-Email", TG_ENCODING_UTF8),
    NAME("Remote-Name", TG_ENCODING_UTF8),
    GROUPS("Remote-Groups", TG_ENCODING_UTF8, ',')
};

static const tg_header_t  x_remote_user[] = {
    LOGIN("X-Remote-User", TG_ENCODING_UTF8),
    LOGIN("X-Remote-Email", TG_ENCODING_UTF8),
    NAME("X-Remote-Name", TG_ENCODING_UTF8),
    GROUPS("X-Remote-Group", TG_ENCODING_UTF8, ',')
};

static const tg_header_t  x_forwarded[] = {
    LOGIN("X-Forwarded-User", TG_ENCODING_UTF8),
    LOGIN("X-Forwarded-Email", TG_ENCODING_UTF8),
    USER("X-Forwarded-Preferred-Username", TG_ENCODING_UTF8),
    GROUPS("X-Forwarded-Groups", TG_ENCODING_UTF8, ',')
};

static const tg_header_t  x_auth_request[] = {
    LOGIN("X-Auth-Request-User", TG_ENCODING_UTF8),
    LOGIN("X-Auth-Request-Email", TG_ENCODING_UTF8),
    USER("X-Auth-Request-Preferred-Username", TG_ENCODING_UTF8),
    GROUPS("X-Auth-Request-Groups", TG_ENCODING_UTF8, ',')
};


/*
 * ipn/ipnlocal/serve.go, addTailscaleIdentityHeaders(): the picture is sent
 * though it is empty, and is not encoded.  cmd/nginx-auth: five headers, none
 * encoded; its Tailscale-Login is the login before the "@".
 */

#define TAILSCALE_SERVE                                                       \
    LOGIN_WHOLE("Tailscale-User-Login", TG_ENCODING_RFC2047),                 \
    NAME("Tailscale-User-Name", TG_ENCODING_RFC2047),                         \
    { .name = "Tailscale-User-Profile-Pic", .source = TG_ATTR_PICTURE,        \
      .encoding = TG_ENCODING_UTF8, .max = TG_URL_MAX, .empty = "" },         \
    { .name = "Tailscale-Headers-Info", .max = TG_URL_MAX,                    \
      .constant = "https://tailscale.com/s/serve-headers" }

#define NGINX_AUTH                                                            \
    LOGIN_WHOLE("Tailscale-User", TG_ENCODING_UTF8),                          \
    { .name = "Tailscale-Login", .source = TG_ATTR_USER,                      \
      .encoding = TG_ENCODING_UTF8, .max = LOGIN_MAX },                       \
    NAME("Tailscale-Name", TG_ENCODING_UTF8),                                 \
    { .name = "Tailscale-Profile-Picture", .source = TG_ATTR_PICTURE,         \
      .encoding = TG_ENCODING_UTF8, .max = TG_URL_MAX },                      \
    { .name = "Tailscale-Tailnet", .source = TG_ATTR_TAILNET,                 \
      .encoding = TG_ENCODING_UTF8, .max = DISPLAY_MAX }

static const tg_header_t  tailscale[] = { TAILSCALE_SERVE, NGINX_AUTH };
static const tg_header_t  tailscale_serve[] = { TAILSCALE_SERVE };
static const tg_header_t  nginx_auth[] = { NGINX_AUTH };


/*
 * An empty role would leave an old one in place, so there is always one.  The
 * capability is the one that Tailscale's proxy-to-grafana reads.
 */

static const char *const  grafana_roles[] = { "Viewer", "Editor", "Admin" };

static const tg_header_t  grafana[] = {
    LOGIN("X-Webauth-User", TG_ENCODING_QUOTED_PRINTABLE),
    NAME("X-Webauth-Name", TG_ENCODING_QUOTED_PRINTABLE),
    LOGIN("X-Webauth-Email", TG_ENCODING_QUOTED_PRINTABLE),

    { .name = "X-Webauth-Role", .source = TG_ATTR_CAPABILITY_FIELD,
      .encoding = TG_ENCODING_QUOTED_PRINTABLE, .max = 64, .empty = "Viewer",
      .cap = "tailscale.com/cap/proxy-to-grafana", .field = "role",
      .order = grafana_roles, .norder = N(grafana_roles) },

    { .name = "X-Webauth-Groups", .source = TG_ATTR_GROUPS,
      .encoding = TG_ENCODING_QUOTED_PRINTABLE,
      .join = TG_JOIN_SEPARATOR_OR_JSON, .separator = ',', .max = GROUPS_MAX }
};

static const char *const  grafana_cookies[] = { "grafana_session" };


/* Django: 150 characters is the column's width, past it is a 500. */

#define DJANGO_MAX  150

static const tg_header_t  netbox[] = {
    { .name = "Remote-User", .source = TG_ATTR_LOGIN,
      .transform = TG_TRANSFORM_LOWER, .encoding = TG_ENCODING_LATIN1,
      .max = DJANGO_MAX },

    LOGIN("Remote-User-Email", TG_ENCODING_LATIN1),

    { .name = "Remote-User-First-Name", .source = TG_ATTR_NAME,
      .transform = TG_TRANSFORM_FIRST_NAME, .encoding = TG_ENCODING_LATIN1,
      .max = DJANGO_MAX },

    { .name = "Remote-User-Last-Name", .source = TG_ATTR_NAME,
      .transform = TG_TRANSFORM_LAST_NAME, .encoding = TG_ENCODING_LATIN1,
      .max = DJANGO_MAX },

    GROUPS("Remote-User-Group", TG_ENCODING_LATIN1, '|')
};

static const char *const  django_cookies[] = { "sessionid" };


static const tg_header_t  radicale[] = {
    LOGIN("X-Remote-User", TG_ENCODING_LATIN1)
};

static const tg_header_t  tiddlywiki[] = {
    LOGIN("X-Webauth-User", TG_ENCODING_PERCENT)
};

static const tg_header_t  jupyterhub[] = {
    LOGIN("X-Webauth-User", TG_ENCODING_LATIN1)
};

/* the hub's, the servers' and the services', with cookie_host_prefix too */

static const char *const  jupyterhub_cookies[] = {
    "jupyterhub-*", "__Host-jupyterhub-*", "service-*", "__Host-service-*"
};


/* Who was let in may read; the rest is the capability's to give. */

static const char *const  otterwiki_roles[] = { "reader", "writer", "admin" };

static const char *const  otterwiki_permissions[] = {
    "READ", "READ,WRITE,UPLOAD", "READ,WRITE,UPLOAD,ADMIN"
};

static const tg_header_t  otterwiki[] = {
    NAME("X-Otterwiki-Name", TG_ENCODING_LATIN1),
    LOGIN("X-Otterwiki-Email", TG_ENCODING_LATIN1),

    { .name = "X-Otterwiki-Permissions", .source = TG_ATTR_CAPABILITY_FIELD,
      .encoding = TG_ENCODING_ASCII, .max = 64, .empty = "READ",
      .cap = "tailgate.dev/cap/otterwiki", .field = "role",
      .order = otterwiki_roles, .norder = N(otterwiki_roles),
      .values = otterwiki_permissions }
};


static const tg_header_t  pgadmin[] = {
    LOGIN("X-Forwarded-User", TG_ENCODING_LATIN1)
};

static const char *const  pgadmin_cookies[] = {
    "pga4_session", "remember_token"
};


static const tg_header_t  gitea[] = {
    USER("X-Webauth-User", TG_ENCODING_UTF8),
    LOGIN("X-Webauth-Email", TG_ENCODING_UTF8),
    NAME("X-Webauth-Fullname", TG_ENCODING_UTF8)
};

/* Gitea's session and remembered login, and Forgejo's names for them */

static const char *const  gitea_cookies[] = {
    "i_like_gitea", "gitea_incredible", "session", "persistent"
};


static const tg_header_t  miniflux[] = {
    LOGIN("X-Webauth-User", TG_ENCODING_UTF8)
};

static const char *const  miniflux_cookies[] = { "Miniflux*" };


static const tg_header_t  jenkins[] = {
    LOGIN("X-Forwarded-User", TG_ENCODING_LATIN1),
    LOGIN("X-Forwarded-Email", TG_ENCODING_LATIN1),
    NAME("X-Forwarded-DisplayName", TG_ENCODING_LATIN1),
    GROUPS("X-Forwarded-Groups", TG_ENCODING_LATIN1, '|')
};

static const char *const  jenkins_cookies[] = { "JSESSIONID*", "remember-me" };


static const tg_header_t  superset[] = {
    LOGIN("X-Remote-User", TG_ENCODING_LATIN1)
};

static const char *const  superset_cookies[] = { "session", "remember_token" };


static const tg_header_t  sonarqube[] = {
    LOGIN("X-Forwarded-Login", TG_ENCODING_LATIN1),
    NAME("X-Forwarded-Name", TG_ENCODING_LATIN1),
    LOGIN("X-Forwarded-Email", TG_ENCODING_LATIN1),
    GROUPS("X-Forwarded-Groups", TG_ENCODING_LATIN1, ',')
};

static const char *const  sonarqube_cookies[] = { "JWT-SESSION" };


static const char *const  openwebui_roles[] = { "pending", "user", "admin" };

static const tg_header_t  openwebui[] = {
    LOGIN("X-User-Email", TG_ENCODING_ASCII),
    NAME("X-User-Name", TG_ENCODING_PERCENT),
    GROUPS("X-User-Groups", TG_ENCODING_LATIN1, ','),

    { .name = "X-User-Role", .source = TG_ATTR_CAPABILITY_FIELD,
      .encoding = TG_ENCODING_ASCII, .max = 64, .empty = "user",
      .cap = "tailgate.dev/cap/openwebui", .field = "role",
      .order = openwebui_roles, .norder = N(openwebui_roles) }
};

static const char *const  openwebui_cookies[] = { "token" };


static const tg_header_t  django[] = {
    { .name = "Remote-User", .source = TG_ATTR_LOGIN,
      .transform = TG_TRANSFORM_LOWER, .encoding = TG_ENCODING_LATIN1,
      .max = DJANGO_MAX }
};


static const tg_header_t  homeassistant[] = {
    USER("X-Forwarded-Preferred-Username", TG_ENCODING_UTF8)
};


#define HEADERS(list)  .headers = list, .nheaders = N(list)
#define COOKIES(list)  .cookies = list, .ncookies = N(list)

static const tg_profile_t  profiles[] = {

    { .name = "webauth",
      .summary = "X-Webauth headers, as many Go programs take them",
      HEADERS(webauth) },

    { .name = "remote-user",
      .summary = "Remote-User and its kin, as Authelia sends them",
      HEADERS(remote_user) },

    { .name = "x-remote-user",
      .summary = "X-Remote-User and its kin",
      HEADERS(x_remote_user) },

    { .name = "x-forwarded",
      .summary = "X-Forwarded-User and its kin, as oauth2-proxy passes them",
      HEADERS(x_forwarded) },

    { .name = "x-auth-request",
      .summary = "X-Auth-Request headers, as oauth2-proxy answers them",
      HEADERS(x_auth_request) },

    { .name = "tailscale",
      .summary = "what tailscale serve and Tailscale's nginx-auth send",
      HEADERS(tailscale) },

    { .name = "tailscale-serve",
      .summary = "what tailscale serve sends",
      HEADERS(tailscale_serve) },

    { .name = "nginx-auth",
      .summary = "what Tailscale's nginx-auth sends",
      HEADERS(nginx_auth) },

    { .name = "gitea",
      .summary = "Gitea and Forgejo",
      HEADERS(gitea), COOKIES(gitea_cookies) },

    { .name = "grafana",
      .summary = "Grafana's auth proxy, with headers_encoded = true",
      HEADERS(grafana), COOKIES(grafana_cookies) },

    { .name = "homeassistant",
      .summary = "Home Assistant with hass-auth-header",
      HEADERS(homeassistant) },

    { .name = "jenkins",
      .summary = "Jenkins with its reverse proxy auth plugin",
      HEADERS(jenkins), COOKIES(jenkins_cookies) },

    { .name = "jupyterhub",
      .summary = "JupyterHub with a remote user authenticator",
      HEADERS(jupyterhub), COOKIES(jupyterhub_cookies) },

    { .name = "miniflux",
      .summary = "Miniflux",
      HEADERS(miniflux), COOKIES(miniflux_cookies) },

    { .name = "netbox",
      .summary = "NetBox, with group separator \"|\"",
      HEADERS(netbox), COOKIES(django_cookies) },

    { .name = "openwebui",
      .summary = "Open WebUI",
      HEADERS(openwebui), COOKIES(openwebui_cookies) },

    { .name = "otterwiki",
      .summary = "OtterWiki",
      HEADERS(otterwiki) },

    { .name = "paperless",
      .summary = "Paperless-ngx",
      HEADERS(django), COOKIES(django_cookies) },

    { .name = "pgadmin",
      .summary = "pgAdmin 4, with WEBSERVER_REMOTE_USER X-Forwarded-User",
      HEADERS(pgadmin), COOKIES(pgadmin_cookies),
      .secret_header = "X-Pgadmin-Webserver-Secret" },

    { .name = "radicale",
      .summary = "Radicale",
      HEADERS(radicale) },

    { .name = "sonarqube",
      .summary = "SonarQube",
      HEADERS(sonarqube), COOKIES(sonarqube_cookies) },

    { .name = "superset",
      .summary = "Superset",
      HEADERS(superset), COOKIES(superset_cookies) },

    { .name = "tiddlywiki",
      .summary = "TiddlyWiki on Node",
      HEADERS(tiddlywiki) }
};


const tg_profile_t *
tg_profile_table(size_t *n)
{
    *n = N(profiles);

    return profiles;
}


const tg_profile_t *
tg_profile_find(const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < N(profiles); i++) {
        if (strlen(profiles[i].name) == len
            && memcmp(profiles[i].name, name, len) == 0)
        {
            return &profiles[i];
        }
    }

    return NULL;
}
