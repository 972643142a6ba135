"""Which descriptions are found, and which are missing or new."""

from pathlib import Path

from tests.contract.products import FROM_GITHUB, FROM_NPM, find, unexpected


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_descriptions_are_found_in_the_package_and_in_a_clone(tmp_path: Path) -> None:
    npm, clone = tmp_path / "npm", tmp_path / "clone"
    in_npm = [npm / "ghec.json", npm / "api.github.com.json", npm / "ghes-3.17.json"]
    in_clone = [clone / "ghes-3.17" / "ghes-3.17.json", clone / "ghes-3.20" / "ghes-3.20.json"]
    write(*in_npm, *in_clone)

    assert list(find([npm])) == ["api.github.com", "ghec", "ghes-3.17"]
    assert find([clone, npm]) == {
        "api.github.com": npm / "api.github.com.json",
        "ghec": npm / "ghec.json",
        "ghes-3.17": clone / "ghes-3.17" / "ghes-3.17.json",
        "ghes-3.20": clone / "ghes-3.20" / "ghes-3.20.json",
    }


def test_products_are_in_the_order_of_their_versions(tmp_path: Path) -> None:
    write(*(tmp_path / f"ghes-{version}.json" for version in ("4.0", "3.100", "3.20")))

    assert list(find([tmp_path])) == ["ghes-3.20", "ghes-3.100", "ghes-4.0"]


def test_old_servers_and_other_kinds_are_left_out(tmp_path: Path) -> None:
    write(
        tmp_path / "ghes-3.16" / "ghes-3.16.json",
        tmp_path / "ghes-3.9" / "ghes-3.9.json",
        tmp_path / "ghec" / "ghec.2022-11-28.json",
        tmp_path / "ghec" / "dereferenced" / "ghec.json",
        tmp_path / "ghec.deref.json",
    )

    assert find([tmp_path]) == {}


def test_the_package_needs_no_product_from_github() -> None:
    assert unexpected(FROM_NPM, from_github=False) == []
    assert unexpected([*FROM_NPM, *FROM_GITHUB], from_github=True) == []


def test_a_listed_product_without_description_is_named() -> None:
    assert unexpected(FROM_NPM[1:], from_github=False) == [
        "api.github.com: no description was found"
    ]
    assert unexpected(FROM_NPM, from_github=True) == [
        f"{product}: no description was found" for product in FROM_GITHUB
    ]


def test_a_product_that_is_not_listed_is_named() -> None:
    (in_clone,) = unexpected([*FROM_NPM, *FROM_GITHUB, "ghes-3.99"], from_github=True)
    (in_package,) = unexpected([*FROM_NPM, "ghes-3.20"], from_github=False)

    assert in_clone.startswith("ghes-3.99: add it to FROM_GITHUB")
    assert in_package.startswith("ghes-3.20: add it to FROM_NPM")
