// Whether whoever looks is still known to the server: their session may end while a page is open.
import { useSyncExternalStore } from 'react'

let ended = false
/** Whether the server has anybody log in: where it does not, nobody can be logged out. */
let login = false
const listeners = new Set<() => void>()

export function hasEnded(): boolean {
  return ended
}

export function asksForLogin(): boolean {
  return login
}

export function setAsksForLogin(does: boolean): void {
  login = does
}

export function setEnded(now: boolean): void {
  if (ended === now) return
  ended = now
  listeners.forEach((each) => each())
}

/** Tells of each change; gives what ends that. */
export function whenEndedChanges(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useEnded(): boolean {
  return useSyncExternalStore(whenEndedChanges, hasEnded)
}
