// The faces of a view that has nothing to show yet, or nothing at all, or could not be had.
import type { ReactNode } from 'react'
import { Refusal } from '../api/client'
import { words } from '../words'

export function ErrorFace({ error, retry }: { error: Error; retry?: () => void }) {
  const problem = error instanceof Refusal ? error.problem : null
  const loggedOut = error instanceof Refusal && error.loggedOut
  return (
    <div className="face error" role="alert">
      <h2>{loggedOut ? words.session.ended : (problem?.title ?? words.faces.failed)}</h2>
      <p className="err">{loggedOut ? words.session.notShown : (problem?.detail ?? error.message)}</p>
      <div className="row">
        {retry && (
          <button className="btn" onClick={retry}>
            {words.faces.retry}
          </button>
        )}
        {problem?.request && <span className="tiny dim mono">{words.faces.request(problem.request)}</span>}
      </div>
    </div>
  )
}

export function EmptyFace({ title, hint, code, children }: { title: string; hint?: string; code?: string; children?: ReactNode }) {
  return (
    <div className="face">
      <h2>{title}</h2>
      {hint && <p className="dim">{hint}</p>}
      {code && <pre tabIndex={0}>{code}</pre>}
      {children}
    </div>
  )
}

/** Still bars in the size of what will stand there, after 200 ms. */
export function GreyRows({ rows = 12 }: { rows?: number }) {
  return (
    <div aria-busy="true" aria-label={words.faces.loading} role="status">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} style={{ height: 32, display: 'flex', alignItems: 'center', gap: 24, padding: '0 16px', borderBottom: '1px solid var(--line)' }}>
          <span className="grey" style={{ width: 84 }} />
          <span className="grey" style={{ width: 160 + ((i * 37) % 60) }} />
          <span className="grey" style={{ width: 220 + ((i * 53) % 160) }} />
        </div>
      ))}
    </div>
  )
}
