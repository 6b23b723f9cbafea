// Why a run stands still, or has failed, and what can be done; what is alike is told once.
import { useState } from 'react'
import type { RunPicture } from '../../api/schema'
import { Coded } from '../../parts/Coded'
import { Dialog } from '../../parts/Dialog'
import { after, ErrorLine, FailureLine } from '../../parts/ErrorText'
import { typeName } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { words } from '../../words'
import { RetryButtons } from './acting'
import { alikeIncidents, type Alike } from './alike'
import { isUndo, label } from './groups'

const w = words.run
/** Reasons that are told at first. */
const TOLD = 3
/** Calls of a reason that are listed at first. */
const LISTED = 100

interface Props {
  picture: RunPicture
  showLogs: (step: string | undefined) => void
  choose: (key: string) => void
}

export function Banner({ picture, showLogs, choose }: Props) {
  const [all, setAll] = useState(false)
  // As they were when they were asked for: of those that go on meanwhile, somebody may be reading.
  const [listed, setListed] = useState<Alike>()
  const reasons = alikeIncidents(picture)
  const first = reasons[0]
  if (!first) {
    const failure = picture.run.state === 'failed' ? picture.run.error : null
    return failure ? <div className="failline" role="status" tabIndex={0}><Icon name="failed" small className="st failed" /><ErrorLine text={failure} /></div> : null
  }
  const more = reasons.length - TOLD
  const told = reasons.slice(0, all ? undefined : TOLD)
  return (
    <div className="incbox" role="alert">
      <Icon name="incident" />
      <div className="reasons">
        {told.map((each, i) => <Reason key={each.key} of={each} before={told[i + 1]} list={() => setListed(each)} />)}
        {more > 0 && <button className="plain link" aria-expanded={all} onClick={() => setAll(!all)}>{all ? w.fewerReasons : w.moreReasons(more)}</button>}
      </div>
      <div className="acts">
        <RetryButtons picture={picture} />
        <button className="btn" onClick={() => showLogs(reasons.length === 1 && first.calls.length === 1 ? first.calls[0]!.key : undefined)}>{w.logs}</button>
      </div>
      {listed && <Calls of={listed} close={() => setListed(undefined)} choose={choose} />}
    </div>
  )
}

/** What to do is told once, where the reason after it is mended in the same way. */
function Reason({ of, before, list }: { of: Alike; before: Alike | undefined; list: () => void }) {
  const { calls, others } = of
  const first = of.incidents[0]!
  const call = calls[0]
  const undo = call !== undefined && isUndo(call)
  return (
    <section>
      <p className="lead">{!call ? w.workflowIncident : calls.length > 1 ? w.stepIncidents(of.name, undo, calls.length) : w.stepIncident(of.name, undo, call.attempts ?? 1)}</p>
      <dl>
        <dt>{w.cause}</dt>
        <dd className="cause" tabIndex={0}>{first.failure ? <FailureLine failure={first.failure} /> : <span className="err"><b>{first.cause}</b>: {first.message}</span>}</dd>
        {calls.length > 1 && <><dt /><dd className="small dim">{others > 0 ? w.othersSay(others) : w.allSay(calls.length)} <button className="plain link" onClick={list}>{w.listCalls(calls.length)}</button></dd></>}
        {before?.incidents[0]!.remedy !== first.remedy && <><dt>{w.remedy}</dt><dd><Coded text={first.remedy} /></dd></>}
      </dl>
    </section>
  )
}

/** Each call of a reason, with what it says; it leads to the call. */
function Calls({ of, close, choose }: { of: Alike; close: () => void; choose: (key: string) => void }) {
  const [most, setMost] = useState(LISTED)
  const { calls, incidents } = of
  const go = (key: string) => {
    close()
    choose(key)
  }
  return (
    <Dialog title={w.stepIncidents(of.name, isUndo(calls[0]!), calls.length)} close={close} className="alike">
      <ul className="in">
        {calls.slice(0, most).map((call, i) => {
          const { failure, cause, message } = incidents[i]!
          return (
            <li key={call.key}>
              <button className="plain" onClick={() => go(call.key)}>
                <span className="mono b">{label(call)}</span>
                <span className="err">{failure ? typeName(failure.type) + after(failure.message) : cause + after(message)}</span>
              </button>
            </li>
          )
        })}
      </ul>
      {calls.length > most && <footer><button className="btn" onClick={() => setMost(most * 10)}>{words.json.more(calls.length - most)}</button></footer>}
    </Dialog>
  )
}
