"""API keys, their tokens and roles, apart from any database."""

import hmac
from datetime import UTC, datetime

import pytest

from albumen.domain import access
from albumen.domain.access import Key, Role, Token, digest_secret, new_token, parse_token

CREATED = datetime(2026, 11, 23, tzinfo=UTC)


def _key(token, revoked_at=None):
    return Key(token.key_id, "phone", Role.VIEWER, digest_secret(token.secret), CREATED, revoked_at)


def test_token_survives_its_text_form():
    token = new_token()
    assert parse_token(str(token)) == token


def test_token_has_256_random_bits_of_secret():
    tokens = [new_token() for _ in range(100)]
    assert len({token.secret for token in tokens}) == len({token.key_id for token in tokens}) == 100
    assert all(len(bytes.fromhex(token.secret)) == 32 for token in tokens)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "alb_",
        f"alb_{'0' * 12}_{'0' * 63}",
        f"alb_{'0' * 12}_{'0' * 65}",
        f"alb_{'0' * 11}_{'0' * 64}",
        f"alb_{'0' * 12}_{'G' * 64}",
        f"ALB_{'0' * 12}_{'0' * 64}",
        f" alb_{'0' * 12}_{'0' * 64}",
        f"alb_{'0' * 12}_{'0' * 64}\n",
        "alb_" + "\u0660" * 12 + "_" + "0" * 64,
    ],
)
def test_text_of_another_form_is_no_token(text):
    assert parse_token(text) is None


def test_key_admits_its_own_secret_alone():
    token = new_token()
    assert _key(token).admits(token.secret)
    assert not _key(token).admits(new_token().secret)
    assert not _key(token).admits("")


def test_revoked_key_admits_nobody():
    token = new_token()
    assert not _key(token, revoked_at=CREATED).admits(token.secret)


def test_key_holds_the_digest_and_never_the_secret():
    token = new_token()
    assert token.secret not in repr(_key(token))
    assert digest_secret(token.secret) != token.secret


def test_secrets_are_compared_in_constant_time(monkeypatch):
    compared = []
    compare_digest = hmac.compare_digest

    def compare(one, other):
        compared.append((one, other))
        return compare_digest(one, other)

    monkeypatch.setattr(access.hmac, "compare_digest", compare)
    token = new_token()
    for key in (_key(token), _key(token, revoked_at=CREATED)):
        key.admits("0" * 64)
    assert compared == 2 * [(digest_secret(token.secret), digest_secret("0" * 64))]


def test_roles_are_ordered_and_named_as_people_write_them():
    assert [role.label for role in sorted(Role)] == ["viewer", "contributor", "editor", "admin"]


def test_token_of_another_key_is_another_token():
    assert Token("0" * 12, "0" * 64) != Token("1" * 12, "0" * 64)
