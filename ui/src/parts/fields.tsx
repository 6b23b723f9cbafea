// The fields of a form that hold one value each: a choice, a number, a text, a moment, a duration, a piece of JSON.
import { NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useId, useState } from 'react'
import { numberOf, parsed } from '../api/exact'
import { words } from '../words'
import { humane } from './schema'
import { durationOf, durationText, momentOf, Unread } from './typed'

const w = words.form
export const MONO = { input: { fontFamily: 'var(--mono)', fontSize: 12 } }

export function fromJson(text: string): unknown {
  try {
    return parsed(text)
  } catch {
    return new Unread(text, w.notJson)
  }
}

interface Options {
  label: string
  options: unknown[]
  /** What they are called, where that is not what they are. */
  names?: string[]
  description?: string | undefined
  value: unknown
  change: (value: unknown) => void
  error: string | undefined
  required: boolean
}

/** What is said below several fields that belong together, and what is wrong with them: `id` is what describes them. */
export function Told({ id, description, error }: { id: string; description: string | undefined; error: string | undefined }) {
  return (
    <div id={id} className="stold">
      {description && <p className="tiny dim">{description}</p>}
      {error && <p className="serr">{error}</p>}
    </div>
  )
}

export function Choice({ label, options, names, description, value, change, error, required }: Options) {
  const id = useId()
  const described = useId()
  const nameOf = (each: unknown, i: number) => names?.[i] ?? (each === true ? w.yes : each === false ? w.no : each === null ? humane(w.none) : humane(String(each)))
  if (options.length > 4) {
    const none = options.includes(null) ? null : undefined
    const data = ['', ...options.flatMap((each, i) => (each === null ? [] : [{ value: String(i), label: names?.[i] ?? String(each) }]))]
    const at = options.indexOf(value)
    return <NativeSelect className="sfield" label={label} description={description} inputWrapperOrder={['label', 'input', 'description', 'error']} error={error} withAsterisk={required} value={at < 0 || value === null ? '' : String(at)} onChange={(event) => change(event.currentTarget.value === '' ? none : options[Number(event.currentTarget.value)])} data={data} />
  }
  return (
    <fieldset className="sfield choice" data-bad={error !== undefined || undefined} aria-describedby={described}>
      <legend>{label} {required && <span className="faint">{w.required}</span>}</legend>
      <div className="opts" style={{ gridTemplateColumns: `repeat(${options.length}, minmax(0, 1fr))` }}>
        {options.map((each, i) => (
          <label key={String(each)} className={`opt ${value === each ? 'on' : ''}`}>
            <input type="radio" name={id} checked={value === each} onChange={() => change(each)} data-choice={i + 1} />
            <span className="cut" title={nameOf(each, i)}>{nameOf(each, i)}</span>
            <kbd aria-hidden="true">{i + 1}</kbd>
          </label>
        ))}
      </div>
      <Told id={described} description={description} error={error} />
    </fieldset>
  )
}

export type Shared = { label: string; description: string | undefined; error: string | undefined; withAsterisk: boolean; placeholder: string | undefined }

interface Single extends Shared {
  value: unknown
  /** What it is when nothing is typed. */
  empty: null | undefined
  change: (value: unknown) => void
}

export function NumberField({ value, empty, change, ...shared }: Single) {
  const [text, setText] = useState(value === undefined || value === null ? '' : String(value))
  const type = (next: string) => {
    setText(next)
    const number = numberOf(next)
    change(next.trim() === '' ? empty : Number.isNaN(number) ? next : number)
  }
  return <TextInput className="sfield short" {...shared} inputMode="decimal" value={text} onChange={(event) => type(event.currentTarget.value)} />
}

export function JsonField({ value, empty, change, error, ...shared }: Single) {
  const [text, setText] = useState(value === undefined || value === null ? '' : value instanceof Unread ? value.text : JSON.stringify(value, null, 2))
  const type = (next: string) => {
    setText(next)
    change(next.trim() === '' ? empty : fromJson(next))
  }
  return <Textarea className="sfield" {...shared} error={value instanceof Unread ? value.wanted : error} rows={3} value={text} onChange={(event) => type(event.currentTarget.value)} styles={MONO} />
}

/** A picker of the browser's. What is half filled in is told as that, and not taken for nothing. */
function Picked({ value, empty, change, ...rest }: Single & { type: string; step?: number; className: string }) {
  const look = (input: HTMLInputElement) => {
    if (input.validity.badInput) change(new Unread('', w.unfinished))
    else if (input.value !== '') change(input.value)
    else if (value !== empty) change(empty)
  }
  return <TextInput {...rest} value={typeof value === 'string' ? value : ''} onChange={(event) => look(event.currentTarget)} onBlur={(event) => look(event.currentTarget)} />
}

export function DateField(props: Single) {
  return <Picked {...props} type="date" className="sfield short" />
}

/** The offset here at that time. */
function offset(local: string): string {
  const at = new Date(local.includes('T') ? local : `2000-01-01T${local || '00:00'}`)
  const minutes = -(Number.isNaN(at.getTime()) ? new Date() : at).getTimezoneOffset()
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}

/** A date with a time, or a time; beside it the offset from UTC, where it must have one or has one. */
export function MomentField({ date, zone, ...props }: Single & { date: boolean; zone: boolean }) {
  const given = typeof props.value === 'string' ? momentOf(props.value) : null
  const [own, setOwn] = useState(given && (zone || given.zone !== '') && given.zone !== offset(given.local) ? given.zone : null)
  const zoned = zone || own !== null || (given?.zone ?? '') !== ''
  const { label, description, error, withAsterisk, placeholder, value, empty, change } = props
  const put = (local: unknown, of: string | null) => change(typeof local === 'string' && local !== '' ? (local.length === (date ? 16 : 5) ? `${local}:00` : local) + (zoned ? (of ?? offset(local)) : '') : local)
  if (typeof value === 'string' && given === null) return <TextInput className="sfield" label={label} description={description} error={error} withAsterisk={withAsterisk} value={value} onChange={(event) => change(event.currentTarget.value)} />
  const local = given ? given.local + given.fraction.slice(0, 4) : value
  return (
    <div className="row smoment">
      <Picked {...{ label, description, error, withAsterisk, placeholder, empty }} value={local} change={(next) => put(next, own)} type={date ? 'datetime-local' : 'time'} step={1} className="sfield" />
      {zoned && <TextInput className="sfield mono" label={w.offset} aria-label={`${label} ${w.offset}`} value={own ?? offset(given?.local ?? '')} onChange={(event) => { setOwn(event.currentTarget.value); put(given ? given.local + given.fraction : value, event.currentTarget.value) }} />}
    </div>
  )
}

export function DurationField({ value, empty, change, ...shared }: Single) {
  const [text, setText] = useState(typeof value === 'string' ? durationText(value) : value instanceof Unread ? value.text : '')
  const type = (next: string) => {
    setText(next)
    change(next.trim() === '' ? empty : (durationOf(next) ?? new Unread(next, w.duration)))
  }
  return <TextInput className="sfield short" {...shared} placeholder={shared.placeholder ?? '1h 30m'} value={text} onChange={(event) => type(event.currentTarget.value)} />
}
