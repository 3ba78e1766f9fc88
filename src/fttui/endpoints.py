"""Addresses of Azure resources, as people copy them from a portal, a README or a curl line → the base of the API."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

V1 = ("v1", "preview", "latest")  # "api versions" that mean the API without dated versions
ARM = "https://management.azure.com"
# Who a token is for: a resource and its management answer to different ones.
SCOPES = {
    "resource": "https://cognitiveservices.azure.com/.default",
    "project": "https://ai.azure.com/.default",
}


def azure(endpoint: str, api_version: str = "") -> tuple[str, str]:
    """(base of the API, its dated api-version or "" for v1) of any address of an Azure resource.

    Taken: a resource's name, its host, its endpoint, a project's endpoint, the base of the v1 API, and the
    "target URI" of a deployment. An address that says v1 wins over a dated version; a dated one needs
    the bare resource, since the client adds `/openai` itself.
    """
    parts = urlsplit(_with_scheme(endpoint.strip()))
    path = parts.path.rstrip("/")
    says_v1 = re.search(r"/openai/v1(/|$)", path) is not None
    dated = api_version or (parse_qs(parts.query).get("api-version") or [""])[0]
    if dated in V1 or says_v1:
        dated = ""
    project = re.match(r"/api/projects/[^/]+", path)
    root = f"{parts.scheme}://{parts.netloc}"
    lead = re.split(r"/(?:openai|models|api/projects)(?:/|$)", path, maxsplit=1)[0]
    root += lead  # a gateway in front of the resource keeps its own path
    if dated and "/deployments/" in path and not api_version:
        dated = ""  # copied from a deployment's page: that page's version binds nobody
    if dated:
        return root, dated
    return f"{root}{project[0] if project else ''}/openai/v1", ""


def _with_scheme(endpoint: str) -> str:
    if "://" in endpoint:
        return endpoint
    host, _, rest = endpoint.partition("/")
    if "." not in host and ":" not in host:
        host += ".openai.azure.com"
    return f"https://{host}/{rest}" if rest else f"https://{host}"


def scope(base_url: str) -> str:
    """The audience of an Entra token for this address."""
    return SCOPES["project" if "/api/projects/" in base_url else "resource"]


def account(base_url: str) -> str:
    """The resource's name, from its host: `https://NAME.openai.azure.com/…`; "" where it is no such host."""
    host = urlsplit(base_url).hostname or ""
    known = re.fullmatch(
        r"([a-z0-9-]+)\.(?:openai\.azure|cognitiveservices\.azure|services\.ai\.azure)\.(?:com|us|cn)",
        host,
    )
    return known[1] if known else ""
