// A form made from JSON Schema: label above, hint below, errors at the field; or the same value as JSON.
import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core'
import '@mantine/core/styles/default-css-variables.css'
import '@mantine/core/styles/Input.css'
import '@mantine/core/styles/InlineInput.css'
import '@mantine/core/styles/Checkbox.css'
import { useId, useRef, useState } from 'react'
import { numberOf, parsed } from '../api/exact'
import { words } from '../words'
import { Icon } from './Icon'
import './form.css'
import { beginning, field, humane, resolved, type Errors, type Schema } from './schema'

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
  const [wrong, setWrong] = useState('')
  const defs = schema.$defs ?? {}
  const type = (text: string) => {
    setJson(text)
    try {
      change(parsed(text))
      setWrong('')
    } catch {
      setWrong(w.notJson)
    }
  }
  return (
    <div className="sform">
      <button type="button" className="plain link small asjson" onClick={() => setJson(json === null ? JSON.stringify(value ?? null, null, 2) : null)}>
        {json === null ? w.asJson : w.asForm}
      </button>
      {json === null ? (
        <One name={name} schema={schema} defs={defs} value={value} change={change} errors={errors} path="" required top />
      ) : (
        <Textarea aria-label="JSON" autosize={false} rows={12} value={json} error={wrong || undefined} onChange={(event) => type(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} />
      )}
    </div>
  )
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
  const shared = { label, description: name !== '' ? schema.description?.split('\n')[0] : undefined, error, withAsterisk: must, inputWrapperOrder: ['label', 'input', 'description', 'error'] as ('label' | 'input' | 'description' | 'error')[] }
  switch (kind.kind) {
    case 'object':
      return <Members {...props} schema={schema} fields={kind.fields} />
    case 'choice':
      return <Choice label={label} options={optional ? withNone(kind.options) : kind.options} value={value} change={change} error={error} required={must} />
    case 'boolean':
      // Without a default it is a question: nobody says no by not looking at it. Nor is none a no.
      if (optional || (must && !('default' in schema))) return <Choice label={label} options={optional ? withNone([true, false]) : [true, false]} value={value} change={change} error={error} required={must} />
      return <Checkbox className="sfield" label={label} checked={value === true} onChange={(event) => change(event.currentTarget.checked)} />
    case 'number':
      return <NumberField {...shared} value={value} change={change} />
    case 'text':
      return kind.long
        ? <Textarea className="sfield" {...shared} rows={3} value={String(value ?? '')} onChange={(event) => change(event.currentTarget.value)} />
        : <TextInput className={`sfield ${kind.decimal ? 'short' : ''}`} {...shared} type={kind.input} inputMode={kind.decimal ? 'decimal' : undefined} value={String(value ?? '')} onChange={(event) => change(event.currentTarget.value === '' && optional ? null : event.currentTarget.value)} />
    case 'list':
      return <List {...props} items={kind.items} label={label} />
    case 'json':
      return <JsonField {...shared} value={value} change={change} />
  }
}

function Members({ name, schema, defs, value, change, errors, path, top, fields }: OneProps & { fields: [string, Schema, boolean][] }) {
  const of = (value ?? {}) as Record<string, unknown>
  const inside = fields.map(([key, each, required]) => (
    <One key={key} name={key} schema={each} defs={defs} value={of[key]} errors={errors} path={`${path}/${key}`} required={required}
      change={(next) => change(next === undefined ? without(of, key) : { ...of, [key]: next })} />
  ))
  if (top) return <>{inside}</>
  return (
    <fieldset className="sgroup">
      <legend>{humane(name)}{schema.title && schema.title !== humane(name) && <span className="faint"> {schema.title}</span>}</legend>
      {inside}
    </fieldset>
  )
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

function NumberField({ value, change, ...shared }: Shared & { value: unknown; change: (value: unknown) => void }) {
  const [text, setText] = useState(value === undefined || value === null ? '' : String(value))
  const type = (next: string) => {
    setText(next)
    const number = numberOf(next)
    change(next.trim() === '' ? undefined : Number.isNaN(number) ? next : number)
  }
  return <TextInput className="sfield short" {...shared} inputMode="decimal" value={text} onChange={(event) => type(event.currentTarget.value)} />
}

function JsonField({ value, change, ...shared }: Shared & { value: unknown; change: (value: unknown) => void }) {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2))
  const [wrong, setWrong] = useState('')
  const type = (next: string) => {
    setText(next)
    try {
      change(next.trim() === '' ? undefined : parsed(next))
      setWrong('')
    } catch {
      setWrong(w.notJson)
    }
  }
  return <Textarea className="sfield" {...shared} error={wrong || shared.error} rows={3} value={text} onChange={(event) => type(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }} />
}

function List({ items, label, defs, value, change, errors, path }: OneProps & { items: Schema; label: string }) {
  const of = Array.isArray(value) ? value : []
  // What was typed goes with its item when another one is taken away.
  const keys = useRef<number[]>([])
  const fresh = useRef(0)
  while (keys.current.length < of.length) keys.current.push(fresh.current++)
  const remove = (at: number) => {
    keys.current.splice(at, 1)
    change(of.filter((_, i) => i !== at))
  }
  return (
    <fieldset className="sgroup">
      <legend>{label} <span className="faint">{of.length}</span></legend>
      {of.map((each, i) => (
        <div key={keys.current[i]} className="sitem">
          <div className="grow">
            <One name={String(i + 1)} schema={items} defs={defs} value={each} errors={errors} path={`${path}/${i}`} required change={(next) => change(of.map((old, j) => (j === i ? next : old)))} top />
          </div>
          <button type="button" className="btn quiet" aria-label={`${w.remove} ${label} ${i + 1}`} onClick={() => remove(i)}><Icon name="x" small /></button>
        </div>
      ))}
      <button type="button" className="btn" onClick={() => change([...of, beginning(items, defs)])}><Icon name="plus" small />{w.add}</button>
    </fieldset>
  )
}
