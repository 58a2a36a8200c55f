-- One row per score of a model against what is known of the images, controls last.
select
    model.model_key,
    model.model,
    model.is_control,
    model.control_of,
    truth_score.study,
    truth_score.measure,
    truth_score.subject,
    truth_score.attribute,
    truth_score.effect,
    truth_score.k,
    truth_score.value,
    truth_score.low,
    truth_score.high,
    truth_score.chance,
    truth_score.count
from truth_score
join model using (model_key)
where $study is null
    or truth_score.study = $study
order by
    model.is_control,
    model.model,
    model.model_key,
    truth_score.study,
    truth_score.measure,
    truth_score.subject,
    truth_score.attribute,
    truth_score.effect,
    truth_score.k
