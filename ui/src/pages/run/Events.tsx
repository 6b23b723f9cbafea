// The journal: one row per step at first, every event on request.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef, useState } from 'react'
import { useAllowed } from '../../api/allowed'
import type { CallView, EventView, RunPicture, ValueView } from '../../api/schema'
import { copy } from '../../parts/copying'
import { FailureLine } from '../../parts/ErrorText'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, clock, duration, oneLine } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { Json, Value } from '../../parts/Json'
import { StateIcon, stateWord } from '../../parts/State'
import { useNow } from '../../parts/Time'
import type { RunSearch } from '../../routes'
import { words } from '../../words'
import { Explanation, verdict } from './Decision'
import { label } from './groups'
import { GoOn } from './repairing'
import { useEvents } from './tail'

const w = words.run

interface Props {
  picture: RunPicture
  full: boolean
  look: (change: Partial<RunSearch>) => void
  choose: (key: string) => void
  chosen: string | undefined
}

export default function Events({ picture, full, look, choose, chosen }: Props) {
  const { rows, error, pending, retry } = useEvents(picture.run.run)
  const [kind, setKind] = useState('')
  const kinds = [...new Set(rows.map((each) => each.event))].sort()
  const shown = kind === '' ? rows : rows.filter((each) => each.event === kind)
  return (
    <div className="tl">
      <div className="toolbar">
        <span className="seg">
          <button aria-pressed={!full} onClick={() => look({ full: undefined })}>{w.compact}</button>
          <button aria-pressed={full} onClick={() => look({ full: true })}>{w.full}</button>
        </span>
        {full && (
          <select aria-label={w.event} value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="">{w.event}</option>
            {kinds.map((each) => <option key={each}>{each}</option>)}
          </select>
        )}
        <span className="grow" />
        <button className="btn" onClick={() => copy(JSON.stringify(shown, null, 2))}><Icon name="copy" small />{w.copyJson}</button>
      </div>
      {error && rows.length === 0 && <ErrorFace error={error} retry={retry} />}
      {pending && <GreyRows />}
      {full ? <Full rows={shown} picture={picture} /> : <Compact calls={picture.calls} choose={choose} chosen={chosen} />}
    </div>
  )
}

function Compact({ calls, choose, chosen }: { calls: CallView[]; choose: (key: string) => void; chosen: string | undefined }) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: calls.length, getScrollElement: () => scroller.current, estimateSize: () => 29, overscan: 20 })
  const now = useNow()
  if (calls.length === 0) return <EmptyFace title={w.nothing} />
  return (
    <div className="overflow" ref={scroller} tabIndex={0} role="group" aria-label={w.tabs.events}>
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const call = calls[item.index]!
          return (
            <button key={call.key} className={`plain ev compact ${call.key === chosen ? 'cur' : ''}`} style={{ position: 'absolute', top: 0, left: 0, transform: `translateY(${item.start}px)` }} onClick={() => choose(call.key)}>
              <StateIcon state={call.state} />
              <span className="mono cut">{label(call)}<span className="sr">, {stateWord(call.state)}</span></span>
              <span className="num dim">{duration((call.ended_at ?? now) - call.began_at)}</span>
              <span className="num dim">{call.attempts && call.attempts > 1 ? w.attempts(call.attempts) : ''}</span>
              <span className="cut">{call.failure ? <FailureLine failure={call.failure} /> : <span className="mono dim">{call.kind === 'decision' ? verdict(call) : !call.result ? '' : 'value' in call.result ? oneLine(call.result.value) : '…'}</span>}</span>
            </button>
          )
        })}
      </div>
    </div>
  )
}

function Full({ rows, picture }: { rows: EventView[]; picture: RunPicture }) {
  const scroller = useRef<HTMLDivElement>(null)
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => 29, overscan: 20, getItemKey: (i) => rows[i]?.seq ?? i })
  const toggle = (seq: number) => setOpen((old) => (old.has(seq) ? new Set([...old].filter((each) => each !== seq)) : new Set([...old, seq])))
  return (
    <div className="overflow" ref={scroller} tabIndex={0} role="group" aria-label={w.tabs.events}>
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const event = rows[item.index]!
          return (
            <div key={event.seq} data-index={item.index} ref={virtual.measureElement} style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${item.start}px)` }}>
              <button className="plain ev" aria-expanded={open.has(event.seq)} onClick={() => toggle(event.seq)}>
                <span className="num faint">{event.seq}</span>
                <span className="num" title={absolute(event.at)}>{clock(event.at, 3)}</span>
                <span className="b cut">{event.event}</span>
                <span className="mono cut dim">{what(event)}</span>
                <span className="cut faint">{event.actor ?? w.engine}</span>
              </button>
              {open.has(event.seq) && <Opened event={event} picture={picture} />}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** All that an event holds; what it holds of a decision as tables, what was too large to come along on request. */
function Opened({ event, picture }: { event: EventView; picture: RunPicture }) {
  const may = useAllowed()
  const [forking, setForking] = useState(false)
  const run = picture.run.run
  const fields = event.fields ?? {}
  const explanation = event.event === 'DecisionEvaluated' ? (fields['explanation'] as ValueView | null) : null
  const cut = Object.entries(fields).filter(([name, value]) => name !== 'explanation' && isCut(value)) as [string, ValueView][]
  const rest = Object.fromEntries(Object.entries(fields).filter(([name, value]) => !isCut(value) && !(explanation && name === 'explanation')))
  return (
    <div className="evopen">
      {explanation && <Explanation value={explanation} run={run} />}
      {cut.map(([name, value]) => <div key={name}><span className="mono tiny">{name}</span> <Value value={value} run={run} /></div>)}
      <Json value={rest} />
      {may('runs:start') && <button className="btn" style={{ marginTop: 8 }} onClick={() => setForking(true)}>{words.repair.forkHere}</button>}
      {forking && <GoOn picture={picture} seq={event.seq} name={`${event.seq} ${event.event}`} close={() => setForking(false)} />}
    </div>
  )
}

function isCut(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as Partial<ValueView>).cut === true
}

function what(event: EventView): string {
  const fields = event.fields ?? {}
  return oneLine(fields['key'] ?? fields['name'] ?? fields['workflow'] ?? fields['reason'] ?? '').replace(/^nothing$/, '')
}
