-- One row per validation score of a model, controls last.
select
    model.model_key,
    model.model,
    model.is_control,
    model.control_of,
    validation_score.study,
    validation_score.measure,
    validation_score.subject_kind,
    validation_score.property,
    validation_score.layer,
    validation_score.head,
    validation_score.method,
    validation_score.comparison,
    validation_score.attribute,
    validation_score.effect,
    validation_score.k,
    validation_score.value,
    validation_score.low,
    validation_score.high,
    validation_score.chance,
    validation_score.count
from validation_score
join model using (model_key)
where $study is null
    or validation_score.study = $study
order by
    model.is_control,
    model.model,
    model.model_key,
    validation_score.study,
    validation_score.measure,
    validation_score.subject_kind,
    validation_score.property,
    validation_score.layer,
    validation_score.head,
    validation_score.method,
    validation_score.comparison,
    validation_score.attribute,
    validation_score.effect,
    validation_score.k
