// Whose a task is: the mark of whoever has it, and the buttons by which it changes hands.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ask } from '../../api/client'
import { sessionQuery, taskQuery } from '../../api/queries'
import type { HumanTask } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Confirm, done } from '../../parts/Confirm'
import { roughly } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useNow } from '../../parts/Time'
import { words } from '../../words'

const w = words.tasks

/** The name of whoever looks, as tasks and comments have it. */
export function useName(): string {
  return useQuery(sessionQuery).data?.name ?? ''
}

/** Two letters for a name: of its first two parts, or its first two. */
function initials(name: string): string {
  const parts = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean)
  const letters = parts.length > 1 ? [...parts[0]!][0]! + [...parts[1]!][0]! : [...(parts[0] ?? '')].slice(0, 2).join('')
  return letters.toUpperCase()
}

export function Mark({ of }: { of: string | null | undefined }) {
  const me = useName()
  if (!of) return <span className="av none"><Icon name="user" small /></span>
  return <span className={`av ${of === me ? '' : 'other'}`} title={w.has(of)}><span aria-hidden="true">{initials(of)}</span><span className="sr">{w.has(of)}</span></span>
}

/** Claims, releases and takes over; what has happened meanwhile is refused and said. */
export function useClaiming(task: HumanTask): { busy: boolean; claim: () => void; release: () => void; hand: (to: string) => Promise<boolean> } {
  const [busy, begin] = useBusy()
  const carry = (work: () => Promise<unknown>, text: string) => begin(() => done(work(), text))
  const path = { task: task.task }
  return {
    busy,
    claim: () => void carry(() => ask('claim_task', { path, body: { over: task.claimed_by ?? null } }), w.claimedIt(task.name)),
    release: () => void carry(() => ask('release_task', { path, body: {} }), w.releasedIt(task.name)),
    hand: (to: string) => carry(() => ask('hand_task', { path, body: { to, over: task.claimed_by ?? null } }), w.handedIt(task.name, to)),
  }
}

/** Beside the button that answers: for a task that is nobody's, or one's own. */
export function Hands({ task, hand }: { task: HumanTask; hand: () => void }) {
  const { busy, claim, release } = useClaiming(task)
  return task.claimed_by ? <><HandTo hand={hand} /><button type="button" className="btn quiet" disabled={busy} onClick={release}>{w.release}</button></> : <button type="button" className="btn" disabled={busy} onClick={claim}>{w.claim}</button>
}

/** In place of the form: somebody else sees to it. */
export function Taken({ task, hand }: { task: HumanTask; hand: () => void }) {
  const now = useNow()
  const { busy, claim } = useClaiming(task)
  return (
    <div className="taken panel row">
      <Mark of={task.claimed_by} />
      <p className="grow"><b className="b">{task.claimed_by}</b> {w.seesToIt(roughly(Math.max(0, now - (task.claimed_at ?? now))))}</p>
      <button className="btn" disabled={busy} onClick={claim}>{w.takeOver}</button>
      <HandTo hand={hand} />
    </div>
  )
}

function HandTo({ hand }: { hand: () => void }) {
  return <button type="button" className="btn quiet" onClick={hand}>{w.hand}</button>
}

/**
 * A claimed task goes to somebody else, who is named by the account that they answer with. `task`: as it was when this was
 * opened; it stays open whatever becomes of the task, and takes it from nobody of whom it has not said so.
 */
export function Handing({ task, close }: { task: HumanTask; close: () => void }) {
  const [seen, setSeen] = useState(task)
  const [to, setTo] = useState('')
  const [sent, setSent] = useState(false)
  const { data: known } = useQuery({ ...taskQuery(task.task), queryKey: ['task', task.task, 'handed'], initialData: task, staleTime: 0, gcTime: 0 })
  const { hand } = useClaiming(seen)
  const gone = known.state !== 'open'
  // Where it has gone, the news may say so before the answer does.
  const otherwise = !sent && (gone || known.claimed_by !== seen.claimed_by)
  const act = async () => {
    if (to.trim() === '') return false
    setSent(true)
    const handed = await hand(to.trim())
    setSent(false)
    return handed
  }
  return (
    <Confirm title={w.handTitle(task.name)} label={w.handDo} tone="primary" close={close} act={act} held={otherwise} what={
      <>
        <p>{w.handWhat}</p>
        <label className="fld">{w.handTo}<input className="inp" required value={to} onChange={(event) => setTo(event.target.value)} /></label>
        {otherwise && (
          <p className="foreseen row" role="alert">
            <span className="grow">{gone ? w.handGone : w.handTaken(known.claimed_by ?? '')}</span>
            {!gone && <button type="button" className="btn" onClick={() => setSeen(known)}>{w.handStill}</button>}
          </p>
        )}
      </>
    } />
  )
}
