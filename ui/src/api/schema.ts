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
  counts: { [name: string]: number }
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
  tags: { [name: string]: string }
  attributes: { [name: string]: unknown }
  due_at?: number | null
  summary?: string
  timer?: string | null
  awaits?: string[]
  standing?: Standing | null
}

export interface Standing {
  state: string
  kind?: "child" | "error" | "message" | "nothing" | "outside" | "paused" | "reason" | "result" | "retry" | "signal" | "step" | "task" | "timer"
  name?: string
  who?: string
  text?: string
  until?: number | null
  attempt?: number
  more?: number
  signals?: string[]
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
  form?: { [name: string]: unknown } | null
  subject?: unknown
  closed_at?: number | null
  closed_by?: string | null
  outcome?: unknown
  claimed_by?: string | null
  claimed_at?: number | null
}

export interface OwnerView {
  worker: string
  serves: { [name: string]: string }
}

export interface FigureQuery {
  since: number
  until?: number | null
  bar: number
  workflow?: string | null
}

export interface Figures {
  since: number
  until: number
  bar: number
  cut: boolean
  open_cut: boolean
  total: Ended
  bars: Bar[]
  workflows: WorkflowFigures[]
  marks: VersionMark[]
  now: number
}

export interface Ended {
  states: { [name: string]: number }
  p50: number | null
  p95: number | null
  p99: number | null
}

export interface Bar {
  states: { [name: string]: number }
  p50: number | null
  p95: number | null
  p99: number | null
  at: number
}

export interface WorkflowFigures {
  states: { [name: string]: number }
  p50: number | null
  p95: number | null
  p99: number | null
  workflow: string
  open: { [name: string]: number }
}

export interface VersionMark {
  at: number
  workflow: string
  version: string
}

export interface RunQuery {
  state?: string[]
  app?: string | null
  workflow?: string | null
  id?: string | null
  tag?: string[]
  attribute?: string[]
  since?: number | null
  until?: number | null
  parent?: number | null
  text?: string | null
  current?: string | null
  after?: number | null
  limit?: number
}

export interface RunPage {
  runs: RunView[]
  next: number | null
  now: number
}

export interface HistogramQuery {
  state?: string[]
  app?: string | null
  workflow?: string | null
  id?: string | null
  tag?: string[]
  attribute?: string[]
  since?: number | null
  until?: number | null
  parent?: number | null
  text?: string | null
  bars?: number
}

export interface Histogram {
  since: number
  until: number
  bar: number
  counted: number
  bars: StartedBar[]
  now: number
}

export interface StartedBar {
  at: number
  states: { [name: string]: number }
}

export interface StartQuery {
  wait?: number
}

export interface StartBody {
  workflow: string
  input?: unknown[]
  id?: string | null
  on_conflict?: "fail" | "replace" | "terminate-if-running" | "use-existing" | "use-open"
  tags?: { [name: string]: string }
  delay?: string | null
  timeout?: string | null
  summary?: string
}

export interface StartedRun {
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
  tags: { [name: string]: string }
  attributes: { [name: string]: unknown }
  due_at?: number | null
  summary?: string
  timer?: string | null
  awaits?: string[]
  standing?: Standing | null
  result?: ValueView | null
  failure?: FailureView | null
  incident?: IncidentView | null
}

export interface ValueView {
  encoding: string
  bytes: number
  value?: unknown
  cut?: boolean
  seq?: number | null
  field?: string
}

