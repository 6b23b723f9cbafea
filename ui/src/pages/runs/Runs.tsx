// The list of runs: which ones. Filters, the peeked run and the view are in the address.
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { serverNow } from '../../api/client'
import type { RunView } from '../../api/schema'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { useKeys } from '../../parts/keys'
import { Top } from '../../frame/Top'
import { StartButton } from '../../frame/StartButton'
import type { RunsSearch } from '../../routes'
import { words } from '../../words'
import { Bulk } from './Bulk'
import { filterOf, narrows, pinsIncidents } from './filter'
import { Between, Filters, RANGES, Token } from './Filters'
import { Row } from './Row'
import { useRows } from './rows'
import { useSelection, type Selection } from './selection'
import { Views } from './Views'
import './runs.css'

const Histogram = lazy(() => import('./Histogram'))
const Peek = lazy(() => import('./Peek'))
const w = words.runs
const HEIGHT = 33
/** Rows of a search with which nobody waits for more, and pages that are asked for without being told to. */
const SHOWN = 20
const ALONE = 5

export default function Runs() {
  const search = useSearch({ from: '/runs' })
  const navigate = useNavigate({ from: '/runs' })
  const scroller = useRef<HTMLDivElement>(null)
  const find = useRef<HTMLInputElement>(null)
  const [atTop, setAtTop] = useState(true)
  const [current, setCurrent] = useState<number | null>(search.peek ?? null)
  const filter = useMemo(() => filterOf(search), [search])
  const list = useRows(filter, atTop, pinsIncidents(search))
  const { rows } = list
  const numbers = useMemo(() => rows.map((each) => each.run), [rows])
  const selection = useSelection(numbers)
  const { chosen, toggle, reach, clear } = selection
  const mayAct = useAllowed()('runs:act')

  const narrow = useCallback((change: Partial<RunsSearch>) => void navigate({ search: (old) => clean({ ...old, ...change }), replace: 'text' in change }), [navigate])
  const peek = useCallback((run: number | undefined) => {
    if (run !== undefined) setCurrent(run)
    void navigate({ search: (old) => clean({ ...old, peek: run === old.peek ? undefined : run }), replace: true })
  }, [navigate])
  const acts = useMemo(() => ({ choose: mayAct ? (run: number, stretch: boolean) => (stretch ? reach(run) : toggle(run)) : null, peek }), [mayAct, reach, toggle, peek])

  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => HEIGHT, overscan: 6, getItemKey: (i) => rows[i]?.run ?? i })
  const items = virtual.getVirtualItems()
  const lastShown = items[items.length - 1]?.index ?? 0
  useEffect(() => {
    if (lastShown >= rows.length - 20 && rows.length > 0 && !atTop) list.more()
  }, [lastShown, rows.length, atTop, list])

  const further = search.text !== undefined && !list.loading && !list.end && rows.length < SHOWN
  useEffect(() => {
    if (further && !list.busy && list.pages < ALONE) list.more()
  }, [further, list])

  useRowKeys({ rows: numbers, current, setCurrent, scrollTo: (i) => virtual.scrollToIndex(i), peek, selection: mayAct ? selection : null, peeked: search.peek, focusFind: () => find.current?.focus() })
  const longest = useMemo(() => full(rows), [rows])

  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} start>
        {rows.length > 0 && <span className="tiny faint num wide">{w.shown(rows.length, !list.end)}</span>}
      </Top>
      <Views search={search} />
      <Filters search={search} narrow={narrow} find={find} />
      <div className={`split ${search.peek !== undefined ? 'peeking' : ''}`} style={{ gridTemplateColumns: search.peek !== undefined ? 'minmax(0,1fr) 384px' : 'minmax(0,1fr)', position: 'relative' }}>
        <div className="tl">
          {list.fresh > 0 && (
            <button className="pill" onClick={() => { list.show(); scroller.current?.scrollTo({ top: 0 }) }}>
              {w.fresh(list.fresh, list.fresh >= 60)}
            </button>
          )}
          <Suspense fallback={<div className="hist" />}><Histogram filter={filter} choose={(from, to) => narrow({ from: Math.round(from), to: Math.round(to), range: undefined })} /></Suspense>
          <div className="tlgrid" role="grid" aria-label={w.title} aria-rowcount={list.end ? rows.length + 1 : -1}>
          <div className="rrow head" role="row">
            <span role="columnheader">{mayAct ? <All selection={selection} shown={numbers} /> : <span className="sr">{w.state}</span>}</span>
            <span role="columnheader">{w.state}</span>
            <span role="columnheader">{w.run}</span>
            <span role="columnheader" className="stand">{w.now}</span>
            <span role="columnheader" className="num wide">{w.startedAt}</span>
            <span role="columnheader" className="num dur">{w.duration}</span>
          </div>
          <div ref={scroller} className="overflow rows" role="rowgroup" tabIndex={0} aria-label={w.title} onScroll={(event) => setAtTop(event.currentTarget.scrollTop < 8)}>
            <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
              {items.map((item) => {
                const run = rows[item.index]
                return run && <Row key={run.run} run={run} index={item.index} current={current === run.run} chosen={chosen.has(run.run)} longest={longest} top={item.start} acts={acts} />
              })}
            </div>
          </div>
          </div>
          {rows.length === 0 && (
            <div className="instead">
              {list.error && <ErrorFace error={list.error} retry={list.retry} />}
              {list.loading && <GreyRows />}
              {!list.loading && !list.error && !further && <Nothing search={search} narrow={narrow} />}
              {further && <Further busy={list.busy || list.pages < ALONE} more={list.more} />}
            </div>
          )}
          {further && rows.length > 0 && <Further busy={list.busy || list.pages < ALONE} more={list.more} />}
          {chosen.size > 0 && mayAct && <Bulk key={JSON.stringify({ ...search, peek: undefined })} chosen={[...chosen]} filter={narrows(search) ? filter : null} clear={clear} />}
        </div>
        {search.peek !== undefined && (
          <Suspense fallback={<aside className="insp" />}>
            <Peek run={search.peek} close={() => peek(undefined)} />
          </Suspense>
        )}
      </div>
    </main>
  )
}

