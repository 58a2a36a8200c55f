-- One row per column of texts or lists of an attached database.
select
    table_name,
    column_name,
    data_type
from duckdb_columns()
where database_name = $database
    and table_name in (select table_name from duckdb_tables() where database_name = $database)
    and (data_type = 'VARCHAR' or data_type like '%[]')
