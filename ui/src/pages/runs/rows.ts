// The rows of the list: page by page over the server's cursor, held still while somebody reads further down.
import { keepPreviousData, type UseQueryResult, useQueries, useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { runsQuery, type RunFilter } from '../../api/queries'
import type { RunPage, RunView } from '../../api/schema'

const PAGE = 60

const NONE: RunView[] = []

/** The same object as long as no page has changed: a list of things to depend on may not grow. */
const combine = (pages: UseQueryResult<RunPage>[]) => ({ loaded: pages.map((page) => page.data), pending: pages.some((page) => page.isPending) })

interface Rows {
  rows: RunView[]
  /** How many rows stand above the ordinary ones because they need a person. */
  pinned: number
  loading: boolean
  error: Error | null
  retry: () => void
  end: boolean
  /** How many pages are behind the first, and whether one of them is on its way. */
  pages: number
  busy: boolean
  more: () => void
  /** New runs that wait behind the pill. */
  fresh: number
  show: () => void
}

/**
 * At its top the list is the newest page and moves with it. Further down it is anchored: it begins at the run that was
 * the newest when the reader left the top, and what is newer is counted, not shown.
 */
export function useRows(filter: RunFilter, atTop: boolean, pins: boolean): Rows {
  const key = JSON.stringify(filter)
  const [anchor, setAnchor] = useState<number | null>(null)
  const [cursors, setCursors] = useState<number[]>([])
  const restart = useCallback(() => {
    setAnchor(null)
    setCursors([])
  }, [])
  useEffect(restart, [key, restart])

  const newest = useQuery({ ...runsQuery({ ...filter, limit: PAGE }), placeholderData: keepPreviousData })
  const pinned = useQuery({ ...runsQuery({ ...filter, state: ['incident'], limit: 20 }), enabled: pins, placeholderData: keepPreviousData })
  // Until the rows of another filter have come, those of the former one are shown: none of its places is one in the new list.
  const first = newest.isPlaceholderData ? undefined : newest.data?.runs[0]?.run
  useEffect(() => {
    if (!atTop && anchor === null && first !== undefined) setAnchor(first)
    if (atTop && anchor !== null && cursors.length === 0) setAnchor(null)
  }, [atTop, anchor, first, cursors.length])

  const anchored = useQuery({ ...runsQuery({ ...filter, after: (anchor ?? 0) + 1, limit: PAGE }), enabled: anchor !== null })
  const head = anchor === null ? newest : anchored.data ? anchored : newest
  const pages = useQueries({ queries: cursors.map((after) => runsQuery({ ...filter, after, limit: PAGE })), combine })

  const last = cursors.length === 0 ? head.data : pages.loaded[cursors.length - 1]
  const former = cursors.length === 0 && head.isPlaceholderData
  const next = former ? null : (last?.next ?? null)
  const more = useCallback(() => {
    if (next === null) return
    setAnchor((old) => old ?? first ?? next - 1) // a first page without a row has been looked through all the same
    setCursors((old) => (old.includes(next) ? old : [...old, next]))
  }, [next, first])

  const above = (pins ? pinned.data?.runs : undefined) ?? NONE
  // The newest page goes on while the one that begins at the anchor has yet to come.
  const rows = useMemo(
    () => unique([...above, ...[head.data, ...pages.loaded].flatMap((page) => page?.runs ?? []).filter((each) => anchor === null || each.run <= anchor)]),
    [above, head.data, pages.loaded, anchor],
  )
  const fresh = anchor === null ? 0 : (newest.data?.runs ?? []).filter((each) => each.run > anchor).length
  return {
    rows,
    pinned: above.length,
    loading: newest.isPending,
    error: newest.error,
    retry: () => void newest.refetch(),
    end: last !== undefined && !former && next === null,
    pages: cursors.length,
    busy: pages.pending || (anchor !== null && anchored.isPending),
    more,
    fresh,
    show: restart,
  }
}

function unique(runs: RunView[]): RunView[] {
  const seen = new Set<number>()
  return runs.filter((each) => !seen.has(each.run) && seen.add(each.run))
}
