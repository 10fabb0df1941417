"""Asks a running `evalrun mock` through the official SDKs, streaming and not, and for errors; exits 1 if one is taken amiss."""

import asyncio
import sys

import anthropic
import openai
from google import genai
from google.genai import errors, types

BASE = sys.argv[1].rstrip("/")
PROMPT = "「量子ミッション」について書く。"
TURN = [{"role": "user", "content": PROMPT}]
failures = 0


def check(name, is_right, seen=""):
    global failures
    failures += not is_right
    print("ok  " if is_right else "FAIL", name, seen)


def raises(name, kinds, call):
    try:
        check(name, False, f"no error: {call()}")
    except Exception as error:  # noqa: BLE001 - whichever it is, it is what is looked at
        check(name, isinstance(error, kinds), type(error).__name__)


def gemini():
    def client(version=None):
        options = types.HttpOptions(base_url=BASE, api_version=version, timeout=5000)
        return genai.Client(api_key="any-key", http_options=options)

    # A client closes its connections when nobody holds it any more.
    default = client()
    models = default.models
    answer = models.generate_content(model="gemini-3.8-flash", contents=PROMPT)
    check("gemini: answer", "量子ミッション" in answer.text and answer.candidates[0].finish_reason == "STOP")
    check("gemini: counts", answer.usage_metadata.total_token_count > 300, answer.usage_metadata.total_token_count)
    counted = models.count_tokens(model="gemini-3.8-flash", contents=PROMPT).total_tokens
    check("gemini: count tokens", counted == answer.usage_metadata.prompt_token_count, counted)
    told = types.GenerateContentConfig(system_instruction="優しい文章で。" * 5000)
    long = models.generate_content(model="gemini-3.8-flash", contents=PROMPT, config=told)
    check("gemini: long system text", long.usage_metadata.prompt_token_count > 35000)
    picture = types.Part.from_bytes(data=b"x", mime_type="image/png")
    raises("gemini: image", errors.ClientError, lambda: models.generate_content(model="m", contents=[picture, PROMPT]))
    later = asyncio.run(client().aio.models.generate_content(model="gemini-3.8-flash", contents=PROMPT))
    check("gemini: async", later.text == answer.text)
    again = types.HttpRetryOptions(attempts=3, initial_delay=0.1)
    patient = genai.Client(api_key="any-key", http_options=types.HttpOptions(base_url=BASE, retry_options=again))
    retried = patient.models.generate_content(model="mock-500-then-ok", contents=PROMPT)
    check("gemini: tries again", retried.candidates[0].finish_reason == "STOP")
    pieces = list(models.generate_content_stream(model="gemini-3.8-flash", contents=PROMPT))
    check("gemini: stream", "".join(piece.text or "" for piece in pieces) == answer.text, len(pieces))
    for version in ("v1", "v1beta"):
        versioned = client(version)
        check(f"gemini: models {version}", len(list(versioned.models.list())) > 0)
        check(f"gemini: model {version}", versioned.models.get(model="m").name == "models/m")
    blocked = models.generate_content(model="mock-blocked", contents=PROMPT)
    check("gemini: blocked", blocked.prompt_feedback.block_reason == "PROHIBITED_CONTENT")
    truncated = models.generate_content(model="mock-truncated", contents=PROMPT)
    check("gemini: truncated", truncated.candidates[0].finish_reason == "MAX_TOKENS")
    for fault, code in (("401", 401), ("bad-key", 400), ("404", 404), ("429", 429), ("500", 500), ("503", 503)):
        try:
            models.generate_content(model=f"mock-{fault}", contents=PROMPT)
            check(f"gemini: {fault}", False)
        except errors.APIError as error:
            check(f"gemini: {fault}", error.code == code, error.status)