export interface FailureView {
  type: string
  message: string
  traceback?: string
  retryable?: boolean
  cause?: FailureView | null
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

export interface PictureQuery {
  plain?: boolean
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
  failure?: FailureView | null
  first?: number | null
  latest?: number | null
  published: { [name: string]: unknown }
  started_by: string | null
  children?: { [name: string]: RunPicture }
  plain?: PlainCalls | null
}

export interface CallView {
  kind: string
  key: string
  name: string
  state: string
  began_at: number
  alone?: boolean
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
  queue?: string
  holder?: string
  model?: string
  explanation?: ValueView | null
}

export interface TryView {
  number: number
  started_at: number
  ended_at?: number | null
  failure?: FailureView | null
  retry_at?: number | null
  worker?: string
}

export interface WaitView {
  kind: string
  name?: string
  until?: number | null
}

export interface PlainCalls {
  names: string[]
  workers: string[]
  key: string[]
  name: number[]
  worker: number[]
  began: number[]
  waited: number[]
  ran: number[]
  seq: number[]
  result: (string | null)[]
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
  headers?: { [name: string]: string } | null
  fields?: { [name: string]: unknown }
}

export interface LogQuery {
  level?: "debug" | "error" | "info" | "warning"
  key?: string | null
  after?: number
  limit?: number
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

export interface TextQuery {
  level?: "debug" | "error" | "info" | "warning"
  key?: string | null
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

export interface SignalView {
  name: string
  awaited: boolean
  form: { [name: string]: unknown }
}

export interface HandlerView {
  name: string
  parameters: string[]
  form: { [name: string]: unknown }
  summary: string
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

export interface Bare {
}

export interface SkipBody {
  call: string
  result?: unknown
}

export interface Effect {
  run: number
  id: string
  state: string
  action: string
  again?: string[]
  kept?: string[]
  undone?: string[]
  refused?: string
}

export interface InputBody {
  call: string
  arguments?: unknown[]
  named?: { [name: string]: unknown }
}

export interface RerunBody {
  step?: string | null
  input?: unknown[] | null
  code?: "newest" | "same"
}

export interface ForkBody {
  step?: string | null
  seq?: number | null
  id?: string | null
  input?: unknown[] | null
  code?: "newest" | "same"
}

export interface PreviewQuery {
  step?: string | null
  seq?: number | null
  code?: "newest" | "same"
}

export interface PageQuery {
  after?: number | null
  limit?: number
}

export interface ArtifactView {
  kind: "image" | "link" | "markdown" | "progress" | "table"
  name: string
  title: string
  by: string
  value: unknown
  data: string
  media_type: string
  size: number
  cut: boolean
}

export interface ArtifactQuery {
  name: string
}

export interface RecordQuery {
  after?: number
}

export interface Record {
  run: RunView
  now: number
  events: [number, unknown][]
  next: number | null
  activity: Activity
  beats: BeatView[]
  tasks: AskedView[]
  children: { [name: string]: number }
  published: { [name: string]: unknown }
}

export interface BeatView {
  key: string
  name: string
  attempt: number
  at: number
  details: unknown
  queue?: string
  worker?: string
}

export interface AskedView {
  task: number
  key: string
  name: string
  assignee: string
  state: "completed" | "open" | "withdrawn"
  opened_at: number
  due: number | null
  closed_at: number | null
  subject: unknown
}

export interface BulkBody {
  act: CancelThem | TerminateThem | PauseThem | ResumeThem | RetryThem | RerunThem | SkipThem
  where?: RunWhere | null
  runs?: number[] | null
  expect?: number | null
  possible?: boolean
}

export interface CancelThem {
  do: "cancel"
  reason?: string
}

export interface TerminateThem {
  do: "terminate"
  reason?: string
}

export interface PauseThem {
  do: "pause"
  reason?: string
}

export interface ResumeThem {
  do: "resume"
}

export interface RetryThem {
  do: "retry"
  step?: string | null
  arguments?: unknown[] | null
}

export interface RerunThem {
  do: "rerun"
  step?: string | null
  code?: "newest" | "same"
}

export interface SkipThem {
  do: "skip"
  call: string
  result?: unknown
}

export interface RunWhere {
  state?: string[]
  app?: string | null
  workflow?: string | null
  id?: string | null
  tag?: string[]
  attribute?: string[]
  since?: number | null
  until?: number | null
  parent?: number | null
  text?: string | null
}

export interface BulkPreview {
  chosen: number
  possible: number
  effects: Effect[]
}

export interface BulkDone {
  chosen: number
  done: number
  outcomes: Outcome[]
}

export interface Outcome {
  run: number
  id: string
  done: boolean
  text: string
}

export interface PausedStep {
  step: string
  namespace: string
  at: number
  by: string
  reason: string
}

export interface QueueFigures {
  namespace: string
  app: string
  queue: string
  waiting?: number
  paused?: number
  held?: number
  workers?: { [name: string]: number }
  since?: number | null
}

export interface ActivateBody {
  worker: string
  limit?: number
  lease?: number
  wait?: number
  steps?: string[] | null
}

export interface ActivatedList {
  attempts: Activated[]
  now: number
}

export interface Activated {
  token: string
  run: string
  workflow: string
  step: string
  key: string
  queue: string
  attempt: number
  activation: number
  arguments: unknown
  idempotency_key: string
  lease_until: number
  deadline: number | null
  headers: { [name: string]: string }
  heartbeat?: unknown
}

export interface BeatBody {
  details?: unknown
  lease?: number
  progress?: Progress | null
  lines?: Line[]
}

export interface Progress {
  done: number
  total?: number | null
  message?: string
}

export interface Line {
  text: string
  level?: "CRITICAL" | "DEBUG" | "ERROR" | "INFO" | "WARNING"
  stream?: "log" | "stderr" | "stdout"
  ago?: number
}

export interface ResultBody {
  result?: unknown
}

export interface FailBody {
  message: string
  type?: string
  retryable?: boolean
  traceback?: string
  details?: unknown
  retry_after?: number | null
}

export interface ScheduleQuery {
  order?: "due" | "name"
  find?: string
  after?: string | null
  limit?: number
}

export interface ScheduleList {
  schedules: ScheduleView[]
  next: string | null
  now: number
}

export interface ScheduleView {
  name: string
  workflow: string
  app: string
  rule: Cron | Every | Calendar
  when: string
  policy: Policy
  input: ValueView
  tags: { [name: string]: string }
  note: string
  declared: boolean
  changed: string[]
  paused: string | null
  next: number[]
  starts: number[]
  last: number | null
  open: string[]
  waiting: number[]
  waits_for: string[]
  started: number
  skipped: number
  missed: [number, number] | null
  backfills: BackfillView[]
  etag: string
}

export interface Cron {
  type: "cron"
  line: string
  zone?: string
}

export interface Every {
  type: "every"
  period: string | number
  offset?: string | number
}

export interface Calendar {
  type: "calendar"
  rule: string
  zone?: string
  start?: string
  without?: string[]
}

export interface Policy {
  overlap?: "allow-all" | "buffer-all" | "buffer-one" | "cancel-other" | "skip" | "terminate-other"
  jitter?: number
  catchup?: number
  depends_on_past?: boolean
  after?: string[]
  limits?: Limit[]
  start?: number | null
  end?: number | null
}

export interface Limit {
  event: "completed" | "started"
  within: number
  target: Target
}

export type Target = ["step" | "workflow", string]

export interface BackfillView {
  id: string
  start: number
  end: number
  parallel: number
  order: string
  reprocess: string
  total: number
  started: number
  skipped: number
  completed: number
  failed: number
  open: string[]
  done: boolean
}

export interface ScheduleBody {
  name: string
  workflow: string
  when: Cron | Every | Calendar
  input?: unknown[]
  overlap?: "allow-all" | "buffer-all" | "buffer-one" | "cancel-other" | "skip" | "terminate-other"
  jitter?: string | number
  catchup?: string | number
  depends_on_past?: boolean
  after?: string[]
  start?: number | null
  end?: number | null
  tags?: { [name: string]: string }
  note?: string
  paused?: string | null
}

export interface RuleBody {
  when: Cron | Every | Calendar
  limit?: number
}

export interface ScheduleChange {
  when?: Cron | Every | Calendar
  input?: unknown[]
  overlap?: "allow-all" | "buffer-all" | "buffer-one" | "cancel-other" | "skip" | "terminate-other"
  jitter?: string | number
  catchup?: string | number
  depends_on_past?: boolean
  after?: string[]
  start?: number | null
  end?: number | null
  tags?: { [name: string]: string }
  note?: string
}

export interface DueQuery {
  limit?: number
  since?: number | null
}

export interface TriggerBody {
  due?: number | null
}

export interface BackfillBody {
  start: number
  end: number
  id?: string | null
  parallel?: number
  order?: "newest" | "oldest"
  reprocess?: "all" | "failed" | "missing"
  most?: number
}

export interface PeriodBody {
  start: number
  end: number
}

export interface BackfillCount {
  total: number
  exact: boolean
  first: number | null
  last: number | null
}

export interface WorkflowView {
  name: string
  version: string
  parameters: string[]
  input: { [name: string]: unknown }
  summary: string
}

export interface WorkflowDetail {
  workflow: WorkflowView
  versions: VersionView[]
  documentation: string
  source: string
  place: string
}

export interface VersionView {
  version: string
  label: string
  versioning: "pinned" | "rolling"
  ramp: number | null
  base: boolean
}

export interface Outline {
  nodes: OutlineNode[]
  edges: OutlineEdge[]
  cut?: boolean
  read?: boolean
}

export interface OutlineNode {
  id: number
  kind: "again" | "branch" | "child" | "continues" | "decision" | "end" | "fails" | "handler" | "join" | "loop" | "message" | "parallel" | "saga" | "signal" | "sleep" | "start" | "step" | "task" | "timeout" | "try" | "unknown" | "wait"
  name: string
  detail?: string
  many?: boolean
  undo?: boolean
  line?: number | null
  inside?: string
}

export interface OutlineEdge {
  source: number
  target: number
  kind?: "back" | "beside" | "failed" | "next"
  label?: string
}

export interface GridQuery {
  limit?: number
}

export interface Grid {
  steps: GridStep[]
  runs: GridRun[]
  now: number
}

export interface GridStep {
  name: string
  kind: string
  undo: boolean
}

export interface GridRun {
  run: number
  id: string
  version: string
  state: string
  started_at: number
  closed_at: number | null
  cut: boolean
  cells: GridCell[]
}

export interface GridCell {
  step: number
  state: string
  key: string
  calls: number
  failed: number
  attempts: number
  took: number | null
}

export interface TaskQuery {
  state?: string
  assignee?: string | null
  run?: number | null
  claimed_by?: string | null
  overdue?: boolean
  after?: string | null
  limit?: number
}

export interface TaskList {
  tasks: HumanTask[]
  now: number
  next?: string | null
  counts?: CountedTasks | null
}

export interface CountedTasks {
  open: number
  overdue: number
  mine: number
  most: number
}

export interface AnswerBody {
  answer: unknown
}

export interface ClaimBody {
  over?: string | null
}

export interface HandBody {
  to: string
  over?: string | null
}

export interface TaskNote {
  at: number
  actor: string
  kind: "claimed" | "commented" | "handed" | "released"
  text: string
}

export interface CommentBody {
  text: string
}

export interface SessionView {
  name: string
  permissions: string[]
  namespace: string
  namespaces: string[]
  own: string
  login: boolean
  account: boolean
  csrf: string
  expires_at: number | null
}

export interface LoginBody {
  name: string
  password: string
}

export interface PasswordBody {
  old: string
  new: string
}

export interface Account {
  name: string
  roles: { [name: string]: "admin" | "developer" | "operator" | "viewer" }
  created_at: number
  elsewhere: boolean
  etag: string
  beyond?: boolean
}

export interface UserBody {
  name: string
  password: string
  roles?: { [name: string]: "admin" | "developer" | "operator" | "viewer" }
}

export interface UserChange {
  roles?: { [name: string]: "admin" | "developer" | "operator" | "viewer" }
  password?: string
}

export interface ApiKey {
  id: string
  label: string
  owner: string
  namespace: string
  permissions: string[]
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}

export interface KeyBody {
  label: string
  permissions: ("access:act" | "access:read" | "known" | "metrics:read" | "public" | "runs:act" | "runs:read" | "runs:start" | "schedules:act" | "schedules:read" | "schedules:write" | "steps:work" | "system:read" | "tasks:act" | "tasks:read")[]
  expires_at: number | null
}

export interface NewKey {
  secret: string
  key: ApiKey
}

export interface AuditQuery {
  actor?: string | null
  before?: number | null
  limit?: number
}

export interface AuditPage {
  entries: AuditRow[]
  next: number | null
}

export interface AuditRow {
  entry: number
  at: number
  namespace: string
  actor: string
  action: string
  target: string
  outcome: number
  address: string
  request: string
}

export interface NamespaceList {
  namespaces: NamespaceView[]
  own: string
  retention: RetentionRule[]
  most: number
  now: number
}

export interface NamespaceView {
  name: string
  description: string
  retention: RetentionRule[] | null
  open: number
  incidents: number
  may_change: boolean
  etag: string
}

export interface RetentionRule {
  keep: string
  workflow?: string | null
  state?: "cancelled" | "completed" | "failed" | "terminated" | null
}

export interface NamespaceChange {
  description?: string
  retention?: RetentionRule[] | string | null
}

export interface WorkerView {
  worker: string
  app: string
  epoch: number
  since: number
  expires: number | null
  slots: number
  serves: { [name: string]: string }
  pinned: string[]
  differs: { [name: string]: "arriving" | "leaving" | "mixed" | "rolling" }
}

export interface SystemView {
  version: string
  database: string
  app: string
  namespace: string
  worker: string
  settings: SettingView[]
  retention: RetentionView[]
}

export interface SettingView {
  name: string
  value: number | string
  default: number | string
}

export interface RetentionView {
  keep: number
  workflow: string | null
  state: string | null
}

export interface AppQuery {
  app?: string | null
}

export interface AppView {
  app: string
  namespace: string
  owner: OwnerView | null
  now: number
}

export interface Changed {
  now: number
  busy?: boolean
}

export interface Health {
  status: string
}

export interface Ready {
  status: string
  owner: boolean
}

export interface Operations {
  overview: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: Overview }
  figures: { path: { [K in never]: never }; query: { since: number; until?: number | null; bar: number; workflow?: string | null }; body: undefined; gives: Figures }
  list_runs: { path: { [K in never]: never }; query: { state?: string[]; app?: string | null; workflow?: string | null; id?: string | null; tag?: string[]; attribute?: string[]; since?: number | null; until?: number | null; parent?: number | null; text?: string | null; current?: string | null; after?: number | null; limit?: number }; body: undefined; gives: RunPage }
  start_run: { path: { [K in never]: never }; query: { wait?: number }; body: StartBody; gives: StartedRun }
  show_histogram: { path: { [K in never]: never }; query: { state?: string[]; app?: string | null; workflow?: string | null; id?: string | null; tag?: string[]; attribute?: string[]; since?: number | null; until?: number | null; parent?: number | null; text?: string | null; bars?: number }; body: undefined; gives: Histogram }
  show_run: { path: { run: number }; query: { plain?: boolean }; body: undefined; gives: RunPicture }
  list_events: { path: { run: number }; query: { after?: number; limit?: number }; body: undefined; gives: EventPage }
  list_logs: { path: { run: number }; query: { level?: "debug" | "error" | "info" | "warning"; key?: string | null; after?: number; limit?: number }; body: undefined; gives: LogPage }
  download_logs: { path: { run: number }; query: { level?: "debug" | "error" | "info" | "warning"; key?: string | null }; body: undefined; gives: string }
  show_value: { path: { run: number }; query: { seq: number; field: string }; body: undefined; gives: ValueView }
  follow_run: { path: { run: number }; query: { after?: number }; body: undefined; gives: Following }
  list_signals: { path: { run: number }; query: { [K in never]: never }; body: undefined; gives: SignalView[] }
  list_updates: { path: { run: number }; query: { [K in never]: never }; body: undefined; gives: HandlerView[] }
  list_queries: { path: { run: number }; query: { [K in never]: never }; body: undefined; gives: HandlerView[] }
  signal_run: { path: { run: number }; query: { [K in never]: never }; body: SignalBody; gives: undefined }
  query_run: { path: { run: number }; query: { [K in never]: never }; body: CallBody; gives: Answer }
  update_run: { path: { run: number }; query: { [K in never]: never }; body: CallBody; gives: Answer }
  cancel_run: { path: { run: number }; query: { [K in never]: never }; body: ReasonBody; gives: undefined }
  terminate_run: { path: { run: number }; query: { [K in never]: never }; body: ReasonBody; gives: undefined }
  retry_run: { path: { run: number }; query: { [K in never]: never }; body: RetryBody; gives: undefined }
  pause_run: { path: { run: number }; query: { [K in never]: never }; body: ReasonBody; gives: undefined }
  resume_run: { path: { run: number }; query: { [K in never]: never }; body: Bare; gives: undefined }
  skip_call: { path: { run: number }; query: { [K in never]: never }; body: SkipBody; gives: Effect }
  edit_input: { path: { run: number }; query: { [K in never]: never }; body: InputBody; gives: Effect }
  rerun: { path: { run: number }; query: { [K in never]: never }; body: RerunBody; gives: RunView }
  fork_run: { path: { run: number }; query: { [K in never]: never }; body: ForkBody; gives: RunView }
  preview_fork: { path: { run: number }; query: { step?: string | null; seq?: number | null; code?: "newest" | "same" }; body: undefined; gives: Effect }
  list_children: { path: { run: number }; query: { after?: number | null; limit?: number }; body: undefined; gives: RunPage }
  list_artifacts: { path: { run: number }; query: { [K in never]: never }; body: undefined; gives: ArtifactView[] }
  show_artifact: { path: { run: number }; query: { name: string }; body: undefined; gives: ArtifactView }
  show_record: { path: { run: number }; query: { after?: number }; body: undefined; gives: Record }
  preview_bulk: { path: { [K in never]: never }; query: { [K in never]: never }; body: BulkBody; gives: BulkPreview }
  carry_out_bulk: { path: { [K in never]: never }; query: { [K in never]: never }; body: BulkBody; gives: BulkDone }
  list_paused_steps: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: PausedStep[] }
  pause_step: { path: { step: string }; query: { [K in never]: never }; body: ReasonBody; gives: undefined }
  resume_step: { path: { step: string }; query: { [K in never]: never }; body: Bare; gives: undefined }
  list_queues: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: QueueFigures[] }
  activate: { path: { queue: string }; query: { [K in never]: never }; body: ActivateBody; gives: ActivatedList }
  beat: { path: { token: string }; query: { [K in never]: never }; body: BeatBody; gives: undefined }
  give_back: { path: { token: string }; query: { [K in never]: never }; body: undefined; gives: undefined }
  complete: { path: { token: string }; query: { [K in never]: never }; body: ResultBody; gives: undefined }
  fail: { path: { token: string }; query: { [K in never]: never }; body: FailBody; gives: undefined }
  list_schedules: { path: { [K in never]: never }; query: { order?: "due" | "name"; find?: string; after?: string | null; limit?: number }; body: undefined; gives: ScheduleList }
  create_schedule: { path: { [K in never]: never }; query: { [K in never]: never }; body: ScheduleBody; gives: ScheduleView }
  preview_rule: { path: { [K in never]: never }; query: { [K in never]: never }; body: RuleBody; gives: number[] }
  show_schedule: { path: { name: string }; query: { [K in never]: never }; body: undefined; gives: ScheduleView }
  change_schedule: { path: { name: string }; query: { [K in never]: never }; body: ScheduleChange; gives: ScheduleView }
  delete_schedule: { path: { name: string }; query: { [K in never]: never }; body: undefined; gives: undefined }
  list_due_times: { path: { name: string }; query: { limit?: number; since?: number | null }; body: undefined; gives: number[] }
  pause_schedule: { path: { name: string }; query: { [K in never]: never }; body: ReasonBody; gives: undefined }
  resume_schedule: { path: { name: string }; query: { [K in never]: never }; body: Bare; gives: undefined }
  trigger_schedule: { path: { name: string }; query: { [K in never]: never }; body: TriggerBody; gives: RunView }
  create_backfill: { path: { name: string }; query: { [K in never]: never }; body: BackfillBody; gives: BackfillView }
  preview_backfill: { path: { name: string }; query: { [K in never]: never }; body: PeriodBody; gives: BackfillCount }
  show_backfill: { path: { name: string; backfill: string }; query: { [K in never]: never }; body: undefined; gives: BackfillView }
  cancel_backfill: { path: { name: string; backfill: string }; query: { [K in never]: never }; body: Bare; gives: undefined }
  list_workflows: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: WorkflowView[] }
  show_workflow: { path: { name: string }; query: { [K in never]: never }; body: undefined; gives: WorkflowDetail }
  show_outline: { path: { name: string }; query: { [K in never]: never }; body: undefined; gives: Outline }
  show_grid: { path: { name: string }; query: { limit?: number }; body: undefined; gives: Grid }
  list_tasks: { path: { [K in never]: never }; query: { state?: string; assignee?: string | null; run?: number | null; claimed_by?: string | null; overdue?: boolean; after?: string | null; limit?: number }; body: undefined; gives: TaskList }
  show_task: { path: { task: number }; query: { [K in never]: never }; body: undefined; gives: HumanTask }
  complete_task: { path: { task: number }; query: { [K in never]: never }; body: AnswerBody; gives: undefined }
  claim_task: { path: { task: number }; query: { [K in never]: never }; body: ClaimBody; gives: undefined }
  release_task: { path: { task: number }; query: { [K in never]: never }; body: Bare; gives: undefined }
  hand_task: { path: { task: number }; query: { [K in never]: never }; body: HandBody; gives: undefined }
  list_task_notes: { path: { task: number }; query: { [K in never]: never }; body: undefined; gives: TaskNote[] }
  comment_on_task: { path: { task: number }; query: { [K in never]: never }; body: CommentBody; gives: undefined }
  show_session: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: SessionView }
  log_in: { path: { [K in never]: never }; query: { [K in never]: never }; body: LoginBody; gives: undefined }
  log_out: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: undefined }
  change_password: { path: { [K in never]: never }; query: { [K in never]: never }; body: PasswordBody; gives: undefined }
  list_users: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: Account[] }
  add_user: { path: { [K in never]: never }; query: { [K in never]: never }; body: UserBody; gives: Account }
  change_user: { path: { name: string }; query: { [K in never]: never }; body: UserChange; gives: Account }
  remove_user: { path: { name: string }; query: { [K in never]: never }; body: undefined; gives: undefined }
  list_keys: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: ApiKey[] }
  add_key: { path: { [K in never]: never }; query: { [K in never]: never }; body: KeyBody; gives: NewKey }
  revoke_key: { path: { key: string }; query: { [K in never]: never }; body: undefined; gives: undefined }
  list_audit: { path: { [K in never]: never }; query: { actor?: string | null; before?: number | null; limit?: number }; body: undefined; gives: AuditPage }
  list_namespaces: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: NamespaceList }
  change_namespace: { path: { name: string }; query: { [K in never]: never }; body: NamespaceChange; gives: NamespaceView }
  list_workers: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: WorkerView[] }
  show_system: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: SystemView }
  show_app: { path: { [K in never]: never }; query: { app?: string | null }; body: undefined; gives: AppView }
  changes: { path: { [K in never]: never }; query: { after?: number }; body: undefined; gives: Changed }
  show_metrics: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: string }
  healthy: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: Health }
  ready: { path: { [K in never]: never }; query: { [K in never]: never }; body: undefined; gives: Ready }
}

