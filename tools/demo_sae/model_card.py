"""The model card of the demo dictionaries: its text, and the figures that go into it."""
from __future__ import annotations

import hashlib
from importlib.metadata import version

import torch
import transformers

from .activations import OUTLIER_FACTOR
from .selection import Selection
from .training import schedule

CARD = """---
license: apache-2.0
library_name: dictionary_learning
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---
# Demo dictionaries for SmolLM2-135M-Instruct

Two BatchTopK sparse autoencoders of the residual stream of SmolLM2-135M-Instruct, small enough to ship with the
program, so that an analysis can be tried on any laptop in seconds. They are for trying the tools out and for tests;
they are not a research-grade decomposition of the model.

| | after block 9 | after block 18 |
|---|---|---|
{table}

{model}

## Files
`resid_post_layer_{{9,18}}/trainer_1/` hold `ae.pt` (the `state_dict` of `BatchTopKSAE`) and `config.json`, as
dictionary_learning saves them; `BatchTopKSAE.from_pretrained` and `load_dictionary` read them. Weights and biases are
bfloat16, the threshold float32, `k` an integer. `encoder.weight` is stored transposed, stride (1, F), as the package does.
All figures here were measured on these files.

{files}

## Model and activations
The weights are those of the GGUF file `{gguf_name}` (4-bit, SHA-256
`{gguf_sha}`), dequantised by transformers {transformers} to
float32. The activation is the output of `model.model.layers[L]`, L counted from 0, without the final norm.

**Outliers.** Left out of training and measurement: position 0 (the first token of the sequence, which only sees itself),
and every activation whose norm is over {factor:g} times its layer's median norm. {outliers}

## Data
{chats:,} chats, {rendered:,} tokens when rendered with the model's own chat template; the head shared by all of them
({head} tokens: system turn and user header) is computed once, which leaves {computed:,} token positions.
{asst:,} of the chats end in the generation prompt, the place where the dictionaries are meant to be read; the others go on
with an answer. {valid:,} chats ({valid_tokens:,} tokens) were kept out of training for the measurement "unseen chats".

| part | chats | tokens |
|---|---|---|
{categories}

The text was put together from templates written for this purpose and from what a Debian system with the packages named in the script offers (of which a random sample is used):
{sources}.

The prompts in `prompts/` were never trained on: no training message equals one of them. But they are not an untouched
test set, for three settings were tried at layer 9 while looking at the figures on them:

1. k 40, 2 copies of the read positions, 400 steps: variance explained 0.874, L0 39, 60 features at `asst` and 34 at
   `newline`.
2. The shipped ones.
3. Weights initialised from data, k 40, 200 steps: variance explained 0.879, L0 44, but 1,028 dead features; dropped.

"Unseen chats" were not used for the choice.

## Training
Classes `BatchTopKSAE` and `BatchTopKTrainer` of dictionary_learning {dl_version}, torch {torch_version}. Loss: squared error of the
reconstruction, summed over dimensions, plus 1/32 of the auxiliary loss of dead features (features without an activation in
the last {dead_after:,} training tokens). k = {k}, {features:,} features, {steps:,} steps of {batch:,} activations, Adam, learning rate {lr:g} (warm-up of
{warmup} steps, linear decay from step {decay}), seed {seed}. Activations were divided by the root of their mean squared norm, which was
undone with `scale_biases` at the end. Threshold: running mean of each batch's smallest kept activation, from step {threshold_start} on.
Per pass over the data the head's positions make up {head_share:.0%} of the rows, and the two read positions occur {copies} times.

## Firing at the generation prompt
Features that fire (activation > 0.01) on the {prompts} held-out prompts, by share of the prompts:

| layer | token | on any | on < 10 % | on ≥ 30 % | on ≥ 60 % | on ≥ 90 % | on 100 % | mean number active |
|---|---|---|---|---|---|---|---|---|
{spread}

## Reproduce
`python3 tools/train_demo_sae.py --gguf {gguf_name}` (its first lines say how to set up the environment). With the same
packages, seed and number of threads the text and the order of training are the same; whether the files come out equal to the
byte was not tried. Other package versions bring other text.
This run took {minutes:.0f} minutes with {threads} threads.

## Licence
Apache-2.0, as the model's. The dictionaries hold no text of their sources.
"""


