// What the steps printed and logged; it follows while its end is in sight.
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { address } from '../../api/client'
import type { LogView, RunPicture } from '../../api/schema'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, clock, uncoloured } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useKeys } from '../../parts/keys'
import { useTyped } from '../../parts/typing'
import type { RunSearch } from '../../routes'
import { words } from '../../words'
import { label } from './groups'
import { useLogs } from './tail'

const w = words.run

const WRAP = 'segue.logs.wrap'
/** Keys that lead back in the log; the arrows choose steps. */
const BACK = new Set(['PageUp', 'Home'])
const LEVELS = ['debug', 'info', 'warning', 'error'] as const

export default function Logs({ picture, search, look }: { picture: RunPicture; search: RunSearch; look: (change: Partial<RunSearch>) => void }) {
  const { find = '', step, line, level = 'debug' } = search
  const { run } = picture.run
  const [from, setFrom] = useState(0)
  const { rows, error, pending, former, full, retry } = useLogs(run, level, from)
  const [wrap, setWrap] = useState(() => localStorage.getItem(WRAP) !== 'no')
  const [follow, setFollow] = useState(line === undefined)
  const failed = rows.length === 0 ? error : null
  const input = useRef<HTMLInputElement>(null)
  const names = useMemo(() => new Map(picture.calls.map((each) => [each.key, label(each)])), [picture.calls])
  const steps = [...new Set(rows.map((each) => each.key))]
  const wanted = step !== undefined && steps.includes(step) ? step : ''
  const shown = useMemo(() => rows.filter((each) => (wanted === '' || each.key === wanted) && (find === '' || each.text.toLowerCase().includes(find.toLowerCase()))), [rows, wanted, find])
  const narrowed = wanted !== '' || find !== '' || level !== 'debug'
  useKeys({ '/': () => input.current?.focus() })
  const [typed, setTyped] = useTyped(find, useCallback((text: string) => look({ find: text || undefined }), [look]))
  // A log may be longer than what a screen holds of it: then it begins with the line that is meant.
  const beyond = line !== undefined && full && !former && line > (rows[rows.length - 1]?.row ?? 0)
  useEffect(() => {
    if (beyond) setFrom(line - 1)
  }, [beyond, line])
  const turn = () => {
    localStorage.setItem(WRAP, wrap ? 'no' : 'yes')
    setWrap(!wrap)
  }
  return (
    <div className="tl">
      <div className="toolbar">
        <label className="find grow" style={{ maxWidth: 300 }}>
          <Icon name="search" small />
          <input ref={input} aria-label={w.findLogs} placeholder={w.findLogs} value={typed} onChange={(event) => setTyped(event.target.value)} />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <select aria-label={w.level} value={level} onChange={(event) => look({ level: oneAbove(event.target.value) })}>
          {LEVELS.map((each) => <option key={each} value={each}>{w.levels[each]}</option>)}
        </select>
        <select aria-label={w.step} value={wanted} onChange={(event) => look({ step: event.target.value || undefined })}>
          <option value="">{w.allSteps}</option>
          {steps.map((key) => <option key={key} value={key}>{names.get(key) ?? w.workflowLog}</option>)}
        </select>
        <span className="grow" />
        <a className="btn" href={address('download_logs', { run }, { level, key: wanted || undefined }).href} download={`${picture.run.id}.log`}>{w.download}</a>
        <button className="btn" aria-pressed={wrap} onClick={turn}>{wrap && <Icon name="check" small />}{w.wrap}</button>
        <button className="btn" aria-pressed={follow} onClick={() => setFollow(!follow)}>{follow && <Icon name="check" small />}{w.follow}</button>
      </div>
      {from > 0 && <Told text={w.fromLine} label={w.fromBeginning} act={() => { look({ line: undefined }); setFrom(0) }} />}
      {line !== undefined && !pending && !failed && !former && !beyond && !shown.some((each) => each.row === line) && (
        narrowed ? <Told text={w.lineHidden} label={w.showLine} act={() => look({ find: undefined, level: undefined, step: undefined })} /> : <Told text={w.lineGone} />
      )}
      {failed && <ErrorFace error={failed} retry={retry} />}
      {pending && <GreyRows rows={4} />}
      {!pending && !failed && shown.length === 0 && <EmptyFace title={narrowed ? w.noLines : w.noLogs} />}
      <Lines shown={shown} names={names} meant={line} wrap={wrap} follow={follow} stop={() => setFollow(false)} />
    </div>
  )
}

/** The level that is chosen; all of them is none. */
function oneAbove(level: string): RunSearch['level'] {
  return level === 'info' || level === 'warning' || level === 'error' ? level : undefined
}

function Told({ text, label: name, act }: { text: string; label?: string; act?: () => void }) {
  return <p className="logtold small dim row" role="status">{text}{act && <button className="btn" onClick={act}>{name}</button>}</p>
}

interface Shown {
  shown: LogView[]
  names: Map<string, string>
  meant: number | undefined
  wrap: boolean
  follow: boolean
  stop: () => void
}

function Lines({ shown, names, meant, wrap, follow, stop }: Shown) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => 20, overscan: 30, getItemKey: (i) => shown[i]?.row ?? i })
  useEffect(() => {
    if (follow && shown.length > 0) virtual.scrollToIndex(shown.length - 1)
  }, [follow, shown.length, virtual])
  const at = meant === undefined ? -1 : shown.findIndex((each) => each.row === meant)
  // Lines that come later move nothing: only another line, or the place of this one among others, does.
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: 'center' })
  }, [at, virtual])
  useEffect(() => virtual.measure(), [wrap, virtual])
  return (
    <div
      className={`overflow logs ${wrap ? '' : 'long'}`}
      ref={scroller}
      tabIndex={0}
      role="log"
      aria-label={w.tabs.logs}
      aria-live="off"
      onWheel={(event) => event.deltaY < 0 && stop()}
      onTouchMove={stop}
      onKeyDown={(event) => BACK.has(event.key) && stop()}
    >
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => {
          const line = shown[item.index]
          return line && (
            <div key={item.key} data-index={item.index} ref={virtual.measureElement} className={`logl ${line.level.toLowerCase()} ${line.row === meant ? 'meant' : ''}`} aria-current={line.row === meant ? 'location' : undefined} style={{ position: 'absolute', top: 0, left: 0, ...(wrap && { right: 0 }), transform: `translateY(${item.start}px)` }}>
              <Link from="/runs/$run" search={(old) => ({ ...old, line: line.row })} replace className="faint" title={absolute(line.at)} aria-label={w.lineAt(clock(line.at, 3))} onClick={stop}>{clock(line.at, 3)}</Link>
              <span className="dim cut">{names.get(line.key) ?? w.workflowLog}{line.attempt > 1 ? ` ${line.attempt}` : ''}</span>
              <span className="t">{uncoloured(line.text)}</span>
            </div>
          )
        })}
      </div>
    </div>
  )
}
