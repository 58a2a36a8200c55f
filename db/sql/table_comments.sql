-- One row per table of the bundle, in the order of the schema.
select
    table_name,
    comment
from duckdb_tables()
where database_name = 'headlight'
order by table_oid
