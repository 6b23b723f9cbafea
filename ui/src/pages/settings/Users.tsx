// Who has an account, with which role; made, changed and taken away by whoever may.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAllowed } from '../../api/allowed'
import { ask } from '../../api/client'
import { askAgain, usersQuery } from '../../api/queries'
import type { Account, SessionView, UserChange } from '../../api/schema'
import { useBusy } from '../../parts/busy'
import { Confirm, done } from '../../parts/Confirm'
import { Dialog } from '../../parts/Dialog'
import { EmptyFace, ErrorFace, GreyRows } from '../../parts/Faces'
import { Icon } from '../../parts/Icon'
import { Ago } from '../../parts/Time'
import { words } from '../../words'

const w = words.settings
const EVERYWHERE = '*'
const ROLES = ['viewer', 'operator', 'developer', 'admin'] as const
type Role = (typeof ROLES)[number]

/** The list is asked for again once it has been changed. */
async function changed(work: Promise<unknown>, text: string): Promise<boolean> {
  const well = await done(work, text)
  await askAgain({ queryKey: usersQuery.queryKey })
  return well
}

export function Users({ session }: { session: SessionView }) {
  const { data, error, refetch } = useQuery(usersQuery)
  const [adding, setAdding] = useState(false)
  const mayAct = useAllowed()('access:act')
  // Who looks after one namespace only reaches no further; where nobody logs in, everybody looks after all.
  const beyond = !session.login || data?.find((each) => each.name === session.name)?.roles[EVERYWHERE] === 'admin'
  const add = mayAct && <button className="btn primary" disabled={!data && !error} onClick={() => setAdding(true)}><Icon name="plus" small />{w.addUser}</button>
  return (
    <section aria-label={w.tabs.users}>
      <div className="sect"><h2>{w.tabs.users}</h2><span className="grow" />{add}</div>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={4} />}
      {data?.length === 0 && <EmptyFace title={w.noUsers} hint={w.noUsersHint} />}
      {data && data.length > 0 && (
        <div className="panel">
          <table className="accounts">
            <thead><tr><th>{w.user}</th><th>{w.roles}</th><th className="num wide since">{w.since}</th>{mayAct && <th className="buttons"><span className="sr">{w.actions}</span></th>}</tr></thead>
            <tbody>{data.map((each) => <Row key={each.name} user={each} namespace={session.namespace} mayAct={mayAct} />)}</tbody>
          </table>
        </div>
      )}
      {adding && <NewUser namespace={session.namespace} first={data?.length === 0} beyond={beyond} close={() => setAdding(false)} />}
    </section>
  )
}

function Row({ user, namespace, mayAct }: { user: Account; namespace: string; mayAct: boolean }) {
  const [open, setOpen] = useState<'password' | 'remove' | null>(null)
  const here = user.roles[namespace]
  const others = Object.entries(user.roles).filter(([scope]) => scope !== namespace)
  const whole = !user.beyond
  // A select changes with every arrow key, and no role is given in passing.
  const [wanted, setWanted] = useState<string>()
  const [busy, begin] = useBusy()
  const give = async (role: string) => {
    const { [namespace]: _, ...rest } = user.roles
    const roles = role === '' ? rest : { ...rest, [namespace]: role as Role }
    if (await begin(() => changed(change(user.name, { roles }, user.etag), w.roleChanged(user.name)))) setWanted(undefined)
  }
  return (
    <tr>
      <td><span className="b">{user.name}</span> {user.elsewhere && <span className="tiny faint">{w.elsewhere}</span>}</td>
      <td>
        <span className="row">
          {mayAct ? (
            <select aria-label={w.changeRole(user.name)} value={wanted ?? here ?? ''} onChange={(event) => setWanted(event.target.value)}>
              <option value="">{w.nowhere}</option>
              {ROLES.map((role) => <option key={role}>{role}</option>)}
            </select>
          ) : (here ?? w.nowhere)}
          {wanted !== undefined && wanted !== (here ?? '') && <button className="btn primary" disabled={busy} onClick={() => void give(wanted)}>{w.giveRole}</button>}
          {others.map(([scope, role]) => <span key={scope} className="tag">{role} {scope === EVERYWHERE ? w.everywhere : w.inHint(scope)}</span>)}
          {user.beyond && others.length === 0 && <span className="tag">{w.beyond}</span>}
        </span>
      </td>
      <td className="num wide since"><Ago at={user.created_at} /></td>
      {mayAct && (
        <td className="buttons">
          {whole && !user.elsewhere && <button className="btn quiet" onClick={() => setOpen('password')}>{w.setPassword}</button>}
          {whole && <button className="btn quiet" onClick={() => setOpen('remove')} aria-label={w.removeUser(user.name)}>{w.remove}</button>}
          {open === 'remove' && <Confirm title={w.removeUser(user.name)} what={w.removeUserWhat} label={w.removeDo} tone="danger" close={() => setOpen(null)} act={() => changed(ask('remove_user', { path: { name: user.name } }), w.removed(user.name))} />}
          {open === 'password' && <NewPassword name={user.name} close={() => setOpen(null)} />}
        </td>
      )}
    </tr>
  )
}

