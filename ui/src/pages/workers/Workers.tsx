// Who carries out runs: whether they are alive, their share, until when their lease lasts, and what they have code for.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { workersQuery } from '../../api/queries'
import type { Worker } from '../../api/schema'
import { Top } from '../../frame/Top'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, roughly } from '../../parts/format'
import { StateChip } from '../../parts/State'
import { Ago, useNow } from '../../parts/Time'
import { words } from '../../words'
import './workers.css'

const w = words.workers

export default function Workers() {
  const { data, error, refetch } = useQuery(workersQuery)
  const workers = [...(data ?? [])].sort((a, b) => a.app.localeCompare(b.app) || a.worker.localeCompare(b.worker))
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title}>{workers.length > 0 && <span className="tiny faint num wide">{w.shown(workers.length)}</span>}</Top>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows />}
      {data?.length === 0 && <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />}
      {workers.length > 0 && (
        <div className="overflow" tabIndex={0} role="group" aria-label={w.title}>
          <table className="workers">
            <thead><tr><th className="state">{w.state}</th><th>{w.worker}</th><th className="share">{w.share}</th><th className="since num">{w.since}</th><th className="lease num">{w.lease}</th><th className="serves">{w.serves}</th></tr></thead>
            <tbody>{workers.map((each) => <Row key={`${each.app} ${each.worker}`} worker={each} of={total(workers, each.app)} />)}</tbody>
          </table>
        </div>
      )}
    </main>
  )
}

function total(workers: Worker[], app: string): number {
  return workers.filter((each) => each.app === app).reduce((sum, each) => sum + each.slots, 0)
}

function Row({ worker, of }: { worker: Worker; of: number }) {
  const now = useNow()
  const dead = worker.expires !== null && worker.expires < now
  const share = of === 0 ? 0 : Math.round((100 * worker.slots) / of)
  return (
    <tr>
      <td className="state">{dead ? <StateChip state="failed" text={w.dead} /> : <StateChip state="running" text={w.alive} />}</td>
      <td><div className="mono b cut" title={worker.worker}>{worker.worker}</div><div className="tiny dim cut">{worker.app} · {w.epoch(worker.epoch)}</div></td>
      <td className="share" title={w.slots(worker.slots, of)}>{share} %<span className="bar running" aria-hidden="true"><i style={{ width: `${share}%` }} /></span></td>
      <td className="since num">{worker.since > 0 ? <Ago at={worker.since} /> : '–'}</td>
      <td className="lease num">{worker.expires === null ? <span className="dim" title={w.seenAtOnce}>{w.none0}</span> : <span title={absolute(worker.expires)}>{dead ? words.time.ago(roughly(now - worker.expires)) : words.time.in(roughly(worker.expires - now))}</span>}</td>
      <td className="serves">
        <ul>{Object.entries(worker.serves).sort().map(([name, version]) => <li key={name}><Link className="tag mono" to="/workflows" search={{ name }} title={`${name} ${version}`}>{name}</Link></li>)}</ul>
      </td>
    </tr>
  )
}
