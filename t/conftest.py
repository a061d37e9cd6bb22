# Copyright (C) The Tailgate authors

"""What all parts of the tests share: how a skip counts, and the totals that
./dev check sums up."""

import os

import pytest

CI = os.environ.get("CI", "") not in ("", "0", "false")

# A test that this version of a program cannot have is no missing tool.
NOT_APPLICABLE = "not applicable: "


def refuse_skip(report):
    """Under CI a test that is skipped for want of a tool has failed."""

    if not CI or not report.skipped or hasattr(report, "wasxfail"):
        return

    reason = report.longrepr
    if isinstance(reason, tuple):
        reason = reason[2]

    reason = str(reason).removeprefix("Skipped: ")
    if reason.startswith(NOT_APPLICABLE):
        return

    report.outcome = "failed"
    report.longrepr = f"skipped, which CI does not allow: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    refuse_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    refuse_skip(outcome.get_result())


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    path = os.environ.get("TAILGATE_RESULTS")
    # of pytest-xdist's processes the first sums up
    if path is None or hasattr(config, "workerinput"):
        return

    stats = terminalreporter.stats
    passed = len(stats.get("passed", []))
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    line = terminalreporter.build_summary_stats_line()[0]
    line = "==== " + ", ".join(text for text, _ in line) + " ===="
    part = os.environ.get("TAILGATE_PART") or os.path.basename(
        os.path.normpath(str(config.args[0])))

    if exitstatus != 0 and failed == 0:
        failed = 1

    with open(path, "a", encoding="utf-8") as results:
        results.write(f"{part} {passed} {failed} {line}\n")
