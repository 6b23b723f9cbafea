// How far the backfills of a schedule are, as cells.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import type { BackfillView, ScheduleView } from '../../api/schema'
import { Confirm, done } from '../../parts/Confirm'
import { moment } from '../../parts/format'
import { tone } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.schedules
const MOST = 500
const COLUMNS = 25
const PITCH = 14

export function Backfills({ schedule }: { schedule: ScheduleView }) {
  return (
    <section>
      <h3>{w.backfills}</h3>
      {[...schedule.backfills].reverse().map((each) => <Backfill key={each.id} schedule={schedule} backfill={each} />)}
    </section>
  )
}

function Backfill({ schedule, backfill }: { schedule: ScheduleView; backfill: BackfillView }) {
  const now = useNow()
  const may = useAllowed()
  const [stopping, setStopping] = useState(false)
  const behind = backfill.started + backfill.skipped
  const path = { name: schedule.name, backfill: backfill.id }
  return (
    <div className="backfill">
      <div className="row small">
        <span className="mono b cut">{backfill.id}</span>
        <span className="dim cut grow">{w.missedSpan(moment(backfill.start, now), moment(backfill.end, now))}</span>
        <span className="num">{backfill.done ? w.done : w.progress(behind, backfill.total)}</span>
        {!backfill.done && may('schedules:act') && <button className="btn" style={{ height: 24 }} onClick={() => setStopping(true)}>{w.stop}</button>}
      </div>
      <Progress backfill={backfill} />
      {backfill.open.slice(0, 3).map((id) => <Link key={id} className="link mono tiny cut" to="/runs" search={{ id }}>{id}</Link>)}
      {stopping && <Confirm title={w.stopTitle(backfill.id)} what={w.stopWhat(backfill.total - behind)} label={w.stopDo} tone="act" close={() => setStopping(false)} act={() => done(ask('cancel_backfill', { path, body: {} }), w.stopped)} />}
    </div>
  )
}

/** One cell for each due time, by what became of it; past five hundred, several share a cell. */
function Progress({ backfill }: { backfill: BackfillView }) {
  const { completed, failed, skipped, total, started } = backfill
  const open = started - completed - failed
  const counts = [['completed', completed], ['failed', failed], ['running', open], ['skipped', skipped], ['pending', Math.max(0, total - started - skipped)]] as const
  const each = Math.max(1, Math.ceil(total / MOST))
  const cells = counts.flatMap(([state, n]) => Array<string>(Math.ceil(n / each)).fill(state))
  const summary = counts.filter(([, n]) => n > 0).map(([state, n]) => `${n.toLocaleString()} ${w.counts[state]}`).join(', ')
  return (
    <>
      <svg className="cells" viewBox={`0 0 ${COLUMNS * PITCH} ${Math.max(1, Math.ceil(cells.length / COLUMNS)) * PITCH}`} role="img" aria-label={summary}>
        {cells.map((state, i) => {
          const [x, y] = [(i % COLUMNS) * PITCH + 0.5, Math.floor(i / COLUMNS) * PITCH + 0.5]
          return (
            <g key={i} className={tone(state)}>
              <rect x={x} y={y} width="11" height="11" rx="2" fill={state === 'pending' ? 'none' : 'var(--f)'} stroke="var(--f)" strokeDasharray={state === 'pending' ? '2 2' : undefined} opacity={state === 'failed' || state === 'running' ? 1 : 0.55} />
              {state === 'failed' && <path d={`M${x + 3} ${y + 3}l5 5m0-5l-5 5`} stroke="#fff" strokeWidth="1.5" />}
            </g>
          )
        })}
      </svg>
      <p className="tiny dim">{summary}</p>
    </>
  )
}
