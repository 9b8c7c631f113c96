"""What the tables have in common: how the tokens' vectors are fitted and quantised, and the file. README.md has the why."""

import struct

import numpy as np
import scipy.sparse

VERSION = 2
WORDPIECE, UNIGRAM = range(2)

# What Character in src/embed/characters.rs is to do with a run of characters.
LETTER, DROPPED, SPACE, ALONE, SEVERAL, HANGUL = range(6)

STEPS = 25
# A part of so many numbers has so many centroids, found in so many steps, in the first of which the axes turn, too.
WIDTH, CENTROIDS, SAMPLE, ROUNDS, TURNS = 4, 256, 32_768, 35, 25


def fitted(vectors, texts, embeddings, ridge):
    """The vectors moved so that the mean of a text's comes near to the model's embedding of it.

    `texts` are lists of the vectors' places. It is a ridge regression of what the vectors given leave over, by conjugate
    gradients.
    """
    row = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    each = np.concatenate([np.full(len(text), 1 / len(text)) for text in texts])
    means = scipy.sparse.csr_matrix((each, (row, np.concatenate(texts))), (len(texts), len(vectors)))
    wanted = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    wanted -= wanted.mean(0)
    had = means @ vectors
    vectors = vectors * ((wanted * had).sum() / (had**2).sum())
    left = means.T @ (wanted - means @ vectors)
    direction, square = left.copy(), (left**2).sum(0)
    for _ in range(STEPS):
        turned = means.T @ (means @ direction) + ridge * direction
        step = square / (direction * turned).sum(0)
        vectors = vectors + step * direction
        left -= step * turned
        direction = left + (left**2).sum(0) / square * direction
        square = (left**2).sum(0)
    return vectors


def principal_components(vectors, dimensions, whitening):
    """The vectors turned to their principal components, the strong ones made weaker."""
    centred = vectors - vectors.mean(0)
    strengths, axes = np.linalg.eigh(centred.T @ centred)
    strengths, axes = strengths[::-1][:dimensions], axes[:, ::-1][:, :dimensions]
    # An axis is found up to its sign.
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(dimensions)])
    return centred @ axes / (strengths / strengths[0]) ** whitening


def weighted(vectors, p, frequent):
    """The vectors of frequent tokens made shorter, since those say less."""
    return vectors * (frequent / (frequent + p))[:, None]


class Quantised:
    """Each row as a length and, for every part of its direction, the number of the nearest of the part's centroids.

    The axes are turned so that the parts can be told by their centroids as well as possible ("optimised product
    quantisation"). It changes no cosine, so nothing has to be turned back.
    """

    def __init__(self, vectors, p):
        lengths = np.linalg.norm(vectors, axis=1)
        # How much the error of a row counts: half of it as in texts, by how frequent and how long the row is, half evenly.
        use = lengths**2 * p
        use = 0.5 + 0.5 * use / use.mean()
        rows = (vectors / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
        random = np.random.default_rng(7)
        parts = rows.shape[1] // WIDTH
        chosen = rows[random.choice(len(rows), CENTROIDS, replace=False, p=use / use.sum())]
        centroids = chosen.reshape(CENTROIDS, parts, WIDTH).transpose(1, 0, 2).copy()
        # A sample shows the centroids as well as all rows do, in less time.
        sample = random.choice(len(rows), SAMPLE, replace=False) if len(rows) > SAMPLE else slice(None)
        some, use = rows[sample], use[sample]
        axes = np.eye(rows.shape[1], dtype=np.float32)
        for round in range(ROUNDS):
            turned = some @ axes
            codes = nearest(turned, centroids)
            for part in range(parts):
                move(centroids[part], turned[:, part * WIDTH : (part + 1) * WIDTH], codes[:, part], use)
            if round < TURNS:
                left, _, right = np.linalg.svd((some * use[:, None].astype(np.float32)).T @ decoded(codes, centroids))
                axes = left @ right
        self.scales = (np.abs(centroids).max((1, 2)) / 127).astype("<f4")
        self.centroids = np.rint(centroids / self.scales[:, None, None]).astype("i1")
        centroids = self.centroids * self.scales[:, None, None]
        self.codes = nearest(rows @ axes, centroids)
        # As long as the rows are, although the centroids are means and so too short.
        self.lengths = upper_half(lengths / np.linalg.norm(decoded(self.codes, centroids), axis=1))

    def tobytes(self):
        return b"".join(each.tobytes() for each in (self.lengths, self.scales, self.centroids, self.codes))


def nearest(rows, centroids):
    """The number of the nearest centroid, for each part of each row."""
    codes = np.empty((len(rows), len(centroids)), np.uint8)
    for part, own in enumerate(centroids):
        products = rows[:, part * WIDTH : (part + 1) * WIDTH] @ own.T
        codes[:, part] = ((own**2).sum(1) / 2 - products).argmin(1)
    return codes


def move(centroids, rows, codes, use):
    """Each centroid to the mean of the rows that are nearest to it; one that has none stays."""
    counts = np.bincount(codes, use, CENTROIDS)
    some = counts > 0
    for axis in range(WIDTH):
        centroids[some, axis] = np.bincount(codes, use * rows[:, axis], CENTROIDS)[some] / counts[some]


def decoded(codes, centroids):
    return np.concatenate([own[codes[:, part]] for part, own in enumerate(centroids)], 1)


def upper_half(numbers):
    """Numbers as the upper half of their float32, rounded to the nearest."""
    bits = np.asarray(numbers, "<f4").view("<u4")
    return ((bits + 0x8000) >> 16).astype("<u2")


def runs(values):
    """The first character of each run that is treated alike, and how; `values` says it of characters, in their order."""
    starts, kept = [], []
    for code, value in values:
        if not kept or value != kept[-1]:
            starts.append(code)
            kept.append(value)
    return starts, kept


def checksum(content):
    """FNV-1a with words of eight bytes in the place of single ones."""
    content += bytes(-len(content) % 8)
    value = 0xCBF29CE484222325
    for (word,) in struct.iter_unpack("<Q", content):
        value = (value ^ word) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def file(name, tokeniser, texts, first, unknown, characters, vectors, p, of_tokeniser=b""):
    """The bytes of the file. `p` is how frequent each token is; `of_tokeniser` is what only this tokeniser needs."""
    starts, values, several = characters
    name = name.encode()
    encoded = [text.encode() for text in texts]
    sizes = (len(name), len(starts), len(several), len(texts), sum(map(len, encoded)), vectors.shape[1])
    content = b"".join(
        [
            struct.pack("<10I", VERSION, tokeniser, first, unknown, *sizes),
            name,
            np.array(starts, "<u4").tobytes(),
            np.array(values, "<i4").tobytes(),
            np.array(several, "<u4").tobytes(),
            bytes(map(len, encoded)),
            b"".join(encoded),
            of_tokeniser,
            Quantised(vectors, p).tobytes(),
        ]
    )
    return b"synthemb" + struct.pack("<Q", checksum(content)) + content