function change(name: string, body: UserChange, match = ''): Promise<Account> {
  return ask('change_user', { path: { name }, body, match })
}

function NewPassword({ name, close }: { name: string; close: () => void }) {
  const [password, setPassword] = useState('')
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    void begin(() => changed(change(name, { password }), w.passwordSet), close)
  }
  return (
    <Dialog title={w.setPasswordOf(name)} close={close}>
      <form onSubmit={submit}>
        <div className="in"><PasswordField value={password} set={setPassword} /></div>
        <footer><button type="button" className="btn" onClick={close}>{words.run.back}</button><button className="btn primary" disabled={busy || password.length < 8}>{w.change}</button></footer>
      </form>
    </Dialog>
  )
}

function PasswordField({ value, set }: { value: string; set: (text: string) => void }) {
  return <label className="fld">{w.namePassword} <span className="faint">{w.passwordHint}</span><input className="inp" type="password" autoComplete="new-password" value={value} onChange={(event) => set(event.target.value)} /></label>
}

function NewUser({ namespace, first, beyond, close }: { namespace: string; first: boolean; beyond: boolean; close: () => void }) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>(first ? 'admin' : 'viewer')
  const [everywhere, setEverywhere] = useState(first)
  const [busy, begin] = useBusy()
  const submit = (event: React.FormEvent) => {
    event.preventDefault()
    const body = { name: name.trim(), password, roles: { [everywhere ? EVERYWHERE : namespace]: role } }
    void begin(() => changed(ask('add_user', { body }), w.added(body.name)), close)
  }
  return (
    <Dialog title={w.newUser} close={close}>
      <form onSubmit={submit}>
        <div className="in">
          {first && <p className="foreseen" style={{ marginTop: 0 }}>{w.noUsersHint}</p>}
          <label className="fld">{w.name}<input className="inp" autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} /></label>
          <PasswordField value={password} set={setPassword} />
          <label className="fld">{w.in} <span className="faint">{everywhere ? w.everywhere : w.inHint(namespace)}</span>
            <select className="inp" value={role} onChange={(event) => setRole(event.target.value as Role)}>{ROLES.map((each) => <option key={each}>{each}</option>)}</select>
          </label>
          {beyond && <label className="row check"><input type="checkbox" checked={everywhere} onChange={(event) => setEverywhere(event.target.checked)} />{w.everywhere}</label>}
        </div>
        <footer><button type="button" className="btn" onClick={close}>{words.run.back}</button><button className="btn primary" disabled={busy || name.trim() === '' || password.length < 8}>{w.add}</button></footer>
      </form>
    </Dialog>
  )
}
