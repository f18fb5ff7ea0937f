// What follows from an attempt: verdicts, what Retry-After asks for, and the schedule.

import t from 'tap'
import { judge, retryAfterMs, retryAt, retryDelaysMs } from '../../../src/notify/send/judge.ts'

const now = new Date('2026-01-31T09:30:00.000Z')

t.test('only 2xx is success, 410 is the end, all else is tried again', async (t) => {
  for (const status of [200, 201, 202, 204, 299]) t.equal(judge({ status }), 'delivered')
  t.equal(judge({ status: 410 }), 'disable')
  for (const status of [null, 199, 300, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 503]) {
    t.equal(judge({ status }), 'retry', String(status))
  }
})

t.test('Retry-After is read in seconds and as a date, up to a day', async (t) => {
  const read = (value: string | null, status = 429) => retryAfterMs(status, value, now)
  t.equal(read('120'), 120_000)
  t.equal(read(' 0 '), 0)
  t.equal(read('Sat, 31 Jan 2026 09:31:30 GMT'), 90_000)
  t.equal(read('Saturday, 31-Jan-26 09:31:30 GMT'), 90_000)
  t.equal(read('Sat Jan 31 09:31:30 2026 GMT'), 90_000)
  t.equal(read('Sat, 31 Jan 2026 09:00:00 GMT'), 0, 'past')
  t.equal(read('999999999999999999999'), 24 * 3_600_000)
  t.equal(read('Sat, 31 Jan 2099 09:00:00 GMT'), 24 * 3_600_000)
  for (const wrong of [null, '', 'soon', '-1', '1.5', '1e3', '2026-01-31T10:00:00Z', 'Sat, no']) {
    t.equal(read(wrong), null, String(wrong))
  }
  for (const status of [429, 502, 503, 504]) t.equal(read('5', status), 5_000)
  for (const status of [200, 302, 400, 500]) t.equal(read('5', status), null)
})

t.test('the schedule: nine waits with up to a fifth more, then given up', async (t) => {
  const at = (attempt: number, random: number, asked: number | null = null) => {
    const when = retryAt(attempt, { now, retryAfterMs: asked, random: () => random })
    return when && when.getTime() - now.getTime()
  }
  const [second, minute, hour] = [1_000, 60_000, 3_600_000]
  const waits = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour]
  waits.push(14 * hour, 20 * hour, 24 * hour)
  t.same(retryDelaysMs, waits)
  t.same(
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => at(attempt, 0)),
    waits
  )
  t.equal(at(10, 0), null)
  t.equal(at(1, 0.5), 5_500)
  t.equal(at(1, 0, 60_000), 60_000, 'what the receiver asks for, when it is longer')
  t.equal(at(2, 0, 60_000), 300_000, 'the schedule, when that is longer')
  t.equal(at(10, 0, 60_000), null)
})

t.test('the schedule can be another', async (t) => {
  const choices = { now, retryAfterMs: null, random: () => 0, delaysMs: [10, 20] }
  const waits = [1, 2, 3].map((attempt) => retryAt(attempt, choices)?.getTime())
  t.same(waits, [now.getTime() + 10, now.getTime() + 20, undefined])
})
