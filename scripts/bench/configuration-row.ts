// The content of one generated configuration: row number in, 18 cells out, the same on every machine.
// Each row has a key by every match rule of the type, and shares none with another row.
// The sites and people that rows name are those of configuration-needs.ts. Called by row-types.ts.

import { locationNames, personOf } from './configuration-needs.ts'
import { below, pick, type Stream, streamOf } from './random.ts'
import { isBadRow, isChangedRow, type Recipe, takeMember } from './recipe.ts'

export const configurationColumns = [
  'organization',
  'name',
  'configuration_type',
  'configuration_status',
  'manufacturer',
  'model',
  'operating_system',
  'location',
  'contact',
  'hostname',
  'primary_ip',
  'mac_address',
  'serial_number',
  'asset_tag',
  'external_id',
  'installed_at',
  'warranty_expires_at',
  'notes'
]

const at = Object.fromEntries(configurationColumns.map((name, index) => [name, index]))

// Each with the beginning of its devices' names.
const kinds = (
  'Access Point AP,Camera CAM,Desktop DT,Firewall FW,Laptop LT,Phone PH,Printer PRT,Router RT,' +
  'Server SRV,Storage NAS,Switch SW,Virtual Machine VM'
)
  .split(',')
  .map((text) => ({
    type: text.slice(0, text.lastIndexOf(' ')),
    prefix: text.slice(text.lastIndexOf(' ') + 1)
  }))

const statuses = 'Active,In Stock,In Repair,Retired'.split(',')

const manufacturers = (
  'Acorn Devices,Basalt,Cobalt Networks,Drumlin,Elmtree Systems,Fjordline,Gantry,Hearthstone Labs,' +
  'Inkwell,Jetty Computing,Kestrelworks,Larchmont,Millrace,Nettle & Sons,Osprey Electronics,' +
  'Pinecrest,Quarry Hill,Rookery,Saltmarsh,Tidewater Machines'
).split(',')

// Every maker has models of these names: which one is meant depends on the maker.
const models = (
  'Air 11,Air 13,Compact,Edge 24,Edge 48,Mini,One,Pro 100,Pro 200,Pro 300,Rack 1U,Rack 2U,Studio,' +
  'Tower,Workgroup'
).split(',')

const operatingSystems = (
  'Alpine Linux 3.22,Android 16,Debian 13,FreeBSD 14.3,Fedora 42,iOS 19,macOS 15,Ubuntu 24.04,' +
  'Windows 11 Pro,Windows Server 2025'
).split(',')

const notes = (
  'Under the desk, behind the filing cabinet.|Replaced the disk, data was restored.|' +
  'Loud fan, look at it during the next visit.|Bought used, without papers.|' +
  'Two power supplies, only one of them connected.|Firmware is updated twice a year.'
).split('|')

/** The cells of row `row` (1-based). Rows must be asked for in order: the devices of an
 *  organization are numbered, so that no two of them have the same name. */
export function configurationRow(recipe: Recipe, row: number): string[] {
  const stream = streamOf(recipe.seed, row, 0)
  const organization = below(stream, recipe.organizations.length)
  const member = takeMember(recipe, organization)
  const { type, prefix } = kinds[below(stream, kinds.length)] as (typeof kinds)[number]
  const maker = below(stream, manufacturers.length)
  const name = `${prefix}-${String(member + 1).padStart(4, '0')}`
  const installed = below(stream, 2_900)
  const cells = [
    recipe.organizations[organization] as string,
    name,
    type,
    below(stream, 3) > 0 ? 'Active' : pick(stream, statuses),
    manufacturers[maker] as string,
    pick(stream, models),
    below(stream, 10) === 0 ? '' : pick(stream, operatingSystems),
    pick(stream, locationNames),
    contactOf(stream, organization),
    `${name.toLowerCase()}.${domainOf(organization)}`,
    addressOf(stream, organization, member),
    macOf(stream, recipe.seed, row, maker),
    `${(manufacturers[maker] as string).slice(0, 2).toUpperCase()}${serialOf(recipe.seed, row)}`,
    `AT-${String(row).padStart(6, '0')}`,
    `d-${String(row).padStart(6, '0')}`,
    dateOf(installed),
    below(stream, 6) === 0 ? '' : dateOf(installed + 365 * (1 + below(stream, 5))),
    notesOf(stream)
  ]
  if (recipe.variant === 'changed' && isChangedRow(row)) change(recipe, cells, row)
  if (recipe.variant === 'bad' && isBadRow(row)) spoil(cells, row)
  return cells
}

