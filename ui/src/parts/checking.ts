// What is wrong with a value, held against its schema: what a person can put right at once. The server has the last word.
import { isNumber } from '../api/exact'
import { words } from '../words'
import { field, resolved, type Defs, type Schema, type Zone } from './schema'
import { Chosen, isDuration, momentOf, rowsOf, Unread, ZONE } from './typed'

const w = words.form

/** What is wanted instead, by the path of the field. */
export type Errors = Record<string, string>

export function check(schema: Schema, value: unknown, defs: Defs, required: boolean, path = ''): Errors {
  if (value instanceof Unread) return { [path]: value.wanted }
  const { schema: inner, optional } = resolved(schema, defs)
  const kind = field('', inner)
  if (value instanceof Chosen) return kind.kind === 'union' ? check(kind.of[value.at] ?? {}, value.value, defs, true, path) : {}
  if (inner.enum?.includes(value)) return {}
  // Of what may be anything, none is a value as well.
  if (value === null && Object.keys(inner).length === 0) return {}
  // Text that is left empty is sent where nobody asks for it: it is text of no characters.
  const blank = value === '' && inner.type === 'string' && 'default' in inner
  if (value === undefined || value === null || (value === '' && !blank)) return required && !optional ? { [path]: w.missing } : {}
  const wrong = (told: string | undefined | false): Errors => (told ? { [path]: told } : {})
  const all = (found: Errors[], told?: string | false): Errors => Object.assign(wrong(told), ...found) as Errors
  switch (kind.kind) {
    case 'choice':
      return wrong(w.oneOf(kind.options.map(String).join(', ')))
    case 'union': {
      const at = fitting(kind.of, value, defs)
      return at < 0 ? wrong(w.choose) : check(kind.of[at]!, value, defs, true, path)
    }
    case 'object':
      return all(kind.fields.map(([key, each, must]) => check(each, (value as Record<string, unknown>)[key], defs, must, `${path}/${key}`)))
    case 'list':
      return Array.isArray(value) ? all(value.map((each, i) => check(kind.items, each, defs, true, `${path}/${i}`)), beyond(value.length, inner.minItems, inner.maxItems) && limits(inner)) : {}
    case 'places':
      return all(kind.items.map((each, i) => check(each, (value as unknown[])[i], defs, true, `${path}/${i}`)))
    case 'entries': {
      const rows = rowsOf(value)
      const twice = (key: string, at: number) => rows.findIndex(([each]) => each === key) < at
      return all(rows.flatMap(([key, each], i) => [
        check(kind.items, each, defs, true, `${path}/${i}`),
        twice(key, i) && key !== '' ? { [`${path}#${i}`]: w.twice(key) } : check(kind.names, key, defs, true, `${path}#${i}`),
      ]), beyond(rows.length, inner.minProperties, inner.maxProperties) && limits(inner))
    }
    case 'number':
      return wrong(numberMisfits(inner, value, kind.whole))
    case 'moment':
      return wrong(momentMisfits(value, kind.date, kind.zone))
    case 'duration':
      return wrong(!isDuration(String(value)) && w.duration)
    case 'text':
      if (kind.decimal) return wrong(!/^-?\d+(\.\d+)?$/.test(String(value)) && w.notNumber)
      return wrong(typeof value === 'string' && textMisfits(inner, value))
    default:
      return {}
  }
}

/** The first alternative that a value is one of; -1 for none. */
export function fitting(of: Schema[], value: unknown, defs: Defs): number {
  return of.findIndex((each) => suits(each, value, defs))
}

