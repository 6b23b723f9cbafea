// One run: where it stands, why, and what can be done.
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { runQuery } from '../../api/queries'
import type { CallView, RunPicture } from '../../api/schema'
import { copy } from '../../parts/copying'
import { ErrorFace, GreyRows } from '../../parts/Faces'
import { duration, oneLine } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useKeys } from '../../parts/keys'
import { later } from '../../parts/later'
import { StateChip } from '../../parts/State'
import { Ago, Span, useNow } from '../../parts/Time'
import { useFrame } from '../../frame/opening'
import { Top } from '../../frame/Top'
import type { RunSearch } from '../../routes'
import { words } from '../../words'
import { RunButtons, StartAgain } from './acting'
import { openIncidents } from './alike'
import { Banner } from './Banner'
import { culprit, label } from './groups'
import { Inspector } from './Inspector'
import { locate } from './lines'
import { Timeline } from './Timeline'
import { useActivity } from './activity'
import './run.css'

const Graph = later(() => import('./Graph'))
const Events = later(() => import('./Events'))
const Artifacts = later(() => import('./Artifacts'))
const Logs = later(() => import('./Logs'))
const w = words.run
/** In the address: no step is selected, not even the one that needs a person. */
const NONE = '-'
/** Attributes that stand at the head of a run. */
const SHOWN = 6
const TABS = ['timeline', 'graph', 'events', 'logs', 'artifacts'] as const

export default function Run() {
  const number = Number(useParams({ from: '/runs/$run' }).run)
  const { data, error, refetch } = useQuery(runQuery(number))
  const picture = useActivity(number, data)
  return (
    <main id="content" tabIndex={-1}>
      <Top title={picture?.run.id ?? words.pages.runs} crumbs={<Crumbs picture={picture} />} />
      {error && !picture && <ErrorFace error={error} retry={() => void refetch()} />}
      {!picture && !error && <GreyRows />}
      {picture && <Page picture={picture} />}
    </main>
  )
}

function Crumbs({ picture }: { picture: RunPicture | undefined }) {
  return (
    <div className="crumbs grow0">
      <Link to="/runs">{words.pages.runs}</Link>
      {!picture && <h1 className="sr">{words.pages.runs}</h1>}
      {picture && (
        <>
          <span className="sep wide">/</span>
          <Link className="mono cut wide of" title={picture.run.workflow} to="/runs" search={{ workflow: picture.run.workflow }}>{picture.run.workflow}</Link>
          <span className="sep">/</span>
          <span className="mono cut">{picture.run.id}</span>
          <button className="btn quiet" aria-label={w.copyId} onClick={() => copy(picture.run.id)}><Icon name="copy" small /></button>
        </>
      )}
    </div>
  )
}

function Page({ picture }: { picture: RunPicture }) {
  const search = useSearch({ from: '/runs/$run' })
  const navigate = useNavigate({ from: '/runs/$run' })
  const { setActions } = useFrame()
  const tab = search.tab ?? 'timeline'
  const look = useCallback((change: Partial<RunSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...change }), replace }), [navigate])
  const first = urgent(picture)
  const choose = useCallback((step: string | undefined) => look({ step: step ?? (first === undefined ? undefined : NONE) }), [look, first])
  const step = search.step ?? first
  const { picture: of, call: chosen } = useMemo(() => locate(picture, step) ?? { picture, call: undefined }, [picture, step])
  const show = useCallback((next: (typeof TABS)[number]) => look({ tab: next === 'timeline' ? undefined : next }, false), [look])
  useTabKeys(picture, chosen, choose, show)
  useEffect(() => {
    setActions(TABS.map((each, i) => ({ label: w.tabs[each], keys: String(i + 1), act: () => show(each) })))
    return () => setActions([])
  }, [setActions, show])
  return (
    <>
      <Head picture={picture} />
      <Banner picture={picture} showLogs={(step) => look({ tab: 'logs', step }, false)} choose={choose} />
      <nav className="tabs" aria-label={w.step}>
        {TABS.map((each) => (
          <Link key={each} from="/runs/$run" activeOptions={{ exact: true, explicitUndefined: true }} search={(old) => ({ ...old, tab: each === 'timeline' ? undefined : each })} aria-current={tab === each ? 'page' : undefined}>
            {w.tabs[each]}
            {each === 'events' && <span className="n">{picture.seq.toLocaleString()}</span>}
          </Link>
        ))}
      </nav>
      <div className="split">
        {tab === 'timeline' && <Timeline picture={picture} chosen={chosen && step} choose={choose} unfolded={search.unfolded === true} fold={(unfolded) => look({ unfolded: unfolded || undefined })} />}
        {tab === 'graph' && <Graph picture={picture} chosen={chosen?.key} choose={choose} />}
        {tab === 'events' && <Events picture={picture} full={search.full === true} look={look} choose={choose} chosen={chosen?.key} />}
        {tab === 'artifacts' && <Artifacts picture={picture} />}
        {tab === 'logs' && <Logs picture={picture} search={search} look={look} />}
        <Inspector picture={of} call={chosen} choose={choose} asked={search.step !== undefined} />
      </div>
    </>
  )
}

