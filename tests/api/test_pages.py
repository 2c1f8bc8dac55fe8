"""The pages: what they show, and that they ask no other host for anything."""

import asyncio
import hashlib
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from payergraph.api import pages
from payergraph.namespaces import PREFIXES

STATIC = pages._HERE / "static"  # noqa: SLF001 - the folder beside the module
LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("form", "action"), ("source", "src")}
QUERY = SimpleNamespace(
    name="who-covers",
    summary="Who covers <it>?",
    text="#+ summary: Who covers <it>?\nSELECT ?payer WHERE { ?payer ?p </script> }\n",
    tags=("policies",),
)
MANIFEST = SimpleNamespace(snapshot="0123abcd", quads=16_000, triples=15_000, graphs=320, created="2026-11-25T07:00:00")


class Client:
    """Asks an application without a server."""

    def __init__(self, app: FastAPI, root_path: str = "") -> None:
        self._transport = httpx.ASGITransport(app, root_path=root_path)

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://pages.test") as client:
                return await client.request(method, path)

        return asyncio.run(ask())


class Elements(HTMLParser):
    """The start tags of a page, and the text of its data block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.settings = ""
        self._in_settings = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_settings = dict(attrs).get("id") == "editor-settings"

    def handle_endtag(self, tag: str) -> None:
        self._in_settings = False

    def handle_data(self, data: str) -> None:
        self.settings += data if self._in_settings else ""


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.include_router(pages.router)
    pages.mount_static(app)
    app.state.service = SimpleNamespace(snapshot=SimpleNamespace(manifest=MANIFEST))
    app.state.named_queries = [QUERY]

    @app.get("/sparql")
    async def sparql(request: Request) -> Response:
        return pages.query_page(request)

    @app.get("/problem")
    async def problem(request: Request) -> Response:
        facts = {"title": "Not found", "status": 404, "detail": "There is no <page>.", "did_you_mean": ["sparql"]}
        return pages.problem_page(request, facts)

    return app


@pytest.fixture
def client(app: FastAPI) -> Client:
    return Client(app)


@pytest.mark.parametrize("path", ["/", "/sparql", "/problem"])
class TestEveryPage:
    def test_loads_from_its_own_host_only(self, client: Client, path: str) -> None:
        for tag, attributes in Elements(client.get(path).text).tags:
            for name, value in attributes.items():
                if (tag, name) in LOADED:
                    assert not urlsplit(value or "").netloc, (tag, value)

    def test_finds_what_it_loads(self, client: Client, path: str) -> None:
        page = Elements(client.get(path).text)
        loaded = [
            attributes.get(name) for tag, attributes in page.tags for name in ("src", "href") if (tag, name) in LOADED
        ]
        files = [address for address in loaded if address and address.startswith("/static/")]
        assert len(files) >= 2
        assert [client.get(address).status_code for address in files] == [200] * len(files)

    def test_forbids_the_browser_to_ask_other_hosts(self, client: Client, path: str) -> None:
        policy = client.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert not re.search(r"https?:|\*|unsafe-eval", policy)

    def test_can_be_read_by_everyone(self, client: Client, path: str) -> None:
        tags = Elements(client.get(path).text).tags
        names = [tag for tag, _ in tags]
        assert ("html", {"lang": "en"}) in tags
        assert [names.count(landmark) for landmark in ("h1", "main", "header", "nav", "footer")] == [1] * 5
        assert next(attributes for tag, attributes in tags if tag == "a") == {"class": "skip", "href": "#content"}
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {attributes["aria-labelledby"] for _, attributes in tags if "aria-labelledby" in attributes} <= set(ids)
        assert all("alt" in attributes for tag, attributes in tags if tag == "img")

    def test_works_below_a_path_of_a_proxy(self, app: FastAPI, path: str) -> None:
        tags = Elements(Client(app, root_path="/graph").get(path).text).tags
        for tag, attributes in tags:
            for name in ("src", "href", "action"):
                address = attributes.get(name) or "#"
                assert address.startswith(("/graph/", "#")), (tag, address)


def test_start_page_counts_and_asks(client: Client) -> None:
    page = client.get("/")
    assert "16,000" in page.text
    assert "320" in page.text
    assert '<a href="/sparql#who-covers">Who covers &lt;it&gt;?</a>' in page.text
    assert 'rel="service-desc"' in page.headers["link"]


def test_start_page_answers_head(client: Client) -> None:
    assert client.get("/", method="HEAD").status_code == 200


def test_pages_do_without_service_and_use_the_shipped_questions(app: FastAPI) -> None:
    del app.state.service, app.state.named_queries
    client = Client(app)
    assert "Data snapshot" not in client.get("/").text
    assert len(json.loads(Elements(client.get("/sparql").text).settings)["examples"]) > 10


def test_editor_knows_endpoint_prefixes_and_examples(client: Client) -> None:
    settings = json.loads(Elements(client.get("/sparql").text).settings)
    assert settings["endpoint"] == "/sparql"
    assert settings["prefixes"] == PREFIXES
    (example,) = settings["examples"]
    assert example["text"] == "# Who covers <it>?\nSELECT ?payer WHERE { ?payer ?p </script> }\n"


def test_editor_page_has_a_form_for_browsers_without_scripts(client: Client) -> None:
    tags = Elements(client.get("/sparql").text).tags
    assert ("form", {"action": "/sparql", "method": "get"}) in tags
    assert any(tag == "textarea" and attributes["name"] == "query" for tag, attributes in tags)


def test_problem_page_says_what_and_what_to_do(client: Client) -> None:
    page = client.get("/problem")
    assert page.status_code == 404
    assert "There is no &lt;page&gt;." in page.text
    assert "<code>sparql</code>" in page.text


def test_problem_page_does_with_little(app: FastAPI) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [], "app": app})
    page = pages.problem_page(request, {"title": "Limit reached", "status": 503, "detail": "Try again."})
    assert page.status_code == 503


@pytest.mark.parametrize("name", ["payergraph.css", "yasgui.min.css"])
def test_style_sheets_import_nothing(name: str) -> None:
    assert not re.search(r"@import|url\((?!['\"]?(data:|#))", (STATIC / name).read_text())


def test_editor_switches_remote_completers_off() -> None:
    script = (STATIC / "editor.js").read_text()
    assert not re.search(r"https?://", script)
    assert "prefixCcApi: null" in script
    assert 'completers = ["payergraph-prefixes", "variables"]' in script


def test_no_script_fetches_from_a_fixed_address_that_is_switched_on() -> None:
    script = (STATIC / "yasgui.min.js").read_text()
    fetches = set(re.findall(r"fetch\(([\w.$]+)", script))
    assert fetches <= {"c", "e.config.prefixCcApi", "s", "t.toString"}, "look at what the new version fetches"


def test_bundled_files_are_those_of_the_readme() -> None:
    stated = re.findall(r"^([0-9a-f]{64})  (\S+)$", (STATIC / "README.md").read_text(), re.MULTILINE)
    assert len(stated) == 2
    for digest, name in stated:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
