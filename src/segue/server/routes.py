"""The route table: everything that can be asked, exactly. What is not here is not there."""

from __future__ import annotations

from segue.handles import HumanTask
from segue.server import acting, health, live, overview, people, runs, workflows
from segue.server.call import Route
from segue.server.views import RunView, ValueView

BASE = "/api/v1"

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/overview", needs="runs:read", handler=overview.overview, gives=overview.Overview,
        summary="Where everything stands, and what needs a person.",
    ),
    Route(
        method="GET", path="/runs", needs="runs:read", handler=runs.list_runs, query=runs.RunQuery, gives=runs.RunPage,
        summary="Runs, newest first, by page.",
    ),
    Route(
        method="POST", path="/runs", needs="runs:start", handler=acting.start_run, body=acting.StartBody,
        gives=RunView, status=201, summary="Start a run; acknowledged once it is on disk.",
    ),
    Route(
        method="GET", path="/runs/{run:int}", needs="runs:read", handler=runs.show_run, gives=runs.RunPicture,
        summary="One run whole: its steps, incidents, waits, input and result.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/events", needs="runs:read", handler=runs.list_events,
        query=runs.EventQuery, gives=runs.EventPage, summary="The journal, by page.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/logs", needs="runs:read", handler=runs.list_logs, query=runs.EventQuery,
        gives=runs.LogPage, summary="What its steps printed and logged, by page.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/value", needs="runs:read", handler=runs.show_value, query=runs.ValueQuery,
        gives=ValueView, summary="One recorded value, however large.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/live", needs="runs:read", handler=live.follow_run, query=live.LiveQuery,
        gives=live.Following, stream=True, summary="The run's events as they come to be on disk, and what it does.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/signal", needs="runs:act", handler=acting.signal_run,
        body=acting.SignalBody, status=204, summary="Send a signal.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/query", needs="runs:read", handler=acting.query_run,
        body=acting.CallBody, gives=acting.Answer, summary="Ask a query, which changes nothing.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/update", needs="runs:act", handler=acting.update_run,
        body=acting.CallBody, gives=acting.Answer, summary="Send an update, and wait for its answer.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/cancel", needs="runs:act", handler=acting.cancel_run,
        body=acting.ReasonBody, status=204, summary="Ask the run to end: it undoes and cleans up first.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/terminate", needs="runs:act", handler=acting.terminate_run,
        body=acting.ReasonBody, status=204, summary="End the run at once: nothing is undone.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/retry", needs="runs:act", handler=acting.retry_run,
        body=acting.RetryBody, status=204, summary="Let what stands still go on, with new attempts.",
    ),
    Route(
        method="GET", path="/workflows", needs="runs:read", handler=workflows.list_workflows,
        gives=list[workflows.WorkflowView], summary="Workflows that are known here, with the form of their input.",
    ),
    Route(
        method="GET", path="/workflows/{name}", needs="runs:read", handler=workflows.show_workflow,
        gives=workflows.WorkflowDetail, summary="One workflow with its source.",
    ),
    Route(
        method="GET", path="/tasks", needs="tasks:read", handler=people.list_tasks, query=people.TaskQuery,
        gives=people.TaskList, summary="What people are asked.",
    ),
    Route(
        method="GET", path="/tasks/{task:int}", needs="tasks:read", handler=people.show_task, gives=HumanTask,
        summary="One task with its facts and form.",
    ),
    Route(
        method="POST", path="/tasks/{task:int}/complete", needs="tasks:act", handler=people.complete_task,
        body=people.AnswerBody, status=204, summary="Answer a task.",
    ),
    Route(
        method="GET", path="/live", needs="runs:read", handler=live.changes, query=live.LiveQuery, gives=live.Changed,
        stream=True, summary="Says that something has changed, after commits.",
    ),
    Route(
        method="GET", path="/health", needs="public", handler=health.healthy, gives=health.Health,
        summary="Whether the process answers.",
    ),
    Route(
        method="GET", path="/ready", needs="public", handler=health.ready, gives=health.Ready,
        summary="Whether the database answers.",
    ),
)  # fmt: skip
