// What whoever looks may do here, as the routes name it; the server has the last word.
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from './queries'
import type { KeyBody } from './schema'

export type Permission = KeyBody['permissions'][number]

/** Until it is known, nothing is offered that might be refused. */
export function useAllowed(): (permission: Permission) => boolean {
  const { data } = useQuery(sessionQuery)
  return (permission) => data?.permissions.includes(permission) ?? false
}
