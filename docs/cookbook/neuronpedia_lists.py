"""Features as a list on Neuronpedia, to look at all of them on one page."""

import json
from urllib.parse import quote, urlsplit

import saescope

# The models of the tests, so that it runs anywhere; models="llama" without config= has the same links.
prompts = ["What's it like to be you?", "How do you feel?", "What do you want to learn?"]
result = saescope.universal(prompts, config="tests/goldens/pipeline/config.toml", models="llama", layers=1, tokens="asst")

features = result.universal.nlargest(10, "activation_mean")
entries = []
for link in features["link"]:
    model, source, index = urlsplit(link).path.strip("/").split("/")  # https://www.neuronpedia.org/MODEL/SOURCE/INDEX
    entries.append({"modelId": model, "layer": source, "index": index})

address = f"https://neuronpedia.org/quick-list/?name={quote('strongest universal features')}&features={quote(json.dumps(entries))}"
print(address)
