// What our record types and fields are called in the envelopes of PSA systems, as data. Values are
// sent as they are, whatever the limits of the other side; docs/psa-envelopes.md shows the tables
// and is held to this file by a test.

/** How a value is written.
 *  value: as it is; date: as the midnight at which the day begins; negated: the other way round,
 *  false where there is no value; name: the title of the record referred to; id: its id; reference:
 *  `{"id", "name", "externalIds"}`; first, second, third: that one of several values; items: one communication item
 *  for each of them. */
export type Form =
  | 'value'
  | 'date'
  | 'negated'
  | 'name'
  | 'id'
  | 'reference'
  | 'first'
  | 'second'
  | 'third'
  | 'items'

export interface FieldName {
  /** Our field; `organization` is the record's organization whatever its field is called. */
  field: string
  /** Theirs; of a dot, what is behind it is inside an object. */
  to: string
  form: Form
  /** Most characters that the PSA itself takes. */
  limit?: number
}

export interface TypeNames {
  /** Their name of the record type. */
  name: string
  fields: FieldName[]
}

/** `our field: their field` in lines, for the tables below; a form in brackets. */
function names(name: string, lines: string[]): TypeNames {
  const fields = lines.map((line) => {
    const [, field = '', to = '', form = 'value', limit] =
      /^(\w+) > ([\w.]+)(?: \((\w+)\))?(?: <= (\d+))?$/.exec(line) ?? []
    return { field, to, form: form as Form, ...(limit && { limit: Number(limit) }) }
  })
  return { name, fields }
}

export const connectwiseNames: Record<string, TypeNames> = {
  organizations: names('company', [
    'name > name <= 50',
    'short_name > identifier <= 25',
    'organization_type > type (reference)',
    'organization_status > status (reference)',
    'parent > parentCompany (reference)'
  ]),
  locations: names('site', [
    'name > name',
    'organization > company (reference)',
    'address_1 > addressLine1',
    'address_2 > addressLine2',
    'city > city',
    'region > state',
    'postal_code > zip',
    'country > country',
    'phone > phoneNumber',
    'fax > faxNumber',
    'primary > defaultFlag'
  ]),
  contacts: names('contact', [
    'first_name > firstName <= 30',
    'last_name > lastName',
    'title > title',
    'organization > company (reference)',
    'location > site (reference)',
    'contact_type > type (reference)',
    'emails > communicationItems (items)',
    'phones > communicationItems (items)'
  ]),
  configurations: names('configuration', [
    'name > name',
    'asset_tag > tagNumber',
    'configuration_type > type (reference)',
    'configuration_status > status (reference)',
    'organization > company (reference)',
    'location > site (reference)',
    'contact > contact (reference)',
    'serial_number > serialNumber',
    'mac_address > macAddress <= 17',
    'primary_ip > ipAddress',
    'default_gateway > defaultGateway',
    'manufacturer > manufacturer (reference)',
    'model > modelNumber (name)',
    'installed_at > installationDate (date)',
    'purchased_at > purchaseDate (date)',
    'warranty_expires_at > warrantyExpirationDate (date)'
  ])
}

export const autotaskNames: Record<string, TypeNames> = {
  organizations: names('Account', [
    'name > companyName',
    'short_name > companyNumber <= 50',
    'organization_type > companyType (name)',
    'parent > parentCompanyID (id)',
    'archived > isActive (negated)'
  ]),
  locations: names('CompanyLocation', [
    'name > name',
    'organization > companyID (id)',
    'address_1 > address1',
    'address_2 > address2',
    'city > city',
    'region > state',
    'postal_code > postalCode',
    'country > country',
    'primary > isPrimary'
  ]),
  contacts: names('Contact', [
    'first_name > firstName',
    'last_name > lastName',
    'title > title',
    'organization > companyID (id)',
    'emails > emailAddress (first)',
    'emails > emailAddress2 (second)',
    'emails > emailAddress3 (third)',
    'phones > phone (first)',
    'phones > mobilePhone (second)',
    'phones > alternatePhone (third)',
    'archived > isActive (negated)'
  ]),
  configurations: names('ConfigurationItem', [
    'name > referenceTitle',
    'asset_tag > referenceNumber',
    'configuration_type > configurationItemType (name)',
    'organization > companyID (id)',
    'location > companyLocationID (id)',
    'contact > contactID (id)',
    'serial_number > serialNumber',
    'model > product.name (name)',
    'manufacturer > product.manufacturer (name)',
    'installed_at > installDate (date)',
    'warranty_expires_at > warrantyExpirationDate (date)',
    'archived > isActive (negated)'
  ])
}
