// Sends a run a signal: of those that it takes, with a form made from the type; or any other, as JSON.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import { signalsQuery } from '../../api/queries'
import type { RunView, SignalView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { check, type Errors } from '../../parts/checking'
import { done } from '../../parts/Confirm'
import { Dialog } from '../../parts/Dialog'
import { beginning, type Schema } from '../../parts/schema'
import { SchemaForm } from '../../parts/SchemaForm'
import { words } from '../../words'

const w = words.signal
/** Stands for a name that the run does not take by itself. */
const OTHER = ''

export default function SignalForm({ run, close }: { run: RunView; close: () => void }) {
  // Where its code is not known, or does not replay, a signal can still be sent: by name, as JSON.
  const { data, error } = useQuery(signalsQuery(run.run))
  return (
    <Dialog title={words.run.signalTitle(run.id)} close={close}>
      {!data && !error && <p className="in dim">{words.faces.loading} …</p>}
      {(data || error) && <Form run={run} taken={data ?? []} close={close} />}
    </Dialog>
  )
}

/** A field of its own around the value, so that it has a label whatever it is. */
function around(form: Record<string, unknown>): Schema {
  const { $defs, ...value } = form as Schema
  return { type: 'object', properties: { value }, required: ['value'], ...($defs ? { $defs } : {}) }
}

function Form({ run, taken: given, close }: { run: RunView; taken: SignalView[]; close: () => void }) {
  // What the run takes may change meanwhile: the form stays as it was opened.
  const [taken] = useState(given)
  const [chosen, setChosen] = useState(taken[0]?.name ?? OTHER)
  const of = taken.find((each) => each.name === chosen)
  const schema = around(of?.form ?? {})
  const defs = schema.$defs ?? {}
  const empty = of?.form['type'] === 'null'
  const [name, setName] = useState('')
  const [value, setValue] = useState<unknown>(() => beginning(schema, defs))
  const [errors, setErrors] = useState<Errors>({})
  const [busy, begin] = useBusy()
  const choose = (next: string) => {
    const form = around(taken.find((each) => each.name === next)?.form ?? {})
    setChosen(next)
    setValue(beginning(form, form.$defs ?? {}))
    setErrors({})
  }
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    if (busy) return // the keys press no button
    const open = Object.keys(of?.form ?? {}).length === 0
    const found = empty || open ? {} : check(schema, value, defs, true)
    setErrors(found)
    if (Object.keys(found).length > 0) return
    const body = { name: chosen === OTHER ? name : chosen, value: empty ? null : ((value as { value?: unknown } | undefined)?.value ?? null) }
    void begin(() => done(ask('signal_run', { path: { run: run.run }, body }), words.run.signalled), close)
  }
  const wrong = Object.keys(errors).length
  return (
    <form onSubmit={submit} noValidate onKeyDown={(event) => event.key === 'Enter' && (event.metaKey || event.ctrlKey) && submit(event)}>
      <div className="in">
        {taken.length > 0 && (
          <label className="fld" style={{ marginTop: 0 }}>{w.which}
            <select className="inp mono" value={chosen} onChange={(event) => choose(event.target.value)}>
              {taken.map((each) => <option key={each.name} value={each.name}>{each.awaited ? w.awaited(each.name) : each.name}</option>)}
              <option value={OTHER}>{w.other}</option>
            </select>
          </label>
        )}
        {chosen === OTHER && <label className="fld">{words.run.signalName}<input className="inp mono" required value={name} onChange={(event) => setName(event.target.value)} /></label>}
        {empty ? <p className="small dim" style={{ marginTop: 12 }}>{w.nothing}</p> : <div className="signalvalue"><SchemaForm key={chosen} schema={schema} value={value} change={(next) => { setValue(next); setErrors({}) }} errors={errors} /></div>}
      </div>
      <footer>
        {wrong > 0 && <span className="failed word small grow" role="alert">{words.form.errors(wrong)}</span>}
        <button type="button" className="btn" onClick={close}>{words.run.back}</button>
        <button className="btn primary" disabled={busy || (chosen === OTHER && name.trim() === '')}>{words.run.send} <kbd aria-hidden="true">⌘↵</kbd></button>
      </footer>
    </form>
  )
}