function suits(schema: Schema, value: unknown, defs: Defs): boolean {
  const { schema: inner, optional } = resolved(schema, defs)
  if (value === null) return optional
  if (inner.enum) return inner.enum.includes(value)
  const kind = field('', inner)
  const within = typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  switch (kind.kind) {
    case 'union':
      return fitting(kind.of, value, defs) >= 0
    case 'object':
      return within !== undefined && Object.keys(within).every((key) => key in inner.properties!) && kind.fields.every(([key, each, must]) => (within[key] === undefined ? !must : suits(each, within[key], defs)))
    case 'entries':
      return within !== undefined && Object.values(within).every((each) => suits(kind.items, each, defs))
    case 'list':
      return Array.isArray(value) && value.every((each) => suits(kind.items, each, defs))
    case 'places':
      return Array.isArray(value) && value.length === kind.items.length && kind.items.every((each, i) => suits(each, value[i], defs))
    case 'number':
      return isNumber(value) && (!kind.whole || typeof value === 'bigint' || Number.isInteger(value))
    case 'boolean':
      return typeof value === 'boolean'
    case 'text':
      return typeof value === 'string' && (kind.input !== 'date' || /^\d{4}-\d\d-\d\d$/.test(value))
    case 'moment':
      return typeof value === 'string' && momentMisfits(value, kind.date, kind.zone) === undefined
    case 'duration':
      return typeof value === 'string' && isDuration(value)
    default:
      return true
  }
}

function numberMisfits(schema: Schema, value: unknown, whole: boolean): string | undefined {
  if (!isNumber(value) || (typeof value === 'number' && !Number.isFinite(value))) return w.notNumber
  if (whole && typeof value === 'number' && !Number.isInteger(value)) return w.notWhole
  const low = (schema.minimum !== undefined && value < schema.minimum) || (schema.exclusiveMinimum !== undefined && value <= schema.exclusiveMinimum)
  const high = (schema.maximum !== undefined && value > schema.maximum) || (schema.exclusiveMaximum !== undefined && value >= schema.exclusiveMaximum)
  return low || high || (schema.multipleOf !== undefined && !isMultiple(value, schema.multipleOf)) ? limits(schema) : undefined
}

function isMultiple(value: number | bigint, of: number): boolean {
  if (typeof value === 'bigint') return !Number.isInteger(of) || value % BigInt(of) === 0n
  const times = value / of
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times))
}

function momentMisfits(value: unknown, date: boolean, zone: Zone): string | undefined {
  const found = momentOf(String(value))
  if (!found || found.local.includes('T') !== date) return date ? w.moment : w.time
  if (zone === 'no') return found.zone === '' ? undefined : w.noZone
  return (zone === 'must' || found.zone !== '') && !ZONE.test(found.zone) ? w.zoneWanted : undefined
}

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

function textMisfits(schema: Schema, value: string): string | undefined {
  if (schema.format === 'uuid' && !UUID.test(value)) return w.uuid
  const fits = !beyond([...value].length, schema.minLength, schema.maxLength) && (schema.pattern === undefined || matches(schema.pattern, value))
  return fits ? undefined : limits(schema)
}

/** Whether it does, as far as that can be told here: the pattern is one of Python, whose letters are not only those of ASCII. */
function matches(pattern: string, value: string): boolean {
  if (/\\[wWbBdDsS]/.test(pattern) && !/^[ -~]*$/.test(value)) return true
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}

function beyond(count: number, least = 0, most = Infinity): boolean {
  return count < least || count > most
}

/** What a value has to be within, as a sentence; nothing where it has no limits. */
export function limits(schema: Schema): string | undefined {
  const count = (least: number | undefined, most: number | undefined, of: (n: number) => string) => [
    ...(least !== undefined && least === most ? [w.exactly(of(least))] : [...(least ? [w.atLeast(of(least))] : []), ...(most !== undefined ? [w.atMost(of(most))] : [])]),
  ]
  const number = (limit: number | undefined, say: (limit: string) => string) => (limit === undefined ? [] : [say(String(limit))])
  const parts = [
    ...number(schema.minimum, w.atLeast), ...number(schema.exclusiveMinimum, w.moreThan), ...number(schema.maximum, w.atMost), ...number(schema.exclusiveMaximum, w.lessThan),
    ...number(schema.multipleOf, w.multipleOf),
    ...count(schema.minLength, schema.maxLength, w.characters),
    ...(schema.prefixItems ? [] : count(schema.minItems, schema.maxItems, w.items)),
    ...count(schema.minProperties, schema.maxProperties, w.entries),
    ...(schema.pattern === undefined ? [] : [w.pattern(schema.pattern)]),
  ]
  const text = parts.join(', ')
  return text === '' ? undefined : text.charAt(0).toUpperCase() + text.slice(1)
}
