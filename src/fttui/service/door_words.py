"""The words of closed doors: which refusals they are, what each means, who can open it, which ways lead out.

Wordings and dates: providers' documentation as of 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Way out → its key and what it is called. The note behind it is made for the case at hand.
WAYS: Mapping[str, tuple[str, str]] = {
    "export": ("e", "Save what is there"),
    "retrain": ("t", "Train it elsewhere"),
    "local": ("l", "Train on this machine"),
    "model": ("m", "Choose another model"),
    "key": ("n", "Give another key"),
    "profile": ("p", "Work on another profile"),
    "add": ("a", "Add a profile"),
    "edit": ("c", "Correct this profile"),
    "ask": ("w", "Write to whoever may"),
    "link": ("o", "Where it is settled"),
    "guide": ("f", "Should I fine-tune at all?"),
    "again": ("r", "Look again"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """title, why and whom may use {provider} {host} {name} {key} {model} {missing}."""

    title: str
    why: str
    whom: str
    ways: tuple[str, ...]


ORDER: tuple[tuple[str, str], ...] = (
    # (what code and message of a refusal look like, the door); the first that fits
    ("training_closed", r"training_not_available|winding down the fine-tuning"),
    ("unverified", r"unverified_organi|must be verified|verif(y|ied) (your )?organi[sz]ation"),
    ("country", r"unsupported_country|country, region, or territory"),
    ("address", r"ip_not_authorized|ip address .*not (allowed|authorized)|not on .*allow ?list"),
    ("deactivated", r"deactivated|account_suspended|access_terminated"),
    ("quota", r"(exceeded|insufficient)_quota|current quota|billing_(hard_limit|not_active)|hard limit"),
    ("plan", r"\bplan\b.*(upgrade|paid)|explore plan|^plan "),
    ("wrong_organization", r"(mismatched|invalid)_(organization|project)|openai-(organization|project) "),
    ("wrong_address", r"incorrect_?hostname|regional hostname|api.?version .*not allowed"),
    ("wrong_endpoint", r"wrong_endpoint|audience is incorrect|wrong api endpoint"),
    ("no_key", r"^no_key "),
    ("missing_role", r"missing_role|missing scopes?|insufficient permissions|permissiondenied"
                     r"|authorizationfailed|lacks the required data action|required (role|access)"),
    ("retired", r"\bgone\b|model_retired|model_?deprecated|has been (retired|deprecated|shut ?down|"
                r"decommissioned)|is (retired|deprecated)|no longer (available|supported)"),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {
    "training_closed": Kind(
        "{provider} makes no new tuned models for this organization",
        "OpenAI is closing its fine-tuning platform. Since 2026-05-07 an organization that never "
        "trained, and since 2026-07-02 one that had not used a tuned model for 60 days, cannot make "
        "jobs; the others can until 2027-01-06. Models made before go on answering until their base "
        "retires. Sending the job again, or with another key of this organization, changes nothing.",
        "Nobody, for this organization. One that used a tuned model this summer may still train.",
        ("export", "local", "retrain", "profile", "guide"),
    ),
    "plan": Kind(
        "{provider} trains on a paid plan only",
        "This organization is on a plan without fine-tuning. Nothing was trained and nothing is owed.",
        "Whoever may pay for this organization: an owner, or its billing contact.",
        ("link", "ask", "local", "profile", "again"),
    ),
    "quota": Kind(
        "{provider} has no credit left for this key",
        "The organization's credit, or the monthly limit of it or of this project, is used up. "
        "Nothing was trained. Waiting helps only when the limit is a monthly one.",
        "Whoever pays for this organization: they can add credit, or raise the project's limit.",
        ("link", "ask", "local", "profile", "again"),
    ),
    "retired": Kind(
        "{model} has been retired",
        "{life} It does not come back{weights}.",
        "Nobody: retirements are announced months before and not undone.",
        ("retrain", "local", "model", "export"),
    ),
    "missing_model": Kind(
        "{provider} does not know {model}",
        "{life} The name may be mistyped, of another organization or project, or the model may have "
        "been deleted or retired. One that was made minutes ago may need some more.",
        "Whoever made the model knows the organization and project it belongs to.",
        ("model", "again", "profile", "retrain", "export"),
    ),
    "unverified": Kind(
        "{provider} wants this organization verified first",
        "The model or method is kept for organizations that have shown who they are. Once that is "
        "done it can take 15 minutes until the key may use it.",
        "An owner of the organization, in its settings; it takes an identity document.",
        ("link", "ask", "model", "local", "again"),
    ),
    "missing_role": Kind(
        "This key may not do that at {provider}",
        "The key was accepted, but it lacks a permission: {missing}. A restricted key, or a role "
        "that only reads, is refused like this.",
        "An owner of the organization or project, who can change your role or the key's permissions.",
        ("ask", "key", "link", "profile", "again"),
    ),
    "wrong_endpoint": Kind(
        "The key and the address of profile {name} do not belong together",
        "{mismatch}",
        "You, in the configuration; or whoever gave you the key.",
        ("edit", "key", "profile", "add"),
    ),
    "wrong_address": Kind(
        "Profile {name} has the wrong address for its key",
        "{mismatch}",
        "You, in the configuration.",
        ("edit", "profile", "add"),
    ),
    "wrong_organization": Kind(
        "The key of profile {name} belongs to another organization or project",
        "The profile names an organization or project that this key is not of.",
        "You: correct the profile, or leave both out and let the key decide.",
        ("edit", "key", "profile"),
    ),
    "key_refused": Kind(
        "{provider} does not accept the key of profile {name}",
        "The key in {key} is mistyped, was revoked, has run out, or is one of another service.",
        "Whoever made the key: a revoked one does not come back, a new one takes a minute.",
        ("key", "edit", "link", "profile", "again"),
    ),
    "no_key": Kind(
        "There is no key for profile {name}",
        "{said}",
        "You, if you may make keys at {provider}; else an owner of the organization.",
        ("key", "link", "local", "profile", "edit"),
    ),
    "deactivated": Kind(
        "{provider} has deactivated this account",
        "The account or its project was closed or suspended. Files, jobs and models in it cannot be "
        "reached with this key any more.",
        "{provider}'s support, written to by the account's owner.",
        ("link", "profile", "local"),
    ),
    "country": Kind(
        "{provider} does not answer where you are",
        "The network you are on is, or looks as if it were, in a country the service is not offered "
        "in. A proxy or VPN can cause it as well.",
        "Your network's administrator, if the address is not where you are.",
        ("local", "profile", "again"),
    ),
    "address": Kind(
        "{provider} does not take this key from this network",
        "The organization allows its keys from certain addresses only.",
        "An owner of the organization, who keeps the list of addresses.",
        ("ask", "profile", "again"),
    ),
}  # fmt: skip


# Where it is settled, by provider and kind; money has pages of its own in the catalogue.
LINKS = {
    ("openai", "unverified"): "https://platform.openai.com/settings/organization/general",
    ("openai", "missing_role"): "https://platform.openai.com/settings/organization/people",
    ("openai", "key_refused"): "https://platform.openai.com/api-keys",
    ("openai", "no_key"): "https://platform.openai.com/api-keys",
    ("openai", "deactivated"): "https://help.openai.com",
    ("nebius", "key_refused"): "https://tokenfactory.nebius.com",
    ("nebius", "no_key"): "https://tokenfactory.nebius.com",
    ("azure", "key_refused"): "https://portal.azure.com",
    ("azure", "missing_role"): "https://portal.azure.com",
    ("azure", "no_key"): "https://portal.azure.com",
}


# What a message to whoever may begins with.
ASKS = {
    "plan": "Please move the organization to a paid plan: fine-tuning needs one.",
    "quota": "Please add credit, or raise the limit of this project.",
    "unverified": "Please verify the organization in its settings.",
    "missing_role": "Please give this key (or me) the permission that is missing.",
    "address": "Please add the address of this network to those the keys may be used from.",
}
