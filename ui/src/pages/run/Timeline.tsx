// The timeline: what ran when, what was queued, tried again, waited for and undone, on one scale.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { CallView, RunPicture } from '../../api/schema'
import { duration, typeName } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useKeys } from '../../parts/keys'
import { StateIcon, stateWord, tone } from '../../parts/State'
import { useNow } from '../../parts/Time'
import { words } from '../../words'
import { axis, type Axis } from './axis'
import { beginning, ending, label, spent, type Group } from './groups'
import { above, lines, type Line } from './lines'
import { verdict } from './Decision'

const w = words.run
const HEIGHT = 28

interface Props {
  picture: RunPicture
  chosen: string | undefined
  choose: (key: string | undefined) => void
  unfolded: boolean
  fold: (unfolded: boolean) => void
}

export function Timeline({ picture, chosen, choose, unfolded, fold }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(() => new Set(above(chosen)))
  const scroller = useRef<HTMLDivElement>(null)
  const clock = useNow()
  const open = picture.run.closed_at === null
  const now = Math.max(clock, picture.now)
  const end = picture.run.closed_at ?? now
  const rows = useMemo(() => lines(picture, opened), [picture, opened])
  const scale = useMemo(() => axis(shown(picture, rows), picture.run.started_at, end, unfolded), [picture, rows, end, unfolded])
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 16 })
  const toggle = (key: string) => setOpened((old) => (old.has(key) ? new Set([...old].filter((each) => each !== key)) : new Set([...old, key])))
  useKeys({ f: () => fold(!unfolded) })
  return (
    <div className="tl">
      <div className="tlgrid" role="treegrid" aria-label={w.tabs.timeline} aria-rowcount={rows.length}>
      <Head scale={scale} open={open} />
      <div className="body" ref={scroller} tabIndex={0} role="rowgroup" aria-label={w.tabs.timeline}>
        <div style={{ height: virtual.getTotalSize(), minHeight: '100%', position: 'relative' }}>
          <Grid scale={scale} open={open} />
          {virtual.getVirtualItems().map((item) => {
            const line = rows[item.index]!
            return <Row key={line.key} line={line} picture={picture} scale={scale} now={end} top={item.start} index={item.index} current={chosen !== undefined && line.key === chosen} choose={choose} toggle={toggle} />
          })}
        </div>
      </div>
      </div>
      <Legend idle={scale.idle} folded={scale.folds.length > 0} unfolded={unfolded} fold={fold} />
    </div>
  )
}

function Head({ scale, open }: { scale: Axis; open: boolean }) {
  const track = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const place = track.current!
    giveRoom(place)
    const sized = new ResizeObserver(() => giveRoom(place))
    sized.observe(place)
    return () => sized.disconnect()
  })
  return (
    <div className="tlrow head" role="row">
      <div className="nm" role="columnheader">{w.step}</div>
      <div className="num" role="columnheader">{w.duration}</div>
      <div className="tr" role="columnheader" aria-label={words.time.now} ref={track}>
        {open && <span className="tick nowtick">{words.time.now}</span>}
        {scale.folds.filter((fold) => fold.left < 84).map((fold) => (
          <span key={fold.from} className="tick minor" style={{ left: `${fold.left}%`, border: 0, padding: '0 3px' }} title={w.idle(duration(fold.to - fold.from))}>{duration(fold.to - fold.from)}</span>
        ))}
        {scale.ticks.map((tick) => (
          <span key={tick.left} className={tick.major ? 'tick' : 'tick minor'} style={{ left: `${tick.left}%` }}>{tick.at === 0 ? '0s' : duration(tick.at)}</span>
        ))}
      </div>
    </div>
  )
}

/** Leaves out each label that would run into one before it; how much room texts take only the browser knows. */
function giveRoom(track: HTMLElement): void {
  const labels = [...track.children] as HTMLElement[]
  labels.forEach((each) => (each.hidden = false))
  const boxes = labels.map((each) => each.getBoundingClientRect())
  const shown: DOMRect[] = []
  boxes.forEach((box, index) => {
    const free = shown.every((other) => box.right <= other.left || box.left >= other.right)
    labels[index]!.hidden = !free
    if (free && box.width > 0) shown.push(box)
  })
}

