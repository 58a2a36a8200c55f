-- One row per column of every table of the bundle, in the order of the schema.
select
    table_name,
    column_name,
    data_type,
    not is_nullable as required,
    comment
from duckdb_columns()
where database_name = 'headlight'
order by table_oid, column_index
