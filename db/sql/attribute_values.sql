-- One row per attribute value: the number of its images.
select
    attribute,
    value,
    count(*) as images
from image_attribute
group by attribute, value
order by attribute, value
