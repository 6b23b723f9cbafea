// The live stream: says that something has changed, and whether it is still heard. Asked for only while somebody looks.
import { useSyncExternalStore } from 'react'
import { address, setServerTime } from './client'
import { queryClient } from './queries'

interface Connection {
  lost: boolean
  /** Server's time (µs) of the last word. */
  asOf: number
}

let connection: Connection = { lost: false, asOf: 0 }
const listeners = new Set<() => void>()

function set(next: Connection): void {
  const changed = next.lost !== connection.lost
  connection = next
  if (changed) listeners.forEach((each) => each())
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => connection,
  )
}

let source: EventSource | null = null
let due: ReturnType<typeof setTimeout> | undefined
/** Milliseconds between two rounds of questions, however many commits there are: more when the answers are slow. */
const SHORTEST = 150
let pause = SHORTEST

async function askAgain(): Promise<void> {
  due = undefined
  const began = performance.now()
  await queryClient.invalidateQueries({ predicate: (query) => query.meta?.live === true, refetchType: 'active' })
  pause = Math.max(SHORTEST, 2 * (performance.now() - began))
}

function changed(event: MessageEvent<string>): void {
  const { now } = JSON.parse(event.data) as { now: number }
  setServerTime(now)
  set({ lost: false, asOf: now })
  if (event.type === 'changed') due ??= setTimeout(() => void askAgain(), due === undefined ? Math.min(pause, 2000) : 0)
}

function listen(): void {
  if (source !== null) return
  source = new EventSource(address('changes'))
  source.addEventListener('changed', changed)
  source.addEventListener('quiet', changed)
  // The browser connects again by itself; the first word is then "changed", which fetches what was missed.
  source.onerror = () => set({ ...connection, lost: true })
}

/** A browser has six connections to a server for all its tabs: one that nobody sees takes none. */
export function startListening(): void {
  const look = () => {
    if (document.visibilityState === 'visible') return listen()
    source?.close()
    source = null
  }
  document.addEventListener('visibilitychange', look)
  look()
}
