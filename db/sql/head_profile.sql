-- One row per property of the first texts of one head: their share, beside that of the whole pool.
with picked as (
    select text_id
    from head_text
    where model_key = $model_key
        and layer = $layer
        and head = $head
        and position < $picks
)
select
    property.property,
    count(*) as texts,
    count(*) / (select count(*) from picked) as share,
    property.texts / (select count(*) from text) as pool_share
from picked
join text_property using (text_id)
join property using (property)
group by property.property, property.texts
order by texts desc, pool_share, property.property
