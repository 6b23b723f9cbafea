"""From a commit to a website, and back to the one before when it is not well.

Clones a git repository; runs ruff, pytest and bandit and builds a wheel, all at once; asks for approval; deploys by an
atomic switch; asks the site over HTTP how it is; and goes back if it is not well, then or while it is still watched.
Watch for

* ``asyncio.gather()``: branches run side by side, and join;
* real tools in ``async`` steps, which end with their step when it is cancelled;
* ``approval()``: the gate, for which the run waits a week at no cost;
* ``signal()`` under ``asyncio.timeout()``: a window that is durable like everything else. Stop the process, come back
  the next day, and the site is either confirmed or still being watched.

Run it::

    python examples/ci.py                      # makes a small project on the spot, and delivers it
    python examples/ci.py unpacked             # then a change that passes all tests and breaks the site: it rolls back
    python examples/ci.py southern             # a change that fails a test: it never gets there
    segue run examples/ci.py '{"repository": "https://github.com/…", "site": "site"}'
    segue signal RUN health '{"well": false, "why": "complaints"}'    # within the window: it rolls back
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.request import ProxyHandler, build_opener

import almanac
import terminal
from segue import (
    Engine,
    Retry,
    StepFailed,
    approval,
    idempotency_key,
    publish,
    saga,
    set_attributes,
    signal,
    step,
    workflow,
)

HERE = Path(".segue", "ci")


@dataclass(frozen=True)
class Project:
    repository: str = str(HERE / "almanac")
    site: str = str(HERE / "site")
    watch: float = 10.0
    """Seconds after the deployment in which a bad report brings the release before back."""


@dataclass(frozen=True)
class Source:
    folder: str
    commit: str


@dataclass(frozen=True)
class Check:
    tool: str
    passed: bool
    output: str


@dataclass(frozen=True)
class Health:
    well: bool
    why: str = ""


@dataclass(frozen=True)
class Delivery:
    commit: str
    state: Literal["live", "checks failed", "not approved", "rolled back"]
    why: str = ""
    checks: list[Check] = field(default_factory=list)

    def __str__(self) -> str:
        marks = "  ".join(f"{'✓' if check.passed else '✗'} {check.tool}" for check in self.checks)
        failed = "".join(f"\n{check.output}" for check in self.checks if not check.passed)
        return f"{self.commit[:8]}  {marks}\n{self.state}{': ' if self.why else ''}{self.why}{failed}"


# --- getting it, checking it, building it -----------------------------------------------------------------------


@step(retry=Retry(attempts=3), timeout="5m")
async def clone(project: Project) -> Source:
    if project.repository == Project.repository:
        almanac.make(Path(project.repository))
    folder = HERE / "checkouts" / idempotency_key()
    if not folder.exists():
        with all_or_nothing(folder) as new:
            code, output = await tool("git", "clone", "--quiet", project.repository, str(new))
            if code:
                raise RuntimeError(output)
    _, commit = await tool("git", "rev-parse", "HEAD", cwd=folder)
    return Source(str(folder), commit.strip())


@step(timeout="5m")
async def lint(source: Source) -> Check:
    code, output = await tool(*PYTHON, "ruff", "check", "--no-cache", ".", cwd=source.folder)
    return Check("ruff", code == 0, output)


@step(timeout="30m")
async def run_tests(source: Source) -> Check:
    code, output = await tool(*PYTHON, "pytest", "-q", "-p", "no:cacheprovider", cwd=source.folder)
    return Check("pytest", code == 0, output)


@step(timeout="5m")
async def audit(source: Source) -> Check:
    code, output = await tool(*PYTHON, "bandit", "--quiet", "--recursive", "src", cwd=source.folder)
    return Check("bandit", code == 0, output)


@step(timeout="10m")
async def build(source: Source) -> str:
    """The wheel's path. Built in a copy, because a build writes into its checkout."""
    done = HERE / "wheels" / idempotency_key()
    if not done.exists():
        with all_or_nothing(done) as new:
            shutil.copytree(source.folder, new / "source", ignore=shutil.ignore_patterns(".git"))
            code, output = await tool(
                *PYTHON, "build", "--wheel", "--no-isolation", "--outdir", "..", cwd=new / "source"
            )
            if code:
                raise RuntimeError(f"the build failed:\n{output}")
            shutil.rmtree(new / "source")
    return str(next(done.glob("*.whl")))


# --- bringing it out --------------------------------------------------------------------------------------------


@step
def live_release(project: Project) -> str | None:
    """Which release is live; the one to go back to."""
    link = Path(project.site, "current")
    return os.readlink(link) if link.is_symlink() else None


