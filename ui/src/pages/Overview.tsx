// The first page: does something need me? Then what is happening, then what happened.
import { useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useAllowed } from '../api/allowed'
import { figuresQuery, overviewQuery, runsQuery, schedulesQuery, workflowsQuery } from '../api/queries'
import type { HumanTask, Overview as OverviewData, RunView, WorkflowFigures } from '../api/schema'
import { asked, SPANS, type Range } from '../parts/buckets'
import { ErrorLine } from '../parts/ErrorText'
import { EmptyFace, ErrorFace, GreyRows } from '../parts/Faces'
import { count, failureRate, percent } from '../parts/figures'
import { absolute, duration, moment, roughly, until } from '../parts/format'
import { Icon } from '../parts/Icon'
import { StateChip, StateIcon, stateWord, tone } from '../parts/State'
import { useNow } from '../parts/Time'
import { Top } from '../frame/Top'
import { StartButton } from '../frame/StartButton'
import type { RunsSearch } from '../routes'
import { words } from '../words'
import { summaryOf } from './tasks/facts'
import './overview.css'

const Charts = lazy(() => import('./Charts'))
const w = words.overview
/** Incidents that are shown, and tasks. */
const SHOWN = 8
/** Schedules that are shown. */
const NEXT = 5
/** Schedules that are asked for, because one that is due first may have no run to start. */
const DUE = 50
const COUNTS = ['incident', 'running', 'waiting', 'paused', 'failed', 'completed', 'cancelled']

export default function Overview() {
  const { data, error, refetch } = useQuery(overviewQuery)
  const { range = 'day' } = useSearch({ from: '/overview' })
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} start tools={<Ranges range={range} />} />
      <div className="ovw">
        {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
        {!data && !error && <GreyRows />}
        {data && <Page data={data} range={range} />}
      </div>
    </main>
  )
}

function Page({ data, range }: { data: OverviewData; range: Range }) {
  const any = Object.values(data.counts).some((n) => n > 0)
  return (
    <>
      <Counts data={data} />
      <div className="two">
        <Needs data={data} />
        <Workers data={data} />
      </div>
      {any && <OverTime data={data} />}
      {any ? <Workflows data={data} range={range} /> : (
        <section className="panel">
          <EmptyFace title={words.runs.first} hint={words.runs.firstHint} code={words.runs.sample}>
            <StartButton />
          </EmptyFace>
        </section>
      )}
    </>
  )
}

function Ranges({ range }: { range: Range }) {
  return (
    <span className="seg wide" role="group" aria-label={words.charts.range}>
      {(Object.keys(SPANS) as Range[]).map((each) => (
        <Link key={each} from="/overview" to="/overview" replace search={(old) => ({ ...old, range: each === 'day' ? undefined : each })} aria-current={each === range ? 'true' : undefined} title={words.ranges[each]}>{words.spans[each]}</Link>
      ))}
    </span>
  )
}

function OverTime({ data }: { data: OverviewData }) {
  const { range = 'day', workflow } = useSearch({ from: '/overview' })
  const navigate = useNavigate({ from: '/overview' })
  const names = Object.keys(data.owner?.serves ?? {}).sort()
  const known = workflow === undefined || names.includes(workflow) ? names : [...names, workflow]
  return (
    <section className="over" aria-label={words.charts.title}>
      <label className="row small dim">
        {words.charts.title}
        <select aria-label={w.workflow} value={workflow ?? ''} onChange={(event) => void navigate({ search: (old) => ({ ...old, workflow: event.target.value || undefined }), replace: true })}>
          <option value="">{words.charts.any}</option>
          {known.map((name) => <option key={name}>{name}</option>)}
        </select>
      </label>
      <Suspense fallback={<div className="charts waiting" />}><Charts range={range} workflow={workflow} /></Suspense>
    </section>
  )
}

function Counts({ data }: { data: OverviewData }) {
  return (
    <nav className="counts" aria-label={w.counts}>
      {COUNTS.map((state) => {
        const n = data.counts[state] ?? 0
        return (
          <Link key={state} to="/runs" search={{ state: [state] } satisfies RunsSearch} className={`${tone(state)} ${state === 'incident' && n > 0 ? 'alert' : ''}`}>
            <span className="w"><StateIcon state={state} small={false} />{stateWord(state)}</span>
            <b>{n.toLocaleString()}</b>
          </Link>
        )
      })}
    </nav>
  )
}

