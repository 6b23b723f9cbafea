"""``segue check --static``, by the source alone: what is found in a workflow's code, where, and what is not."""

from __future__ import annotations

import textwrap

import pytest

from segue.cli.lint import Finding, check_source
from segue.cli.lint_rules import GLOBAL, RULES

NOW, STEP = RULES["time.time"], RULES["open"]
THREADS, PROCESS = RULES["threading.*"], RULES["subprocess.*"]
ORDER, ENVIRONMENT = RULES["hash"], RULES["os.environ"]


def findings(source: str) -> list[Finding]:
    return check_source(textwrap.dedent(source), "flow.py")


def in_workflow(imports: str, *body: str, parameters: str = "") -> list[tuple[str, str]]:
    """(what, instead) of each finding in a workflow of these lines."""
    lines = [imports, "from segue import workflow, step", "@workflow", f"async def flow({parameters}) -> None:"]
    return [(f.what, f.instead) for f in check_source("\n".join([*lines, *(f"    {line}" for line in body)]), "f.py")]


# --- what is found --------------------------------------------------------------------------------------------

FOUND = [
    ("import time", "at = time.time()", "time.time", NOW),
    ("import time as t", "at = t.monotonic()", "time.monotonic", NOW),
    ("from time import time_ns", "at = time_ns()", "time.time_ns", NOW),
    ("from time import *", "at = perf_counter()", "time.perf_counter", NOW),
    ("import time", "time.sleep(1)", "time.sleep", RULES["time.sleep"]),
    ("import datetime", "at = datetime.datetime.now()", "datetime.datetime.now", NOW),
    ("from datetime import datetime", "at = datetime.utcnow()", "datetime.datetime.utcnow", NOW),
    ("from datetime import date", "day = date.today()", "datetime.date.today", NOW),
    ("import pandas as pd", "at = pd.Timestamp.now()", "pandas.Timestamp.now", NOW),
    ("import random", "n = random.choice([1, 2])", "random.choice", RULES["random.*"]),
    ("from random import shuffle", "shuffle([1, 2])", "random.shuffle", RULES["random.*"]),
    ("import numpy as np", "n = np.random.default_rng()", "numpy.random.default_rng", RULES["random.*"]),
    ("import secrets", "key = secrets.token_hex()", "secrets.token_hex", RULES["random.*"]),
    ("import uuid", "id = uuid.uuid4()", "uuid.uuid4", RULES["uuid.uuid4"]),
    ("import os", "home = os.environ['HOME']", "os.environ", ENVIRONMENT),
    ("import sys", "name = sys.argv[1]", "sys.argv", ENVIRONMENT),
    ("", "text = open('a').read()", "open()", STEP),
    ("from pathlib import Path", "text = Path('a').read_text()", ".read_text()", STEP),
    ("import urllib.request", "urllib.request.urlopen('http://x')", "urllib.request.urlopen", STEP),
    ("import socket", "s = socket.socket()", "socket.socket", STEP),
    ("import requests", "requests.get('http://x')", "requests.get", STEP),
    ("import sqlite3", "db = sqlite3.connect('a.db')", "sqlite3.connect", STEP),
    ("import subprocess", "subprocess.run(['ls'])", "subprocess.run", PROCESS),
    ("import os", "os.system('ls')", "os.system", PROCESS),
    ("import threading", "threading.Thread(target=print).start()", "threading.Thread", THREADS),
    ("import asyncio", "await asyncio.to_thread(print)", "asyncio.to_thread", THREADS),
    ("import asyncio", "await asyncio.get_running_loop().run_in_executor(None, print)", ".run_in_executor()", THREADS),
    ("", "n = hash('a')", "hash()", ORDER),
    ("", "n = id(flow)", "id()", RULES["id"]),
    ("", "name = input()", "input()", RULES["input"]),
    ("", "for n in {1, 2}: pass", "the order of a set", ORDER),
    ("", "ns = [n for n in set([1, 2])]", "the order of a set", ORDER),
    ("", "ns = list(frozenset([1, 2]))", "the order of a set", ORDER),
    ("", "for n in set([1]) | {2}: pass", "the order of a set", ORDER),
    ("", "for n in {1}.union([2]): pass", "the order of a set", ORDER),
    ("", "text = ', '.join({'a', 'b'})", "the order of a set", ORDER),
    ("", "first = {1, 2}.pop()", "the order of a set", ORDER),
    ("import asyncio", "await asyncio.gather(*{1, 2})", "the order of a set", ORDER),
    ("", "await fetch.map({1, 2})", "the order of a set", ORDER),
    ("", "await fetch.by_reference().map({n for n in ns}, concurrency=2)", "the order of a set", ORDER),
]


@pytest.mark.parametrize(("imports", "line", "what", "instead"), FOUND, ids=[f"{i} {line}" for i, line, *_ in FOUND])
def test_found(imports: str, line: str, what: str, instead: str) -> None:
    assert in_workflow(imports, line) == [(what, instead)]


def test_names_that_hold_sets() -> None:
    assert in_workflow("", "seen = {1, 2}", "for n in seen: pass") == [("the order of a set", ORDER)]
    assert in_workflow("", "for n in seen: pass", parameters="seen: set[int]") == [("the order of a set", ORDER)]
    assert in_workflow("", "seen = {1, 2}", "seen = sorted(seen)", "for n in seen: pass") == []


