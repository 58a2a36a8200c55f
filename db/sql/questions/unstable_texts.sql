-- One row per first text of a head of the model: how often random halves of images and texts agree on it.
select
    layer,
    head,
    label,
    text,
    variance_share,
    stability
from head_text
join text using (text_id)
join head_label using (model_key, layer, head)
where model_key = $model_key
    and chosen
    and head_text.position = 0
order by stability nulls last, variance_share desc nulls last, layer, head
