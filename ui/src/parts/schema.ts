// JSON Schema as far as the server writes it: what a field is, what it begins with, and what is wrong with a value.
import { words } from '../words'

export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  title?: string
  description?: string
  type?: string
  format?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  default?: unknown
  examples?: unknown[]
  additionalProperties?: Schema | boolean
}

export type Field =
  | { kind: 'object'; schema: Schema; fields: [string, Schema, boolean][] }
  | { kind: 'choice'; options: unknown[] }
  | { kind: 'boolean' }
  | { kind: 'number'; whole: boolean }
  | { kind: 'text'; input: string; long: boolean; decimal: boolean }
  | { kind: 'list'; items: Schema }
  | { kind: 'json' }

/** A schema with its references followed and `null` taken out; `optional` says whether null was allowed. */
export function resolved(schema: Schema, defs: Record<string, Schema>): { schema: Schema; optional: boolean } {
  if (schema.$ref) {
    const target = defs[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]
    return target ? resolved({ ...target, ...('default' in schema ? { default: schema.default } : {}) }, defs) : { schema: {}, optional: false }
  }
  const choices = schema.anyOf?.filter((each) => each.type !== 'null')
  if (schema.anyOf && choices?.length === 1) {
    const inner = resolved(choices[0]!, defs).schema
    return { schema: { ...inner, ...('default' in schema ? { default: schema.default } : {}) }, optional: choices.length < schema.anyOf.length }
  }
  return { schema, optional: false }
}

const INPUTS: Record<string, string> = { date: 'date', email: 'email', uri: 'url' }
const LONG = /comment|text|note|reason|message|description|body/i

export function field(name: string, schema: Schema): Field {
  if (schema.enum) return { kind: 'choice', options: schema.enum }
  if (schema.type === 'object' && schema.properties) {
    const required = schema.required ?? []
    return { kind: 'object', schema, fields: Object.entries(schema.properties).map(([key, each]) => [key, each, required.includes(key)]) }
  }
  if (schema.type === 'boolean') return { kind: 'boolean' }
  if (schema.type === 'integer' || schema.type === 'number') return { kind: 'number', whole: schema.type === 'integer' }
  if (schema.type === 'string') return { kind: 'text', input: INPUTS[schema.format ?? ''] ?? 'text', long: schema.format === undefined && LONG.test(name), decimal: schema.format === 'decimal' }
  if (schema.type === 'array' && schema.items) return { kind: 'list', items: schema.items }
  return { kind: 'json' }
}

/** What a form begins with: the default, or as little as the schema allows. */
export function beginning(schema: Schema, defs: Record<string, Schema>): unknown {
  const { schema: inner, optional } = resolved(schema, defs)
  if ('default' in inner) return inner.default
  if (optional) return null
  const kind = field('', inner)
  if (kind.kind === 'object') {
    const entries = kind.fields.map(([key, each, required]) => [key, startOf(each, defs, required)] as const)
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  }
  if (kind.kind === 'list') return []
  return undefined
}

function startOf(schema: Schema, defs: Record<string, Schema>, required: boolean): unknown {
  const { schema: inner } = resolved(schema, defs)
  return required || 'default' in inner ? beginning(schema, defs) : undefined
}

/** What an object that may be absent begins with once it is wanted. */
export function beginningOf(schema: Schema, defs: Record<string, Schema>): unknown {
  const { default: standard, ...bare } = schema
  return standard ?? beginning(bare, defs)
}

/** Text in place of a value of which it is to be the JSON, and is not (yet). It is in no answer. */
export class NotJson {
  constructor(readonly text: string) {}

  toJSON(): undefined {
    return undefined
  }
}

export type Errors = Record<string, string>

/** What is wrong, by the path of the field. Only what a person can see at once; the server has the last word. */
export function check(schema: Schema, value: unknown, defs: Record<string, Schema>, required: boolean, path = ''): Errors {
  if (value instanceof NotJson) return { [path]: words.form.notJson }
  const { schema: inner, optional } = resolved(schema, defs)
  if (inner.enum?.includes(value)) return {}
  if (value === undefined || value === null || value === '') {
    const needed = required && !optional && !(inner.type === 'string' && !inner.enum && value === '' && 'default' in inner)
    return needed ? { [path]: words.form.missing } : {}
  }
  const kind = field('', inner)
  if (kind.kind === 'object') {
    return Object.assign({}, ...kind.fields.map(([key, each, must]) => check(each, (value as Record<string, unknown>)[key], defs, must, `${path}/${key}`))) as Errors
  }
  if (kind.kind === 'list' && Array.isArray(value)) {
    return Object.assign({}, ...value.map((each, i) => check(kind.items, each, defs, true, `${path}/${i}`))) as Errors
  }
  if (kind.kind === 'number' && typeof value !== 'bigint' && (typeof value !== 'number' || !Number.isFinite(value) || (kind.whole && !Number.isInteger(value)))) return { [path]: words.form.notNumber }
  if (kind.kind === 'text' && kind.decimal && !/^-?\d+(\.\d+)?$/.test(String(value))) return { [path]: words.form.notNumber }
  return {}
}

/** `credit_limit` as a person writes it. */
export function humane(name: string): string {
  const text = name.replace(/_/g, ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
