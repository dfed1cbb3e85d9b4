"""The random numbers of the language and of std.random in NumPy: Philox4x32-10 (Salmon et al., 2011)."""

import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def bits(seed, *counters):
    """32 bits: the first word of the block at four counters; where there are more, those four make the seed for the rest."""
    if len(counters) > 4:
        with np.errstate(over="ignore"):
            other = np.asarray(bits(np.asarray(seed) + np.int64(0x5A17C0DEDB5E), *counters[:4])) * np.int64(2**32)
            return bits(bits(seed, *counters[:4]) + other, *counters[4:])
    low = lambda x: np.asarray(x).astype(np.int64).astype(np.uint64) & MASK
    c = [low(x) for x in counters] + [np.uint64(0)] * (4 - len(counters))
    key = np.asarray(seed).astype(np.int64).astype(np.uint64)
    k = [key & MASK, key >> np.uint64(32)]
    for round in range(10):
        if round:
            k = [(k[0] + np.uint64(0x9E3779B9)) & MASK, (k[1] + np.uint64(0xBB67AE85)) & MASK]
        p, q = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        high = lambda x: x >> np.uint64(32)
        c = [high(q) ^ c[1] ^ k[0], q & MASK, high(p) ^ c[3] ^ k[1], p & MASK]
    return np.broadcast_to(c[0], np.broadcast_shapes(np.shape(seed), *(np.shape(x) for x in counters))).astype(np.int64)


def mix(seed, a):
    """std.random's mix: another seed."""
    with np.errstate(over="ignore"):
        return np.int64(bits(seed, a, 1)) + np.int64(bits(seed, a, 2)) * np.int64(2**32)


def uniform(seed, *counters):
    """Even over 0..1, without 1."""
    return (bits(seed, *counters) // 256) / 2**24


def padded(counters):
    """All four counters of std.random's ops."""
    return (*counters, *(0,) * (4 - len(counters)))


def normal(seed, *counters):
    u = (bits(seed, *padded(counters), 0) // 256 + 1) / 2**24
    v = (bits(seed, *padded(counters), 1) // 256) / 2**24
    return np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)


def gumbel(seed, *counters):
    return -np.log(-np.log((bits(seed, *padded(counters)) // 256 + 0.5) / 2**24))
