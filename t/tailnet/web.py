# Copyright (C) The Tailgate authors

"""nginx with the module on a node, and requests from other machines."""

import contextlib

import tailgate_test

# who the module takes a request for, told to the client of a test
WHO = """
    log_format tailnet '$remote_addr $status $tailgate_status'
                       ' login=$tailgate_login $uri';
    access_log @DIR@/tailnet.log tailnet;

    add_header X-Status $tailgate_status always;
    add_header X-Login $tailgate_login always;
"""

PLACES = """
        location / {
            tailgate on;
            tailgate_headers webauth;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location /off/ {
            tailgate off;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location /optional/ {
            tailgate optional;
            tailgate_headers webauth;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location /tagged/ {
            tailgate on;
            tailgate_peers member tagged;
            tailgate_headers webauth;
            tailgate_set_header X-Node $tailgate_node;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location /shared/ {
            tailgate on;
            tailgate_peers member shared;
            tailgate_headers webauth;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location /routed/ {
            tailgate on;
            tailgate_peers member routed;
            tailgate_headers webauth;
            proxy_pass http://127.0.0.1:@APP@;
        }
"""


@contextlib.contextmanager
def serving(node, name, conf, **values):
    """nginx and an app that echoes, on a node; gives the Nginx."""

    folder = node.net.folder / f"{node.space.name}-{name}"
    folder.mkdir(mode=0o755, exist_ok=True)

    with node.space.entered():
        app = tailgate_test.Echo()

    with app:
        # an unprivileged worker, as everywhere: the socket has to let it in
        nginx = tailgate_test.Nginx(
            folder, WHO + conf.replace("@PLACES@", PLACES),
            prefix=node.space.inside([]), user="nobody nogroup",
            LOCALAPI=node.socket, APP=app.port, **values)

        with nginx:
            nginx.app = app
            yield nginx


def get(machine, where, target="/", **more):
    """One request from a node, or from a namespace without one."""

    space = getattr(machine, "space", machine)

    with space.entered():
        return tailgate_test.get(where, target, **more)


def client(machine, where, **more):
    """A connection that is kept."""

    space = getattr(machine, "space", machine)

    with space.entered():
        return tailgate_test.Client(where, **more)


def said(answer):
    """The status of an answer, and whom the module took the client for."""

    return (answer.status, answer.header("X-Status"),
            answer.header("X-Login"))


def log_line(nginx, text):
    """The first line of the log of requests with that text; it is written
    after the client has its answer."""

    def found():
        for line in nginx.read("tailnet.log").splitlines():
            if text in line:
                return line
        return None

    return tailgate_test.wait_until(found, 5, f"{text!r} in the log")