/** A search has looked at as many runs as it does at once, and there are older ones. */
function Further({ busy, more }: { busy: boolean; more: () => void }) {
  return (
    <div className="further small" role="status">
      {busy ? <span className="faint">{w.looking}</span> : <button className="btn" onClick={more}>{w.further}</button>}
    </div>
  )
}

/** The length that fills a bar: a power of two, so that not every bar is drawn again when the longest run goes on. */
function full(rows: RunView[]): number {
  const now = serverNow()
  const longest = Math.max(1, ...rows.map((each) => (each.closed_at ?? now) - each.started_at))
  return 2 ** Math.ceil(Math.log2(longest))
}

/** All that are shown, chosen and let go by one box. */
function All({ selection: { chosen, toggleAll }, shown }: { selection: Selection; shown: readonly number[] }) {
  const all = shown.length > 0 && shown.every((run) => chosen.has(run))
  return <input type="checkbox" aria-label={words.bulk.shown} checked={all} ref={(box) => { if (box) box.indeterminate = !all && chosen.size > 0 }} onChange={toggleAll} disabled={shown.length === 0} />
}

function clean<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))) as T
}

function Nothing({ search, narrow }: { search: RunsSearch; narrow: (change: Partial<RunsSearch>) => void }) {
  const narrowed = Object.keys(clean({ ...search, peek: undefined })).length > 0
  if (!narrowed) {
    return (
      <EmptyFace title={w.first} hint={w.firstHint} code={w.sample}>
        <StartButton />
      </EmptyFace>
    )
  }
  return (
    <EmptyFace title={w.none} hint={w.noneHint}>
      <div className="row" style={{ flexWrap: 'wrap' }}>
        {search.view && <Token what={w.views.toLowerCase()} value={search.view} drop={() => narrow({ view: undefined })} />}
        {search.text && <Token what={w.find} value={search.text} drop={() => narrow({ text: undefined })} />}
        {search.id && <Token what={w.idBegins} value={search.id} drop={() => narrow({ id: undefined })} />}
        {search.workflow && <Token what={w.workflow} value={search.workflow} drop={() => narrow({ workflow: undefined })} />}
        {search.range && <Token what={w.started} value={`${w.range} ${RANGES[search.range]}`} drop={() => narrow({ range: undefined })} />}
        {search.from !== undefined && <Between search={search} narrow={narrow} />}
        {search.attribute?.map((each) => <Token key={each} what={w.attribute} value={each} drop={() => narrow({ attribute: search.attribute?.filter((other) => other !== each) })} />)}
        {search.state?.map((each) => <Token key={each} what={w.state} value={each} drop={() => narrow({ state: search.state?.filter((other) => other !== each) })} />)}
      </div>
    </EmptyFace>
  )
}

interface KeyWork {
  rows: number[]
  current: number | null
  setCurrent: (run: number) => void
  scrollTo: (index: number) => void
  peek: (run: number | undefined) => void
  /** None for whoever may do nothing with it. */
  selection: Selection | null
  peeked: number | undefined
  focusFind: () => void
}

function useRowKeys({ rows, current, setCurrent, scrollTo, peek, selection, peeked, focusFind }: KeyWork): void {
  const navigate = useNavigate()
  const at = current === null ? -1 : rows.indexOf(current)
  // One that has left the list, as by what was done to it, is gone on from where it stood.
  const stood = useRef(-1)
  if (at >= 0 || current === null) stood.current = at
  const move = (by: number) => {
    const from = at >= 0 || stood.current < 0 ? at : stood.current - (by > 0 ? 1 : 0)
    const index = Math.max(0, Math.min(rows.length - 1, from + by))
    const run = rows[index]
    if (run === undefined) return
    setCurrent(run)
    scrollTo(index)
    if (peeked !== undefined) peek(run)
  }
  const onCurrent = (act: (run: number) => void) => () => {
    if (current !== null) act(current)
  }
  const open = onCurrent((run) => void navigate({ to: '/runs/$run', params: { run: String(run) } }))
  useKeys({
    j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
    Enter: open, space: onCurrent(peek), x: onCurrent((run) => selection?.toggle(run)), 'shift+x': onCurrent((run) => selection?.reach(run)), 'shift+a': () => selection?.toggleAll(), '/': focusFind,
    Escape: () => (peeked !== undefined ? peek(undefined) : selection?.clear()),
  })
}
