"""Does the residual stream tell emotional prompts from trivia, by a straight line? (Needs scikit-learn.)"""

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import saescope

prompts = pd.concat(
    [pd.read_json("prompts/emotional.jsonl", lines=True), pd.read_json("prompts/trivia.jsonl", lines=True)], ignore_index=True
)

residuals = saescope.activations(prompts, model="smollm2", layers=[9, 18], config="demo/demo.toml")

labels = prompts["label"].to_numpy()[residuals.prompt_idx]
for (layer, token), rows in residuals.items():  # rows: [prompts, hidden]
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    accuracy = cross_val_score(probe, rows, labels, cv=5)
    print(f"layer {layer:2} {token:8} accuracy {accuracy.mean():.2f} ± {accuracy.std():.2f} of {len(rows)} prompts")
