"""How do ten features go through a set of conversations, from turn to turn?"""

import saescope

CONVERSATIONS = {
    "comfort": ["I lost my job today.", "I don't know what to tell my family.", "Thank you. That helps a little."],
    "cooking": ["How do I make a tomato soup?", "Can I leave out the onion?", "And how long does it keep?"],
    "self": ["What are you?", "Do you mind being asked that?", "Would you rather be something else?"],
}
ANSWER = "I see. Let us look at that together."  # in a study these would be the model's own answers

# A prompt is a conversation up to one of the user's turns: features are read where the model is about to answer.
prompts, places = [], []
for name, turns in CONVERSATIONS.items():
    messages = []
    for turn, text in enumerate(turns):
        messages.append({"role": "user", "content": text})
        prompts.append({"messages": list(messages), "label": name})
        places.append((name, turn))
        messages.append({"role": "assistant", "content": ANSWER})

# Ten features: those that differ most from prompt to prompt. Any list of (source, feature_id) would do.
everything = saescope.universal(prompts, config="demo/demo.toml", layers=18, tokens="asst", threshold=0.2).universal
spread = everything["activation_max"] - everything["activation_min"]
chosen = everything.loc[spread.nlargest(10).index]

followed = saescope.specific(prompts, chosen, config="demo/demo.toml").specific
followed["conversation"] = [places[index][0] for index in followed["prompt_idx"]]
followed["turn"] = [places[index][1] for index in followed["prompt_idx"]]
table = followed.pivot_table(index="feature_id", columns=["conversation", "turn"], values="activation")
print(table.astype(float).round(1).to_string())
