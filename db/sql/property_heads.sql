-- One row per head of one model whose chosen label is one property, the best supported first.
select
    property_head.layer,
    property_head.head,
    'L' || property_head.layer || '.H' || property_head.head as name,
    head.importance,
    head_label.method,
    head_label.carrying_picks,
    head_label.share,
    head_label.lead,
    head_label.tail,
    head_label.p_value,
    head_label.q_value,
    head_label.supported,
    text.text as first_text
from property_head
join head using (model_key, layer, head)
left join head_label
    on head_label.model_key = property_head.model_key
    and head_label.layer = property_head.layer
    and head_label.head = property_head.head
    and head_label.chosen
left join head_text
    on head_text.model_key = property_head.model_key
    and head_text.layer = property_head.layer
    and head_text.head = property_head.head
    and head_text.position = 0
left join text using (text_id)
where property_head.model_key = $model_key
    and property_head.property = $property
order by
    head_label.q_value nulls last,
    head_label.p_value nulls last,
    head_label.tail nulls last,
    property_head.layer,
    property_head.head
