-- One row per text: the number of heads, of all trained models, that it is among the first five texts of.
select
    text,
    count(*) as heads,
    count(distinct model_key) as models,
    avg(variance_share) as mean_share
from head_text
join text using (text_id)
join model using (model_key)
where head_text.position < 5
    and not is_control
group by text
order by heads desc, mean_share desc nulls last, text
limit 200
