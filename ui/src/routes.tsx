// The pages and what stands in their addresses; each page is fetched when it is first opened.
import { createRootRoute, createRoute, createRouter, notFound, redirect } from '@tanstack/react-router'
import { carried, namespace, root } from './api/place'
import { queryClient, runQuery } from './api/queries'
import { Failed } from './frame/Failed'
import { Frame } from './frame/Frame'
import { NotFound } from './frame/NotFound'
import { later } from './parts/later'

export interface RunsSearch {
  view?: 'needs' | 'open' | 'failed' | 'done'
  state?: string[]
  workflow?: string
  id?: string
  text?: string
  attribute?: string[]
  range?: 'hour' | 'day' | 'week'
  /** Began from, and before (µs). */
  from?: number
  to?: number
  peek?: number
}

export interface RunSearch {
  tab?: 'graph' | 'events' | 'logs' | 'artifacts'
  step?: string
  unfolded?: true
  full?: true
  find?: string
  /** Of logs: the least level, and the line that is meant. */
  level?: 'info' | 'warning' | 'error'
  line?: number
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined)
const number = (value: unknown) => (typeof value === 'number' && Number.isInteger(value) ? value : undefined)
const list = (value: unknown) => (Array.isArray(value) ? value.map(String) : text(value) ? [String(value)] : undefined)
const oneOf = <T extends string>(value: unknown, of: readonly T[]) => of.find((each) => each === value)
const flag = (value: unknown) => (value === true ? true : undefined)

const frame = createRootRoute({ component: Frame, notFoundComponent: NotFound })

const home = createRoute({
  getParentRoute: () => frame,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/overview', replace: true })
  },
})

const overview = createRoute({
  getParentRoute: () => frame,
  path: '/overview',
  validateSearch: (search: Record<string, unknown>): { range?: 'hour' | 'week' | 'month'; workflow?: string } => ({
    range: oneOf(search.range, ['hour', 'week', 'month'] as const),
    workflow: text(search.workflow),
  }),
  component: later(() => import('./pages/Overview')),
})

const runs = createRoute({
  getParentRoute: () => frame,
  path: '/runs',
  validateSearch: (search: Record<string, unknown>): RunsSearch => ({
    view: oneOf(search.view, ['needs', 'open', 'failed', 'done'] as const),
    state: list(search.state),
    workflow: text(search.workflow),
    id: text(search.id),
    text: text(search.text),
    attribute: list(search.attribute),
    range: oneOf(search.range, ['hour', 'day', 'week'] as const),
    from: number(search.from),
    to: number(search.to),
    peek: number(search.peek),
  }),
  component: later(() => import('./pages/runs/Runs')),
})

const run = createRoute({
  getParentRoute: () => frame,
  path: '/runs/$run',
  validateSearch: (search: Record<string, unknown>): RunSearch => ({
    tab: oneOf(search.tab, ['graph', 'events', 'logs', 'artifacts'] as const),
    step: text(search.step),
    unfolded: flag(search.unfolded),
    full: flag(search.full),
    find: text(search.find),
    level: oneOf(search.level, ['info', 'warning', 'error'] as const),
    line: number(search.line),
  }),
  // Asked for while the page's own code is on its way.
  loader: ({ params }) => {
    if (!/^\d{1,15}$/.test(params.run)) throw notFound()
    void queryClient.prefetchQuery(runQuery(Number(params.run)))
  },
  component: later(() => import('./pages/run/Run')),
})

const tasks = createRoute({
  getParentRoute: () => frame,
  path: '/tasks',
  validateSearch: (search: Record<string, unknown>): { task?: number; view?: 'mine' | 'overdue' | 'done' } => ({
    task: number(search.task),
    view: oneOf(search.view, ['mine', 'overdue', 'done'] as const),
  }),
  component: later(() => import('./pages/tasks/Tasks')),
})

const workflows = createRoute({
  getParentRoute: () => frame,
  path: '/workflows',
  validateSearch: (search: Record<string, unknown>): { name?: string } => ({ name: text(search.name) }),
  component: later(() => import('./pages/workflows/Workflows')),
})

const schedules = createRoute({
  getParentRoute: () => frame,
  path: '/schedules',
  validateSearch: (search: Record<string, unknown>): { name?: string; view?: 'week' } => ({ name: text(search.name), view: oneOf(search.view, ['week'] as const) }),
  component: later(() => import('./pages/schedules/Schedules')),
})

const workers = createRoute({
  getParentRoute: () => frame,
  path: '/workers',
  component: later(() => import('./pages/workers/Workers')),
})

const settings = createRoute({
  getParentRoute: () => frame,
  path: '/settings',
  validateSearch: (search: Record<string, unknown>): { tab?: 'users' | 'keys' | 'audit' | 'namespaces' | 'system'; actor?: string } => ({
    tab: oneOf(search.tab, ['users', 'keys', 'audit', 'namespaces', 'system'] as const),
    actor: text(search.actor),
  }),
  component: later(() => import('./pages/settings/Settings')),
})

export const router = createRouter({
  routeTree: frame.addChildren([home, overview, runs, run, tasks, workflows, schedules, workers, settings]),
  basepath: root.pathname.replace(/\/$/, '') || '/',
  ...(namespace === '' ? {} : { rewrite: carried }),
  defaultPreload: 'intent',
  defaultErrorComponent: Failed,
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
