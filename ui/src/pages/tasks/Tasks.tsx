// What people are asked: the inbox, the work, and what surrounds it.
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { tasksQuery } from '../../api/queries'
import type { HumanTask } from '../../api/schema'
import { Top } from '../../frame/Top'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { moment } from '../../parts/format'
import { useKeys } from '../../parts/keys'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { Mark, useName } from './claiming'
import { Context } from './Context'
import { summaryOf } from './facts'
import { Work } from './Work'
import './tasks.css'

const w = words.tasks
const SOON = 24 * 3600 * 1_000_000

export default function Tasks() {
  const { view, task: wanted } = useSearch({ from: '/tasks' })
  const navigate = useNavigate({ from: '/tasks' })
  const now = useNow()
  const me = useName()
  const { data, error, refetch } = useQuery(tasksQuery(view === 'done' ? 'completed' : 'open'))
  const all = [...(data?.tasks ?? [])].sort(view === 'done' ? (a, b) => (b.closed_at ?? 0) - (a.closed_at ?? 0) : (a, b) => (a.due ?? Infinity) - (b.due ?? Infinity) || a.opened_at - b.opened_at)
  const late = all.filter((each) => each.due != null && each.due < now)
  const mine = all.filter((each) => each.claimed_by === me)
  const shown = view === 'overdue' ? late : view === 'mine' ? mine : all
  const current = shown.find((each) => each.task === wanted) ?? (wanted === undefined ? shown[0] : undefined)
  const go = (task: number | undefined) => void navigate({ search: (old) => ({ ...old, task }), replace: true })
  const move = (by: number) => {
    const at = current ? shown.indexOf(current) : -1
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + by))]
    if (next) go(next.task)
  }
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1) })
  const next = (done: HumanTask) => go(shown.find((each) => each.task !== done.task)?.task)
  const empty = view === 'done' ? <EmptyFace title={w.noneDone} /> : view === 'overdue' ? <EmptyFace title={w.noneOverdue} /> : view === 'mine' ? <EmptyFace title={w.noneMine} hint={w.noneMineHint} /> : <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} />
      <nav className="tabs" aria-label={w.inbox}>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{}} aria-current={view === undefined ? 'page' : undefined}>{w.open} {view !== 'done' && <span className="n">{all.length}</span>}</Link>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{ view: 'mine' }} aria-current={view === 'mine' ? 'page' : undefined}>{w.mine} {view !== 'done' && <span className="n">{mine.length}</span>}</Link>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{ view: 'overdue' }} aria-current={view === 'overdue' ? 'page' : undefined}>{w.overdue} {view !== 'done' && <span className="n">{late.length}</span>}</Link>
        <Link to="/tasks" activeOptions={{ exact: true, explicitUndefined: true }} search={{ view: 'done' }} aria-current={view === 'done' ? 'page' : undefined}>{w.done}</Link>
      </nav>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows />}
      {data && shown.length === 0 && !current && empty}
      {data && shown.length > 0 && (
        <div className={`tasks ${wanted !== undefined ? 'picked' : ''}`}>
          <ul className="inbox" aria-label={w.inbox}>
            {shown.map((each) => <Item key={each.task} task={each} current={each.task === current?.task} now={now} />)}
            <li className="dim small" style={{ padding: '14px 16px' }}>{w.allDone}</li>
          </ul>
          {current ? <Work key={current.task} task={current} next={next} back={() => go(undefined)} /> : <section className="work"><EmptyFace title={w.withdrawn} /></section>}
          {current && <Context task={current} />}
        </div>
      )}
    </main>
  )
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
          {task.due != null && task.state === 'open' && <span className={soon ? 'retrying word tiny' : 'dim tiny'}>{w.escalates(moment(task.due, now))}</span>}
        </div>
      </Link>
    </li>
  )
}
