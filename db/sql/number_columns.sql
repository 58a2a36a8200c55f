-- One row per table of the bundle with numbers that are not whole: the names of these columns.
select
    table_name,
    list(column_name order by column_index) as columns
from duckdb_columns()
where database_name = 'headlight'
    and table_name in (select table_name from duckdb_tables() where database_name = 'headlight')
    and data_type = 'DOUBLE'
group by table_name
order by table_name
