# Copyright (C) The Tailgate authors

"""The store when things go wrong: what was answered is there, what cannot be
stored says why, and the process goes on.  On both engines."""

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

from conftest import PATIENCE, built

WAL = re.compile(r"links\.db-wal>")


@pytest.mark.parametrize("name", ["test_store", "test_store_batch"])
def test_suite_on_postgresql(name, database):
    env = dict(os.environ, TAILGATE_STORE_URL=database[1])
    result = subprocess.run([built(name)], env=env, text=True,
                            capture_output=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr


def unsynced_answers(folder, tool, *options):
    """(answers that came before the log was on disk, answers, syncs)."""

    trace = os.path.join(folder, "trace")
    t = tool(os.path.join(folder, "links.db"), *options,
             before=["strace", "-f", "-y", "-s", "64", "-o", trace, "-e",
                     "trace=pwrite64,write,fdatasync,fsync"])
    t.wait("ready")
    for i in range(5):
        t.put(f"one{i}")
    t.ask("many x 100", "done")
    t.close()

    dirty = False
    early = answers = syncs = 0
    syncing = set()
    with open(trace, encoding="utf-8", errors="replace") as f:
        for line in f:
            pid, call = line.split(None, 1)
            if call.startswith("pwrite64(") and WAL.search(call):
                dirty = True
            elif call.startswith(("fdatasync(", "fsync(")) \
                    and WAL.search(call):
                if "unfinished" in call:
                    syncing.add(pid)
                else:
                    dirty = False
                    syncs += 1
            elif "sync resumed>" in call and pid in syncing:
                syncing.discard(pid)
                dirty = False
                syncs += 1
            elif call.startswith("write(1<") and '"ok ' in call:
                answers += 1
                # others may be written already, but not what was answered:
                # one at a time that is the same
                early += dirty and '"ok one' in call
    return early, answers, syncs


def test_answer_behind_fdatasync(folder, tool):
    early, answers, syncs = unsynced_answers(folder, tool)
    assert answers == 105
    assert early == 0
    # 100 saves, 32 of them at a time, share commits
    assert 6 <= syncs < 105


def test_answer_behind_fdatasync_is_seen(folder, tool):
    """With synchronous=OFF the test above fails."""

    early, answers, _ = unsynced_answers(folder, tool, "--unsafe")
    assert answers == 105
    assert early == 5


def stopped_under_load(cluster, url, tool, *options):
    """What was answered when the server died, and what is there after."""

    t = tool(url, *options)
    t.wait("ready")
    t.say("many x 20000")
    for _ in range(300):
        t.wait("ok")
    stop = threading.Thread(target=cluster.stop, args=("immediate",))
    stop.start()
    # the answers go on until there are no more
    line = t.wait("unavailable", "state")
    stop.join(PATIENCE)
    cluster.start()
    t.wait("done")

    answered = {line.split()[1] for line in t.seen if line.startswith("ok ")}
    assert len(answered) >= 300, line
    return t, answered


def test_immediate_stop(cluster, database, tool):
    name, url = database
    t, answered = stopped_under_load(cluster, url, tool)
    stored = set(cluster.sql("SELECT id FROM tailgate.links", name).split())
    assert answered - stored == set()

    # the same process goes on, and knows of what it was not told
    while t.put("again").startswith("unavailable"):
        t.until_up()
    stored = set(cluster.sql("SELECT id FROM tailgate.links", name).split())
    assert t.list() == stored


def test_immediate_stop_is_seen(cluster, database, tool):
    """With synchronous_commit=off the test above fails."""

    name, url = database
    t = tool(url)
    t.wait("ready")
    t.put("before")
    t.close()
    # it saves what it gets to, and the server kills it when it stops
    os.kill(int(cluster.sql("SELECT pid FROM pg_stat_activity"
                            " WHERE backend_type = 'walwriter'")),
            signal.SIGSTOP)
    _, answered = stopped_under_load(cluster, url, tool, "--unsafe")
    stored = set(cluster.sql("SELECT id FROM tailgate.links", name).split())
    assert answered - stored != set()


def unavailable(line, text):
    """Says why, and when to come again."""

    word, _, retry, why = line.split(None, 3)
    assert word == "unavailable"
    assert int(retry) > 0
    assert text in why, why


def test_lost_server(cluster, database, tool):
    url = database[1]
    t = tool(url)
    t.wait("ready")
    assert t.put("a").startswith("ok")
    cluster.stop("fast")
    try:
        line = t.put("b")
        assert line.startswith("unavailable b")
        assert "PostgreSQL" in line
        assert int(line.split()[2]) > 0
    finally:
        cluster.start()
    while t.put("b").startswith("unavailable"):
        t.until_up()
    assert t.list() == {"a", "b"}


def test_server_that_is_not_there(folder, tool):
    t = tool(f"postgresql://postgres:secret7@/none?host={folder}")
    line = t.wait("failed")
    assert "No such file or directory" in line
    assert "secret7" not in line
    assert t.close() == 1


@pytest.mark.parametrize("url", [
    "postgresql://me:sec@ret7@host/db", "postgresql://me:sec/ret7@host/db",
    "postgresql://me:sec:ret7@host/db", "postgresql://me:sec%ret7@host/db",
    "postgresql://me:sec?ret7@host/db", "postgresql://me:sec#ret7@/db",
    "postgresql://me:1/ret7@host/db", "postgresql://me:sec ret7@h:x/db"])
def test_password_is_not_told(url, tool):
    t = tool(url)
    line = t.wait("failed")
    assert "ret7" not in line and "sec" not in line
    assert t.close() == 1


def test_news_of_another_node(database, tool):
    """By NOTIFY: by looking every 5 s ten changes, one after the other, would
    take some 50 s."""

    one, two = tool(database[1]), tool(database[1])
    one.wait("ready")
    two.wait("ready")
    began = time.monotonic()
    for i in range(10):
        assert one.put(f"a{i}").startswith("ok")
        while two.wait("seen") != f"seen a{i}":
            pass
    assert time.monotonic() - began < 30
    assert two.list() == one.list()


def test_node_that_was_cut_off(cluster, database, tool):
    name, url = database
    one = tool(url)
    one.wait("ready")
    two = tool(url + "&application_name=two")
    two.wait("ready")
    for i in range(3):
        assert cluster.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE application_name = 'two' AND datname = '{name}'") != ""
        assert one.put(f"b{i}").startswith("ok")
        while two.wait("seen") != f"seen b{i}":
            pass
    assert two.list() == {"b0", "b1", "b2"}
    assert two.put("c").startswith("ok")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, folder):
    """(URL, a function that runs SQL as somebody else), on both engines."""

    if request.param == "sqlite":
        path = os.path.join(folder, "links.db")
        yield path, None
        return
    name, url = request.getfixturevalue("database")
    yield url, name


