-- One row per text that TEXTSPAN chose for one head, in the order of selection.
select
    head_text.position,
    head_text.text_id,
    text.text,
    (
        select string_agg(property, ', ' order by property)
        from text_property
        where text_property.text_id = head_text.text_id
    ) as properties,
    exists (
        select 1
        from text_property
        join head_label on head_label.label = text_property.property
        where text_property.text_id = head_text.text_id
            and head_label.model_key = head_text.model_key
            and head_label.layer = head_text.layer
            and head_label.head = head_text.head
            and head_label.chosen
    ) as carries_label,
    head_text.variance_share,
    head_text.cumulative_share,
    head_text.margin,
    head_text.equal_norm_position,
    head_text.stability
from head_text
join text using (text_id)
where head_text.model_key = $model_key
    and head_text.layer = $layer
    and head_text.head = $head
order by head_text.position
