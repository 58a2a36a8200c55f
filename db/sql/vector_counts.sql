-- One row per Lance table of the bundle: its number of rows by the DuckDB tables.
select model_key, 'images' as kind, images as rows
from model
where has_vectors
union all
select model_key, 'texts' as kind, (select count(*) from text) as rows
from model
where has_vectors
union all
select model_key, 'heads' as kind, (select count(*) from head where head.model_key = model.model_key) as rows
from model
where has_vectors
union all
select model_key, 'tokens' as kind, gallery_images as rows
from model
where has_vectors
union all
select model_key, 'classes' as kind, (select count(*) from class_text) as rows
from model
where has_vectors
    and exists (select 1 from class_text)
order by model_key, kind
