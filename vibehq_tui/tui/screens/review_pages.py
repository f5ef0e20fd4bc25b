"""What can be read in place of the changes: remarks, versions, what goes back to the author, the text itself."""

from __future__ import annotations

from collections.abc import Sequence

from storage.records import PatchComment, PatchVersion
from vibehq_tui.patches.queue.compare import Interdiff
from vibehq_tui.patches.queue.policies import Explanation
from vibehq_tui.patches.queue.review import Review
from vibehq_tui.text.forms import plural, size
from vibehq_tui.tui.screens.detail_texts import ago
from vibehq_tui.tui.widgets.detail import DetailView, Document, Target
from vibehq_tui.tui.widgets.rows import Part

_RAW_LIMIT = 200_000


class ReviewPage(DetailView):
    """Shows a document of the review; some have keys of their own."""

    scope = ""
    """The innermost scope, besides ``document``."""

    @property
    def COMMAND_SCOPES(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - a class variable elsewhere
        """What the keys mean depends on the document."""
        return (self.scope, "document") if self.scope else ("document",)


def where(comment: PatchComment) -> str:
    """What a remark is about: ``lines.txt:12``, ``hunk 3 of lines.txt``, ``the patch``."""
    if comment.path is None:
        return "the patch"
    if comment.line is not None:
        return f"{comment.path}:{comment.line}"
    return f"{comment.path}, hunk {comment.hunk}" if comment.hunk is not None else comment.path


def remarks(review: Review, now: int, ascii_only: bool) -> Document:
    """Every remark, the open ones first, those on the patch before those on its files."""
    document = Document()
    settled = [one for one in review.comments if one.resolved_by is not None]
    open_ = [one for one in review.comments if one.resolved_by is None]
    told = f"{len(open_)} open, {len(settled)} settled" if review.comments else "none yet; c leaves one"
    document.heading("Remarks", told)
    order = sorted(open_, key=lambda one: (one.path or "", one.line or 0)) + settled
    for comment in order:
        document.blank()
        _remark(document, comment, review, now, ascii_only)
    return document


def _remark(document: Document, comment: PatchComment, review: Review, now: int, ascii_only: bool) -> None:
    done = comment.resolved_by is not None
    mark = Part("+ " if ascii_only else "✔ ", "ok") if done else Part("o " if ascii_only else "○ ", "wait")
    facts = [f"{comment.by}, {ago(comment.at, now)}"]
    if comment.version != review.patch.version:
        facts.append(f"on version {comment.version}")
    if done:
        facts.append(f"settled by {comment.resolved_by}")
    dot = " - " if ascii_only else " · "
    document.line(
        (mark, Part(where(comment), "dim" if done else "strong"), Part(f"{dot}{dot.join(facts)}", "faint")),
        Target("remark", comment.id),
    )
    document.text(comment.text, role="dim" if done else "", indent=2)
    if comment.quote and not done:
        for line in comment.quote.splitlines()[:3]:
            role = "added" if line.startswith("+") else "removed" if line.startswith("-") else "faint"
            document.line(Part(line, role), indent=4)


def versions(
    review: Review, known: Sequence[PatchVersion], compared: Interdiff | str | None, now: int, ascii_only: bool
) -> Document:
    """The versions of a patch, newest first, and the difference from one to the newest.

    :param compared: the difference, or why there is none.
    """
    document = Document()
    document.heading("Versions", plural(len(known), "version"))
    document.blank()
    for one in sorted(known, key=lambda version: -version.version):
        current = one.version == review.patch.version
        shown = isinstance(compared, Interdiff) and compared.old == one.version
        mark = ("> " if ascii_only else "▸ ") if current else ("* " if ascii_only else "● ") if shown else "  "
        document.row(
            (
                Part(mark, "accent"),
                Part(f"{one.version:<4}", "strong" if current else ""),
                Part(one.reason or "as submitted"),
                Part(f"  {one.by or review.patch.submitted_by}, {ago(one.at, now)}, {one.format}", "faint"),
            ),
            None if current else Target("version", str(one.version)),
            hanging=6,
        )
    if isinstance(compared, str):
        document.blank()
        document.text(compared, role="dim")
    elif compared is not None:
        told = f"on {compared.tree}" if compared.diff else f"none, on {compared.tree}"
        document.heading(f"From version {compared.old} to {compared.new}", told)
        document.blank()
        raw(document, compared.diff)
    return document


def explained(known: Explanation, ascii_only: bool) -> Document:
    """What the rules of the configuration say about a patch and why, and what its risk is made of."""
    document = Document()
    verdict = known.verdict
    role = {"deny": "error", "hold": "warn", "approve": "ok"}.get(verdict.action, "")
    rule = f"by rule {verdict.rule}: " if verdict.rule else ""
    document.heading("Rules")
    document.row((Part(f"{verdict.action}  ", role or "strong"), Part(f"{rule}{verdict.reason}")), hanging=2)
    for one in verdict.rules:
        mark = Part("+ " if ascii_only else "✔ ", "ok") if one.matched else Part("o " if ascii_only else "○ ", "faint")
        parts = (mark, Part(f"{one.name} ", "strong" if one.matched else "dim"), Part(f"{one.action}  ", "accent"))
        document.row((*parts, Part(one.why(), "" if one.matched else "dim")), indent=2, hanging=4)
    risk = known.risk
    if risk is None:
        document.heading("Risk", "not known while the patch does not apply")
        return document
    document.heading("Risk", f"{risk.level}, {plural(risk.points, 'point')}; 2 and more are medium, 5 and more high")
    for reason in risk.reasons:
        document.row((Part(f"{reason.points:>3}  ", "strong"), Part(reason.message)), hanging=5)
        for path in reason.paths[:5]:
            document.line(Part(path, "dim"), Target("place", f"{path}:"), indent=5)
    return document


def feedback(text: str) -> Document:
    """The message for whoever made the patch, as they get it."""
    document = Document()
    fenced = False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        role = ""
        if fenced and not fence:
            role = "added" if line.startswith("+") else "removed" if line.startswith("-") else "dim"
        elif line.startswith("#"):
            role = "strong"
        elif fence:
            role = "faint"
        fenced ^= fence
        if fenced or fence:
            document.line(Part(line, role))
        else:
            document.text(line, role=role)
    return document


def as_submitted(review: Review) -> Document:
    """The text of the patch."""
    document = Document()
    document.heading("As submitted", f"{size(len(review.text))}, {review.patch.format}")
    document.blank()
    raw(document, review.text)
    return document


def raw(document: Document, text: bytes) -> None:
    """The text of a diff, line by line."""
    for line in text[:_RAW_LIMIT].split(b"\n"):
        role = "added" if line.startswith(b"+") else "removed" if line.startswith(b"-") else ""
        role = "accent" if line.startswith((b"@@", b"***")) else role
        document.line(Part(line.decode("utf-8", "surrogateescape").expandtabs(4), role))
    if len(text) > _RAW_LIMIT:
        document.line(Part(f"… {size(len(text) - _RAW_LIMIT)} more", "dim"))
