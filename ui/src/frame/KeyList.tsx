// The keys that do something for whoever looks.
import { useAllowed, type Permission } from '../api/allowed'
import { Dialog } from '../parts/Dialog'
import { words } from '../words'

export default function KeyList({ close }: { close: () => void }) {
  const may = useAllowed()
  const own = words.keys.list.filter(([, , needs]) => needs === undefined || may(needs as Permission))
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
