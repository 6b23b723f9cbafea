// The newest runs of a filter, several pages of them: what the histogram over the list is drawn from, whatever the list is narrowed to.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ask } from './client'
import type { RunFilter } from './queries'
import type { RunPage, RunView } from './schema'

const PAGE = 500
/** Runs that it looks at, at most: the newest. */
const MOST = 2000
const EVERY = 20_000

export interface Recent {
  runs: RunView[]
  /** There are more than these; they reach back no further than the oldest of them. */
  cut: boolean
}

/** Not with every change, as lists are, but every few seconds: a chart does not tell a single run. */
export function useRecent(filter: RunFilter, enabled = true): { data: Recent | undefined; error: Error | null } {
  const { data, error } = useQuery<Recent>({
    queryKey: ['recent', filter],
    queryFn: ({ signal }) => newest(filter, signal),
    refetchInterval: EVERY,
    staleTime: EVERY / 2,
    placeholderData: keepPreviousData,
    enabled,
  })
  return { data, error }
}

async function newest(filter: RunFilter, signal: AbortSignal): Promise<Recent> {
  const runs: RunView[] = []
  let after: number | null = null
  do {
    const page: RunPage = await ask('list_runs', { query: { ...filter, limit: PAGE, ...(after === null ? {} : { after }) }, signal })
    runs.push(...page.runs)
    after = page.next
  } while (after !== null && runs.length < MOST)
  return { runs, cut: after !== null }
}
