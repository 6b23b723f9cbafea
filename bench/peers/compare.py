"""Runs the same workloads on segue and on its peers, in environments of their own, one after the other, twice.

    python bench/peers/compare.py               installs the peers under build/peers first (by package name)
    python bench/peers/compare.py --postgres    those that can, on one PostgreSQL server, which is started with fsync on

The peers run on a smaller scale where they would take minutes; figures are per step, so they compare.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from postgres_kit import own_server

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / "build" / "peers"
# Prefect's server does not start with the FastAPI that pip chooses for it today; an older one is put over it.
PEERS = {"dbos": (["dbos"], 0.1), "prefect": (["prefect", "fastapi<0.120"], 0.02)}
ON_POSTGRES = {"dbos": PEERS["dbos"]}
DISK = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB"}
Places = Callable[[], list[str]]
"""Makes a new place for a system to keep its runs in: what its program is told behind the scale."""


def python_of(name: str, packages: list[str]) -> str:
    """An environment with the packages in it, made when it is not there."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        for package in packages:
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], check=True)
    return str(python)


def measure(python: str, script: str, scale: float, place: list[str]) -> dict[str, float]:
    command = [python, str(HERE / script), str(scale), *place]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@contextmanager
def files() -> Iterator[Places]:
    """Each in a file of its own, as it makes one by itself."""
    yield list


@contextmanager
def databases() -> Iterator[Places]:
    """Each in a new database of one server."""
    with own_server(DISK) as server:
        yield lambda: [server.url(server.create())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server instead of files")
    postgres = parser.parse_args().postgres
    rounds = []
    with (databases if postgres else files)() as place:
        for _ in range(2):
            row = {"segue": measure(sys.executable, "segue_peer.py", 1.0, place())}
            for name, (packages, scale) in (ON_POSTGRES if postgres else PEERS).items():
                row[name] = measure(python_of(name, packages), f"{name}_peer.py", scale, place())
            rounds.append(row)
    names = list(rounds[0]["segue"])
    print(f"{'':24}" + "".join(f"{system:>22}" for system in rounds[0]))
    for figure in names:
        cells = [" / ".join(f"{r[system][figure]:,.1f}" for r in rounds) for system in rounds[0]]
        print(f"{figure:24}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    main()
