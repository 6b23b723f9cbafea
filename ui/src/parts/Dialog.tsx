// A dialog: the browser's own, so that focus stays in it, Escape closes it, and what is behind it is inert.
import { useEffect, useRef, type ReactNode } from 'react'
import { words } from '../words'
import { toPage } from './focus'
import { Icon } from './Icon'
import { Toasts } from './toasts'

export const FIELD = ':is(input:not([type=hidden]), select, textarea, .pick):not(:disabled)'

/**
 * The browser would begin at the button that closes it, which stands first. A field that comes late is gone to as well, unless
 * a person was quicker; and from a choice, which goes when it is made, to the first field of what was chosen.
 */
function beginAtFirstField(dialog: HTMLDialogElement) {
  const chosen = document.activeElement
  const come = new MutationObserver(look)
  function look() {
    const at = document.activeElement
    if (at?.matches('.pick')) return
    const field = dialog.querySelector<HTMLElement>(FIELD)
    if (at !== chosen && at !== document.body && at !== dialog) come.disconnect()
    else if (field) {
      field.focus()
      if (!field.matches('.pick')) come.disconnect()
    }
  }
  come.observe(dialog, { childList: true, subtree: true })
  look()
  return () => come.disconnect()
}

export function Dialog({ title, close, children, className = '', bare = false }: { title: string; close: () => void; children: ReactNode; className?: string; bare?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const opener = document.activeElement
    const shown = dialog.current!
    shown.showModal()
    const leave = beginAtFirstField(shown)
    return () => {
      leave()
      if (!opener?.isConnected) toPage()
      else if (opener instanceof HTMLElement) opener.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) close()
      }}
    >
      {!bare && (
        <header>
          <h2 className="grow cut">{title}</h2>
          <button className="btn quiet" onClick={close} aria-label={words.frame.close}>
            <Icon name="x" small />
          </button>
        </header>
      )}
      {children}
      <Toasts />
    </dialog>
  )
}
