// What only grows, an event list or a log: asked for once, and then only for what came after.
import { useQuery } from '@tanstack/react-query'
import { ask } from '../../api/client'
import { queryClient } from '../../api/queries'
import type { EventView, LogView } from '../../api/schema'

/** Rows that a screen holds; a log may be larger than a browser should be. */
const MOST = 20_000

export function useEvents(run: number): { rows: EventView[]; error: Error | null; pending: boolean } {
  return useTail(['events', run], async (after, signal) => {
    const page = await ask('list_events', { path: { run }, query: { after }, signal })
    return { rows: page.events, next: page.next, last: page.events[page.events.length - 1]?.seq }
  })
}

export function useLogs(run: number): { rows: LogView[]; error: Error | null; pending: boolean } {
  return useTail(['logs', run], async (after, signal) => {
    const page = await ask('list_logs', { path: { run }, query: { after }, signal })
    return { rows: page.lines, next: page.next, last: page.lines[page.lines.length - 1]?.row }
  })
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

function useTail<T>(key: unknown[], fetchPage: (after: number, signal: AbortSignal) => Promise<Page<T>>): { rows: T[]; error: Error | null; pending: boolean } {
  const { data, error, isPending } = useQuery({
    queryKey: key,
    meta: { live: true },
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
  return { rows: data?.rows ?? [], error, pending: isPending }
}
