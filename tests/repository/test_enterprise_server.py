"""The page on Enterprise Server names the versions that `make contract` checks."""

import re
from pathlib import Path

import yaml

from tests.contract.products import FROM_GITHUB, FROM_NPM

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "enterprise-server.md").read_text()
CI = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


def servers(products: tuple[str, ...]) -> list[str]:
    """Return the versions of Enterprise Server among the products."""
    return [product.removeprefix("ghes-") for product in products if product.startswith("ghes-")]


def test_the_page_names_the_versions_that_are_checked() -> None:
    rows = re.findall(r"^\| ([\d., ]+) \| in .*?\[(.+?)\]\(", PAGE, flags=re.MULTILINE)

    assert [(versions.split(", "), source) for versions, source in rows] == [
        (servers(FROM_NPM), "@octokit/openapi"),
        (servers(FROM_GITHUB), "github/rest-api-description"),
    ]


def test_ci_downloads_the_descriptions_that_npm_lacks() -> None:
    steps = CI["jobs"]["test"]["steps"]
    (download,) = [
        step["with"]
        for step in steps
        if step.get("with", {}).get("repository") == "github/rest-api-description"
    ]
    (check,) = [step["run"] for step in steps if step.get("run", "").startswith("make contract")]

    assert download["sparse-checkout"].split() == [
        f"/descriptions/{product}/{product}.json" for product in FROM_GITHUB
    ]
    assert re.fullmatch("[0-9a-f]{40}", download["ref"])
    assert check == f"make contract DESCRIPTIONS={download['path']}/descriptions"
