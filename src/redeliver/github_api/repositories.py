"""Find the repositories that a filter names, by exact names, patterns or ids."""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from http import HTTPStatus
from typing import TypeAlias

from redeliver.core.delivery import RepositoryId
from redeliver.core.repository_filter import RepositoryFilter, is_glob, is_id
from redeliver.errors import AccessError
from redeliver.github_api.client import Client
from redeliver.github_api.numbered_list import read_list
from redeliver.github_api.permissions import Permission

METADATA = Permission(
    inputs="'repositories'",
    fine_grained="the repository permission 'Metadata' (read) for this repository",
    classic_scope="repo",
)
"""GitHub hides a private repository from anyone without this permission:
https://docs.github.com/en/rest/repos/repos#get-a-repository"""

FULL_NAME = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+")

Names: TypeAlias = Mapping[RepositoryId, str]


def find_repositories(
    patterns: Iterable[str], client_for: Callable[[str], Client], *, of_installation: bool
) -> RepositoryFilter:
    """Find what lower-case patterns such as `acme/shop`, `!acme/team-*` or `1296269` match.

    `client_for` returns the client for an owner's repositories. With `of_installation`, the client
    uses an installation's tokens, and patterns match the repositories of the installation.

    Raise `AccessError` if a name or a pattern matches no repository that the client can see: a
    misspelled name would exclude every event, or redeliver what was meant to be excluded.
    """
    client_for = cache(client_for)

    @cache
    def listed(owner: str) -> Names:
        return _list(client_for(owner), owner, of_installation=of_installation)

    included: dict[RepositoryId, str] = {}
    excluded: dict[RepositoryId, str] = {}
    includes = False
    for pattern in patterns:
        name = pattern.removeprefix("!")
        owner = name.partition("/")[0]
        if is_id(name):
            found: Names = {RepositoryId(int(name)): ""}
        elif is_glob(name):
            found = {id_: full for id_, full in listed(owner).items() if _matches(name, full)}
            if not found:
                raise _no_match(name)
        else:
            found = _look_up(client_for(owner), name)
        is_excluding = name != pattern
        includes |= not is_excluding
        (excluded if is_excluding else included).update(found)
    if not includes:
        return RepositoryFilter(names=excluded)
    left = {id_: name for id_, name in included.items() if id_ not in excluded}
    if not left:
        raise AccessError(
            "input 'repositories' excludes all repositories that it includes, so no event is left. "
            "Remove an entry that begins with !"
        )
    return RepositoryFilter(names=left, excludes=False)


def _matches(pattern: str, full_name: str) -> bool:
    return fnmatchcase(full_name.lower(), pattern)


def _no_match(pattern: str) -> AccessError:
    owner, _, name = pattern.partition("/")
    return AccessError(
        f"no repository of {owner} matches the entry {name} of input 'repositories'. Check the "
        "spelling, and that redeliver may see the repositories: a fine-grained token or a GitHub "
        "App needs access to them, with the repository permission 'Metadata' (read). A classic "
        "token needs the scope repo"
    )


def _look_up(client: Client, name: str) -> Names:
    """Find a repository: https://docs.github.com/en/rest/repos/repos#get-a-repository."""
    purpose = METADATA.to(f"find repository {name}")
    response = client.request("GET", f"/repos/{name}", purpose, expect={HTTPStatus.OK})
    return {RepositoryId(response.field("id", int)): _shown(response.field("full_name", str))}


def _list(client: Client, owner: str, *, of_installation: bool) -> Names:
    """List the repositories that the client can see.

    https://docs.github.com/en/rest/repos/repos#list-organization-repositories
    https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
    """
    path, key = f"/orgs/{owner}/repos", ""
    if of_installation:
        path, key = "/installation/repositories", "repositories"
    purpose = METADATA.to(f"list the repositories of {owner}")
    rows = read_list(client, path, purpose, types={"id": int, "full_name": str}, key=key)
    return {RepositoryId(row["id"]): _shown(row["full_name"]) for row in rows}


def _shown(full_name: str) -> str:
    """Return a name that is safe to print; empty for one that no repository can have."""
    return full_name if FULL_NAME.fullmatch(full_name) else ""
