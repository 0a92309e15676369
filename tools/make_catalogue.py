#!/usr/bin/env python3
"""Writes src/cli/catalogue.toml: published SAEs of the residual stream of chat models, by name.

    make_catalogue.py pretrained_saes.yaml > src/cli/catalogue.toml

The YAML is the registry of the package sae-lens (6.54.12). Which releases are listed, their token types and what their
patterns are is written here by hand; that every SAE which a row claims is in the registry, under the path that its pattern
gives, is checked here, and its pages come from there. Rows that the registry lacks say where they come from.
"""
from __future__ import annotations

import itertools
import json
import sys

import yaml

LLAMA_3 = {"asst": "assistant", "endheader": "<|end_header_id|>", "newline": "\n\n"}
QWEN = {"asst": "assistant", "newline": "\n"}
GEMMA = {"asst": "model", "newline": "\n"}
R1 = {"asst": "<｜Assistant｜>"}
PAGES = "https://www.neuronpedia.org"
BASE = "trained on the base model"


class Row:
    """One row. Its trainers are words, or widths and l0s: then {width} and {l0} in `sae_path` stand for the two parts of
    a trainer WIDTH_l0_L0."""

    def __init__(self, release: str, *, name: str, model: str, sae: str, sae_path: str, format: str, layers: list[int],
                 default_layers: list[int], tokens: dict, trainers: list[str], trainer: str | None = None,
                 widths: list[str] | None = None, l0s: list[str] | None = None, l0_of: dict[str, int] | None = None,
                 note: str = "", sae_dir: str = "", in_registry: bool = True):
        self.release, self.in_registry = release, in_registry
        self.trainers = trainers
        self.values = {"name": name, "model": model, "sae": sae, "sae_dir": sae_dir, "sae_path": sae_path, "format": format,
                       "layers": default_layers, "sae_layers": layers, "trainer": trainer or trainers[0],
                       "sae_trainers": None if l0_of else trainers, "widths": widths, "l0s": l0s,
                       "l0_of": l0_of, "tokens": tokens, "link": "", "links": None, "note": note}

    def path(self, layer: int, trainer: str) -> str | None:
        """Of one SAE; none where the row does not claim it."""
        width, _, l0 = trainer.partition("_l0_")
        if self.values["l0_of"] is not None:
            l0 = self.values["l0_of"].get(f"{layer}/{width}")
            if l0 is None:
                return None
        return self.values["sae_path"].format(layer=layer, trainer=trainer, width=width, l0=l0)

    def complete(self, registry: dict) -> None:
        """Checks that the registry has every path that the row claims, and takes the pages from it."""
        if not self.in_registry:
            return
        entry = registry[self.release]
        assert entry["repo_id"] == self.values["sae"], (self.release, entry["repo_id"])
        pages = {sae["path"]: sae.get("neuronpedia") for sae in entry["saes"]}
        links = {trainer: self.link(trainer, pages) for trainer in self.trainers}
        links = {trainer: link for trainer, link in links.items() if link}
        if len(self.trainers) == 1:
            self.values["link"] = links.get(self.trainers[0], "")
        elif links:
            self.values["links"] = links

    def link(self, trainer: str, pages: dict[str, str | None]) -> str | None:
        """The one pattern of the pages of all layers; none where a layer has no page."""
        patterns = set()
        for layer in self.values["sae_layers"]:
            path = self.path(layer, trainer)
            if path is None:
                continue
            assert path in pages, (self.release, path)
            page = pages[path]
            patterns.add(page and page.replace(f"/{layer}-", "/{layer}-"))
        assert len(patterns) == 1, (self.release, trainer, patterns)
        pattern = patterns.pop()
        return pattern and f"{PAGES}/{pattern}/{{feature_id}}"

    def toml(self) -> str:
        lines = [f"[releases.{json.dumps(self.release)}]"]
        for key, value in self.values.items():
            if value is None or value == "":
                continue
            if isinstance(value, dict):
                inner = ", ".join(f"{k if k.isalnum() else json.dumps(k)} = {json.dumps(v, ensure_ascii=False)}"
                                  for k, v in value.items())
                text = f"{{ {inner} }}"
            else:
                text = json.dumps(value, ensure_ascii=False)
            lines.append(f"{key:<10} = {text}")
        return "\n".join(lines)


def layers_of(registry: dict, release: str, marker: str = "layer_") -> list[int]:
    found = set()
    for sae in registry[release]["saes"]:
        digits = "".join(itertools.takewhile(str.isdigit, sae["path"].split(marker)[1]))
        found.add(int(digits))
    return sorted(found)


