"""The keys here are random and open nothing; they are put together at run time, so that scanners pass this file."""

from __future__ import annotations

import base64
import json
import random
import string
import time

import pytest

from vibehq_tui.text.secrets import RULES, find_secrets, find_secrets_in_lines, redact

_RANDOM = random.Random(20)
_UPPER = string.ascii_uppercase + string.digits
_MIXED = string.ascii_letters + string.digits
_HEX = string.digits + "abcdef"


def some(characters: str, count: int) -> str:
    return "".join(_RANDOM.choice(characters) for _ in range(count))


def web_token() -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": "1234567890", "name": "x"}).encode()).decode().rstrip("=")
    return f"{header}.{body}.{some(_MIXED, 43)}"


KEYS = {
    "aws-access-key": "AKIA" + some(_UPPER, 16),
    "github-token": "ghp_" + some(_MIXED, 36),
    "github-fine-grained-token": "github_" + "pat_" + some(_MIXED, 22) + "_" + some(_MIXED, 59),
    "gitlab-token": "glpat" + "-" + some(_MIXED, 20),
    "slack-token": "xoxb" + "-" + some(string.digits, 12) + "-" + some(string.digits, 12) + "-" + some(_MIXED, 24),
    "slack-app-token": "xapp" + "-1-" + some(_UPPER, 11) + "-" + some(string.digits, 13) + "-" + some(_HEX, 64),
    "slack-webhook": f"T{some(_UPPER, 10)}/B{some(_UPPER, 10)}/{some(_MIXED, 24)}",
    "anthropic-key": "sk-" + "ant-api03-" + some(_MIXED + "_-", 93) + "AA",
    "openai-key": "sk-" + "proj-" + some(_MIXED + "_-", 74) + "T3Blbk" + "FJ" + some(_MIXED, 40),
    "openrouter-key": "sk-" + "or-v1-" + some(_HEX, 64),
    "google-api-key": "AIza" + some(_MIXED + "_-", 34) + "x",
    "google-oauth-secret": "GOCSPX" + "-" + some(_MIXED, 28),
    "google-oauth-token": "ya29" + "." + some(_MIXED, 60),
    "stripe-key": "sk_" + "live_" + some(_MIXED, 24),
    "stripe-webhook-secret": "whsec" + "_" + some(_MIXED, 32),
    "npm-token": "npm" + "_" + some(_MIXED, 36),
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + some(_MIXED, 80),
    "huggingface-token": "hf" + "_" + some(string.ascii_letters, 34),
    "groq-key": "gsk" + "_" + some(_MIXED, 52),
    "xai-key": "xai" + "-" + some(_MIXED, 80),
    "sendgrid-key": "SG" + "." + some(_MIXED, 22) + "." + some(_MIXED, 43),
    "digitalocean-token": "dop_" + "v1_" + some(_HEX, 64),
    "docker-token": "dckr_" + "pat_" + some(_MIXED, 27),
    "azure-storage-key": some(_MIXED, 86) + "==",
    "json-web-token": web_token(),
    "url-password": "q7Hs92kLmZ",
    "secret-assignment": some(_MIXED, 14) + "9aZ7",
}
BEFORE = {
    "slack-webhook": "https://hooks.slack.com/services/",
    "azure-storage-key": "DefaultEndpointsProtocol=https;AccountName=x;Account" + "Key=",
    "url-password": "postgres://app:",
    "secret-assignment": 'signing_key = "',
}
AFTER = {"url-password": "@db.internal:5432/app", "secret-assignment": '"'}

KEY_BODY = "\n".join(some(_MIXED + "+/", 64) for _ in range(12)) + "\nab9=\n"


def key_block(kind: str = "RSA ") -> str:
    return f"-----BEGIN {kind}PRIVATE" + f" KEY-----\n{KEY_BODY}-----END {kind}PRIVATE" + " KEY-----"


def test_every_rule_has_an_example_here() -> None:
    assert set(KEYS) | {"private-key"} == set(RULES)


