// Acting on a run. Each action says what it will do before it does it.
import { useState } from 'react'
import { ask } from '../../api/client'
import type { IncidentView, RunPicture } from '../../api/schema'
import { Confirm, done } from '../../parts/Confirm'
import { Dialog } from '../../parts/Dialog'
import { useKeys } from '../../parts/keys'
import { words } from '../../words'

const w = words.run

export function openIncidents(picture: RunPicture): IncidentView[] {
  return picture.incidents.filter((each) => each.resolved_at == null)
}

export function nameOf(picture: RunPicture, incident: IncidentView): string {
  return picture.calls.find((each) => each.key === incident.key)?.name ?? picture.run.workflow
}

export function RetryButtons({ picture }: { picture: RunPicture }) {
  const [asking, setAsking] = useState<string | null | undefined>(undefined)
  const incidents = openIncidents(picture)
  const first = incidents[0]
  const all = incidents.length > 1
  const start = () => setAsking(all ? null : (first?.key ?? null))
  useKeys({ 'shift+r': () => (first ? start() : undefined) })
  if (!first) return null
  const names = all ? incidents.map((each) => nameOf(picture, each)).join(', ') : nameOf(picture, first)
  return (
    <>
      <button className="btn act" onClick={start}>
        {all ? w.retryAll(incidents.length) : w.retry(names)} <kbd aria-hidden="true">⇧R</kbd>
      </button>
      {asking !== undefined && (
        <Confirm
          title={w.retryTitle(picture.run.id)}
          what={w.retryWhat(names)}
          label={w.retryDo}
          tone="act"
          close={() => setAsking(undefined)}
          act={() => done(ask('retry_run', { path: { run: picture.run.run }, body: { key: asking } }), w.retried)}
        />
      )}
    </>
  )
}

export function RunButtons({ picture }: { picture: RunPicture }) {
  const [open, setOpen] = useState<'cancel' | 'terminate' | 'signal' | 'pause' | null>(null)
  const { run } = picture
  if (run.closed_at !== null) return null
  const close = () => setOpen(null)
  const path = { run: run.run }
  return (
    <div className="row acts">
      <button className="btn" onClick={() => setOpen('signal')}>{w.signal}</button>
      {run.state === 'paused'
        ? <button className="btn primary" onClick={() => void done(ask('resume_run', { path, body: {} }), w.resumed)}>{w.resume}</button>
        : <button className="btn" onClick={() => setOpen('pause')}>{w.pause}</button>}
      <button className="btn" onClick={() => setOpen('cancel')}>{w.cancel}</button>
      <button className="btn danger" onClick={() => setOpen('terminate')}>{w.terminate}</button>
      {open === 'pause' && <Confirm title={w.pauseTitle(run.id)} what={w.pauseWhat} label={w.pauseDo} tone="primary" close={close} reason act={(reason) => done(ask('pause_run', { path, body: { reason } }), w.pauseAsked)} />}
      {open === 'cancel' && <Confirm title={w.cancelTitle(run.id)} what={w.cancelWhat} label={w.cancelDo} tone="primary" close={close} reason act={(reason) => done(ask('cancel_run', { path, body: { reason } }), w.cancelled)} />}
      {open === 'terminate' && <Confirm title={w.terminateTitle(run.id)} what={w.terminateWhat} label={w.terminateDo} tone="act" close={close} reason act={(reason) => done(ask('terminate_run', { path, body: { reason } }), w.terminated)} />}
      {open === 'signal' && <SignalForm picture={picture} close={close} />}
    </div>
  )
}

function SignalForm({ picture, close }: { picture: RunPicture; close: () => void }) {
  const awaited = picture.waits.filter((each) => each.kind === 'signal' && each.name).map((each) => each.name!)
  const [name, setName] = useState(awaited[0] ?? '')
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState('')
  const submit = async (event: React.FormEvent) => {
    event.preventDefault()
    let value: unknown = null
    try {
      value = text.trim() === '' ? null : (JSON.parse(text) as unknown)
    } catch {
      return setWrong(w.notJson)
    }
    if (await done(ask('signal_run', { path: { run: picture.run.run }, body: { name, value } }), w.signalled)) close()
  }
  return (
    <Dialog title={w.signalTitle(picture.run.id)} close={close}>
      <form onSubmit={(event) => void submit(event)}>
        <div className="in">
          <label className="fld">
            {w.signalName}
            <input className="inp mono" required list="signals" autoFocus value={name} onChange={(event) => setName(event.target.value)} />
            <datalist id="signals">{awaited.map((each) => <option key={each}>{each}</option>)}</datalist>
          </label>
          <label className="fld">
            {w.signalValue} <span className="faint">{w.signalHint}</span>
            <textarea className="inp mono" rows={4} value={text} aria-invalid={wrong !== ''} onChange={(event) => { setText(event.target.value); setWrong('') }} />
          </label>
          {wrong && <p className="failed word small" role="alert">{wrong}</p>}
        </div>
        <footer>
          <button type="button" className="btn" onClick={close}>{w.back}</button>
          <button className="btn primary">{w.send}</button>
        </footer>
      </form>
    </Dialog>
  )
}
