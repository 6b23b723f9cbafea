// Opens the form that starts a run, for whoever may start one.
import { useAllowed } from '../api/allowed'
import { Icon } from '../parts/Icon'
import { words } from '../words'
import { useFrame } from './opening'

export function StartButton() {
  const { open } = useFrame()
  if (!useAllowed()('runs:start')) return null
  return <button className="btn primary" onClick={() => open('start')}><Icon name="play" small />{words.frame.start} <kbd aria-hidden="true">n</kbd></button>
}