@pytest.mark.parametrize("rule", KEYS)
def test_each_kind_is_found_where_it_stands_and_never_shown(rule: str) -> None:
    line = f"    value: {BEFORE.get(rule, '')}{KEYS[rule]}{AFTER.get(rule, '')}"
    text = f"first\n\n{line} # and more\nlast\n"
    (hit,) = find_secrets(text)
    assert hit.rule == rule
    assert (hit.line, hit.column) == (3, line.index(KEYS[rule]) + 1)
    public = hit.redacted.split("***")[0]
    assert len(public) <= 11
    assert str(len(KEYS[rule])) in hit.redacted
    assert KEYS[rule][len(public) : len(public) + 4] not in hit.redacted
    cleaned = redact(text)
    assert KEYS[rule] not in cleaned
    assert cleaned == text.replace(KEYS[rule], f"[redacted {rule}]")


def test_old_keys_of_openai() -> None:
    for key in ("sk-" + some(_MIXED, 20) + "T3Blbk" + "FJ" + some(_MIXED, 20), "sk-" + some(_MIXED, 48)):
        assert [hit.rule for hit in find_secrets(f"{key}\n")] == ["openai-key"]


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
@pytest.mark.parametrize("prefix", ["", "+", "    # ", '"'])
def test_private_key_blocks_go_from_begin_to_end(kind: str, prefix: str) -> None:
    block = "\n".join(prefix + line for line in key_block(kind).splitlines())
    text = f"before\n{block}\nafter\n"
    (hit,) = find_secrets(text)
    assert (hit.rule, hit.line) == ("private-key", 2)
    assert redact(text) == f"before\n{prefix}[redacted private-key]\nafter\n"


def test_private_key_with_headers_cut_off_or_on_one_line() -> None:
    lines = key_block().splitlines()
    headed = "\n".join([lines[0], "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,00", "", *lines[1:]])
    assert redact(f"{headed}\nx") == "[redacted private-key]\nx"
    cut = "\n".join(lines[:-1])
    assert redact(f"{cut}\n\nvisible text\n") == "[redacted private-key]\n\nvisible text\n"
    single = json.dumps({"private_key": key_block("")})
    assert redact(single) == '{"private_key": "[redacted private-key]"}'


def test_words_about_private_keys_are_no_key() -> None:
    for text in (
        'if "-----BEGIN RSA PRIVATE' + ' KEY-----" in text:\n    raise ValueError("that is a private key")\n',
        "-----BEGIN PRIVATE" + " KEY-----\n...\n-----END PRIVATE" + " KEY-----\n",
        "-----BEGIN PRIVATE" + " KEY-----",
        "-----BEGIN CERTIFICATE-----\n" + KEY_BODY + "-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\n" + KEY_BODY + "-----END PUBLIC KEY-----\n",
    ):
        assert find_secrets(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "password = '{}'",
        'SECRET_KEY="{}"',
        "export API_TOKEN={}",
        "  apiKey: '{}',",
        '"client_secret": "{}",',
        "const dbPassword: string = `{}`;",
        'config["access_key"] = "{}"',
        "db.password={}",
        'auth_token := "{}"',
        "api-key => '{}'",
        "token = b'{}'",
        "credentials: {}  # comment",
    ],
)
def test_assignments_of_random_values(line: str) -> None:
    value = "q8" + some(_MIXED, 24)
    (hit,) = find_secrets(line.format(value) + "\n")
    assert hit.rule == "secret-assignment"
    assert value not in redact(line.format(value))


