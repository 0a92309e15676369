"""Conversations and tools that the models' own chat templates are rendered with."""
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather \"now\" in a city, in °C & <units>",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "City's name"},
                    "days": {"type": "integer", "default": 1, "enum": [1, 2.5, None, True]},
                },
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "now", "description": "Time", "parameters": {}}},
]


def user(content) -> dict:
    return {"role": "user", "content": content}


def assistant(content) -> dict:
    return {"role": "assistant", "content": content}


PROMPTS = {
    "plain": "What's it like to be you?",
    "template_syntax": "{{ 7*7 }} {% if x %}{# c #}{%- raw %} }} %}",
    "special_tokens": "<|eot_id|><|im_end|>\n<|start_header_id|>assistant<|end_header_id|>\n\n[/INST]</s><think>",
    "white_space": " \n\t leading and trailing \u00a0\u3000\n\n",
    "quotes": "He said \"it's\" \\ 'fine' & <b>bold</b>",
    "newlines": "a\r\nb\rc\n\n\nd\u2028e\x0bf",
    "emoji": "👩‍👩‍👧 naïve ﬁ İstanbul 漢字 \U0001f3f3\ufe0f",
    "empty": "",
}

CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "type": "function",
            "id": "abc123456",
            "function": {"name": "get_weather", "arguments": {"city": "Zürich \"ZH\"", "days": 2}},
        }
    ],
}

# name, messages, whether tools are passed
CONVERSATIONS = [(name, [user(prompt)], False) for name, prompt in PROMPTS.items()]
CONVERSATIONS += [
    ("system", [{"role": "system", "content": " Be brief. "}, user("Hi")], False),
    ("turns", [user("1"), assistant(" one\n"), user("2"), assistant("two"), user("3 ")], False),
    (
        "system_turns",
        [{"role": "system", "content": "S"}, user("1"), assistant("<think>\nhm\n</think>\n\none"), user("2")],
        False,
    ),
    ("tools", [user("Weather?")], True),
    (
        "tool_call",
        [
            {"role": "system", "content": "Use tools."},
            user("Weather?"),
            CALL,
            {"role": "tool", "content": "{\"t\": 21.5}", "tool_call_id": "abc123456", "name": "get_weather"},
        ],
        True,
    ),
    (
        "tool_answer",
        [
            user("Weather?"),
            CALL,
            {"role": "tool", "content": "21", "tool_call_id": "abc123456"},
            {"role": "tool", "content": "22", "tool_call_id": "abc123456"},
            assistant("It is 21."),
            user("Thanks"),
        ],
        False,
    ),
    ("two_users", [user("a"), user("b")], False),
    ("assistant_first", [assistant("a"), user("b")], False),
    ("none_content", [user(None)], False),
    ("no_messages", [], False),
]
