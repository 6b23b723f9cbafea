// Where a schedule stands, as a state with its word.
import type { ScheduleView } from '../../api/schema'
import { words } from '../../words'

const w = words.schedules

export function stateOf(schedule: ScheduleView): { state: string; text: string } {
  if (schedule.paused !== null) return { state: 'paused', text: words.states['paused']! }
  if (schedule.open.length > 0) return { state: 'running', text: w.open(schedule.open.length) }
  if (schedule.next.length === 0) return { state: 'skipped', text: w.over }
  return { state: 'waiting', text: w.on }
}
