// What can be done with the runs that are selected: says how many it is for before it does it.
import type { RunView } from '../../api/schema'
import { words } from '../../words'

const w = words.runs

export function Bulk({ rows, clear, act }: { rows: RunView[]; clear: () => void; act: (runs: number[]) => Promise<void> }) {
  const still = rows.filter((each) => each.state === 'incident').map((each) => each.run)
  return (
    <div className="bulk" role="toolbar" aria-label={w.selected(rows.length)}>
      <span className="b small">{w.selected(rows.length)}</span>
      <button className="btn act" disabled={still.length === 0} onClick={() => void act(still).then(clear)}>
        {words.run.retryAll(still.length)}
      </button>
      <button className="btn quiet" onClick={clear}>
        {w.clear}
      </button>
    </div>
  )
}
