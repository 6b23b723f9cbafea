// What a form holds while it is filled in, where a value of JSON would not say it all. None of these is in an answer.

/** What was typed and is no value yet, with what is wanted instead. */
export class Unread {
  constructor(readonly text: string, readonly wanted: string) {}

  toJSON(): undefined {
    return undefined
  }
}

/** A value with the alternative of a union that it is one of: `1` may be typed as a number or as text. */
export class Chosen {
  constructor(readonly at: number, readonly value: unknown) {}

  toJSON(): unknown {
    return bare(this.value)
  }
}

/** Keys and values of an object, of which two may have the same key until that is put right. */
export class Rows {
  constructor(readonly rows: [string, unknown][]) {}

  toJSON(): unknown {
    return Object.fromEntries(this.rows)
  }
}

function bare(value: unknown): unknown {
  return value instanceof Unread || value instanceof Chosen || value instanceof Rows ? value.toJSON() : value
}

/** The keys and values of an object, in either form. */
export function rowsOf(value: unknown): [string, unknown][] {
  return value instanceof Rows ? value.rows : Object.entries((value ?? {}) as Record<string, unknown>)
}

/** `2026-01-31T12:00:30.5+01:00` in three; any may be empty. Null for a text that is none. */
export function momentOf(text: string): { local: string; fraction: string; zone: string } | null {
  const found = /^((?:\d{4,}-\d\d-\d\d[Tt ])?\d\d:\d\d(?::\d\d)?)(\.\d+)?(.*)$/.exec(text)
  return found && { local: found[1]!.replace(/[t ]/, 'T'), fraction: found[2] ?? '', zone: found[3]! }
}

export const ZONE = /^([Zz]|[+-]\d\d:?\d\d)$/

const ISO = /^([-+]?)P(?=.)(?:(\d+(?:\.\d+)?)D)?(?:T(?=.)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i

export function isDuration(text: string): boolean {
  return ISO.test(text)
}

/** `1h 30m` in ISO 8601, as JSON has it; null for what is no duration. */
export function durationOf(text: string): string | null {
  const given = text.trim()
  if (isDuration(given)) return given.toUpperCase()
  const found = /^(-?)\s*(?:(\d+(?:\.\d+)?)\s*d)?\s*(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*m)?\s*(?:(\d+(?:\.\d+)?)\s*s)?$/i.exec(given)
  if (!found || !/\d/.test(given)) return null
  const [, sign, days, hours, minutes, seconds] = found
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, seconds && `${seconds}S`].filter(Boolean).join('')
  return `${sign}P${days ? `${days}D` : ''}${time && `T${time}`}`
}

/** One of ISO 8601 as a person writes it. */
export function durationText(iso: string): string {
  const found = ISO.exec(iso)
  if (!found) return iso
  const [days, hours, minutes, seconds] = found.slice(2).map((each) => Number(each ?? 0)) as [number, number, number, number]
  // In microseconds, which are what a duration is counted in.
  let left = Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1e6)
  const parts: string[] = []
  for (const [unit, size] of [['d', 86_400e6], ['h', 3_600e6], ['m', 60e6]] as const) {
    if (left >= size) parts.push(Math.floor(left / size) + unit)
    left %= size
  }
  if (left > 0 || parts.length === 0) parts.push(`${left / 1e6}s`)
  return (found[1] === '-' ? '-' : '') + parts.join(' ')
}
