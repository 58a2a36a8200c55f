-- One row: number of matching images.
with wanted as (
    select distinct lower(word) as word
    from unnest($words::varchar[]) as asked (word)
),
hits as (
    select image_file.image_id, wanted.word
    from image_file
    join wanted on contains(lower(image_file.path), wanted.word)
    union
    select image_attribute.image_id, wanted.word
    from image_attribute
    join wanted on contains(lower(image_attribute.attribute || ': ' || image_attribute.value), wanted.word)
),
matching as (
    select image_id
    from hits
    group by image_id
    having count(*) = (select count(*) from wanted)
)
select count(*) as images
from image
where ($image_ids is null or image.image_id in (select unnest($image_ids::varchar[])))
    and (len($words::varchar[]) = 0 or image.image_id in (from matching))
    and (
        $attribute is null
        or exists (
            from image_attribute
            where image_attribute.image_id = image.image_id
                and image_attribute.attribute = $attribute
                and ($value is null or image_attribute.value = $value)
        )
    )
