// Made by scripts/ui_types.py from the API's description. Not to be edited.

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  path?: string
  request?: string
}

export interface Nothing {
}

export interface Overview {
  counts: Record<string, number>
  incidents: RunView[]
  tasks: HumanTask[]
  open_tasks: number
  owner: OwnerView | null
  namespace: string
  app: string
  now: number
}

export interface RunView {
  run: number
  id: string
  namespace: string
  workflow: string
  version: string
  app: string
  state: string
  started_at: number
  changed_at: number
  closed_at: number | null
  parent: number | null
  error: string | null
  tags: Record<string, string>
  attributes: Record<string, unknown>
  standing?: Standing | null
}

export interface Standing {
  state: string
  kind?: "child" | "error" | "nothing" | "outside" | "paused" | "reason" | "result" | "retry" | "signal" | "step" | "task" | "timer"
  name?: string
  who?: string
  text?: string
  until?: number | null
  attempt?: number
  more?: number
  value?: unknown
}

export interface HumanTask {
  task: number
  run: number
  run_id: string
  key: string
  name: string
  assignee: string
  state: "completed" | "open" | "withdrawn"
  opened_at: number
  due?: number | null
  form?: Record<string, unknown> | null
  subject?: unknown
  closed_at?: number | null
  closed_by?: string | null
  outcome?: unknown
}

export interface OwnerView {
  worker: string
  serves: Record<string, string>
}

export interface RunQuery {
  state?: string[]
  workflow?: string | null
  id?: string | null
  tag?: string[]
  attribute?: string[]
  since?: number | null
  until?: number | null
  parent?: number | null
  after?: number | null
  limit?: number
}

export interface RunPage {
  runs: RunView[]
  next: number | null
  now: number
}

export interface StartBody {
  workflow: string
  input?: unknown[]
  id?: string | null
  on_conflict?: "fail" | "replace" | "terminate-if-running" | "use-existing" | "use-open"
  tags?: Record<string, string>
}

export interface RunPicture {
  run: RunView
  seq: number
  now: number
  calls: CallView[]
  incidents: IncidentView[]
  waits: WaitView[]
  input: ValueView | null
  result: ValueView | null
  published: Record<string, unknown>
  started_by: string | null
  children?: Record<string, RunPicture>
}

export interface CallView {
  kind: string
  key: string
  name: string
  state: string
  began_at: number
  number?: number
  undo?: boolean
  ended_at?: number | null
  attempts?: number
  of?: number | null
  retry_at?: number | null
  tries?: TryView[]
  failure?: FailureView | null
  input?: ValueView | null
  result?: ValueView | null
  progress?: unknown
  child?: string
  assignee?: string
  due?: number | null
  by?: string
}

export interface TryView {
  number: number
  started_at: number
  ended_at?: number | null
  failure?: FailureView | null
  retry_at?: number | null
  worker?: string
}

export interface FailureView {
  type: string
  message: string
  traceback?: string
  retryable?: boolean
  cause?: FailureView | null
}

export interface ValueView {
  encoding: string
  bytes: number
  value?: unknown
  cut?: boolean
}

export interface IncidentView {
  at: number
  cause: string
  message: string
  remedy: string
  key?: string | null
  failure?: FailureView | null
  resolved_at?: number | null
}

export interface WaitView {
  kind: string
  name?: string
  until?: number | null
}

export interface EventQuery {
  after?: number
  limit?: number
}

export interface EventPage {
  events: EventView[]
  next: number | null
}

export interface EventView {
  seq: number
  event: string
  at: number
  actor?: string | null
  headers?: Record<string, string> | null
  fields?: Record<string, unknown>
}

export interface LogPage {
  lines: LogView[]
  next: number | null
}

export interface LogView {
  row: number
  key: string
  attempt: number
  at: number
  level: string
  stream: string
  text: string
}

export interface ValueQuery {
  seq: number
  field: string
}

export interface LiveQuery {
  after?: number
}

export interface Following {
  recorded?: EventView | null
  activity?: Activity | null
}

export interface Activity {
  known?: boolean
  attempts?: UnderWay[]
  timer?: number | null
  timer_summary?: string | null
  signals?: string[]
}

export interface UnderWay {
  key: string
  name: string
  attempt: number
  of: number | null
  started_at: number
  progress?: unknown
  stopping?: boolean
  summary?: string | null
}

export interface SignalBody {
  name: string
  value?: unknown
  message?: string | null
}

export interface CallBody {
  name: string
  arguments?: unknown[]
  id?: string | null
}

