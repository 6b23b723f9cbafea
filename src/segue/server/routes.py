"""The route table: everything that can be asked, exactly. What is not here is not there."""

from __future__ import annotations

from segue.authoring.python.outline import Outline
from segue.client.claiming import TaskNote
from segue.client.handles import HumanTask
from segue.client.steering import PausedStep
from segue.repair.actions import Effect
from segue.server import (
    acting,
    attached,
    figures,
    grid,
    health,
    held,
    histogram,
    live,
    logs,
    many,
    members,
    metrics,
    namespaces,
    overview,
    people,
    records,
    repairs,
    runs,
    schedules,
    sessions,
    system,
    taken,
    versions,
    waiting,
    workflows,
    working,
)
from segue.server.accounts import Account, ApiKey
from segue.server.call import Route
from segue.server.overview import WorkerView
from segue.server.views import RunView, ValueView
from segue.stores.attempt_rows import QueueFigures

BASE = "/api/v1"

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET", path="/overview", needs="runs:read", handler=overview.overview, gives=overview.Overview,
        summary="Where everything stands, and what needs a person.",
    ),
    Route(
        method="GET", path="/figures", needs="runs:read", handler=figures.figures, query=figures.FigureQuery,
        gives=figures.Figures, summary="What became of runs over time, by bar and by workflow.",
    ),
    Route(
        method="GET", path="/runs", needs="runs:read", handler=runs.list_runs, query=runs.RunQuery, gives=runs.RunPage,
        summary="Runs, newest first, by page.",
    ),
    Route(
        method="GET", path="/runs/histogram", needs="runs:read", handler=histogram.show_histogram,
        query=histogram.HistogramQuery, gives=histogram.Histogram,
        summary="How many runs began when, by bar and by state.",
    ),
    Route(
        method="POST", path="/runs", needs="runs:start", handler=acting.start_run, query=waiting.StartQuery,
        body=acting.StartBody, gives=waiting.StartedRun, status=201, then=waiting.until_end,
        also={202: "The time to wait is over; the run goes on."},
        summary="Start a run; acknowledged once it is on disk, and by its end where that is waited for.",
    ),
    Route(
        method="GET", path="/runs/{run:int}", needs="runs:read", handler=runs.show_run, query=runs.PictureQuery,
        gives=runs.RunPicture, version=versions.run_version,
        summary="One run whole: its steps, incidents, waits, input and result.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/events", needs="runs:read", handler=runs.list_events,
        query=runs.EventQuery, gives=runs.EventPage, version=versions.journal_version, summary="The journal, by page.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/logs", needs="runs:read", handler=logs.list_logs, query=logs.LogQuery,
        gives=logs.LogPage, summary="What its steps printed and logged, by page.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/logs/text", needs="runs:read", handler=logs.download_logs,
        query=logs.TextQuery, text="text/plain", summary="What its steps printed and logged, as a text.",
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
        method="GET", path="/runs/{run:int}/signals", needs="runs:read", handler=taken.list_signals,
        gives=list[taken.SignalView], summary="The signals that it takes, with the form of each.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/updates", needs="runs:read", handler=taken.list_updates,
        gives=list[taken.HandlerView], summary="The updates that it answers, with the form of each.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/queries", needs="runs:read", handler=taken.list_queries,
        gives=list[taken.HandlerView], summary="The queries that it answers, with the form of each.",
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
        method="POST", path="/runs/{run:int}/pause", needs="runs:act", handler=repairs.pause_run,
        body=acting.ReasonBody, status=204, summary="Have the run stand still until it is resumed.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/resume", needs="runs:act", handler=repairs.resume_run, body=repairs.Bare,
        status=204, summary="Let a paused run go on.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/skip", needs="runs:act", handler=repairs.skip_call, body=repairs.SkipBody,
        gives=Effect, summary="Answer a call in its callee's place.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/input", needs="runs:act", handler=repairs.edit_input,
        body=repairs.InputBody, gives=Effect, summary="Give further attempts of a step other arguments.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/rerun", needs="runs:act", handler=repairs.rerun, body=repairs.RerunBody,
        gives=RunView, status=201, summary="Run a part again: a new run under the same id.",
    ),
    Route(
        method="POST", path="/runs/{run:int}/fork", needs="runs:start", handler=repairs.fork_run,
        body=repairs.ForkBody, gives=RunView, status=201, summary="Go on from a place in the journal, as a new run.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/preview", needs="runs:read", handler=repairs.preview_fork,
        query=repairs.PreviewQuery, gives=Effect, summary="What a fork or another run of a part would do.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/children", needs="runs:read", handler=runs.list_children,
        query=runs.PageQuery, gives=runs.RunPage, summary="The runs that it has started, newest first, by page.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/artifacts", needs="runs:read", handler=attached.list_artifacts,
        gives=list[attached.ArtifactView], summary="What the run has attached for people to look at.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/artifact", needs="runs:read", handler=attached.show_artifact,
        query=attached.ArtifactQuery, gives=attached.ArtifactView, summary="One artifact, however large.",
    ),
    Route(
        method="GET", path="/runs/{run:int}/record", needs="runs:read", handler=records.show_record,
        query=records.RecordQuery, gives=records.Record,
        summary="The run as programs take it in that show runs themselves, by page.",
    ),
    Route(
        method="POST", path="/runs/bulk/preview", needs="runs:read", handler=many.preview_bulk, body=many.BulkBody,
        gives=many.BulkPreview, summary="What an action would do to many runs; nothing is changed.",
    ),
    Route(
        method="POST", path="/runs/bulk", needs="runs:act", handler=many.carry_out_bulk, body=many.BulkBody,
        gives=many.BulkDone, summary="Act on many runs, each by itself.",
    ),
    Route(
        method="GET", path="/steps/paused", needs="runs:read", handler=held.list_paused_steps, gives=list[PausedStep],
        summary="The steps of which no attempt begins, in any run.",
    ),
    Route(
        method="POST", path="/steps/{step:path}/pause", needs="runs:act", handler=held.pause_step,
        body=acting.ReasonBody, status=204, summary="Have no attempt of a step begin, in any run.",
    ),
    Route(
        method="POST", path="/steps/{step:path}/resume", needs="runs:act", handler=held.resume_step, body=repairs.Bare,
        status=204, summary="Let a paused step go on.",
    ),
    Route(
        method="GET", path="/queues", needs="system:read", handler=working.list_queues, gives=list[QueueFigures],
        summary="What waits in the queues of the namespace, and which workers have the rest.",
    ),
    Route(
        method="POST", path="/queues/{queue:path}/activate", needs="steps:work", handler=working.activate, noted=False,
        body=working.ActivateBody, gives=working.ActivatedList, summary="Activate attempts that wait for a worker.",
    ),
    Route(
        method="POST", path="/attempts/{token}/heartbeat", needs="steps:work", handler=working.beat, noted=False,
        body=working.BeatBody, status=204, summary="Say that an attempt goes on; its lease is extended.",
    ),
    Route(
        method="POST", path="/attempts/{token}/return", needs="steps:work", handler=working.give_back, noted=False,
        status=204, summary="Give an attempt back, for another worker to activate.",
    ),
    Route(
        method="POST", path="/attempts/{token}/complete", needs="steps:work", handler=working.complete, noted=False,
        body=working.ResultBody, status=204, summary="Give a step its result.",
    ),
    Route(
        method="POST", path="/attempts/{token}/fail", needs="steps:work", handler=working.fail, noted=False,
        body=working.FailBody, status=204, summary="Fail an attempt; the retry policy decides what follows.",
    ),
    Route(
        method="GET", path="/schedules", needs="schedules:read", handler=schedules.list_schedules,
        query=schedules.ScheduleQuery, gives=schedules.ScheduleList, summary="Schedules with their backfills, by page.",
    ),
    Route(
        method="POST", path="/schedules", needs="schedules:write", handler=schedules.create_schedule,
        body=schedules.ScheduleBody, gives=schedules.ScheduleView, status=201, summary="Make a schedule.",
    ),
    Route(
        method="POST", path="/due-times", needs="schedules:read", handler=schedules.preview_rule,
        body=schedules.RuleBody, gives=list[int], summary="The next due times of a rule that there might be.",
    ),
    Route(
        method="GET", path="/schedules/{name}", needs="schedules:read", handler=schedules.show_schedule,
        gives=schedules.ScheduleView, summary="One schedule with its backfills.",
    ),
    Route(
        method="PATCH", path="/schedules/{name}", needs="schedules:write", handler=schedules.change_schedule,
        body=schedules.ScheduleChange, gives=schedules.ScheduleView, summary="Change some of a schedule.",
    ),
    Route(
        method="DELETE", path="/schedules/{name}", needs="schedules:write", handler=schedules.delete_schedule,
        status=204, summary="Take a schedule and its backfills away; its runs stay.",
    ),
    Route(
        method="GET", path="/schedules/{name}/due", needs="schedules:read", handler=schedules.list_due_times,
        query=schedules.DueQuery, gives=list[int], summary="Its next due times.",
    ),
    Route(
        method="POST", path="/schedules/{name}/pause", needs="schedules:act", handler=schedules.pause_schedule,
        body=acting.ReasonBody, status=204, summary="Start no runs until it is resumed.",
    ),
    Route(
        method="POST", path="/schedules/{name}/resume", needs="schedules:act", handler=schedules.resume_schedule,
        body=repairs.Bare, status=204, summary="Go on with the next due time from now.",
    ),
    Route(
        method="POST", path="/schedules/{name}/trigger", needs="schedules:act", handler=schedules.trigger_schedule,
        body=schedules.TriggerBody, gives=RunView, status=201, summary="Start a run now, paused or not.",
    ),
    Route(
        method="POST", path="/schedules/{name}/backfills", needs="schedules:act", handler=schedules.create_backfill,
        body=schedules.BackfillBody, gives=schedules.BackfillView, status=201, summary="Fill in a period of the past.",
    ),
    Route(
        method="POST", path="/schedules/{name}/backfill-preview", needs="schedules:read",
        handler=schedules.preview_backfill, body=schedules.PeriodBody, gives=schedules.BackfillCount,
        summary="How many runs a backfill would start.",
    ),
    Route(
        method="GET", path="/schedules/{name}/backfills/{backfill}", needs="schedules:read",
        handler=schedules.show_backfill, gives=schedules.BackfillView, summary="How far a backfill is.",
    ),
    Route(
        method="POST", path="/schedules/{name}/backfills/{backfill}/cancel", needs="schedules:act",
        handler=schedules.cancel_backfill, body=repairs.Bare, status=204, summary="Start no more of its runs.",
    ),
    Route(
        method="GET", path="/workflows", needs="runs:read", handler=workflows.list_workflows,
        gives=list[workflows.WorkflowView], version=versions.workflows_version,
        summary="Workflows that are known here, with the form of their input.",
    ),
    Route(
        method="GET", path="/workflows/{name:path}", needs="runs:read", handler=workflows.show_workflow,
        gives=workflows.WorkflowDetail, version=versions.workflow_version, summary="One workflow with its source.",
    ),
    Route(
        method="GET", path="/workflows/{name:path}/outline", needs="runs:read", handler=workflows.show_outline,
        gives=Outline, version=versions.workflow_version, summary="What its code may do, as a graph.",
    ),
    Route(
        method="GET", path="/workflows/{name:path}/grid", needs="runs:read", handler=grid.show_grid,
        query=grid.GridQuery, gives=grid.Grid, summary="Its last runs by step, with states and durations.",
    ),
    Route(
        method="GET", path="/tasks", needs="tasks:read", handler=people.list_tasks, query=people.TaskQuery,
        gives=people.TaskList, summary="What people are asked, by page.",
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
        method="POST", path="/tasks/{task:int}/claim", needs="tasks:act", handler=people.claim_task,
        body=people.ClaimBody, status=204, summary="Say that one sees to a task.",
    ),
    Route(
        method="POST", path="/tasks/{task:int}/release", needs="tasks:act", handler=people.release_task,
        body=repairs.Bare, status=204, summary="Leave a task that one has claimed to others.",
    ),
    Route(
        method="POST", path="/tasks/{task:int}/hand", needs="tasks:act", handler=people.hand_task,
        body=people.HandBody, status=204, summary="Have somebody else see to a task.",
    ),
    Route(
        method="GET", path="/tasks/{task:int}/notes", needs="tasks:read", handler=people.list_task_notes,
        gives=list[TaskNote], summary="What people have said and done about a task.",
    ),
    Route(
        method="POST", path="/tasks/{task:int}/comments", needs="tasks:act", handler=people.comment_on_task,
        body=people.CommentBody, status=204, summary="Comment on a task.",
    ),
    Route(
        method="GET", path="/session", needs="public", handler=sessions.show_session, gives=sessions.SessionView,
        summary="Who asks, and what they may do.",
    ),
    Route(
        method="POST", path="/session", needs="public", handler=sessions.log_in, body=sessions.LoginBody, status=204,
        noted=True, summary="Log in; the answer has the browser keep the session.",
    ),
    Route(
        method="DELETE", path="/session", needs="public", handler=sessions.log_out, status=204, noted=True,
        summary="Log out.",
    ),
    Route(
        method="POST", path="/session/password", needs="known", handler=sessions.change_password,
        body=sessions.PasswordBody, status=204, noted=True, summary="Change one's own password; log in again then.",
    ),
    Route(
        method="GET", path="/users", needs="access:read", handler=members.list_users, gives=list[Account],
        summary="Who has an account, with their roles.",
    ),
    Route(
        method="POST", path="/users", needs="access:act", handler=members.add_user, body=members.UserBody,
        gives=Account, status=201, summary="Make an account.",
    ),
    Route(
        method="PATCH", path="/users/{name}", needs="access:act", handler=members.change_user, body=members.UserChange,
        gives=Account, summary="Change somebody's roles or password.",
    ),
    Route(
        method="DELETE", path="/users/{name}", needs="access:act", handler=members.remove_user, status=204,
        summary="Take an account away, with its sessions and keys.",
    ),
    Route(
        method="GET", path="/keys", needs="known", handler=members.list_keys, gives=list[ApiKey],
        summary="One's own API keys; all of them for whoever looks after access everywhere.",
    ),
    Route(
        method="POST", path="/keys", needs="known", handler=members.add_key, body=members.KeyBody,
        gives=members.NewKey, status=201, noted=True, summary="Make an API key, which is told only in this answer.",
    ),
    Route(
        method="DELETE", path="/keys/{key}", needs="known", handler=members.revoke_key, status=204, noted=True,
        summary="Revoke an API key.",
    ),
    Route(
        method="GET", path="/audit", needs="access:read", handler=members.list_audit, query=members.AuditQuery,
        gives=members.AuditPage, summary="What was done here, and by whom, the newest first.",
    ),
    Route(
        method="GET", path="/namespaces", needs="known", handler=namespaces.list_namespaces,
        gives=namespaces.NamespaceList, summary="The namespaces that whoever asks has a role in.",
    ),
    Route(
        method="PATCH", path="/namespaces/{name}", needs="access:act", handler=namespaces.change_namespace,
        body=namespaces.NamespaceChange, gives=namespaces.NamespaceView, within="name",
        summary="Change what is said of a namespace: what it is for, how long its runs are kept.",
    ),
    Route(
        method="GET", path="/workers", needs="system:read", handler=overview.list_workers, gives=list[WorkerView],
        summary="Who works on the database, and what they have code for.",
    ),
    Route(
        method="GET", path="/settings", needs="system:read", handler=system.show_system, gives=system.SystemView,
        summary="What the process that answers goes by: database, settings, retention.",
    ),
    Route(
        method="GET", path="/app", needs="runs:read", handler=overview.show_app, query=overview.AppQuery,
        gives=overview.AppView, summary="Whose runs these are, and who owns them.",
    ),
    Route(
        method="GET", path="/live", needs="runs:read", handler=live.changes, query=live.LiveQuery, gives=live.Changed,
        stream=True, summary="Says that something has changed, after commits.",
    ),
    Route(
        method="GET", path="/metrics", needs="metrics:read", handler=metrics.show_metrics, text="text/plain",
        summary="Figures for Prometheus.",
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
