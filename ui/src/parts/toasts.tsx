// Short notices: that something was asked for, or why it was refused.
import { useEffect, useId, useSyncExternalStore } from 'react'
import { Refusal } from '../api/client'
import { useEnded } from '../api/ended'
import { root } from '../api/place'
import { queryClient, sessionQuery } from '../api/queries'
import { words } from '../words'

interface Toast {
  id: number
  text: string
  bad: boolean
}

let toasts: Toast[] = []
let last = 0
const listeners = new Set<() => void>()

function set(next: Toast[]): void {
  toasts = next
  listeners.forEach((each) => each())
}

export function say(text: string, bad = false): void {
  const id = ++last
  set([...toasts.slice(-3), { id, text, bad }])
  setTimeout(() => set(toasts.filter((each) => each.id !== id)), bad ? 12_000 : 4000)
}

export function sayError(error: unknown): void {
  // Asked for anew by the next page, and not at once: the dialog would go, with what was typed in it.
  if (error instanceof Refusal && error.notAllowed) void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey, refetchType: 'none' })
  say(!(error instanceof Refusal) ? String(error) : error.loggedOut ? words.session.notDone : error.problem.detail, true)
}

/** Where they may stand, the last one opened at the end: what is behind a dialog is dimmed, and is not read out. */
let places: readonly string[] = []

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Whether a part of every page that must not be missed belongs here, and not into a dialog that is open over it. */
export function useInFront(): boolean {
  const id = useId()
  useEffect(() => {
    places = [...places, id]
    listeners.forEach((each) => each())
    return () => {
      places = places.filter((each) => each !== id)
      listeners.forEach((each) => each())
    }
  }, [id])
  return useSyncExternalStore(subscribe, () => places[places.length - 1] === id)
}

/** They stand in the frame and in every dialog, and are shown by whichever is in front. */
export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  const inFront = useInFront()
  return (
    <>
    <div className="toasts" role="status" aria-live="polite">
      {inFront && shown.map((each) => (
        <div key={each.id} className={`toast ${each.bad ? 'bad' : ''}`}>
          {each.text}
        </div>
      ))}
    </div>
    {inFront && <Ended />}
    </>
  )
}

/** Stays until they are known again. The login opens beside this page: what is typed here is kept. */
function Ended() {
  if (!useEnded()) return null
  const page = location.pathname.slice(root.pathname.length) + location.search
  return (
    <div className="toast bad ended" role="alert">
      <p><b className="b">{words.session.ended}</b> {words.session.kept}</p>
      <a className="btn" href={`login?to=${encodeURIComponent(page)}`} target="_blank" rel="noopener">{words.session.logIn}</a>
    </div>
  )
}