export const ROUTES = {
  overview: ['GET', '/overview'],
  figures: ['GET', '/figures'],
  list_runs: ['GET', '/runs'],
  start_run: ['POST', '/runs'],
  show_histogram: ['GET', '/runs/histogram'],
  show_run: ['GET', '/runs/{run}'],
  list_events: ['GET', '/runs/{run}/events'],
  list_logs: ['GET', '/runs/{run}/logs'],
  download_logs: ['GET', '/runs/{run}/logs/text'],
  show_value: ['GET', '/runs/{run}/value'],
  follow_run: ['GET', '/runs/{run}/live'],
  list_signals: ['GET', '/runs/{run}/signals'],
  list_updates: ['GET', '/runs/{run}/updates'],
  list_queries: ['GET', '/runs/{run}/queries'],
  signal_run: ['POST', '/runs/{run}/signal'],
  query_run: ['POST', '/runs/{run}/query'],
  update_run: ['POST', '/runs/{run}/update'],
  cancel_run: ['POST', '/runs/{run}/cancel'],
  terminate_run: ['POST', '/runs/{run}/terminate'],
  retry_run: ['POST', '/runs/{run}/retry'],
  pause_run: ['POST', '/runs/{run}/pause'],
  resume_run: ['POST', '/runs/{run}/resume'],
  skip_call: ['POST', '/runs/{run}/skip'],
  edit_input: ['POST', '/runs/{run}/input'],
  rerun: ['POST', '/runs/{run}/rerun'],
  fork_run: ['POST', '/runs/{run}/fork'],
  preview_fork: ['GET', '/runs/{run}/preview'],
  list_children: ['GET', '/runs/{run}/children'],
  list_artifacts: ['GET', '/runs/{run}/artifacts'],
  show_artifact: ['GET', '/runs/{run}/artifact'],
  show_record: ['GET', '/runs/{run}/record'],
  preview_bulk: ['POST', '/runs/bulk/preview'],
  carry_out_bulk: ['POST', '/runs/bulk'],
  list_paused_steps: ['GET', '/steps/paused'],
  pause_step: ['POST', '/steps/{step}/pause'],
  resume_step: ['POST', '/steps/{step}/resume'],
  list_queues: ['GET', '/queues'],
  activate: ['POST', '/queues/{queue}/activate'],
  beat: ['POST', '/attempts/{token}/heartbeat'],
  give_back: ['POST', '/attempts/{token}/return'],
  complete: ['POST', '/attempts/{token}/complete'],
  fail: ['POST', '/attempts/{token}/fail'],
  list_schedules: ['GET', '/schedules'],
  create_schedule: ['POST', '/schedules'],
  preview_rule: ['POST', '/due-times'],
  show_schedule: ['GET', '/schedules/{name}'],
  change_schedule: ['PATCH', '/schedules/{name}'],
  delete_schedule: ['DELETE', '/schedules/{name}'],
  list_due_times: ['GET', '/schedules/{name}/due'],
  pause_schedule: ['POST', '/schedules/{name}/pause'],
  resume_schedule: ['POST', '/schedules/{name}/resume'],
  trigger_schedule: ['POST', '/schedules/{name}/trigger'],
  create_backfill: ['POST', '/schedules/{name}/backfills'],
  preview_backfill: ['POST', '/schedules/{name}/backfill-preview'],
  show_backfill: ['GET', '/schedules/{name}/backfills/{backfill}'],
  cancel_backfill: ['POST', '/schedules/{name}/backfills/{backfill}/cancel'],
  list_workflows: ['GET', '/workflows'],
  show_workflow: ['GET', '/workflows/{name}'],
  show_outline: ['GET', '/workflows/{name}/outline'],
  show_grid: ['GET', '/workflows/{name}/grid'],
  list_tasks: ['GET', '/tasks'],
  show_task: ['GET', '/tasks/{task}'],
  complete_task: ['POST', '/tasks/{task}/complete'],
  claim_task: ['POST', '/tasks/{task}/claim'],
  release_task: ['POST', '/tasks/{task}/release'],
  hand_task: ['POST', '/tasks/{task}/hand'],
  list_task_notes: ['GET', '/tasks/{task}/notes'],
  comment_on_task: ['POST', '/tasks/{task}/comments'],
  show_session: ['GET', '/session'],
  log_in: ['POST', '/session'],
  log_out: ['DELETE', '/session'],
  change_password: ['POST', '/session/password'],
  list_users: ['GET', '/users'],
  add_user: ['POST', '/users'],
  change_user: ['PATCH', '/users/{name}'],
  remove_user: ['DELETE', '/users/{name}'],
  list_keys: ['GET', '/keys'],
  add_key: ['POST', '/keys'],
  revoke_key: ['DELETE', '/keys/{key}'],
  list_audit: ['GET', '/audit'],
  list_namespaces: ['GET', '/namespaces'],
  change_namespace: ['PATCH', '/namespaces/{name}'],
  list_workers: ['GET', '/workers'],
  show_system: ['GET', '/settings'],
  show_app: ['GET', '/app'],
  changes: ['GET', '/live'],
  show_metrics: ['GET', '/metrics'],
  healthy: ['GET', '/health'],
  ready: ['GET', '/ready'],
} as const
