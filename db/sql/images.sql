-- One row per image whose path or attributes match, by path.
select
    image.image_id,
    (select min(path) from image_file where image_file.image_id = image.image_id) as path,
    (select count(*) from image_file where image_file.image_id = image.image_id) as files,
    image.width,
    image.height,
    (
        select string_agg(attribute || ': ' || value, ', ' order by attribute, value)
        from image_attribute
        where image_attribute.image_id = image.image_id
    ) as attributes
from image
where (
        $search is null
        or exists (
            from image_file
            where image_file.image_id = image.image_id
                and contains(lower(image_file.path), lower($search))
        )
        or exists (
            from image_attribute
            where image_attribute.image_id = image.image_id
                and contains(lower(image_attribute.value), lower($search))
        )
    )
    and (
        $attribute is null
        or exists (
            from image_attribute
            where image_attribute.image_id = image.image_id
                and image_attribute.attribute = $attribute
                and ($value is null or image_attribute.value = $value)
        )
    )
order by path, image.image_id
limit $limit
offset $offset
