// What is due in the next seven days, a column for each.
import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useRef } from 'react'
import { dueTimesQuery } from '../../api/queries'
import type { ScheduleView } from '../../api/schema'
import { absolute, clock } from '../../parts/format'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.schedules
const DAYS = 7
/** Of one schedule; what is due more often than that is only said to go on from there. */
const MOST = 500
/** Schedules that are asked for; each is a question to the server. */
const ASKED = 60

interface Due {
  name: string
  times: number[]
  more: boolean
}

export function Week({ schedules }: { schedules: ScheduleView[] }) {
  const now = useNow()
  const asked = schedules.filter((each) => each.paused === null).slice(0, ASKED)
  const answers = useQueries({ queries: asked.map((each) => dueTimesQuery(each, MOST)) })
  // Those of one that has changed stay until the new ones have come.
  const former = useRef(new Map<string, number[]>())
  const times = asked.map((each, i) => answers[i]?.data ?? former.current.get(each.name) ?? [])
  former.current = new Map(asked.map((each, i) => [each.name, times[i] ?? []]))
  const days = Array.from({ length: DAYS }, (_, i) => dayAfter(now, i))
  return (
    <div className="week" role="group" aria-label={w.weekOf} tabIndex={0}>
      {days.map((day, i) => (
        <section key={day}>
          <h2>{new Date(day).toLocaleDateString(undefined, { weekday: 'short', day: 'numeric', month: 'short' })}</h2>
          <Day due={asked.map((each, j) => dueOn(each.name, times[j] ?? [], day, days[i + 1] ?? dayAfter(now, DAYS))).filter((each) => each.times.length > 0 || each.more)} />
        </section>
      ))}
    </div>
  )
}

function dayAfter(now: number, days: number): number {
  const date = new Date(now / 1000)
  date.setHours(0, 0, 0, 0)
  date.setDate(date.getDate() + days)
  return date.getTime()
}

function dueOn(name: string, all: number[], from: number, to: number): Due {
  const times = all.filter((at) => at >= from * 1000 && at < to * 1000)
  return { name, times, more: all.length >= MOST && (all[all.length - 1] ?? 0) < to * 1000 }
}

function Day({ due }: { due: Due[] }) {
  if (due.length === 0) return <p className="tiny faint">{w.nothingDue}</p>
  return (
    <ul>
      {[...due].sort((a, b) => (a.times[0] ?? 0) - (b.times[0] ?? 0)).map((each) => (
        <li key={each.name}>
          <Link from="/schedules" search={(old) => ({ ...old, name: each.name })} title={each.times.slice(0, 12).map(absolute).join('\n')}>
            <span className="num tiny dim">{each.times[0] === undefined ? w.goesOn : clock(each.times[0]).slice(0, 5)}{each.times.length > (each.more ? 0 : 1) && ` · ${w.times(each.times.length, each.more)}`}</span>
            <span className="mono cut">{each.name}</span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
