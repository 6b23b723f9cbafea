// Short notices: that something was asked for, or why it was refused.
import { useSyncExternalStore } from 'react'
import { Refusal } from '../api/client'

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
  say(error instanceof Refusal ? error.problem.detail : String(error), true)
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((each) => (
        <div key={each.id} className={`toast ${each.bad ? 'bad' : ''}`}>
          {each.text}
        </div>
      ))}
    </div>
  )
}
