-- One row per attribute value with a prompt for zero-shot classification, in the order of the attribute.
select
    attribute,
    value,
    position,
    text
from class_text
order by attribute, position
