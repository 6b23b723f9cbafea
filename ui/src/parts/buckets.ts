// Runs counted by time: how many ended when, how many of them failed, how long they took.
import type { RunView } from '../api/schema'

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export type Range = 'hour' | 'day' | 'week' | 'month'

/** How far back a range goes, and how wide a bar of it is (µs). */
export const SPANS: Record<Range, { long: number; bar: number }> = {
  hour: { long: HOUR, bar: 2 * MINUTE },
  day: { long: DAY, bar: 30 * MINUTE },
  week: { long: 7 * DAY, bar: 4 * HOUR },
  month: { long: 30 * DAY, bar: DAY },
}

export interface Bucket {
  from: number
  runs: RunView[]
}

const WIDTHS = [SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY]

/** The narrowest bar with which a stretch has no more than so many. */
export function width(long: number, most: number): number {
  return WIDTHS.find((each) => long / each <= most) ?? long / most
}

/** The runs by when `at` says, in bars of equal width that begin at round times. */
export function buckets(runs: RunView[], from: number, to: number, bar: number, at: (run: RunView) => number | null): Bucket[] {
  const first = Math.floor(from / bar) * bar
  const found: Bucket[] = Array.from({ length: Math.max(1, Math.ceil((to - first) / bar)) }, (_, i) => ({ from: first + i * bar, runs: [] }))
  for (const run of runs) {
    const when = at(run)
    if (when === null || when < first) continue
    found[Math.min(found.length - 1, Math.floor((when - first) / bar))]!.runs.push(run)
  }
  return found
}

export function failed(runs: RunView[]): number {
  return runs.filter((each) => each.state === 'failed').length
}

/** The share of those that ended by themselves; null when none did. */
export function failureRate(runs: RunView[]): number | null {
  const ended = runs.filter((each) => each.state === 'failed' || each.state === 'completed').length
  return ended === 0 ? null : failed(runs) / ended
}

/** How long they took, from the shortest. */
export function lengths(runs: RunView[]): number[] {
  return runs.filter((each) => each.closed_at !== null).map((each) => each.closed_at! - each.started_at).sort((a, b) => a - b)
}

export function quantile(sorted: number[], q: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null
}

/** Where a workflow's code changed: when the first run of each version but the oldest began. */
export function changes(runs: RunView[], from: number): { at: number; workflow: string; version: string }[] {
  const first = new Map<string, Map<string, number>>()
  for (const run of runs) {
    const versions = first.get(run.workflow) ?? new Map<string, number>()
    first.set(run.workflow, versions.set(run.version, Math.min(versions.get(run.version) ?? Infinity, run.started_at)))
  }
  return [...first].flatMap(([workflow, versions]) => [...versions].sort(([, a], [, b]) => a - b).slice(1).map(([version, at]) => ({ at, workflow, version }))).filter((each) => each.at > from)
}
