// Acting on a run. Each action says what it will do before it does it.
import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import { valueQuery } from '../../api/queries'
import type { RunPicture } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Confirm, done } from '../../parts/Confirm'
import { useKeys } from '../../parts/keys'
import { sayError } from '../../parts/toasts'
import { useFrame } from '../../frame/opening'
import { words } from '../../words'
import { alikeIncidents, openIncidents } from './alike'

const SignalForm = lazy(() => import('./SignalForm'))
const UpdateForm = lazy(() => import('./UpdateForm'))
const QueryForm = lazy(() => import('./QueryForm'))
const w = words.run

/** Names that are listed before something is done to calls of theirs. */
const NAMED = 6

/** What goes on: the name of the only one, or each name with how many there are of it. */
function namesOf(picture: RunPicture): string {
  const counts = new Map<string, number>()
  for (const { name, incidents } of alikeIncidents(picture)) counts.set(name, (counts.get(name) ?? 0) + incidents.length)
  const named = [...counts].map(([name, n]) => (n > 1 ? w.group(name, n) : name))
  return [...named.slice(0, NAMED), ...(named.length > NAMED ? [words.json.more(named.length - NAMED)] : [])].join(', ')
}

export function RetryButtons({ picture }: { picture: RunPicture }) {
  // With what it was opened for: another incident may open meanwhile. Without a key, all that are open then are meant.
  const [asking, setAsking] = useState<{ key: string | null; name: string }>()
  const incidents = openIncidents(picture)
  const first = incidents[0]
  const may = useAllowed()('runs:act')
  const all = incidents.length > 1
  const names = useMemo(() => namesOf(picture), [picture])
  const start = () => first && setAsking({ key: all ? null : (first.key ?? null), name: names })
  useKeys({ 'shift+r': () => (first && may ? start() : undefined) })
  if (!first || !may) return null
  return (
    <>
      <button className="btn act" onClick={start}>
        {all ? w.retryAll(incidents.length) : w.retry(names)} <kbd aria-hidden="true">⇧R</kbd>
      </button>
      {asking && (
        <Confirm
          title={w.retryTitle(picture.run.id)}
          what={asking.key === null ? w.retryWhat(names, incidents.length) : w.retryWhat(asking.name, 1)}
          label={w.retryDo}
          tone="act"
          close={() => setAsking(undefined)}
          act={() => done(ask('retry_run', { path: { run: picture.run.run }, body: { key: asking.key } }), w.retried)}
        />
      )}
    </>
  )
}

/** Of a run that has ended: the form that starts another one, with what this one was started with. */
export function StartAgain({ picture }: { picture: RunPicture }) {
  const { open } = useFrame()
  const may = useAllowed()('runs:start')
  const client = useQueryClient()
  const [busy, begin] = useBusy()
  const { run, input } = picture
  const apart = input?.cut === true && input.seq != null
  if (run.closed_at === null || !may || (input?.value === undefined && !apart)) return null
  const start = async () => {
    try {
      const whole = apart ? await client.fetchQuery(valueQuery(run.run, input.seq!, input.field ?? '')) : input!
      open('start', run.workflow, whole.value)
      return true
    } catch (error) {
      sayError(error)
      return false
    }
  }
  return <button className="btn" disabled={busy} onClick={() => void begin(start)}>{w.startAgain}</button>
}

export function RunButtons({ picture }: { picture: RunPicture }) {
  const [open, setOpen] = useState<'cancel' | 'terminate' | 'signal' | 'update' | 'query' | 'pause' | null>(null)
  const { run } = picture
  const may = useAllowed()('runs:act') && run.closed_at === null
  // One that has ended answers as before; one that has gone on leads to the run that does.
  const answers = run.state !== 'continued'
  // What is being typed stays when the run ends; what was sent may be what it ends by: the answer is still to come.
  if (!may && !answers && open === null) return null
  const close = () => setOpen(null)
  const path = { run: run.run }
  return (
    <div className="row acts">
      {may && <button className="btn" onClick={() => setOpen('signal')}>{w.signal}</button>}
      {may && <button className="btn" onClick={() => setOpen('update')}>{w.update}</button>}
      {answers && <button className="btn" onClick={() => setOpen('query')}>{w.query}</button>}
      {may && (run.state === 'paused'
        ? <button className="btn primary" onClick={() => void done(ask('resume_run', { path, body: {} }), w.resumed)}>{w.resume}</button>
        : <button className="btn" onClick={() => setOpen('pause')}>{w.pause}</button>)}
      {may && <button className="btn" onClick={() => setOpen('cancel')}>{w.cancel}</button>}
      {may && <button className="btn danger" onClick={() => setOpen('terminate')}>{w.terminate}</button>}
      {open === 'pause' && <Confirm title={w.pauseTitle(run.id)} what={w.pauseWhat} label={w.pauseDo} tone="primary" close={close} reason act={(reason) => done(ask('pause_run', { path, body: { reason } }), w.pauseAsked)} />}
      {open === 'cancel' && <Confirm title={w.cancelTitle(run.id)} what={w.cancelWhat} label={w.cancelDo} tone="primary" close={close} reason act={(reason) => done(ask('cancel_run', { path, body: { reason } }), w.cancelled)} />}
      {open === 'terminate' && <Confirm title={w.terminateTitle(run.id)} what={w.terminateWhat} label={w.terminateDo} tone="act" close={close} reason act={(reason) => done(ask('terminate_run', { path, body: { reason } }), w.terminated)} />}
      {open === 'signal' && <Suspense fallback={null}><SignalForm run={run} close={close} /></Suspense>}
      {open === 'update' && <Suspense fallback={null}><UpdateForm run={run} close={close} /></Suspense>}
      {open === 'query' && <Suspense fallback={null}><QueryForm run={run} close={close} /></Suspense>}
    </div>
  )
}
