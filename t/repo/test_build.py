# Copyright (C) The Tailgate authors

"""configure, make install and dev, in a copy of the tree."""

import os
import re
import shutil
import subprocess

import pytest

import tree

BUILD = os.environ.get("TAILGATE_BUILD", os.path.join(tree.ROOT, "build"))


def run(*command, cwd=tree.ROOT, **environment):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, **environment})


@pytest.fixture
def copy(tmp_path):
    """The scripts of the tree, without its sources."""

    root = tmp_path / "tree"
    for path in tree.files():
        if path in ("configure", "dev") or path.startswith("auto/"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.join(tree.ROOT, path), root / path)

    return root


@pytest.fixture
def without(tmp_path):
    """without(LIBRARY): a PATH where pkg-config does not find it."""

    def shadow(library):
        script = tmp_path / "bin" / "pkg-config"
        script.parent.mkdir()
        script.write_text(f"""#!/bin/sh
for name
do
    [ "$name" != "{library}" ] || exit 1
done
exec {shutil.which("pkg-config")} "$@"
""")
        script.chmod(0o755)
        return f"{script.parent}:{os.environ['PATH']}"

    return shadow


def test_configure_help():
    result = run("./configure", "--help")
    assert result.returncode == 0
    assert "--with-nginx-source=DIR" in result.stdout


@pytest.mark.parametrize("options, message", [
    (["--frobnicate"], 'invalid option "--frobnicate"'),
    (["--with-cc=/no/cc"], "install the Debian package gcc"),
    (["--with-nginx-source=/no/nginx"], "is not an nginx source tree"),
])
def test_configure_refuses(copy, options, message):
    result = run("./configure", *options, cwd=copy)
    assert result.returncode == 1
    assert message in result.stderr
    assert not (copy / "Makefile").exists()


@pytest.mark.parametrize("library, package", [
    ("jansson", "libjansson-dev"),
    ("yaml-0.1", "libyaml-dev"),
    ("libcrypto", "libssl-dev"),
    ("libpcre2-8", "libpcre2-dev"),
    ("libuv", "libuv1-dev"),
    ("libcurl", "libcurl4-openssl-dev"),
])
def test_configure_names_package(copy, without, library, package):
    result = run("./configure", cwd=copy, PATH=without(library))
    assert result.returncode == 1
    assert re.search(rf"^Install them: apt-get install {package}$",
                     result.stderr, re.M), result.stderr


def test_configure_names_llhttp(copy):
    """A library since Debian 13; sources within node-llhttp before."""

    feature = copy / "auto" / "feature"
    feature.write_text(feature.read_text()
                       .replace("<llhttp.h>", "<no-llhttp.h>")
                       .replace("/usr/share/llhttp", "/no/llhttp"))
    result = run("./configure", cwd=copy)
    assert result.returncode == 1

    with open("/etc/os-release", encoding="utf-8") as file:
        old = "VERSION_CODENAME=bookworm" in file.read()

    package = "node-llhttp" if old else "libllhttp-dev"
    assert f"apt-get install {package}\n" in result.stderr


def test_configure_names_nginx(copy):
    feature = copy / "auto" / "feature"
    feature.write_text(feature.read_text()
                       .replace("/usr/share/nginx/src", "/no/nginx"))
    result = run("./configure", cwd=copy)
    assert result.returncode == 1
    assert "apt-get install nginx-dev\n" in result.stderr


