-- One row per judgement of a text against a label of one head.
select
    judgement.label,
    judgement.position,
    text.text,
    judgement.judge,
    judgement.draw,
    judgement.consistent
from judgement
left join head_text using (model_key, layer, head, position)
left join text using (text_id)
where judgement.model_key = $model_key
    and judgement.layer = $layer
    and judgement.head = $head
order by
    judgement.label,
    judgement.position,
    judgement.judge,
    judgement.draw
