// A form made from JSON Schema: label above, hint below, errors at the field; or the same value as JSON.
import { Checkbox, Textarea, TextInput } from '@mantine/core'
import '@mantine/core/styles/default-css-variables.css'
import '@mantine/core/styles/Input.css'
import '@mantine/core/styles/InlineInput.css'
import '@mantine/core/styles/Checkbox.css'
import { useEffect, useId, useRef, useState, type RefObject } from 'react'
import { words } from '../words'
import { fitting, limits, type Errors } from './checking'
import { Choice, DateField, DurationField, fromJson, JsonField, MomentField, MONO, NumberField, Told } from './fields'
import { Icon } from './Icon'
import './form.css'
import { beginning, beginningOf, field, humane, isTag, kindOf, resolved, type Defs, type Schema } from './schema'
import { Chosen, Rows, rowsOf, Unread } from './typed'

const w = words.form
/** Items up to which a list is shown with a form for each. */
const MOST = 200

interface Props {
  /** What a value is called that is no object with fields of its own. */
  name?: string
  schema: Schema
  value: unknown
  change: (value: unknown) => void
  errors: Errors
}

export function SchemaForm({ name = '', schema, value, change, errors }: Props) {
  const form = useRef<HTMLDivElement>(null)
  const [json, setJson] = useState<string | null>(null)
  const wrong = value instanceof Unread
  const defs = schema.$defs ?? {}
  const type = (text: string) => {
    setJson(text)
    change(fromJson(text))
  }
  useEffect(() => {
    if (Object.keys(errors).length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-bad] :is(input, select, textarea, button)')?.focus()
  }, [errors])
  return (
    <div className="sform" ref={form}>
      <button type="button" className="plain link small asjson" disabled={json !== null && wrong} onClick={() => setJson(json === null ? JSON.stringify(value ?? null, null, 2) : null)}>
        {json === null ? w.asJson : w.asForm}
      </button>
      {json === null ? (
        <One name={name} schema={schema} defs={defs} value={value} change={change} errors={errors} path="" required top />
      ) : (
        <Textarea className="sfield" aria-label="JSON" autosize={false} rows={12} value={json} error={wrong ? value.wanted : told(errors)} onChange={(event) => type(event.currentTarget.value)} styles={MONO} />
      )}
    </div>
  )
}

/** What is wrong with a text of JSON that stands at a path, and where in it. */
function told(errors: Errors, at = ''): string | undefined {
  return Object.entries(errors).flatMap(([path, text]) => (path === at ? [text] : path.startsWith(`${at}/`) ? [`${path.slice(at.length)}: ${text}`] : [])).join('; ') || undefined
}

interface OneProps {
  name: string
  /** What it is called, where that is not its name. */
  label?: string
  schema: Schema
  defs: Defs
  value: unknown
  change: (value: unknown) => void
  errors: Errors
  path: string
  required: boolean
  top?: boolean
  /** One of several: what tells it from the others is not asked for. */
  one?: boolean
}

interface Said {
  /** What is said of it below its name. */
  description: string | undefined
  /** It may be none. */
  optional: boolean
}

