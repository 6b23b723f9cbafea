// An address that leads nowhere.
import { Link, useLocation } from '@tanstack/react-router'
import { EmptyFace } from '../parts/Faces'
import { words } from '../words'
import { Top } from './Top'

export function NotFound() {
  const path = useLocation({ select: (at) => at.pathname })
  return (
    <main id="content" tabIndex={-1}>
      <Top title={words.faces.notFound} />
      <EmptyFace title={words.faces.nothingAt(path)} hint={words.faces.nothingAtHint}>
        <Link className="btn" to="/overview">
          {words.faces.home}
        </Link>
      </EmptyFace>
    </main>
  )
}
