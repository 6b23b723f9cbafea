// The choice of another namespace: links, because each is an address that can be opened beside this one, or be sent.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { addressIn, go, remember } from '../api/place'
import { sessionQuery } from '../api/queries'
import { Dialog } from '../parts/Dialog'
import { Icon } from '../parts/Icon'
import { words } from '../words'

const w = words.namespaces
/** From how many on they can be searched. */
const MANY = 8

export default function Namespaces({ close }: { close: () => void }) {
  const { data } = useQuery(sessionQuery)
  const [text, setText] = useState('')
  if (!data) return null
  const found = data.namespaces.filter((each) => each.toLowerCase().includes(text.trim().toLowerCase()))
  const first = (event: React.FormEvent) => {
    event.preventDefault()
    if (found[0] !== undefined) go(found[0], data.own)
  }
  return (
    <Dialog title={w.title} close={close} className="namespaces">
      {data.namespaces.length > MANY && (
        <form className="in" onSubmit={first}>
          <input className="inp" autoComplete="off" aria-label={w.find} placeholder={w.find} value={text} onChange={(event) => setText(event.target.value)} />
        </form>
      )}
      <ul aria-label={w.title}>
        {found.map((each) => (
          <li key={each}>
            <a href={addressIn(each, data.own)} aria-current={each === data.namespace ? 'page' : undefined} onClick={() => remember(each, data.own)}>
              <span className="grow cut mono">{each}</span>
              {each === data.own && <span className="tiny faint">{w.own}</span>}
              {each === data.namespace && <Icon name="check" small />}
            </a>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="in dim">{w.noMatch}</p>}
    </Dialog>
  )
}
