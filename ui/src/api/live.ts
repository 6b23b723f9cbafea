// The live stream: says that something has changed, and whether it is still heard. Asked for only while somebody looks.
import { useSyncExternalStore } from 'react'
import { address, setServerTime } from './client'
import { hasEnded, whenEndedChanges } from './ended'
import { askAgain, queryClient, sessionQuery } from './queries'
import type { Changed } from './schema'

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
/** Milliseconds between two rounds of questions, however many commits there are. */
const SHORTEST = 150
const LONGEST = 2000
/** How many times as long as the answers took: who looks leaves most of the time to the runs. */
const PATIENCE = 5
/** Milliseconds by which the slow ones come later where they stand beside the page only. */
const LATE = 1000
/** How much longer each pause is than the one before, as long as the server has its hands full. */
const GROWTH = 2

/** Questions that are asked again together. Those with slow answers have a round of their own, and hold up no others. */
class Round {
  private timer: ReturnType<typeof setTimeout> | undefined
  private asking = false
  /** When the first change came that the answers do not have yet. */
  private since: number | undefined
  /** When the last answers were there, and how long they took. */
  private answered = -LONGEST
  private took = 0
  private pause = SHORTEST

  constructor(private readonly kind: true | 'slow') {}

  /** After a quiet time, as soon as it may; otherwise when the pause is over, which ends early once the server is not busy. */
  start(busy: boolean): void {
    this.pause = busy ? Math.min(LONGEST, this.pause * GROWTH) : SHORTEST
    this.since ??= performance.now()
    if (!this.asking) this.arm()
  }

  private arm(): void {
    clearTimeout(this.timer)
    const rested = this.answered + Math.min(LONGEST, Math.max(this.pause, PATIENCE * this.took))
    this.timer = setTimeout(() => void this.ask(), Math.max(rested, this.since! + this.late()) - performance.now())
  }

  /** On a page of their own they are what somebody looks at; beside another they can wait until the first rush is over. */
  private late(): number {
    return this.kind === 'slow' && !location.pathname.endsWith('/overview') ? LATE : 0
  }

  private async ask(): Promise<void> {
    const began = performance.now()
    this.since = undefined
    this.asking = true
    await askAgain({ predicate: (query) => query.meta?.live === this.kind })
    this.asking = false
    this.answered = performance.now()
    this.took = this.answered - began
    // What was asked before this change may not have it.
    if (this.since !== undefined) this.arm()
  }
}

const rounds = [new Round(true), new Round('slow')]

function changed(event: MessageEvent<string>): void {
  const { now, busy } = JSON.parse(event.data) as Changed
  setServerTime(now)
  set({ lost: false, asOf: now })
  if (event.type === 'changed') rounds.forEach((each) => each.start(busy ?? false))
}

function listen(): void {
  if (source !== null) return
  source = new EventSource(address('changes'))
  source.addEventListener('changed', changed)
  source.addEventListener('quiet', changed)
  // The browser connects again by itself; the first word is then "changed", which fetches what was missed. It gives up
  // where it is answered otherwise than by a stream: by a proxy without a server behind it, or as nobody who is known.
  source.onerror = () => {
    if (source?.readyState !== EventSource.CLOSED) return set({ ...connection, lost: true })
    again()
    void queryClient.refetchQueries({ queryKey: sessionQuery.queryKey })
  }
}

/** Milliseconds between two attempts to be heard again. */
const AGAIN = 3000
let trying: ReturnType<typeof setTimeout> | undefined

function stop(): void {
  source?.close()
  source = null
}

/** Nobody hears a page whose session is over; whether it still is, is asked until they are known again. */
function again(): void {
  stop()
  set({ ...connection, lost: true })
  clearTimeout(trying)
  trying = setTimeout(() => {
    if (document.visibilityState !== 'visible') return
    if (!hasEnded()) return listen()
    void queryClient.refetchQueries({ queryKey: sessionQuery.queryKey }).then(again)
  }, AGAIN)
}

/** A browser has six connections to a server for all its tabs: one that nobody sees takes none. */
export function startListening(): void {
  const look = () => {
    if (document.visibilityState === 'visible') return hasEnded() ? again() : listen()
    stop()
  }
  whenEndedChanges(again)
  document.addEventListener('visibilitychange', look)
  look()
}
