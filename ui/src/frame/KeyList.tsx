// All keys.
import { Dialog } from '../parts/Dialog'
import { words } from '../words'

export default function KeyList({ close }: { close: () => void }) {
  return (
    <Dialog title={words.keys.title} close={close}>
      <div className="in">
        <dl className="keys">
          {words.keys.list.map(([keys, what]) => (
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
