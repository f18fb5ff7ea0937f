-- Lean yardstick: one file of contacts into one typed table with one unique key, in one transaction.
-- $import is replaced by the number of the run. Sent by bench/yardsticks.ts, step by step.

-- step: copy
COPY staging (external_id, organization, first_name, last_name, title, contact_type, important,
  emails, phones, notes, tags, archived) FROM STDIN (FORMAT csv, HEADER true)

-- step: upsert
WITH checked AS MATERIALIZED (
  SELECT
    s.row_number, s.external_id, s.organization, s.first_name, s.last_name, s.title, s.contact_type,
    CASE WHEN valid.important THEN s.important::boolean END AS important,
    string_to_array(s.emails, '|') AS emails,
    string_to_array(s.phones, '|') AS phones,
    s.notes,
    string_to_array(s.tags, ',') AS tags,
    CASE WHEN valid.archived THEN s.archived::boolean END AS archived,
    CASE
      WHEN s.external_id IS NULL THEN 'external_id is missing'
      WHEN s.organization IS NULL THEN 'organization is missing'
      WHEN s.first_name IS NULL THEN 'first_name is missing'
      WHEN NOT valid.important THEN 'important is not a boolean'
      WHEN NOT valid.archived THEN 'archived is not a boolean'
      WHEN s.emails !~ '^[^@\s|]+@[^@\s|]+\.[^@\s|]+(\|[^@\s|]+@[^@\s|]+\.[^@\s|]+)*$'
        THEN 'emails is not an e-mail address'
      WHEN earlier.row_number IS NOT NULL THEN 'external_id is in the file twice'
    END AS problem
  FROM staging AS s
  CROSS JOIN LATERAL (
    SELECT
      lower(s.important) IN ('true', 'false', 'yes', 'no', '1', '0') IS NOT FALSE AS important,
      lower(s.archived) IN ('true', 'false', 'yes', 'no', '1', '0') IS NOT FALSE AS archived
  ) AS valid
  LEFT JOIN (
    SELECT min(d.row_number) AS row_number, d.external_id
    FROM staging AS d
    GROUP BY d.external_id
    HAVING count(*) > 1
  ) AS earlier ON earlier.external_id = s.external_id AND earlier.row_number < s.row_number
), upserted AS (
  INSERT INTO contacts AS c (external_id, organization, first_name, last_name, title, contact_type,
    important, emails, phones, notes, tags, archived)
  SELECT n.external_id, n.organization, n.first_name, n.last_name, n.title, n.contact_type,
    n.important, n.emails, n.phones, n.notes, n.tags, n.archived
  FROM checked AS n
  WHERE n.problem IS NULL
  ON CONFLICT (external_id) DO UPDATE SET
    organization = excluded.organization, first_name = excluded.first_name,
    last_name = excluded.last_name, title = excluded.title, contact_type = excluded.contact_type,
    important = excluded.important, emails = excluded.emails, phones = excluded.phones,
    notes = excluded.notes, tags = excluded.tags, archived = excluded.archived, updated_at = now()
  WHERE (c.organization, c.first_name, c.last_name, c.title, c.contact_type, c.important, c.emails,
      c.phones, c.notes, c.tags, c.archived)
    IS DISTINCT FROM (excluded.organization, excluded.first_name, excluded.last_name,
      excluded.title, excluded.contact_type, excluded.important, excluded.emails,
      excluded.phones, excluded.notes, excluded.tags, excluded.archived)
  RETURNING c.id, c.external_id, xmax = 0 AS is_new
)
INSERT INTO outcomes (import_id, row_number, outcome, record_id, problem)
SELECT
  $import, n.row_number,
  CASE
    WHEN n.problem IS NOT NULL THEN 'rejected'
    WHEN u.id IS NULL THEN 'unchanged'
    WHEN u.is_new THEN 'created'
    ELSE 'updated'
  END,
  CASE WHEN n.problem IS NULL THEN coalesce(u.id, found.id) END,
  n.problem
FROM checked AS n
LEFT JOIN upserted AS u ON u.external_id = n.external_id
LEFT JOIN contacts AS found ON found.external_id = n.external_id AND u.id IS NULL
