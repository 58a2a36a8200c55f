-- One row: a text of the pool, or none.
select
    text.text_id,
    text.position,
    text.text,
    (
        select string_agg(property, ', ' order by property)
        from text_property
        where text_property.text_id = text.text_id
    ) as properties
from text
where text.text_id = $text_id
