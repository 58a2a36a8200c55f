-- One row per property: the number of its texts, and the heads of one model labeled with it.
select
    property.property,
    property.texts,
    count(property_head.layer) as heads,
    count(*) filter (where head_label.supported) as supported_heads,
    coalesce(
        string_agg('L' || property_head.layer || '.H' || property_head.head, ', '
            order by property_head.layer, property_head.head),
        ''
    ) as head_names
from property
left join property_head
    on property_head.property = property.property
    and property_head.model_key = $model_key
left join head_label
    on head_label.model_key = property_head.model_key
    and head_label.layer = property_head.layer
    and head_label.head = property_head.head
    and head_label.chosen
group by property.property, property.texts
order by heads desc, property.property
