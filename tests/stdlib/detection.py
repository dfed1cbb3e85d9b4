"""What a detector does with its boxes, in plain loops over one box after the other."""

import numpy as np

from boxes import area, overlap

ENTRY = """weft 0.1

import std.box: box_intersection, box_area
import std.detection: batched_nms, box_vote, linear_decay, nms, soft_nms

/// Intersection over the smaller area.
op of_smaller(a: float[4], b: float[4]) -> o: float { o = box_intersection(a, b) / minimum(box_area(a), box_area(b)) }

entry detection {
  dim N in 0..400, K in 0..400

  greedy(box: f32[N, 4], score: f32[N]) -> y: int[F <= N] { y = nms(box, score, limit = 0.4) }
  smaller(box: f32[N, 4], score: f32[N]) -> y: int[F <= N] { y = nms(box, score, limit = 0.7, overlap = of_smaller) }
  batched(box: f32[N, 4], score: f32[N], group: int[N]) -> y: int[F <= N] {
    y = batched_nms(box, score, group, limit = 0.4)
  }
  linear_order(box: f32[N, 4], score: f32[N]) -> y: int[F <= N] {
    y = soft_nms(box, score, least = 0.05, decay = linear_decay).kept
  }
  linear_score(box: f32[N, 4], score: f32[N]) -> y: f32[F <= N] {
    y = soft_nms(box, score, least = 0.05, decay = linear_decay).value
  }
  gaussian_order(box: f32[N, 4], score: f32[N]) -> y: int[F <= N] { y = soft_nms(box, score, least = 0.05).kept }
  gaussian_score(box: f32[N, 4], score: f32[N]) -> y: f32[F <= N] { y = soft_nms(box, score, least = 0.05).value }
  grouped_order(box: f32[N, 4], score: f32[N], group: int[N]) -> y: int[F <= N] { y = soft_nms(box, score, group).kept }
  grouped_score(box: f32[N, 4], score: f32[N], group: int[N]) -> y: f32[F <= N] { y = soft_nms(box, score, group).value }
  voted(stay: f32[K, 4], box: f32[N, 4], score: f32[N]) -> y: f32[K, 4] { y = box_vote(stay, box, score) }
}
"""


def iou(p, q):
    return np.float32(overlap(p, q)[0])


def share_of_smaller(p, q):
    wide, high = np.maximum(0, np.minimum(p[2:], q[2:]) - np.maximum(p[:2], q[:2]))
    return np.divide(wide * high, np.minimum(area(p), area(q)))


def ranked(score):
    """Best first, equal ones as they stand, NaN last."""
    return np.argsort(-score, kind="stable")


def suppressed(box, score, limit, common, same=lambda i, j: True):
    stay = []
    for i in ranked(score):
        if not any(same(i, j) and common(box[i], box[j]) > limit for j in stay):
            stay.append(i)
    return np.array(stay, np.int64)


def greedy(box, score):
    return suppressed(box, score, 0.4, iou)


def smaller(box, score):
    return suppressed(box, score, 0.7, share_of_smaller)


def batched(box, score, group):
    """Each group on its own, then all of them by rank."""
    stay = []
    for g in np.unique(group):
        own = np.flatnonzero(group == g)
        stay += list(own[greedy(box[own], score[own])])
    return np.array([i for i in ranked(score) if i in stay], np.int64)


def soft(box, score, decay, least=0.05, group=None):
    same = lambda i, j: group is None or group[i] == group[j]
    left = {i: np.float32(s) for i, s in enumerate(score) if s >= least}
    order, values = [], []
    while left:
        best = max(left, key=lambda i: (left[i], -i))
        order.append(best)
        values.append(left.pop(best))
        left = {i: np.float32(s * decay(iou(box[i], box[best]))) if same(i, best) else s for i, s in left.items()}
        left = {i: s for i, s in left.items() if s >= least}
    return np.array(order, np.int64), np.array(values, np.float32)


def linear(o):
    return 1 - o if o > 0.3 else 1


def gaussian(o):
    return np.exp(-np.float64(o) ** 2 / 0.5)


def linear_order(box, score):
    return soft(box, score, linear)[0]


def linear_score(box, score):
    return soft(box, score, linear)[1]


def gaussian_order(box, score):
    return soft(box, score, gaussian)[0]


def gaussian_score(box, score):
    return soft(box, score, gaussian)[1]


def grouped_order(box, score, group):
    return soft(box, score, gaussian, 0.001, group)[0]


def grouped_score(box, score, group):
    return soft(box, score, gaussian, 0.001, group)[1]


