// Times and sizes as people read them. All times are µs.
import { words } from '../words'

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const two = (n: number) => String(n).padStart(2, '0')

// What is told is rounded to its last unit, and so never off by more than half of it.

/** Two units at most: 640ms, 42.8s, 12m 08s, 2h 24m, 3d 02h. */
export function duration(us: number): string {
  if (us < 1000) return us <= 0 ? '0ms' : '<1ms'
  const milliseconds = Math.round(us / 1000)
  if (milliseconds < 1000) return `${milliseconds}ms`
  if (us < MINUTE - 50_000) return `${(us / SECOND).toFixed(1)}s`
  const seconds = Math.round(us / SECOND)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  const minutes = Math.round(us / MINUTE)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`
  const hours = Math.round(us / HOUR)
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`
}

/** Units, and how many of one are one of the next. */
const UNITS = [[SECOND, 's', 60], [MINUTE, 'm', 60], [HOUR, 'h', 24], [DAY, 'd', Infinity]] as const

/** One unit: 4s, 12m, 2h, 3d. */
export function roughly(us: number): string {
  const [unit, name] = UNITS.find(([unit, , most]) => Math.round(us / unit) < most) ?? UNITS[3]
  return `${Math.max(0, Math.round(us / unit))}${name}`
}

export function ago(at: number, now: number): string {
  return words.time.ago(roughly(now - at))
}

export function until(at: number, now: number): string {
  return at >= now ? words.time.in(roughly(at - now)) : words.time.overdue(roughly(now - at))
}

/** Made once: to make one takes as long as to draw a row of a list. */
const zones = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' })

/** With zone and milliseconds, for hovering and copying. */
export function absolute(at: number): string {
  const date = new Date(at / 1000)
  const zone = zones.formatToParts(date).find((part) => part.type === 'timeZoneName')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(at, 3)} ${zone?.value ?? ''}`
}

export function clock(at: number, digits = 0): string {
  const date = new Date(at / 1000)
  const fraction = digits ? `.${String(date.getMilliseconds()).padStart(3, '0').slice(0, digits)}` : ''
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${fraction}`
}

/** A day and time near now: 18:00, Thu 18:00, 12 Mar 18:00. */
export function moment(at: number, now: number): string {
  const date = new Date(at / 1000)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  if (date.toDateString() === new Date(now / 1000).toDateString()) return time
  const near = Math.abs(at - now) < 6 * DAY
  return `${date.toLocaleDateString(undefined, near ? { weekday: 'short' } : { day: 'numeric', month: 'short' })} ${time}`
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 999_950) return `${(bytes / 1000).toFixed(1)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** The last word of a qualified type name. */
export function typeName(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}

/** Without what tells a terminal its colours. */
export function uncoloured(text: string): string {
  return text.replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
}

/** A value in one short line. */
export function oneLine(value: unknown): string {
  if (value === null || value === undefined) return words.json.empty
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
