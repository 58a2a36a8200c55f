-- One row per contradiction between the tables, at most $max_problems, with the number of all; none in a sound bundle.
select
    left(problem, 500) as problem,
    count(*) over () as problems
from (
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
    select distinct source || ' names the ' || kind || ' ' || name || ', which ' || kind || ' lacks'
    from (
        select 'head' as source, 'model' as kind, model_key as name from head
        union all select 'model_metric', 'model', model_key from model_metric
        union all select 'component_share', 'model', model_key from component_share
        union all select 'validation_score', 'model', model_key from validation_score
        union all select 'rotated_metric', 'model', model_key from rotated_metric
        union all select 'replicate_metric', 'model', model_key from replicate_metric
        union all select 'head_match', 'model', model_key from head_match
        union all select 'head_match', 'model', other_model_key from head_match
        union all select 'first_view', 'model', model_key from first_view
        union all select 'run', 'model', model_key from run where model_key <> ''
        union all select 'rotated_metric', 'metric', metric from rotated_metric
        union all select 'head_metric', 'metric', metric from head_metric
        union all select 'model_metric', 'metric', metric from model_metric
        union all select 'replicate_metric', 'metric', metric from replicate_metric
        union all select 'replicate_head_metric', 'metric', metric from replicate_head_metric
        union all select 'head_text', 'text', text_id from head_text
        union all select 'text_property', 'text', text_id from text_property
        union all select 'first_view', 'text', text_id from first_view where text_id is not null
        union all select 'first_view', 'text', against_id from first_view where against_id is not null
        union all select 'image_file', 'image', image_id from image_file
        union all select 'image_attribute', 'image', image_id from image_attribute
        union all select 'first_view', 'image', image_id from first_view where image_id is not null
        union all select 'text_property', 'property', property from text_property
        union all select 'property_head', 'property', property from property_head
        union all select 'first_view', 'property', property from first_view where property is not null
    ) anti join (
        select 'model' as kind, model_key as name from model
        union all select 'metric', metric from metric
        union all select 'text', text_id from text
        union all select 'image', image_id from image
        union all select 'property', property from property
    ) as named using (kind, name)
    union all
    select distinct source || ' names ' || model_key || ' L' || layer || '.H' || head || ', which head lacks' as problem
    from (
        select 'head_text' as source, model_key, layer, head from head_text
        union all select 'head_label', model_key, layer, head from head_label
        union all select 'judgement', model_key, layer, head from judgement
        union all select 'head_metric', model_key, layer, head from head_metric
        union all select 'property_head', model_key, layer, head from property_head
        union all select 'replicate_head_metric', model_key, layer, head from replicate_head_metric
        union all select 'head_match', model_key, layer, head from head_match
        union all select 'head_match', other_model_key, other_layer, other_head from head_match
        union all select 'head_validation', model_key, layer, head from head_validation
        union all select 'head_selectivity', model_key, layer, head from head_selectivity
        union all select 'language_model_answer', model_key, layer, head from language_model_answer
        union all select 'first_view', model_key, layer, head from first_view where head is not null
    ) anti join head using (model_key, layer, head)
    union all
    select distinct source || ' names the attribute ' || attribute || ', which class_text lacks' as problem
    from (
        select 'head_validation' as source, attribute from head_validation
        union all select 'first_view', attribute from first_view where attribute is not null
    ) anti join class_text using (attribute)
    union all
    select
        'validation_score has ' || count(*) || ' rows of '
        || concat_ws(' ', model_key, study, measure, subject_kind, property, layer, head, method, comparison, attribute, effect, k) as problem
    from validation_score
    group by model_key, study, measure, subject_kind, property, layer, head, method, comparison, attribute, effect, k
    having count(*) > 1
    union all
    select
        'head_match pairs L' || other_layer || '.H' || other_head || ' of ' || other_model_key || ' twice with heads of ' || model_key as problem
    from head_match
    group by model_key, other_model_key, pairing, other_layer, other_head
    having count(*) > 1
    union all
    select
        'replicate_head_metric of ' || model_key || ' L' || layer || '.H' || head || ' ' || metric || ' skips a replicate' as problem
    from replicate_head_metric
    group by model_key, layer, head, metric
    having min(replicate) <> 0
        or max(replicate) <> count(*) - 1
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
    select 'image ' || image_id || ' has no row in image_file' as problem
    from image
    anti join image_file using (image_id)
    union all
    select model_key || ' L' || layer || '.H' || head || ' has ' || count_if(chosen) || ' chosen labels, but has one' as problem
    from head_label
    group by model_key, layer, head
    having count_if(chosen) <> 1
    union all
    select counter || ' counts ' || counted || ' ' || what || ', but ' || lister || ' has ' || listed || ' rows'
    from (
        select 'image_set' as counter, images as counted, 'images' as what, 'image' as lister, (select count(*) from image) as listed from image_set
        union all select 'image_set', failed, 'failed', 'failed_image', (select count(*) from failed_image) from image_set
        union all select 'text_pool', texts, 'texts', 'text', (select count(*) from text) from text_pool
    )
    where counted <> listed
    union all
    select 'image_set counts ' || files || ' files, but image_file and failed_image do not add up to that' as problem
    from image_set
    where files <> (select count(*) from image_file) + (select count(*) from failed_image)
    union all
    select 'head_text of ' || model_key || ' L' || layer || '.H' || head || ' skips a position' as problem
    from head_text
    group by model_key, layer, head
    having max(position) <> count(*) - 1
    union all
    select distinct 'head_selectivity names the attribute ' || attribute || ', which image_attribute lacks' as problem
    from head_selectivity
    anti join image_attribute using (attribute)
    union all
    select 'model ' || model_key || ' counts ' || images || ' images, but image has ' || (select count(*) from image) || ' rows' as problem
    from model
    where has_vectors
        and images > (select count(*) from image)
    union all
    select
        'model ' || model_key || ' counts ' || (layers - first_layer) * heads || ' heads, but head has '
        || (select count(*) from head where head.model_key = model.model_key) || ' rows' as problem
    from model
    where has_vectors
        and (layers - first_layer) * heads <> (select count(*) from head where head.model_key = model.model_key)
    union all
    select 'head ' || head.model_key || ' L' || layer || '.H' || head || ' has a rank above that of its model' as problem
    from head
    join model using (model_key)
    where head.rank > model.rank
    union all
    select lacking || ' lacks ' || count(*) || ' heads of ' || model_key || ', first L' || min(layer) || '.H' || min_by(head, (layer, head)) as problem
    from (
        select head.model_key, head.layer, head.head, part.lacking
        from head
        join (
            select distinct model_key, 'head_text' as lacking from head_text join model using (model_key) where has_vectors
            union all
            select distinct model_key, 'head_label' from head_label
            union all
            select distinct model_key, 'property_head' from property_head
            union all
            select distinct model_key, 'head_metric of ' || metric from head_metric
            union all
            select distinct model_key, 'head_selectivity of ' || attribute from head_selectivity
            union all
            select distinct model_key, 'head_validation of ' || attribute from head_validation
        ) as part using (model_key)
        except
        select model_key, layer, head, 'head_text' from head_text
        except  -- A head that no text describes has a label without a share.
        select model_key, layer, head, 'head_text' from head_label where share = 0
        except
        select model_key, layer, head, 'head_label' from head_label
        except
        select model_key, layer, head, 'property_head' from property_head
        except
        select model_key, layer, head, 'head_metric of ' || metric from head_metric
        except
        select model_key, layer, head, 'head_selectivity of ' || attribute from head_selectivity
        except
        select model_key, layer, head, 'head_validation of ' || attribute from head_validation
    )
    group by model_key, lacking
    union all
    select 'property_head says ' || property_head.property || ' of ' || head_label.model_key || ' L' || head_label.layer || '.H' || head_label.head || ', but its chosen label is ' || label as problem
    from head_label
    join property_head using (model_key, layer, head)
    where chosen
        and label <> property_head.property
    union all
    select 'property ' || property || ' counts ' || texts || ' texts, but text_property has ' || count(text_id) as problem
    from property
    left join text_property using (property)
    group by property, texts
    having texts <> count(text_id)
    union all
    select 'text ' || text_id || ' is not named by the hash of its text' as problem
    from text
    where text_id <> left(sha256(text), 16)
    union all
    select 'text skips a position' as problem
    from text
    having count(*) > 0
        and (min(position) <> 0 or max(position) <> count(*) - 1 or count(distinct position) <> count(*))
    union all
    select 'image ' || image_id || ' is not named by a hash' as problem
    from image
    where not regexp_full_match(image_id, '[0-9a-f]{16}')
)
order by problem
limit $max_problems