export interface Answer {
  value: unknown
}

export interface ReasonBody {
  reason?: string
}

export interface RetryBody {
  key?: string | null
}

export interface WorkflowView {
  name: string
  version: string
  parameters: string[]
  input: Record<string, unknown> | null
  summary: string
}

export interface WorkflowDetail {
  workflow: WorkflowView
  documentation: string
  source: string
  place: string
}

export interface TaskQuery {
  state?: string
  assignee?: string | null
  run?: number | null
}

export interface TaskList {
  tasks: HumanTask[]
  now: number
}

export interface AnswerBody {
  answer: unknown
}

export interface Changed {
  now: number
}

export interface Health {
  status: string
}

export interface Ready {
  status: string
  owner: boolean
}

export interface Operations {
  overview: { path: Record<never, never>; query: Record<never, never>; body: undefined; gives: Overview }
  list_runs: { path: Record<never, never>; query: { state?: string[]; workflow?: string | null; id?: string | null; tag?: string[]; attribute?: string[]; since?: number | null; until?: number | null; parent?: number | null; after?: number | null; limit?: number }; body: undefined; gives: RunPage }
  start_run: { path: Record<never, never>; query: Record<never, never>; body: StartBody; gives: RunView }
  show_run: { path: { run: number }; query: Record<never, never>; body: undefined; gives: RunPicture }
  list_events: { path: { run: number }; query: { after?: number; limit?: number }; body: undefined; gives: EventPage }
  list_logs: { path: { run: number }; query: { after?: number; limit?: number }; body: undefined; gives: LogPage }
  show_value: { path: { run: number }; query: { seq: number; field: string }; body: undefined; gives: ValueView }
  follow_run: { path: { run: number }; query: { after?: number }; body: undefined; gives: Following }
  signal_run: { path: { run: number }; query: Record<never, never>; body: SignalBody; gives: undefined }
  query_run: { path: { run: number }; query: Record<never, never>; body: CallBody; gives: Answer }
  update_run: { path: { run: number }; query: Record<never, never>; body: CallBody; gives: Answer }
  cancel_run: { path: { run: number }; query: Record<never, never>; body: ReasonBody; gives: undefined }
  terminate_run: { path: { run: number }; query: Record<never, never>; body: ReasonBody; gives: undefined }
  retry_run: { path: { run: number }; query: Record<never, never>; body: RetryBody; gives: undefined }
  list_workflows: { path: Record<never, never>; query: Record<never, never>; body: undefined; gives: WorkflowView[] }
  show_workflow: { path: { name: string }; query: Record<never, never>; body: undefined; gives: WorkflowDetail }
  list_tasks: { path: Record<never, never>; query: { state?: string; assignee?: string | null; run?: number | null }; body: undefined; gives: TaskList }
  show_task: { path: { task: number }; query: Record<never, never>; body: undefined; gives: HumanTask }
  complete_task: { path: { task: number }; query: Record<never, never>; body: AnswerBody; gives: undefined }
  changes: { path: Record<never, never>; query: { after?: number }; body: undefined; gives: Changed }
  healthy: { path: Record<never, never>; query: Record<never, never>; body: undefined; gives: Health }
  ready: { path: Record<never, never>; query: Record<never, never>; body: undefined; gives: Ready }
}

export const ROUTES = {
  overview: ['GET', '/overview'],
  list_runs: ['GET', '/runs'],
  start_run: ['POST', '/runs'],
  show_run: ['GET', '/runs/{run}'],
  list_events: ['GET', '/runs/{run}/events'],
  list_logs: ['GET', '/runs/{run}/logs'],
  show_value: ['GET', '/runs/{run}/value'],
  follow_run: ['GET', '/runs/{run}/live'],
  signal_run: ['POST', '/runs/{run}/signal'],
  query_run: ['POST', '/runs/{run}/query'],
  update_run: ['POST', '/runs/{run}/update'],
  cancel_run: ['POST', '/runs/{run}/cancel'],
  terminate_run: ['POST', '/runs/{run}/terminate'],
  retry_run: ['POST', '/runs/{run}/retry'],
  list_workflows: ['GET', '/workflows'],
  show_workflow: ['GET', '/workflows/{name}'],
  list_tasks: ['GET', '/tasks'],
  show_task: ['GET', '/tasks/{task}'],
  complete_task: ['POST', '/tasks/{task}/complete'],
  changes: ['GET', '/live'],
  healthy: ['GET', '/health'],
  ready: ['GET', '/ready'],
} as const
