// Which runs of the list are selected: one by one, as a stretch, or all that are shown.
import { useCallback, useMemo, useRef, useState } from 'react'

export interface Selection {
  chosen: ReadonlySet<number>
  toggle: (run: number) => void
  /** From the one that was chosen last to this one. */
  reach: (run: number) => void
  /** All that are shown; none, if they are all chosen already. */
  toggleAll: () => void
  clear: () => void
}

export function useSelection(shown: readonly number[]): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const last = useRef<number | null>(null)
  const rows = useRef(shown)
  rows.current = shown
  const toggle = useCallback((run: number) => {
    last.current = run
    setChosen((old) => {
      const next = new Set(old)
      if (!next.delete(run)) next.add(run)
      return next
    })
  }, [])
  const reach = useCallback((run: number) => {
    const from = last.current === null ? -1 : rows.current.indexOf(last.current)
    const to = rows.current.indexOf(run)
    const stretch = from < 0 ? [run] : rows.current.slice(Math.min(from, to), Math.max(from, to) + 1)
    last.current = run
    setChosen((old) => new Set([...old, ...stretch]))
  }, [])
  const toggleAll = useCallback(() => setChosen((old) => (rows.current.every((run) => old.has(run)) ? new Set() : new Set(rows.current))), [])
  const clear = useCallback(() => setChosen(new Set()), [])
  return useMemo(() => ({ chosen, toggle, reach, toggleAll, clear }), [chosen, toggle, reach, toggleAll, clear])
}
