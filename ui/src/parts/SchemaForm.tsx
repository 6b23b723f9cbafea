// A form made from JSON Schema: label above, hint below, errors at the field; or the same value as JSON.
import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core'
import '@mantine/core/styles/default-css-variables.css'
import '@mantine/core/styles/Input.css'
import '@mantine/core/styles/InlineInput.css'
import '@mantine/core/styles/Checkbox.css'
import { useEffect, useId, useRef, useState, type RefObject } from 'react'
import { numberOf, parsed } from '../api/exact'
import { words } from '../words'
import { Icon } from './Icon'
import './form.css'
import { beginning, beginningOf, field, humane, NotJson, resolved, type Errors, type Schema } from './schema'

const w = words.form

interface Props {
  /** What a value is called that is no object with fields of its own. */
  name?: string
  schema: Schema
  value: unknown
  change: (value: unknown) => void
  errors: Errors
}

export function SchemaForm({ name = '', schema, value, change, errors }: Props) {
  const [json, setJson] = useState<string | null>(null)
  const wrong = value instanceof NotJson
  const defs = schema.$defs ?? {}
  const type = (text: string) => {
    setJson(text)
    change(fromJson(text))
  }
  return (
    <div className="sform">
      <button type="button" className="plain link small asjson" disabled={json !== null && wrong} onClick={() => setJson(json === null ? JSON.stringify(value ?? null, null, 2) : null)}>
        {json === null ? w.asJson : w.asForm}
      </button>
      {json === null ? (
        <One name={name} schema={schema} defs={defs} value={value} change={change} errors={errors} path="" required top />
      ) : (
        <Textarea aria-label="JSON" autosize={false} rows={12} value={json} error={wrong ? w.notJson : undefined} onChange={(event) => type(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} />
      )}
    </div>
  )
}

function fromJson(text: string): unknown {
  try {
    return parsed(text)
  } catch {
    return new NotJson(text)
  }
}

interface OneProps {
  name: string
  schema: Schema
  defs: Record<string, Schema>
  value: unknown
  change: (value: unknown) => void
  errors: Errors
  path: string
  required: boolean
  top?: boolean
}

function One(props: OneProps) {
  const { name, defs, value, change, errors, path } = props
  const { schema, optional } = resolved(props.schema, defs)
  const kind = field(name, schema)
  const must = props.required && !optional
  const error = errors[path]
  const label = humane(name)
  // Nothing at all would be the default, which need not be none.
  const empty = optional ? null : undefined
  const shared = { label, description: name !== '' ? schema.description?.split('\n')[0] : undefined, error, withAsterisk: must, inputWrapperOrder: ['label', 'input', 'description', 'error'] as ('label' | 'input' | 'description' | 'error')[] }
  switch (kind.kind) {
    case 'object':
      return <Members {...props} schema={schema} fields={kind.fields} optional={optional} />
    case 'choice':
      return <Choice label={label} options={optional ? withNone(kind.options) : kind.options} value={value} change={change} error={error} required={must} />
    case 'boolean':
      // Without a default it is a question: nobody says no by not looking at it. Nor is none a no.
      if (optional || (must && !('default' in schema))) return <Choice label={label} options={optional ? withNone([true, false]) : [true, false]} value={value} change={change} error={error} required={must} />
      return <Checkbox className="sfield" label={label} checked={value === true} onChange={(event) => change(event.currentTarget.checked)} />
    case 'number':
      return <NumberField {...shared} value={value} empty={empty} change={change} />
    case 'text':
      return kind.long
        ? <Textarea className="sfield" {...shared} rows={3} value={String(value ?? '')} onChange={(event) => change(event.currentTarget.value === '' && optional ? null : event.currentTarget.value)} />
        : <TextInput className={`sfield ${kind.decimal ? 'short' : ''}`} {...shared} type={kind.input} inputMode={kind.decimal ? 'decimal' : undefined} value={String(value ?? '')} onChange={(event) => change(event.currentTarget.value === '' && optional ? null : event.currentTarget.value)} />
    case 'list':
      return <List {...props} items={kind.items} label={label} optional={optional} />
    case 'json':
      return <JsonField {...shared} description={shared.description ?? w.jsonHint} value={value} empty={empty} change={change} />
  }
}

/** One that may be absent is there only once it is wanted: so is one inside another of its kind, which would never end. */
function Members({ name, schema, defs, value, change, errors, path, required, top, fields, optional }: OneProps & { fields: [string, Schema, boolean][]; optional: boolean }) {
  const group = useRef<HTMLFieldSetElement>(null)
  const follow = useFocusAfter(group)
  const of = (value ?? {}) as Record<string, unknown>
  const inside = () => fields.map(([key, each, required]) => (
    <One key={key} name={key} schema={each} defs={defs} value={of[key]} errors={errors} path={`${path}/${key}`} required={required}
      change={(next) => change(next === undefined ? without(of, key) : { ...of, [key]: next })} />
  ))
  const may = optional || !(required || 'default' in schema)
  if (top && !may) return <>{inside()}</>
  const there = !may || (value !== null && value !== undefined)
  const label = humane(name)
  return (
    <fieldset className="sgroup" ref={group}>
      <legend>{label}{schema.title && schema.title !== label && <span className="faint"> {schema.title}</span>}{!there && <span className="faint"> {optional ? w.none : w.standard}</span>}</legend>
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

function Choice({ label, options, value, change, error, required }: { label: string; options: unknown[]; value: unknown; change: (value: unknown) => void; error: string | undefined; required: boolean }) {
  const id = useId()
  if (options.length > 4) {
    const some = options.filter((each) => each !== null)
    const none = some.length < options.length ? null : undefined
    return <NativeSelect className="sfield" label={label} error={error} withAsterisk={required} value={String(value ?? '')} onChange={(event) => change(some.find((each) => String(each) === event.currentTarget.value) ?? none)} data={['', ...some.map(String)]} />
  }
  return (
    <fieldset className="sfield choice">
      <legend>{label} {required && <span className="faint">{w.required}</span>}</legend>
      <div className="opts" style={{ gridTemplateColumns: `repeat(${options.length}, minmax(0, 1fr))` }}>
        {options.map((each, i) => (
          <label key={String(each)} className={`opt ${value === each ? 'on' : ''}`}>
            <input type="radio" name={id} checked={value === each} onChange={() => change(each)} data-choice={i + 1} />
            <span className="cut">{each === true ? w.yes : each === false ? w.no : each === null ? humane(w.none) : humane(String(each))}</span>
            <kbd aria-hidden="true">{i + 1}</kbd>
          </label>
        ))}
      </div>
      {error && <p className="serr">{error}</p>}
    </fieldset>
  )
}

type Shared = { label: string; description: string | undefined; error: string | undefined; withAsterisk: boolean }

function NumberField({ value, empty, change, ...shared }: Shared & { value: unknown; empty: null | undefined; change: (value: unknown) => void }) {
  const [text, setText] = useState(value === undefined || value === null ? '' : String(value))
  const type = (next: string) => {
    setText(next)
    const number = numberOf(next)
    change(next.trim() === '' ? empty : Number.isNaN(number) ? next : number)
  }
  return <TextInput className="sfield short" {...shared} inputMode="decimal" value={text} onChange={(event) => type(event.currentTarget.value)} />
}

function JsonField({ value, empty, change, error, ...shared }: Shared & { value: unknown; empty: null | undefined; change: (value: unknown) => void }) {
  const [text, setText] = useState(value === undefined || value === null ? '' : value instanceof NotJson ? value.text : JSON.stringify(value, null, 2))
  const type = (next: string) => {
    setText(next)
    change(next.trim() === '' ? empty : fromJson(next))
  }
  return <Textarea className="sfield" {...shared} error={value instanceof NotJson ? w.notJson : error} rows={3} value={text} onChange={(event) => type(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} />
}

function List({ items, label, defs, value, change, errors, path, optional }: OneProps & { items: Schema; label: string; optional: boolean }) {
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
    <fieldset className="sgroup" ref={group}>
      <legend>{label} <span className="faint">{optional && (value === null || value === undefined) ? w.none : of.length}</span></legend>
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
