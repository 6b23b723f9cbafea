// What figures of ended runs say: how many there are, and which share of them failed.
import type { Ended } from '../api/schema'
import { words } from '../words'

/** How many ended, whichever way. */
export function count({ states }: Pick<Ended, 'states'>): number {
  return Object.values(states).reduce((sum, each) => sum + each, 0)
}

/** The share of those that ended by themselves; null when none did. */
export function failureRate({ states }: Pick<Ended, 'states'>): number | null {
  const failed = states['failed'] ?? 0
  const ended = failed + (states['completed'] ?? 0)
  return ended === 0 ? null : failed / ended
}

export function percent(share: number | null): string {
  if (share === null) return words.overview.none
  const points = share * 100
  return `${points === 0 || points >= 10 ? Math.round(points) : points.toFixed(points >= 1 ? 1 : 2)} %`
}
