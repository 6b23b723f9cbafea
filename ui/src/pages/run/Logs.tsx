// What the steps printed and logged; it follows while its end is in sight.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { RunPicture } from '../../api/schema'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, clock } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useKeys } from '../../parts/keys'
import type { RunSearch } from '../../routes'
import { words } from '../../words'
import { label } from './groups'
import { useLogs } from './tail'

const w = words.run

export default function Logs({ picture, find, step, look }: { picture: RunPicture; find: string; step: string | undefined; look: (change: Partial<RunSearch>) => void }) {
  const { rows, error, pending } = useLogs(picture.run.run)
  const [follow, setFollow] = useState(true)
  const scroller = useRef<HTMLDivElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const names = useMemo(() => new Map(picture.calls.map((each) => [each.key, label(each)])), [picture.calls])
  const steps = [...new Set(rows.map((each) => each.key))]
  const wanted = step !== undefined && steps.includes(step) ? step : ''
  const shown = useMemo(() => rows.filter((each) => (wanted === '' || each.key === wanted) && (find === '' || each.text.toLowerCase().includes(find.toLowerCase()))), [rows, wanted, find])
  const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => 20, overscan: 30 })
  useKeys({ '/': () => input.current?.focus() })
  useEffect(() => {
    if (follow && shown.length > 0) virtual.scrollToIndex(shown.length - 1)
  }, [follow, shown.length, virtual])
  return (
    <div className="tl">
      <div className="toolbar">
        <label className="find grow" style={{ maxWidth: 300 }}>
          <Icon name="search" small />
          <input ref={input} aria-label={w.findLogs} placeholder={w.findLogs} value={find} onChange={(event) => look({ find: event.target.value || undefined })} />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <select aria-label={w.step} value={wanted} onChange={(event) => look({ step: event.target.value || undefined })}>
          <option value="">{w.allSteps}</option>
          {steps.map((key) => <option key={key} value={key}>{names.get(key) ?? w.workflowLog}</option>)}
        </select>
        <span className="grow" />
        <button className="btn" aria-pressed={follow} onClick={() => setFollow(!follow)}>{follow && <Icon name="check" small />}{w.follow}</button>
      </div>
      {error && rows.length === 0 && <ErrorFace error={error} />}
      {pending && <GreyRows rows={4} />}
      {!pending && rows.length === 0 && <EmptyFace title={w.noLogs} />}
      <div
        className="overflow logs"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-label={w.tabs.logs}
        aria-live="off"
        onWheel={(event) => event.deltaY < 0 && setFollow(false)}
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const line = shown[item.index]!
            return (
              <div key={line.row} data-index={item.index} ref={virtual.measureElement} className={`logl ${line.level.toLowerCase()}`} style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${item.start}px)` }}>
                <span className="faint" title={absolute(line.at)}>{clock(line.at, 3)}</span>
                <span className="dim cut">{names.get(line.key) ?? w.workflowLog}{line.attempt > 1 ? ` ${line.attempt}` : ''}</span>
                <span className="t">{line.text}</span>
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}
