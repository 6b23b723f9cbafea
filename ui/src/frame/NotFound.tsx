// An address that leads nowhere.
import { Link } from '@tanstack/react-router'
import { EmptyFace } from '../parts/Faces'
import { words } from '../words'

export function NotFound() {
  return (
    <main id="content">
      <EmptyFace title={words.faces.notFound}>
        <Link className="btn" to="/overview">
          {words.faces.home}
        </Link>
      </EmptyFace>
    </main>
  )
}
