-- One row per table of the bundle, in the order of the schema, then one per view.
select
    table_name,
    comment
from (
    select table_name, comment, table_oid as place, false as is_view
    from duckdb_tables()
    where database_name = 'headlight'
    union all
    select view_name, comment, view_oid, true
    from duckdb_views()
    where database_name = 'headlight'
        and not internal
)
order by is_view, place
