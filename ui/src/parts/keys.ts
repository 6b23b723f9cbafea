// Keys: single ones and pairs such as `g r`; never while somebody types, never over an open dialog.
import { useEffect, useRef } from 'react'

export type Keys = Record<string, (event: KeyboardEvent) => void>

const PAIR = 1000
let leader = ''
let last = ''
let until = 0

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName)) && target.getAttribute('type') !== 'checkbox'
}

function name(event: KeyboardEvent): string {
  const key = event.key === ' ' ? 'space' : event.key
  if (event.metaKey || event.ctrlKey) return `mod+${key.toLowerCase()}`
  return event.shiftKey && /^[a-z]$/i.test(key) ? `shift+${key.toLowerCase()}` : key
}

/** A button under the focus answers to its own keys. */
function pressesButton(event: KeyboardEvent, pressed: string): boolean {
  const target = event.target
  return (pressed === 'Enter' || pressed === 'space') && target instanceof HTMLElement && target.closest('button, a, summary, [type=checkbox]') !== null
}

export function useKeys(keys: Keys): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const pressed = name(event)
      if (event.defaultPrevented || (typing(event.target) && !pressed.startsWith('mod+'))) return
      if (document.querySelector('dialog[open]') !== null || pressesButton(event, pressed)) return
      const act = leader === 'g' ? current.current[`g ${pressed}`] : current.current[pressed]
      if (act !== undefined) {
        event.preventDefault()
        act(event)
      }
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}

/** Remembers the key before this one, as long as it may still begin a pair: in the capturing phase, before all others. */
export function startLeader(): void {
  const remember = (event: KeyboardEvent) => {
    const plain = !typing(event.target) && !event.metaKey && !event.ctrlKey && !event.altKey
    leader = plain && Date.now() < until && last === 'g' ? 'g' : ''
    last = plain && leader === '' ? event.key : ''
    until = Date.now() + PAIR
  }
  document.addEventListener('keydown', remember, { capture: true })
}
