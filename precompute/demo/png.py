"""Encodes PNG files whose bytes depend on the picture alone.

The id of an image is the hash of its file, and zlib's output differs between versions. Here the PNG filter is
the left neighbor, and every byte gets one Huffman code (RFC 1951, a single dynamic block of literals, no
matches). The result is larger than zlib's and the same everywhere.
"""

import heapq
import struct
import zlib

import numpy as np
from jaxtyping import Bool, Int32, Int64, UInt8

END = 256  # the block's last symbol
MAX_LENGTH = 12  # bits of a code; the format allows 15, but with 12 four codes fit one 64-bit word


def png(picture: UInt8[np.ndarray, "y x 3"] | Bool[np.ndarray, "y x"]) -> bytes:
    """Returns the PNG of a color picture, or of a mask with one bit a pixel."""
    height, width = picture.shape[:2]
    if picture.dtype == bool:
        depth, color, rows = 1, 0, np.packbits(picture, axis=1)
    else:
        minus_left = np.diff(picture, axis=1, prepend=np.uint8(0))  # modulo 256, the PNG filter
        depth, color, rows = 8, 2, minus_left.reshape(height, -1)
    filtered = np.full((height, 1), int(color == 2), dtype=np.uint8)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    data = _deflate(np.concatenate([filtered, rows], axis=1).ravel())
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _deflate(data: UInt8[np.ndarray, " byte"]) -> bytes:
    """Returns a zlib stream of one block of Huffman-coded literals."""
    count = np.bincount(data, minlength=END + 1)
    count[END] = 1
    length = _code_lengths(count)
    code = _codes(length)
    # Last block, dynamic; 257 literal codes, 1 distance code (of length 0: none), 19 code-length codes.
    bits = [(1, 1), (2, 2), (0, 5), (0, 5), (15, 4)]
    # Lengths 0 to 15 get four bits each, the repeat codes 16 to 18 (first in the order) none.
    bits += [(0, 3)] * 3 + [(4, 3)] * 16
    bits += [(_reversed(value, 4), 4) for value in [*length.tolist(), 0]]
    head = np.array(bits, dtype=np.int32)
    tail = np.zeros((4 - (len(head) + len(data) + 1) % 4, 2), dtype=np.int32)  # to a multiple of four
    end = np.array([[code[END], length[END]]], dtype=np.int32)
    value = np.concatenate([head[:, 0], code[data], end[:, 0], tail[:, 0]])
    width = np.concatenate([head[:, 1], length[data], end[:, 1], tail[:, 1]])
    return b"\x78\x01" + _pack(value, width) + struct.pack(">I", zlib.adler32(data.tobytes()))


def _code_lengths(count: Int64[np.ndarray, " symbol"]) -> Int32[np.ndarray, " symbol"]:
    """Returns Huffman code lengths; counts of rare symbols are raised until no code exceeds MAX_LENGTH."""
    min_count = int(count.sum()) >> MAX_LENGTH
    while True:
        min_count = 2 * min_count + 1
        heap = [(max(int(n), min_count), symbol) for symbol, n in enumerate(count) if n]
        heapq.heapify(heap)
        parent: dict[int, int] = {}
        for node in range(len(count), len(count) + len(heap) - 1):
            (first, left), (second, right) = heapq.heappop(heap), heapq.heappop(heap)
            parent[left] = parent[right] = node
            heapq.heappush(heap, (first + second, node))
        depth = {heap[0][1]: 0}
        for node in sorted(parent, reverse=True):  # a parent's number is larger than its children's
            depth[node] = depth[parent[node]] + 1
        length = np.array([depth.get(symbol, 0) for symbol in range(len(count))], dtype=np.int32)
        if length.max() <= MAX_LENGTH:
            return length


def _codes(length: Int32[np.ndarray, " symbol"]) -> Int32[np.ndarray, " symbol"]:
    """Returns canonical codes with reversed bits, the bit order of deflate."""
    codes, code = np.zeros(len(length), dtype=np.int32), 0
    for bits in range(1, MAX_LENGTH + 1):
        code <<= 1
        for symbol in np.flatnonzero(length == bits):
            codes[symbol] = _reversed(code, bits)
            code += 1
    return codes


def _reversed(value: int, bits: int) -> int:
    return int(format(value, f"0{bits}b")[::-1], 2)


def _pack(value: Int32[np.ndarray, " symbol"], width: Int32[np.ndarray, " symbol"]) -> bytes:
    """Returns values of `width` bits each as bytes, lowest bit first; their number is a multiple of four."""
    value, width = value[::2] | value[1::2] << width[::2], width[::2] + width[1::2]
    # Four values have at most 48 bits, and fewer than 56 with the offset within a byte.
    fours = value[::2] | value[1::2].astype(np.int64) << width[::2]
    stop = np.cumsum(width[::2] + width[1::2], dtype=np.int64)
    start = np.append(0, stop[:-1])
    shifted = (fours << (start & 7)).astype("<i8").view(np.uint8).reshape(-1, 8)
    place, size = start >> 3, int(stop[-1] + 7) // 8
    total = np.zeros(size + 8, dtype=np.uint8)
    for k in range(7):
        # Values share no bit, so addition joins them; sums below 256 are exact in float64.
        used = shifted[:, k] > 0
        total += np.bincount(place[used] + k, weights=shifted[used, k], minlength=size + 8).astype(np.uint8)
    return total[:size].tobytes()
