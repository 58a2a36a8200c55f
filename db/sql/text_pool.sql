-- One row: the text pool of this bundle.
select *
from text_pool
