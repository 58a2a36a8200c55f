-- One row per attribute and head of the model: the share of the head's variance that the attribute explains.
select
    attribute,
    layer,
    head,
    label,
    value as share,
    low,
    high
from head_selectivity
join head_label using (model_key, layer, head)
where model_key = $model_key
    and chosen
    and value is not null
order by share desc, attribute, layer, head