function Grid({ scale, open }: { scale: Axis; open: boolean }) {
  return (
    <div className="grid" aria-hidden="true">
      {scale.ticks.map((tick) => <i key={tick.left} style={{ left: `${tick.left}%` }} />)}
      {scale.folds.map((fold) => <i key={fold.from} className="fold" style={{ left: `${fold.left}%`, width: `${fold.width}%` }} />)}
      {open && <i className="now" style={{ left: '98.5%' }} />}
    </div>
  )
}

interface RowProps {
  line: Line
  picture: RunPicture
  scale: Axis
  now: number
  top: number
  index: number
  current: boolean
  choose: (key: string | undefined) => void
  toggle: (key: string) => void
}

function Row({ line, picture, scale, now, top, index, current, choose, toggle }: RowProps) {
  const place = { transform: `translateY(${top}px)` }
  const depth = 'depth' in line ? line.depth : 0
  const shared = { role: 'row', 'aria-rowindex': index + 1, 'aria-level': depth + 1, style: place }
  switch (line.kind) {
    case 'run':
      return (
        <div className="tlrow" {...shared} onClick={() => choose(undefined)}>
          <div className="nm" role="gridcell"><StateIcon state={picture.run.state} /><span className="cut mono">{picture.run.workflow}</span><span className="tiny faint">{picture.run.version.slice(0, 7)}</span></div>
          <div className="num" role="gridcell">{duration(now - picture.run.started_at)}</div>
          <div className="tr" role="gridcell"><Bar kind="span" from={picture.run.started_at} to={now} scale={scale} /></div>
        </div>
      )
    case 'compensation':
      return (
        <div className="tlrow group" {...shared}>
          <div className="nm" role="gridcell">{depth > 0 && <Indent depth={depth} />}<Icon name="compensating" small /><span>{w.compensation}</span><span className="tiny faint cut" style={{ fontWeight: 400 }}>{w.undoneOf(line.done, line.of)}</span></div>
          <div className="num" role="gridcell" /><div className="tr" role="gridcell" />
        </div>
      )
    case 'block':
      return (
        <div className="tlrow" {...shared}>
          <div className="nm" role="gridcell"><Indent depth={depth} /><Icon name="flow" small className="faint" /><span className="tiny dim">{w.inParallel(line.groups.reduce((sum, each) => sum + each.calls.length, 0))}</span></div>
          <div className="num" role="gridcell">{duration(Math.max(...line.groups.map((each) => ending(each, now))) - Math.min(...line.groups.map(beginning)))}</div>
          <div className="tr" role="gridcell"><Bar kind="span" from={Math.min(...line.groups.map(beginning))} to={Math.max(...line.groups.map((each) => ending(each, now)))} scale={scale} /></div>
        </div>
      )
    case 'map':
      return (
        <div className="tlrow click" {...shared} aria-expanded={line.open} onClick={() => toggle(line.key)}>
          <div className="nm" role="gridcell"><Indent depth={depth} /><StateIcon state={line.group.state} /><button className="plain cut mono">{w.group(line.group.name, line.group.calls.length)}</button><Icon name={line.open ? 'down' : 'right'} small className="faint" /><Outcomes group={line.group} /></div>
          <div className="num" role="gridcell">{duration(spent(line.group, now))}</div>
          <div className="tr" role="gridcell"><MapBar line={line} scale={scale} now={now} /></div>
        </div>
      )
    case 'call':
      return (
        <div className={`tlrow click ${current ? 'cur' : ''}`} {...shared} aria-selected={current} onClick={() => choose(line.key)}>
          <div className="nm" role="gridcell">
            <Indent depth={depth} /><StateIcon state={line.call.state} />
            {line.child && <button className="plain fold" aria-expanded={line.open} aria-label={w.childSteps(label(line.call))} onClick={(event) => { event.stopPropagation(); toggle(line.key) }}><Icon name={line.open ? 'down' : 'right'} small className="faint" /></button>}
            <button className="plain cut mono" title={label(line.call)}>{label(line.call)}<span className="sr">, {said(line.call)}</span></button>
            {line.call.assignee && <span className="tiny faint cut">{line.call.assignee}</span>}
            {line.call.kind === 'child' && <span className="tag q">{w.childTag}</span>}
            {line.call.kind === 'decision' && <span className="tag q">{w.decisionTag}</span>}
          </div>
          <div className="num" role="gridcell">{line.call.kind === 'signal' || line.call.kind === 'decision' ? '' : duration((line.call.ended_at ?? now) - line.call.began_at)}</div>
          <div className="tr" role="gridcell"><Bars call={line.call} scale={scale} now={now} /></div>
        </div>
      )
  }
}