def width_size(width: str) -> int:
    return int(width[:-1]) * (1000 if width[-1] == "m" else 1)


def gemma_scope_2(registry: dict):
    l0_order = ["small", "medium", "big"]
    for size in ("270m", "1b", "4b", "12b", "27b"):
        for every in (False, True):
            release = f"gemma-scope-2-{size}-it-res{'-all' if every else ''}"
            layers = layers_of(registry, release)
            trainers = {sae["path"].split("_width_")[1] for sae in registry[release]["saes"]}
            trainers = sorted(trainers, key=lambda t: (width_size(t.split("_l0_")[0]), t.endswith("seed_1"),
                                                       l0_order.index(t.split("_l0_")[1].removesuffix("_seed_1"))))
            yield Row(release, name=f"gemma-3-{size}-it{'-all' if every else ''}", model=f"google/gemma-3-{size}-it",
                      sae=f"google/gemma-scope-2-{size}-it", format="Gemma Scope 2",
                      sae_path=f"resid_post{'_all' if every else ''}/layer_{{layer}}_width_{{trainer}}",
                      layers=layers, default_layers=[layers[len(layers) // 2] if every else layers[1]], trainers=trainers,
                      widths=list(dict.fromkeys(t.split("_l0_")[0] for t in trainers)),
                      l0s=list(dict.fromkeys(t.split("_l0_")[1] for t in trainers)),
                      trainer="16k_l0_small" if every else "65k_l0_medium", tokens=GEMMA)


def gemma_scope_1(registry: dict):
    for size, part, name, note in (("9b", "it", "gemma-2-9b-it", ""), ("2b", "pt", "gemma-2-2b-it", BASE),
                                   ("9b", "pt", "gemma-2-9b-it-pt", BASE), ("27b", "pt", "gemma-2-27b-it", BASE)):
        release = f"gemma-scope-{size}-{part}-res-canonical"
        l0_of = {}
        for sae in registry[release]["saes"]:
            layer, width, l0 = sae["path"].split("/")
            if layer.startswith("layer_"):
                l0_of[f"{layer.removeprefix('layer_')}/{width.removeprefix('width_')}"] = int(l0.removeprefix("average_l0_"))
        layers = sorted({int(key.split("/")[0]) for key in l0_of})
        widths = sorted({key.split("/")[1] for key in l0_of}, key=width_size)
        width = "131k" if size == "27b" or part == "it" else "16k"
        yield Row(release, name=name, model=f"google/gemma-2-{size}-it", sae=f"google/gemma-scope-{size}-{part}-res",
                  format="Gemma Scope", sae_path="layer_{layer}/width_{width}/average_l0_{l0}", layers=layers,
                  default_layers=[layers[len(layers) // 2]], widths=widths,
                  trainers=[f"{w}_l0_canonical" for w in widths], trainer=f"{width}_l0_canonical", l0_of=l0_of,
                  tokens=GEMMA, note=note)


def rows(registry: dict):
    for name, folder, release, model, tokens in (
            ("llama", "llama-3.1-8b-instruct", "llama-3.1-8b-instruct-andyrdt", "meta-llama/Llama-3.1-8B-Instruct", LLAMA_3),
            ("qwen", "qwen-2.5-7b-instruct", "qwen2.5-7b-instruct-andyrdt", "Qwen/Qwen2.5-7B-Instruct", QWEN)):
        yield Row(release, name=name, model=model, sae=f"andyrdt/saes-{release.removesuffix('-andyrdt')}",
                  sae_dir=f"/workspace/sae/{folder}/saes", sae_path="resid_post_layer_{layer}/trainer_{trainer}",
                  format="dictionary_learning", layers=layers_of(registry, release), default_layers=[11, 15], trainers=["1"],
                  tokens=tokens)
    yield from gemma_scope_2(registry)
    yield from gemma_scope_1(registry)
    # From the repositories' cards: not in the registry.
    yield Row("qwen3-8b-karvonen", name="qwen3-8b", model="Qwen/Qwen3-8B", sae="adamkarvonen/qwen3-8b-saes",
              sae_path="saes_Qwen_Qwen3-8B_batch_top_k/resid_post_layer_{layer}/trainer_{trainer}",
              format="dictionary_learning", layers=[9, 18, 27], default_layers=[18], trainers=["0", "1", "2", "3"], tokens=QWEN,
              note="trainers 0 to 3: k 80 and 160 of 16k features, k 80 and 160 of 65k", in_registry=False)
    yield Row("qwen2.5-7b-it-chanind", name="qwen2.5-7b-it-chanind", model="Qwen/Qwen2.5-7B-Instruct",
              sae="chanind/qwen2.5-7B-it-layer-20-saes", sae_path="{trainer}/matryoshka/k-100", format="SAELens", layers=[20],
              default_layers=[20], trainers=["lmsys", "pile"], tokens=QWEN, in_registry=False)
    for model, repo, layer, end in (
            ("meta-llama/Llama-3.1-8B-Instruct", "Goodfire/Llama-3.1-8B-Instruct-SAE-l19", 19, "pth"),
            ("meta-llama/Llama-3.3-70B-Instruct", "Goodfire/Llama-3.3-70B-Instruct-SAE-l50", 50, "pt")):
        release = f"goodfire-{model.split('/')[1].lower()}"
        yield Row(release, name=f"{model.split('/')[1].lower()}-goodfire", model=model, sae=repo,
                  sae_path=f"{repo.split('/')[1]}.{end}", format="a state dict", layers=[layer], default_layers=[layer],
                  trainers=["goodfire"], tokens=LLAMA_3)
    yield Row("llama-3-8b-it-res-jh", name="llama-3-8b-instruct",
              model="meta-llama/Meta-Llama-3-8B-Instruct", sae="Juliushanhanhan/llama-3-8b-it-res",
              sae_path="blocks.{layer}.hook_resid_post", format="SAELens", layers=[25], default_layers=[25], trainers=["jh"],
              tokens=LLAMA_3)
    for factor in ("8x", "32x"):
        yield Row(f"llama_scope_lxr_{factor}", name=f"llama-scope-{factor}", model="meta-llama/Llama-3.1-8B-Instruct",
                  sae=f"fnlp/Llama3_1-8B-Base-LXR-{factor}", sae_path="Llama3_1-8B-Base-L{layer}R-{trainer}",
                  format="Llama Scope", layers=list(range(32)), default_layers=[15], trainers=[factor], tokens=LLAMA_3,
                  note=BASE)
    stages = ["800M-Slimpajama-0-OpenR1-Math-220k", "400M-Slimpajama-400M-OpenR1-Math-220k", "0-Slimpajama-800M-OpenR1-Math-220k"]
    r1 = "deepseek-ai/DeepSeek-R1-Distill-Llama-8B"
    yield Row("llama_scope_r1_distill", name="r1-distill-llama-8b", model=r1, sae="fnlp/Llama-Scope-R1-Distill",
              sae_path="{trainer}/L{layer}R", format="Llama Scope R1", layers=list(range(32)), default_layers=[15],
              trainers=stages, trainer=stages[1], tokens=R1)
    yield Row("deepseek-r1-distill-llama-8b-qresearch", name="r1-distill-llama-8b-qresearch", model=r1,
              sae="qresearch/DeepSeek-R1-Distill-Llama-8B-SAE-l19", sae_path="DeepSeek-R1-Distill-Llama-8B-SAE-l{layer}.pt",
              format="a state dict", layers=[19], default_layers=[19], trainers=["qresearch"], tokens=R1)
    for size, width, layers in (("1.7B", 32, 28), ("8B", 64, 36)):
        for k in (50, 100):
            yield Row(f"qwen-scope-3-{size.lower()}-base-w{width}k-l{k}", name=f"qwen3-{size.lower()}-base-l{k}",
                      model=f"Qwen/Qwen3-{size}-Base", sae=f"Qwen/SAE-Res-Qwen3-{size}-Base-W{width}K-L0_{k}",
                      sae_path="layer{layer}.sae.pt", format="a state dict", layers=list(range(layers)),
                      default_layers=[layers // 2], trainers=[f"{width}k"], tokens=QWEN, note="a base model")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        registry = yaml.safe_load(file)
    print("# Published SAEs of the residual stream of chat models. Written by tools/make_catalogue.py out of the registry of\n"
          "# sae-lens 6.54.12, which has every path that follows from a row (of Gemma Scope 1: those in l0_of); change the script.\n")
    listed = list(rows(registry))
    assert len({row.values["name"] for row in listed}) == len(listed)
    for row in listed:
        row.complete(registry)
    print("\n\n".join(row.toml() for row in listed))


if __name__ == "__main__":
    main()
