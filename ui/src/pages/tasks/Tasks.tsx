// What people are asked: the inbox, the work, and what surrounds it.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { sessionQuery, taskQuery, tasksQuery, type TaskFilter } from '../../api/queries'
import type { HumanTask } from '../../api/schema'
import { Top } from '../../frame/Top'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { moment } from '../../parts/format'
import { useKeys } from '../../parts/keys'
import { More } from '../../parts/More'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { Handing, Mark, useName } from './claiming'
import { Context } from './Context'
import { summaryOf } from './facts'
import { Work } from './Work'
import './tasks.css'

const w = words.tasks
const SOON = 24 * 3600 * 1_000_000
const PAGE = 100

export default function Tasks() {
  const { view, task: wanted } = useSearch({ from: '/tasks' })
  const navigate = useNavigate({ from: '/tasks' })
  const now = useNow()
  const me = useName()
  // Until it is known who looks, nobody's tasks are theirs; a filter without a name would be all of them.
  const known = useQuery(sessionQuery).data !== undefined
  const { data, error, refetch, isPlaceholderData, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...tasksQuery(filterOf(view, me)), enabled: view !== 'mine' || known })
  const shown = useMemo(() => unique(data?.pages.flatMap((page) => page.tasks) ?? []), [data])
  const counts = data?.pages[0]?.counts
  // Where nobody has chosen, the first one that was shown stays: what comes later may be due sooner.
  const [rested, setRested] = useState<{ view: typeof view; task: number }>()
  const first = isPlaceholderData ? undefined : shown[0]?.task
  useEffect(() => {
    if (wanted !== undefined || first === undefined) setRested(undefined)
    else setRested((old) => (old !== undefined && old.view === view ? old : { view, task: first }))
  }, [wanted, view, first])
  const opened = wanted ?? (rested !== undefined && rested.view === view ? rested.task : undefined)
  const listed = shown.find((each) => each.task === opened)
  // A link may lead to one that stands on a page which is not here yet; one that is let go leaves those of one's own.
  const alone = useQuery({ ...taskQuery(opened ?? 0), enabled: opened !== undefined && data !== undefined && !listed })
  // News of one's own answer may come before the answer to it: until then the task stands as it was.
  const [answered, setAnswered] = useState<HumanTask>()
  // As it was when the dialog was opened, which stays when the task is somebody else's.
  const [handing, setHanding] = useState<HumanTask>()
  const kept = answered?.task === opened ? answered : undefined
  const current = listed ?? kept ?? (opened === undefined ? shown[0] : hasNextPage || alone.data?.state === 'open' ? alone.data : undefined)
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage])
  const go = (task: number | undefined) => void navigate({ search: (old) => ({ ...old, task }), replace: true })
  const move = (by: number) => {
    const at = current ? shown.indexOf(current) : -1
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))]
    if (next) go(next.task)
  }
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1) })
  const latest = useRef(shown)
  latest.current = shown
  // Whoever has gone elsewhere before the answer was in stays there.
  const next = (done: HumanTask) => {
    if (!location.pathname.endsWith('/tasks')) return
    const following = latest.current.find((each) => each.task !== done.task)?.task
    void navigate({ search: (old) => (old.task === undefined || old.task === done.task ? { ...old, task: following } : old), replace: true })
  }
  const empty = view === 'done' ? <EmptyFace title={w.noneDone} /> : view === 'overdue' ? <EmptyFace title={w.noneOverdue} /> : view === 'mine' ? <EmptyFace title={w.noneMine} hint={w.noneMineHint} /> : <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} />
      <nav className="tabs" aria-label={w.inbox}>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{}} aria-current={view === undefined ? 'page' : undefined}>{w.open} <Count of={counts?.open} most={counts?.most} /></Link>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{ view: 'mine' }} aria-current={view === 'mine' ? 'page' : undefined}>{w.mine} <Count of={counts?.mine} most={counts?.most} /></Link>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{ view: 'overdue' }} aria-current={view === 'overdue' ? 'page' : undefined}>{w.overdue} <Count of={counts?.overdue} most={counts?.most} /></Link>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{ view: 'done' }} aria-current={view === 'done' ? 'page' : undefined}>{w.done}</Link>
      </nav>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows />}
      {handing && <Handing key={handing.task} task={handing} close={() => setHanding(undefined)} />}
      {data && shown.length === 0 && !current && empty}
      {data && (shown.length > 0 || current) && (
        <div className={`tasks ${wanted !== undefined ? 'picked' : ''}`}>
          <ul className="inbox" aria-label={w.inbox}>
            {shown.map((each) => <Item key={each.task} task={each} current={each.task === current?.task} now={now} />)}
            <li className="dim small" style={{ padding: '14px 16px' }}>{hasNextPage ? <More load={more} loading={isFetchingNextPage} /> : w.allDone}</li>
          </ul>
          {current ? <Work key={current.task} task={current} keep={setAnswered} next={next} hand={() => setHanding(current)} back={() => go(undefined)} /> : <section className="work"><EmptyFace title={w.withdrawn} /></section>}
          {current && <Context task={current} />}
        </div>
      )}
    </main>
  )
}

function filterOf(view: string | undefined, me: string): TaskFilter {
  if (view === 'done') return { state: 'completed', limit: PAGE }
  if (view === 'overdue') return { state: 'open', overdue: true, limit: PAGE }
  return view === 'mine' ? { state: 'open', claimed_by: me, limit: PAGE } : { state: 'open', limit: PAGE }
}

/** One that has moved on while pages came stands on two of them. */
function unique(tasks: HumanTask[]): HumanTask[] {
  const seen = new Set<number>()
  return tasks.filter((each) => !seen.has(each.task) && seen.add(each.task))
}

/** How many there are, as far as they are counted. */
function Count({ of, most = Infinity }: { of: number | undefined; most?: number | undefined }) {
  return of === undefined ? null : <span className="n">{of.toLocaleString()}{of >= most && '+'}</span>
}

function Item({ task, current, now }: { task: HumanTask; current: boolean; now: number }) {
  const soon = task.due != null && task.due - now < SOON && task.state === 'open'
  return (
    <li>
      <Link from="/tasks" className={`task ${current ? 'cur' : ''}`} to="/tasks" search={(old) => ({ ...old, task: task.task })} aria-current={current ? 'true' : undefined}>
        <div className="row"><span className="b cut grow">{task.name}</span><Mark of={task.claimed_by} /></div>
        <div className="small dim cut">{summaryOf(task.subject) || task.run_id}</div>
        <div className="row tiny" style={{ marginTop: 2 }}>
          {task.assignee && <span className="tag">{task.assignee}</span>}
          {task.due != null && task.state === 'open' && <span className={soon ? 'retrying word tiny' : 'dim tiny'} style={{ flex: 'none' }}>{w.escalates(moment(task.due, now))}</span>}
        </div>
      </Link>
    </li>
  )
}
