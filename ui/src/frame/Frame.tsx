// The frame of every page: navigation with what needs a person, keys that work everywhere, what opens over the page.
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useMemo, useRef, useState } from 'react'
import { useAllowed, useStray } from '../api/allowed'
import { namespace } from '../api/place'
import { overviewQuery, sessionQuery } from '../api/queries'
import { Icon, type IconName } from '../parts/Icon'
import { toPage, useFocusKept } from '../parts/focus'
import { useKeys } from '../parts/keys'
import { later } from '../parts/later'
import { Toasts } from '../parts/toasts'
import { chooseScheme, isDark } from '../theme'
import { words } from '../words'
import { FrameContext, type Action, type Opened } from './opening'
import { PaletteToCome } from './PaletteToCome'
import { Stray } from './Stray'

const Palette = later(() => import('./Palette'), PaletteToCome)
const Namespaces = lazy(() => import('./Namespaces'))
const KeyList = lazy(() => import('./KeyList'))
const StartRun = lazy(() => import('../pages/workflows/StartRun'))

export function Frame() {
  const [opened, setOpened] = useState<{ what: Opened; turn: number; workflow?: string | undefined; input?: unknown }>({ what: null, turn: 0 })
  const [actions, setActions] = useState<Action[]>([])
  const typed = useRef('')
  const navigate = useNavigate()
  const may = useAllowed()
  const { data: session } = useQuery(sessionQuery)
  const settings = useLocation({ select: (at) => at.pathname === '/settings' })
  const stray = useStray()
  const several = session !== undefined && session.namespaces.length > 1
  const { turn } = opened
  // A dialog that was closed by a key says so a moment later, when another one, or the same anew, may be open already.
  const close = () => setOpened((now) => (now.turn === turn ? { what: null, turn } : now))
  const frame = useMemo(() => ({ open: (what: Opened, workflow?: string, input?: unknown) => setOpened((now) => ({ what, turn: now.turn + 1, workflow, input })), setActions }), [])
  useFocusKept()
  useKeys({
    'mod+k': () => frame.open('palette'),
    '?': () => frame.open('keys'),
    n: () => (may('runs:start') ? frame.open('start') : undefined),
    'g o': () => void navigate({ to: '/overview' }),
    'g r': () => void navigate({ to: '/runs' }),
    'g w': () => void navigate({ to: '/workflows' }),
    'g s': () => void navigate({ to: '/schedules' }),
    'g k': () => void navigate({ to: '/workers' }),
    'g e': () => void navigate({ to: '/settings' }),
    'g n': () => (several ? frame.open('namespaces') : undefined),
    'g t': () => void navigate({ to: '/tasks' }),
  })
  return (
    <FrameContext.Provider value={frame}>
      <a className="btn skip" href="#content" onClick={(event) => {
        event.preventDefault()
        toPage()
      }}>{words.frame.skip}</a>
      <div className="app">
        <Navigation openKeys={() => frame.open('keys')} />
        {/* Who may look at nothing in the server's own namespace still has a password and keys. */}
        {stray && !(settings && namespace === '') ? <Stray session={stray} /> : <Outlet />}
      </div>
      <Suspense fallback={null}>
        {opened.what === 'palette' && <Palette key={turn} close={close} actions={actions} typed={typed} />}
        {opened.what === 'namespaces' && <Namespaces key={turn} close={close} />}
        {opened.what === 'keys' && <KeyList key={turn} close={close} />}
        {opened.what === 'start' && <StartRun key={turn} close={close} workflow={opened.workflow} input={opened.input} />}
      </Suspense>
      <Toasts />
    </FrameContext.Provider>
  )
}

function Navigation({ openKeys }: { openKeys: () => void }) {
  const { data } = useQuery(overviewQuery)
  const { data: session } = useQuery(sessionQuery)
  const [dark, setDark] = useState(isDark)
  const incidents = data?.counts['incident'] ?? 0
  const tasks = data?.open_tasks ?? 0
  const workflows = data?.owner ? Object.keys(data.owner.serves).length : undefined
  const toggle = () => {
    chooseScheme(dark ? 'light' : 'dark')
    setDark(!dark)
  }
  return (
    <nav className="side" aria-label={words.frame.main}>
      <div className="brand">
        <svg viewBox="0 0 18 18" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" aria-hidden="true">
          <path d="M2 5.5h5.5c4 0 3 7 7 7H16M12 5.5h4M2 12.5h4" />
        </svg>
        <span>{words.product}</span>
      </div>
      <div className="ns">
        <span className="grow cut b">{session?.namespace ?? ' '}</span>
      </div>
      <Item to="/overview" icon="overview" text={words.pages.overview} />
      <Item to="/runs" icon="runs" text={words.pages.runs} count={incidents || undefined} tone="hot" title={words.frame.incidents(incidents)} />
      <Item to="/workflows" icon="flow" text={words.pages.workflows} count={workflows} />
      <Item to="/schedules" icon="cal" text={words.pages.schedules} />
      <Item to="/tasks" icon="inbox" text={words.pages.tasks} count={tasks || undefined} tone="me" title={words.frame.openTasks(tasks)} />
      <Item to="/workers" icon="worker" text={words.pages.workers} />
      <span className="sp" />
      <Item to="/settings" icon="gear" text={words.pages.settings} />
      <FootButton icon="keyboard" text={words.frame.keys} act={openKeys} />
      <Me />
      <FootButton icon={dark ? 'sun' : 'moon'} text={dark ? words.frame.light : words.frame.dark} act={toggle} />
    </nav>
  )
}

function Item({ to, icon, text, count, tone = '', title }: { to: string; icon: IconName; text: string; count?: number | undefined; tone?: string; title?: string }) {
  return (
    <Link to={to} activeProps={{ 'aria-current': 'page' }} activeOptions={{ includeSearch: false }} title={text}>
      <Icon name={icon} />
      <span>{text}</span>
      {count !== undefined && (
        <span className={`n ${tone}`} title={title}>
          {count.toLocaleString()}
        </span>
      )}
    </Link>
  )
}

/** Who looks; it leads to what they may do, and out. */
function Me() {
  const { data } = useQuery(sessionQuery)
  const navigate = useNavigate()
  if (!data?.name) return null
  return <FootButton icon="user" text={data.name} className="me" act={() => void navigate({ to: '/settings' })} />
}

function FootButton({ icon, text, act, className = '' }: { icon: IconName; text: string; act: () => void; className?: string }) {
  return (
    <a
      href="#"
      role="button"
      aria-label={text}
      className={`foot-item ${className}`}
      onClick={(event) => {
        event.preventDefault()
        act()
      }}
    >
      <Icon name={icon} />
      <span className="cut">{text}</span>
    </a>
  )
}
