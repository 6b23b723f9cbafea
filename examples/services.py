"""A shop's, an office's and a bank's services, small enough to read, for the examples to call over real HTTP.

Each service is a table of operations on a SQLite file of its own, on a port of the loopback interface that the
operating system picks. It does what a decent service does: a request with an ``Idempotency-Key`` takes effect once, and
whoever asks again gets the first answer. And it does what every service does now and then (``FAULTS``): it is busy, or
it does the work and its answer is lost on the way.

The examples start them when they first need one. To watch them, start them yourself and look at what they hold::

    python examples/services.py shop-data        # prints an address for each service
    EXAMPLE_SERVICES=shop-data python examples/order.py
    curl http://127.0.0.1:PORT/                   # the address of the service that you are curious about

This module knows nothing of segue; it stands for the world outside.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from datetime import date
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener
from zlib import crc32

Operation = Callable[[sqlite3.Connection, dict[str, Any]], dict[str, Any]]

FAULTS: dict[str, list[str]] = {
    "payment/charge": ["lost"],  # the money has moved, and nobody hears of it
    "warehouse/pick": ["busy"],
    "carrier/label": ["busy", "busy"],
    "hr/register": ["busy"],
    "it/account": ["lost"],
    "facilities/desk": ["busy", "lost"],
    "bureau/score": ["busy", "lost"],
    "bank/pay_out": ["lost", "busy"],
    "city/trips": ["busy"],
}
"""What goes wrong with the first requests that carry one key: ``busy`` or ``lost``, in this order."""


class Refused(Exception):
    """The service understood and says no (HTTP 422); asking again is of no use."""


class Unavailable(Exception):
    """The service is busy (HTTP 503); asking again may help."""


# --- what the services do -------------------------------------------------------------------------------------

OPERATIONS: dict[str, Operation] = {}


def operation(service: str) -> Callable[[Operation], Operation]:
    """Makes a function an operation of a service, under its own name."""

    def register(function: Operation) -> Operation:
        OPERATIONS[f"{service}/{function.__name__}"] = function
        return function

    return register


def _add(db: sqlite3.Connection, kind: str, owner: str, state: str, **data: Any) -> str:
    """Puts an entry into the service's book and returns its number, such as ``pay-0001``."""
    if db.execute("SELECT 1 FROM called_off WHERE kind = ? AND owner = ?", [kind, owner]).fetchone():
        raise Refused(f"{owner} has been called off")  # a request must not overtake what undoes it
    number = db.execute("SELECT count(*) + 1 FROM book WHERE kind = ?", [kind]).fetchone()[0]
    ref = f"{kind}-{number:04}"
    db.execute("INSERT INTO book VALUES (?, ?, ?, ?, ?)", [ref, kind, owner, state, json.dumps(data)])
    return ref


def _call_off(db: sqlite3.Connection, kind: str, owner: str, state: str) -> list[dict[str, Any]]:
    """Gives an owner's entries of a kind a last state and tells what stood in them. If there are none, the request for
    one may still be under way: then it will be refused."""
    turned = db.execute(
        "UPDATE book SET state = ? WHERE kind = ? AND owner = ? AND state <> ? RETURNING data",
        [state, kind, owner, state],
    ).fetchall()
    if not turned:
        db.execute("INSERT OR IGNORE INTO called_off VALUES (?, ?)", [kind, owner])
    return [json.loads(data) for (data,) in turned]


# --- the shop --------------------------------------------------------------------------------------------------

STOCK = {"desk": 400, "lamp": 900, "chair": 700, "piano": 3}


