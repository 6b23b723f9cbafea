// Where a run stands, in one cell: the step and what it waits for, the error, or how it ended.
import type { RunView } from '../../api/schema'
import { ErrorLine } from '../../parts/ErrorText'
import { moment, oneLine, size, until } from '../../parts/format'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.now

export function StandingCell({ run }: { run: RunView }) {
  const now = useNow()
  const standing = run.standing
  if (!standing) return run.error ? <ErrorLine text={run.error} /> : null
  const { kind, name = '', who = '', text = '', until: when, attempt = 0, more = 0, signals = [] } = standing
  const others = signals.length > 1 ? w.more(signals.length - 1) : ''
  switch (kind) {
    case 'error':
      return <ErrorLine text={text} />
    case 'task':
      return <Line name={name} rest={[who, when ? w.due(moment(when, now)) : '', more ? w.more(more) : '']} />
    case 'retry':
      return <Line name={name} rest={[w.attempt(attempt, when ? until(when, now) : '', text)]} />
    case 'timer':
      return <Line name={name || w.sleep} rest={[when ? w.until(moment(when, now)) : '', signals[0] ? w.orSignal(signals[0]) : '', others]} />
    case 'child':
      return <Line name={name} rest={[w.child(who)]} />
    case 'signal':
      return <span className="dim" title={signals.join(', ')}>{w.signal} <span className="mono">{signals[0]}</span> {others}</span>
    case 'message':
      return <span className="dim">{w.message}</span>
    case 'step':
      return <span className="dim">{w.after('')}<span className="mono">{name}</span></span>
    case 'paused':
      return <span className="dim">{[name, who && w.pausedBy(who.replace(/^user:/, '')), text].filter(Boolean).join(': ')}</span>
    case 'outside':
      return <Line name={name} rest={[w.outside, when ? w.until(moment(when, now)) : '']} />
    case 'result':
      return <span className="mono dim">{valueLine(standing.value)}</span>
    case 'reason':
      return <span className="dim">{text}</span>
    default:
      return <span className="dim">{run.state === 'running' ? w.first : ''}</span>
  }
}

/** A value, or what is said in its place where it is large or no JSON. */
function valueLine(value: unknown): string {
  if (value !== null && typeof value === 'object' && 'encoding' in value && 'bytes' in value) {
    const { encoding, bytes, ...more } = value
    if (typeof encoding === 'string' && typeof bytes === 'number' && !Object.keys(more).length) {
      return `${encoding}, ${size(bytes)}`
    }
  }
  return oneLine(value)
}

function Line({ name, rest }: { name: string; rest: string[] }) {
  const said = rest.filter(Boolean).join(' · ')
  return (
    <span title={`${name} ${said}`}>
      <span className="mono">{name}</span> <span className="dim">{said}</span>
    </span>
  )
}
