# Copyright (C) The Tailgate authors

"""An example's nginx.conf in front of an application, on a small tailnet."""

import contextlib
import os
import subprocess

from tailgate_test import BUILD, HTTP, Nginx

from .browser import Browser
from .examples import printed

LISTEN = "127.0.0.1"

# What nginx needs here and not on a server.
MAIN = """
@USER@
daemon off;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log @LEVEL@;
"""

# The two knobs let more spellings of a header through than nginx does by
# itself.
KNOBS = """
    tailgate_localapi unix:@LOCALAPI@;
    underscores_in_headers on;
    ignore_invalid_headers off;
"""


def certificate(folder, host):
    os.makedirs(folder)
    path = os.path.join(folder, host)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout",
         f"{path}.key", "-out", f"{path}.crt"],
        check=True, capture_output=True)
    return f"{path}.crt"


class Site:
    """A running example: what it is called and how browsers get there."""

    def __init__(self, name, tailnet, nginx, ca):
        self.name = name
        self.tailnet = tailnet
        self.nginx = nginx
        self.ca = ca
        self.base = f"https://{name}.corp:{nginx.port}"

    def browser(self, person):
        return Browser(self.tailnet.address(person),
                       (LISTEN, self.nginx.port), self.base, self.ca)


@contextlib.contextmanager
def start_site(tailnet, folder, name, replace):
    """Starts nginx with examples/NAME/nginx.conf, REPLACE done in it."""
    conf = printed(name, "nginx.conf", {
        "100.101.102.103:443": f"{LISTEN}:@PORT@",
        "http {": f"http {{{HTTP}{KNOBS}", **replace})
    nginx = Nginx(folder, MAIN + conf, LOCALAPI=tailnet.localapi)
    os.symlink(BUILD, nginx.path("modules"))
    ca = certificate(nginx.path("tls"), f"{name}.corp")
    with nginx:
        yield Site(name, tailnet, nginx, ca)
