"""For every test run: each skipped test is listed by name with its reason, and a missing tool can be refused.

Each file of tests is an app of its own, made of what it and the modules it imports define with ``@step`` and
``@workflow``: two files, and the programs they look at, may use one name.

A test that needs a program or package which may be absent skips with a reason that starts with ``missing tool:``, or
by ``pytest.importorskip``. With ``--refuse-missing-tools``, which ``scripts/test`` passes, such a skip fails the run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the kits beside this file

import segue.authoring.python.keyed  # its steps are every test's, whichever uses them first
import segue.notifying.workflow  # noqa: F401 - as are these
from registry_kit import REGISTRIES, Names, held, hold, holding

if TYPE_CHECKING:
    from postgres_kit import PostgresServer, Rewound

_EVERYWHERE = held()
_ROOT = Path(__file__).parents[1]
_defined: dict[str, Names] = {}
"""What each source file defines, for each registry."""

_MISSING = ("missing tool:", "could not import ")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--refuse-missing-tools", action="store_true", help="fail when a test is skipped because a tool is missing"
    )
    parser.addoption(
        "--postgres", action="store_true", help="what runs on any database runs on PostgreSQL, not in a file"
    )
    parser.addoption("--pictures", action="store_true", help="write the pictures that docs/dashboard.md shows")
    parser.addoption("--long", action="store_true", help="sweeps over every case instead of a share, and larger sizes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("postgres"):
        return
    left_out = {item for item in items if item.get_closest_marker("on_file")}
    if not config.getoption("long"):
        # Runs that stay in memory ask the database for less than those that leave it.
        ids = {item.nodeid for item in items}
        left_out |= {i for i in items if "kept" in i.nodeid and i.nodeid.replace("kept", "evicted") in ids}
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether a test may take its time."""
    return bool(request.config.getoption("long"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this process's own, or the one that SEGUE_TEST_POSTGRES names."""

    from postgres_kit import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes empty databases; each call returns the URL of one."""
    made: list[str] = []

    def make() -> str:
        made.append(postgres.create())
        return postgres.url(made[-1])

    yield make
    for name in made:
        postgres.drop(name)


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


class Apps:
    """Keeps apart what files of tests define. A plugin of its own: a conftest's hooks are left out while the conftest
    of a folder below it is being loaded, and that is when programs beside tests are imported."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None]:
        with holding([{} for _ in REGISTRIES]):
            yield
            _note(collector.path if isinstance(collector, pytest.Module) else None)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None]:
        own = held()
        for file in _reached(item):
            for names, more in zip(own, _defined.get(file, ()), strict=False):
                names |= more
        with holding(own):
            yield

    def pytest_sessionstart(self) -> None:
        """Moves out what conftests of folders named on the command line have defined."""
        _note(None)
        hold(_EVERYWHERE)


class Telling:
    """Says at once which test has failed: a run of all of them takes long."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if report.failed and reporter is not None and not hasattr(self._config, "workerinput"):
            reporter.ensure_newline()
            reporter.write_line(f"{report.when} of {report.nodeid} has failed", red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Apps())
    config.pluginmanager.register(Telling(config))


def _note(path: Path | None) -> None:
    """Notes what has been defined: by module, or as the test file's own where it stands in none."""
    files = {_file(module) for module in list(sys.modules.values())}
    for index, defined in enumerate(held()):
        for name, found in defined.items():
            file = found.function.__code__.co_filename
            names = _defined.setdefault(file if file in files else str(path), tuple({} for _ in REGISTRIES))
            names[index][name] = found


def _reached(item: pytest.Item) -> set[str]:
    """The source files that a test's module and its conftests are made of: theirs, and those they import from."""
    conftests = [
        plugin
        for plugin in item.config.pluginmanager.get_plugins()
        if isinstance(plugin, ModuleType) and Path(_file(plugin)).parent in item.path.parents
    ]
    return _closure((item.module, *conftests) if isinstance(item, pytest.Function) else tuple(conftests))


@cache
def _closure(modules: tuple[ModuleType, ...]) -> set[str]:
    found: set[str] = set()
    ahead = list(modules)
    while ahead:
        module = ahead.pop()
        file = _file(module)
        if file in found or not file.startswith(f"{_ROOT}/") or file.startswith((f"{_ROOT}/src/", f"{_ROOT}/.venv/")):
            continue
        found.add(file)
        for value in list(vars(module).values()):
            name = getattr(getattr(value, "function", value), "__module__", None)
            if isinstance(value, ModuleType):
                ahead.append(value)
            elif type(name) is str and name != module.__name__ and name in sys.modules:  # every conftest has one name
                ahead.append(sys.modules[name])
    return found


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""


@pytest.fixture
def rewound(postgres: PostgresServer, postgres_database: Callable[[], str]) -> Iterator[Rewound]:
    """A database that can be set back to what it was."""
    from postgres_kit import Rewound

    database = Rewound(postgres, postgres_database())
    yield database
    database.close()
