// Calls done together, and work done when somebody says so.

import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { gather } from '../../src/platform/gather.ts'
import { createLog } from '../../src/platform/log.ts'
import { repeat } from '../../src/platform/repeat.ts'
import { until } from '../helpers/until.ts'

t.test('calls of one moment are one list, each gets its own answer', async (t) => {
  const lists: number[][] = []
  const double = gather(3, async (asks: number[]) => {
    lists.push(asks)
    await wait(5)
    return asks.map((one) => one * 2)
  })
  t.same(await Promise.all([1, 2, 3, 4, 5].map(double)), [2, 4, 6, 8, 10])
  t.same(lists, [
    [1, 2, 3],
    [4, 5]
  ])
  t.equal(await double(7), 14, 'and again')
})

t.test('those of a list that fails fail, and no others', async (t) => {
  const work = gather(2, async (asks: number[]) => {
    if (asks.includes(1)) throw new Error('no')
    return asks
  })
  const results = await Promise.allSettled([1, 2, 3].map(work))
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled']
  )
})

t.test('work is never done twice at once, and no wake-up is lost', async (t) => {
  let atOnce = 0
  let done = 0
  let wanted = 1
  const log = createLog('silent', 'test')
  const work = repeat({ name: 'test', everyMs: 3_600_000, log }, async () => {
    t.equal(++atOnce, 1)
    const seen = wanted
    await wait(3)
    atOnce--
    done = seen
    if (seen === 5) throw new Error('a failure ends nothing')
  })
  for (; wanted < 30; wanted++) {
    work.wake()
    await wait(wanted % 3)
  }
  work.wake()
  await until('all of it', () => done === 30)
  await work.stop()
  wanted++
  work.wake()
  await wait(20)
  t.equal(done, 30, 'stopped')
})
