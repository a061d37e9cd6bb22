# Copyright (C) The Tailgate authors

"""What the tests in Python share: nginx with the module from a configuration,
a devnet, an app that says what it was sent, an HTTP client that sends bytes as
they are, and asserts over what nginx logged, made when it is stopped.

    with Devnet(tmp_path, PEOPLE) as devnet, Echo() as app:
        with Nginx(tmp_path, CONF, LOCALAPI=devnet.socket, APP=app.port) as n:
            answer = get(n.port, "/", source="127.0.0.11")
            assert answer.json()["headers"]["x-webauth-user"] == [...]

@NAME@ in a configuration is replaced; @PORT@, @DIR@ and @MODULE@ are there
always.
"""

import collections
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("TAILGATE_BUILD", os.path.join(ROOT, "build"))
NGINX = os.environ.get("TEST_NGINX_BINARY", "/usr/sbin/nginx")
MODULE = os.path.join(BUILD, "ngx_http_tailgate_module.so")
TAILGATE = os.path.join(BUILD, "tailgate")

# What a test may not leave in the log of nginx. The master itself logs that
# a worker was killed.
FORBIDDEN = re.compile(
    r"\[(?:alert|emerg)\]|Sanitizer|runtime error:"
    r"|open socket #\d+ left in connection")
ALLOWED = re.compile(r"exited on signal")

MAIN = """
load_module @MODULE@;
@USER@
daemon off;
master_process on;
worker_processes @WORKERS@;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log @LEVEL@;

events {
    worker_connections 4096;
}
"""

HTTP = """
    access_log @DIR@/access.log;
    client_body_temp_path @DIR@/tmp-body;
    proxy_temp_path @DIR@/tmp-proxy;
    fastcgi_temp_path @DIR@/tmp-fastcgi;
    uwsgi_temp_path @DIR@/tmp-uwsgi;
    scgi_temp_path @DIR@/tmp-scgi;
"""


def ports_of_worker():
    """Ports that no other process of this pytest gives to its tests, each
    once before any comes again: nobody listens yet on one just given."""

    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[len("gw"):])
    ports = list(range(10240 + number % count, 32768, count))
    random.shuffle(ports)
    return itertools.cycle(ports)


PORTS = ports_of_worker()


def free_port(host="0.0.0.0"):
    """A TCP port that nobody listens on at the moment, and that the kernel
    does not give to somebody's client before a test listens on it."""

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in PORTS:
        with socket.socket(family) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((host, port))
                return port
            except OSError:
                continue


def wait_until(ready, seconds=10, what="the condition", pause=0.01):
    """Calls ready() until it gives something true, and returns that."""

    deadline = time.monotonic() + seconds
    while True:
        result = ready()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not so after {seconds} s")
        time.sleep(pause)


def listening(address):
    """Whether somebody accepts at (host, port) or at a Unix path."""

    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(address)
        else:
            socket.create_connection(address, 1).close()
        return True
    except OSError:
        return False


def sanitizer_environment(directory):
    """What a program that is not instrumented needs to load a module that
    is; empty for an ordinary build."""

    dynamic = subprocess.run(["readelf", "-d", MODULE], capture_output=True,
                             text=True, check=False).stdout
    if "libasan" not in dynamic:
        return {}

    library = subprocess.run(["gcc", "-print-file-name=libasan.so"],
                             capture_output=True, text=True,
                             check=True).stdout.strip()
    return {"LD_PRELOAD": library,
            "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"
                            f":log_path={directory}/sanitizer",
            "UBSAN_OPTIONS": "print_stacktrace=1"
                             f":log_path={directory}/sanitizer"}


def stop_process(process, number=signal.SIGTERM, seconds=10):
    """Ends a child that nobody has told to end yet, by force if it has to be.
    A second signal may meet a program that is past its handlers."""

    if process.poll() is None:
        process.send_signal(number)
    return ended(process, seconds)


def ended(process, seconds=10):
    """Waits for a child that was told to end: its status."""

    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"{process.args[0]} did not end in"
                             f" {seconds} s") from None


def is_sanitized():
    """Whether the module is instrumented: memory is then no measure."""

    return bool(sanitizer_environment("."))


class ConfigError(Exception):
    """nginx refused a configuration; the text is what it said."""


