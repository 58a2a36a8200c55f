-- One row per contradiction between the tables; none in a sound bundle.
select 'image_set has ' || count(*) || ' rows, but has one' as problem
from image_set
having count(*) <> 1
union all
select 'text_pool has ' || count(*) || ' rows, but has one' as problem
from text_pool
having count(*) <> 1
union all
select 'no model was written' as problem
from model
having count(*) = 0
union all
select distinct 'head names the model ' || model_key || ', which model lacks' as problem
from head
anti join model using (model_key)
union all
select distinct 'model_metric names the model ' || model_key || ', which model lacks' as problem
from model_metric
anti join model using (model_key)
union all
select distinct 'component_share names the model ' || model_key || ', which model lacks' as problem
from component_share
anti join model using (model_key)
union all
select distinct 'head_text names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
from head_text
anti join head using (model_key, layer, head)
union all
select distinct 'head_label names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
from head_label
anti join head using (model_key, layer, head)
union all
select distinct 'judgement names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
from judgement
anti join head using (model_key, layer, head)
union all
select distinct 'head_metric names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
from head_metric
anti join head using (model_key, layer, head)
union all
select distinct 'property_head names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
from property_head
anti join head using (model_key, layer, head)
union all
select distinct 'head_validation names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
from head_validation
anti join head using (model_key, layer, head)
union all
select distinct 'head_validation names the attribute ' || attribute || ', which class_text lacks' as problem
from head_validation
anti join class_text using (attribute)
union all
select distinct 'validation_score names the model ' || model_key || ', which model lacks' as problem
from validation_score
anti join model using (model_key)
union all
select
    'validation_score has ' || count(*) || ' rows of '
    || concat_ws(' ', model_key, study, measure, subject_kind, property, layer, head, method, comparison, attribute, effect, k) as problem
from validation_score
group by model_key, study, measure, subject_kind, property, layer, head, method, comparison, attribute, effect, k
having count(*) > 1
union all
select distinct 'rotated_metric names the model ' || model_key || ', which model lacks' as problem
from rotated_metric
anti join model using (model_key)
union all
select distinct 'rotated_metric names the metric ' || metric || ', which metric lacks' as problem
from rotated_metric
anti join metric using (metric)
union all
select 'model ' || model_key || ' is a control of no model; name it in control_of' as problem
from model
where is_control
    and control_of is null
union all
select 'model ' || model_key || ' names control_of ' || control_of || ', but is no control' as problem
from model
where not is_control
    and control_of is not null
union all
select 'model ' || model_key || ' has vectors, but no ' || fact as problem
from (
    select
        model_key,
        unnest([
            'weights_sha256', 'layers', 'd_head', 'd_model', 'd_out', 'rank', 'image_size', 'patch_size', 'grid_rows',
            'grid_columns', 'parameters', 'activation', 'context_length', 'mean', 'std', 'interpolation', 'resize_mode',
            'images', 'gallery_images', 'max_sum_error', 'precision'
        ]) as fact,
        unnest([
            weights_sha256 is null, layers is null, d_head is null, d_model is null, d_out is null, rank is null,
            image_size is null, patch_size is null, grid_rows is null, grid_columns is null, parameters is null,
            activation is null, context_length is null, mean is null, std is null, interpolation is null,
            resize_mode is null, images is null, gallery_images is null, max_sum_error is null,
            precision is null
        ]) as missing
    from model
    where has_vectors
)
where missing
union all
select 'model ' || model_key || ' is in ' || precision || ', but lacks what that changes against float32' as problem
from model
where precision <> 'float32'
    and (
        precision_images is null or embedding_difference is null or head_difference is null
        or overlap_5 is null or min_overlap_5 is null or overlap_10 is null or min_overlap_10 is null
    )
union all
select distinct 'head ' || model_key || ' L' || layer || '.H' || head || ' lacks rank or importance, but its model has vectors' as problem
from head
join model using (model_key)
where has_vectors
    and (head.rank is null or importance is null)
union all
select distinct 'head_text of ' || model_key || ' L' || layer || '.H' || head || ' lacks a share or a margin, but its model has vectors' as problem
from head_text
join model using (model_key)
where has_vectors
    and (variance_share is null or cumulative_share is null or margin is null)
union all
select 'class_text of ' || attribute || ' skips a position' as problem
from class_text
group by attribute
having min(position) <> 0
    or max(position) <> count(*) - 1
    or count(distinct position) <> count(*)
union all
select distinct 'head_text names the text ' || text_id || ', which text lacks' as problem
from head_text
anti join text using (text_id)
union all
select distinct 'text_property names the text ' || text_id || ', which text lacks' as problem
from text_property
anti join text using (text_id)
union all
select distinct 'image_file names the image ' || image_id || ', which image lacks' as problem
from image_file
anti join image using (image_id)
union all
select distinct 'image_attribute names the image ' || image_id || ', which image lacks' as problem
from image_attribute
anti join image using (image_id)
union all
select 'image ' || image_id || ' has no row in image_file' as problem
from image
anti join image_file using (image_id)
union all
select distinct 'head_metric names the metric ' || metric || ', which metric lacks' as problem
from head_metric
anti join metric using (metric)
union all
select distinct 'model_metric names the metric ' || metric || ', which metric lacks' as problem
from model_metric
anti join metric using (metric)
union all
select distinct 'text_property names the property ' || property || ', which property lacks' as problem
from text_property
anti join property using (property)
union all
select model_key || ' L' || layer || '.H' || head || ' has ' || count_if(chosen) || ' chosen labels, but has one' as problem
from head_label
group by model_key, layer, head
having count_if(chosen) <> 1
union all
select 'image_set counts ' || images || ' images, but image has ' || (select count(*) from image) || ' rows' as problem
from image_set
where images <> (select count(*) from image)
union all
select 'image_set counts ' || files || ' files, but image_file and failed_image do not add up to that' as problem
from image_set
where files <> (select count(*) from image_file) + (select count(*) from failed_image)
union all
select 'image_set counts ' || failed || ' failed, but failed_image has ' || (select count(*) from failed_image) || ' rows' as problem
from image_set
where failed <> (select count(*) from failed_image)
union all
select 'text_pool counts ' || texts || ' texts, but text has ' || (select count(*) from text) || ' rows' as problem
from text_pool
where texts <> (select count(*) from text)
union all
select 'head_text of ' || model_key || ' L' || layer || '.H' || head || ' skips a position' as problem
from head_text
group by model_key, layer, head
having max(position) <> count(*) - 1
order by problem
