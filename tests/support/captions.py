"""Captions of scenes."""

from precompute.demo.hashing import Stream
from precompute.demo.world.scenes import content_of
from precompute.demo.world.words import PROPERTIES, VALUES, caption, one_property, some_properties


def sample_captions(count):
    for index in range(count):
        stream = Stream(5, index)
        yield caption(content_of(index, 5), stream)
        yield caption(content_of(index, 5), stream, some_properties(PROPERTIES, stream))
        for property_ in VALUES:
            yield one_property(property_, stream.choice(VALUES[property_]), stream)