function One(props: OneProps) {
  const { name, defs, value, change, errors, path } = props
  const { schema, optional } = resolved(props.schema, defs)
  const [large] = useState(() => value !== null && typeof value === 'object' && Object.keys(value).length > MOST)
  const kind = field(name, schema)
  // What has a default is never missing, wherever it stands.
  const must = props.required && !optional && !('default' in schema)
  const error = errors[path]
  const label = props.label ?? humane(name)
  // Nothing at all would be the default, which need not be none.
  const empty = optional ? null : undefined
  const wanted = limits(schema)
  const about = name !== '' ? schema.description?.split('\n')[0] : undefined
  const description = [about, wanted === error ? undefined : wanted].filter(Boolean).join(' · ') || undefined
  const placeholder = schema.examples?.[0] === undefined ? undefined : String(schema.examples[0])
  const shared = { label, description, error, withAsterisk: must, placeholder, inputWrapperOrder: ['label', 'input', 'description', 'error'] as ('label' | 'input' | 'description' | 'error')[] }
  const single = { ...shared, value, empty, change }
  const typed = (text: string) => change(text !== '' ? text : optional ? null : props.required || 'default' in schema ? '' : undefined)
  const asJson = <JsonField {...single} error={told(errors, path)} description={description ?? w.jsonHint} />
  switch (kind.kind) {
    case 'object':
      return <Members {...props} schema={schema} fields={kind.fields} description={about} optional={optional} />
    case 'choice':
      return <Choice label={label} options={optional ? withNone(kind.options) : kind.options} description={about} value={value} change={change} error={error} required={must} />
    case 'union':
      return <Union {...props} of={kind.of} label={label} description={about} optional={optional} />
    case 'boolean':
      // Without a default it is a question: nobody says no by not looking at it. Nor is none a no.
      if (optional || must) return <Choice label={label} options={optional ? withNone([true, false]) : [true, false]} description={about} value={value} change={change} error={error} required={must} />
      return <Checkbox className="sfield" label={label} description={about} checked={value === true} onChange={(event) => change(event.currentTarget.checked)} />
    case 'number':
      return <NumberField {...single} />
    case 'moment':
      return <MomentField {...single} date={kind.date} zone={kind.zone === 'must'} />
    case 'duration':
      return <DurationField {...single} />
    case 'text':
      if (kind.input === 'date') return <DateField {...single} />
      return kind.long
        ? <Textarea className="sfield" {...shared} rows={3} value={String(value ?? '')} onChange={(event) => typed(event.currentTarget.value)} />
        : <TextInput className={`sfield ${kind.decimal ? 'short' : ''}`} {...shared} type={kind.input} inputMode={kind.decimal ? 'decimal' : undefined} value={String(value ?? '')} onChange={(event) => typed(event.currentTarget.value)} />
    case 'list':
      return large ? asJson : <List {...props} items={kind.items} label={label} description={description} optional={optional} />
    case 'places':
      return <Places {...props} items={kind.items} label={label} description={about} optional={optional} />
    case 'entries':
      return large ? asJson : <Entries {...props} names={kind.names} items={kind.items} label={label} description={description} optional={optional} />
    case 'json':
      return asJson
  }
}

/** What it is first, then the form of that. What was typed in one of them is kept while another is looked at. */
function Union({ name, label, description, of, defs, value, change, errors, path, required, optional }: OneProps & Said & { of: Schema[]; label: string }) {
  const kept = useRef(new Map<number, unknown>())
  const at = value instanceof Chosen ? value.at : value === null || value === undefined ? -1 : fitting(of, value, defs)
  const within = value instanceof Chosen ? value.value : value
  const chosen = of[at]
  const choose = (next: number | null) => {
    kept.current.set(at, within)
    change(next === null ? null : new Chosen(next, kept.current.has(next) ? kept.current.get(next) : beginning(of[next]!, defs)))
  }
  const names = of.map((each) => kindOf(each, defs))
  const none = optional ? [null] : []
  return (
    <div className="sunion">
      <Choice label={label} description={description} options={[...of.keys(), ...none]} names={[...names, ...(optional ? [humane(w.none)] : [])]} value={chosen ? at : value === null ? null : undefined} change={(next) => choose((next ?? null) as number | null)} error={chosen ? undefined : errors[path]} required={required && !optional} />
      {chosen && <div className="salt"><One key={at} name={name} label={names[at]!} schema={chosen} defs={defs} value={within} change={(next) => change(new Chosen(at, next))} errors={errors} path={path} required top one /></div>}
    </div>
  )
}

