// What only grows, an event list or a log: asked for once, and then only for what came after.
import { useQuery } from '@tanstack/react-query'
import { ask } from '../../api/client'
import { queryClient } from '../../api/queries'
import type { EventView, LogView, Operations } from '../../api/schema'

/** Rows that a screen holds; a log may be larger than a browser should be. */
const MOST = 20_000

export function useEvents(run: number): Tail<EventView> {
  return useTail(['events', run], async (after, signal) => {
    const page = await ask('list_events', { path: { run }, query: { after }, signal })
    return { rows: page.events, next: page.next, last: page.events[page.events.length - 1]?.seq }
  })
}

export type Level = NonNullable<Operations['list_logs']['query']['level']>

/** Lines of this level and above, from behind a row on; `full`: there may be more than a screen holds. */
export function useLogs(run: number, level: Level, from: number): Tail<LogView> & { full: boolean } {
  const found = useTail(['logs', run, level, from], async (after, signal) => {
    const page = await ask('list_logs', { path: { run }, query: { level, after: Math.max(after, from) }, signal })
    return { rows: page.lines, next: page.next, last: page.lines[page.lines.length - 1]?.row }
  })
  return { ...found, full: found.rows.length >= MOST }
}

interface Page<T> {
  rows: T[]
  next: number | null
  last: number | undefined
}

interface Kept<T> {
  rows: T[]
  last: number
}

interface Tail<T> {
  rows: T[]
  error: Error | null
  pending: boolean
  /** The rows are those of what was asked before, of the same run, until these have come. */
  former: boolean
  retry: () => void
}

function useTail<T>(key: unknown[], fetchPage: (after: number, signal: AbortSignal) => Promise<Page<T>>): Tail<T> {
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery<Kept<T>>({
    queryKey: key,
    meta: { live: true },
    placeholderData: (old, query) => (query?.queryKey[1] === key[1] ? old : undefined),
    queryFn: async ({ signal }): Promise<Kept<T>> => {
      const kept = queryClient.getQueryData<Kept<T>>(key) ?? { rows: [], last: 0 }
      let { last } = kept
      const added: T[] = []
      for (let more = true; more && kept.rows.length + added.length < MOST; ) {
        const page = await fetchPage(last, signal)
        added.push(...page.rows)
        last = page.last ?? last
        more = page.next !== null
      }
      return added.length === 0 ? kept : { rows: [...kept.rows, ...added], last }
    },
  })
  return { rows: data?.rows ?? [], error, pending: isPending, former: isPlaceholderData, retry: () => void refetch() }
}
