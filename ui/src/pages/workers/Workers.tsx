// Who carries out runs: whether they are alive, their share, until when their lease lasts, and what they have code for.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { workersQuery } from '../../api/queries'
import type { WorkerView as Worker } from '../../api/schema'
import { Top } from '../../frame/Top'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, roughly } from '../../parts/format'
import { StateChip } from '../../parts/State'
import { Ago, useNow } from '../../parts/Time'
import { words } from '../../words'
import { Queues } from './Queues'
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
      {data && (
        <div className="overflow" tabIndex={0} role="group" aria-label={w.title}>
          {workers.length === 0 && <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />}
          {workers.length > 0 && <table className="workers">
            <thead><tr><th className="state">{w.state}</th><th>{w.worker}</th><th className="share">{w.share}</th><th className="since num">{w.since}</th><th className="lease num">{w.lease}</th><th className="serves">{w.serves}</th></tr></thead>
            <tbody>{workers.map((each) => <Row key={`${each.app} ${each.worker}`} worker={each} of={total(workers, each.app)} />)}</tbody>
          </table>}
          <Queues />
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
        <ul>{names(worker).map((name) => <Served key={name} name={name} worker={worker} />)}</ul>
      </td>
    </tr>
  )
}

/** The workflows that a worker has code for, and those that it lacks while others of its app have them. */
function names(worker: Worker): string[] {
  return [...new Set([...Object.keys(worker.serves), ...Object.keys(worker.differs)])].sort()
}

/** A workflow; where others of the app have other code for it, with its version, and in words what that means. */
function Served({ name, worker }: { name: string; worker: Worker }) {
  const version = worker.serves[name]
  const kind = worker.differs[name]
  const title = kind === undefined ? `${name} ${version}` : `${name} ${version ?? w.notHere}: ${w.differs[kind]}`
  return (
    <li>
      <Link className={`tag mono ${kind ?? ''} ${version === undefined ? 'absent' : ''}`} to="/workflows" search={{ name }} title={title}>
        {name}
        {kind !== undefined && <span className="version">{version === undefined ? w.notHere : short(version)} · {w.kinds[kind]}</span>}
      </Link>
    </li>
  )
}

/** A version as people tell it from another: its label, and the first letters of the code's fingerprint. */
function short(version: string): string {
  const slash = version.lastIndexOf('/') + 1
  return version.slice(0, slash) + version.slice(slash, slash + 7)
}
