// How runs ended over time: how many, how many of them failed, how long they took; of all workflows or of one.
import { useMemo, useState, type ReactNode } from 'react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { figuresQuery } from '../api/queries'
import type { Ended, Figures } from '../api/schema'
import { asked, type Range } from '../parts/buckets'
import { Chart, type Line } from '../parts/Chart'
import { count, failureRate, percent } from '../parts/figures'
import { clock, duration, moment, roughly } from '../parts/format'
import { useNow } from '../parts/Time'
import { words } from '../words'

const w = words.charts

export default function Charts({ range, workflow }: { range: Range; workflow: string | undefined }) {
  const now = useNow()
  const { data, error } = useQuery(figuresQuery({ ...asked(range, now), workflow }))
  const rows = useMemo(() => data && everyBar(data), [data])
  if (error && !data) return <p className="panel nothing err">{error.message}</p>
  if (!data || !rows) return <div className="charts">{[0, 1, 2].map((i) => <div key={i} className="panel chart" style={{ height: 176 }} />)}</div>
  if (rows.every((each) => count(each) === 0)) return <p className="panel nothing">{w.none(words.ranges[range])}</p>
  return <Three figures={data} rows={rows} range={range} now={now} />
}

interface Bar extends Ended {
  at: number
}

/** Those in which nothing ended as well. */
function everyBar({ since, until, bar, bars }: Figures): Bar[] {
  const found = new Map(bars.map((each) => [each.at, each]))
  const first = Math.floor(since / bar) * bar
  return Array.from({ length: Math.max(1, Math.ceil((until - first) / bar)) }, (_, i) => {
    const at = first + i * bar
    return found.get(at) ?? { at, states: {}, p50: null, p95: null, p99: null }
  })
}

function Three({ figures, rows, range, now }: { figures: Figures; rows: Bar[]; range: Range; now: number }) {
  const [looked, look] = useState<number | null>(null)
  const navigate = useNavigate()
  const { bar } = figures
  const choose = (from: number, to: number) => void navigate({ to: '/runs', search: { from: Math.round(from), to: Math.round(to) } })
  const under = looked === null ? undefined : rows[looked]
  const shown = under ?? figures.total
  const all = count(shown)
  const when = under ? `${moment(under.at, now)}–${clock(under.at + bar).slice(0, 5)}` : figures.cut ? w.last(all) : words.ranges[range]
  const rate = failureRate(shown)
  const rates = rows.map(failureRate)
  const peak = Math.max(...rates.map((each) => each ?? 0))
  const marks = figures.marks.slice(-3).map((each) => ({ at: each.at, text: `${each.workflow} ${each.version.slice(0, 7)}` }))
  const shared = { at: rows.map((each) => each.at), bar, marks, hover: look, choose, now: true }
  return (
    <div className="charts">
      <Figure title={w.finished(roughly(bar))} big={all.toLocaleString()} small={`${w.failed(percent(rate))} · ${when}`}>
        <Chart {...shared} label={w.finished(roughly(bar))} lines={ended(rows)} format={(n) => (n >= 1000 ? `${n / 1000}k` : Number.isInteger(n) ? String(n) : '')} atLeast={4} />
      </Figure>
      <Figure title={w.rate} big={percent(rate)} small={peak > 0 ? w.peak(percent(peak), moment(rows[rates.indexOf(peak)]!.at, now)) : when}>
        <Chart {...shared} label={w.rate} lines={[{ name: w.rate, color: '--failed-fill', values: rates }]} format={(n) => `${Math.round(n * 100)} %`} atLeast={0.05} />
      </Figure>
      <Figure title={w.time} big={`p50 ${length(shown.p50)}`} small={`p95 ${length(shown.p95)} · p99 ${length(shown.p99)}`}>
        <Chart {...shared} label={w.time} lines={percentiles(rows)} format={duration} log />
      </Figure>
    </div>
  )
}

function Figure({ title, big, small, children }: { title: string; big: string; small: string; children: ReactNode }) {
  return (
    <figure className="panel chart">
      <figcaption>
        <span className="small dim">{title}</span>
        <span className="row" style={{ alignItems: 'baseline' }}><b className="big">{big}</b><span className="tiny dim cut">{small}</span></span>
      </figcaption>
      {children}
    </figure>
  )
}

/** Failures stand on the baseline, before the bar of all. */
function ended(rows: Bar[]): Line[] {
  return [
    { name: w.all, color: '--completed-fill', bars: true, values: rows.map(count) },
    { name: words.states['failed']!, color: '--failed-fill', bars: true, values: rows.map((each) => each.states['failed'] ?? 0) },
  ]
}

function percentiles(rows: Bar[]): Line[] {
  return [
    { name: 'p99', color: '--text3', dash: [2, 2], named: true, values: rows.map((each) => each.p99) },
    { name: 'p95', color: '--running-fill', dash: [5, 2], named: true, values: rows.map((each) => each.p95) },
    { name: 'p50', color: '--running-fill', named: true, values: rows.map((each) => each.p50) },
  ]
}

function length(us: number | null): string {
  return us === null ? words.overview.none : duration(us)
}
