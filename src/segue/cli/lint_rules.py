"""What cannot be replayed, by name, and what to use instead: the table behind ``segue check --static``."""

from __future__ import annotations

_NOW = "use segue.now()"
_CHANCE = "use segue.random"
_UUID = "use segue.uuid4()"
_STEP = "do it in a @step"
_THREADS = "make it a plain @step, which runs in a thread, and await several with asyncio.gather"
_PROCESS = 'do it in a @step; executor="process" gives a function a process of its own'
_ENVIRONMENT = "pass it to the workflow as an argument, or read it in a @step"
ORDER = "hashes differ from process to process; use a list, a dict or sorted(...)"
GLOBAL = "use the workflow's arguments and its steps' results; segue.state across runs"

RULES: dict[str, str] = {
    **dict.fromkeys(
        (
            "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
            "time.perf_counter_ns", "time.process_time", "time.localtime", "time.gmtime", "time.ctime",
            "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
            "pandas.Timestamp.now", "pandas.Timestamp.today",
        ),
        _NOW,
    ),
    "time.sleep": "it blocks every run; use `await asyncio.sleep`, which is durable",
    **dict.fromkeys(("random.*", "secrets.*", "os.urandom", "numpy.random.*"), _CHANCE),
    **dict.fromkeys(("uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "uuid.uuid8"), _UUID),
    **dict.fromkeys(
        ("os.environ", "os.environb", "os.getenv", "os.getpid", "os.getcwd", "os.cpu_count", "getpass.getuser",
         "platform.*", "sys.argv", "sys.stdin"),
        _ENVIRONMENT,
    ),
    **dict.fromkeys(
        (
            "open", "io.open", "os.listdir", "os.scandir", "os.walk", "os.stat", "os.remove", "os.rename", "os.mkdir",
            "os.makedirs", "glob.*", "shutil.*", "tempfile.*", "sqlite3.*", "psycopg.*", "sqlalchemy.*", "requests.*",
            "httpx.*", "aiohttp.*", "urllib.request.*", "http.client.*", "socket.*", "smtplib.*", "ftplib.*",
            "asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server",
        ),
        _STEP,
    ),
    **dict.fromkeys(
        ("subprocess.*", "os.system", "os.popen", "os.fork", "asyncio.create_subprocess_exec",
         "asyncio.create_subprocess_shell"),
        _PROCESS,
    ),
    **dict.fromkeys(("threading.*", "multiprocessing.*", "concurrent.futures.*", "asyncio.to_thread"), _THREADS),
    "asyncio.run": "the engine drives the loop; use `await`",
    "input": "ask with approval(), or wait for a signal()",
    "hash": ORDER,
    "id": "an object's address differs at each replay; give it a name of its own",
}  # fmt: skip
"""Dotted names, of modules as they are called, and what to use instead; ``.*`` stands for everything below."""

METHODS = {
    "run_in_executor": _THREADS,
    **dict.fromkeys(("subprocess_exec", "subprocess_shell"), _PROCESS),
    **dict.fromkeys(
        ("read_text", "read_bytes", "write_text", "write_bytes", "create_connection", "create_server", "add_reader",
         "add_writer"),
        _STEP,
    ),
}  # fmt: skip
"""Methods that give themselves away by their name, whatever they are called on."""
HARMLESS = {"threading.TIMEOUT_MAX", "socket.AF_INET", "random.Random"}
MUTATORS = {
    "append", "extend", "insert", "remove", "pop", "clear", "add", "discard", "update", "setdefault", "popitem", "sort",
}  # fmt: skip
BUILTINS = ("open", "input", "hash", "id")
TAKERS = {"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "reversed", "next"}
"""Functions whose result has the order of their argument."""
