# config_local.py, beside pgAdmin's own config.py, or anywhere on its
# PYTHONPATH: the guide is docs/apps/pgadmin.md.

DATA_DIR = '/var/lib/pgadmin'
SERVER_MODE = True
UPGRADE_CHECK_ENABLED = False

# Who you are is in X-Forwarded-User, which Tailgate sends (profile
# "pgadmin"), and pgAdmin takes it only from nginx, with the secret that
# only the two of them can read.
AUTHENTICATION_SOURCES = ['webserver']
WEBSERVER_AUTO_CREATE_USER = True
WEBSERVER_REMOTE_USER = 'X-Forwarded-User'
WEBSERVER_REMOTE_USER_FROM_HEADER = True
WEBSERVER_TRUSTED_PROXIES = ['127.0.0.1/32']

with open('/etc/tailgate/pgadmin.secret') as f:
    WEBSERVER_SHARED_SECRET = f.read().strip()

# nginx ends TLS: the session's cookie must not travel without it.
SESSION_COOKIE_SECURE = True
