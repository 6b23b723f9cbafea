// JSON Schema as far as the server writes it: what a field is, what it begins with, and how it is called.
import { words } from '../words'

export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  title?: string
  description?: string
  type?: string
  format?: string
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema | false
  prefixItems?: Schema[]
  default?: unknown
  examples?: unknown[]
  additionalProperties?: Schema | boolean
  propertyNames?: Schema
  contentEncoding?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minItems?: number
  maxItems?: number
  minProperties?: number
  maxProperties?: number
}

export type Field =
  | { kind: 'object'; schema: Schema; fields: [string, Schema, boolean][] }
  | { kind: 'choice'; options: unknown[] }
  | { kind: 'union'; of: Schema[] }
  | { kind: 'boolean' }
  | { kind: 'number'; whole: boolean }
  | { kind: 'text'; input: string; long: boolean; decimal: boolean }
  | { kind: 'moment'; date: boolean; zone: Zone }
  | { kind: 'duration' }
  | { kind: 'list'; items: Schema }
  | { kind: 'places'; items: Schema[] }
  | { kind: 'entries'; names: Schema; items: Schema }
  | { kind: 'json' }

/** Whether a time has to have one. */
export type Zone = 'must' | 'may' | 'no'

export type Defs = Record<string, Schema>

/** A schema with its references followed and `null` taken out; `optional` says whether null was allowed. */
export function resolved(schema: Schema, defs: Defs): { schema: Schema; optional: boolean } {
  const { $ref, ...own } = schema
  if ($ref) {
    const target = defs[$ref.slice($ref.lastIndexOf('/') + 1)]
    return target ? resolved({ ...target, ...own }, defs) : { schema: {}, optional: false }
  }
  if (!schema.anyOf) return { schema, optional: false }
  const all = flat(schema.anyOf)
  const some = all.filter((each) => each.type !== 'null')
  // What is a number may be a whole one.
  const choices = some.some((each) => each.type === 'number') ? some.filter((each) => each.type !== 'integer') : some
  const optional = some.length < all.length
  if (choices.length !== 1) return { schema: { ...schema, anyOf: choices }, optional }
  const { anyOf: _, ...about } = own
  return { schema: { ...resolved(choices[0]!, defs).schema, ...about }, optional }
}

function flat(anyOf: Schema[]): Schema[] {
  return anyOf.flatMap((each) => (each.anyOf ? flat(each.anyOf) : [each]))
}

const INPUTS: Record<string, string> = { date: 'date', email: 'email', uri: 'url' }
/** Texts that stand for an instant or a time of day: whether it has a date, and a zone. */
const MOMENTS: Record<string, [date: boolean, zone: Zone]> = {
  'date-time': [true, 'must'], 'date-time-local': [true, 'may'], 'partial-date-time': [true, 'no'], time: [false, 'must'], 'time-local': [false, 'may'], 'partial-time': [false, 'no'],
}
const LONG = /comment|text|note|reason|message|description|body/i

export function field(name: string, schema: Schema): Field {
  if (schema.enum) return { kind: 'choice', options: schema.enum }
  if (schema.anyOf) return { kind: 'union', of: 'default' in schema ? schema.anyOf.map(mayBeEmpty) : schema.anyOf }
  if (schema.type === 'object' && schema.properties) {
    const required = schema.required ?? []
    return { kind: 'object', schema, fields: Object.entries(schema.properties).map(([key, each]) => [key, each, required.includes(key)]) }
  }
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') return { kind: 'entries', names: { type: 'string', ...schema.propertyNames }, items: schema.additionalProperties }
  if (schema.type === 'boolean') return { kind: 'boolean' }
  if (schema.type === 'integer' || schema.type === 'number') return { kind: 'number', whole: schema.type === 'integer' }
  const format = schema.format ?? ''
  const moment = MOMENTS[format]
  if (schema.type === 'string' && moment) return { kind: 'moment', date: moment[0], zone: moment[1] }
  if (schema.type === 'string' && format === 'duration') return { kind: 'duration' }
  if (schema.type === 'string') return { kind: 'text', input: INPUTS[format] ?? 'text', long: format === '' && LONG.test(name), decimal: format === 'decimal' }
  if (schema.type === 'array' && schema.items) return { kind: 'list', items: schema.items }
  if (schema.type === 'array' && schema.prefixItems && schema.prefixItems.length === schema.minItems) return { kind: 'places', items: schema.prefixItems }
  return { kind: 'json' }
}

/** Plain text of a union that has a default is sent as it is left, as text with a default is: of no characters as well. */
function mayBeEmpty(schema: Schema): Schema {
  return schema.type === 'string' && !schema.enum && !schema.format && !schema.contentEncoding ? { default: '', ...schema } : schema
}

/** The only value that it may have, by which one object is told from another. */
export function isTag(schema: Schema, required: boolean): boolean {
  return required && schema.enum?.length === 1
}

/** What a form begins with: the default, or as little as the schema allows. */
export function beginning(schema: Schema, defs: Defs): unknown {
  const { schema: inner, optional } = resolved(schema, defs)
  if ('default' in inner) return inner.default
  if (optional) return null
  const kind = field('', inner)
  if (kind.kind === 'object') {
    const entries = kind.fields.map(([key, each, required]) => [key, startOf(each, defs, required)] as const)
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  }
  if (kind.kind === 'choice' && kind.options.length === 1) return kind.options[0]
  if (kind.kind === 'places') return kind.items.map((each) => beginning(each, defs))
  return kind.kind === 'list' ? [] : kind.kind === 'entries' ? {} : undefined
}

function startOf(schema: Schema, defs: Defs, required: boolean): unknown {
  const { schema: inner } = resolved(schema, defs)
  return required || 'default' in inner ? beginning(schema, defs) : undefined
}

/** What an object that may be absent begins with once it is wanted. */
export function beginningOf(schema: Schema, defs: Defs): unknown {
  const { default: standard, ...bare } = schema
  return standard ?? beginning(bare, defs)
}

/** What a person calls a value of this kind, where there are several to choose from. */
export function kindOf(schema: Schema, defs: Defs): string {
  const { schema: inner } = resolved(schema, defs)
  const w = words.form.kinds
  const kind = field('', inner)
  if (inner.title) return inner.title
  switch (kind.kind) {
    case 'choice': return kind.options.map((each) => humane(String(each))).join(', ')
    case 'union': return kind.of.map((each) => kindOf(each, defs)).join(', ')
    case 'number': return kind.whole ? w.whole : w.number
    case 'list': return w.list(kindOf(kind.items, defs))
    case 'moment': return kind.date ? w.moment : w.time
    case 'text': return kind.decimal ? w.decimal : kind.input === 'date' ? w.date : inner.format === 'uuid' ? w.uuid : inner.contentEncoding ? w.base64 : w.text
    default: return w[kind.kind]
  }
}

/** `credit_limit` as a person writes it, and `*notes`, which takes as many as there are. */
export function humane(name: string): string {
  const text = name.replace(/^\*+/, '').replace(/_/g, ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
