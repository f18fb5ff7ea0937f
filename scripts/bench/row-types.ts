// The record types that the benchmark imports, and how a file of each is made. A further type is one
// more entry here. Called by make-csv.ts and options.ts.

import { configurationColumns, configurationRow } from './configuration-row.ts'
import { contactColumns, contactRow } from './contact-row.ts'
import type { Recipe } from './recipe.ts'

/** The types that can be measured; all others are compared with the first. */
export const typeNames = ['contacts', 'configurations'] as const
export type TypeName = (typeof typeNames)[number]

export interface RowType {
  columns: string[]
  /** About, for files that are given a size. */
  bytesPerRow: number
  /** The cells of a row (1-based); rows are asked for in order. */
  row: (recipe: Recipe, row: number) => string[]
  /** By record type: the columns whose cells together name a record that the import creates. */
  creates: Record<string, string[]>
}

/** How rows of each type are made. */
export const rowTypes: Record<TypeName, RowType> = {
  contacts: {
    columns: contactColumns,
    bytesPerRow: 165,
    row: contactRow,
    creates: { organizations: ['organization'], contact_types: ['contact_type'] }
  },
  configurations: {
    columns: configurationColumns,
    bytesPerRow: 235,
    row: configurationRow,
    creates: {
      configuration_types: ['configuration_type'],
      configuration_statuses: ['configuration_status'],
      manufacturers: ['manufacturer'],
      models: ['manufacturer', 'model'],
      operating_systems: ['operating_system']
    }
  }
}
