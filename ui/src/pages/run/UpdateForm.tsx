// Sends a run an update, and waits for its answer. Sent again without a change, it is the same update.
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ask, Refusal, serverNow } from '../../api/client'
import { askAgain, LIVE, updatesQuery } from '../../api/queries'
import type { HandlerView, RunView } from '../../api/schema'
import { copy } from '../../parts/copying'
import { Dialog, FIELD } from '../../parts/Dialog'
import { duration } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Json } from '../../parts/Json'
import { Span } from '../../parts/Time'
import { say, sayError } from '../../parts/toasts'
import { words } from '../../words'
import { byKeys, Fields, Footer, Refused, useQuestion } from './question'

const w = words.update
/** Milliseconds after which it is said that there is no answer yet. */
const SOON = 1500

export default function UpdateForm({ run, close }: { run: RunView; close: () => void }) {
  // Where its code is not known, or does not replay, an update can still be sent: by name, as JSON.
  const { data, error } = useQuery(updatesQuery(run.run))
  return (
    <Dialog title={w.title(run.id)} close={close}>
      {!data && !error && <p className="in dim">{words.faces.loading} …</p>}
      {(data || error) && <Form run={run} taken={data ?? []} unknown={error} close={close} />}
    </Dialog>
  )
}

type Sent = { at: number; name: string; id: string }
type State = { is: 'open' } | { is: 'sent'; sent: Sent } | { is: 'answered'; sent: Sent; until: number; value: unknown } | { is: 'refused'; error: unknown; open: boolean }

/** Whether it may have been taken all the same, or will be once the run goes on: then it is asked for again by its id. */
function uncertain(error: unknown): boolean {
  return error instanceof Refusal && (error.problem.status === 0 || error.problem.status >= 500 || error.problem.type === 'segue:incident')
}

function newId(): string {
  // Not by `randomUUID`, which is not there on a page that came without TLS.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, '0')).join('')
}

function Form({ run, taken, unknown, close }: { run: RunView; taken: HandlerView[]; unknown: Error | null; close: () => void }) {
  const [state, setState] = useState<State>({ is: 'open' })
  const id = useRef<string | null>(null)
  const busy = useRef(false)
  const shown = useShown()
  const question = useQuestion(taken, () => {
    id.current = null
    setState({ is: 'open' })
  })
  const send = async () => {
    if (busy.current || !question.fits()) return
    busy.current = true
    from.current = document.activeElement
    id.current ??= newId()
    const sent = { at: serverNow(), name: question.name, id: id.current }
    setState({ is: 'sent', sent })
    try {
      const { value } = await ask('update_run', { path: { run: run.run }, body: { ...question.body(), id: sent.id } })
      id.current = null
      setState({ is: 'answered', sent, until: serverNow(), value })
      if (!shown.current) say(w.answeredLater(sent.name))
    } catch (error) {
      if (!uncertain(error)) id.current = null
      setState({ is: 'refused', error, open: uncertain(error) })
      if (!shown.current) sayError(error)
    } finally {
      busy.current = false
      void askAgain(LIVE)
    }
  }
  // Meanwhile the keys are on the button, for nothing is typed while it is sent; then where they were.
  const button = useRef<HTMLButtonElement>(null)
  const from = useRef<Element>(null)
  const form = useRef<HTMLFormElement>(null)
  const another = useRef(false)
  useEffect(() => {
    if (state.is === 'sent') button.current?.focus({ preventScroll: true })
    if (state.is === 'open' && another.current) form.current?.querySelector<HTMLElement>(FIELD)?.focus()
    another.current = state.is === 'answered'
    if (state.is === 'refused' && from.current instanceof HTMLElement) from.current.focus({ preventScroll: true })
  }, [state])
  if (state.is === 'answered') return <Answered state={state} again={() => setState({ is: 'open' })} close={close} />
  const waiting = state.is === 'sent'
  return (
    <form ref={form} {...byKeys(() => void send())}>
      <div className="in">
        {unknown && <p className="small dim noform">{w.unknown(unknown.message)}</p>}
        {!unknown && taken.length === 0 && <p className="small dim noform">{w.none}</p>}
        <fieldset className="plain" disabled={waiting}><Fields question={question} which={w.which} more /></fieldset>
        {state.is === 'sent' && <UnderWay key={state.sent.at} sent={state.sent} />}
        {state.is === 'refused' && <Refused error={state.error}>{state.open && <p>{w.uncertain}</p>}</Refused>}
      </div>
      <Footer question={question} close={close} leave={waiting ? words.frame.close : words.run.back} label={state.is === 'refused' && state.open ? w.again : words.run.send} busy={waiting} send={button} />
    </form>
  )
}

/** Whether the dialog is still there. */
function useShown() {
  const shown = useRef(true)
  useEffect(() => {
    shown.current = true
    return () => void (shown.current = false)
  }, [])
  return shown
}

/** What takes long goes on by itself, and says so. */
function UnderWay({ sent }: { sent: Sent }) {
  const [long, setLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), SOON)
    return () => clearTimeout(timer)
  }, [])
  if (!long) return null
  return (
    <div className="foreseen underway" role="status">
      <p className="row"><Icon name="running" small className="st running" /><b className="b grow">{w.underWay}</b><span className="num dim"><Span from={sent.at} /></span></p>
      <p className="dim">{w.underWayWhat}</p>
      <p className="row dim">{w.id} <span className="mono cut">{sent.id}</span><button type="button" className="btn quiet" aria-label={w.copyId} onClick={() => copy(sent.id)}><Icon name="copy" small /></button></p>
    </div>
  )
}

function Answered({ state, again, close }: { state: State & { is: 'answered' }; again: () => void; close: () => void }) {
  const { sent, until, value } = state
  const done = useRef<HTMLButtonElement>(null)
  useEffect(() => done.current?.focus(), [])
  return (
    <>
      <div className="in answered" role="status">
        <p className="row"><Icon name="completed" small className="st completed" /><span className="grow cut"><b className="b mono">{sent.name}</b> {w.answered(duration(Math.max(0, until - sent.at)))}</span>{value !== null && <Copy value={value} />}</p>
        {value === null ? <p className="dim small">{w.nothing}</p> : <Json value={value} />}
      </div>
      <footer>
        <button className="btn" onClick={again}>{w.another}</button>
        <button ref={done} className="btn primary" onClick={close}>{words.frame.close}</button>
      </footer>
    </>
  )
}

export function Copy({ value }: { value: unknown }) {
  return <button type="button" className="btn quiet" aria-label={w.copyAnswer} onClick={() => copy(JSON.stringify(value, null, 2))}><Icon name="copy" small /></button>
}
