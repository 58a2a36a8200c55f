-- One row per head of all models and text among its first: the text and its properties in the pool.
select
    head_text.model_key,
    head_text.layer,
    head_text.head,
    head_text.position,
    text.text,
    (
        select coalesce(list(property order by property), [])
        from text_property
        where text_property.text_id = head_text.text_id
    ) as properties
from head_text
join text using (text_id)
where head_text.position < $texts
order by head_text.model_key, head_text.layer, head_text.head, head_text.position
