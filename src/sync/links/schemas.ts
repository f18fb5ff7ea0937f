// Shapes of the routes of links. TypeBox schemas with a text for every property.

import { Type } from 'typebox'
import { answer, nullable, oneOf, page, pageQuery, time } from '../../platform/http-schemas.ts'
import { maxExternalIdChars, systemPattern } from '../../record-types/external-ids.ts'
import { linkStates } from './status.ts'

const system = Type.String({
  pattern: systemPattern,
  description: 'Name of the other system: lower-case letters, digits, - and _.',
  examples: ['connectwise']
})
const recordId = Type.Integer({
  minimum: 1,
  maximum: 2 ** 53 - 1,
  description: 'Id of the record.'
})
const external_id = Type.String({
  minLength: 1,
  maxLength: maxExternalIdChars,
  description: 'Id of the record in the other system.',
  examples: ['4711']
})

export const LinkedRecord = Type.Object({ id: recordId })
export const LinkPlace = Type.Object({ id: recordId, system })

export const LinkPut = Type.Object(
  {
    state: oneOf(
      linkStates.filter((state) => state !== 'not_synced'),
      'What the link is from now on; see docs/links.md for the moves.'
    ),
    external_id: Type.Optional(
      nullable(external_id, 'Id of the record in the other system. Left out: as it was.')
    ),
    error: Type.Optional(
      nullable(
        Type.String({ maxLength: 2_000, description: 'Why.' }),
        'With state error: why the other system refused it. Left out: as it was.'
      )
    )
  },
  { additionalProperties: false }
)

export const LinkListQuery = Type.Object(
  {
    system: Type.Optional(system),
    state: Type.Optional(
      oneOf(
        linkStates,
        'Only links in this state, such as `orphaned`; not_synced: those that an import named.'
      )
    ),
    ...pageQuery
  },
  { additionalProperties: false }
)

export const LinkSchema = answer(
  {
    record_id: Type.Integer({ description: 'Id of the record.', examples: [42] }),
    type: nullable(Type.String(), 'Its record type; null: the account has it no more.'),
    system: Type.String({ description: 'The other system.', examples: ['connectwise'] }),
    state: oneOf(
      linkStates,
      'How far both say the same; not_synced: there is no link, or one that an import named.'
    ),
    external_id: nullable(Type.String(), 'Id of the record there; null: not known.'),
    error: nullable(Type.String(), 'Why it was refused; null unless state is error.'),
    created_at: nullable(time(''), 'When it was first linked or named; null: never.'),
    changed_at: nullable(time(''), 'When the link last changed; null: never.')
  },
  { $id: 'RecordLink', description: 'What a record is in another system.' }
)

export const LinkPageSchema = page(LinkSchema, 'RecordLinkPage', 'Links, oldest first.')

export const LinksSchema = answer(
  { data: Type.Array(Type.Ref('RecordLink#'), { description: 'One for each system.' }) },
  { $id: 'RecordLinks', description: 'The links of a record.' }
)
