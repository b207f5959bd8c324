"""The OpenAPI document and what its readable page shows of it.

`openapi.json` is the source; this module reads it once and lays it out for the template. It knows nothing of Flask.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import albumen
from albumen.errors import AlbumenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Node = Mapping[str, Any]

_METHODS = ("get", "head", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an operation or a member of a shape. `kind` is its type in words, `shape` the one it refers to."""

    name: str
    place: str
    required: bool
    kind: str
    shape: str | None
    description: str


@dataclass(frozen=True, slots=True)
class Body:
    """One way to write a body: its media type and the shape of it, if that has a name, or its fields."""

    media_type: str
    kind: str
    shape: str | None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer: a status, and the codes of the errors that it stands for."""

    status: str
    description: str
    codes: tuple[str, ...]
    bodies: tuple[Body, ...]
    example: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A route with one method. `role` is the least role that may call it, None when no key is ever asked for."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    role: str | None
    curl: str
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Operations of one subject."""

    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON value with a name. `fields` is empty for those that are no objects; `kind` tells of these."""

    name: str
    description: str
    kind: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A stable code. `status` is None when it never comes over HTTP."""

    code: str
    title: str
    status: int | None
    meaning: str
    advice: str


@functools.cache
def document() -> Node:
    """Return the document with the version of this server. The caller must not change it."""
    text = resources.files("albumen.web").joinpath("openapi.json").read_text("utf-8")
    read: dict[str, Any] = json.loads(text)
    read["info"]["version"] = albumen.__version__
    return read


def sections() -> tuple[Section, ...]:
    """Return all operations by subject, in the order of the document's tags."""
    operations = list(_operations())
    return tuple(
        Section(tag["name"], tag["description"], tuple(op for name, op in operations if name == tag["name"]))
        for tag in document()["tags"]
    )


def shapes() -> tuple[Shape, ...]:
    """Return all named schemas, in the order of the document."""
    return tuple(
        Shape(name, schema.get("description", ""), _kind(schema), _fields(schema))
        for name, schema in document()["components"]["schemas"].items()
    )


def problems() -> tuple[ProblemKind, ...]:
    """Return every code of `albumen.errors` and of the document, those of HTTP by status."""
    told = document()["x-problems"]
    errors = {error.code: error for error in _errors(AlbumenError)}
    found = [_problem(code, told.get(code, {}), errors.get(code)) for code in {**errors, **told}]
    return tuple(sorted(found, key=lambda kind: (kind.status or 1000, kind.code)))


def _errors(error: type[AlbumenError]) -> Iterator[type[AlbumenError]]:
    if "code" in vars(error):
        yield error
    for child in error.__subclasses__():
        yield from _errors(child)


def _problem(code: str, told: Node, error: type[AlbumenError] | None) -> ProblemKind:
    """Join what the document tells of a code with what its class says; Flask's own refusals have no class."""
    title = error.title if error else told["title"]
    docstring = (error and error.__doc__) or title
    meaning = told.get("meaning") or docstring.partition("\n")[0]
    return ProblemKind(code, title, told.get("status"), meaning, told.get("advice", ""))


def _operations() -> Iterator[tuple[str, Operation]]:
    """Yield the name of the subject and the operation."""
    for path, item in document()["paths"].items():
        for method in _METHODS:
            if method in item:
                yield item[method]["tags"][0], _operation(path, method, item[method])


def _operation(path: str, method: str, node: Node) -> Operation:
    return Operation(
        anchor=node["operationId"],
        method=method.upper(),
        path=path,
        summary=node["summary"],
        description=node["description"],
        role=node.get("x-role"),
        curl=node["x-codeSamples"][0]["source"],
        parameters=tuple(_parameter(_resolve(each)) for each in node.get("parameters", ())),
        bodies=_bodies(_resolve(node.get("requestBody", {}))),
        answers=tuple(_answer(status, _resolve(each)) for status, each in node["responses"].items()),
    )


def _parameter(node: Node) -> Field:
    schema = node["schema"]
    required = node.get("required", False)
    return Field(node["name"], node["in"], required, _kind(schema), _shape(schema), node.get("description", ""))


def _answer(status: str, node: Node) -> Answer:
    examples = [content["example"] for content in node.get("content", {}).values() if "example" in content]
    example = json.dumps(examples[0], indent=2, ensure_ascii=False) if examples else None
    return Answer(status, node["description"], tuple(node.get("x-codes", ())), _bodies(node), example)


def _bodies(node: Node) -> tuple[Body, ...]:
    return tuple(
        Body(media_type, _kind(content["schema"]), _shape(content["schema"]), _fields(content["schema"]))
        for media_type, content in node.get("content", {}).items()
    )


def _fields(schema: Node) -> tuple[Field, ...]:
    """Return the members of an object; those of a part that has a name stay with that name."""
    required = schema.get("required", ())
    members = {name: each for part in schema.get("allOf", ()) for name, each in part.get("properties", {}).items()}
    members.update(schema.get("properties", {}))
    return tuple(
        Field(name, "body", name in required, _kind(member), _shape(member), _description(member))
        for name, member in members.items()
    )


def _description(schema: Node) -> str:
    return str(schema.get("description") or _resolve(schema).get("description", ""))


def _shape(schema: Node) -> str | None:
    """Return the name of the shape that `schema` refers to, itself or for its items or its one alternative."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for inner in (schema.get("items"), *schema.get("oneOf", ())):
        if inner and "$ref" in inner:
            return _shape(inner)
    return None


def _kind(schema: Node) -> str:
    """Describe the type of a value: `array of Photo`, `integer 1…1000, default 100`."""
    if "$ref" in schema:
        return str(_shape(schema)) + _default(schema)
    if "oneOf" in schema:
        return " or ".join(_kind(each) for each in schema["oneOf"])
    if "allOf" in schema:
        return f"{_kind(schema['allOf'][0])} with"
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " · ".join(json.dumps(value) for value in schema["enum"])
    return _plain_kind(schema) + _default(schema)


def _plain_kind(schema: Node) -> str:
    names = schema.get("type", "any")
    kind = names if isinstance(names, str) else " or ".join(names)
    if "items" in schema:
        return f"array of {_kind(schema['items'])}"
    if "contentMediaType" in schema:
        return "bytes"
    if "format" in schema:
        return f"{kind} ({schema['format']})"
    if "maximum" in schema:
        return f"{kind} {schema['minimum']}…{schema['maximum']}"
    return kind


def _default(schema: Node) -> str:
    return f", default {json.dumps(schema['default'])}" if "default" in schema else ""


def _resolve(node: Node) -> Node:
    """Follow a reference within the document."""
    target: Node = node
    if "$ref" in node:
        target = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
    return target
