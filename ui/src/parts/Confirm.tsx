// Asks before something is done, and says what it will do.
import { useState, type ReactNode } from 'react'
import { askAgain, LIVE } from '../api/queries'
import { words } from '../words'
import { useBusy } from './busy'
import { Dialog } from './Dialog'
import { say, sayError } from './toasts'

const w = words.run

/** Whether it was carried out; if not, the refusal has been said. */
export async function done(work: Promise<unknown>, text: string | (() => string)): Promise<boolean> {
  try {
    await work
    say(typeof text === 'string' ? text : text())
    void askAgain(LIVE)
    return true
  } catch (error) {
    sayError(error)
    return false
  }
}

interface Asked {
  title: string
  what: ReactNode
  label: string
  tone: string
  close: () => void
  act: (reason: string) => Promise<boolean>
  reason?: boolean
  /** It cannot be done as things are. */
  held?: boolean
}

export function Confirm({ title, what, label, tone, close, act, reason = false, held = false }: Asked) {
  const [text, setText] = useState('')
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    void begin(() => act(text), close)
  }
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={submit}>
        <div className="in">
          {typeof what === 'string' ? <p>{what}</p> : what}
          {reason && (
            <label className="fld">
              {w.reason} <span className="faint">{w.reasonHint}</span>
              <input className="inp" value={text} onChange={(event) => setText(event.target.value)} />
            </label>
          )}
        </div>
        <footer>
          <button type="button" className="btn" onClick={close}>{w.back}</button>
          <button className={`btn ${tone}`} disabled={busy || held}>{label}</button>
        </footer>
      </form>
    </Dialog>
  )
}