class Nginx:
    """One nginx of its own. conf is what stands inside of http {}, or a whole
    file if it has an http block itself."""

    def __init__(self, directory, conf, *, workers=1, level="info",
                 allow=None, user=None, binary=NGINX, prefix=(), **values):
        self.directory = os.path.join(str(directory), "nginx")
        os.makedirs(self.directory, exist_ok=True)
        self.allow = re.compile(allow) if allow else None
        self.binary = binary
        self.prefix = list(prefix)
        self.process = None
        self.port = values.setdefault("PORT", free_port())
        if user is None:
            user = "root" if os.geteuid() == 0 else ""
        self.values = {"MODULE": MODULE, "DIR": self.directory,
                       "WORKERS": workers, "LEVEL": level,
                       "USER": f"user {user};" if user else "", **values}
        self.environment = {**os.environ,
                            **sanitizer_environment(self.directory)}
        self.configure(conf)

    def configure(self, conf, **values):
        """Writes nginx.conf; a running nginx takes it by reload()."""

        if not re.search(r"^http\s*\{", conf, re.MULTILINE):
            conf = f"{MAIN}\nhttp {{{HTTP}\n{conf}\n}}\n"

        values = {**self.values, **values}
        text = re.sub(r"@([A-Z][A-Z0-9_]*)@",
                      lambda m: str(values[m.group(1)]), conf)
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as f:
            f.write(text)

    def path(self, name):
        return os.path.join(self.directory, name)

    def command(self, *arguments):
        return [*self.prefix, self.binary, "-p", self.directory, "-e",
                self.path("error.log"), "-c", self.path("nginx.conf"),
                *arguments]

    def test(self):
        """nginx -t: its text, or ConfigError."""

        done = subprocess.run(self.command("-t"), env=self.environment,
                              capture_output=True, text=True, check=False,
                              errors="replace")
        if done.returncode != 0:
            raise ConfigError(done.stderr)
        return done.stderr

    def start(self):
        with open(self.path("stderr"), "ab") as stderr:
            self.process = subprocess.Popen(
                self.command(), env=self.environment, stderr=stderr,
                stdin=subprocess.DEVNULL)
        try:
            wait_until(self.started, 30, "nginx starts")
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def started(self):
        if self.process.poll() is not None:
            with open(self.path("stderr"), encoding="utf-8",
                      errors="replace") as f:
                raise ConfigError(f.read() + self.error_log())
        return (os.path.exists(self.path("nginx.pid"))
                and len(self.workers()) >= int(self.values["WORKERS"]))

    def workers(self):
        """Process ids of the workers, those that shut down included."""

        pids = []
        path = f"/proc/{self.master()}/task/{self.master()}/children"
        try:
            with open(path, encoding="ascii") as f:
                pids = [int(pid) for pid in f.read().split()]
        except OSError:
            pass
        return pids

    def master(self):
        """The master's process id, which a prefix command may hide."""

        try:
            with open(self.path("nginx.pid"), encoding="ascii") as f:
                return int(f.read())
        except (OSError, ValueError):
            return self.process.pid

    def reload(self, conf=None, seconds=20, **values):
        """Takes over a new configuration; the old workers may linger."""

        if conf is not None:
            self.configure(conf, **values)
        old = set(self.workers())
        os.kill(self.master(), signal.SIGHUP)
        wait_until(lambda: set(self.workers()) - old, seconds,
                   "a new generation of workers")

    def descriptors(self):
        """How many file descriptors the workers hold."""

        return sum(len(os.listdir(f"/proc/{pid}/fd"))
                   for pid in self.workers())

    def error_log(self):
        return self.read("error.log")

    def access_log(self):
        return self.read("access.log")

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def lines(self, name, n):
        """The first n lines of a log, waited for: nginx writes a request's
        when its answer is already out."""

        return wait_until(lambda: len(self.read(name).splitlines()) >= n
                          and self.read(name).splitlines(), 5,
                          f"{n} lines in {name}")

    def logged(self, text, seconds=5):
        """Waits for text in the error log."""

        wait_until(lambda: text in self.error_log(), seconds,
                   f"{text!r} in the error log")

    def signal(self, number):
        """To the master, if there is one."""

        if self.process.poll() is None:
            os.kill(self.master() if self.prefix else self.process.pid,
                    number)

    def stop(self):
        """Ends nginx gracefully and looks at what it left."""

        if self.process is not None:
            self.signal(signal.SIGQUIT)
            self.stopped()

    def stopped(self):
        """What stop() does, behind a signal that a test has sent."""

        process, self.process = self.process, None
        status = ended(process, 30)
        self.assert_clean()
        assert status == 0, f"nginx ended with {status}"

    def assert_clean(self):
        faults = [line for line in self.error_log().splitlines()
                  if FORBIDDEN.search(line) and not ALLOWED.search(line)
                  and not (self.allow and self.allow.search(line))]
        assert not faults, "\n".join(faults)
        for name in sorted(os.listdir(self.directory)):
            if name.startswith("sanitizer"):
                assert not self.read(name), self.read(name)
        assert not FORBIDDEN.search(self.read("stderr")), self.read("stderr")

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self.stop()
            return
        if self.process is not None:
            self.signal(signal.SIGTERM)
            process, self.process = self.process, None
            ended(process)
        print(self.error_log()[-20000:])
        for name in sorted(os.listdir(self.directory)):
            if name.startswith("sanitizer"):
                print(self.read(name))


