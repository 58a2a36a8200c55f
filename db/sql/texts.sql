-- One row per text of the pool that contains the words and has the property, unless these are null.
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
where ($search is null or contains(lower(text.text), lower($search)))
    and (
        $property is null
        or text.text_id in (select text_id from text_property where property = $property)
    )
order by text.position
limit $limit
