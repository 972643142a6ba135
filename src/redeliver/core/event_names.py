"""The names of all events that GitHub has, and which of them a misspelled name probably means.

The names are those in GitHub's descriptions of its webhooks for GitHub.com and Enterprise Cloud, as
of October 2026, and for Enterprise Server 3.14 to 3.22:
https://github.com/github/rest-api-description
"""

import re
from difflib import get_close_matches
from fnmatch import fnmatchcase

CLOSE = 0.8
"""A name at least this similar to a known one is taken for a misspelling of it: 1 means equal, 0
that no character is the same, as `difflib` measures it. It must not be so low that most names that
GitHub adds are refused. Of the four that it added last, the most similar to an older one has 0.79.
"""

CLOSE_IF_SHORT = 0.75
"""The same for a name with at most `SHORT` characters, of which one is wrong: psuh, pusj."""

SHORT = 4

LONGEST = 100
"""Characters. GitHub has no name half as long. To compare a much longer one would take minutes."""

MAX_CLOSE = 3
"""How many names an error suggests."""


def close_event_names(name: str) -> list[str]:
    """Return the names of GitHub's events that `name` probably means, the likeliest first.

    These are tried in this order, until one finds a name:

    1. `all` means `*`. The input 'hook-id' accepts `all`, so users write it here, too.
    2. The name that differs only in its hyphens. A name with `*` or `?` is tried no further.
    3. `deployment.created` for `deployment_created`, and after it the names that are similar.
    4. The names of which `name` is a part, such as `check` or `checks` of `check_run`.
    5. If `name` ends with an action, as `issue_opened` does, what the rest means, with that action.
    """
    if name == "all":
        return ["*"]
    underscored = name.replace("-", "_")
    if matches_known_event(underscored):
        return [underscored]
    if {"*", "?"} & set(name) or len(name) > LONGEST:
        return []
    event, _, last = underscored.rpartition("_")
    is_action = re.fullmatch("[a-z]+ed", last)  # opened, closed, created, …
    with_dot = [f"{event}.{last}"] if is_action and event in EVENT_NAMES else []
    cutoff = CLOSE_IF_SHORT if len(name) <= SHORT else CLOSE
    similar = get_close_matches(name, EVENT_NAMES, n=MAX_CLOSE, cutoff=cutoff)
    if with_dot or similar:
        return [*with_dot, *similar][:MAX_CLOSE]
    parts = {name, name.removesuffix("s"), name.removesuffix("es")}
    longer = [known for known in EVENT_NAMES if any(f"_{part}_" in f"_{known}_" for part in parts)]
    if longer:
        return sorted(longer)[:MAX_CLOSE]
    close = close_event_names(event) if is_action else []
    return [known if "." in known else f"{known}.{last}" for known in close]


def matches_known_event(name: str) -> bool:
    """Whether `name` is the name of one of GitHub's events, or has `*` or `?` and matches one."""
    return any(fnmatchcase(known, name) for known in EVENT_NAMES)


EVENT_NAMES = frozenset(
    [
        "branch_protection_configuration",
        "branch_protection_rule",
        "bypass_request_secret_scanning",
        "cache_sync",
        "check_run",
        "check_suite",
        "code_scanning_alert",
        "commit_comment",
        "create",
        "custom_property",
        "custom_property_values",
        "delete",
        "dependabot_alert",
        "deploy_key",
        "deployment",
        "deployment_protection_rule",
        "deployment_review",
        "deployment_status",
        "discussion",
        "discussion_comment",
        "dismissal_request_code_scanning",
        "dismissal_request_dependabot",
        "dismissal_request_license_compliance",
        "dismissal_request_secret_scanning",
        "enterprise",
        "exemption_request_push_ruleset",
        "exemption_request_secret_scanning",
        "fork",
        "github_app_authorization",
        "gollum",
        "installation",
        "installation_repositories",
        "installation_target",
        "issue_comment",
        "issue_dependencies",
        "issue_relates_to",
        "issues",
        "label",
        "marketplace_purchase",
        "member",
        "membership",
        "merge_group",
        "meta",
        "milestone",
        "org_block",
        "organization",
        "organization_custom_property",
        "organization_custom_property_values",
        "package",
        "page_build",
        "personal_access_token_request",
        "ping",
        "project",
        "project_card",
        "project_column",
        "projects_v2",
        "projects_v2_item",
        "projects_v2_status_update",
        "public",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "push",
        "registry_package",
        "release",
        "repository",
        "repository_advisory",
        "repository_dispatch",
        "repository_import",
        "repository_ruleset",
        "repository_vulnerability_alert",
        "secret_scanning_alert",
        "secret_scanning_alert_location",
        "secret_scanning_scan",
        "security_advisory",
        "security_and_analysis",
        "sponsorship",
        "star",
        "status",
        "sub_issues",
        "team",
        "team_add",
        "user",
        "watch",
        "workflow_dispatch",
        "workflow_job",
        "workflow_run",
    ]
)
