// A state is shown by colour, icon and word, always the three together.
import { words } from '../words'
import { Icon, type IconName } from './Icon'

const LOOKS: Record<string, { tone: string; icon: IconName }> = {
  terminated: { tone: 'cancelled', icon: 'terminated' },
  received: { tone: 'completed', icon: 'signal' },
  continued: { tone: 'completed', icon: 'continued' },
}

export function stateWord(state: string): string {
  return words.states[state] ?? state
}

/** The class that carries a state's colours. */
export function tone(state: string): string {
  return LOOKS[state]?.tone ?? (state in words.states ? state : 'pending')
}

function iconOf(state: string): IconName {
  return LOOKS[state]?.icon ?? ((state in words.states ? state : 'pending') as IconName)
}

export function StateIcon({ state, small = true }: { state: string; small?: boolean }) {
  return <Icon name={iconOf(state)} small={small} className={`st ${tone(state)}`} />
}

export function StateChip({ state, solid = false, text }: { state: string; solid?: boolean; text?: string }) {
  const full = solid && state === 'incident'
  return (
    <span
      className={`chip ${tone(state)} ${full ? 'solid' : ''}`}
      style={{ '--cut': full ? 'var(--incident-solid)' : `var(--${tone(state)}-tint)` } as React.CSSProperties}
    >
      <Icon name={iconOf(state)} />
      {text ?? stateWord(state)}
    </span>
  )
}

/** A bar beside a figure, on a log scale: 1 ms is nothing, `full` is everything. */
export function DurationBar({ state, us, full }: { state: string; us: number; full: number }) {
  const share = us <= 1000 ? 2 : Math.min(100, (100 * Math.log(us / 1000)) / Math.log(Math.max(full, 10_000) / 1000))
  return (
    <span className={`bar ${tone(state)}`} aria-hidden="true">
      <i style={{ width: `${Math.max(3, share)}%` }} />
    </span>
  )
}
