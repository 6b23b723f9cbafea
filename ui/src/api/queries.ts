// What is asked and kept: one place for the names of answers, so that a change reaches every screen that shows them.
import { infiniteQueryOptions, keepPreviousData, QueryCache, QueryClient, type QueryFilters, queryOptions } from '@tanstack/react-query'
import { ask, Refusal, UNKNOWN } from './client'
import { hasEnded, setAsksForLogin, setEnded } from './ended'
import { unpacked } from './plain'
import type { Operations, ScheduleView } from './schema'
import { words } from '../words'

export const queryClient = new QueryClient({
  // What they may do is not what it was: what they may not even see goes, and what is offered is asked for anew.
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof Refusal && error.notAllowed) void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey })
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => error instanceof Refusal && (error.problem.status === 0 || error.problem.status >= 500) && count < 2,
    },
  },
})

/**
 * What is shown is asked for again, after a change. A question that has no answer yet is not called off by that, and its
 * first answer may be from before the change: it is asked once more when that has come.
 */
export async function askAgain(filters: QueryFilters): Promise<void> {
  const first = queryClient.getQueryCache().findAll({ ...filters, type: 'active', fetchStatus: 'fetching' }).filter((query) => query.state.data === undefined)
  await queryClient.invalidateQueries(filters)
  await Promise.all(first.map((query) => queryClient.invalidateQueries({ queryKey: query.queryKey, exact: true })))
}

/** What changes with the runs. */
export const LIVE: QueryFilters = { predicate: (query) => query.meta?.live !== undefined }

const live = { live: true }
/** It counts all runs there are. */
const slow = { live: 'slow' }

export type RunFilter = Operations['list_runs']['query']

export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  queryFn: ({ signal }) => ask('overview', { signal }),
  meta: slow,
})

export const runsQuery = (query: RunFilter) =>
  queryOptions({
    queryKey: ['runs', query],
    queryFn: ({ signal }) => ask('list_runs', { query, signal }),
    meta: live,
  })

/** Not with every change, as lists are: a chart does not tell a single run, and of very many runs it tells a sample. */
export const histogramQuery = (query: RunFilter) =>
  queryOptions({
    queryKey: ['histogram', query],
    queryFn: ({ signal }) => ask('show_histogram', { query, signal }),
    refetchInterval: ({ state }) => ((state.data?.counted ?? 1) < 1 ? 120_000 : 20_000),
    placeholderData: keepPreviousData,
  })

export type FigureFilter = Operations['figures']['query']

/** Not with every change, as lists are, but every few seconds: a chart does not tell a single run. */
export const figuresQuery = (query: FigureFilter) =>
  queryOptions({
    queryKey: ['figures', query],
    queryFn: ({ signal }) => ask('figures', { query, signal }),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  })

export const runQuery = (run: number) =>
  queryOptions({
    queryKey: ['run', run],
    queryFn: ({ signal }) => ask('show_run', { path: { run }, query: { plain: true }, signal }).then(unpacked),
    meta: live,
  })

export type TaskFilter = Operations['list_tasks']['query']

/** Page by page; what changes is asked for anew in all pages that are shown. */
export const tasksQuery = (query: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: ['tasks', query],
    queryFn: ({ signal, pageParam }) => ask('list_tasks', { query: { ...query, after: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    meta: live,
  })

export const taskQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task],
    queryFn: ({ signal }) => ask('show_task', { path: { task }, signal }),
    meta: live,
  })

export const notesQuery = (task: number) =>
  queryOptions({
    queryKey: ['notes', task],
    queryFn: ({ signal }) => ask('list_task_notes', { path: { task }, signal }),
    meta: live,
  })

export const workflowsQuery = queryOptions({
  queryKey: ['workflows'],
  queryFn: ({ signal }) => ask('list_workflows', { signal }),
})

export const workflowQuery = (name: string) =>
  queryOptions({
    queryKey: ['workflow', name],
    queryFn: ({ signal }) => ask('show_workflow', { path: { name }, signal }),
  })

export const outlineQuery = (name: string) =>
  queryOptions({
    queryKey: ['outline', name],
    queryFn: ({ signal }) => ask('show_outline', { path: { name }, signal }),
  })

