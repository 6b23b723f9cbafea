// What can be done with the runs that are selected, or with all that match: each action opens the dialog that says what it does.
import { lazy, Suspense, useState } from 'react'
import type { RunFilter } from '../../api/queries'
import { useKeys } from '../../parts/keys'
import { words } from '../../words'

const BulkDialog = lazy(() => import('./BulkDialog'))
const w = words.bulk

export const ACTS = ['retry', 'pause', 'resume', 'cancel', 'terminate'] as const
export type Act = (typeof ACTS)[number]

/** Which runs: those of these numbers, or all of a filter. */
export type Chosen = { runs: number[] } | { where: RunFilter }

interface Props {
  chosen: readonly number[]
  /** All of them may be chosen at once; not where nothing narrows them. */
  filter: RunFilter | null
  clear: () => void
}

export function Bulk({ chosen, filter, clear }: Props) {
  const [all, setAll] = useState(false)
  const [asking, setAsking] = useState<Act | null>(null)
  useKeys({ 'shift+r': () => setAsking('retry') })
  const title = all ? w.all : words.runs.selected(chosen.length)
  return (
    <div className="bulk" role="toolbar" aria-label={title}>
      <span className="b small num">{title}</span>
      {filter && !all && <button className="plain link" onClick={() => setAll(true)}>{w.chooseAll}</button>}
      {all && <button className="plain link" onClick={() => setAll(false)}>{w.onlyThese(chosen.length)}</button>}
      <span className="grow" />
      {ACTS.map((act) => (
        <button key={act} className={`btn ${act === 'retry' ? 'act' : act === 'terminate' ? 'danger' : ''}`} onClick={() => setAsking(act)}>
          {w.acts[act]}{act === 'retry' && <> <kbd aria-hidden="true">⇧R</kbd></>}
        </button>
      ))}
      <button className="btn quiet" onClick={clear}>{words.runs.clear} <kbd aria-hidden="true">esc</kbd></button>
      {asking && (
        <Suspense fallback={null}>
          <BulkDialog act={asking} chosen={all && filter ? { where: filter } : { runs: [...chosen] }} close={() => setAsking(null)} done={clear} />
        </Suspense>
      )}
    </div>
  )
}