def test_locked(store, cluster, tool):
    url, name = store
    t = tool(url)
    t.wait("ready")
    assert t.put("a").startswith("ok")

    if name is None:
        other = sqlite3.connect(url, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = cluster.session(name)
        other.stdin.write("BEGIN; SELECT seq FROM tailgate.store "
                          "FOR UPDATE;\n")
        other.stdin.flush()
        assert other.stdout.readline().strip() == "1"

    unavailable(t.put("b"), "another process has locked the database")
    assert t.list() == {"a"}

    if name is None:
        other.close()
    else:
        other.stdin.close()
        other.wait(PATIENCE)
        other.stdout.close()

    t.until_up()
    assert t.put("b").startswith("ok")


def test_readonly_file(folder, tool):
    path = os.path.join(folder, "links.db")
    t = tool(path)
    t.wait("ready")
    t.put("a")
    t.close()

    # root may write whatever the mode says
    before = []
    os.chmod(path, 0o440)
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        os.chown(path, 65534, 65534)
        before = ["setpriv", "--reuid=65534", "--regid=65534",
                  "--clear-groups", "--"]
    # which need not be able to reach the build
    program = shutil.copy(built("store_tool"), folder)
    t = tool(path, before=before, program=program)
    assert t.wait("ready") == "ready 1"
    unavailable(t.put("b"), "the database is read-only")
    assert t.list() == {"a"}


def test_readonly_server(cluster, database, tool):
    name, url = database
    t = tool(url)
    t.wait("ready")
    assert t.put("a").startswith("ok")
    t.close()

    cluster.sql(f"ALTER DATABASE {name} SET default_transaction_read_only "
                "= on")
    t = tool(url)
    assert t.wait("ready") == "ready 1"
    unavailable(t.put("b"), "the database is read-only")
    assert t.list() == {"a"}


def test_file_that_is_gone(folder, tool):
    path = os.path.join(folder, "links.db")
    t = tool(path)
    t.wait("ready")
    assert t.put("a").startswith("ok")
    os.rename(path, path + ".old")
    unavailable(t.put("b"), "the file was removed or replaced: restart")
    os.rename(path + ".old", path)
    t.until_up()
    assert t.put("b").startswith("ok")
    assert t.list() == {"a", "b"}


def test_full_disk(folder, tool):
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    path = os.path.join(disk, "links.db")
    alone = [] if os.geteuid() == 0 else ["-r"]
    t = tool(path, before=[
        "unshare", *alone, "-m", "sh", "-c",
        'mount -t tmpfs -o size=900k,mode=700 none "$0" && exec "$@"', disk])
    t.wait("ready")
    assert t.put("a").startswith("ok")
    line = t.ask("batch x 20000", "batch")
    assert line.startswith("batch unavailable 0 30 ")
    assert "the disk is full" in line
    # a small one has room, and nothing was lost
    t.until_up()
    assert t.put("b").startswith("ok")
    assert t.list() == {"a", "b"}


def test_full_server(cluster, database, tool):
    name, url = database
    t = tool(url)
    t.wait("ready")
    cluster.sql("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql "
                "AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; "
                "END $$; CREATE TRIGGER t BEFORE INSERT ON tailgate.links "
                "FOR EACH ROW WHEN (new.id LIKE 'x%') "
                "EXECUTE FUNCTION full_disk()", name)
    unavailable(t.put("x"), "the server's disk is full")
    t.until_up()
    assert t.put("y").startswith("ok")
    assert t.list() == {"y"}


def test_file_modes(folder, tool):
    path = os.path.join(folder, "links.db")
    t = tool(path)
    t.wait("ready")
    t.put("a")
    for name in os.listdir(folder):
        mode = os.stat(os.path.join(folder, name)).st_mode
        assert stat.S_IMODE(mode) == 0o640, name
    t.close()

    os.chmod(path, 0o644)
    assert "chmod 0640" in tool(path).wait("failed")
    os.chmod(path, 0o640)
    os.chmod(folder, 0o777)
    assert "other accounts may write into this folder" \
        in tool(path).wait("failed")
    os.chmod(folder, 0o700)
    assert "must be absolute" in tool("links.db").wait("failed")
    os.mkdir(path + ".d")
    assert "is no regular file" in tool(path + ".d").wait("failed")


def test_other_databases(folder, tool):
    path = os.path.join(folder, "links.db")
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE Links (ID TEXT)")
    other.close()
    os.chmod(path, 0o600)
    assert "a database of another program" in tool(path).wait("failed")

    with open(path, "w", encoding="utf-8") as f:
        f.write("no database\n" * 100)
    assert "damaged, or no SQLite database" in tool(path).wait("failed")