class Devnet:
    """tailgate devnet over a file of people, given as text."""

    def __init__(self, directory, people, *, prefix=()):
        self.directory = os.path.join(str(directory), "devnet")
        os.makedirs(self.directory, exist_ok=True)
        self.file = os.path.join(self.directory, "people.yaml")
        self.socket = os.path.join(self.directory, "localapi.sock")
        self.control = os.path.join(self.directory, "control.sock")
        self.prefix = list(prefix)
        self.process = None
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(people)

    def start(self):
        log = os.path.join(self.directory, "log")
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [*self.prefix, TAILGATE, "devnet", self.file, "--socket",
                 self.socket, "--control", self.control],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)

        def ready():
            if self.process.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as f:
                    raise AssertionError(f"devnet ended: {f.read()}")
            return listening(self.socket) and listening(self.control)

        wait_until(ready, 20, "devnet starts")
        return self

    def ctl(self, *words):
        """Changes the tailnet while it runs; returns what ctl printed."""

        done = subprocess.run(
            [TAILGATE, "devnet", "ctl", "--control", self.control,
             *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def count(self, reset=False):
        """Calls so far, as {"whois": n, "status": n, ...}."""

        return json.loads(self.ctl("count", *(["reset"] if reset else [])))

    def stop(self):
        if self.process is not None:
            process, self.process = self.process, None
            stop_process(process)

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.stop()


class Server:
    """Accepts connections at a TCP address or a Unix path and serves each by
    self.serve(connection) in a thread."""

    def __init__(self, host="127.0.0.1", path=None, port=0):
        self.path = path
        self.closing = False
        self.open = set()
        self.lock = threading.Lock()
        if path is None:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.listener = socket.socket(family)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((host, port))
            self.port = self.listener.getsockname()[1]
        else:
            if os.path.exists(path):
                os.unlink(path)
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            os.chmod(path, 0o666)
        self.listener.listen(4096)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.closing:
                    connection.close()
                    return
                self.open.add(connection)
            threading.Thread(target=self.run, args=(connection,),
                             daemon=True).start()

    def run(self, connection):
        try:
            self.serve(connection)
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(connection)
            connection.close()

    def serve(self, connection):
        raise NotImplementedError

    def close(self):
        with self.lock:
            self.closing = True
            connections = list(self.open)
        for connection in [self.listener, *connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
        self.thread.join(5)
        if self.path is not None and os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Incomplete(Exception):
    """The other side closed before its message was whole."""


class Reader:
    """HTTP/1 messages from a socket. Bytes of a header become characters of
    the same number (Latin-1)."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def fill(self):
        data = self.connection.recv(65536)
        if not data:
            raise Incomplete(self.buffer)
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        part, self.buffer = self.buffer.split(mark, 1)
        return part

    def exactly(self, n):
        while len(self.buffer) < n:
            self.fill()
        part, self.buffer = self.buffer[:n], self.buffer[n:]
        return part

    def rest(self):
        try:
            while True:
                self.fill()
        except Incomplete:
            part, self.buffer = self.buffer, b""
            return part

    def chunks(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self.until(b"\r\n"):
                    pass
                return body
            body += self.exactly(size)
            self.exactly(2)

    def head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name, value.strip(" \t")))
        return lines[0], headers


def by_name(headers):
    """{"lower-case-name": [value, ...]}, in the order sent."""

    names = collections.OrderedDict()
    for name, value in headers:
        names.setdefault(name.lower(), []).append(value)
    return names


class Echo(Server):
    """An app: answers with what it was sent, as JSON {method, uri, version,
    raw_headers: [[name, value], ...], headers: {name: [values]}, body}.

    answers maps a path to (status, [(name, value), ...], body) or to a
    function of the request that gives such. A request for an upgrade is
    granted, and bytes then come back as they are."""

    def __init__(self, answers=None, **where):
        self.answers = answers or {}
        self.requests = []
        super().__init__(**where)

    def serve(self, connection):
        reader = Reader(connection)
        while True:
            try:
                request = self.request(reader)
            except Incomplete:
                return
            self.requests.append(request)
            if "upgrade" in request["headers"]:
                self.upgrade(connection, reader, request)
                return
            if not self.respond(connection, request):
                return

    @staticmethod
    def request(reader):
        line, headers = reader.head()
        method, uri, version = line.split(" ", 2)
        names = by_name(headers)
        if "transfer-encoding" in names:
            body = reader.chunks()
        else:
            body = reader.exactly(int(names.get("content-length", ["0"])[0]))
        return {"method": method, "uri": uri, "version": version,
                "raw_headers": headers, "headers": names,
                "body": body.decode("latin-1")}

    def respond(self, connection, request):
        answer = self.answers.get(request["uri"].split("?")[0])
        if callable(answer):
            answer = answer(request)
        if answer is None:
            answer = (200, [("Content-Type", "application/json")],
                      json.dumps(request))
        status, headers, body = answer
        if isinstance(body, str):
            body = body.encode("utf-8")
        keep = (request["version"] == "HTTP/1.1" and request["headers"]
                .get("connection", [""])[0].lower() != "close")
        lines = [f"HTTP/1.1 {status} Test", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if not keep:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        if request["method"] == "HEAD":
            body = b""
        connection.sendall(head + body)
        return keep

    @staticmethod
    def upgrade(connection, reader, request):
        says = json.dumps(request["headers"]).encode("ascii")
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: "
            + request["headers"]["upgrade"][0].encode("latin-1")
            + b"\r\nConnection: Upgrade\r\n\r\n" + says + b"\n")
        data = reader.buffer
        while True:
            if data:
                connection.sendall(data)
            data = connection.recv(65536)
            if not data:
                return


Answer = collections.namedtuple("Answer", "status headers body line")


class Response(Answer):
    """status (a number), headers ([(name, value), ...]), body (bytes)."""

    __slots__ = ()

    def header(self, name):
        """The value of a header, None without one; two are a fault."""

        values = by_name(self.headers).get(name.lower(), [])
        assert len(values) <= 1, f"{name}: {values}"
        return values[0] if values else None

    def all(self, name):
        return by_name(self.headers).get(name.lower(), [])

    def json(self):
        return json.loads(self.body)

    def seen(self, name):
        """What Echo got as that header: a list, most often of one."""

        return self.json()["headers"].get(name.lower(), [])


class Client:
    """One connection, kept alive. where is a port on 127.0.0.1, an address
    or the path of a Unix socket."""

    def __init__(self, where, source=None, tls=None, timeout=20,
                 before_tls=b""):
        if isinstance(where, int):
            where = ("127.0.0.1", where)
        if isinstance(where, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(where)
        else:
            bind = (source, 0) if isinstance(source, str) else source
            self.socket = socket.create_connection(where, timeout, bind)
        if before_tls:
            self.socket.sendall(before_tls)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(
                self.socket,
                server_hostname=tls if isinstance(tls, str) else "localhost")
        self.reader = Reader(self.socket)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("latin-1")
        self.socket.sendall(data)

    def request(self, method="GET", target="/", headers=(), body=b"",
                host="localhost", version="1.1"):
        """Sends a request; headers are pairs, or whole lines as text."""

        lines = [f"{method} {target} HTTP/{version}"]
        if host is not None:
            lines.append(f"Host: {host}")
        if isinstance(headers, dict):
            headers = headers.items()
        for header in headers:
            lines.append(header if isinstance(header, str)
                         else f"{header[0]}: {header[1]}")
        if isinstance(body, str):
            body = body.encode("utf-8")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if body:
            self.send(body)
        return self.response(method)

    def response(self, method="GET"):
        line, headers = self.reader.head()
        status = int(line.split(" ")[1])
        names = by_name(headers)
        if method == "HEAD" or status in (101, 204, 304):
            body = b""
        elif names.get("transfer-encoding") == ["chunked"]:
            body = self.reader.chunks()
        elif "content-length" in names:
            body = self.reader.exactly(int(names["content-length"][0]))
        else:
            body = self.reader.rest()
        return Response(status, headers, body, line)

    def get(self, target="/", headers=(), **more):
        return self.request("GET", target, headers, **more)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(where, target="/", headers=(), *, source=None, tls=None, method="GET",
        **more):
    """One request on a connection of its own."""

    with Client(where, source, tls) as client:
        return client.request(method, target, headers, **more)


def certificate(directory):
    """A self-signed certificate and its key: two paths."""

    key = os.path.join(str(directory), "test.key")
    path = os.path.join(str(directory), "test.crt")
    if not os.path.exists(path):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-keyout", key, "-out", path],
            check=True, capture_output=True)
    return path, key


def installed(program):
    """The path of a program, looked for where a daemon's is too."""

    return shutil.which(program, path=os.environ.get("PATH", "")
                        + ":/usr/sbin:/sbin")
