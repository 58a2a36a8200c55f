-- One row per column of every table of the bundle, in the order of the schema, then of every view.
select
    table_name,
    column_name,
    data_type,
    not is_nullable as required,
    comment,
    table_name not in (
        select table_name
        from duckdb_tables()
        where database_name = 'headlight'
    ) as is_view
from duckdb_columns()
where database_name = 'headlight'
order by is_view, table_oid, column_index