def chat_completions():
    client = openai.OpenAI(api_key="any-key", base_url=BASE + "/v1")
    answer = client.chat.completions.create(model="gpt-6-luna", messages=TURN)
    text = answer.choices[0].message.content
    check("openai: answer", "量子ミッション" in text and answer.choices[0].finish_reason == "stop")
    usage = {"include_usage": True}
    pieces = list(client.chat.completions.create(model="gpt-6-luna", messages=TURN, stream=True, stream_options=usage))
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    check("openai: stream", said == text and pieces[-1].usage.total_tokens == answer.usage.total_tokens, len(pieces))
    with client.chat.completions.stream(model="gpt-6-luna", messages=TURN) as stream:
        check("openai: stream helper", stream.get_final_completion().choices[0].message.content == text)
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}]}]
    asked = lambda: client.chat.completions.create(model="m", messages=picture)
    raises("openai: image", openai.BadRequestError, asked)
    later = openai.AsyncOpenAI(api_key="any-key", base_url=BASE + "/v1").chat.completions
    later = asyncio.run(later.create(model="gpt-6-luna", messages=TURN))
    check("openai: async", later.choices[0].message.content == text)
    azure = openai.AzureOpenAI(api_key="any-key", azure_endpoint=BASE, api_version="2024-10-21")
    azure = azure.chat.completions.create(model="gpt-6-luna", messages=TURN)
    check("openai: Azure's addresses", azure.choices[0].message.content == text)
    check("openai: models", len(list(client.models.list())) > 0)
    without_v1 = openai.OpenAI(api_key="any-key", base_url=BASE)
    retried = without_v1.chat.completions.create(model="mock-429-then-ok", messages=TURN)
    check("openai: tries again", retried.choices[0].finish_reason == "stop")
    once = openai.OpenAI(api_key="any-key", base_url=BASE, max_retries=0, timeout=2).chat.completions
    for fault, kind in (
        ("400", openai.BadRequestError),
        ("401", openai.AuthenticationError),
        ("404", openai.NotFoundError),
        ("429", openai.RateLimitError),
        ("429-day", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("reset", openai.APIConnectionError),
        ("cut", openai.APIConnectionError),
        ("stall", openai.APITimeoutError),
    ):
        raises(f"openai: {fault}", kind, lambda: once.create(model=f"mock-{fault}", messages=TURN))
    broken = lambda: list(once.create(model="mock-error-200", messages=TURN, stream=True))
    raises("openai: error in a stream", openai.APIError, broken)


def messages():
    client = anthropic.Anthropic(api_key="any-key", base_url=BASE)
    asked = {"model": "claude-haiku-5-5", "max_tokens": 4000, "messages": TURN}
    answer = client.messages.create(**asked)
    check("anthropic: answer", "量子ミッション" in answer.content[0].text and answer.stop_reason == "end_turn")
    with client.messages.stream(**asked) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    check("anthropic: stream", text == answer.content[0].text and final.usage.output_tokens == answer.usage.output_tokens)
    counted = client.messages.count_tokens(model="claude-haiku-5-5", messages=TURN).input_tokens
    check("anthropic: count tokens", counted == answer.usage.input_tokens, counted)
    source = {"type": "base64", "media_type": "image/png", "data": "eA=="}
    picture = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    raises("anthropic: image", anthropic.BadRequestError, lambda: client.messages.create(**asked | {"messages": picture}))
    later = anthropic.AsyncAnthropic(api_key="any-key", base_url=BASE)
    check("anthropic: async", asyncio.run(later.messages.create(**asked)).content[0].text == answer.content[0].text)
    check("anthropic: models", len(list(client.models.list())) > 0)
    retried = client.messages.create(**asked | {"model": "mock-529-then-ok"})
    check("anthropic: tries again", retried.stop_reason == "end_turn")
    blocked = client.messages.create(**asked | {"model": "mock-blocked"})
    check("anthropic: blocked", blocked.stop_reason == "refusal")
    cut = client.messages.create(**asked | {"max_tokens": 20})
    check("anthropic: limit of tokens", cut.stop_reason == "max_tokens" and cut.usage.output_tokens == 20)
    once = anthropic.Anthropic(api_key="any-key", base_url=BASE, max_retries=0, timeout=2).messages
    for fault, kind in (
        ("401", anthropic.AuthenticationError),
        ("403", anthropic.PermissionDeniedError),
        ("429", anthropic.RateLimitError),
        ("529", anthropic.InternalServerError),
        ("reset", anthropic.APIConnectionError),
    ):
        raises(f"anthropic: {fault}", kind, lambda: once.create(**asked | {"model": f"mock-{fault}"}))

    def broken():
        with once.stream(**asked | {"model": "mock-error-200"}) as stream:
            list(stream.text_stream)

    raises("anthropic: error in a stream", anthropic.APIStatusError, broken)


gemini()
chat_completions()
messages()
print(f"{failures} failures")
sys.exit(failures > 0)
