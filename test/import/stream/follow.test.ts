// Following without a server: what is told while the first read is under way is not missed.

import { setImmediate as breathe } from 'node:timers/promises'
import t from 'tap'
import { createFollowers } from '../../../src/import/stream/follow.ts'
import type { FollowedRow } from '../../../src/import/stream/store.ts'
import type { EventStream } from '../../../src/platform/event-streams.ts'
import { createLog } from '../../../src/platform/log.ts'
import { until } from '../../helpers/until.ts'

const place = { account_id: 1, import_id: 7 }
const rowOf = (state: FollowedRow['state'], state_changes: number) =>
  ({ ...place, id: 7, kind: 'import', state, state_changes, file_bytes: 1, dialect: {} }) as never

t.test('a state that is told before the client is there', async (t) => {
  let row = rowOf('queued', 0)
  const sent: string[] = []
  const followers = createFollowers({
    log: createLog('silent', 'test'),
    read: async () => {
      const before = row
      await breathe()
      if (sent.length === 0) {
        row = rowOf('paused', 1)
        followers.hear({ ...place, state: 'paused', state_changes: 1 })
      }
      return [before]
    },
    show: async () => ({}) as never
  })
  t.teardown(() => followers.close())
  const stream = {
    send: (text: string | Buffer) => void sent.push(String(text)),
    end: () => {}
  } as unknown as EventStream
  await followers.join(place, null, () => stream)
  await until('the state to be read', () => sent.length === 2)
  t.match(sent[0], 'queued')
  t.match(sent[1], 'paused')
})
