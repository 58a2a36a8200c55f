-- One row per component of the model: its share of the covariance of the image embedding, the largest first.
select
    component,
    kind,
    layer,
    share,
    label
from component_share
left join (
    select
        model_key,
        layer,
        head,
        label
    from head_label
    where chosen
) using (model_key, layer, head)
where model_key = $model_key
order by share desc nulls last, component
