-- One row per head of all models: its chosen label and the number of texts of the pool with that property.
select
    head_label.model_key,
    head_label.layer,
    head_label.head,
    head_label.label,
    head_label.method,
    coalesce(head_label.supported, false) as supported,
    coalesce(property.texts, 0) as texts
from head_label
left join property on property.property = head_label.label
where head_label.chosen
order by head_label.model_key, head_label.layer, head_label.head
