#!/usr/bin/env python3
"""Writes src/cli/catalogue.toml: published SAEs of the residual stream of chat models, by name.

    make_catalogue.py pretrained_saes.yaml > src/cli/catalogue.toml

The YAML is the registry of the package sae-lens (6.54.12). Which releases are listed, their token types and what their
patterns are is written here by hand; that every combination of layer, width and l0 which a row claims is in the registry,
under the path that its pattern gives, is checked here. Rows that the registry lacks say where they come from.
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


class Row:
    """One row. `trainer` is the placeholder that a width stands for; {l0} is filled in when a row is used."""

    def __init__(self, release: str, *, name: str, model: str, sae: str, sae_path: str, format: str, layers: list[int],
                 default_layers: list[int], trainers: list[str], tokens: dict, trainer: str | None = None,
                 l0s: list[str] | None = None, l0: str | None = None, l0_of: dict[str, int] | None = None, link: str = "",
                 link_l0: str | None = None, link_trainers: list[str] | None = None, note: str = "", check_sae: bool = True, sae_dir: str = "",
                 registry: str | None = None):
        self.release, self.registry = release, registry
        self.values = {"name": name, "model": model, "sae": sae, "sae_dir": sae_dir, "sae_path": sae_path, "format": format,
                       "layers": default_layers, "all_layers": layers, "trainer": trainer or trainers[0],
                       "trainers": trainers, "l0": l0, "l0s": l0s, "l0_of": l0_of, "tokens": tokens, "link": link,
                       "link_l0": link_l0, "link_trainers": link_trainers, "note": note, "check_sae": None if check_sae else False}

    def paths(self):
        """Every path that the row claims."""
        v = self.values
        for layer, trainer, l0 in itertools.product(v["all_layers"], v["trainers"], v["l0s"] or [None]):
            if v["l0_of"] is not None:
                l0 = v["l0_of"].get(f"{layer}/{trainer}")
                if l0 is None:
                    continue
            yield v["sae_path"].format(layer=layer, trainer=trainer, l0=l0)

    def check(self, registry: dict) -> None:
        if self.registry is None:
            return
        entry = registry[self.registry]
        known = {sae["path"] for sae in entry["saes"]}
        assert entry["repo_id"] == self.values["sae"], (self.release, entry["repo_id"])
        missing = [path for path in self.paths() if path not in known]
        assert not missing, (self.release, missing[:5])

    def toml(self) -> str:
        lines = [f"[releases.{json.dumps(self.release)}]"]
        for key, value in self.values.items():
            if value is None or value == "":
                continue
            if isinstance(value, dict):
                inner = ", ".join(f"{json.dumps(k) if '/' in k else k} = {json.dumps(v, ensure_ascii=False)}"
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


def gemma_scope_2(registry: dict):
    for size in ("270m", "1b", "4b", "12b", "27b"):
        for every in (False, True):
            release = f"gemma-scope-2-{size}-it-res{'-all' if every else ''}"
            layers = layers_of(registry, release)
            linked = any(sae.get("neuronpedia") for sae in registry[release]["saes"])
            middle = layers[len(layers) // 2] if every else layers[1]
            yield Row(release, registry=release, name=f"gemma-3-{size}-it{'-all' if every else ''}",
                      model=f"google/gemma-3-{size}-it", sae=f"google/gemma-scope-2-{size}-it", format="Gemma Scope 2",
                      sae_path=f"resid_post{'_all' if every else ''}/layer_{{layer}}_width_{{trainer}}_l0_{{l0}}",
                      layers=layers, default_layers=[middle],
                      trainers=["16k", "262k"] if every else ["16k", "65k", "262k", "1m"],
                      trainer="16k" if every else "65k",
                      l0s=["small", "big"] if every else ["small", "medium", "big"], l0="small" if every else "medium",
                      tokens=GEMMA, link_l0="medium" if linked else None,
                      link_trainers=["16k", "65k", "262k"] if linked else None,
                      link=f"{PAGES}/gemma-3-{size}-it/{{layer}}-gemmascope-2-res-{{trainer}}/{{feature_id}}" if linked else "")


def gemma_scope_1(registry: dict):
    for size, part, name, note in (("9b", "it", "gemma-2-9b-it", ""), ("2b", "pt", "gemma-2-2b-it", "trained on the base model"),
                                   ("9b", "pt", "gemma-2-9b-it-pt", "trained on the base model"),
                                   ("27b", "pt", "gemma-2-27b-it", "trained on the base model")):
        release = f"gemma-scope-{size}-{part}-res-canonical"
        l0_of = {}
        for sae in registry[release]["saes"]:
            layer, width, l0 = sae["path"].split("/")
            if layer.startswith("layer_"):
                l0_of[f"{layer.removeprefix('layer_')}/{width.removeprefix('width_')}"] = int(l0.removeprefix("average_l0_"))
        layers = sorted({int(key.split("/")[0]) for key in l0_of})
        widths = sorted({key.split("/")[1] for key in l0_of}, key=lambda w: int(w[:-1]) * (1000 if w[-1] == "m" else 1))
        yield Row(release, registry=release, name=name, model=f"google/gemma-2-{size}-it",
                  sae=f"google/gemma-scope-{size}-{part}-res", format="Gemma Scope",
                  sae_path="layer_{layer}/width_{trainer}/average_l0_{l0}", layers=layers,
                  default_layers=[layers[len(layers) // 2]], trainers=widths,
                  trainer="131k" if size == "27b" or part == "it" else "16k", l0="canonical", l0_of=l0_of, tokens=GEMMA,
                  link=f"{PAGES}/gemma-2-{size}{'-it' if part == 'it' else ''}/{{layer}}-gemmascope-res-{{trainer}}/{{feature_id}}",
                  link_l0="canonical", note=note)


def rows(registry: dict):
    for name, folder, release, model, tokens in (
            ("llama", "llama-3.1-8b-instruct", "llama-3.1-8b-instruct-andyrdt", "meta-llama/Llama-3.1-8B-Instruct", LLAMA_3),
            ("qwen", "qwen-2.5-7b-instruct", "qwen2.5-7b-instruct-andyrdt", "Qwen/Qwen2.5-7B-Instruct", QWEN)):
        page = {"llama": "llama3.1-8b-it", "qwen": "qwen2.5-7b-it"}[name]
        yield Row(release, registry=release, name=name, model=model, sae=f"andyrdt/saes-{release.removesuffix('-andyrdt')}",
                  sae_dir=f"/workspace/sae/{folder}/saes", sae_path="resid_post_layer_{layer}/trainer_{trainer}",
                  format="dictionary_learning", layers=layers_of(registry, release), default_layers=[11, 15], trainers=["1"],
                  tokens=tokens, link=f"{PAGES}/{page}/{{layer}}-resid-post-aa/{{feature_id}}")
    yield from gemma_scope_2(registry)
    yield from gemma_scope_1(registry)
    # From the repository's card: not in the registry.
    yield Row("qwen3-8b-karvonen", name="qwen3-8b", model="Qwen/Qwen3-8B", sae="adamkarvonen/qwen3-8b-saes",
              sae_path="saes_Qwen_Qwen3-8B_batch_top_k/resid_post_layer_{layer}/trainer_{trainer}",
              format="dictionary_learning", layers=[9, 18, 27], default_layers=[18], trainers=["0", "1", "2", "3"], tokens=QWEN)
    for model, page, repo, layer, end in (
            ("meta-llama/Llama-3.1-8B-Instruct", "llama3.1-8b-it", "Goodfire/Llama-3.1-8B-Instruct-SAE-l19", 19, "pth"),
            ("meta-llama/Llama-3.3-70B-Instruct", "llama3.3-70b-it", "Goodfire/Llama-3.3-70B-Instruct-SAE-l50", 50, "pt")):
        release = f"goodfire-{model.split('/')[1].lower()}"
        yield Row(release, registry=release, name=f"{model.split('/')[1].lower()}-goodfire", model=model, sae=repo,
                  sae_path=f"{repo.split('/')[1]}.{end}", format="a state dict", layers=[layer], default_layers=[layer],
                  trainers=["goodfire"], tokens=LLAMA_3, link=f"{PAGES}/{page}/{{layer}}-resid-post-gf/{{feature_id}}")
    yield Row("llama-3-8b-it-res-jh", registry="llama-3-8b-it-res-jh", name="llama-3-8b-instruct",
              model="meta-llama/Meta-Llama-3-8B-Instruct", sae="Juliushanhanhan/llama-3-8b-it-res",
              sae_path="blocks.{layer}.hook_resid_post", format="SAELens", layers=[25], default_layers=[25], trainers=["jh"],
              tokens=LLAMA_3, link=f"{PAGES}/llama3-8b-it/{{layer}}-res-jh/{{feature_id}}")
    for factor, width in (("8x", "32k"), ("32x", "131k")):
        release = f"llama_scope_lxr_{factor}"
        yield Row(release, registry=release, name=f"llama-scope-{factor}", model="meta-llama/Llama-3.1-8B-Instruct",
                  sae=f"fnlp/Llama3_1-8B-Base-LXR-{factor}", sae_path="Llama3_1-8B-Base-L{layer}R-{trainer}",
                  format="Llama Scope", layers=list(range(32)), default_layers=[15], trainers=[factor], tokens=LLAMA_3,
                  link=f"{PAGES}/llama3.1-8b/{{layer}}-llamascope-res-{width}/{{feature_id}}", note="trained on the base model")
    stages = ["800M-Slimpajama-0-OpenR1-Math-220k", "400M-Slimpajama-400M-OpenR1-Math-220k", "0-Slimpajama-800M-OpenR1-Math-220k"]
    r1 = "deepseek-ai/DeepSeek-R1-Distill-Llama-8B"
    yield Row("llama_scope_r1_distill", registry="llama_scope_r1_distill", name="r1-distill-llama-8b", model=r1,
              sae="fnlp/Llama-Scope-R1-Distill", sae_path="{trainer}/L{layer}R", format="Llama Scope R1",
              layers=list(range(32)), default_layers=[15], trainers=stages, trainer=stages[1], tokens=R1)
    yield Row("deepseek-r1-distill-llama-8b-qresearch", registry="deepseek-r1-distill-llama-8b-qresearch",
              name="r1-distill-llama-8b-qresearch", model=r1, sae="qresearch/DeepSeek-R1-Distill-Llama-8B-SAE-l19",
              sae_path="DeepSeek-R1-Distill-Llama-8B-SAE-l{layer}.pt", format="a state dict", layers=[19], default_layers=[19],
              trainers=["qresearch"], tokens=R1,
              link=f"{PAGES}/deepseek-r1-distill-llama-8b/{{layer}}-qresearch-res-65k/{{feature_id}}")
    for size, width, layers in (("1.7B", 32, 28), ("8B", 64, 36)):
        for k in (50, 100):
            release = f"qwen-scope-3-{size.lower()}-base-w{width}k-l{k}"
            yield Row(release, registry=release, name=f"qwen3-{size.lower()}-base-l{k}", model=f"Qwen/Qwen3-{size}-Base",
                      sae=f"Qwen/SAE-Res-Qwen3-{size}-Base-W{width}K-L0_{k}", sae_path="layer{layer}.sae.pt",
                      format="a state dict", layers=list(range(layers)), default_layers=[layers // 2],
                      trainers=[f"{width}k"], tokens=QWEN, note="a base model")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        registry = yaml.safe_load(file)
    print("# Published SAEs of the residual stream of chat models. Written by tools/make_catalogue.py out of the registry of\n"
          "# sae-lens 6.54.12, which has every path that follows from a row (of Gemma Scope 1: those in l0_of); change the script.\n")
    listed = list(rows(registry))
    assert len({row.values["name"] for row in listed}) == len(listed)
    for row in listed:
        row.check(registry)
    print("\n\n".join(row.toml() for row in listed))


if __name__ == "__main__":
    main()
