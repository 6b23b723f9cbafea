// What is known of the selected step, or of the run itself when none is selected.
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { tasksQuery } from '../../api/queries'
import type { CallView, FailureView, RunPicture, TryView } from '../../api/schema'
import { copy } from '../../parts/copying'
import { after } from '../../parts/ErrorText'
import { absolute, clock, duration, moment, size, typeName } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Json, Value } from '../../parts/Json'
import { StateChip } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { openIncidents } from './alike'
import { Explanation } from './Decision'
import { label } from './groups'
import { CallButtons } from './repairing'

const w = words.run

/** `asked`: somebody selected the step; where there is no room beside the timeline, only then it opens. */
export function Inspector({ picture, call, choose, asked }: { picture: RunPicture; call: CallView | undefined; choose: (key: string | undefined) => void; asked: boolean }) {
  const now = useNow()
  if (!call) return <RunInspector picture={picture} />
  const at = picture.calls.indexOf(call)
  const number = picture.calls.length
  return (
    <aside className={`insp ${asked ? '' : 'unasked'}`} aria-label={`${w.step} ${call.name}`}>
      <header>
        <div className="row">
          <h2 className="mono cut" style={{ fontSize: 14 }} title={label(call)}>{label(call)}</h2>
          <StateChip state={call.state} solid />
          <span className="grow" />
          <span className="tiny faint num">{w.of(at + 1, number)}</span>
          <kbd aria-hidden="true">j</kbd>
          <kbd aria-hidden="true">k</kbd>
          <button className="btn quiet" style={{ height: 24 }} aria-label={words.frame.close} onClick={() => choose(undefined)}><Icon name="x" small /></button>
        </div>
      </header>
      <CallButtons picture={picture} call={call} />
      <section><Facts picture={picture} call={call} now={now} /></section>
      {call.failure && <Failure failure={call.failure} />}
      {(call.tries?.length ?? 0) > 0 && <Attempts key={call.key} call={call} now={now} />}
      {call.progress != null && <section><h3>{w.progress}</h3><Json value={call.progress} /></section>}
      {call.explanation && <section><h3>{words.decision.title}</h3><Explanation value={call.explanation} run={picture.run.run} /></section>}
      {call.input && <Payload title={w.input} value={call.input} run={picture.run.run} />}
      {call.kind !== 'signal' && (call.result ? <Payload title={w.output} value={call.result} run={picture.run.run} /> : <section><h3>{w.output} <span className="more">{w.noOutput}</span></h3></section>)}
    </aside>
  )
}

function Facts({ picture, call, now }: { picture: RunPicture; call: CallView; now: number }) {
  const worker = call.tries?.[call.tries.length - 1]?.worker
  const child = picture.children?.[call.key]
  return (
    <dl className="kv">
      {worker && <><dt>{w.worker}</dt><dd className="mono" title={worker}>{worker}</dd></>}
      {call.model && <><dt>{words.decision.model}</dt><dd className="mono" title={call.model}>{call.model}</dd></>}
      {call.queue && call.state === 'waiting' && <><dt>{w.queue}</dt><dd><Link className="link" to="/workers">{call.queue}</Link>, {call.holder ? w.heldBy(call.holder) : w.heldByNobody}</dd></>}
      {call.assignee && <><dt>{w.assignee}</dt><dd>{call.assignee}</dd></>}
      {call.due != null && <><dt>{w.due}</dt><dd title={absolute(call.due)}>{moment(call.due, now)}</dd></>}
      {call.by && <><dt>{w.answered}</dt><dd>{call.by}</dd></>}
      {call.kind === 'task' && call.state === 'waiting' && <><dt>{w.waits}</dt><dd><TaskLink run={picture.run.run} call={call.key} /></dd></>}
      {call.child && <><dt>{w.child}</dt><dd className="mono">{child ? <Link className="link" to="/runs/$run" params={{ run: String(child.run.run) }}>{call.child}</Link> : call.child}</dd></>}
      <dt>{w.began}</dt><dd title={absolute(call.began_at)}>{clock(call.began_at, 3)}</dd>
      <dt>{w.key}</dt><dd className="mono" title={call.key}>{call.key}</dd>
    </dl>
  )
}

/** To the task itself; until its number is known, to the inbox. */
function TaskLink({ run, call }: { run: number; call: string }) {
  const { data } = useInfiniteQuery(tasksQuery({ state: 'open', run, limit: 100 }))
  const task = data?.pages[0]?.tasks.find((each) => each.run === run && each.key === call)?.task
  return <Link className="link" to="/tasks" search={task === undefined ? {} : { task }}>{w.openTask}</Link>
}

function Payload({ title, value, run }: { title: string; value: NonNullable<CallView['input']>; run: number }) {
  return (
    <section>
      <h3>
        {title} <span className="more">{value.bytes > 0 && `${value.encoding} · ${size(value.bytes)}`}</span>
        {!value.cut && <button className="plain" aria-label={`${w.copy} ${title}`} onClick={() => copy(JSON.stringify(value.value, null, 2))}><Icon name="copy" small /></button>}
      </h3>
      <Value value={value} run={run} />
    </section>
  )
}

