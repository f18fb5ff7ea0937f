// A deleted record is brought back into a type that was changed while it was gone.

import t from 'tap'
import { changeThings, defineThings, field, importThings } from '../../helpers/own-type.ts'
import { undoHere } from '../../helpers/undo-ways.ts'
import { setup } from '../../setup.ts'

t.test('a restore is refused for what the type no longer takes', async (t) => {
  const s = await setup(t)
  await defineThings(s, [
    field('n', 'text'),
    field('ref', 'integer'),
    field('tag', 'text'),
    field('r', 'text')
  ])
  const { id } = await importThings(s, 'name,n,ref,tag,r', 'x,huge,1,abcd,')
  const { rows } = await undoHere(s, id)
  const { record_id } = rows[0]
  await changeThings(s, [
    field('n', 'number'),
    field('ref', 'reference', { reference: { type: 'organizations', rule: 'name' } }),
    field('tag', 'text', { max_length: 3 }),
    field('r', 'text', { required: true })
  ])
  const restore = (body: object) => s.request('POST', `/records/${record_id}/restore`, { body })
  const { status, body } = await restore({ version: 1, dry_run: true })
  t.equal(status, 200)
  t.same(
    body.conflicts.map(({ code, field }: Record<string, string>) => [code, field]).slice(0, 4),
    [
      ['required_cleared', 'r'],
      ['value_unfit', 'n'],
      ['value_unfit', 'ref'],
      ['value_unfit', 'tag']
    ]
  )
  t.equal(body.conflicts[1].message, 'n was "huge", and takes only values of the kind number now.')
  t.match(await restore({ version: 1 }), { status: 409, body: { code: 'restore_conflict' } })
  t.equal((await s.get(`/records/${record_id}`)).status, 404)
})