@step(timeout="5m")
async def install(project: Project, wheel: str, commit: str) -> str:
    """Puts the website beside the others, where nobody looks yet."""
    release = Path(project.site, "releases", commit[:12])
    if not release.exists():
        with all_or_nothing(release) as new, tempfile.TemporaryDirectory() as library:
            zipfile.ZipFile(wheel).extractall(library)  # a wheel of pure Python is installed by unpacking it
            code, output = await tool(*PYTHON, "almanac", os.path.abspath(new), commit, cwd=library)
            if code:
                raise RuntimeError(f"the site could not be written:\n{output}")
    return os.path.join("releases", release.name)


@step
def switch(project: Project, release: str, before: str | None) -> None:
    """A new link takes the place of the old one in one move: whoever looks sees the one site or the other."""
    point_to(release, Path(project.site, "current"))


@step
def switch_back(project: Project, release: str, before: str | None, done: None = None) -> None:
    current = Path(project.site, "current")
    if before is None:
        current.unlink(missing_ok=True)  # there was no site before the first one
    else:
        point_to(before, current)


@step(retry=Retry(attempts=3, initial="200ms"), timeout="20s")
def examine(project: Project, commit: str) -> None:
    """Asks the site, over HTTP, how it is."""
    with serving(Path(project.site, "current")) as url:
        page = get(url + "/index.html")
        health = json.loads(get(url + "/health.json"))
    if health["commit"] != commit:
        raise RuntimeError(f"it is still {health['commit'][:8]}")
    if not health["towns"] or "<tr>" not in page:
        raise RuntimeError("the page is empty")


# --- the workflow -----------------------------------------------------------------------------------------------


class Unwell(Exception):
    """Somebody reports that the site is not well."""


@workflow
async def deliver(project: Project = Project()) -> Delivery:
    source = await clone(project)
    set_attributes(commit=source.commit[:8])

    try:
        *checks, wheel = await asyncio.gather(lint(source), run_tests(source), audit(source), build(source))
    except StepFailed as problem:
        return Delivery(source.commit, "checks failed", problem.failure.message)
    publish("checks", checks)
    if not all(check.passed for check in checks):
        return Delivery(source.commit, "checks failed", checks=checks)

    question = {"commit": source.commit[:8]} | {check.tool: "passed" for check in checks}
    try:
        answer = await approval("release manager", name="Deploy?", subject=question, timeout="7d")
    except TimeoutError:
        return Delivery(source.commit, "not approved", "nobody answered within a week", checks)
    if not answer.approved:
        return Delivery(source.commit, "not approved", answer.comment, checks)

    release = await install(project, wheel, source.commit)
    before = await live_release(project)
    try:
        async with saga() as s:
            await s.step(switch, project, release, before, undo=switch_back)
            await examine(project, source.commit)
            await watch(project)
    except StepFailed as problem:
        return Delivery(source.commit, "rolled back", problem.failure.message, checks)
    except Unwell as problem:
        return Delivery(source.commit, "rolled back", str(problem), checks)
    return Delivery(source.commit, "live", checks=checks)


async def watch(project: Project) -> None:
    """Listens to reports about the site for a while. Plain code of the workflow, not a step."""
    try:
        async with asyncio.timeout(project.watch):
            async for report in signal("health", Health):
                if not report.well:
                    raise Unwell(report.why)
    except TimeoutError:
        pass  # nobody complained


# --- tools ------------------------------------------------------------------------------------------------------

PYTHON = (sys.executable, "-m")


async def tool(*command: str, cwd: str | Path = ".") -> tuple[int, str]:
    """Runs a program; answers with its exit code and what it printed. It ends when the step ends."""
    quiet = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"PYTHONDONTWRITEBYTECODE": "1"}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=quiet, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace")


@contextmanager
def all_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder that is filled aside and appears when it is complete: a process that dies leaves no half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        yield aside
        aside.chmod(0o755)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def point_to(target: str, link: Path) -> None:
    """Makes ``link`` point to ``target``, in one move."""
    new = Path(tempfile.mkdtemp(prefix=".", dir=link.parent), "link")
    new.symlink_to(target)
    new.replace(link)
    new.parent.rmdir()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serves a folder on the loopback interface, on a port that the operating system picks."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def get(url: str) -> str:
    with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


async def main(change: str | None) -> None:
    project = Project()
    almanac.make(Path(project.repository))
    if change:
        almanac.change(Path(project.repository), change)
    async with Engine() as engine:
        print(await terminal.conclude(engine, await engine.start(deliver, project)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