/** The last frame outside of libraries is the user's own; the others come on request. */
export function Failure({ failure }: { failure: FailureView }) {
  const [all, setAll] = useState(false)
  const { frames, others } = cutTraceback(failure)
  const own = frames.findLast((each) => !each.library) ?? frames.at(-1)
  const shown = all ? frames : own ? [own] : []
  return (
    <section>
      <h3>
        {w.error}
        <span className="more" />
        <button className="plain" aria-label={`${w.copy} ${w.error}`} onClick={() => copy(failure.traceback || `${failure.type}: ${failure.message}`)}><Icon name="copy" small /></button>
      </h3>
      <div className="tbbox" tabIndex={0} role="group" aria-label={w.error}>
        <pre className="tb wrap"><span className="e">{typeName(failure.type)}</span><span className="hl">{after(failure.message)}</span></pre>
        {shown.map((frame, i) => (
          <pre className="tb wrap" key={i}>{frame.place}<span className="hl code">{frame.code}</span></pre>
        ))}
        {frames.length > 1 && <button className="plain link small" onClick={() => setAll(!all)}>{all ? w.fewer : w.frames(frames.length - 1)}</button>}
        {others && <pre className="tb wrap">{others}</pre>}
      </div>
      {failure.cause && <><p className="tiny dim" style={{ margin: '6px 0 2px' }}>{w.caused}</p><p className="err clamp"><b>{typeName(failure.cause.type)}</b>{after(failure.cause.message)}</p></>}
    </section>
  )
}

/** The frames, and of a group of exceptions those that are told in no cause, as they stand there. */
function cutTraceback(failure: FailureView): { frames: { place: string; code: string; library: boolean }[]; others: string } {
  const frames: { place: string; code: string; library: boolean }[] = []
  const lines = (failure.traceback ?? '').split('\n')
  lines.forEach((line, i) => {
    const found = /^ {2}File "(.+)", line (\d+), in (.+)$/.exec(line)
    if (!found) return
    const code: string[] = []
    for (let j = i + 1; j < lines.length && lines[j]!.startsWith('    '); j++) if (!/^\s*[\^~]+\s*$/.test(lines[j]!)) code.push(lines[j]!.trim())
    const file = found[1]!.split('/').slice(-2).join('/')
    frames.push({ place: `${file}:${found[2]} in ${found[3]}`, code: code.map((each) => `→ ${each}`).join('\n'), library: /\/(lib\/python[\d.]+|site-packages)\//.test(found[1]!) })
  })
  const group = lines.findIndex((line) => line.startsWith('  in the group:'))
  return { frames, others: group < 0 ? '' : lines.slice(group).map((line) => line.slice(2)).join('\n').trimEnd() }
}

/** Attempts that are shown at first, and how many more each time. */
const LATEST = 50

function Attempts({ call, now }: { call: CallView; now: number }) {
  const [most, setMost] = useState(LATEST)
  const newest = [...(call.tries ?? [])].reverse()
  return (
    <section>
      <h3>{w.attemptsTitle} {call.of != null && <span className="more num">{w.of(call.attempts ?? 0, call.of)}</span>}</h3>
      {newest.slice(0, most).map((each) => <Attempt key={each.number} attempt={each} call={call} now={now} />)}
      {newest.length > most && <button className="plain link small" onClick={() => setMost(most * 10)}>{words.json.more(newest.length - most)}</button>}
    </section>
  )
}

function Attempt({ attempt, call, now }: { attempt: TryView; call: CallView; now: number }) {
  const state = attempt.failure ? 'failed' : attempt.ended_at == null ? call.state : call.undo ? 'compensated' : 'completed'
  return (
    <div className="att">
      <Icon name={state === 'failed' ? 'failed' : state === 'running' ? 'running' : state === 'compensated' ? 'compensated' : 'completed'} small className={`st ${state}`} />
      <span>{attempt.number}</span>
      <span className="num" title={absolute(attempt.started_at)}>{clock(attempt.started_at, 1)}</span>
      <span className="num">{duration((attempt.ended_at ?? now) - attempt.started_at)}</span>
      <span className="cut err" title={attempt.failure?.message}>{attempt.failure ? typeName(attempt.failure.type) + after(attempt.failure.message) : ''}</span>
    </div>
  )
}

function RunInspector({ picture }: { picture: RunPicture }) {
  const { run } = picture
  const failure = picture.failure ?? openIncidents(picture).find((each) => each.key == null)?.failure
  return (
    <aside className="insp runinsp" aria-label={`${words.pages.runs} ${run.id}`}>
      <header><div className="row"><h2 className="mono cut" style={{ fontSize: 14 }}>{run.workflow}</h2><StateChip state={run.state} /></div></header>
      <section>
        <dl className="kv">
          <dt>{w.id}</dt><dd className="mono" title={run.id}>{run.id}</dd>
          <dt>{w.version}</dt><dd className="mono">{run.version}</dd>
          {([[w.parent, run.parent], [w.first, picture.first], [w.latest, picture.latest]] as const).map(([word, other]) => other != null && (
            <div key={word} style={{ display: 'contents' }}><dt>{word}</dt><dd><Link className="link mono" to="/runs/$run" params={{ run: String(other) }}>{other}</Link></dd></div>
          ))}
          <dt>{w.began}</dt><dd>{absolute(run.started_at)}</dd>
          {picture.waits.map((wait, i) => <div key={i} style={{ display: 'contents' }}><dt>{w.waits}</dt><dd>{wait.kind} <span className="mono">{wait.name}</span> {wait.until != null && absolute(wait.until)}</dd></div>)}
        </dl>
      </section>
      {failure && <Failure failure={failure} />}
      {Object.keys(run.attributes).length > 0 && <section><h3>{w.attributes}</h3><Json value={run.attributes} /></section>}
      {Object.keys(picture.published).length > 0 && <section><h3>{w.published}</h3><Json value={picture.published} /></section>}
      {picture.input && <Payload title={w.input} value={picture.input} run={run.run} />}
      {picture.result && <Payload title={w.result} value={picture.result} run={run.run} />}
    </aside>
  )
}