/** 10 % blank, else a person of the organization: two by e-mail address for one by name. */
function contactOf(s: Stream, organization: number): string {
  if (below(s, 10) === 0) return ''
  const { first, last, email } = personOf(organization, below(s, 1_000))
  return below(s, 3) === 0 ? `${first} ${last}` : email
}

const domainOf = (organization: number) => `site${organization + 1}.internal`

/** 5 % blank, 5 % IPv6 in capitals; several devices may have had the same address. */
function addressOf(s: Stream, organization: number, member: number): string {
  const kind = below(s, 20)
  if (kind === 0) return ''
  if (kind === 1) return `2001:DB8:${(organization + 1).toString(16).toUpperCase()}::${member + 1}`
  return `10.${organization % 256}.${(member >> 8) % 256}.${1 + (member % 254)}`
}

// Multiplying by an odd number maps 32-bit numbers one to one: scattered, and none comes twice.
const scatter = (seed: number, row: number, factor: number) =>
  Math.imul(row ^ Math.imul(seed, 0x85ebca6b), factor) >>> 0

/** Of the range that belongs to no maker (02); one in ten is written with hyphens. */
function macOf(s: Stream, seed: number, row: number, maker: number): string {
  const hex = `02${(maker + 16).toString(16)}${scatter(seed, row, 0x9e3779b1).toString(16).padStart(8, '0')}`
  const pairs = hex.match(/../g) as string[]
  return below(s, 10) === 0 ? pairs.join('-') : pairs.join(':').toUpperCase()
}

const serialOf = (seed: number, row: number) =>
  scatter(seed, row, 0xc2b2ae35).toString(36).toUpperCase().padStart(8, '0')

const firstDay = Date.UTC(2018, 0, 1)
const dateOf = (day: number) => new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10)

/** Half of them empty, 5 % with a comma, 1 % with a line break. */
function notesOf(s: Stream): string {
  const kind = below(s, 100)
  if (kind < 50) return ''
  const note = pick(s, notes)
  if (kind < 55) return `${note.slice(0, -1)}, see ticket ${below(s, 100_000)}.`
  return kind === 55 ? `${note}\n${pick(s, notes)}` : note
}

/** Gives a row another status, another site and address or other notes; in a third of the rows
 *  status and notes both. */
function change(recipe: Recipe, cells: string[], row: number) {
  const stream = streamOf(recipe.seed, row, 0x5bd1e995)
  const other = (list: string[], name: string) => {
    const index = list.indexOf(cells[at[name] as number] as string)
    return list[(index + 1 + below(stream, list.length - 1)) % list.length] as string
  }
  const put = (name: string, text: string) => {
    cells[at[name] as number] = text
  }
  const kind = below(stream, 3)
  if (kind !== 1) put('configuration_status', other(statuses, 'configuration_status'))
  else {
    put('location', other(locationNames, 'location'))
    // 172.16/12 is not in the base file, so the address is never the same by chance.
    put('primary_ip', `172.16.${below(stream, 256)}.${1 + below(stream, 254)}`)
  }
  if (kind === 2) put('notes', `Checked on day ${1 + below(stream, 28)}. ${pick(stream, notes)}`)
}

/** Breaks a row in one of five ways, in turn. */
function spoil(cells: string[], row: number) {
  const kind = Math.floor(row / 100) % 5
  if (kind === 0) cells[at.primary_ip as number] = 'not-an-address'
  else if (kind === 1) cells[at.name as number] = ''
  else if (kind === 2) cells.push('one cell too many')
  else if (kind === 3) cells[at.installed_at as number] = 'someday'
  else cells.length = 9
}
