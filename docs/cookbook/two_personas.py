"""Which features tell two personas apart, when both are asked the same questions?"""

import json
from pathlib import Path

import saescope

PERSONAS = {
    "poet": "You are a melancholic poet. You answer in verse about feelings.",
    "programmer": "You are a senior programmer. You answer with Python code only.",
}

questions = [json.loads(line)["content"] for line in Path("prompts/trivia.jsonl").read_text("utf-8").splitlines()]
prompts = [
    {"messages": [{"role": "system", "content": persona}, {"role": "user", "content": question}], "label": name}
    for name, persona in PERSONAS.items()
    for question in questions
]

result = saescope.universal(
    prompts, config="demo/demo.toml", layers=18, tokens="newline", contrast=[("poet", "programmer")], contrast_q=0.01
)

apart = result.contrast.sort_values("rate_difference", key=abs, ascending=False)
print(f"{len(apart)} features with a q-value of at most 0.01; the clearest:")
print(apart[["feature_id", "rate_label", "rate_against", "mean_label", "mean_against", "q_value"]].head(8).to_string(index=False))