def test_configure_result(copy):
    result = run("./configure", "--prefix=/opt/tg", "--builddir=out",
                 "--sysconfdir=/opt/etc", "--nginx-modules=/opt/modules",
                 "--debug", cwd=copy)
    assert result.returncode == 0, result.stderr
    assert '  prefix: "/opt/tg"\n' in result.stdout

    header = (copy / "out" / "tailgate_config.h").read_text()
    assert '#define TAILGATE_VERSION     "0.1.0"\n' in header
    assert '#define TAILGATE_SYSCONFDIR  "/opt/etc/tailgate"\n' in header

    config = (copy / "out" / "config.mk").read_text()
    assert "\nNGINX_MODULES = /opt/modules\n" in config
    assert "-O0" in config

    # a second build beside it
    result = run("./configure", "--builddir=san", "--makefile=san/Makefile",
                 "--sanitize", cwd=copy)
    assert result.returncode == 0, result.stderr
    result = run("make", "-f", "san/Makefile", cwd=copy)
    assert result.returncode == 0, result.stderr
    assert "fsanitize=address" in (copy / "san" / "config.mk").read_text()
    assert (copy / "out" / "config.mk").read_text() == config

    # again by make, with the same options
    os.utime(copy / "configure")
    result = run("make", cwd=copy)
    assert result.returncode == 0, result.stderr
    assert (copy / "out" / "config.mk").read_text() == config


def install(destination, *variables):
    result = run("make", "install", f"DESTDIR={destination}", *variables)
    assert result.returncode == 0, result.stdout + result.stderr
    return {os.path.join("/", os.path.relpath(os.path.join(top, name),
                                              destination))
            for top, _, names in os.walk(destination) for name in names}


def test_install(tmp_path):
    found = install(tmp_path, "PREFIX=/opt/tg", "SYSCONFDIR=/opt/etc",
                    "NGINX_MODULES=/opt/modules")
    pages = {p for p in tree.files() if p.startswith("docs/man/")}
    units = {p for p in tree.files() if p.startswith("conf/systemd/")}
    shipped = {p for p in tree.files() if re.match(r"conf/[^/]+\.yaml$", p)}
    snippets = {p for p in tree.files() if p.startswith("conf/nginx/")}

    base = os.path.basename
    wanted = {"/opt/tg/share/bash-completion/completions/tailgate",
              "/opt/tg/share/zsh/site-functions/_tailgate",
              "/opt/tg/share/tailgate/policy.schema.json"}
    wanted |= {f"/opt/tg/share/man/man{p[-1]}/{base(p)}" for p in pages}
    wanted |= {f"/opt/tg/lib/systemd/system/{base(p)}" for p in units}
    wanted |= {f"/opt/etc/tailgate/{base(p)}" for p in shipped}
    wanted |= {f"/opt/tg/share/tailgate/{p.removeprefix('conf/')}"
               for p in tree.files()
               if p.startswith(("conf/grafana/", "conf/prometheus/"))}
    wanted |= {f"/opt/etc/nginx/snippets/{base(p)}" for p in snippets}

    for path, source in (
            ("/opt/tg/bin/tailgate", "cli/main.c"),
            ("/opt/tg/sbin/tailgate-authd", "authd/main.c"),
            ("/opt/modules/ngx_http_tailgate_module.so",
             "modules/nginx/config")):
        if os.path.exists(os.path.join(tree.ROOT, source)):
            wanted.add(path)

    others = {p for p in found
              if p.startswith(("/opt/tg/lib/sysusers.d/",
                               "/opt/tg/lib/tmpfiles.d/"))}
    assert found - others == wanted

    for path in found:
        with open(f"{tmp_path}{path}", "rb") as file:
            assert b"DIR@" not in file.read(), path


def test_install_keeps_configuration(tmp_path):
    shipped = [os.path.basename(p) for p in tree.files()
               if re.match(r"conf/[^/]+\.yaml$", p)]
    if not shipped:
        pytest.skip("not applicable: no configuration file is shipped")

    file = tmp_path / "etc" / "tailgate" / shipped[0]
    file.parent.mkdir(parents=True)
    file.write_text("mine\n")
    install(tmp_path, "SYSCONFDIR=/etc")
    assert file.read_text() == "mine\n"


@pytest.mark.parametrize("arguments, status, message", [
    (["help"], 0, ""),
    (["--help"], 0, ""),
    (["frobnicate"], 2, "usage: ./dev COMMAND"),
    (["check", "frobnicate"], 1, 'there is no part "frobnicate"'),
    (["fuzz"], 1, "usage: ./dev fuzz SECONDS"),
    (["fuzz", "1m"], 1, "usage: ./dev fuzz SECONDS"),
])
def test_dev_arguments(arguments, status, message):
    result = run("./dev", *arguments)
    assert result.returncode == status
    assert message in result.stderr
    assert status != 0 or "./dev check" in result.stdout


