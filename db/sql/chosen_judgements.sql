-- One row per judgement of a text against the chosen label of its head, of all models.
select
    judgement.model_key,
    judgement.layer,
    judgement.head,
    judgement.position,
    judgement.judge,
    judgement.draw,
    judgement.consistent
from judgement
join head_label using (model_key, layer, head, label)
where head_label.chosen
order by
    judgement.model_key,
    judgement.layer,
    judgement.head,
    judgement.position,
    judgement.judge,
    judgement.draw
