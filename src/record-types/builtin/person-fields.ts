// Fields that the people of a project desk have, be they members or customers.
// Source: domain rules S3.7, S3.8 and section 5.

import { field } from '../define-field.ts'
import type { Field } from '../types.ts'

/** E-mail address and name; the address finds a person again. */
export const identityFields: Field[] = [
  field('email', 'Email', 'email', 'The e-mail address, by which the person is found again.', {
    aliases: ['E-mail', 'Email Address'],
    required: true,
    show_in_list: true,
    sample: 'sam@sample-bakery.example'
  }),
  field('first_name', 'First Name', 'text', 'Given name.', {
    aliases: ['Given Name', 'Forename'],
    required: true,
    max_length: 255,
    show_in_list: true,
    sample: 'Sam'
  }),
  field('last_name', 'Last Name', 'text', 'Family name.', {
    aliases: ['Surname', 'Family Name'],
    required: true,
    max_length: 255,
    show_in_list: true,
    sample: 'Sample'
  })
]

const part = (name: string, label: string, aliases: string[], sample: string) =>
  field(name, label, 'text', `${label} of the postal address.`, {
    aliases,
    max_length: 255,
    sample
  })

/** Phone number and the parts of an address. */
export const addressFields: Field[] = [
  field('phone', 'Phone', 'phone', 'Phone number.', {
    aliases: ['Phone Number', 'Telephone'],
    sample: '+442079460018'
  }),
  part('address_1', 'Address 1', ['Address', 'Address Line 1', 'Street'], '1 Sample Street'),
  part('address_2', 'Address 2', ['Address Line 2', 'Suite'], '2nd floor'),
  part('city', 'City', ['Town'], 'London'),
  part('region', 'Region', ['State', 'Province', 'County'], 'Greater London'),
  part('postal_code', 'Postal Code', ['Postcode', 'ZIP', 'ZIP Code'], 'ZZ1 1ZZ'),
  part('country', 'Country', ['Country Name', 'Country Code'], 'United Kingdom')
]
