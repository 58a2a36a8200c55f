"""Images: find them, decode them to 8-bit RGB, read them in worker processes.

The same bytes give the same result: nothing depends on the order of the file system, on the number of
workers, or on whether images lie in folders or in tars. Knows nothing of models and databases; torch is
imported only to hand over a batch.

    sources        what --images means, and all files it leads to
    files          which files of a folder may be images, in one order
    csv_list       a CSV file of paths
    webdataset     many tars as one set
    tar_index      what lies in one tar
    sidecars       what stands beside an image in a tar
    class_folders  classes from folders, and their names
    dataset        what was found, joined with --metadata
    decoding       the bytes of one file: to a picture, a thumbnail, an id
    reading        many files: scan them, keep distinct images, batch their pixels
    workers        the processes that read, and what is said when one dies
    attributes     what a CSV file says of the images
    masks          pictures with two known objects, for scoring maps
"""

from precompute.inputs.images.attributes import Attribute, Attributes, read_attributes
from precompute.inputs.images.dataset import AttributeSet, SourceListing, join_metadata
from precompute.inputs.images.decoding import (
    UnreadableImage,
    decode,
    image_id,
    read,
    read_bytes,
    thumbnail,
)
from precompute.inputs.images.files import (
    Failed,
    FolderListing,
    ImageFile,
    ImagesError,
    evenly,
    list_folder,
    other_kinds,
)
from precompute.inputs.images.masks import (
    MaskedPicture,
    MaskedPixels,
    mask_identity,
    masked_pixels,
    read_masks,
)
from precompute.inputs.images.reading import (
    ScannedImage,
    distinct,
    pixel_batches,
    scan,
)
from precompute.inputs.images.sources import gather
from precompute.inputs.images.tar_index import (
    TarIndex,
    index,
    index_from,
    index_text,
)
from precompute.inputs.images.workers import WorkerDied

__all__ = [
    "Attribute",
    "Attributes",
    "Failed",
    "ScannedImage",
    "SourceListing",
    "ImageFile",
    "ImagesError",
    "AttributeSet",
    "MaskedPicture",
    "MaskedPixels",
    "FolderListing",
    "TarIndex",
    "UnreadableImage",
    "WorkerDied",
    "decode",
    "distinct",
    "evenly",
    "gather",
    "image_id",
    "index",
    "index_from",
    "index_text",
    "join_metadata",
    "mask_identity",
    "masked_pixels",
    "other_kinds",
    "pixel_batches",
    "read",
    "read_attributes",
    "read_bytes",
    "read_masks",
    "scan",
    "list_folder",
    "thumbnail",
]
