// The states of a record's link to another system as a table: every state, every move, and what makes
// it happen. A record that was never linked has no row: `not_synced`, as is a link that an import named.

export const linkStates = [
  'not_synced',
  'pending',
  'synced',
  'error',
  'orphaned',
  'disabled',
  'disconnected'
] as const
export type LinkState = (typeof linkStates)[number]

/** What each state means. */
export const linkStateTexts: Record<LinkState, string> = {
  not_synced: 'Never exchanged: no link, or one that an import named.',
  pending: 'To be written to the other system.',
  synced: 'Both say the same.',
  error: 'The other system refused it; `error` says why.',
  orphaned: 'What it was linked to is gone there, or no longer among what is synced.',
  disabled: 'Paused; the link is kept.',
  disconnected: 'Taken off; the external id is remembered.'
}

/** Every move, by the state it begins in, with when it happens. */
export const linkMoves: Record<LinkState, Partial<Record<LinkState, string>>> = {
  not_synced: {
    pending: 'it is to be written there',
    synced: 'the connector found it there'
  },
  pending: {
    synced: 'the connector wrote it',
    error: 'the other system refused it',
    disabled: 'disable'
  },
  synced: {
    pending: 'an event told of a change of the record',
    error: 'the other system refused it',
    orphaned: 'it is gone there, or out of scope',
    disabled: 'disable'
  },
  error: {
    pending: 'it is tried again',
    synced: 'the connector wrote it',
    orphaned: 'it is gone there, or out of scope',
    disabled: 'disable'
  },
  orphaned: {
    synced: 'it is there again',
    disconnected: 'disconnect'
  },
  disabled: {
    pending: 'enable',
    disconnected: 'disconnect'
  },
  disconnected: {
    pending: 'reconnect'
  }
}

/** Whether a move is the report of a connector: who makes it is the one that keeps the link. That
 *  something is there again people say, too. */
export function isReport(from: LinkState, to: LinkState): boolean {
  return from !== to && from !== 'orphaned' && (to === 'synced' || to === 'error')
}

/** Whether a link may go from one state to the other; to say the same again is no move. */
export function mayMove(from: LinkState, to: LinkState): boolean {
  return from === to || linkMoves[from][to] !== undefined
}
