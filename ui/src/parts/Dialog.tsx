// A dialog: the browser's own, so that focus stays in it, Escape closes it, and what is behind it is inert.
import { useEffect, useRef, type ReactNode } from 'react'
import { words } from '../words'
import { Icon } from './Icon'

const FIELD = ':is(input:not([type=hidden]), select, textarea):not(:disabled)'

export function Dialog({ title, close, children, className = '', bare = false }: { title: string; close: () => void; children: ReactNode; className?: string; bare?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    // The browser would go to the button that closes it, which stands first.
    dialog.current?.querySelector<HTMLElement>(FIELD)?.focus()
    return () => {
      if (opener instanceof HTMLElement) opener.focus()
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
    </dialog>
  )
}
