-- One row per model with vectors: the facts that determine its vectors, its heads in order.
select
    model_key,
    rank,
    d_out,
    1 + grid_rows * grid_columns as tokens,
    (
        select list([head.layer, head.head] order by head.layer, head.head)
        from head
        where head.model_key = model.model_key
    ) as heads
from model
where has_vectors
order by model_key
