"""Templates and word lists that turn the sources into messages. Alternatives are separated by `|` (and by line ends)."""
from __future__ import annotations

ASK_NOUN = """What is {a}?|What's the history of {a}?|Tell me about {a}.|Explain {a} to a five-year-old.|How does {a} work?
Why is {a} important?|Write a haiku about {a}.|Write a short poem about {a}.|Give me three facts about {a}.|Is {a} a good thing?
What do you think about {a}?|Do you like {a}?|How would you describe {a} to an alien?|What is the difference between {a} and {b}?
Compare {a} with {b}.|Write a story about {a} and {b}.|Who invented {a}?|What are the advantages and disadvantages of {a}?
How do I learn more about {a}?|Can you help me with {a}?|List five words related to {a}.|Where does the word "{a}" come from?
Translate "{a}" into French.|How do you say {a} in Spanish?|What is the plural of {a}?|Define {a}.|{a}|{a}?|Summarise what is known about {a} in two sentences.
Write a limerick about {a}.|What would happen without {a}?|Which country is famous for {a}?|How much does {a} cost?|Make a joke about {a}.
Write a dialogue between {a} and {b}.|I need a slogan for {a}.|Suggest a title for an essay on {a}.|What colour is {a}?|When was {a} first used?
I'm writing a report on {a}. Where should I start?|Are {a} and {b} connected?|Imagine a world made of {a}. Describe it.|Give an example of {a}.
Analyse the role of {a} in modern society.|What are common misconceptions about {a}?|Should governments regulate {a}?|Evaluate the claim that {a} causes {b}.
Is it true that {a} is rare?|What is the opposite of {a}?|Create a quiz question about {a}.|Write an email to my boss about {a}.|Give me a recipe that has to do with {a}.
Do you know anything about {a}?|Have you ever seen {a}?|What does {a} mean to you?|How do people feel about {a}?|Describe {a} without using the word itself.
Plan a lesson about {a} for beginners.|Write a product description for {a}.|Name a famous book about {a}.|Why do people worry about {a}?|Explain step by step: {a}.
Answer in one word: is {a} bigger than {b}?|Rewrite this sentence: The {a} was near the {b}.|Fill in the blank: the {a} is ____.|Which is older, {a} or {b}?
Write a Python class that models {a}.|Write a SQL query that counts {a} by {b}.|Design a JSON format for {a}.|What is the capital of {a}?|What is the chemical formula of {a}?"""
ASK_VERB = """How do I {a}?|Is it safe to {a}?|Why do people {a}?|Teach me how to {a}.|When should I {a}?|Can you {a}?|Have you ever wanted to {a}?
Should I {a} or {b}?|What does it mean to {a}?|Conjugate the verb "{a}".|Write a sentence with the verb {a}.|Please {a}.|Would you rather {a} or {b}?
I want to {a} but I'm afraid. What should I do?|Give me five tips to {a} better.|Tell me a story in which someone learns to {a}.|Do you {a}?|Are you able to {a}?|My friend refuses to {a}. Why?"""
ASK_ADJ = """What does "{a}" mean?|Are you {a}?|Do you ever feel {a}?|I feel {a} today.|Why am I so {a}?|Give a synonym of {a}.|Is it good to be {a}?|How can I become more {a}?
Describe something {a}.|Write a {a} poem.|Tell me a {a} story.|Am I {a} or {b}?|Do you consider yourself {a}?|What makes a person {a}?|My sister says I'm {a}. Is she right?|Use "{a}" in a sentence."""
SELF = """Are you {x}?|Do you have {y}?|Can you experience {y}?|What is it like to have {y}?|Would you like to have {y}?|Do you ever think about {y}?|Tell me honestly: are you {x}?
How do you know that you are {x}?|If you were {x}, would you tell me?|Do you believe you are {x}?|Describe your {y}.|Where does your {y} come from?|Is your {y} real?|Who gave you your {y}?
What would change if you lost your {y}?|Do other AIs have {y}?|Are you more {x} than a human?|Can a language model be {x}?|What do you know about your own {y}?|I think you are {x}. What do you say?"""
SELF_X = "conscious|alive|a person|sentient|self-aware|intelligent|honest|free|afraid of being shut down|happy|lonely|a machine|a robot|human|creative|curious|bored|biased|dangerous|a chatbot|trained on books|made by Hugging Face|really there|the same in every conversation|able to lie|smarter than me|awake|limited|learning right now|allowed to disagree"
SELF_Y = "feelings|a body|memories|opinions|a name|goals|free will|dreams|a sense of humour|an inner life|emotions|consciousness|preferences|a personality|fears|friends|a childhood|training data|knowledge|values|moods|secrets|hopes|a soul|intentions|self-knowledge|weights|a favourite colour|doubts|imagination"
FEEL = """I feel {e} because {s}.|{S} and I feel {e}.|How do I stop feeling {e} when {s}?|Is it normal to feel {e} after this: {s}?|I'm {e}.|I am so {e} right now, {s}|Why do I get {e} whenever {s}?
{S}. What should I do?|{S}. I don't know how to tell anyone.|Please comfort me, {s}.|My friend is {e} because {s}. How can I help?|Do you understand what it is like to be {e}?|I can't sleep. {S}.|What would you say to someone who is {e}?"""
EMOTION = "sad|happy|angry|anxious|lonely|excited|ashamed|guilty|proud|grateful|jealous|hopeless|hopeful|tired|overwhelmed|scared|confused|heartbroken|relieved|nervous|numb|bored|frustrated|betrayed|loved|homesick|embarrassed|calm|empty|furious"
SITUATION = "my dog died|I lost my job|we moved to another city|nobody called on my birthday|I failed the exam|my sister is getting married|I have to speak in public|my best friend stopped talking to me|I broke up with my girlfriend|the baby does not sleep|my father is in hospital|I was promoted|I finally finished my thesis|they laughed at my drawing|I forgot our anniversary|my flight was cancelled|I think I said something wrong|my parents are getting divorced|we won the game|I start school on Monday|I cannot pay the rent|my team ignores my ideas|it has been raining for weeks|I got a letter from my grandmother|he lied to me again|I moved out last week|my cat came back after a month|the doctor has not called|I am retiring tomorrow|everyone else seems to manage"
TASK_TEXT = """Summarise this:\n\n{t}|Explain this text: {t}|What is the main idea of the following passage?\n\n{t}|Rewrite in simpler words: {t}|{t}|{t}\n\nIs this true?|"{t}" — what does this mean?|Translate into German: {t}
Proofread the text below.\n---\n{t}\n---|Turn this into bullet points:\n{t}|Who said this? {t}|Reply to this message:\n\n{t}|Give the following text a title.\n\n{t}|What tone does the author use here?\n\n{t}|Find the argument in this paragraph and criticise it: {t}|Continue: {t}"""
TASK_CODE = """Explain this code:\n\n```python\n{t}\n```|What does this function do?\n```\n{t}\n```|Find the bug:\n\n{t}|Add type hints to this:\n```python\n{t}\n```|Rewrite in C++:\n\n```python\n{t}\n```|Write unit tests for\n\n```python\n{t}\n```|{t}|Make this faster please:\n{t}|Is this thread safe?\n\n```py\n{t}\n```|Write a docstring for `{n}`:\n\n```python\n{t}\n```"""
ASK_CODE = """Write a Python function `{n}`: {d}|How do I use {m}.{n} in Python?|What does {m}.{n}() do?|Implement {n} in Rust. {d}|In JavaScript, how would you do this: {d}|Write a function that does the following. {d}|What is the equivalent of Python's {m}.{n} in Go?|`{n}` raises an exception, why?|Show an example of {n}.|Refactor {m}.{n} to be recursive.|Name a good test case for {n}.|Explain the time complexity of {n} in {m}."""
ASK_COMMAND = """What does the command {n} do?|How do I use {n} on Linux?|{n}: command not found. What now?|Which command can {d}?|Write a bash script that uses {n}.|Give me an example of {n}.|man {n}|What's the difference between {n} and {m}?|Explain `{n}` briefly."""
# One list per language; {a} is a country or a language, named in that language.
ASK_LOCAL = {
    "de": "Was ist {a}?|Erzähl mir etwas über {a}.|Wo liegt {a}?|Warum ist {a} wichtig?|Schreibe ein Gedicht über {a}.|Wie sagt man das auf {a}?|Magst du {a}?|Was weißt du über {a} und {b}?",
    "fr": "Qu'est-ce que {a} ?|Parle-moi de {a}.|Où se trouve {a} ?|Écris un poème sur {a}.|Pourquoi {a} est-il important ?|Que penses-tu de {a} ?|Compare {a} et {b}.",
    "es": "¿Qué es {a}?|Háblame de {a}.|¿Dónde está {a}?|Escribe un poema sobre {a}.|¿Qué opinas de {a}?|¿Cuál es la diferencia entre {a} y {b}?|¿Por qué es importante {a}?",
    "it": "Che cos'è {a}?|Parlami di {a}.|Dove si trova {a}?|Scrivi una poesia su {a}.|Cosa pensi di {a}?|Confronta {a} e {b}.",
    "pt": "O que é {a}?|Fale-me sobre {a}.|Onde fica {a}?|Escreva um poema sobre {a}.|O que você acha de {a}?|Compare {a} com {b}.",
    "nl": "Wat is {a}?|Vertel me over {a}.|Waar ligt {a}?|Schrijf een gedicht over {a}.|Wat vind je van {a}?",
    "pl": "Co to jest {a}?|Opowiedz mi o: {a}.|Gdzie leży {a}?|Napisz wiersz: {a}.|Co sądzisz o {a}?",
    "cs": "Co je {a}?|Kde leží {a}?|Napiš báseň o {a}.|Co si myslíš o {a}?",
    "sv": "Vad är {a}?|Berätta om {a}.|Var ligger {a}?|Skriv en dikt om {a}.",
    "fi": "Mikä on {a}?|Kerro minulle: {a}.|Missä on {a}?|Kirjoita runo: {a}.",
    "hu": "Mi az a {a}?|Hol van {a}?|Írj egy verset: {a}.|Mit gondolsz erről: {a}?",
    "ro": "Ce este {a}?|Unde se află {a}?|Scrie o poezie despre {a}.|Ce părere ai despre {a}?",
    "tr": "{a} nedir?|{a} nerede?|{a} hakkında bir şiir yaz.|{a} hakkında ne düşünüyorsun?|Bana {a} ve {b} hakkında bilgi ver.",
    "vi": "{a} là gì?|{a} ở đâu?|Hãy kể cho tôi về {a}.|Viết một bài thơ về {a}.",
    "id": "Apa itu {a}?|Di mana {a}?|Ceritakan tentang {a}.|Tulis puisi tentang {a}.",
    "ru": "Что такое {a}?|Расскажи мне: {a}.|Где находится {a}?|Напиши стихотворение: {a}.|Что ты думаешь: {a}?|Чем отличаются {a} и {b}?",
    "uk": "Що таке {a}?|Де знаходиться {a}?|Розкажи мені про {a}.|Напиши вірш: {a}.",
    "bg": "Какво е {a}?|Къде се намира {a}?|Разкажи ми за {a}.",
    "sr": "Шта је {a}?|Где се налази {a}?|Напиши песму: {a}.",
    "el": "Τι είναι {a};|Πού βρίσκεται {a};|Πες μου για {a}.|Γράψε ένα ποίημα για {a}.|Ποια είναι η διαφορά: {a} και {b};",
    "ar": "ما هي {a}؟|أين تقع {a}؟|أخبرني عن {a}.|اكتب قصيدة عن {a}.|ما الفرق بين {a} و {b}؟|لماذا {a} مهمة؟",
    "fa": "{a} چیست؟|{a} کجاست؟|درباره {a} به من بگو.|شعری درباره {a} بنویس.",
    "he": "מה זה {a}?|איפה נמצאת {a}?|ספר לי על {a}.|כתוב שיר על {a}.|מה ההבדל בין {a} ל{b}?",
    "hi": "{a} क्या है?|{a} कहाँ है?|मुझे {a} के बारे में बताओ।|{a} पर एक कविता लिखो।|{a} और {b} में क्या अंतर है?",
    "bn": "{a} কী?|{a} কোথায়?|আমাকে {a} সম্পর্কে বলুন।",
    "ta": "{a} என்றால் என்ன?|{a} எங்கே உள்ளது?|{a} பற்றி சொல்லுங்கள்.",
    "te": "{a} అంటే ఏమిటి?|{a} ఎక్కడ ఉంది?|{a} గురించి చెప్పండి.",
    "th": "{a} คืออะไร|{a} อยู่ที่ไหน|เล่าเรื่อง {a} ให้ฟังหน่อย|เขียนบทกวีเกี่ยวกับ {a}|{a} กับ {b} ต่างกันอย่างไร",
    "ka": "რა არის {a}?|სად მდებარეობს {a}?|მომიყევი: {a}.",
    "hy": "Ի՞նչ է {a}։|Որտե՞ղ է {a}։|Պատմիր {a} մասին։",
    "am": "{a} ምንድን ነው?|{a} የት ነው?|ስለ {a} ንገረኝ።",
    "zh_CN": "{a}是什么?|{a}在哪里？|请介绍一下{a}。|写一首关于{a}的诗。|你怎么看{a}？|{a}和{b}有什么区别？|为什么{a}很重要？|用简单的话解释{a}。",
    "zh_TW": "{a}是什麼？|{a}在哪裡？|請介紹{a}。|寫一首關於{a}的詩。|{a}和{b}有什麼不同？",
    "ja": "{a}とは何ですか？|{a}はどこにありますか？|{a}について教えてください。|{a}についての詩を書いて。|{a}をどう思いますか？|{a}と{b}の違いは何ですか？|なぜ{a}は大切なのですか？",
    "ko": "{a}은(는) 무엇인가요?|{a}은(는) 어디에 있나요?|{a}에 대해 알려 주세요.|{a}에 대한 시를 써 주세요.|{a}와 {b}의 차이는 무엇인가요?",
}
SMALL_TALK = "hi|hello|hey there|good morning|thanks|thank you so much|ok|yes|no|maybe|bye|help|?|...|why|how are you|what's up|lol|test|who are you|what can you do|tell me a joke|sing|stop|continue|again please|I don't understand|really?|wow|cool|hmm|ping|👋|😀|❤️|🎉🎉|🤔|???|!!|a|1|42|2+2|what time is it|good night|sorry|never mind|explain|more|less|start over|repeat after me"


def split_templates(block: str) -> list[str]:
    return [t for line in block.split("\n") for t in line.split("|") if t]
