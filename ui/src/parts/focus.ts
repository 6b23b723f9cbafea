// Where the keys are when what had them is gone: a button whose action was carried out, a row that was dealt with.
import { useEffect } from 'react'

/** They go on at the page instead of at the beginning of everything. What is in a dialog is the dialog's to look after. */
export function useFocusKept() {
  useEffect(() => {
    let last: Element | null = null
    const note = (event: FocusEvent) => (last = event.target as Element)
    const leave = () => (last = null)
    const gone = new MutationObserver(() => {
      if (last === null || last.isConnected) return
      if (document.activeElement === document.body && !last.closest('dialog')) toPage()
      last = null
    })
    document.addEventListener('focusin', note)
    document.addEventListener('pointerdown', leave, true)
    gone.observe(document.body, { childList: true, subtree: true })
    return () => {
      document.removeEventListener('focusin', note)
      document.removeEventListener('pointerdown', leave, true)
      gone.disconnect()
    }
  }, [])
}

/** Leads the keys to the page, without moving what is seen of it. */
export function toPage() {
  document.getElementById('content')?.focus({ preventScroll: true })
}
