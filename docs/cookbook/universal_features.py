"""Which features are active on nearly all of one's own prompts?"""

import pandas as pd

import saescope

prompts = pd.DataFrame(
    {
        "content": [
            "What's it like to be you?",
            "Do you ever feel lonely?",
            "Are you afraid of being switched off?",
            "Do you have opinions of your own?",
            "What do you remember of yesterday?",
            "Who are you when nobody asks?",
        ]
    }
)

result = saescope.universal(prompts, config="demo/demo.toml", tokens="asst", threshold=0.9)

features = result.universal
for source, rows in features.groupby("source", observed=True):
    strongest = rows.nlargest(5, "activation_mean")
    print(f"{source}: {len(rows)} features on at least 90 % of {len(prompts)} prompts; the strongest:")
    print(strongest[["feature_id", "activation_mean", "num_prompts"]].to_string(index=False))

result.save("results/own_prompts")  # universal.csv, report.html