def figures_table(results: dict[int, dict], args, n_prompts: int) -> str:
    def line(name, text):
        return f"| {name} | " + " | ".join(text(r) for r in results.values()) + " |"

    sample = results[args.layers[0]]["dead_sample"]
    return "\n".join([
        line("features, k", lambda r: f"{args.features:,}, {args.k}"),
        line(f"variance explained, {n_prompts} held-out prompts, all tokens", lambda r: f"**{r['held']['variance_explained']:.3f}**"),
        line("… without the shared head", lambda r: f"{r['tail']['variance_explained']:.3f}"),
        line("… at `assistant` / at the newline, between prompts", lambda r: f"{r['read_ve']['asst']:.3f} / {r['read_ve']['newline']:.3f}"),
        line("variance explained, unseen chats", lambda r: f"{r['unseen']['variance_explained']:.3f}"),
        line("L0 (features active per token), held-out prompts", lambda r: f"{r['held']['l0']:.1f}"),
        line("… without the shared head", lambda r: f"{r['tail']['l0']:.1f}"),
        line("L0, unseen chats", lambda r: f"{r['unseen']['l0']:.1f}"),
        line(f"dead features, {sample:,} training positions", lambda r: f"{r['dead']} ({r['dead'] / args.features:.1%})"),
        line("threshold", lambda r: f"{r['threshold']:.4f}"),
        line("median norm of an activation", lambda r: f"{r['median']:.1f}")])


def outlier_sentences(results: dict[int, dict], computed: int, held_positions: int) -> str:
    return "; ".join(f"Layer {layer}: limit {r['limit']:.0f}, {r['outliers']:,} of {computed:,} training positions and "
                     f"{r['held_outliers']} of {held_positions:,} held-out positions left out by norm, norm at position 0 {r['position0']:.0f}"
                     for layer, r in results.items()) + "."


def spread_rows(results: dict[int, dict]) -> str:
    columns = ("any", "<10%", ">=30%", ">=60%", ">=90%", ">=100%")
    return "\n".join(f"| {layer} | {token} | " + " | ".join(str(s[c]) for c in columns) + f" | {s['l0']:.1f} |"
                     for layer, r in results.items() for token, s in r["spread"].items())


def model_card(results: dict[int, dict], args, text: Selection, sources: dict[str, int], unseen: list[int],
               held_ids: list[list[int]], minutes: float) -> str:
    """`results`: layer -> measure_layer's figures; `args` are the command's; `held_ids`: the rendered held-out prompts."""
    held_tokens, steps = sum(map(len, held_ids)), schedule(args.steps)
    return CARD.format(
        table=figures_table(results, args, len(held_ids)),
        model=f"Held-out prompts: those of `prompts/`, {held_tokens:,} tokens rendered, {results[args.layers[0]]['held']['tokens']:,} "
        "measured; they were looked at while settings were chosen (see Data). Variance explained is 1 − residual variance / variance, "
        "both summed over dimensions.",
        files="\n".join(f"- `resid_post_layer_{layer}/trainer_1/ae.pt`: {r['size']:,} bytes, SHA-256 `{r['sha']}`" for layer, r in results.items()),
        gguf_name=args.gguf.name, gguf_sha=hashlib.sha256(args.gguf.read_bytes()).hexdigest(), transformers=transformers.__version__,
        factor=OUTLIER_FACTOR, outliers=outlier_sentences(results, text.computed, held_tokens - len(held_ids)),
        chats=len(text.sequences), rendered=text.rendered, head=len(text.head), computed=text.computed, asst=sum(text.is_prompt),
        valid=len(unseen), valid_tokens=sum(len(text.sequences[i]) - len(text.head) for i in unseen),
        categories="\n".join(f"| {name} | {count:,} | {used:,} |" for name, (count, used) in text.categories.items()),
        sources="; ".join(name.format(count) for name, count in sources.items()),
        dl_version=version("dictionary-learning"), torch_version=torch.__version__, dead_after=args.dead_after, k=args.k,
        features=args.features, steps=args.steps, batch=args.batch, lr=args.lr, warmup=steps.warmup, decay=steps.decay, seed=args.seed,
        threshold_start=steps.threshold_start, head_share=args.head_share, copies=args.copies, prompts=len(held_ids),
        spread=spread_rows(results), minutes=minutes, threads=args.threads)
