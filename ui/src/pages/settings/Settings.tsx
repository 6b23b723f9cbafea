// Who may use this server and what it goes by; each part is there for whoever may see it.
import { useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useAllowed } from '../../api/allowed'
import { sessionQuery } from '../../api/queries'
import { Top } from '../../frame/Top'
import { ErrorFace, GreyRows } from '../../parts/Faces'
import { words } from '../../words'
import { Audit } from './Audit'
import { Keys } from './Keys'
import { Namespaces } from './Namespaces'
import { System } from './System'
import { Users } from './Users'
import { You } from './You'
import './settings.css'

const w = words.settings
const TABS = [undefined, 'users', 'keys', 'audit', 'namespaces', 'system'] as const
type Tab = (typeof TABS)[number]
const NEEDS = { users: 'access:read', keys: 'known', audit: 'access:read', namespaces: 'known', system: 'system:read' } as const

export default function Settings() {
  const { tab, actor } = useSearch({ from: '/settings' })
  const { data, error, refetch } = useQuery(sessionQuery)
  const may = useAllowed()
  const seen = TABS.filter((each) => each === undefined || may(NEEDS[each]))
  const shown: Tab = seen.includes(tab) ? tab : undefined
  return (
    <main id="content" tabIndex={-1}>
      <Top title={w.title} />
      <nav className="tabs" aria-label={w.title}>
        {seen.map((each) => (
          <Link key={each ?? 'you'} to="/settings" search={each ? { tab: each } : {}} activeOptions={{ exact: true, explicitUndefined: true }} aria-current={each === shown ? 'page' : undefined}>{w.tabs[each ?? 'you']}</Link>
        ))}
      </nav>
      {error && !data && <ErrorFace error={error} retry={() => void refetch()} />}
      {!data && !error && <GreyRows rows={6} />}
      {data && (
        <div className="overflow settings" key={shown} role="group" aria-label={w.tabs[shown ?? 'you']} tabIndex={0}>
          {shown === undefined && <You session={data} />}
          {shown === 'users' && <Users session={data} />}
          {shown === 'keys' && <Keys session={data} />}
          {shown === 'audit' && <Audit actor={actor} />}
          {shown === 'namespaces' && <Namespaces session={data} />}
          {shown === 'system' && <System />}
        </div>
      )}
    </main>
  )
}
