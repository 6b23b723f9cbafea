// Time in bars of equal width: how far back a range goes, and runs counted by when they began.
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

/** What is counted of a range: it begins at a bar, and moves on by bars. A new question every second would never be answered from memory. */
export function asked(range: Range, now: number): { since: number; bar: number } {
  const { long, bar } = SPANS[range]
  return { since: Math.ceil(now / bar) * bar - long, bar }
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
