// The facts that come with a task, told apart into what stands beside each other and what is a table.
import { isNumber } from '../../api/exact'

export interface Facts {
  plain: [string, string][]
  tables: [string, Record<string, unknown>[]][]
  rest: [string, unknown][]
}

const isPlain = (value: unknown) => typeof value === 'string' || isNumber(value) || typeof value === 'boolean'

export function factsOf(subject: unknown): Facts {
  const facts: Facts = { plain: [], tables: [], rest: [] }
  if (subject === null || subject === undefined) return facts
  const entries = typeof subject === 'object' && !Array.isArray(subject) ? Object.entries(subject) : [['', subject] as [string, unknown]]
  for (const [name, value] of entries) {
    if (isPlain(value) && String(value).length < 60) facts.plain.push([name, String(value)])
    else if (isTable(value)) facts.tables.push([name, value])
    else facts.rest.push([name, value])
  }
  return facts
}

function isTable(value: unknown): value is Record<string, unknown>[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each) && Object.keys(each).length > 0 && Object.values(each).every((cell) => isPlain(cell) || cell === null))
}

/** The first facts in one line. */
export function summaryOf(subject: unknown): string {
  return factsOf(subject).plain.slice(0, 3).map(([name, value]) => (name ? `${name} ${value}` : value)).join(' · ')
}
