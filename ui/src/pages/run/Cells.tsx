// Many calls of one name as cells, one each, failed ones crossed; past a thousand, several calls share a cell.
import type { CallView } from '../../api/schema'
import { stateWord, tone } from '../../parts/State'
import { worst } from './groups'

const MOST = 1000
const PITCH = 14
const COLUMNS = 25

export function Cells({ calls, choose }: { calls: CallView[]; choose?: (key: string) => void }) {
  const each = Math.ceil(calls.length / MOST)
  const cells = Array.from({ length: Math.ceil(calls.length / each) }, (_, i) => calls.slice(i * each, (i + 1) * each))
  const summary = [...new Set(calls.map((call) => call.state))].map((state) => `${calls.filter((call) => call.state === state).length} ${stateWord(state).toLowerCase()}`).join(', ')
  return (
    <>
      <svg className="cells" viewBox={`0 0 ${COLUMNS * PITCH} ${Math.ceil(cells.length / COLUMNS) * PITCH}`} role="img" aria-label={summary}>
        {cells.map((members, i) => {
          const state = worst(members.map((call) => call.state))
          const [x, y] = [(i % COLUMNS) * PITCH + 0.5, Math.floor(i / COLUMNS) * PITCH + 0.5]
          const bad = state === 'failed' || state === 'incident'
          return (
            <g key={i} className={tone(state)} onClick={choose && (() => choose(members[0]!.key))}>
              <rect x={x} y={y} width="11" height="11" rx="2" fill="var(--f)" opacity={bad || state === 'running' ? 1 : 0.55} />
              {bad && <path d={`M${x + 3} ${y + 3}l5 5m0-5l-5 5`} stroke="#fff" strokeWidth="1.5" />}
            </g>
          )
        })}
      </svg>
      <p className="tiny dim">{summary}</p>
    </>
  )
}
