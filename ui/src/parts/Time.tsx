// Times that grow by themselves, by the server's clock.
import { useMemo, useSyncExternalStore } from 'react'
import { serverNow } from '../api/client'
import { absolute, ago, duration } from './format'

const listeners = new Set<() => void>()
let now = serverNow()
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  now = serverNow()
  listeners.forEach((each) => each())
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** The server's time (µs), new every second; one clock for all that is on screen. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now)
}

export function Ago({ at }: { at: number }) {
  const current = Math.max(useNow(), at)
  const [machine, whole] = useMemo(() => [new Date(at / 1000).toISOString(), absolute(at)], [at])
  return (
    <time dateTime={machine} title={whole}>
      {ago(at, current)}
    </time>
  )
}

/** From a time until another, or until now. */
export function Span({ from, to }: { from: number; to?: number | null | undefined }) {
  const current = useNow()
  return <>{duration((to ?? Math.max(current, from)) - from)}</>
}
