// What waits in queues for workers of other kinds, and which of those have the rest; nothing while all are empty.
import { useQuery } from '@tanstack/react-query'
import { queuesQuery } from '../../api/queries'
import type { QueueFigures } from '../../api/schema'
import { absolute, roughly } from '../../parts/format'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.queues

export function Queues() {
  const { data } = useQuery(queuesQuery)
  if (!data?.length) return null
  return (
    <section className="queues">
      <div className="sect"><h2>{w.title}</h2></div>
      <table className="workers">
        <thead><tr><th>{w.queue}</th><th className="count num">{w.waiting}</th><th className="since num">{w.oldest}</th><th className="count num">{w.paused}</th><th className="count num">{w.held}</th><th className="serves">{w.workers}</th></tr></thead>
        <tbody>{data.map((each) => <Row key={`${each.app} ${each.queue}`} of={each} />)}</tbody>
      </table>
    </section>
  )
}

function Row({ of }: { of: QueueFigures }) {
  const now = useNow()
  const workers = Object.entries(of.workers ?? {}).sort()
  const { waiting = 0, paused = 0, held = 0, since } = of
  return (
    <tr>
      <td><div className="mono b cut" title={of.queue}>{of.queue}</div><div className="tiny dim cut">{of.app}</div></td>
      <td className="count num">{waiting.toLocaleString()}</td>
      <td className="since num">{since == null ? '–' : <span title={absolute(since)}>{roughly(Math.max(0, now - since))}</span>}</td>
      <td className="count num">{paused.toLocaleString()}</td>
      <td className="count num">{held.toLocaleString()}</td>
      <td className="serves">
        {workers.length === 0 && waiting > 0 && <span className="unserved">{w.nobody}</span>}
        <ul>{workers.map(([name, count]) => <li key={name}><span className="tag mono" title={w.has(count)}>{name} <span className="version">{count.toLocaleString()}</span></span></li>)}</ul>
      </td>
    </tr>
  )
}
