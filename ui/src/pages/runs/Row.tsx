// One run in the list.
import { Link } from '@tanstack/react-router'
import { memo, useRef } from 'react'
import type { RunView } from '../../api/schema'
import { duration } from '../../parts/format'
import { DurationBar, StateChip, tone } from '../../parts/State'
import { Ago, useNow } from '../../parts/Time'
import { words } from '../../words'
import { StandingCell } from './Standing'

export interface RowActs {
  /** None for whoever may do nothing with runs; with the shift key, from the one before to this one. */
  choose: ((run: number, stretch: boolean) => void) | null
  peek: (run: number) => void
}

export const Row = memo(function Row({ run, index, current, chosen, longest, top, acts }: { run: RunView; index: number; current: boolean; chosen: boolean; longest: number; top: number; acts: RowActs }) {
  const flash = useFlash(`${run.state} ${run.standing?.kind} ${run.standing?.name}`)
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={current}
      id={`run-${run.run}`}
      className={`rrow ${current ? 'cur' : ''} ${chosen ? 'sel' : ''} ${flash ? `flash ${tone(run.state)}` : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest('a, input')) acts.peek(run.run)
      }}
    >
      <span role="gridcell">
        {acts.choose && <input type="checkbox" aria-label={words.runs.select(run.id)} checked={chosen} onChange={(event) => acts.choose?.(run.run, (event.nativeEvent as MouseEvent).shiftKey === true)} />}
      </span>
      <span role="gridcell"><StateChip state={run.state} /></span>
      <span role="gridcell" className="rid">
        <Link to="/runs/$run" params={{ run: String(run.run) }} className="mono b cut" title={run.id}>{run.id}</Link> <span className="tiny faint cut" title={run.workflow}>{run.workflow}</span>
      </span>
      <span role="gridcell" className="stand"><StandingCell run={run} /></span>
      <span role="gridcell" className="num dim wide"><Ago at={run.started_at} /></span>
      <span role="gridcell" className="num dur"><Length run={run} longest={longest} /></span>
    </div>
  )
})

function Length({ run, longest }: { run: RunView; longest: number }) {
  const now = useNow()
  const us = Math.max(0, (run.closed_at ?? now) - run.started_at)
  return (
    <>
      {duration(us)}
      <DurationBar state={run.state} us={us} full={longest} />
    </>
  )
}

/** Whether this row has just changed in place: not when it first appears. */
function useFlash(what: string): boolean {
  const seen = useRef(what)
  const until = useRef(0)
  if (seen.current !== what) {
    seen.current = what
    until.current = performance.now() + 600
  }
  return performance.now() < until.current
}
