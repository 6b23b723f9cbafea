// The time axis: one scale for the whole run, on which only idle time is folded.
import type { CallView } from '../../api/schema'

export interface Fold {
  from: number
  to: number
  left: number
  width: number
}

export interface Tick {
  at: number
  left: number
  /** It is labelled on a narrow screen too. */
  major: boolean
}

export interface Axis {
  /** Where a time lies, in percent. */
  x: (at: number) => number
  folds: Fold[]
  ticks: Tick[]
  /** Idle time that could be folded, whether it is or not. */
  idle: number
}

interface Stretch {
  from: number
  to: number
  fold: boolean
  left: number
  width: number
}

const NICE = [1, 2, 5]
/** Percent between two labels, at least. */
const APART = 9
/** The same on a narrow screen, and from where on the word at the right end stands there. */
const FAR_APART = 36
const LAST_MAJOR = 56
const END = 98.5

export function axis(calls: CallView[], from: number, to: number, unfolded: boolean): Axis {
  const until = Math.max(to, from + 1000)
  const gaps = idleGaps(calls, from, until)
  const idle = gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0)
  const stretches = laidOut(unfolded ? [] : gaps, from, until)
  const x = (at: number) => {
    const inside = stretches.find((each) => at <= each.to) ?? stretches[stretches.length - 1]!
    const share = inside.to === inside.from ? 0 : (Math.min(Math.max(at, inside.from), inside.to) - inside.from) / (inside.to - inside.from)
    return inside.left + share * inside.width
  }
  return { x, folds: stretches.filter((each) => each.fold), ticks: ticks(stretches, from), idle }
}

/** Stretches without an attempt that are long beside those with one. */
function idleGaps(calls: CallView[], from: number, to: number): { from: number; to: number }[] {
  const busy = calls
    .flatMap((call) => (call.tries?.length ? call.tries.map((each) => [each.started_at, each.ended_at ?? to] as const) : []))
    .concat(calls.flatMap((call) => [[call.began_at, call.began_at] as const, [call.ended_at ?? call.began_at, call.ended_at ?? call.began_at] as const]))
    .sort((a, b) => a[0] - b[0])
  const found: { from: number; to: number }[] = []
  let reached = from
  for (const [start, end] of busy) {
    if (start > reached) found.push({ from: reached, to: start })
    reached = Math.max(reached, end)
  }
  if (to > reached) found.push({ from: reached, to })
  const idle = found.reduce((sum, gap) => sum + gap.to - gap.from, 0)
  const least = Math.max(200_000, 0.4 * (to - from - idle))
  return found.filter((gap) => gap.to - gap.from > least).map((gap) => shrunk(gap))
}

/** A little of the idle time stays on either side, so that a bar does not touch the fold. */
function shrunk(gap: { from: number; to: number }): { from: number; to: number } {
  const edge = (gap.to - gap.from) * 0.01
  return { from: gap.from + Math.min(edge, 100_000), to: gap.to - Math.min(edge, 100_000) }
}

function laidOut(gaps: { from: number; to: number }[], from: number, to: number): Stretch[] {
  const stretches: Stretch[] = []
  let at = from
  for (const gap of gaps) {
    stretches.push({ from: at, to: gap.from, fold: false, left: 0, width: 0 }, { ...gap, fold: true, left: 0, width: 0 })
    at = gap.to
  }
  stretches.push({ from: at, to, fold: false, left: 0, width: 0 })
  const folded = Math.min(8, 40 / Math.max(1, gaps.length))
  const shown = stretches.reduce((sum, each) => sum + (each.fold ? 0 : each.to - each.from), 0)
  const scale = (END - folded * gaps.length) / Math.max(1, shown)
  let left = 0
  for (const each of stretches) {
    each.left = left
    each.width = each.fold ? folded : (each.to - each.from) * scale
    left += each.width
  }
  return stretches
}

function ticks(stretches: Stretch[], from: number): Tick[] {
  const shown = stretches.filter((each) => !each.fold)
  const total = shown.reduce((sum, each) => sum + each.to - each.from, 0)
  const step = niceStep(total / 6)
  const found: Tick[] = []
  let major = -FAR_APART
  for (const each of shown) {
    for (let at = from + Math.ceil((each.from - from) / step) * step; at <= each.to; at += step) {
      const left = each.left + ((at - each.from) / Math.max(1, each.to - each.from)) * each.width
      const before = found[found.length - 1]
      if (left >= 92 || (before !== undefined && left - before.left < APART)) continue
      const stands = left - major >= FAR_APART && left <= LAST_MAJOR
      if (stands) major = left
      found.push({ at: at - from, left, major: stands })
    }
  }
  return found
}

function niceStep(rough: number): number {
  const seconds = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400].map((each) => each * 1_000_000)
  if (rough > 500_000) return seconds.find((each) => each >= rough) ?? Math.ceil(rough / 86_400_000_000) * 86_400_000_000
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)))
  return (NICE.find((each) => each * power >= rough) ?? 10) * power
}