export const gridQuery = (name: string) =>
  queryOptions({
    queryKey: ['grid', name],
    queryFn: ({ signal }) => ask('show_grid', { path: { name }, query: { limit: 30 }, signal }),
    meta: live,
  })

/** Once it has ended, what was known of it stays as it was: what may be done does not vanish under somebody's hands. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    const found = await ask('show_session', { signal })
    setAsksForLogin(found.login)
    if (found.login && found.name === '') {
      setEnded(true)
      throw new Refusal({ type: UNKNOWN, title: words.session.ended, status: 401, detail: words.session.ended })
    }
    if (hasEnded()) {
      setEnded(false)
      void askAgain({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    }
    return found
  },
  staleTime: 60_000,
})

export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => ask('list_users', { signal }),
})

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => ask('list_keys', { signal }),
})

export const namespacesQuery = queryOptions({
  queryKey: ['namespaces'],
  queryFn: ({ signal }) => ask('list_namespaces', { signal }),
  meta: slow,
})

export const systemQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: ({ signal }) => ask('show_system', { signal }),
})

/** By what is due first, page by page. */
export const schedulesQuery = (find: string, limit: number) =>
  infiniteQueryOptions({
    queryKey: ['schedules', find, limit],
    queryFn: ({ signal, pageParam }) => ask('list_schedules', { query: { order: 'due', find, limit, after: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    meta: live,
  })

export const scheduleQuery = (name: string) =>
  queryOptions({
    queryKey: ['schedule', name],
    queryFn: ({ signal }) => ask('show_schedule', { path: { name }, signal }),
    meta: live,
    retry: false,
  })

/** What of a lease is left changes without a commit: asked for now and then as well. */
export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: ({ signal }) => ask('list_workers', { signal }),
  meta: live,
  refetchInterval: 3000,
})

/** Likewise: a lease ends, and what waits grows older. */
export const queuesQuery = queryOptions({
  queryKey: ['queues'],
  queryFn: ({ signal }) => ask('list_queues', { signal }),
  meta: live,
  refetchInterval: 3000,
})

/** Asked for anew when the list of schedules has come with another one in its place: not of one that it may not have any more. */
export const dueTimesQuery = ({ name, etag, next }: ScheduleView, limit: number) =>
  queryOptions({
    queryKey: ['due', name, limit, etag, next[0]],
    queryFn: ({ signal }) => ask('list_due_times', { path: { name }, query: { limit }, signal }),
    staleTime: Infinity,
  })

export const artifactsQuery = (run: number) =>
  queryOptions({
    queryKey: ['artifacts', run],
    queryFn: ({ signal }) => ask('list_artifacts', { path: { run }, signal }),
    meta: live,
  })

export const artifactQuery = (run: number, name: string) =>
  queryOptions({
    queryKey: ['artifact', run, name],
    queryFn: ({ signal }) => ask('show_artifact', { path: { run }, query: { name }, signal }),
  })

/** What a run takes may change with every step: asked for anew each time. */
export const signalsQuery = (run: number) =>
  queryOptions({
    queryKey: ['signals', run],
    queryFn: ({ signal }) => ask('list_signals', { path: { run }, signal }),
    gcTime: 0,
    retry: false,
  })

export const updatesQuery = (run: number) =>
  queryOptions({
    queryKey: ['updates', run],
    queryFn: ({ signal }) => ask('list_updates', { path: { run }, signal }),
    gcTime: 0,
    retry: false,
  })

export const queriesQuery = (run: number) =>
  queryOptions({
    queryKey: ['queries', run],
    queryFn: ({ signal }) => ask('list_queries', { path: { run }, signal }),
    gcTime: 0,
    retry: false,
  })

/** A recorded value whole. It never changes, and it may be large: kept only while it is shown. */
export const valueQuery = (run: number, seq: number, field: string) =>
  queryOptions({
    queryKey: ['value', run, seq, field],
    queryFn: ({ signal }) => ask('show_value', { path: { run }, query: { seq, field }, signal }),
    staleTime: Infinity,
    gcTime: 0,
  })
