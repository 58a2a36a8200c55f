-- One row per page of the dashboard with a first view of one model.
select
    page,
    image_id,
    text.text,
    against.text as against,
    property,
    layer,
    head,
    attribute,
    value
from first_view
left join text using (text_id)
left join text as against on against.text_id = first_view.against_id
where model_key = $model_key
order by page
