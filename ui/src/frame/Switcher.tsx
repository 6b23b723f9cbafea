// Whose runs are shown, where there are several namespaces to choose from; opens the choice.
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '../api/queries'
import { Icon } from '../parts/Icon'
import { words } from '../words'
import { useFrame } from './opening'

export function Switcher() {
  const { open } = useFrame()
  const { data } = useQuery(sessionQuery)
  if (!data || data.namespaces.length < 2) return null
  return (
    <button className="btn whose" aria-haspopup="dialog" aria-label={words.namespaces.whose(data.namespace)} title={words.namespaces.whose(data.namespace)} onClick={() => open('namespaces')}>
      <span className="cut">{data.namespace}</span>
      <Icon name="down" small />
    </button>
  )
}
