"""The names of all events that GitHub has, and which of them a misspelled name resembles.

The names are those in GitHub's descriptions of its webhooks for GitHub.com and Enterprise Cloud, as
of October 2026, and for Enterprise Server 3.14 to 3.19:
https://github.com/github/rest-api-description
"""

from difflib import get_close_matches


def nearest_event_name(name: str, *, cutoff: float = 0.6) -> str | None:
    """Return GitHub's event name that is most similar to `name`, for a misspelled one.

    Return None if the similarity is less than `cutoff`: 1 means equal, 0 means that no character is
    the same, as `difflib` measures it.
    """
    return next(iter(get_close_matches(name, EVENT_NAMES, n=1, cutoff=cutoff)), None)


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