/** The row as text, for who cannot see the bars. */
function said(call: CallView): string {
  return [stateWord(call.state).toLowerCase(), call.attempts && call.attempts > 1 ? w.attempts(call.attempts) : '', call.failure ? typeName(call.failure.type) : '', call.kind === 'decision' ? verdict(call) : ''].filter(Boolean).join(', ')
}

/** What the axis has to have room for: the run's own calls, and those of the child runs that are open. */
function shown(picture: RunPicture, rows: Line[]): CallView[] {
  const below = rows.flatMap((line) => (line.kind === 'call' && line.depth > 1 ? [line.call] : []))
  return [...new Set([...picture.calls, ...below])]
}

function Indent({ depth }: { depth: number }) {
  return <span className="ind" style={{ '--d': `${depth * 16}px` } as React.CSSProperties} />
}

function Bar({ kind, from, to, scale, title }: { kind: string; from: number; to: number; scale: Axis; title?: string }) {
  const left = scale.x(from)
  return <i className={`bx ${kind}`} style={{ left: `${left}%`, width: `${Math.max(0, scale.x(to) - left)}%` }} title={title} />
}

const WAITS = new Set(['task', 'signal', 'update'])

function Bars({ call, scale, now }: { call: CallView; scale: Axis; now: number }) {
  const tries = call.tries ?? []
  const end = call.ended_at ?? now
  const tried = tries[tries.length - 1]
  const reached = tried?.ended_at ?? now
  return (
    <>
      {WAITS.has(call.kind) && <Bar kind={call.kind === 'task' ? 'wait' : tone(call.state)} from={call.began_at} to={end} scale={scale} />}
      {call.kind === 'child' && <Bar kind={tone(call.state)} from={call.began_at} to={end} scale={scale} />}
      {tries[0] && tries[0].started_at - call.began_at > 1000 && <Bar kind="queue" from={call.began_at} to={tries[0].started_at} scale={scale} />}
      {tries.map((each, i) => {
        const next = tries[i + 1]
        const until = next?.started_at ?? (call.state === 'retrying' ? Math.min(each.retry_at ?? now, now) : undefined)
        return (
          <span key={each.number} style={{ display: 'contents' }}>
            <Bar kind={each.failure ? 'failed' : tone(call.state)} from={each.started_at} to={each.ended_at ?? now} scale={scale} title={each.failure ? `${each.number}: ${each.failure.message}` : undefined} />
            {each.ended_at != null && until !== undefined && <Bar kind="back" from={each.ended_at} to={until} scale={scale} />}
          </span>
        )
      })}
      {call.kind === 'decision' && <i className={`bx at ${tone(call.state)}`} style={{ left: `${scale.x(call.began_at)}%` }} />}
      {call.kind === 'step' && tries.length === 0 && <Bar kind={tone(call.state)} from={call.began_at} to={end} scale={scale} />}
      {call.state === 'incident' && <Bar kind="hold" from={reached} to={now} scale={scale} />}
      <Label call={call} scale={scale} from={call.began_at} to={call.state === 'incident' ? reached : end} now={now} />
    </>
  )
}

