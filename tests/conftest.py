"""For every test run: each skipped test is listed by name with its reason, and a missing tool can be refused.

Each file of tests is an app of its own: what it defines with ``@step`` and ``@workflow`` is known in its own tests
only, so that two files may use one name.

A test that needs a program or package which may be absent skips with a reason that starts with ``missing tool:``, or
by ``pytest.importorskip``. With ``--refuse-missing-tools``, which ``scripts/test`` passes, such a skip fails the run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import segue.authoring.python.keyed  # noqa: F401 - its steps are every test's, whichever uses them first
from segue.authoring.python.definitions import STEPS, WORKFLOWS

_REGISTRIES: tuple[Any, ...] = (STEPS, WORKFLOWS)
_defined: dict[Path, tuple[dict[str, Any], dict[str, Any]]] = {}
"""What each file of tests defines, for each registry."""

_MISSING = ("missing tool:", "could not import ")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refuse-missing-tools", action="store_true", help="fail when a test is skipped because a tool is missing"
    )
    parser.addoption("--long", action="store_true", help="sweeps over every case instead of a share, and larger sizes")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether a test may take its time."""
    return bool(request.config.getoption("long"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    _print_kit(terminalreporter)
    skipped = sorted(_skipped(config))
    if not skipped:
        return
    terminalreporter.section("skipped tests, each with its reason")
    for name, reason in skipped:
        terminalreporter.line(f"{name}: {reason}")
    missing = sum(reason.startswith(_MISSING) for _, reason in skipped)
    if missing and config.getoption("refuse_missing_tools"):
        terminalreporter.line(f"FAILED: {missing} skipped for want of a tool; install it and run again", red=True)


def _print_kit(reporter: pytest.TerminalReporter) -> None:
    """What the DMN Technology Compatibility Kit passed and failed, folder by folder."""
    folders = [
        value
        for outcome in ("passed", "failed")
        for report in reporter.stats.get(outcome, [])
        for key, value in getattr(report, "user_properties", ())
        if key == "tck"
    ]
    if not folders:
        return
    reporter.section("DMN TCK: passed, failed")
    for folder, passed, failed in sorted(folders):
        reporter.line(f"{passed:5} {failed:5}  {folder}", red=failed > 0)
    passed, failed = (sum(each[index] for each in folders) for index in (1, 2))
    reporter.line(f"{passed:5} {failed:5}  {passed / (passed + failed):.2%} of all cases")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not session.config.getoption("refuse_missing_tools"):
        return
    missing = any(reason.startswith(_MISSING) for _, reason in _skipped(session.config))
    if missing and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skipped(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """(name, reason) of what was skipped so far. With xdist, only the controlling process has a reporter that knows."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    for report in reporter.stats.get("skipped", []) if reporter is not None else ():
        if isinstance(report.longrepr, tuple):
            yield report.nodeid, report.longrepr[2].removeprefix("Skipped: ")


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None]:
    if not isinstance(collector, pytest.Module):
        yield
        return
    others = [registry._by_name for registry in _REGISTRIES]
    for registry in _REGISTRIES:
        registry._by_name = {}
    yield
    for registry, known, own in zip(_REGISTRIES, others, _defined.setdefault(collector.path, ({}, {})), strict=True):
        for name, found in registry._by_name.items():
            is_own = found.function.__code__.co_filename == str(collector.path)
            (own if is_own else known)[name] = found
        registry._by_name = known


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None]:
    before = [registry._by_name for registry in _REGISTRIES]
    for registry, own in zip(_REGISTRIES, _defined.get(item.path, ({}, {})), strict=True):
        registry._by_name = registry._by_name | own
    yield
    for registry, names in zip(_REGISTRIES, before, strict=True):
        registry._by_name = names