function Needs({ data }: { data: OverviewData }) {
  const now = useNow()
  const incidents = data.counts['incident'] ?? 0
  return (
    <section className="panel needs">
      <div className="sect">
        <h2>{w.needs}</h2>
        <span className="tiny faint">{w.summary(incidents, data.open_tasks)}</span>
        {incidents > SHOWN && <Link className="more link" to="/runs" search={{ view: 'needs' }}>{w.allOf(incidents, 0)}</Link>}
        {data.open_tasks > SHOWN && <Link className="more link" to="/tasks">{w.allOf(0, data.open_tasks)}</Link>}
      </div>
      {incidents + data.open_tasks === 0 && <p className="nothing"><Icon name="check" small className="st completed" />{w.nobody}</p>}
      <ul>
        {data.incidents.slice(0, SHOWN).map((run) => <IncidentItem key={`r${run.run}`} run={run} now={now} />)}
        {data.tasks.slice(0, SHOWN).map((task) => <TaskItem key={`t${task.task}`} task={task} now={now} />)}
      </ul>
    </section>
  )
}

function IncidentItem({ run, now }: { run: RunView; now: number }) {
  return (
    <li className="need">
      <StateIcon state="incident" small={false} />
      <div className="grow">
        <div className="row"><Link className="b mono cut" to="/runs/$run" params={{ run: String(run.run) }}>{run.id}</Link><span className="tiny faint cut">{run.workflow}</span></div>
        <div className="cut"><ErrorLine text={run.standing?.text || run.error || ''} /></div>
      </div>
      <span className="num small dim">{roughly(Math.max(0, now - run.changed_at))}</span>
      <Link className="btn" to="/runs/$run" params={{ run: String(run.run) }} aria-label={`${w.open} ${run.id}`}>{w.open}</Link>
    </li>
  )
}

function TaskItem({ task, now }: { task: HumanTask; now: number }) {
  const facts = [summaryOf(task.subject), task.due ? words.now.due(moment(task.due, now)) : ''].filter(Boolean).join(' · ')
  return (
    <li className="need">
      <StateIcon state="waiting" small={false} />
      <div className="grow">
        <div className="row"><Link className="b cut" to="/tasks" search={{ task: task.task }}>{task.name}</Link><span className="tiny faint cut">{w.task(task.assignee)}</span></div>
        <div className="cut">{facts || task.run_id}</div>
      </div>
      <span className="num small dim">{roughly(Math.max(0, now - task.opened_at))}</span>
      <Link className="btn" to="/tasks" search={{ task: task.task }} aria-label={`${w.review} ${task.name}`}>{w.review}</Link>
    </li>
  )
}

function Workers({ data }: { data: OverviewData }) {
  const now = useNow()
  const due = data.tasks.filter((task) => task.due != null).slice(0, 4)
  return (
    <div className="col">
      <section className="panel mini">
        <h2>{w.workers} <span>{w.owner(data.owner ? 1 : 0)}</span></h2>
        {data.owner ? (
          <ul>
            <li><StateIcon state="running" /><span className="mono cut grow">{data.owner.worker}</span><span className="tiny dim">{w.serves(Object.keys(data.owner.serves).length)}</span></li>
          </ul>
        ) : <p className="small" style={{ padding: '8px 12px' }}>{w.noWorker} <code>{w.workerCommand}</code></p>}
      </section>
      {due.length > 0 && (
        <section className="panel mini">
          <h2>{words.run.due}</h2>
          <ul>{due.map((task) => <li key={task.task}><span className="num mono faint">{until(task.due!, now)}</span><Link className="cut grow" to="/tasks" search={{ task: task.task }}>{task.name}</Link><span className="tiny dim">{task.assignee}</span></li>)}</ul>
        </section>
      )}
      <NextDue />
    </div>
  )
}

