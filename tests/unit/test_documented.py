"""What the pages say is what the program has: settings, routes, roles, statuses, errors, links."""

from __future__ import annotations

import re
from pathlib import Path

import annotated_types
import pytest
from pydantic_core import PydanticUndefined

from albumen.cli.server import LET_GO
from albumen.config import Settings, load_settings
from albumen.errors import AlbumenError, StartRefused
from albumen.web import openapi
from albumen.web.auth import needed_role
from albumen.web.errors import status_of

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/adr/*.md"))
READMES = ("README.md", "README.ru.md")
OF_ANY_ROUTE = {"401", "403", "408", "421", "429", "500", "503"}
FILES = {"GET /static/{}", "GET /client/{}", "GET /mobile/{}"}
OF_THE_CLIENT = {"GET /d/{}", "GET /photo/{}", "GET /trash", "GET /uploads"}


def page(name):
    return (ROOT / name).read_text("utf-8")


def prose(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text):
    return re.findall(r"^```.*?^```$", text, flags=re.MULTILINE | re.DOTALL)


def cells(line):
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def rows(text):
    """Return the rows of all tables whose first cell is a word in backticks, by that word."""
    return {cells(line)[0].strip("|` "): cells(line) for line in text.splitlines() if line.startswith("| `")}


def shown(field):
    if field.default_factory_takes_validated_data:
        return "follows `workers`"
    if field.default is PydanticUndefined:
        return "one per core"
    if field.default is None:
        return "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if field.default == ():
        return "`[]`"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{quoted(field.default)}`"


def quoted(value):
    return str(value) if isinstance(value, int) else f'"{value}"'


def bounds(field):
    """Return the numbers that limit a setting."""
    limits = {annotated_types.Ge: "ge", annotated_types.Gt: "gt", annotated_types.Le: "le"}
    return [getattr(limit, limits[type(limit)]) for limit in field.metadata if type(limit) in limits]


def plain_path(path):
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


def served(app):
    """Return the view of every method and path that the application answers to."""
    rules = [(method, rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}]
    return {f"{method} {plain_path(rule.rule)}": app.view_functions[rule.endpoint] for method, rule in rules}


def described():
    """Return the section of docs/http-api.md about every method and path."""
    sections = re.split(r"^### ", page("docs/http-api.md").partition("\n## Errors")[0], flags=re.MULTILINE)[1:]
    return {plain_path(route): part for part in sections for route in re.findall(r"`(.+?)`", part.partition("\n")[0])}


def statuses(section):
    return set(re.findall(r"\d+", re.search(r"Statuses: (.*)\.", section)[1]))


def specified():
    """Return the statuses in the OpenAPI document of every method and path."""
    return {
        f"{method.upper()} {plain_path(path)}": set(operation["responses"])
        for path, item in openapi.document()["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }


def errors(error=AlbumenError):
    own = {error.code: error} if "code" in vars(error) else {}
    return own | {code: found for child in error.__subclasses__() for code, found in errors(child).items()}


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", prose(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented_with_its_variable_default_and_bounds(name):
    field = Settings.model_fields[name]
    key, variable, default, allowed, meaning = rows(page("docs/configuration.md"))[name]
    assert (key.strip("| "), variable) == (f"`{name}`", f"`ALBUMEN_{name.upper()}`")
    assert default == shown(field)
    assert [number for number in bounds(field) if str(number) not in re.findall(r"\d+", allowed)] == []
    assert meaning


def test_no_setting_is_documented_that_is_not_there():
    assert set(rows(page("docs/configuration.md"))) == set(Settings.model_fields)


def test_settings_file_of_the_documentation_is_valid(tmp_path):
    example = next(block for block in blocks(page("docs/configuration.md")) if block.startswith("```toml"))
    path = tmp_path / "albumen.toml"
    path.write_text(example.removeprefix("```toml").removesuffix("```"), "utf-8")
    assert load_settings(config=path).public_url == "https://photos.example.org"


def test_every_metric_is_documented_and_no_other(client):
    assert LET_GO.describe(), "it is told by the process that imports its module"
    text = client.get("/metrics").get_data(as_text=True)
    told = {name for name in re.findall(r"^# TYPE (albumen_\w+)", text, flags=re.MULTILINE) if "_created" not in name}
    described = {name.partition("{")[0] for name in rows(page("docs/operations.md")) if name.startswith("albumen_")}
    assert described == told


def test_every_route_is_described_and_specified_and_no_other(app):
    routes = set(served(app))
    assert set(described()) == routes - FILES - OF_THE_CLIENT
    assert set(specified()) == routes - FILES - OF_THE_CLIENT
    named = {plain_path(route) for route in re.findall(r"`(GET /[^`]*)`", described()["GET /"])}
    assert named & routes >= FILES | OF_THE_CLIENT


def test_every_route_is_described_with_the_role_that_it_needs(app):
    views = served(app)
    needed = {route: needed_role(views[route]) for route in described()}
    wrong = {
        route: role
        for route, role in needed.items()
        if f"Role: {role.label if role else 'none'}." not in described()[route]
    }
    assert wrong == {}


def test_every_route_is_described_with_the_statuses_that_are_specified():
    wrong = {
        route: (statuses(section), specified()[route])
        for route, section in described().items()
        if not statuses(section) <= specified()[route] <= statuses(section) | OF_ANY_ROUTE
    }
    assert wrong == {}


@pytest.mark.parametrize("code", errors())
def test_error_is_described_with_its_status_and_an_advice(code):
    error = errors()[code]
    _, status, meaning, advice = rows(page("docs/http-api.md").partition("\n## Errors")[2])[code]
    assert status == ("none" if error is StartRefused else str(int(status_of(error))))
    assert meaning
    assert advice.strip("| ")


def test_no_error_is_described_that_is_not_there():
    told = rows(page("docs/http-api.md").partition("\n## Errors")[2])
    assert set(told) == set(openapi.document()["x-problems"])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    targets = re.findall(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)", prose(path.read_text("utf-8")))
    files = [(path.parent / target if target else path, anchor) for target, anchor in targets]
    assert [file for file, _ in files if not file.exists()] == []
    assert [(file, anchor) for file, anchor in files if anchor and anchor not in anchors(file.read_text("utf-8"))] == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_tells_context_decision_and_consequences_on_one_screen(path):
    text = path.read_text("utf-8")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(path.stem[:4])}. ")
    assert len(text.splitlines()) <= 40


def test_both_readmes_show_the_same_code():
    english, russian = map(page, READMES)
    assert blocks(english) == blocks(russian)


def test_both_readmes_have_the_same_outline_and_pictures():
    outlines = [re.findall(r"^(#+) |\]\((docs/[^)]+)\)", prose(page(name)), flags=re.MULTILINE) for name in READMES]
    assert outlines[0] == outlines[1]
