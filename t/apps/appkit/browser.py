# Copyright (C) The Tailgate authors

"""A browser for one address: its cookies stay when its person changes.

It opens a new connection for each request, as the identity of a loopback
peer belongs to its connection, and it resolves every name to the front, so
that the names in an example's configuration are used as they are.
"""

import http.client
import http.cookiejar
import json
import socket
import ssl
import urllib.parse
import urllib.request

TIMEOUT = 60


class Answer:
    """One response, read whole."""

    def __init__(self, response, url):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.url = url

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def path(self):
        return urllib.parse.urlsplit(self.url).path


class Browser:

    def __init__(self, source, front, base, ca=None):
        self.source = source
        self.front = front
        self.base = base
        self.tls = ca and ssl.create_default_context(cafile=ca)
        self.jar = http.cookiejar.CookieJar()

    def connect(self, host):
        plain = socket.create_connection(self.front, TIMEOUT,
                                         (self.source, 0))
        if not self.tls:
            return plain
        return self.tls.wrap_socket(plain, server_hostname=host)

    def cookie_header(self, url):
        """The Cookie header that belongs to a request for URL, or None."""
        request = urllib.request.Request(
            urllib.parse.urljoin(self.base, url))
        self.jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def cookies(self):
        return {cookie.name: cookie.value for cookie in self.jar}

    def once(self, method, url, body=None, headers=()):
        """One request and its answer; HEADERS are sent as they are spelled."""
        url = urllib.parse.urljoin(self.base, url)
        parts = urllib.parse.urlsplit(url)
        target = urllib.parse.urlunsplit(("", "", parts.path or "/",
                                          parts.query, ""))
        connection = http.client.HTTPSConnection(parts.netloc)
        connection.sock = self.connect(parts.hostname)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            cookie = self.cookie_header(url)
            if cookie:
                connection.putheader("Cookie", cookie)
            for name, value in dict(headers).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            answer = Answer(response, url)
        finally:
            connection.close()
        self.jar.extract_cookies(response, urllib.request.Request(url))
        return answer

    def request(self, method, url, body=None, headers=(), hops=10):
        """As once(), and follows redirects as browsers do."""
        answer = self.once(method, url, body, headers)
        while answer.status in (301, 302, 303, 307, 308):
            hops -= 1
            if hops < 0:
                raise RuntimeError(f"redirected too often, to {url}")
            if answer.status < 307:
                method, body = "GET", None
            url = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            answer = self.once(method, url, body, headers)
        return answer

    def get(self, url, **kwargs):
        return self.request("GET", url, **kwargs)

    def post_form(self, url, fields, headers=()):
        body = urllib.parse.urlencode(fields).encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", url, body, {**form, **dict(headers)})