/** The schedules that start a run next. */
function NextDue() {
  const now = useNow()
  const may = useAllowed()
  const { data, hasNextPage } = useInfiniteQuery({ ...schedulesQuery('', DUE), enabled: may('schedules:read') })
  const known = data?.pages[0]?.schedules ?? []
  const coming = known
    .flatMap((each) => (each.paused === null && each.next[0] !== undefined ? [{ schedule: each, at: each.next[0] }] : []))
    .sort((a, b) => a.at - b.at)
  if (coming.length === 0) return null
  return (
    <section className="panel mini">
      <h2>{w.nextDue} <span><Link className="link" to="/schedules">{w.all(known.length, hasNextPage)}</Link></span></h2>
      <ul>
        {coming.slice(0, NEXT).map(({ schedule, at }) => (
          <li key={schedule.name}><span className="num mono faint" title={absolute(at)}>{until(at, now)}</span><Link className="mono cut grow" to="/schedules" search={{ name: schedule.name }}>{schedule.name}</Link><span className="tiny dim">{moment(at, now)}</span></li>
        ))}
      </ul>
    </section>
  )
}

function Workflows({ data, range }: { data: OverviewData; range: Range }) {
  const now = useNow()
  const known = useQuery(workflowsQuery)
  const { data: figures } = useQuery(figuresQuery(asked(range, now)))
  const by = new Map(figures?.workflows.map((each) => [each.workflow, each]))
  const served = known.data?.map((each) => each.name) ?? Object.keys(data.owner?.serves ?? {})
  const names = [...new Set([...served, ...by.keys()])].slice(0, 20)
  const recent = useQueries({ queries: names.map((workflow) => runsQuery({ workflow, limit: 24 })) })
  return (
    <section className="panel">
      <table className="flows">
        <thead>
          <tr>
            <th>{w.workflow}</th><th className="num wide">{w.running}</th><th className="num wide">{w.waiting}</th><th className="num" title={words.ranges[range]}>{w.ended}</th><th className="num wide">{w.failed}</th><th className="num wide">{w.p50}</th><th className="num wide">{w.p95}</th><th className="strip">{w.lastRuns}</th>
          </tr>
        </thead>
        <tbody>{names.map((name, i) => <WorkflowRow key={name} name={name} figures={by.get(name)} more={figures?.open_cut === true} runs={recent[i]?.data?.runs ?? []} now={now} />)}</tbody>
      </table>
    </section>
  )
}

function WorkflowRow({ name, figures, more, runs, now }: { name: string; figures: WorkflowFigures | undefined; more: boolean; runs: RunView[]; now: number }) {
  const none = <span className="faint">{w.none}</span>
  const open = figures?.open ?? {}
  const shown = (n: number) => `${n.toLocaleString()}${more ? '+' : ''}`
  const incidents = open['incident'] ?? 0
  const rate = figures ? failureRate(figures) : null
  return (
    <tr>
      <td>
        <div className="row">
          <Link className="mono b cut" to="/workflows" search={{ name }}>{name}</Link>
          {incidents > 0 && <StateChip state="incident" text={w.summary(incidents, 0)} />}
        </div>
      </td>
      <td className="num wide">{shown(open['running'] ?? 0)}</td>
      <td className="num wide">{shown((open['waiting'] ?? 0) + (open['paused'] ?? 0))}</td>
      <td className="num">{(figures ? count(figures) : 0).toLocaleString()}</td>
      <td className={`num wide ${rate ? 'failed' : ''}`}>{rate === null ? none : <span className={rate ? 'word' : ''}>{percent(rate)}</span>}</td>
      <td className="num wide">{figures?.p50 == null ? none : duration(figures.p50)}</td>
      <td className="num wide">{figures?.p95 == null ? none : duration(figures.p95)}</td>
      <td className="strip"><Strip runs={runs} now={now} /></td>
    </tr>
  )
}

/** The last runs, newest right, by length; failures have a foot, so that they are seen without colour. */
export function Strip({ runs, now }: { runs: RunView[]; now: number }) {
  const shown = [...runs].reverse()
  const lengths = shown.map((each) => Math.max(1000, (each.closed_at ?? now) - each.started_at))
  const longest = Math.max(...lengths, 1)
  return (
    <svg width="120" height="22" role="img" aria-label={shown.map((each) => stateWord(each.state)).join(', ') || w.none}>
      {shown.map((each, i) => {
        const height = Math.max(3, 18 * (Math.log(lengths[i]! / 500) / Math.log(longest / 500 + 1)))
        const bad = each.state === 'failed' || each.state === 'incident'
        return (
          <g key={each.run} className={tone(each.state)}>
            <rect x={i * 5} y={18 - height} width="3.5" height={height} rx="1" fill="var(--f)" />
            {bad && <rect x={i * 5} y="20" width="3.5" height="2" fill="var(--c)" />}
          </g>
        )
      })}
    </svg>
  )
}
