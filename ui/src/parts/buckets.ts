// Time in bars of equal width: how far back a range goes.

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
