// API keys: what programs send to be known. Made here, told once, revoked.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Permission } from '../../api/allowed'
import { ask, serverNow } from '../../api/client'
import { askAgain, keysQuery } from '../../api/queries'
import type { ApiKey, SessionView } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Confirm, done } from '../../parts/Confirm'
import { copy } from '../../parts/copying'
import { Dialog } from '../../parts/Dialog'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { absolute, until } from '../../parts/format'
import { Icon } from '../../parts/Icon'
import { useNow } from '../../parts/Time'
import { sayError } from '../../parts/toasts'
import { words } from '../../words'

const w = words.settings
const EVERYWHERE = '*'
const DAY = 86_400_000_000
const LASTS = [30, 90, 365, 0]

const again = () => askAgain({ queryKey: keysQuery.queryKey })

export function Keys({ session }: { session: SessionView }) {
  const { data, error, refetch } = useQuery(keysQuery)
  const [adding, setAdding] = useState(false)
  return (
    <section aria-label={w.tabs.keys}>
      <div className="sect"><h2>{w.tabs.keys}</h2><span className="grow" />{session.account && <button className="btn primary" onClick={() => setAdding(true)}><Icon name="plus" small />{w.addKey}</button>}</div>
      {!session.account && <p className="foreseen">{w.noAccount}</p>}
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={4} />}
      {data?.length === 0 && session.account && <EmptyFace title={w.noKeys} hint={w.noKeysHint} code={w.keySample} />}
      {data && data.length > 0 && (
        <div className="panel">
          <table>
            <thead><tr><th>{w.key}</th><th className="owner">{w.owner}</th><th className="wide">{w.permissions}</th><th className="num expires">{w.expires}</th><th className="buttons"><span className="sr">{w.actions}</span></th></tr></thead>
            <tbody>{data.map((each) => <Row key={each.id} of={each} here={session.namespace} />)}</tbody>
          </table>
        </div>
      )}
      {adding && <NewKey session={session} close={() => setAdding(false)} />}
    </section>
  )
}

function Row({ of, here }: { of: ApiKey; here: string }) {
  const now = useNow()
  const [asking, setAsking] = useState(false)
  const over = of.revoked_at !== null || (of.expires_at !== null && of.expires_at < now)
  const ends = of.revoked_at !== null ? w.revoked : of.expires_at === null ? w.never : of.expires_at < now ? w.expired : until(of.expires_at, now)
  const revoke = async () => {
    const well = await done(ask('revoke_key', { path: { key: of.id } }), w.keyRevoked)
    await again()
    return well
  }
  return (
    <tr className={over ? 'dim' : ''}>
      <td><span className="b">{of.label}</span> <span className="tiny faint mono">segue_{of.id}…</span> {of.namespace !== here && <span className="tag">{of.namespace === EVERYWHERE ? w.everywhere : w.inHint(of.namespace)}</span>}</td>
      <td className="owner">{of.owner}</td>
      <td className="wide cut tiny mono" title={of.permissions.join(', ')}>{of.permissions.join(' ')}</td>
      <td className="num expires" title={of.expires_at === null ? undefined : absolute(of.expires_at)}>{ends}</td>
      <td className="buttons">
        {!over && <button className="btn quiet" onClick={() => setAsking(true)} aria-label={w.revokeKey(of.label)}>{w.revoke}</button>}
        {asking && <Confirm title={w.revokeKey(of.label)} what={w.revokeWhat} label={w.revokeDo} tone="danger" close={() => setAsking(false)} act={revoke} />}
      </td>
    </tr>
  )
}

function NewKey({ session, close }: { session: SessionView; close: () => void }) {
  const own = session.permissions.filter((each) => each in w.may) as Permission[]
  const [label, setLabel] = useState('')
  const [days, setDays] = useState(90)
  const [permissions, setPermissions] = useState<ReadonlySet<Permission>>(() => new Set(own.filter((each) => each.endsWith(':read') && each !== 'access:read')))
  const [secret, setSecret] = useState('')
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    const expires_at = days === 0 ? null : Math.round(serverNow()) + days * DAY
    void begin(async () => {
      try {
        setSecret((await ask('add_key', { body: { label: label.trim(), permissions: own.filter((each) => permissions.has(each)), expires_at } })).secret)
        await again()
        return true
      } catch (error) {
        sayError(error)
        return false
      }
    })
  }
  if (secret) return <Told secret={secret} close={close} />
  const toggle = (permission: Permission) => {
    const next = new Set(permissions)
    if (!next.delete(permission)) next.add(permission)
    setPermissions(next)
  }
  return (
    <Dialog title={w.newKey} close={close}>
      <form onSubmit={submit}>
        <div className="in">
          {session.namespaces.length > 1 && <p className="foreseen" style={{ marginTop: 0 }}>{words.namespaces.keyIn(session.namespace)}</p>}
          <label className="fld">{w.label} <span className="faint">{w.labelHint}</span><input className="inp" autoComplete="off" value={label} onChange={(event) => setLabel(event.target.value)} /></label>
          <fieldset className="may"><legend>{w.permissions}</legend>{own.map((each) => <label key={each} className="row check"><input type="checkbox" checked={permissions.has(each)} onChange={() => toggle(each)} />{w.may[each]}</label>)}</fieldset>
          <label className="fld">{w.lasts}<select className="inp" value={days} onChange={(event) => setDays(Number(event.target.value))}>{LASTS.map((each) => <option key={each} value={each}>{each === 0 ? w.never : w.days(each)}</option>)}</select></label>
        </div>
        <footer>
          {permissions.size === 0 && <span className="failed word small grow" role="alert">{w.noPermission}</span>}
          <button type="button" className="btn" onClick={close}>{words.run.back}</button><button className="btn primary" disabled={busy || label.trim() === '' || permissions.size === 0}>{w.make}</button>
        </footer>
      </form>
    </Dialog>
  )
}

/** Nobody can tell it again: it is shown until somebody says that they have it. */
function Told({ secret, close }: { secret: string; close: () => void }) {
  return (
    <Dialog title={w.newKey} close={close}>
      <div className="in">
        <p>{w.secret}</p>
        <pre className="secret" tabIndex={0}>{secret}</pre>
      </div>
      <footer><button className="btn" onClick={() => copy(secret, w.copied)}><Icon name="copy" small />{w.copyKey}</button><button className="btn primary" onClick={close}>{w.kept}</button></footer>
    </Dialog>
  )
}
