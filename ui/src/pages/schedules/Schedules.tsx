// What starts by itself: by when it is due next, or as a week; what is selected opens beside it.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { runsQuery, scheduleQuery, schedulesQuery } from '../../api/queries'
import type { ScheduleView } from '../../api/schema'
import { Top } from '../../frame/Top'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, moment, until } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useKeys } from '../../parts/keys'
import { StateChip } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { Strip } from '../Overview'
import { Detail } from './Detail'
import { ScheduleForm } from './ScheduleForm'
import { stateOf } from './standing'
import { Week } from './Week'
import './schedules.css'

const w = words.schedules
const HEIGHT = 41
const PAGE = 100
/** Rows before the end at which the next page is asked for. */
const AHEAD = 20

export default function Schedules() {
  const { name, view } = useSearch({ from: '/schedules' })
  const [find, setFind] = useState('')
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(schedulesQuery(useDeferredValue(find), PAGE))
  const may = useAllowed()
  const [making, setMaking] = useState(false)
  const shown = useMemo(() => unique(data?.pages.flatMap((page) => page.schedules) ?? []), [data])
  const listed = shown.find((each) => each.name === name)
  // A link may lead to one that stands on a page which is not here yet, or that is not looked for.
  const partial = hasNextPage || find !== ''
  const alone = useQuery({ ...scheduleQuery(name ?? ''), enabled: name !== undefined && data !== undefined && !listed && partial })
  const chosen = listed ?? (name !== undefined && partial ? alone.data : undefined)
  const some = shown.length > 0 || find !== ''
  const more = useCallback(() => void (hasNextPage && !isFetchingNextPage && fetchNextPage({ cancelRefetch: false })), [hasNextPage, isFetchingNextPage, fetchNextPage])
  const make = may('schedules:write') && <button className="btn primary" onClick={() => setMaking(true)}><Icon name="plus" small />{w.create}</button>
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} primary={some && make}>{some && <span className="tiny faint num wide">{w.shown(shown.length, hasNextPage)}</span>}</Top>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows />}
      {data && !some && <EmptyFace title={w.none} hint={w.noneHint} code={w.sample}>{make}</EmptyFace>}
      {some && (
        <>
          <div className="toolbar">
            <nav className="seg" aria-label={w.views}>
              <Link from="/schedules" search={(old) => ({ ...old, view: undefined })} activeOptions={{ exact: true, explicitUndefined: true }} aria-current={view === undefined ? 'page' : undefined}>{w.list}</Link>
              <Link from="/schedules" search={(old) => ({ ...old, view: 'week' as const })} aria-current={view === 'week' ? 'page' : undefined}>{w.week}</Link>
            </nav>
            <label className="find grow" style={{ maxWidth: 300 }}><Icon name="search" small /><input aria-label={w.find} placeholder={w.find} value={find} onChange={(event) => setFind(event.target.value)} /></label>
          </div>
          <div className="split" style={{ gridTemplateColumns: chosen ? 'minmax(0, 1fr) var(--inspector)' : 'minmax(0, 1fr)', position: 'relative' }}>
            {shown.length === 0 ? <EmptyFace title={w.noMatch} /> : view === 'week' ? <Week schedules={shown} /> : <List schedules={shown} chosen={chosen?.name} end={!hasNextPage} more={more} />}
            {chosen && <Detail key={chosen.name} schedule={chosen} />}
          </div>
        </>
      )}
      {making && <ScheduleForm close={() => setMaking(false)} />}
    </main>
  )
}

/** One that has moved on while pages came stands on two of them. */
function unique(schedules: ScheduleView[]): ScheduleView[] {
  const seen = new Set<string>()
  return schedules.filter((each) => !seen.has(each.name) && seen.add(each.name))
}

function List({ schedules, chosen, end, more }: { schedules: ScheduleView[]; chosen: string | undefined; end: boolean; more: () => void }) {
  const navigate = useNavigate({ from: '/schedules' })
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: schedules.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 6, getItemKey: (i) => schedules[i]?.name ?? i })
  const items = virtual.getVirtualItems()
  const last = items[items.length - 1]?.index ?? 0
  useEffect(() => {
    if (last >= schedules.length - AHEAD) more()
  }, [last, schedules.length, more])
  const go = (name: string | undefined) => void navigate({ search: (old) => ({ ...old, name }), replace: true })
  const at = schedules.findIndex((each) => each.name === chosen)
  const move = (by: number) => {
    const index = Math.max(0, Math.min(schedules.length - 1, at + by))
    go(schedules[index]?.name)
    virtual.scrollToIndex(index)
  }
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: () => go(undefined) })
  return (
    <div className={`tl ${chosen === undefined ? '' : 'narrowed'}`}>
      <div className="tlgrid" role="grid" aria-label={w.title} aria-rowcount={end ? schedules.length + 1 : -1}>
        <div className="srow head" role="row">
          {[w.state, w.schedule, w.when].map((each) => <span key={each} role="columnheader">{each}</span>)}
          <span role="columnheader" className="num">{w.next}</span>
          <span role="columnheader" className="strip">{w.outcomes}</span>
        </div>
        <div ref={scroller} className="overflow rows" role="rowgroup" tabIndex={0} aria-label={w.title}>
          <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {items.map((item) => {
              const schedule = schedules[item.index]
              return schedule && <Row key={schedule.name} schedule={schedule} index={item.index} top={item.start} current={schedule.name === chosen} go={go} />
            })}
          </div>
        </div>
      </div>
    </div>
  )
}

function Row({ schedule, index, top, current, go }: { schedule: ScheduleView; index: number; top: number; current: boolean; go: (name: string) => void }) {
  const now = useNow()
  const recent = useQuery(runsQuery({ id: `${schedule.name}@`, limit: 20 }))
  const { state, text } = stateOf(schedule)
  const next = schedule.next[0]
  return (
    <div role="row" aria-rowindex={index + 2} aria-selected={current} className={`srow ${current ? 'cur' : ''}`} style={{ transform: `translateY(${top}px)` }} onClick={() => go(schedule.name)}>
      <span role="gridcell"><StateChip state={state} text={text} /></span>
      <span role="gridcell" className="names">
        <Link from="/schedules" search={(old) => ({ ...old, name: schedule.name })} className="mono b cut" title={schedule.name}>{schedule.name}</Link>
        <span className="tiny dim cut">{schedule.workflow}</span>
      </span>
      <span role="gridcell" className="names">
        <span className="cut" title={schedule.when}>{schedule.when}</span>
        {schedule.paused !== null && <span className="tiny dim cut" title={schedule.paused}>{schedule.paused}</span>}
      </span>
      <span role="gridcell" className="num names">
        {schedule.paused !== null ? <span className="faint">–</span> : next === undefined ? <span className="faint over">{w.over1}</span> : (
          <><span title={absolute(next)}>{until(next, now)}</span><span className="tiny dim">{moment(next, now)}</span></>
        )}
      </span>
      <span role="gridcell" className="strip">{(recent.data?.runs.length ?? 0) > 0 && <Strip runs={recent.data!.runs} now={now} />}</span>
    </div>
  )
}
