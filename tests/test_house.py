"""The rules of the house, run as tests: import contract, docstrings, sizes, SQL headers, snippets, skips."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
MODULES = sorted(SOURCE.rglob("*.py"))
STATEMENTS = sorted(SOURCE.rglob("*.sql"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
LONGEST_FILE = 600

GLOSSARY = """
workflow, definition, run, step, journal, event, command, timer, signal, query, update, attribute, schedule, backfill,
queue, worker, lease, heartbeat, fence, retry policy, compensation, incident, continue-as-new, human task, process,
token, gateway, boundary event
"""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- source ---------------------------------------------------------------------------------------------------


def test_imports_run_downhill_only() -> None:
    # In a process of its own: it switches off every logger of the one that it runs in.
    program = (
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    # What only the type checker sees is left out: a part may name the type of the whole that it is handed.
    graph = grimp.build_graph("segue", exclude_type_checking_imports=True, cache_dir=None)
    packages = [module for module in graph.modules if graph.find_children(module)]
    circles = {package: graph.nominate_cycle_breakers(package) for package in packages}
    assert {package: sorted(imports) for package, imports in circles.items() if imports} == {}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_its_job_and_keeps_to_it(path: Path) -> None:
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert docstring.split("\n\n")[0].strip(), "a module opens with one sentence that says its job"
    assert len(text.splitlines()) <= LONGEST_FILE, "look for the second job in it"


def test_only_code_of_others_is_in_the_threads_of_asyncio() -> None:
    """Steps can take them all, for ever: a lease, an answer or the end of an engine that wanted one would not come."""
    edges = ("cli", "authoring", "testing", "notifying")
    inside = [path for path in MODULES if path.relative_to(SOURCE / "segue").parts[0] not in edges]
    calls = [
        name(path)
        for path in inside
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "to_thread"
    ]
    assert calls == [], "use segue.runtime.beside"


@pytest.mark.parametrize("path", STATEMENTS, ids=name)
def test_a_statement_says_why_it_is_safe(path: Path) -> None:
    text = path.read_text()
    assert re.match(r"\s*(--\s*\S|/\*\s*\S)", text), "a .sql file opens with a comment: what it locks, why that is safe"


def test_statements_and_the_type_marker_are_in_the_package() -> None:
    assert (SOURCE / "segue" / "py.typed").exists()
    ignored = (ROOT / ".gitignore").read_text().split()
    assert "*.sql" not in ignored, "hatchling leaves out what git ignores"


# --- documents ------------------------------------------------------------------------------------------------


def snippets(path: Path, language: str) -> Iterator[tuple[int, str]]:
    """(line, code) of each fenced block in ``language``."""
    text = path.read_text()
    for block in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text[: block.start(1)].count("\n"), block[1]


PYTHON_SNIPPETS = [
    pytest.param(path, line, code, id=f"{name(path)}:{line + 1}")
    for path in DOCUMENTS
    for line, code in snippets(path, "python")
]


@pytest.mark.parametrize(("path", "line", "code"), PYTHON_SNIPPETS)
def test_a_snippet_compiles(path: Path, line: int, code: str) -> None:
    compile("\n" * line + code, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def test_the_readme_opens_with_an_example() -> None:
    assert any(True for _ in snippets(ROOT / "README.md", "python"))


def test_the_readme_names_the_command_that_ci_runs() -> None:
    commands = [code.strip() for _, code in snippets(ROOT / "README.md", "sh")]
    assert any(command.endswith("scripts/test") for command in commands)
    assert re.search(r"\bscripts/test\b", (ROOT / ".ci" / "run").read_text())


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text())
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing


def test_the_glossary_defines_every_term_once() -> None:
    defined = re.findall(r"^\*\*(.+?)\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    terms = {term.strip() for term in GLOSSARY.replace("\n", " ").split(",")}
    assert terms - set(defined) == set()
    assert sorted(set(defined), key=str.casefold) == defined, "alphabetical, each term once"


@pytest.mark.parametrize("path", DECISIONS, ids=name)
def test_a_decision_fits_on_a_page_and_says_when_it_is_violated(path: Path) -> None:
    text = path.read_text().rstrip()
    assert re.match(r"# \d{4}: ", text)
    assert text.rpartition("\n\n")[2].startswith("**Violated when**")
    assert len(text.split()) <= 700


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_no_document_or_setting_names_a_machine() -> None:
    settings = [ROOT / "pyproject.toml", ROOT / ".ci" / "run", ROOT / "scripts" / "test"]
    home = re.compile(r"(?<![\w.])/(home|root|Users|work)/\w")
    assert [name(path) for path in [*DOCUMENTS, *settings] if home.search(path.read_text())] == []


# --- the test run itself --------------------------------------------------------------------------------------


@pytest.fixture
def inner(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty project with this project's conftest."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    pytester.makepyfile(registry_kit=(ROOT / "tests" / "registry_kit.py").read_text())
    return pytester


SKIPS = {
    "tool": "import pytest\n@pytest.mark.skip(reason='missing tool: frob')\ndef test_it(): ...\n",
    "package": "import pytest\npytest.importorskip('no_such_package')\n",
    "other": "import pytest\n@pytest.mark.skip(reason='only on Windows')\ndef test_it(): ...\n",
}


@pytest.mark.parametrize(("kind", "refused"), [("tool", True), ("package", True), ("other", False)])
def test_a_missing_tool_fails_the_run_that_refuses_it(inner: pytest.Pytester, kind: str, refused: bool) -> None:
    inner.makepyfile(test_skips=SKIPS[kind], test_passes="def test_it(): ...")

    lenient = inner.runpytest_inprocess()
    strict = inner.runpytest_inprocess("--refuse-missing-tools")

    assert lenient.ret == pytest.ExitCode.OK
    assert strict.ret == (pytest.ExitCode.TESTS_FAILED if refused else pytest.ExitCode.OK)


def test_skips_are_listed_by_name_in_a_parallel_run(inner: pytest.Pytester) -> None:
    inner.makepyfile(**{f"test_{kind}": code for kind, code in SKIPS.items()}, test_passes="def test_it(): ...")

    result = inner.runpytest_subprocess("--refuse-missing-tools", "-n", "2")

    result.stdout.fnmatch_lines(
        [
            "*each with its reason*",
            "test_other.py::test_it: only on Windows",
            "test_package.py: could not import 'no_such_package'*",
            "test_tool.py::test_it: missing tool: frob",
            "FAILED: 2 skipped for want of a tool*",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "1 passed, 3 skipped" in result.outlines[-1]
