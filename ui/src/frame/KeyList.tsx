// The keys that do something for whoever looks.
import { useQuery } from '@tanstack/react-query'
import { useAllowed, type Permission } from '../api/allowed'
import { sessionQuery } from '../api/queries'
import { Dialog } from '../parts/Dialog'
import { words } from '../words'

/** Leads to another namespace, where there is one. */
const TO_ANOTHER = 'g n'

export default function KeyList({ close }: { close: () => void }) {
  const may = useAllowed()
  const several = (useQuery(sessionQuery).data?.namespaces.length ?? 0) > 1
  const own = words.keys.list.filter(([keys, , needs]) => (needs === undefined || may(needs as Permission)) && (keys !== TO_ANOTHER || several))
  return (
    <Dialog title={words.keys.title} close={close}>
      <div className="in">
        <dl className="keys">
          {own.map(([keys, what]) => (
            <div key={keys} style={{ display: 'contents' }}>
              <dt>
                {keys.split(' ').map((key, i) => (
                  <kbd key={i}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Dialog>
  )
}
