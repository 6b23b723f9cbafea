// What surrounds a task: its deadline, where its run stands, who did what.
import { Link } from '@tanstack/react-router'
import type { HumanTask } from '../../api/schema'
import { absolute, duration, moment, until } from '../../parts/format'
import { StateIcon, stateWord } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { groups, spent } from '../run/groups'
import { History } from './History'
import { useRunOf } from './Work'

const w = words.tasks

export function Context({ task }: { task: HumanTask }) {
  const now = useNow()
  const { data } = useRunOf(task)
  const share = task.due == null ? 0 : Math.min(100, (100 * (now - task.opened_at)) / Math.max(1, task.due - task.opened_at))
  return (
    <aside className="side2" aria-label={w.run}>
      <section>
        <h3>{w.deadline}</h3>
        {task.due == null ? <p className="small dim">{w.noDeadline}</p> : (
          <>
            <div className="small"><span className={share > 66 ? 'retrying word' : 'b'}>{w.escalates(until(task.due, now))}</span></div>
            <div className="tiny dim" title={absolute(task.due)}>{moment(task.due, now)} · {w.asked(moment(task.opened_at, now))}</div>
            <span className={`bar ${share > 66 ? 'retrying' : 'waiting'}`} style={{ width: '100%', margin: '8px 0 0' }}><i style={{ width: `${Math.max(1, share)}%` }} /></span>
          </>
        )}
      </section>
      <section>
        <h3>{w.run} <Link className="link mono cut" to="/runs/$run" params={{ run: String(task.run) }}>{task.run_id}</Link></h3>
        {data && groups(data.calls).map((group) => (
          <div key={group.key} className="pth">
            <StateIcon state={group.state} />
            <span className="mono cut">{group.calls.length > 1 ? words.run.group(group.name, group.calls.length) : group.name}<span className="sr">, {stateWord(group.state)}</span></span>
            <span className="num dim">{duration(spent(group, now))}</span>
          </div>
        ))}
      </section>
      <History key={task.task} task={task} workflow={data?.run.workflow ?? ''} />
    </aside>
  )
}
