// Fills in a period of the past; how many runs that would be stands there first.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import type { BackfillBody, ScheduleView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { done } from '../../parts/Confirm'
import { Dialog } from '../../parts/Dialog'
import { absolute } from '../../parts/format'
import { words } from '../../words'

const w = words.schedules

function micros(local: string): number | null {
  const at = new Date(local).getTime()
  return Number.isNaN(at) ? null : at * 1000
}

export function BackfillForm({ schedule, close }: { schedule: ScheduleView; close: () => void }) {
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [parallel, setParallel] = useState('1')
  const [order, setOrder] = useState<NonNullable<BackfillBody['order']>>('oldest')
  const [reprocess, setReprocess] = useState<NonNullable<BackfillBody['reprocess']>>('missing')
  const [busy, begin] = useBusy()
  const [start, end] = [micros(from), micros(to)]
  const path = { name: schedule.name }
  const { data, error } = useQuery({
    queryKey: ['backfill-preview', schedule.name, start, end],
    queryFn: ({ signal }) => ask('preview_backfill', { path, body: { start: start ?? 0, end: end ?? 0 }, signal }),
    enabled: start !== null && end !== null, retry: false, placeholderData: keepPreviousData,
  })
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    if (start === null || end === null) return
    void begin(() => done(ask('create_backfill', { path, body: { start, end, parallel: Number(parallel), order, reprocess } }), w.filling), close)
  }
  const total = error ? 0 : (data?.total ?? 0)
  return (
    <Dialog title={w.backfillTitle(schedule.name)} close={close}>
      <form onSubmit={submit}>
        <div className="in">
          <div className="pair">
            <label className="fld">{w.from}<input className="inp" type="datetime-local" required value={from} onChange={(event) => setFrom(event.target.value)} /></label>
            <label className="fld">{w.to}<input className="inp" type="datetime-local" required value={to} onChange={(event) => setTo(event.target.value)} /></label>
            <label className="fld">{w.parallel}<input className="inp" type="number" min={1} max={1000} required value={parallel} onChange={(event) => setParallel(event.target.value)} /></label>
            <label className="fld">{w.order}<select className="inp" value={order} onChange={(event) => setOrder(event.target.value as typeof order)}>{Object.entries(w.orders).map(([key, name]) => <option key={key} value={key}>{name}</option>)}</select></label>
          </div>
          <label className="fld">{w.reprocess}<select className="inp" value={reprocess} onChange={(event) => setReprocess(event.target.value as typeof reprocess)}>{Object.entries(w.reprocesses).map(([key, name]) => <option key={key} value={key}>{name}</option>)}</select></label>
          <div className="foreseen" role="status">
            {error ? <p className="failed word">{error.message}</p> : data && start !== null && end !== null ? (
              data.total === 0 ? w.emptyPeriod : <><b className="b">{w.wouldBe(data.total, data.exact)}</b>{data.first !== null && data.last !== null && <p className="tiny dim">{w.firstLast(absolute(data.first).replace(/\.\d+/, ''), absolute(data.last).replace(/\.\d+/, ''))}</p>}</>
            ) : w.choosePeriod}
          </div>
        </div>
        <footer>
          <button type="button" className="btn" onClick={close}>{words.run.back}</button>
          <button className="btn primary" disabled={busy || total === 0 || start === null || end === null}>{w.fill(total)}</button>
        </footer>
      </form>
    </Dialog>
  )
}
