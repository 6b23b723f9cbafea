"""Which commands there are, and the overview that ``segue --help`` prints without loading any of them."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """A command: its name, its group, where its function is, and what it does in one sentence."""

    name: str
    group: str
    place: str
    help: str


COMMANDS = (
    Command("run", "Run", "run:run", "Run a workflow to its end and show its steps as they go."),
    Command("dev", "Run", "dev:dev", "Serve the workflows of a folder, anew whenever a file changes."),
    Command("worker", "Run", "worker:worker", "Serve workflows in one process until it is told to stop."),
    Command("server", "Run", "server:server", "Serve the dashboard and the HTTP API of a database."),
    Command("start", "Run", "start:start", "Start a run and return at once: a worker carries it out."),
    Command("list", "Look", "listing:list_runs", "List runs, newest first."),
    Command("show", "Look", "show:show", "Show one run: its steps, errors, inputs and outputs."),
    Command("query", "Look", "talking:query", "Ask a run something that changes nothing."),
    Command("workers", "Look", "workers:workers", "List the workers that are alive, and what each has."),
    Command("queues", "Look", "queues:queues", "List the queues, what waits in them, and which workers have the rest."),
    Command(
        "namespaces",
        "Look",
        "namespaces:namespaces",
        "List namespaces; say what each is for, and how long its runs are kept.",
    ),
    Command("signal", "Act", "messages:signal", "Send a signal to a run."),
    Command("update", "Act", "talking:update", "Change a run through one of its updates, and get the answer."),
    Command("approve", "Act", "approve:approve", "Answer a human task of a run."),
    Command("task", "Act", "tasks:task", "Human tasks: list, show, claim, take-over, hand, release, comment."),
    Command("schedule", "Act", "schedule:schedule", "Start runs by themselves: create, list, show, pause, backfill …"),
    Command("cancel", "Act", "messages:cancel", "Ask runs to stop; what they did is undone first."),
    Command("terminate", "Act", "messages:terminate", "End runs at once; nothing is undone."),
    Command("pause", "Act", "pausing:pause", "Have runs, or a step of all runs, stand still."),
    Command("resume", "Act", "pausing:resume", "Let paused runs, or a paused step, go on."),
    Command("retry", "Act", "repair:retry", "Let a run go on that stands still, or run a part again."),
    Command("skip", "Act", "repair:skip", "Answer a call in its callee's place."),
    Command("fork", "Act", "repair:fork", "Go on from a place in a run's journal, as a new run."),
    Command("decide", "Decide", "decide:decide", "Make a decision of a DMN model, and say why."),
    Command("check", "Keep", "check:check", "Check that workflow code can be replayed."),
    Command("replay", "Keep", "replay:replay", "Go through a recorded run, under a debugger if asked."),
    Command("db", "Keep", "db:db", "Look after the database: stats, vacuum, backup, restore, export."),
    Command("erase", "Keep", "erase:erase", "Erase a person's data from runs that have ended."),
    Command("user", "Keep", "user:user", "Who may use a server: add, list, role, password, remove."),
    Command("key", "Keep", "key:key", "API keys of a server: add, list, revoke."),
    Command("secret", "Keep", "secret:secret", "An encrypted file of secrets: new-key, set, list, remove."),
    Command("notify", "Keep", "notify:notify", "Rules by which somebody outside is told: list, test."),
    Command("version", "Keep", "version:show_version", "Show what is installed."),
)

_SHOW = "`segue show RUN`"
_CANCEL = "`segue cancel RUN`, or `segue terminate RUN`, which undoes nothing"
_WORKFLOWS = "`segue workers`, for the workflows that are served"
_SERVE = "`segue server`, or `segue dev`, which also serves the workflows of a folder"

MEANT = {
    "runs": "`segue list`", "ls": "`segue list`", "ps": "`segue list`", "search": "`segue list --text WORDS`",
    "describe": _SHOW, "status": _SHOW, "info": _SHOW, "get": _SHOW, "result": _SHOW,
    "logs": "`segue show RUN --logs`", "log": "`segue show RUN --logs`",
    "history": "`segue show RUN --events`", "events": "`segue show RUN --events`",
    "stop": _CANCEL, "kill": _CANCEL, "abort": _CANCEL, "delete": _CANCEL,
    "rerun": "`segue retry RUN --from start`", "clear": "`segue retry RUN --from STEP`",
    "reset": "`segue retry RUN --from STEP`",
    "trigger": "`segue start WORKFLOW`, or `segue schedule trigger NAME`", "execute": "`segue start WORKFLOW`",
    "submit": "`segue start WORKFLOW`",
    "backfill": "`segue schedule backfill NAME`", "schedules": "`segue schedule list`", "tasks": "`segue task list`",
    "workflow": _WORKFLOWS, "workflows": _WORKFLOWS, "dag": _WORKFLOWS, "dags": _WORKFLOWS, "flows": _WORKFLOWS,
    "ui": _SERVE, "dashboard": _SERVE, "webserver": _SERVE, "standalone": "`segue dev`",
    "scheduler": "`segue worker`, which also starts what is scheduled",
    "init": "`segue run FILE.py`, which makes the database",
}  # fmt: skip
"""What others call it, with what it is here."""

_ITSELF = "it works on the database itself: run it where that is, with --url"
_SERVES = "it serves code of this machine, on a database: --url"

NOT_THERE = {
    "run": "it carries the run out here; `segue start` starts one there, and `segue show` shows it",
    "dev": _SERVES,
    "worker": f"{_SERVES}; for a server it carries out the steps of a --queue",
    "server": "it is a server itself, of a database: --url",
    "decide": "it reads a model of this machine, and decides here",
    "check": _ITSELF,
    "replay": _ITSELF,
    "db": _ITSELF,
    "erase": _ITSELF,
    "user": _ITSELF,
    "key": _ITSELF,
    "secret": "it looks after a file of this machine",
    "version": "it says what is installed here",
}
"""Commands that cannot ask a server with ``--server``: why, and what to do."""


def overview() -> str:
    """The groups of commands, as text."""
    lines = ["segue: durable workflows in plain async Python", "", "Usage: segue COMMAND …", ""]
    groups: dict[str, list[Command]] = {}
    for command in COMMANDS:
        groups.setdefault(command.group, []).append(command)
    for group, commands in groups.items():
        lines += [group, *(f"  {command.name:<11} {command.help}" for command in commands), ""]
    lines += [
        "Everywhere",
        "  --url       The database, sqlite:///… or postgresql://…; by default .segue/segue.db (SEGUE_URL)",
        "  --server    Ask this server instead, https://… (SEGUE_SERVER; its API key: SEGUE_API_KEY)",
        "  --app       The app whose runs they are (SEGUE_APP, segue.toml)",
        "  --namespace Whose runs (SEGUE_NAMESPACE, segue.toml)",
        "  --json      Print JSON, for machines",
        "",
        "`segue COMMAND --help` says more.",
    ]
    return "\n".join(lines)
