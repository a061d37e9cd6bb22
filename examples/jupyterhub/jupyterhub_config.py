# /etc/jupyterhub/jupyterhub_config.py: the guide is docs/apps/jupyterhub.md.

c = get_config()  # noqa: F821

c.JupyterHub.bind_url = 'http://127.0.0.1:8000'
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:8081'
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:8001'

# Who you are is in X-Webauth-User, which Tailgate sends (profile
# "jupyterhub").  Who may come in at all is Tailgate's decision.
c.JupyterHub.authenticator_class = (
    'jhub_remote_user_authenticator.remote_user_auth.RemoteUserAuthenticator')
c.RemoteUserAuthenticator.header_name = 'X-Webauth-User'
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {'alice@example.com'}

# All notebooks run as the account that runs the hub: for people who trust
# each other.  The guide names the spawners that keep them apart.
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = (
    '/srv/jupyterhub/home/{username}')
