# /opt/netbox/conf/configuration.py: the guide is docs/apps/netbox.md.

ALLOWED_HOSTS = ['netbox.corp']

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.postgresql',
        'NAME': 'netbox',
        'USER': 'netbox',
        'HOST': '/run/postgresql',
        'CONN_MAX_AGE': 300,
    }
}

REDIS = {
    'tasks': {'HOST': '127.0.0.1', 'PORT': 6379, 'DATABASE': 0},
    'caching': {'HOST': '127.0.0.1', 'PORT': 6379, 'DATABASE': 1},
}

with open('/etc/netbox/secret') as f:
    SECRET_KEY = f.read().strip()

# API tokens, which writers need, are stored with this in their hash.
with open('/etc/netbox/pepper') as f:
    API_TOKEN_PEPPERS = {1: f.read().strip()}

# Who you are is in the headers that Tailgate sends (profile "netbox").
REMOTE_AUTH_ENABLED = True
REMOTE_AUTH_AUTO_CREATE_USER = True
REMOTE_AUTH_HEADER = 'HTTP_REMOTE_USER'

# What you may do comes from the tailnet's groups.
REMOTE_AUTH_GROUP_SYNC_ENABLED = True
REMOTE_AUTH_AUTO_CREATE_GROUPS = True
REMOTE_AUTH_GROUP_HEADER = 'HTTP_REMOTE_USER_GROUP'
REMOTE_AUTH_GROUP_SEPARATOR = '|'
REMOTE_AUTH_SUPERUSER_GROUPS = ['group:netbox-admins']

# Groups are read when a session starts: a lost group counts within an hour.
LOGIN_TIMEOUT = 3600
LOGIN_PERSISTENCE = False

# "Log out" would log in again at once.
LOGOUT_REDIRECT_URL = 'home'
