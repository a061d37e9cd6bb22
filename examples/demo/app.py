#!/usr/bin/python3
"""Three small apps that know nothing of Tailgate: they read identity headers,
as Grafana, NetBox and many others do.

    app.py hello|dashboard|machines PORT
"""

import html
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server


def page(title, *lines):
    body = "".join(f"<p>{line}</p>\n" for line in lines)
    return (f"<!DOCTYPE html>\n<title>{title}</title>\n"
            f"<h1>{title}</h1>\n{body}")


def header(environ, name):
    """A header's value. WSGI gives each byte as one Latin-1 character."""
    value = environ.get("HTTP_" + name.upper().replace("-", "_"), "")
    return html.escape(value)


def hello(environ):
    name = header(environ, "Remote-Name") or header(environ, "Remote-User")
    return page(f"hello {name}",
                f"You are logged in as {header(environ, 'Remote-User')}.",
                f"Your address for mail is {header(environ, 'Remote-Email')}.")


def dashboard(environ):
    role = header(environ, "X-Webauth-Role")
    return page("Dashboard",
                f"Signed in as {header(environ, 'X-Webauth-User')},"
                f" role {role}.",
                "You may edit this dashboard." if role in ("Admin", "Editor")
                else "You may look at this dashboard.")


def machines(environ):
    return page("Machines",
                f"This request came from the node {header(environ, 'X-Node')},"
                f" which runs {header(environ, 'X-Os')}.",
                f"Tags: {header(environ, 'X-Tags') or 'none: it is somebody'}.")


APPS = {"hello": hello, "dashboard": dashboard, "machines": machines}


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in APPS:
        sys.exit(__doc__)

    app = APPS[sys.argv[1]]

    def serve(environ, start_response):
        body = app(environ).encode("latin-1", "replace")
        start_response("200 OK", [
            ("Content-Type", "text/html; charset=iso-8859-1"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store")])
        return [body]

    try:
        make_server("127.0.0.1", int(sys.argv[2]), serve,
                    handler_class=Quiet).serve_forever()
    except KeyboardInterrupt:
        pass


main()
