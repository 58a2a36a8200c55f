-- One row per text that describes a head, in the order of choice, with the properties of the text.
select
    head_text.position + 1 as pick,
    text,
    variance_share,
    cumulative_share,
    stability,
    properties
from head_text
join text using (text_id)
left join (
    select
        text_id,
        string_agg(property, ', ' order by property) as properties
    from text_property
    group by text_id
) using (text_id)
where model_key = $model_key
    and layer = $layer
    and head = $head
order by pick