@operation("payment")
def charge(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    if ask["card"].endswith("0002"):
        raise Refused("the bank declined the card")
    return {"payment": _add(db, "pay", ask["order"], "charged", amount=ask["amount"])}


@operation("payment")
def refund(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"refunded": [entry["amount"] for entry in _call_off(db, "pay", ask["order"], "refunded")]}


@operation("warehouse")
def reserve(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    for sku, quantity in ask["items"].items():
        left = db.execute("SELECT on_hand FROM stock WHERE sku = ?", [sku]).fetchone()
        if left is None or left[0] < quantity:
            raise Refused(f"{quantity} × {sku} wanted, {left[0] if left else 0} in stock")
        db.execute("UPDATE stock SET on_hand = on_hand - ? WHERE sku = ?", [quantity, sku])
    return {"reservation": _add(db, "res", ask["order"], "held", items=ask["items"])}


@operation("warehouse")
def release(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    for held in _call_off(db, "res", ask["order"], "released"):
        for sku, quantity in held["items"].items():
            db.execute("UPDATE stock SET on_hand = on_hand + ? WHERE sku = ?", [quantity, sku])
    return {}


@operation("warehouse")
def pick(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    shelf = f"{'ABCDEF'[len(ask['sku']) % 6]}{sum(ask['sku'].encode()) % 40 + 1:02}"
    _add(db, "pick", ask["order"] + "/" + ask["sku"], "picked", quantity=ask["quantity"])
    return {"shelf": shelf}


@operation("warehouse")
def put_back(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "pick", ask["order"] + "/" + ask["sku"], "shelved")
    return {}


@operation("carrier")
def label(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    if ask["country"] not in ("AT", "CH", "DE", "FR", "IT", "NL"):
        raise Refused(f"no delivery to {ask['country']}")
    return {"tracking": _add(db, "parcel", ask["order"], "printed", country=ask["country"])}


@operation("carrier")
def void(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "parcel", ask["order"], "void")
    return {}


@operation("mail")
def send(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"message": _add(db, "mail", ask["to"], "sent", subject=ask["subject"], text=ask["text"])}


# --- the office ------------------------------------------------------------------------------------------------


@operation("hr")
def register(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"number": _add(db, "emp", ask["email"], "registered", name=ask["name"], starts=ask["starts"])}


@operation("hr")
def deregister(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "emp", ask["email"], "withdrawn")
    return {}


@operation("hr")
def file_document(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"filed": _add(db, "doc", ask["email"], "filed", what=ask["what"])}


@operation("hr")
def book_course(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _add(db, "course", ask["email"], "booked", course=ask["course"])
    return {"in_days": 3 + len(ask["course"]) % 4}


@operation("it")
def account(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _add(db, "account", ask["email"], "open")
    return {"login": ask["email"].partition("@")[0]}


@operation("it")
def close_account(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "account", ask["email"], "closed")
    return {}


@operation("it")
def laptop(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"asset": _add(db, "laptop", ask["email"], "ordered", model=ask["model"]), "in_days": 6}


@operation("it")
def return_laptop(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "laptop", ask["email"], "returned")
    return {}


@operation("facilities")
def desk(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"desk": _add(db, "desk", ask["email"], "taken", site=ask["site"])}


@operation("facilities")
def free_desk(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "desk", ask["email"], "free")
    return {}


@operation("facilities")
def badge(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"badge": _add(db, "badge", ask["email"], "valid", photo=ask["photo"])}


@operation("facilities")
def void_badge(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    _call_off(db, "badge", ask["email"], "void")
    return {}


# --- the bank --------------------------------------------------------------------------------------------------


@operation("bureau")
def score(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    known = {"ada@example.org": (741, 1_200), "bob@example.org": (655, 12_000), "eve@example.org": (498, 30_000)}
    points, debts = known.get(ask["email"], (600 + crc32(ask["email"].encode()) % 200, 0))
    _add(db, "inquiry", ask["email"], "answered", score=points)  # each one is on the record, and lowers the next score
    return {"score": points, "debts": debts}


@operation("bank")
def pay_out(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    return {"transfer": _add(db, "transfer", ask["loan"], "done", amount=ask["amount"], to=ask["email"])}


# --- the city --------------------------------------------------------------------------------------------------


@operation("city")
def trips(db: sqlite3.Connection, ask: dict[str, Any]) -> dict[str, Any]:
    """Bicycles that crossed a bridge in Seattle, a page of days at a time. Made up, from the real weather of the day.

    As with every feed, some of it is wrong: a count of -1, a day that comes twice, a day without a count. In the
    spring of 2014 the counter is under repair; from 2015 on the feed writes numbers in another way.
    """
    days = [row for row in _weather() if ask["since"] <= row["date"] < ask["until"]]
    page = days[ask["page"] * 100 : (ask["page"] + 1) * 100]
    rows: list[dict[str, Any]] = []
    for row in page:
        day, noise = row["date"], crc32(row["date"].encode()) % 1000 / 1000
        weekend = date.fromisoformat(day).weekday() >= 5
        wet = float(row["precipitation"]) > 1
        count: Any = 2600 * (0.5 + noise) ** 0.3 * (1 + 0.035 * (float(row["temp_max"]) - 14))
        count = round(count * (0.62 if wet else 1) * (0.7 if weekend else 1))
        if "2014-02-20" <= day <= "2014-03-31" or noise > 0.995:
            count = -1
        elif noise < 0.004:
            count = None
        elif day >= "2015":
            count = f"{count:,}"
        rows += [{"day": day, "trips": count}] * (2 if 0.5 < noise < 0.504 else 1)
    return {"rows": rows, "next": ask["page"] + 1 if len(page) == 100 else None}


@cache
def _weather() -> list[dict[str, str]]:
    with (files("vega_datasets") / "_data" / "seattle-weather.csv").open() as table:
        return [row | {"date": row["date"].replace("/", "-")} for row in csv.DictReader(table)]


# --- what makes them services ---------------------------------------------------------------------------------

_SCHEMA = """
CREATE TABLE IF NOT EXISTS book (ref TEXT PRIMARY KEY, kind TEXT, owner TEXT, state TEXT, data TEXT);
CREATE TABLE IF NOT EXISTS called_off (kind TEXT, owner TEXT, PRIMARY KEY (kind, owner));
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, on_hand INTEGER CHECK (on_hand >= 0));
CREATE TABLE IF NOT EXISTS answers (operation TEXT, key TEXT, status INTEGER, body TEXT, PRIMARY KEY (operation, key));
CREATE TABLE IF NOT EXISTS tries (operation TEXT, key TEXT, n INTEGER, PRIMARY KEY (operation, key));
"""


class _Service(BaseHTTPRequestHandler):
    """One request to one service."""

    name: ClassVar[str]
    file: ClassVar[Path]
    faults: ClassVar[dict[str, list[str]]]

    def do_POST(self) -> None:
        operation = f"{self.name}{self.path}"
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the caller died in the middle of it
        ask = json.loads(body)
        key = self.headers.get("Idempotency-Key", "")
        fault = self._fault(operation, key)
        if fault == "busy":
            self._answer(503, {"error": f"{self.name} is busy"})
            return
        status, answer = self._once(operation, key, ask)
        if fault == "lost":
            self.close_connection = True  # the work is done, and the caller will never know
            return
        self._answer(status, answer)

    def do_GET(self) -> None:
        """All that the service holds, for the curious and for tests."""
        with self._open() as db:
            book = db.execute("SELECT ref, kind, owner, state, data FROM book").fetchall()
            stock = dict(db.execute("SELECT sku, on_hand FROM stock").fetchall())
        db.close()
        names = ("ref", "kind", "owner", "state")
        entries = [dict(zip(names, row, strict=False)) | json.loads(row[4]) for row in book]
        self._answer(200, {"book": entries, "stock": stock})

    def _fault(self, operation: str, key: str) -> str:
        script = self.faults.get(operation, [])
        if not key or not script:
            return ""
        with self._open() as db:
            (n,) = db.execute(
                "INSERT INTO tries VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n", [operation, key]
            ).fetchone()
        db.close()
        return script[n - 1] if n <= len(script) else ""

    def _once(self, operation: str, key: str, ask: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Does what is asked, unless this key has been served: then the first answer is given again.

        Effect and answer are written in one transaction, so that there is never one without the other.
        """
        db = self._open()
        try:
            db.execute("BEGIN IMMEDIATE")
            before = db.execute("SELECT status, body FROM answers WHERE operation = ? AND key = ?", [operation, key])
            served = before.fetchone() if key else None
            if served is not None:
                db.execute("COMMIT")
                return served[0], json.loads(served[1])
            db.execute("SAVEPOINT work")
            try:
                status, body = 200, OPERATIONS[operation](db, ask)
            except Refused as no:
                db.execute("ROLLBACK TO work")
                status, body = 422, {"error": str(no)}
            if key:
                db.execute("INSERT INTO answers VALUES (?, ?, ?, ?)", [operation, key, status, json.dumps(body)])
            db.execute("COMMIT")
        finally:
            db.close()
        return status, body

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, timeout=30, isolation_level=None)
        db.execute("PRAGMA synchronous = OFF")  # survives the death of the process, which is all that is asked of it
        return db

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Not every request on stderr."""


PATIENCE = 10.0
"""Seconds that a caller waits for an answer."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who has gone away in the middle is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(folder: Path, faults: dict[str, list[str]] | None = None) -> dict[str, str]:
    """Starts every service, each in a thread, on files in ``folder``; answers with their addresses."""
    folder.mkdir(parents=True, exist_ok=True)
    addresses = {}
    for name in sorted({operation.partition("/")[0] for operation in OPERATIONS}):
        file = folder / f"{name}.db"
        with sqlite3.connect(file) as db:
            db.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)
            db.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?)", STOCK.items() if name == "warehouse" else ())
        db.close()
        handler = type(name, (_Service,), {"name": name, "file": file, "faults": FAULTS if faults is None else faults})
        server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, name=f"service-{name}", daemon=True).start()
        addresses[name] = f"http://127.0.0.1:{server.server_port}"
    return addresses


# --- how the examples call them -------------------------------------------------------------------------------

_open = build_opener(ProxyHandler({})).open  # a proxy of the machine has no business on the loopback interface
_started: dict[str, str] = {}
_starting = threading.Lock()


def address(service: str) -> str:
    """Where a service listens: one that was started for all (``EXAMPLE_SERVICES``), or else one in this process."""
    folder = os.environ.get("EXAMPLE_SERVICES")
    if folder:
        found: str = json.loads(Path(folder, "addresses.json").read_text())[service]
        return found
    with _starting:
        if not _started:
            _started.update(serve(Path(".segue", "services")))
    return _started[service]


def call(operation: str, ask: dict[str, Any], *, key: str) -> dict[str, Any]:
    """Asks a service for something, under an idempotency key.

    Raises:
        Refused: it says no.
        Unavailable, OSError: it is busy, cannot be reached, or its answer did not come. The work may have been done.
    """
    service, _, path = operation.partition("/")
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    request = Request(f"{address(service)}/{path}", data=json.dumps(ask).encode(), headers=headers)
    try:
        with _open(request, timeout=PATIENCE) as answer:
            body: dict[str, Any] = json.load(answer)
            return body
    except HTTPError as error:
        message = json.load(error)["error"]
        raise (Unavailable if error.code == 503 else Refused)(message) from None


def holds(service: str) -> dict[str, Any]:
    """All that a service holds: its ``book``, and its ``stock`` if it has one."""
    with _open(address(service), timeout=PATIENCE) as answer:
        body: dict[str, Any] = json.load(answer)
        return body


if __name__ == "__main__":
    here = Path(sys.argv[1] if len(sys.argv) > 1 else ".segue/services")
    running = serve(here, json.loads(sys.argv[2]) if len(sys.argv) > 2 else None)
    listed = here / "addresses.json.new"
    listed.write_text(json.dumps(running))
    listed.replace(here / "addresses.json")
    for name, url in running.items():
        print(f"{name:12} {url}", flush=True)
    threading.Event().wait()
