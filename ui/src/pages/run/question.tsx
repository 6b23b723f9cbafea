// An update or a query of a run: which one, and its arguments by a form made from their types.
import { useState } from 'react'
import { Refusal } from '../../api/client'
import type { HandlerView } from '../../api/schema'
import { check, type Errors } from '../../parts/checking'
import { beginning, type Schema } from '../../parts/schema'
import { SchemaForm } from '../../parts/SchemaForm'
import { words } from '../../words'
import { inOrder } from '../workflows/arguments'

const w = words.question
/** Stands for a name that the run does not answer, as far as is known here. */
const OTHER = ''
/** Of that one nothing is known: any arguments, as JSON. */
const ANY: HandlerView = { name: OTHER, parameters: ['*arguments'], form: { type: 'object', properties: { '*arguments': { title: w.arguments, type: 'array', items: {} } } }, summary: '' }

export interface Question {
  taken: HandlerView[]
  of: HandlerView
  other: boolean
  name: string
  /** The name of another one, as it is typed. */
  named: string
  value: unknown
  errors: Errors
  choose: (name: string) => void
  rename: (name: string) => void
  change: (value: unknown) => void
  /** Whether what is typed can be sent; if not, it is told at the fields. */
  fits: () => boolean
  /** As it is sent. */
  body: () => { name: string; arguments: unknown[] }
}

/** `changed`: it is another question from now on. What the run takes may change meanwhile: the form stays as it was opened. */
export function useQuestion(given: HandlerView[], changed: () => void): Question {
  const [taken] = useState(given)
  const [of, setOf] = useState(taken[0] ?? ANY)
  const [named, setNamed] = useState('')
  const [value, setValue] = useState<unknown>(() => begin(of))
  const [errors, setErrors] = useState<Errors>({})
  const other = of.name === OTHER
  const name = other ? named.trim() : of.name
  const put = (next: unknown) => {
    setValue(next)
    setErrors({})
    changed()
  }
  return {
    taken, of, other, name, named, value, errors, change: put,
    choose: (chosen) => {
      const next = taken.find((each) => each.name === chosen) ?? ANY
      setOf(next)
      put(begin(next))
    },
    rename: (text) => {
      setNamed(text)
      changed()
    },
    fits: () => {
      const schema = of.form as Schema
      const found = check(schema, value, schema.$defs ?? {}, true)
      setErrors(found)
      return name !== '' && Object.keys(found).length === 0
    },
    body: () => ({ name, arguments: inOrder(of, value) }),
  }
}

function begin(of: HandlerView): unknown {
  const schema = of.form as Schema
  return beginning(schema, schema.$defs ?? {})
}

/** `which`: what one of them is called. `more`: whether one can be asked for that is not in the list. */
export function Fields({ question, which, more }: { question: Question; which: string; more: boolean }) {
  const { taken, of, other } = question
  return (
    <>
      {taken.length > 0 && (
        <label className="fld first">{which}
          <select className="inp mono" value={of.name} onChange={(event) => question.choose(event.target.value)}>
            {taken.map((each) => <option key={each.name} value={each.name}>{each.name}</option>)}
            {more && <option value={OTHER}>{w.other}</option>}
          </select>
        </label>
      )}
      {of.summary && <p className="small dim about">{of.summary}</p>}
      {other && <label className="fld">{w.name}<input className="inp mono" required value={question.named} onChange={(event) => question.rename(event.target.value)} /></label>}
      {of.parameters.length > 0 && <div className="asked"><SchemaForm key={of.name} schema={of.form as Schema} value={question.value} change={question.change} errors={question.errors} /></div>}
    </>
  )
}

/** Why there is no answer, in the server's own words. */
export function Refused({ error, children }: { error: unknown; children?: React.ReactNode }) {
  const problem = error instanceof Refusal && !error.loggedOut ? error.problem : null
  return (
    <div className="refused" role="alert" ref={(box) => box?.scrollIntoView({ block: 'nearest' })}>
      <p><b className="b">{problem?.title ?? words.faces.failed}</b></p>
      <p className="err" tabIndex={0}>{problem?.detail ?? (error instanceof Refusal ? words.session.notDone : String(error))}</p>
      {children}
    </div>
  )
}

/** The footer says what the form lacks, and lets the keys stay on the button that was pressed. */
export function Footer({ question, close, leave, label, busy, send }: { question: Question; close: () => void; leave: string; label: string; busy: boolean; send?: React.Ref<HTMLButtonElement> }) {
  const wrong = Object.keys(question.errors).length
  return (
    <footer>
      {wrong > 0 && <span className="failed word small grow" role="alert">{words.form.errors(wrong)}</span>}
      <button type="button" className="btn" onClick={close}>{leave}</button>
      <button ref={send} className="btn primary" aria-disabled={busy || undefined} disabled={question.name === ''}>{label} <kbd aria-hidden="true">⌘↵</kbd></button>
    </footer>
  )
}

/** Submits by the keys as well. */
export function byKeys(submit: () => void): { onSubmit: (event: React.FormEvent) => void; onKeyDown: (event: React.KeyboardEvent) => void; noValidate: true } {
  return {
    noValidate: true,
    onSubmit: (event) => {
      event.preventDefault()
      submit()
    },
    onKeyDown: (event) => {
      if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey)) return
      event.preventDefault()
      submit()
    },
  }
}