/** One that may be absent is there only once it is wanted: so is one inside another of its kind, which would never end. */
function Members({ name, schema, description, defs, value, change, errors, path, required, top, one, fields, optional }: OneProps & Said & { fields: [string, Schema, boolean][] }) {
  const described = useId()
  const group = useRef<HTMLFieldSetElement>(null)
  const follow = useFocusAfter(group)
  const of = (value ?? {}) as Record<string, unknown>
  const inside = () => fields.filter(([, each, required]) => !(one && isTag(each, required))).map(([key, each, required]) => (
    <One key={key} name={key} schema={each} defs={defs} value={of[key]} errors={errors} path={`${path}/${key}`} required={required}
      change={(next) => change(next === undefined ? without(of, key) : { ...of, [key]: next })} />
  ))
  const may = optional || !(required || 'default' in schema)
  if (top && !may) return <>{inside()}</>
  const there = !may || (value !== null && value !== undefined)
  const label = humane(name)
  return (
    <fieldset className="sgroup" ref={group} aria-describedby={described}>
      <legend>{label}{schema.title && schema.title !== label && <span className="faint"> {schema.title}</span>}{!there && <span className="faint"> {optional ? w.none : w.standard}</span>}</legend>
      <Told id={described} description={description} error={undefined} />
      {there && inside()}
      {may && !there && <button type="button" className="btn" aria-label={`${w.add} ${label}`} onClick={() => { follow('first'); change(beginningOf(schema, defs)) }}><Icon name="plus" small />{w.add}</button>}
      {may && there && <button type="button" className="btn" aria-label={`${w.remove} ${label}`} onClick={() => { follow('add'); change(optional ? null : undefined) }}><Icon name="x" small />{w.remove}</button>}
    </fieldset>
  )
}

/** After what was pressed is gone, or has brought fields: to the first of these in the group (or its last item), or to its button. */
function useFocusAfter(group: RefObject<HTMLElement | null>): (where: 'first' | 'last' | 'add') => void {
  const to = useRef<'first' | 'last' | 'add' | null>(null)
  useEffect(() => {
    const items = group.current?.querySelectorAll(':scope > .sitem')
    const within = to.current === 'last' ? items?.[items.length - 1] : group.current
    const found = to.current === 'add' ? ':scope > .btn' : to.current ? 'input, select, textarea, .btn' : null
    to.current = null
    if (found) within?.querySelector<HTMLElement>(found)?.focus()
  })
  return (where) => {
    to.current = where
  }
}

function without(of: Record<string, unknown>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).filter(([each]) => each !== key))
}

function withNone(options: unknown[]): unknown[] {
  return options.includes(null) ? options : [...options, null]
}

function List({ items, label, description, defs, value, change, errors, path, optional }: OneProps & Said & { items: Schema; label: string }) {
  const described = useId()
  const group = useRef<HTMLFieldSetElement>(null)
  const follow = useFocusAfter(group)
  const of = Array.isArray(value) ? value : []
  // What was typed goes with its item when another one is taken away.
  const keys = useRef<number[]>([])
  const fresh = useRef(0)
  while (keys.current.length < of.length) keys.current.push(fresh.current++)
  const remove = (at: number) => {
    keys.current.splice(at, 1)
    follow('add')
    change(of.filter((_, i) => i !== at))
  }
  return (
    <fieldset className="sgroup" ref={group} data-bad={errors[path] !== undefined || undefined} aria-describedby={described}>
      <legend>{label} <span className="faint">{optional && (value === null || value === undefined) ? w.none : of.length}</span></legend>
      <Told id={described} description={description} error={errors[path]} />
      {of.map((each, i) => (
        <div key={keys.current[i]} className="sitem">
          <div className="grow">
            <One name={String(i + 1)} schema={items} defs={defs} value={each} errors={errors} path={`${path}/${i}`} required change={(next) => change(of.map((old, j) => (j === i ? next : old)))} top />
          </div>
          <button type="button" className="btn quiet" aria-label={`${w.remove} ${label} ${i + 1}`} onClick={() => remove(i)}><Icon name="x" small /></button>
        </div>
      ))}
      <button type="button" className="btn" aria-label={`${w.add} ${label}`} onClick={() => { follow('last'); change([...of, beginning(items, defs)]) }}><Icon name="plus" small />{w.add}</button>
      {optional && of.length === 0 && Array.isArray(value) && <button type="button" className="btn" aria-label={`${w.none} ${label}`} onClick={() => { follow('add'); change(null) }}>{humane(w.none)}</button>}
    </fieldset>
  )
}

