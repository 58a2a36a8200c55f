-- One row: how many images match.
select count(*) as images
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
