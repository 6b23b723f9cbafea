// When the runs of the list began, and which of them went wrong: drag over it to narrow the list to a stretch of time.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { histogramQuery, type RunFilter } from '../../api/queries'
import { Chart } from '../../parts/Chart'
import { percent } from '../../parts/figures'
import { words } from '../../words'

const w = words.runs
const WRONG = ['failed', 'incident']

export default function Histogram({ filter, choose }: { filter: RunFilter; choose: (from: number, to: number) => void }) {
  const { data } = useQuery(histogramQuery(filter))
  const drawn = useMemo(() => {
    if (!data || data.bars.length === 0) return null
    const first = Math.floor(data.since / data.bar) * data.bar
    const states = new Map(data.bars.map((each) => [each.at, each.states]))
    const at = Array.from({ length: Math.max(1, Math.ceil((data.until - first) / data.bar)) }, (_, i) => first + i * data.bar)
    const sum = (count: (states: Record<string, number>) => number) => at.map((each) => count(states.get(each) ?? {}))
    return { at, all: sum((each) => Object.values(each).reduce((a, b) => a + b, 0)), wrong: sum((each) => WRONG.reduce((a, state) => a + (each[state] ?? 0), 0)) }
  }, [data])
  if (!data || !drawn) return null
  return (
    <div className={`hist ${data.counted < 1 ? 'estimated' : ''}`}>
      {data.counted < 1 && <p className="tiny faint">{w.estimated(percent(data.counted))}</p>}
      <Chart
        label={w.histogram} bare now={filter.until == null} height={52} at={drawn.at} bar={data.bar} choose={choose} format={String}
        lines={[
          { name: w.title, color: '--field', bars: true, values: drawn.all },
          { name: w.wrong, color: '--failed-fill', bars: true, values: drawn.wrong },
        ]}
      />
    </div>
  )
}
