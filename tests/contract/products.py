"""Which products are compared, and where GitHub's descriptions of them are.

Each description is one file. The npm package @octokit/openapi has those of some products, such as
`ghec.json`. https://github.com/github/rest-api-description has those of all, such as
`ghec/ghec.json`.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

FROM_NPM = ("api.github.com", "ghec", "ghes-3.17", "ghes-3.18", "ghes-3.19")
"""The products in the version of @octokit/openapi that package.json names."""

FROM_GITHUB = ("ghes-3.20", "ghes-3.21", "ghes-3.22")
"""The products that only github/rest-api-description has."""

PRODUCT = re.compile(r"api\.github\.com|ghec|ghes-\d+\.\d+")


def find(directories: Sequence[Path]) -> dict[str, Path]:
    """Return the description of each product, from the first directory that has one.

    Enterprise Servers that are older than those in `FROM_NPM` are left out, and so are other kinds
    of descriptions, such as `ghec.deref.json` and `ghec.2022-11-28.json`.
    """
    oldest = min(filter(None, map(_version, FROM_NPM)))
    found: dict[str, Path] = {}
    for directory in directories:
        for path in (*directory.glob("*.json"), *directory.glob("*/*.json")):
            version = _version(path.stem)
            if PRODUCT.fullmatch(path.stem) and (not version or version >= oldest):
                found.setdefault(path.stem, path)
    return dict(sorted(found.items(), key=lambda item: (_version(item[0]), item[0])))


def unexpected(found: Collection[str], *, from_github: bool) -> list[str]:
    """Return which listed products were not found, and which found products are not listed."""
    expected = (*FROM_NPM, *FROM_GITHUB) if from_github else FROM_NPM
    name = "FROM_GITHUB" if from_github else "FROM_NPM"
    return [
        *(f"{product}: no description was found" for product in expected if product not in found),
        *(
            f"{product}: add it to {name} in tests/contract/products.py, and to the table in "
            "docs/enterprise-server.md"
            for product in found
            if product not in expected
        ),
    ]


def _version(product: str) -> tuple[int, ...]:
    """Return the version of an Enterprise Server, such as (3, 17); () for another product."""
    return tuple(map(int, re.findall(r"\d+", product)))