def voted(stay, box, score):
    y = stay.astype(np.float64)
    for k, b in enumerate(stay):
        near = [n for n in range(len(box)) if iou(b, box[n]) >= 0.5]
        total = score[near].astype(np.float64).sum()
        if total > 0:
            y[k] = (score[near, None] * box[near].astype(np.float64)).sum(0) / total
    return y


def crowd(count, objects=9, seed_spread=6.0):
    """Boxes around a few objects, as detectors give them."""

    def draw(rng):
        corner = rng.uniform(0, 100, (objects, 2))
        at = np.concatenate([corner, corner + rng.uniform(10, 50, (objects, 2))], 1)
        box = at[rng.integers(0, objects, count)] + rng.normal(0, seed_spread, (count, 4))
        box[:, 2:] = np.maximum(box[:, 2:], box[:, :2])
        return {"box": box.astype(np.float32), "score": rng.uniform(0, 1, count).astype(np.float32)}

    return draw


def with_nan(rng):
    drawn = crowd(60)(rng)
    drawn["score"][rng.integers(0, 60, 9)] = np.nan
    return drawn


def all_equal(rng):
    return {"box": np.tile(np.array([[3, 4, 9, 8]], np.float32), (23, 1)), "score": np.full(23, 0.5, np.float32)}


def ties(rng):
    drawn = crowd(80)(rng)
    drawn["score"] = rng.choice([0.2, 0.4, 0.8], 80).astype(np.float32)
    return drawn


def no_area(rng):
    """A third of the boxes are lines or points, some of them twice."""
    drawn = crowd(60)(rng)
    drawn["box"][:20, 2] = drawn["box"][:20, 0]
    drawn["box"][5:15, 3] = drawn["box"][5:15, 1]
    drawn["box"][30:40] = drawn["box"][:10]
    return drawn


def chain(rng):
    """Each overlaps the next by more than the limit: every second stays."""
    corner = 4.0 * np.arange(33)[:, None] * [1, 0]
    box = np.concatenate([corner, corner + 10], 1).astype(np.float32)
    return {"box": box, "score": np.linspace(0.9, 0.1, 33).astype(np.float32)}


def all_scores(value):
    def draw(rng):
        drawn = crowd(70)(rng)
        drawn["score"][:] = value
        return drawn

    return draw


def no_boxes_at_all(rng):
    """Some corners are no numbers, some boxes are turned round."""
    drawn = crowd(70)(rng)
    drawn["box"][rng.integers(0, 70, 9), rng.integers(0, 4, 9)] = np.nan
    drawn["box"][:9] = drawn["box"][:9, [2, 3, 0, 1]]
    return drawn


def one_stays(rng):
    return {"box": np.tile(np.array([[3, 4, 9, 8]], np.float32), (200, 1)), "score": rng.uniform(0, 1, 200).astype(np.float32)}


# Blocks of boxes are 64 long.
LISTS = [crowd(0), crowd(1), crowd(2), crowd(64), crowd(65), crowd(131), crowd(400, 40), with_nan, all_equal, ties, no_area, chain,
         all_scores(np.nan), all_scores(-np.inf), no_boxes_at_all, one_stays]


def grouped(draw):
    def both(rng):
        drawn = draw(rng)
        return {**drawn, "group": rng.integers(-2, 3, len(drawn["score"]))}

    return both


def voters(count, staying):
    def draw(rng):
        drawn = crowd(count)(rng)
        stay = np.concatenate([drawn["box"][: staying // 2], crowd(staying - staying // 2)(rng)["box"]])
        return {"stay": stay, **drawn}

    return draw


def odd_voters(rng):
    """Nothing to vote for, votes that are no numbers, and none with a weight."""
    drawn = voters(40, 10)(rng)
    drawn["stay"][:3] = [[50, 50, 50, 50], [9, 9, 1, 1], [np.nan, 1, 5, 6]]
    drawn["score"][::5] = np.nan
    drawn["score"][1::5] = 0
    return drawn


CASES = {
    "greedy": LISTS,
    "smaller": LISTS,
    "batched": [grouped(draw) for draw in LISTS],
    "linear_order": LISTS,
    "linear_score": LISTS,
    "gaussian_order": LISTS,
    "gaussian_score": LISTS,
    "grouped_order": [grouped(draw) for draw in LISTS],
    "grouped_score": [grouped(draw) for draw in LISTS],
    "voted": [voters(131, 20), voters(0, 3), voters(5, 0), voters(1, 1), odd_voters],
}
