"""Makes tests/fixtures/embed-multilingual.json: texts with their pieces by SentencePiece, and vectors by NumPy.

    python make_multilingual_fixtures.py multilingual-e5-small-256.bin ../tests/fixtures/embed-multilingual.json

Nothing of the Rust code is used: the pieces are those of SentencePiece itself with the teacher's characters and scores and
only the pieces that are kept, and the vectors are worked out here from the table. It also says of how many texts the split
is another than with all the teacher's pieces.
"""

import random
import sys
from pathlib import Path

import numpy as np

from e5 import FIRST, Teacher
from make_multilingual import kept_pieces, script
from make_token_fixtures import SENTENCES, embedder, hard_texts, row

MORE = [
    "Ada ne peut pas manger de cacahuètes ; que dois-je éviter ? Œuvre d'« art » à Noël.",
    "Der Zug nach Köln fährt um neun Uhr ab. Donaudampfschifffahrtsgesellschaft, Fußgängerübergänge, ÄÖÜ",
    "¿Cuándo empieza la reunión? ¡Mañana! El niño comió una piña.",
    "Quando è la festa? Perché no, città, così. O avião não chegou; amanhã não há pão.",
    "Którędy do Łodzi? Zażółć gęślą jaźń. Příliš žluťoučký kůň. Árvíztűrő tükörfúrógép.",
    "Bugün hava güzel mi? Iğdır'da kar yağıyor. Hôm nay trời đẹp quá, tôi đi Đà Nẵng.",
    "ગુજરાતી ભાષા મને ગમે છે. તમે ક્યાં જાઓ છો?",
    "ਪੰਜਾਬੀ ਬੋਲੀ ਮਿੱਠੀ ਹੈ। ਤੁਸੀਂ ਕਿਵੇਂ ਹੋ?",
    "ଓଡ଼ିଆ ଭାଷା ସୁନ୍ଦର। ଆପଣ କେମିତି ଅଛନ୍ତି?",
    "اردو زبان بہت خوبصورت ہے۔ آپ کہاں جا رہے ہیں؟ فارسی می‌خوانم، کتاب‌ها ۱۲۳",
    "ދިވެހި ބަސް ܠܫܢܐ ܣܘܪܝܝܐ ߒߞߏ ߞߊ߲ ᐃᓄᒃᑎᑐᑦ",
    "Որտե՞ղ է կայարանը։ სად არის სადგური? የት ነው ጣቢያው?",
    "ฉันแพ้ถั่วลิสง รถไฟออกกี่โมง ຂ້ອຍແພ້ຖົ່ວ ខ្ញុំមិនអាចញ៉ាំសណ្ដែកដីបានទេ",
    "我对花生过敏，不能吃。火车什么时候开？她喜欢喝不加牛奶的茶。",
    "私はピーナッツアレルギーです。電車は何時に出発しますか。妹の誕生日は五月三日です。",
    "저는 땅콩 알레르기가 있어요. 기차는 언제 출발하나요? 여동생의 생일은 오월 삼일입니다.",
    "أنا أعاني من حساسية الفول السوداني. متى يغادر القطار؟ لا آكل اللحم",
    "मुझे मूँगफली से एलर्जी है। ट्रेन कब छूटेगी? मेरी बहन का जन्मदिन तीन मई को है।",
    "\u1112\u1161\u11ab\u1100\u1173\u11af \u1100\u1161\u11a8 \u1161\u1100 각\u11a8 가\u11a8\u11a8",
    "  two  spaces \u3000\u3000 and \u2581 a \u2581\u2581mark  ",
    "中" * 400 + "文" * 400 + "，" + "字" * 1_400,
    "a" * 3_000 + " b",
]


def main(path, fixture):
    teacher = Teacher()
    kept = kept_pieces(teacher.pieces, [script(piece) for piece in teacher.pieces])
    own, whole = teacher.tokeniser(kept), teacher.tokeniser(range(FIRST, len(teacher.pieces) - 1))
    embed = embedder(path, own.encode)
    pieces = [teacher.pieces[id].replace("▁", " ") for id in kept]
    texts = list(dict.fromkeys([*SENTENCES, *MORE, *hard_texts(random.Random(20261129), pieces, MORE), "", " ", "\u200b"]))
    # A longer word than this is cut in Rust.
    texts = [text for text in texts if len(text) < 2_000] + MORE[-2:-1]
    long = " ".join(MORE[:6] * 12)
    tokens = [[text, " ".join(map(str, own.encode(text)))] for text in texts]
    vectors = [[text, embed(text)] for text in [*SENTENCES, *MORE[:-4], long, "", "\u200b \x00", "𓀀"]]
    lines = [f'"{key}":[\n' + ",\n".join(map(row, rows)) + "\n]" for key, rows in (("tokens", tokens), ("vectors", vectors))]
    Path(fixture).write_text("{" + ",\n".join(lines) + "}\n", encoding="ascii")
    other = sum(own.encode(text, out_type=str) != whole.encode(text, out_type=str) for text in texts)
    print(f"{fixture}: {len(texts)} texts; with all pieces, {other} of them are split in another way")


if __name__ == "__main__":
    main(*sys.argv[1:])
