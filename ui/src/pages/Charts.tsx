// How runs ended over time: how many, how many of them failed, how long they took; of all workflows or of one.
import { useMemo, useState, type ReactNode } from 'react'
import { useNavigate } from '@tanstack/react-router'
import { MOST, useRecent } from '../api/recent'
import type { RunView } from '../api/schema'
import { buckets, changes, failed, failureRate, lengths, quantile, SPANS, type Bucket, type Range } from '../parts/buckets'
import { Chart, type Line } from '../parts/Chart'
import { clock, duration, moment, roughly } from '../parts/format'
import { useNow } from '../parts/Time'
import { words } from '../words'

const w = words.charts

export default function Charts({ range, workflow }: { range: Range; workflow: string | undefined }) {
  const now = useNow()
  const { long, bar } = SPANS[range]
  // Moves on by bars, not by seconds: a new question every second would never be answered from memory.
  const until = Math.ceil(now / bar) * bar
  const { data, error } = useRecent({ state: ['closed'], since: until - long, ...(workflow ? { workflow } : {}) })
  const drawn = useMemo(() => data && drawing(data.runs, data.cut, until - long, until, bar), [data, until, long, bar])
  if (error && !data) return <p className="panel nothing err">{error.message}</p>
  if (!drawn) return <div className="charts">{[0, 1, 2].map((i) => <div key={i} className="panel chart" style={{ height: 176 }} />)}</div>
  if (drawn.runs.length === 0) return <p className="panel nothing">{w.none(words.ranges[range])}</p>
  return <Three drawn={drawn} bar={bar} range={range} now={now} cut={data?.cut === true} />
}

interface Drawn {
  runs: RunView[]
  rows: Bucket[]
  marks: { at: number; text: string }[]
}

function drawing(found: RunView[], cut: boolean, from: number, until: number, bar: number): Drawn {
  const oldest = cut ? Math.min(...found.map((each) => each.started_at)) : from
  const runs = found.filter((each) => each.closed_at !== null)
  const rows = buckets(runs, Math.max(from, oldest), until, bar, (run) => run.closed_at)
  return { runs, rows, marks: changes(runs, rows[0]!.from).slice(-3).map((each) => ({ at: each.at, text: `${each.workflow} ${each.version.slice(0, 7)}` })) }
}

function Three({ drawn: { runs, rows, marks }, bar, range, now, cut }: { drawn: Drawn; bar: number; range: Range; now: number; cut: boolean }) {
  const [looked, look] = useState<number | null>(null)
  const navigate = useNavigate()
  const choose = (from: number, to: number) => void navigate({ to: '/runs', search: { from: Math.round(from), to: Math.round(to) } })
  const at = rows.map((each) => each.from)
  const shown = looked === null ? runs : (rows[looked]?.runs ?? [])
  const when = looked === null ? (cut ? w.last(MOST) : words.ranges[range]) : `${moment(at[looked]!, now)}–${clock(at[looked]! + bar).slice(0, 5)}`
  const rate = failureRate(shown)
  const times = lengths(shown)
  const rates = rows.map((each) => failureRate(each.runs))
  const peak = Math.max(...rates.map((each) => each ?? 0))
  const shared = { at, bar, marks, hover: look, choose, now: true }
  return (
    <div className="charts">
      <Figure title={w.finished(roughly(bar))} big={shown.length.toLocaleString()} small={`${w.failed(percent(rate))} · ${when}`}>
        <Chart {...shared} label={w.finished(roughly(bar))} lines={ended(rows)} format={(n) => (n >= 1000 ? `${n / 1000}k` : Number.isInteger(n) ? String(n) : '')} atLeast={4} />
      </Figure>
      <Figure title={w.rate} big={percent(rate)} small={peak > 0 ? w.peak(percent(peak), moment(at[rates.indexOf(peak)]!, now)) : when}>
        <Chart {...shared} label={w.rate} lines={[{ name: w.rate, color: '--failed-fill', values: rates }]} format={(n) => `${Math.round(n * 100)} %`} atLeast={0.05} />
      </Figure>
      <Figure title={w.time} big={`p50 ${length(times, 0.5)}`} small={`p95 ${length(times, 0.95)} · p99 ${length(times, 0.99)}`}>
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
function ended(rows: Bucket[]): Line[] {
  return [
    { name: w.all, color: '--completed-fill', bars: true, values: rows.map((each) => each.runs.length) },
    { name: words.states['failed']!, color: '--failed-fill', bars: true, values: rows.map((each) => failed(each.runs)) },
  ]
}

function percentiles(rows: Bucket[]): Line[] {
  const times = rows.map((each) => lengths(each.runs))
  const line = (q: number) => times.map((each) => quantile(each, q))
  return [
    { name: 'p99', color: '--text3', dash: [2, 2], named: true, values: line(0.99) },
    { name: 'p95', color: '--running-fill', dash: [5, 2], named: true, values: line(0.95) },
    { name: 'p50', color: '--running-fill', named: true, values: line(0.5) },
  ]
}

function length(sorted: number[], q: number): string {
  const found = quantile(sorted, q)
  return found === null ? words.overview.none : duration(found)
}

function percent(share: number | null): string {
  if (share === null) return words.overview.none
  const points = share * 100
  return `${points === 0 || points >= 10 ? Math.round(points) : points.toFixed(points >= 1 ? 1 : 2)} %`
}
