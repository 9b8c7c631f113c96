"""Makes the multilingual embedder's table from multilingual-e5-small: one vector for each piece that is kept.

    python make_multilingual.py multilingual-e5-small-256.bin

README.md, beside this file, says what is done and why, and describes the file.
"""

import struct
import sys
import unicodedata
from pathlib import Path

import numpy as np
import torch

import table
from e5 import FIRST, START, STOP, Teacher
from table import DROPPED, LETTER, SEVERAL, SPACE

NAME = "multilingual-e5-small-static-256-pq"
DIMENSIONS = 256
LARGEST = 9_000_000
PIECES = 112_500

# What was measured to be best, or as good as any: README.md.
TEXTS, RIDGE, WHITENING, FREQUENT = 48_000, 0.3, 1 / 4, 1e-5
# So many texts are drawn from each of these seeds.
SEEDS = 7, 8
# What goes before a text, so that the model knows what it is for.
QUESTION = ["▁que", "ry", ":"]

# Scripts of which every piece is kept, those of which the first 150,000 are looked at, and those written together.
WHOLE = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "DEVANAGARI"}
MORE = {"ARABIC": 150_000}
HAN = WHOLE - {"DEVANAGARI"}


def script(piece):
    """The first word of the name of the first letter: LATIN, CYRILLIC, CJK …"""
    letters = (unicodedata.name(letter, "?").split()[0] for letter in piece if letter.isalpha())
    return next(letters, "NONE")


def kept_pieces(pieces, scripts):
    """The ids of the pieces that are kept, of which the most frequent have the lowest, and all single characters."""

    def kept(most):
        last = {"LATIN": most} | MORE
        return [
            id
            for id in range(FIRST, len(pieces) - 1)
            if scripts[id] in WHOLE or id < last.get(scripts[id], most) or len(pieces[id]) == 1
        ]

    low, high = FIRST, len(pieces)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(kept(middle)) <= PIECES else (low, middle)
    return np.array(kept(low))


def drawn_texts(scripts, chances, seed):
    """Texts of pieces drawn at random, each of one script and of what has none: half by their frequency, half any."""
    random = np.random.default_rng(seed)
    scripts = np.array(["HAN" if script in HAN else script for script in scripts])
    names, counts = np.unique(scripts, return_counts=True)
    large = (counts > 100) & (names != "NONE")
    names, counts = names[large], counts[large]
    members = [np.flatnonzero(scripts == name) for name in names]
    rest = np.flatnonzero(~np.isin(scripts, names))

    def drawn(some, count):
        own = chances[some] / chances[some].sum() / 2 + 1 / len(some) / 2
        return random.choice(some, count, p=own)

    for at in random.choice(len(names), TEXTS, p=counts / counts.sum()):
        length = random.integers(3, 14)
        others = random.binomial(length, 0.1)
        text = np.concatenate([drawn(members[at], length - others), drawn(rest, others)])
        random.shuffle(text)
        yield text


def encode(model, texts):
    """What the model makes of texts that are lists of ids: the mean over all of them."""
    embeddings = np.zeros((len(texts), model.config.hidden_size), np.float32)
    lengths = np.array([len(text) for text in texts])
    with torch.inference_mode():
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            for some in np.array_split(places, -(-len(places) // 512)):
                ids = torch.tensor(np.array([texts[place] for place in some]))
                hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
                embeddings[some] = hidden.float().mean(1).numpy()
    return embeddings


def characters(becomes):
    """What becomes of each character, in runs."""
    values, several = [], []
    for code in range(0x110000):
        text = becomes.get(chr(code), chr(code))
        if not text:
            value = DROPPED
        elif text == " ":
            value = SPACE
        elif len(text) == 1:
            value = LETTER | (ord(text) - code) << 3
        else:
            value = SEVERAL | (len(several) << 5 | len(text)) << 3
            several.extend(map(ord, text))
        values.append((code, value))
    return *table.runs(values), several


def pairs(teacher):
    """Two characters and what they become together, such that all sequences become what they should, pair by pair.

    Hangul is left out, which src/embed/unigram.rs composes by Unicode's arithmetic.
    """
    found = {}
    for some, one in sorted(teacher.compositions().items(), key=lambda each: (len(each[0]), each)):
        if len(one) != 1 or 0xAC00 <= ord(one) < 0xD7A4 or any(letter in teacher.characters for letter in some):
            continue
        before = some[0]
        for letter in some[1:-1]:
            before = before and found.get(before + letter, (None,))[0]
        if before:
            # What follows from longer sequences only is so only where the first was composed itself.
            known, _ = found.setdefault(before + some[-1], (one, len(some) > 2))
            assert known == one
    return sorted((ord(one), ord(other), ord(both) | only << 31) for (one, other), (both, only) in found.items())


def main(path):
    teacher = Teacher()
    scripts = [script(piece) for piece in teacher.pieces]
    kept = kept_pieces(teacher.pieces, scripts)
    scores = teacher.scores[kept]
    model = teacher.network()
    alone = encode(model, [[START, id, STOP] for id in kept]).astype(float)
    chances = np.exp(scores.astype(float))
    own = [scripts[id] for id in kept]
    drawn = [text for seed in SEEDS for text in drawn_texts(own, chances, seed)]
    question = [START, *map(teacher.pieces.index, QUESTION)]
    embeddings = encode(model, [[*question, *kept[text], STOP] for text in drawn]).astype(float)
    vectors = table.fitted(alone - alone.mean(0), drawn, embeddings, RIDGE)
    p = chances / chances.sum()
    vectors = table.weighted(table.principal_components(vectors, DIMENSIONS, WHITENING), p, FREQUENT)
    content = table.file(NAME, table.UNIGRAM, *vocabulary(teacher, kept), vectors, p, of_unigram(teacher, scores))
    assert len(content) <= LARGEST, len(content)
    Path(path).write_bytes(content)
    print(f"{path}: {len(content)} bytes, {len(kept)} pieces of {DIMENSIONS} dimensions")


def vocabulary(teacher, kept):
    """Texts, the first id, the unknown id, and the characters."""
    return [teacher.pieces[id].replace("▁", " ") for id in kept], 1, 0, characters(teacher.characters)


def of_unigram(teacher, scores):
    """What the file holds for this tokeniser only."""
    composed = np.array(pairs(teacher), "<u4")
    return struct.pack("<I", len(composed)) + composed.tobytes() + scores.astype("<f4").tobytes()


if __name__ == "__main__":
    main(sys.argv[1])
