-- One row per head of the model and attribute: the zero-shot accuracy lost by mean-ablation, most first.
select
    attribute,
    layer,
    head,
    label,
    forward_accuracy as lost_accuracy,
    direct_accuracy as lost_directly,
    images
from head_validation
join head_label using (model_key, layer, head)
where model_key = $model_key
    and chosen
order by lost_accuracy desc nulls last, attribute, layer, head