function Label({ call, scale, from, to, now }: { call: CallView; scale: Axis; from: number; to: number; now: number }) {
  const end = scale.x(to)
  const gap = call.kind === 'decision' ? 1.5 : 0.5
  const before = scale.x(from) - gap
  const place = end > 70 ? { right: `${100 - before}%`, maxWidth: `${before}%` } : { left: `${end + gap}%`, maxWidth: `${100 - end - gap}%` }
  if (end > 70 && scale.x(from) < 20) return null // it fills the row: there is room on neither side
  const bad = call.state === 'failed' || call.state === 'incident'
  return <span className={`lb ${bad ? call.state : ''}`} style={place}>{text(call, now)}</span>
}

function text(call: CallView, now: number): string {
  const attempts = call.attempts ?? 0
  if (call.failure && (call.state === 'failed' || call.state === 'incident')) return attempts > 1 ? w.ofAttempts(typeName(call.failure.type), attempts) : typeName(call.failure.type)
  if (call.state === 'retrying' && call.failure) return `${typeName(call.failure.type)} · ${w.attempts(attempts)}`
  if (call.kind === 'task') return call.state === 'waiting' ? w.waitsFor(call.assignee ?? '') : [w.waitedFor(call.assignee ?? ''), call.by ? w.answeredBy(call.by) : ''].filter(Boolean).join(' · ')
  if (call.kind === 'signal') return ''
  if (call.kind === 'decision') return verdict(call)
  if (attempts > 1) return w.attempts(attempts)
  return duration((call.ended_at ?? now) - call.began_at)
}

function countsOf(group: Group): [string, number][] {
  const counts = new Map<string, number>()
  group.calls.forEach((each) => counts.set(each.state, (counts.get(each.state) ?? 0) + 1))
  return [...counts].sort(([a], [b]) => Number(b === 'completed') - Number(a === 'completed'))
}

/** How many are not simply done, in words. */
function Outcomes({ group }: { group: Group }) {
  const open = countsOf(group).filter(([state]) => state !== 'completed' && state !== 'cancelled').slice(0, 2)
  return <>{open.map(([state, n]) => <span key={state} className={`tiny ${tone(state)} word`}>{n.toLocaleString()} {stateWord(state).toLowerCase()}</span>)}</>
}

/** A bar of counts: how many of them are in which state. */
function MapBar({ line, scale, now }: { line: Extract<Line, { kind: 'map' }>; scale: Axis; now: number }) {
  const { group } = line
  const left = scale.x(beginning(group))
  const width = Math.max(0.5, scale.x(ending(group, now)) - left)
  let start = 0
  const shares = countsOf(group).map(([state, n]) => {
    const share = n / group.calls.length
    start += share
    return [state, start - share, share] as const
  })
  return (
    <>
      {shares.map(([state, start, share]) => (
        <i key={state} className={`bx ${state === 'failed' ? 'failed' : tone(state)}`} style={{ left: `${left + start * width}%`, width: `${share * width}%`, borderRadius: 0 }} />
      ))}
    </>
  )
}

function Legend({ idle, folded, unfolded, fold }: { idle: number; folded: boolean; unfolded: boolean; fold: (unfolded: boolean) => void }) {
  const entries = [['solid completed', w.ranLegend], ['solid failed', w.failedAttempt], ['back', w.backoff], ['wait', w.waiting], ['solid compensated', w.undoneLegend], ['hold', w.still]]
  return (
    <div className="legend">
      <div className="entries">{entries.map(([kind, name]) => <span key={kind} className="wide"><i className={`bx ${kind}`} />{name}</span>)}</div>
      {(folded || (unfolded && idle > 0)) && (
        <>
          <span>{folded ? w.folded(duration(idle)) : ''}</span>
          <button className="btn quiet" onClick={() => fold(!unfolded)}>{unfolded ? w.fold : w.unfold}</button>
        </>
      )}
    </div>
  )
}
