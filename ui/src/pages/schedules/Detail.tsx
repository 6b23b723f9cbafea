// The selected schedule: where it stands, what it did, what can be done with it.
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import { runsQuery } from '../../api/queries'
import type { ScheduleView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Confirm, done } from '../../parts/Confirm'
import { absolute, duration, moment, until } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Value } from '../../parts/Json'
import { StateChip } from '../../parts/State'
import { Ago, useNow } from '../../parts/Time'
import { words } from '../../words'
import { BackfillForm } from './BackfillForm'
import { Backfills } from './Backfills'
import { ScheduleForm } from './ScheduleForm'
import { stateOf } from './standing'

const w = words.schedules

export function Detail({ schedule }: { schedule: ScheduleView }) {
  const navigate = useNavigate({ from: '/schedules' })
  const close = () => void navigate({ search: (old) => ({ ...old, name: undefined }), replace: true })
  // Whoever has gone elsewhere before it was taken away stays there.
  const gone = () => {
    if (location.pathname.endsWith('/schedules')) void navigate({ search: (old) => (old.name === schedule.name ? { ...old, name: undefined } : old), replace: true })
  }
  const { state, text } = stateOf(schedule)
  return (
    <aside className="insp" aria-label={`${w.title} ${schedule.name}`}>
      <header>
        <div className="row">
          <h2 className="mono cut" style={{ fontSize: 14 }} title={schedule.name}>{schedule.name}</h2>
          <StateChip state={state} text={text} />
          <span className="grow" />
          <button className="btn quiet" style={{ height: 24 }} aria-label={words.frame.close} onClick={close}><Icon name="x" small /></button>
        </div>
      </header>
      {schedule.paused !== null && <p className="warnline">{w.pausedWhy(schedule.paused)}</p>}
      <Buttons schedule={schedule} gone={gone} />
      <section><Facts schedule={schedule} /></section>
      <DueTimes schedule={schedule} />
      <LastRuns schedule={schedule} />
      {schedule.backfills.length > 0 && <Backfills schedule={schedule} />}
      <section><h3>{w.input}</h3><Value value={schedule.input} /></section>
    </aside>
  )
}

type Opened = 'pause' | 'change' | 'backfill' | 'remove' | null

function Buttons({ schedule, gone }: { schedule: ScheduleView; gone: () => void }) {
  const may = useAllowed()
  const [open, setOpen] = useState<Opened>(null)
  const [busy, begin] = useBusy()
  const close = () => setOpen(null)
  const path = { name: schedule.name }
  const trigger = () => {
    let id = ''
    void begin(() => done(ask('trigger_schedule', { path, body: {} }).then((run) => (id = run.id)), () => w.triggered(id)))
  }
  if (!may('schedules:act') && !may('schedules:write')) return null
  return (
    <section className="row" style={{ flexWrap: 'wrap' }}>
      {may('schedules:act') && <button className="btn primary" disabled={busy} onClick={trigger}><Icon name="play" small />{w.trigger}</button>}
      {may('schedules:act') && (schedule.paused === null
        ? <button className="btn" onClick={() => setOpen('pause')}>{w.pause}</button>
        : <button className="btn" onClick={() => void done(ask('resume_schedule', { path, body: {} }), w.resumed)}>{w.resume}</button>)}
      {may('schedules:act') && <button className="btn" onClick={() => setOpen('backfill')}>{w.backfill}</button>}
      {may('schedules:write') && <button className="btn" onClick={() => setOpen('change')}>{w.change}</button>}
      {may('schedules:write') && <button className="btn danger" onClick={() => setOpen('remove')}>{w.remove}</button>}
      {open === 'pause' && <Confirm title={w.pauseTitle(schedule.name)} what={w.pauseWhat} label={w.pauseDo} tone="primary" close={close} reason act={(reason) => done(ask('pause_schedule', { path, body: { reason } }), w.paused)} />}
      {open === 'remove' && (
        <Confirm title={w.removeTitle(schedule.name)} what={w.removeWhat(schedule.backfills.length)} label={w.removeDo} tone="act" close={close} act={() => done(ask('delete_schedule', { path }).then(gone), w.removed)} />
      )}
      {open === 'change' && <ScheduleForm schedule={schedule} close={close} />}
      {open === 'backfill' && <BackfillForm schedule={schedule} close={close} />}
    </section>
  )
}

function Facts({ schedule }: { schedule: ScheduleView }) {
  const now = useNow()
  const { policy } = schedule
  return (
    <dl className="kv">
      <dt>{w.workflow}</dt><dd><Link className="link mono" to="/workflows" search={{ name: schedule.workflow }}>{schedule.workflow}</Link></dd>
      <dt>{w.when}</dt><dd title={schedule.when}>{schedule.when}</dd>
      <dt>{w.overlapping}</dt><dd>{w.overlaps[policy.overlap ?? 'skip']}</dd>
      {(policy.jitter ?? 0) > 0 && <><dt>{w.jitter}</dt><dd>{duration(policy.jitter!)}</dd></>}
      <dt>{w.catchup}</dt><dd>{duration(policy.catchup ?? 0)}</dd>
      <dt>{w.started}</dt><dd>{schedule.started.toLocaleString()} · {schedule.skipped.toLocaleString()} {w.skipped}</dd>
      {schedule.last !== null && <><dt>{w.last}</dt><dd title={absolute(schedule.last)}>{moment(schedule.last, now)}</dd></>}
      {schedule.missed && <><dt>{w.missed}</dt><dd className="failed word">{w.missedSpan(moment(schedule.missed[0], now), moment(schedule.missed[1], now))}</dd></>}
      {schedule.waits_for.length > 0 && <><dt>{w.waitsFor}</dt><dd className="mono" title={schedule.waits_for.join(', ')}>{schedule.waits_for.join(', ')}</dd></>}
      <dt>{w.origin}</dt><dd>{schedule.declared ? w.declared : w.made}{schedule.changed.length > 0 && `, ${w.changed(schedule.changed.join(', '))}`}</dd>
      {schedule.note && <><dt>{w.note}</dt><dd style={{ whiteSpace: 'normal', overflowWrap: 'anywhere' }}>{schedule.note}</dd></>}
    </dl>
  )
}

function DueTimes({ schedule }: { schedule: ScheduleView }) {
  const now = useNow()
  return (
    <section>
      <h3>{w.dueTimes}</h3>
      {schedule.next.length === 0 && <p className="small dim">{schedule.paused === null ? w.noDue : w.pausedDue}</p>}
      <ul className="instants">{schedule.next.slice(0, 5).map((at) => <li key={at}><span>{absolute(at).replace(/\.\d+/, '')}</span><span className="num dim">{until(at, now)}</span></li>)}</ul>
    </section>
  )
}

function LastRuns({ schedule }: { schedule: ScheduleView }) {
  const now = useNow()
  const id = `${schedule.name}@`
  const { data } = useQuery(runsQuery({ id, limit: 20 }))
  return (
    <section>
      <h3>{w.lastRuns} <Link className="more link" to="/runs" search={{ id }}>{w.allRuns}</Link></h3>
      {data?.runs.length === 0 && <p className="small dim">{w.noRuns}</p>}
      <ul className="lately">
        {data?.runs.slice(0, 8).map((run) => (
          <li key={run.run}>
            <StateChip state={run.state} />
            <Link className="mono cut grow link" to="/runs/$run" params={{ run: String(run.run) }} title={run.id}>{run.id.slice(id.length)}</Link>
            <span className="num dim"><Ago at={run.started_at} /></span>
            <span className="num">{duration((run.closed_at ?? now) - run.started_at)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