PROGRAM = """#!/bin/sh
cat << END
[  PASSED  ] {passed} test(s).
{failed}
END
exit {status}
"""


@pytest.mark.parametrize("programs, line, status", [
    ([(2, "", 0), (3, "", 0)], "unit 5 0 [  PASSED  ] 5 test(s).", 0),
    ([(2, "[  FAILED  ] tests: 1 test(s), listed below:", 1), (3, "", 0)],
     "unit 5 1 [  PASSED  ] 5 test(s).  [  FAILED  ] 1 test(s).", 1),
    ([(2, "", 1)],
     "unit 2 1 [  PASSED  ] 2 test(s).  [  FAILED  ] 1 test(s).", 1),
    ([], "unit 0 0 [  PASSED  ] 0 test(s).", 1),
], ids=["pass", "fail", "crash", "none"])
def test_unit_totals(tmp_path, programs, line, status):
    paths = []
    for number, (passed, failed, code) in enumerate(programs):
        path = tmp_path / f"test_{number}"
        path.write_text(PROGRAM.format(passed=passed, failed=failed,
                                       status=code))
        path.chmod(0o755)
        paths.append(str(path))

    results = tmp_path / "results"
    result = run("t/unit/run", *paths, TAILGATE_RESULTS=str(results))
    assert result.returncode == status
    assert results.read_text() == line + "\n"


FUZZER = """#!/bin/sh
for argument
do
    case "$argument" in
        -max_total_time=7)    seconds=7 ;;
        -artifact_prefix=*)   found=${{argument#*=}} ;;
        corpus/*)             corpus=$argument ;;
    esac
done
[ "$seconds" = 7 ] && [ "$corpus" = corpus/{name} ] || exit 3
[ {status} -eq 0 ] || echo crash > "${{found}}crash"
exit {status}
"""


@pytest.mark.parametrize("statuses, line, status", [
    ([0, 0], "fuzz 2 0 fuzz: 2 targets clean, 0 failed", 0),
    ([0, 77], "fuzz 1 1 fuzz: 1 targets clean, 1 failed", 1),
    ([], "fuzz 0 0 fuzz: 0 targets clean, 0 failed", 1),
], ids=["pass", "fail", "none"])
def test_fuzz_totals(tmp_path, statuses, line, status):
    fuzzers = tmp_path / "fuzzers"
    fuzzers.mkdir()
    for number, code in enumerate(statuses):
        path = fuzzers / f"fuzz_{number}"
        path.write_text(FUZZER.format(name=number, status=code))
        path.chmod(0o755)

    results = tmp_path / "results"
    result = run("fuzz/run", "7", os.path.relpath(fuzzers, tree.ROOT),
                 TAILGATE_RESULTS=str(results))
    assert result.returncode == status
    assert results.read_text() == line + "\n"
    assert len(list((fuzzers / "found").iterdir())) \
        == len([code for code in statuses if code])


SKIPS = """
import pytest

def test_passes():
    pass

def test_tool():
    pytest.skip("no caddy here")

@pytest.mark.skipif(True, reason="not applicable: nginx 1.22 has no HTTP/3")
def test_version():
    pass
"""


@pytest.mark.parametrize("ci, passed, failed", [("", 1, 0), ("true", 1, 1)])
def test_skip(tmp_path, ci, passed, failed):
    """Under CI a skip fails, unless the test does not apply."""

    part = tmp_path / "skips"
    part.mkdir()
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(os.path.join(tree.ROOT, "t", name), tmp_path)

    (part / "test_skips.py").write_text(SKIPS)

    results = tmp_path / "results"
    run("/usr/bin/python3", "-m", "pytest", str(part), CI=ci,
        TAILGATE_PART="", TAILGATE_RESULTS=str(results))
    assert results.read_text().startswith(f"skips {passed} {failed} ==== ")