/** What a person came to see: the call that stands still, or else the one that failed. */
function urgent(picture: RunPicture): string | undefined {
  const incident = openIncidents(picture).find((each) => each.key != null)
  const failed = picture.run.state === 'failed' ? culprit(picture.calls, picture.run.error) : undefined
  return incident?.key ?? failed?.key
}

function useTabKeys(picture: RunPicture, chosen: CallView | undefined, choose: (key: string | undefined) => void, show: (tab: (typeof TABS)[number]) => void): void {
  const navigate = useNavigate()
  const keys = picture.calls.map((each) => each.key)
  const at = chosen ? keys.indexOf(chosen.key) : -1
  const move = (by: number) => choose(keys[Math.max(0, Math.min(keys.length - 1, at + by))])
  const nextError = () => {
    const bad = picture.calls.filter((each) => each.state === 'failed' || each.state === 'incident' || each.failure)
    const after = bad.find((each) => keys.indexOf(each.key) > at) ?? bad[0]
    if (after) choose(after.key)
  }
  useKeys({
    ...Object.fromEntries(TABS.map((each, i) => [String(i + 1), () => show(each)])),
    j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
    e: nextError, l: () => show('logs'), c: () => copy(picture.run.id),
    Escape: () => (chosen ? choose(undefined) : void navigate({ to: '/runs' })),
  })
}

function Head({ picture }: { picture: RunPicture }) {
  const { run, calls } = picture
  const incident = openIncidents(picture)[0]
  const failed = culprit(calls, run.error)
  const undone = calls.filter((each) => each.undo)
  return (
    <div className="runhead">
      <div className="grow">
        <h1>
          <span className="mono cut" title={run.id}>{run.id}</span>
          <StateChip state={run.state} solid />
        </h1>
        <div className="facts">
          {incident && <span>{w.standing} <b><Span from={incident.at} /></b></span>}
          {failed && (run.state === 'failed' || undone.length > 0) && <span>{w.failedAt} <b className="mono">{label(failed)}</b></span>}
          {undone.length > 0 && <span>{w.undone} <b>{undone.filter((each) => each.state === 'compensated').length} / {undone.length}</b></span>}
          <span>{w.startedAgo} <b><Ago at={run.started_at} /></b>{picture.started_by && <> {w.by} <b>{picture.started_by.replace(/^user:/, '')}</b></>}</span>
          <Worked picture={picture} />
          <Attributes of={run.attributes} />
        </div>
      </div>
      <RunButtons picture={picture} />
      <StartAgain picture={picture} />
    </div>
  )
}

/** As many as a line or two hold; the others on request, so that no number of them pushes the run itself off the screen. */
function Attributes({ of }: { of: Record<string, unknown> }) {
  const [all, setAll] = useState(false)
  const known = Object.entries(of)
  const more = known.length - SHOWN
  return (
    <>
      {known.slice(0, all ? undefined : SHOWN).map(([name, value]) => (
        <span key={name}>{name} <b className="mono">{oneLine(value)}</b></span>
      ))}
      {more > 0 && <button className="plain link" aria-expanded={all} onClick={() => setAll(!all)}>{all ? w.fewerAttributes : w.moreAttributes(more)}</button>}
    </>
  )
}

/** How long it ran, and how long it waited: never added up. */
function Worked({ picture }: { picture: RunPicture }) {
  const now = useNow()
  const end = picture.run.closed_at ?? now
  const ran = useMemo(() => covered(picture.calls, end), [picture.calls, end])
  return (
    <span>
      {w.ran} <b>{duration(ran)}</b> · {w.waited} <b>{duration(Math.max(0, end - picture.run.started_at - ran))}</b>
    </span>
  )
}

/** Time in which at least one attempt ran. */
function covered(calls: CallView[], end: number): number {
  const spans = calls.flatMap((call) => (call.tries ?? []).map((each) => [each.started_at, each.ended_at ?? end] as const)).sort((a, b) => a[0] - b[0])
  let sum = 0
  let reached = 0
  for (const [from, to] of spans) {
    if (to > reached) sum += to - Math.max(from, reached)
    reached = Math.max(reached, to)
  }
  return sum
}
