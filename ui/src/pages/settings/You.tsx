// Who looks at this, what they may do here, their password, and the way out.
import { useState } from 'react'
import { ask } from '../../api/client'
import type { SessionView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Icon } from '../../parts/Icon'
import { absolute, until } from '../../parts/format'
import { useNow } from '../../parts/Time'
import { say, sayError } from '../../parts/toasts'
import { words } from '../../words'

const w = words.settings

/** The server shows the login to whoever is not known. */
function leave(): void {
  location.reload()
}

export function You({ session }: { session: SessionView }) {
  const now = useNow()
  const out = () => void ask('log_out').then(leave, sayError)
  return (
    <>
      <section aria-labelledby="you">
        <div className="sect"><h2 id="you">{w.you}</h2></div>
        <div className="panel pad">
          <div className="row who"><Icon name="user" /><b>{session.name}</b><span className="grow" />{session.login && <button className="btn" onClick={out}>{w.logOut}</button>}</div>
          {!session.login && <p className="foreseen">{w.local}</p>}
          <dl className="kv">
            <dt>{w.namespace}</dt><dd className="mono">{session.namespace}</dd>
            {session.expires_at !== null && <><dt>{w.until}</dt><dd title={absolute(session.expires_at)}>{until(session.expires_at, now)}</dd></>}
            <dt>{w.role}</dt><dd><ul>{session.permissions.filter((each) => each in w.may).map((each) => <li key={each}>{w.may[each]}</li>)}</ul></dd>
          </dl>
        </div>
      </section>
      {session.expires_at !== null && <Password />}
    </>
  )
}

function Password() {
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  const [busy, begin] = useBusy()
  const wrong = fresh === '' || again === '' ? '' : fresh.length < 8 ? w.short : fresh !== again ? w.differ : ''
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    const change = async () => {
      try {
        await ask('change_password', { body: { old, new: fresh } })
        say(w.changed)
        return true
      } catch (error) {
        sayError(error)
        return false
      }
    }
    void begin(change, leave)
  }
  return (
    <section aria-labelledby="password">
      <div className="sect"><h2 id="password">{w.password}</h2><span className="tiny faint">{w.endsAll}</span></div>
      <form className="panel pad narrow" onSubmit={submit}>
        <label className="fld">{w.old}<input className="inp" type="password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} /></label>
        <label className="fld">{w.fresh}<input className="inp" type="password" autoComplete="new-password" value={fresh} onChange={(event) => setFresh(event.target.value)} /></label>
        <label className="fld">{w.again}<input className="inp" type="password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} aria-invalid={wrong !== ''} /></label>
        {wrong && <p className="failed word small" role="alert">{wrong}</p>}
        <p className="buttons"><button className="btn primary" disabled={busy || old === '' || fresh === '' || again === '' || wrong !== ''}>{w.change}</button></p>
      </form>
    </section>
  )
}