def test_globals_that_change() -> None:
    for line in ("SEEN.append(1)", "SEEN[0] = 1", "del SEEN[0]", "SEEN[0] += 1"):
        assert in_workflow("SEEN = []", line) == [("the global SEEN is changed", GLOBAL)]
    assert in_workflow("COUNT = 0", "global COUNT", "COUNT += 1") == [("global COUNT", GLOBAL)]
    assert in_workflow("SEEN = []", "SEEN = [2]", "SEEN.append(1)") == []


# --- where it is looked for -----------------------------------------------------------------------------------

PLACES = """
    import time
    import random as dice
    import segue
    from segue import step, workflow

    def price() -> float:
        return fee() * dice.random()

    def fee() -> float:
        return time.time()

    def never_called() -> float:
        return time.time()

    @step
    async def look() -> float:
        return price()

    @workflow(name="flow")
    async def flow() -> float:
        @step
        async def inner_step() -> float:
            return time.time()

        async def inner() -> float:
            return time.time()

        await look()
        return price() + await inner()

    class Flows:
        @staticmethod
        @segue.workflow
        async def kept_in_a_class() -> float:
            return time.time()
"""


def test_workflows_the_functions_they_call_and_what_is_nested_in_them() -> None:
    found = findings(PLACES)
    assert [(f.line, f.column, f.function, f.what) for f in found] == [
        (8, 20, "price", "random.random"),
        (11, 12, "fee", "time.time"),
        (27, 16, "flow", "time.time"),
        (36, 16, "kept_in_a_class", "time.time"),
    ]
    assert {f.path for f in found} == {"flow.py"}


CLASSES = """
    import time
    import segue
    from segue import query, signal, step, update, workflow

    class Counted:
        def count(self) -> float:
            return time.time()

    class Other(Counted):
        def never(self) -> float:
            return time.time()

    @workflow(name="cart")
    class Cart(Counted):
        def __init__(self, who: str) -> None:
            self.at = time.time()

        async def run(self) -> float:
            return self._price() + fee()

        def _price(self) -> float:
            return time.time()

        @signal
        def leave(self) -> None:
            self.at = time.time()

        @update
        async def add(self) -> float:
            return time.time()

        @query
        def age(self) -> float:
            return time.time() - self.at

        @staticmethod
        @step
        async def look() -> float:
            return time.time()

    def fee() -> float:
        return time.time()
"""


def test_what_a_class_that_is_a_workflow_has_and_inherits() -> None:
    assert [(f.line, f.function) for f in findings(CLASSES)] == [
        (8, "Counted.count"),
        (17, "Cart.__init__"),
        (23, "Cart._price"),
        (27, "Cart.leave"),
        (31, "Cart.add"),
        (43, "fee"),
    ]


NAMED = """
    import asyncio
    import time
    from segue import query, saga, step, workflow

    @step.transaction
    def book(tx) -> float:
        return time.time()

    async def unbook(result: float | None) -> float:
        return time.time()

    def later() -> float:
        return time.time()

    def logged(function):
        print(time.time())
        return function

    def price() -> float:
        return time.time()

    @workflow
    @logged
    async def flow(price: float) -> None:
        print(price)

        @query
        def age() -> float:
            return time.time()

        async with saga() as s:
            await s.step(book, undo=unbook)
        asyncio.get_running_loop().call_later(1, later)
"""


def test_functions_that_a_workflow_has_called_by_others() -> None:
    assert [(f.line, f.function) for f in findings(NAMED)] == [(11, "unbook"), (14, "later")]


def test_a_comment_silences_a_line() -> None:
    assert in_workflow("import time", "a = time.time()  # segue: ok", "b = time.time()") == [("time.time", NOW)]


# --- what is left alone ---------------------------------------------------------------------------------------

FINE = [
    ("import asyncio", "await asyncio.sleep(1)"),
    ("from segue import now, random, uuid4", "n = random.random(), now(), uuid4()"),
    ("import segue", "n = segue.random.random(), segue.now()"),
    ("from segue import *", "n = random.choice([1, 2]), now()"),
    ("import random\nfrom segue import *", "n = random.choice([1, 2])"),
    ("from datetime import datetime, timedelta", "d = timedelta(1), datetime(2026, 1, 1)"),
    ("", "for n in sorted({1, 2}): pass"),
    ("", "n = len({1, 2}), max({1, 2}), 1 in {1, 2}"),
    ("", "seen = set()\n    seen.add(1)\n    seen.update([2])"),
    ("", "time = {'time': 1}\n    n = time.get('time')"),
    ("import time", "time = {'time': 1}\n    n = time['time']"),
    ("from pathlib import PurePath", "name = PurePath('a').name"),
    ("import random", "dice = random.Random(4)"),
    ("", "a.open()"),
]


@pytest.mark.parametrize(("imports", "line"), FINE, ids=[line for _, line in FINE])
def test_left_alone(imports: str, line: str) -> None:
    assert in_workflow(imports, line) == []


def test_a_module_without_workflows_may_do_anything() -> None:
    assert findings("import time\ndef f(): return time.time()\n") == []
    assert findings("from other import workflow\nimport time\n@workflow\ndef f(): return time.time()\n") == []
