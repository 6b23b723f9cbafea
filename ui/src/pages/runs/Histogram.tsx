// When the runs of the list began, and which of them went wrong: drag over it to narrow the list to a stretch of time.
import { useMemo } from 'react'
import type { RunFilter } from '../../api/queries'
import { useRecent } from '../../api/recent'
import { buckets, width } from '../../parts/buckets'
import { Chart } from '../../parts/Chart'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.runs
const BARS = 96
const WRONG = new Set(['failed', 'incident'])

export default function Histogram({ filter, choose }: { filter: RunFilter; choose: (from: number, to: number) => void }) {
  const { data } = useRecent(filter)
  const minute = Math.ceil(useNow() / 60_000_000) * 60_000_000
  const rows = useMemo(() => {
    if (!data || data.runs.length === 0) return null
    const began = data.runs.map((each) => each.started_at)
    const from = filter.since != null && !data.cut ? filter.since : Math.min(...began)
    const to = filter.until ?? Math.max(minute, ...began)
    const bar = width(to - from, BARS)
    return { bar, found: buckets(data.runs, from, to, bar, (run) => run.started_at) }
  }, [data, filter.since, filter.until, minute])
  if (!rows) return null
  const wrong = rows.found.map((each) => each.runs.filter((run) => WRONG.has(run.state)).length)
  return (
    <div className="hist">
      <Chart
        label={w.histogram} bare now={filter.until == null} height={52} at={rows.found.map((each) => each.from)} bar={rows.bar} choose={choose} format={String}
        lines={[
          { name: w.title, color: '--field', bars: true, values: rows.found.map((each) => each.runs.length) },
          { name: w.wrong, color: '--failed-fill', bars: true, values: wrong },
        ]}
      />
    </div>
  )
}
