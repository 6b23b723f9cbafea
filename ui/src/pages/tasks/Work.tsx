// The work of a task: the facts first, then the form, the button docked below. What was typed is kept.
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import { isNumber, parsed } from '../../api/exact'
import { keep as keepText } from '../../api/keeping'
import { askAgain, LIVE, runQuery } from '../../api/queries'
import type { HumanTask } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { check, type Errors } from '../../parts/checking'
import { Coded } from '../../parts/Coded'
import { roughly } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Json } from '../../parts/Json'
import { beginning, humane, resolved, type Schema } from '../../parts/schema'
import { SchemaForm } from '../../parts/SchemaForm'
import { StateChip } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { say, sayError } from '../../parts/toasts'
import { words } from '../../words'
import { Hands, Taken, useName } from './claiming'
import { factsOf } from './facts'

const w = words.tasks

interface Answering {
  task: HumanTask
  /** Has it stay on screen while the answer is on its way. */
  keep: (task: HumanTask | undefined) => void
  next: (done: HumanTask) => void
  /** Opens what hands it to somebody else. */
  hand: () => void
}

export function Work({ task, keep, next, hand, back }: Answering & { back: () => void }) {
  const now = useNow()
  const may = useAllowed()('tasks:act')
  const me = useName()
  const description = useDescription(task)
  return (
    <section className="work" aria-label={task.name}>
      <div className="in">
        <div className="row">
          <button className="btn quiet narrow" onClick={back} aria-label={words.run.back}><Icon name="right" small className="flip" /></button>
          <h2 className="grow">{task.name}</h2>
          <StateChip state={task.state === 'open' ? 'waiting' : 'completed'} text={task.state === 'open' ? w.waiting(roughly(Math.max(0, now - task.opened_at))) : w.completed} />
        </div>
        {description && <p className="dim" style={{ marginTop: 2 }}><Coded text={description.replaceAll('``', '`')} /></p>}
        <Subject subject={task.subject} />
        {task.state === 'open' && !may && <p className="small dim" style={{ marginTop: 16 }}>{w.onlySeen}</p>}
        {task.state === 'open' ? may && (task.claimed_by && task.claimed_by !== me ? <Taken task={task} hand={hand} /> : <Answer task={task} keep={keep} next={next} hand={hand} />) : <div style={{ marginTop: 16 }}><h3 className="sub">{w.answer}</h3><Json value={task.outcome} /></div>}
      </div>
    </section>
  )
}

/** The form's own words, if it has any beyond its name. */
function useDescription(task: HumanTask): string {
  return useMemo(() => {
    const form = task.form as Schema | null | undefined
    if (!form) return ''
    return resolved(form, form.$defs ?? {}).schema.description?.split('\n')[0] ?? ''
  }, [task.form])
}

function Subject({ subject }: { subject: unknown }) {
  const { plain, tables, rest } = factsOf(subject)
  return (
    <>
      {plain.length > 0 && (
        <dl className="facts2">{plain.map(([name, value]) => <div key={name}><dt>{humane(name)}</dt><dd>{value}</dd></div>)}</dl>
      )}
      {tables.map(([name, rows]) => <Table key={name} name={name} rows={rows} />)}
      {rest.map(([name, value]) => (
        <div key={name} style={{ marginTop: 12 }}>
          <h3 className="sub">{humane(name)}</h3>
          {typeof value === 'string' ? <p style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{value}</p> : <Json value={value} />}
        </div>
      ))}
    </>
  )
}

/** Pixels that a column has at least; beyond what the screen has room for, the table scrolls. */
const COLUMN = 72

const numeric = (value: unknown) => isNumber(value) || (typeof value === 'string' && /^-?[\d.,]+$/.test(value))

function Table({ name, rows }: { name: string; rows: Record<string, unknown>[] }) {
  const [most, setMost] = useState(200)
  const columns = [...new Set(rows.flatMap(Object.keys))]
  const right = new Set(columns.filter((each) => rows.every((row) => row[each] == null || numeric(row[each]))))
  return (
    <div className="panel" style={{ marginTop: 12, overflow: 'auto' }}>
      <table className="lines" aria-label={humane(name)} style={{ minWidth: columns.length * COLUMN }}>
        <thead><tr>{columns.map((each) => <th key={each} className={right.has(each) ? 'num' : ''}>{humane(each)}</th>)}</tr></thead>
        <tbody>{rows.slice(0, most).map((row, i) => <tr key={i}>{columns.map((each) => <td key={each} className={right.has(each) ? 'num' : ''}>{String(row[each] ?? '')}</td>)}</tr>)}</tbody>
      </table>
      {rows.length > most && <button className="plain more link" onClick={() => setMost(most * 10)}>{words.json.more(rows.length - most)}</button>}
    </div>
  )
}

function draftKey(task: HumanTask): string {
  return `segue.draft.${task.run}.${task.task}`
}

function Answer({ task, keep, next, hand }: Answering) {
  const schema = (task.form ?? {}) as Schema
  const defs = schema.$defs ?? {}
  const [value, setValue] = useState<unknown>(() => {
    const kept = localStorage.getItem(draftKey(task))
    return kept === null ? beginning(schema, defs) : parsed(kept)
  })
  const [errors, setErrors] = useState<Errors>({})
  const [busy, begin] = useBusy()
  const form = useRef<HTMLFormElement>(null)
  const change = (changed: unknown) => {
    setValue(changed)
    keepText(draftKey(task), JSON.stringify(changed ?? null) ?? 'null')
    setErrors({})
  }
  const answer = async () => {
    keep(task)
    try {
      await ask('complete_task', { path: { task: task.task }, body: { answer: value } })
      localStorage.removeItem(draftKey(task))
      say(`${w.completed}: ${task.name}`)
      next(task)
      await askAgain(LIVE)
      return true
    } catch (error) {
      sayError(error)
      return false
    } finally {
      keep(undefined)
    }
  }
  const submit = () => {
    const found = check(schema, value, defs, true)
    setErrors(found)
    if (Object.keys(found).length > 0 || busy) return
    void begin(answer, () => undefined)
  }
  useSubmitKeys(form, submit)
  const wrong = Object.keys(errors).length
  return (
    <form ref={form} className="answer" onSubmit={(event) => { event.preventDefault(); submit() }} noValidate>
      <SchemaForm name={w.answer} schema={schema} value={value} change={change} errors={errors} />
      <div className="done">
        <button className="btn primary" style={{ height: 32, padding: '0 14px' }} disabled={busy}>{w.complete} <kbd aria-hidden="true">⌘↵</kbd></button>
        {wrong > 0 && <span className="failed word small" role="alert">{words.form.errors(wrong)}</span>}
        <span className="grow" />
        <Hands task={task} hand={hand} />
      </div>
    </form>
  )
}

/** ⌘↵ answers from anywhere in the form; number keys choose while nothing is being typed. */
function useSubmitKeys(form: React.RefObject<HTMLFormElement | null>, submit: () => void): void {
  const current = useRef(submit)
  current.current = submit
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (document.querySelector('dialog[open]')) return // it has the keys
      if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) return current.current()
      const typing = event.target instanceof HTMLElement && /^(textarea|select)$/i.test(event.target.tagName)
      const inText = event.target instanceof HTMLInputElement && event.target.type !== 'radio'
      if (typing || inText || event.metaKey || event.ctrlKey) return
      form.current?.querySelector<HTMLInputElement>(`input[data-choice="${CSS.escape(event.key)}"]`)?.click()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [form])
}

/** Where the run of a task stands, for its context. */
export function useRunOf(task: HumanTask) {
  return useQuery(runQuery(task.run))
}
