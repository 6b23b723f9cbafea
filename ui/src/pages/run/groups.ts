// Calls that belong together: one after the other, side by side, and many of one name as one.
import { nameOf } from '../../api/plain'
import type { CallView } from '../../api/schema'

export interface Group {
  key: string
  name: string
  state: string
  undo: boolean
  calls: CallView[]
}

/** A stretch of a run: one call, or several that went side by side. */
export interface Block {
  key: string
  parallel: boolean
  groups: Group[]
}

/** From the one that needs most attention to the one that needs least. */
const URGENCY = ['incident', 'failed', 'compensating', 'retrying', 'running', 'waiting', 'pending', 'cancelled', 'compensated', 'completed', 'received']

/** More calls of one name side by side than this are shown as one. */
export const MAPPED = 6

export function worst(states: string[]): string {
  return URGENCY.find((state) => states.includes(state)) ?? states[0] ?? 'pending'
}

/** The path of the task that made the call: `/0/charge#1` was made in task `0`. */
function taskPath(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')))
}

/** The call that brought the run down: of those that failed, the one whose message the run ended with, or the last. */
export function culprit(calls: CallView[], error: string | null): CallView | undefined {
  const failed = calls.filter((each) => !isUndo(each) && each.state === 'failed').sort((a, b) => (a.ended_at ?? 0) - (b.ended_at ?? 0))
  return failed.find((each) => error !== null && each.failure && error.includes(each.failure.message)) ?? failed[failed.length - 1]
}

export function isUndo(call: CallView): boolean {
  return call.undo === true
}

/** What people read, and whoever repairs a run names it by: its name where that is enough, else its key. */
export function label(call: CallView): string {
  if (call.kind === 'signal' || call.kind === 'update') return call.name
  if (call.key.startsWith('=')) return `${call.name} ${call.key}`
  return call.alone !== false && nameOf(call.key) === call.name ? call.name : call.key
}

/** By name, in the order in which each name first came. */
export function groups(calls: CallView[]): Group[] {
  const found = new Map<string, CallView[]>()
  for (const call of calls) {
    const key = `${isUndo(call) ? 'undo ' : ''}${call.kind} ${call.name}`
    const members = found.get(key)
    if (members) members.push(call)
    else found.set(key, [call])
  }
  return [...found.values()].map(group)
}

function group(calls: CallView[]): Group {
  const first = calls[0]!
  return { key: first.key, name: first.name, state: worst(calls.map((each) => each.state)), undo: isUndo(first), calls }
}

/** The work of a run in order: what overlaps in tasks of its own went side by side. */
export function blocks(calls: CallView[]): Block[] {
  const found: { calls: CallView[]; nested: boolean; until: number }[] = []
  for (const call of calls) {
    const nested = taskPath(call.key) !== '' && call.kind !== 'signal' && call.kind !== 'update'
    const open = found[found.length - 1]
    const end = call.ended_at ?? Number.POSITIVE_INFINITY
    if (open && nested && open.nested && call.began_at <= open.until) {
      open.calls.push(call)
      open.until = Math.max(open.until, end)
    } else {
      found.push({ calls: [call], nested, until: end })
    }
  }
  return found.map((each) => {
    const byName = groups(each.calls).flatMap((one) => (one.calls.length > MAPPED ? [one] : one.calls.map((call) => group([call]))))
    return { key: each.calls[0]!.key, parallel: byName.length > 1, groups: byName }
  })
}

export function beginning(group: Group): number {
  return Math.min(...group.calls.map((each) => each.began_at))
}

export function ending(group: Group, now: number): number {
  return Math.max(...group.calls.map((each) => each.ended_at ?? now))
}

/** From its beginning to its end, or to now. */
export function spent(group: Group, now: number): number {
  return Math.max(0, ending(group, now) - beginning(group))
}