/** A list of so many items, each of its own kind. */
function Places({ items, label, description, defs, value, change, errors, path, optional }: OneProps & Said & { items: Schema[]; label: string }) {
  const described = useId()
  const group = useRef<HTMLFieldSetElement>(null)
  const follow = useFocusAfter(group)
  const there = !optional || Array.isArray(value)
  const of = items.map((_, i) => (Array.isArray(value) ? (value as unknown[])[i] : undefined))
  return (
    <fieldset className="sgroup" ref={group} data-bad={errors[path] !== undefined || undefined} aria-describedby={described}>
      <legend>{label}{!there && <span className="faint"> {w.none}</span>}</legend>
      <Told id={described} description={description} error={errors[path]} />
      {there && items.map((each, i) => <One key={i} name={String(i + 1)} schema={each} defs={defs} value={of[i]} errors={errors} path={`${path}/${i}`} required change={(next) => change(of.map((old, j) => (j === i ? next : old)))} />)}
      {optional && !there && <button type="button" className="btn" aria-label={`${w.add} ${label}`} onClick={() => { follow('first'); change(items.map((each) => beginning(each, defs))) }}><Icon name="plus" small />{w.add}</button>}
      {optional && there && <button type="button" className="btn" aria-label={`${w.remove} ${label}`} onClick={() => { follow('add'); change(null) }}><Icon name="x" small />{w.remove}</button>}
    </fieldset>
  )
}

/** Keys with their values, a row for each. */
function Entries({ names, items, label, description, defs, value, change, errors, path, optional }: OneProps & Said & { names: Schema; items: Schema; label: string }) {
  const described = useId()
  const group = useRef<HTMLFieldSetElement>(null)
  const follow = useFocusAfter(group)
  const none = optional && (value === null || value === undefined)
  const rows = rowsOf(value)
  const keys = useRef<number[]>([])
  const fresh = useRef(0)
  while (keys.current.length < rows.length) keys.current.push(fresh.current++)
  const put = (at: number, row: [string, unknown]) => change(new Rows(rows.map((old, i) => (i === at ? row : old))))
  const remove = (at: number) => {
    keys.current.splice(at, 1)
    follow('add')
    change(new Rows(rows.filter((_, i) => i !== at)))
  }
  const wide = ['object', 'list', 'entries', 'places', 'union', 'json'].includes(field('', resolved(items, defs).schema).kind)
  return (
    <fieldset className="sgroup" ref={group} data-bad={errors[path] !== undefined || undefined} aria-describedby={described}>
      <legend>{label} <span className="faint">{none ? w.none : rows.length}</span></legend>
      <Told id={described} description={description} error={errors[path]} />
      {rows.map(([key, each], i) => (
        <div key={keys.current[i]} className="sitem">
          <div className={`grow ${wide ? '' : 'sentry'}`}>
            <One name={w.key} schema={names} defs={defs} value={key} errors={errors} path={`${path}#${i}`} required change={(next) => put(i, [typeof next === 'string' ? next : '', each])} />
            <One name={w.value} schema={items} defs={defs} value={each} errors={errors} path={`${path}/${i}`} required change={(next) => put(i, [key, next])} />
          </div>
          <button type="button" className="btn quiet" aria-label={`${w.remove} ${label} ${key || i + 1}`} onClick={() => remove(i)}><Icon name="x" small /></button>
        </div>
      ))}
      <button type="button" className="btn" aria-label={`${w.add} ${label}`} onClick={() => { follow('last'); change(new Rows([...rows, ['', beginning(items, defs)]])) }}><Icon name="plus" small />{w.add}</button>
      {optional && rows.length === 0 && !none && <button type="button" className="btn" aria-label={`${w.none} ${label}`} onClick={() => { follow('add'); change(null) }}>{humane(w.none)}</button>}
    </fieldset>
  )
}
