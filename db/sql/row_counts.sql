-- One row per table of an attached database: its number of rows, as its file claims, and of columns.
select
    table_name,
    estimated_size,
    column_count
from duckdb_tables()
where database_name = $database