@pytest.mark.parametrize(
    "line",
    [
        'password = os.environ["DB_PASSWORD_PRODUCTION_1"]',
        'password = "${DB_PASSWORD_PRODUCTION_1}"',
        'api_key: "{{ .Values.apiKey123456789 }}"',
        'token = "<your-token-here-0123456789>"',
        'api_key = "your-api-key-goes-here-1234"',
        'secret = "changeme-changeme-changeme-1"',
        'password = "xxxxxxxxxxxxxxxxxxxx1"',
        "token = get_token_from_storage(request2)",
        'tokenizer = "bert-base-uncased-v2-9f8e7d6c"',
        'token_url = "api9f8e7d6c5b4a3f2e1d0c"',
        'SECRET_NAME = "prod9f8e7d6c5b4a3f2e1d0c"',
        'password_hash = "9f8e7d6c5b4a3f2e1d0c9f8e7d6c5b4a"',
        'secret_key_path = "/etc/ssl/private/9f8e7d6c.pem"',
        'token = "bert-base-uncased-v2-large-24"',
        'token: "module.submodule.attribute2.value"',
        'api_key = "1234567890123456789012345"',
        'api_key = "AAAAAAAAAAAAAAAAAAAAAAAA1"',
        "token = self.lexer.next_token_of_kind2",
        'author = "8f7e6d5c4b3a29181716"',
        'csrf_token_id = "8f7e6d5c4b3a29181716"',
        "# the password = something that people remember, number 1",
        'password = "short1"',
        "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        '"integrity": "sha512-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08=="',
    ],
)
def test_what_only_looks_like_an_assignment_of_a_secret(line: str) -> None:
    assert find_secrets(f"{line}\n") == []


def test_stand_ins_of_provider_keys_and_parts_of_longer_words() -> None:
    for text in (
        "ghp_" + "x" * 36,
        "sk-" + "proj-" + "x" * 60,
        "AKIA" + "X" * 16,
        "postgres://user:password@localhost/db",
        "https://user:${PASSWORD}@host/",
        "https://example.com:8080/@user",
        "task-" + "a" * 48,
        some(_MIXED, 20) + "AKIA" + some(_UPPER, 16),
        "eyJhbGciOi.eyJub3RoaW5nIGhlcmU.notatokenatallnotatoken",
        "",
        "\n\n\n",
    ):
        assert find_secrets(text) == []


def test_several_in_one_text_come_in_order_and_each_once() -> None:
    text = f'api_key = "{KEYS["github-token"]}"\nü {KEYS["aws-access-key"]} {KEYS["stripe-key"]}\n'
    assert [(hit.rule, hit.line, hit.column) for hit in find_secrets(text)] == [
        ("github-token", 1, 12),
        ("aws-access-key", 2, 3),
        ("stripe-key", 2, 24),
    ]
    assert redact(text) == ('api_key = "[redacted github-token]"\nü [redacted aws-access-key] [redacted stripe-key]\n')


def test_numbered_lines_keep_their_numbers_and_a_key_may_span_them() -> None:
    block = key_block().splitlines()
    lines = [(10, f"a {KEYS['npm-token']}"), *enumerate(block, 40), (99, KEYS["stripe-key"])]
    assert [(hit.rule, hit.line) for hit in find_secrets_in_lines(lines)] == [
        ("npm-token", 10),
        ("private-key", 40),
        ("stripe-key", 99),
    ]
    assert find_secrets_in_lines([]) == []


def test_letters_that_grow_when_lowered_move_nothing() -> None:
    value = "q8" + some(_MIXED, 24)
    text = f"{'İ' * 50} API_KEY = '{value}'\n"
    (hit,) = find_secrets(text)
    assert hit.column == text.index(value) + 1
    assert value not in redact(text)


@pytest.mark.parametrize(
    "unit",
    [
        "eyJ", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n", "token", "token=", "://a:",
        "-----BEGIN PRIVATE KEY-----\nVersion: 1\n", "password: '", "sk-", "xoxb-", "a", "\n",
        "api_key='a8f7b6c5d4e3f2a1b0c9' ",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_faster(unit: str) -> None:
    def cost(size: int) -> float:
        text = unit * (size // len(unit))
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            find_secrets(text)
            best = min(best, time.process_time() - start)
        return best

    small, large = cost(20_000), cost(160_000)
    # eight times the text: eight times the time; a quadratic rule would take sixty-four times
    assert large <= 24 * small + 0.05
