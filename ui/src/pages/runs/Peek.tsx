// A look at a run without leaving the list: where it stands, why, its steps, its last lines.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { runQuery } from '../../api/queries'
import type { CallView, RunPicture } from '../../api/schema'
import { Coded } from '../../parts/Coded'
import { ErrorFace, GreyRows } from '../../parts/Faces'
import { after } from '../../parts/ErrorText'
import { duration, typeName } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { DurationBar, StateChip, StateIcon, stateWord } from '../../parts/State'
import { Ago, Span, useNow } from '../../parts/Time'
import { Value } from '../../parts/Json'
import { words } from '../../words'
import { RetryButtons } from '../run/acting'
import { alikeErrors, openIncidents } from '../run/alike'
import { Cells } from '../run/Cells'
import { groups, label, spent, type Group } from '../run/groups'
import '../run/run.css'

const w = words.run
/** Errors that are shown at first. */
const SHOWN = 6

export default function Peek({ run, close }: { run: number; close: () => void }) {
  const { data, error, refetch } = useQuery(runQuery(run))
  return (
    <aside className="insp peek" aria-label={`${words.runs.peek} ${data?.run.id ?? run}`}>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={6} />}
      {data && <Picture picture={data} close={close} />}
    </aside>
  )
}

function Picture({ picture, close }: { picture: RunPicture; close: () => void }) {
  const { run, calls } = picture
  const all = groups(calls)
  const incidents = openIncidents(picture)
  return (
    <>
      <header>
        <div className="row">
          <h2 className="mono cut" style={{ fontSize: 14 }} title={run.id}>{run.id}</h2>
          <StateChip state={run.state} solid />
          <span className="grow" />
          <Link className="btn" style={{ height: 24 }} to="/runs/$run" params={{ run: String(run.run) }}>
            {words.runs.openRun} <kbd aria-hidden="true">↵</kbd>
          </Link>
          <button className="btn quiet" style={{ height: 24 }} onClick={close} aria-label={words.frame.close}>
            <Icon name="x" small />
          </button>
        </div>
        <div className="facts">
          <span><b className="mono">{run.workflow}</b> <span className="faint">{run.version.slice(0, 7)}</span></span>
          <span>{w.startedAgo} <b><Ago at={run.started_at} /></b></span>
          {incidents[0] ? <span>{w.standing} <b><Span from={incidents[0].at} /></b></span> : <span>{w.took} <b><Span from={run.started_at} to={run.closed_at} /></b></span>}
        </div>
      </header>
      {all.filter((each) => each.calls.length > 3).map((each) => <Mapped key={each.key} group={each} />)}
      <Errors calls={calls} />
      {incidents.length > 0 && (
        <section>
          <h3>{w.remedy}</h3>
          <p className="small" style={{ marginBottom: 8 }}><Coded text={incidents[0]!.remedy} /></p>
          <RetryButtons picture={picture} />
        </section>
      )}
      <section>
        <h3>{w.stepsTitle}<span className="more num">{w.steps(calls.length)}</span></h3>
        <Steps all={all} />
      </section>
      {picture.result && (
        <section>
          <h3>{w.result}</h3>
          <Value value={picture.result} run={picture.run.run} />
        </section>
      )}
    </>
  )
}

function Steps({ all }: { all: Group[] }) {
  const now = useNow()
  const longest = Math.max(1, ...all.map((each) => spent(each, now)))
  if (all.length === 0) return <p className="small dim">{w.nothing}</p>
  return (
    <ul>
      {all.slice(0, 24).map((group) => (
        <li key={group.key} className="stp">
          <StateIcon state={group.state} />
          <span className="mono cut" title={`${group.name}, ${stateWord(group.state)}`}>{group.calls.length > 1 ? w.group(group.name, group.calls.length) : group.name}<span className="sr">, {stateWord(group.state)}</span></span>
          <span className="num">{duration(spent(group, now))}</span>
          <DurationBar state={group.state} us={spent(group, now)} full={longest} />
        </li>
      ))}
    </ul>
  )
}

function Mapped({ group }: { group: Group }) {
  const done = group.calls.filter((each) => each.state === 'completed').length
  return (
    <section>
      <h3>
        <span className="mono">{group.name}</span> <span className="tiny faint">{w.inParallel(group.calls.length)}</span>
        <span className="more num">{done} / {group.calls.length}</span>
      </h3>
      <Cells calls={group.calls} />
    </section>
  )
}

/** Errors that stand, those that are alike as one, the most frequent first. */
function Errors({ calls }: { calls: CallView[] }) {
  const [all, setAll] = useState(false)
  const causes = useMemo(() => alikeErrors(calls), [calls])
  if (causes.length === 0) return null
  const more = causes.length - SHOWN
  return (
    <section>
      <h3>{w.error}</h3>
      {causes.slice(0, all ? undefined : SHOWN).map(({ key, calls: [first, ...rest], others }) => (
        <div key={key} className="errg">
          <span className="num failed word">{(rest.length + 1).toLocaleString()} ×</span>
          <div>
            <div className="err clamp"><b>{typeName(first!.failure!.type)}</b>{after(first!.failure!.message)}</div>
            <div className="tiny dim cut mono">{rest.length > 0 ? first!.name : label(first!)}</div>
            {others > 0 && <div className="tiny dim">{w.othersSay(others)}</div>}
          </div>
        </div>
      ))}
      {more > 0 && <button className="plain link small" aria-expanded={all} onClick={() => setAll(!all)}>{all ? w.fewerReasons : w.moreReasons(more)}</button>}
    </section>
  )
}
