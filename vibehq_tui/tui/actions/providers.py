"""Looking for agents again."""

from __future__ import annotations

from vibehq_tui.tui.actions.base import HeadquartersApp
from vibehq_tui.tui.commands import Context


class ProviderActions(HeadquartersApp):
    """The commands of scope ``providers``."""

    def cmd_provider_probe(self, _: Context) -> None:
        """Looks which agents are installed; programs are started for it, so commands go on beside it."""
        self.say("looking for installed agents")
        self.run_worker(self._guard(self._probe()), group="probe")

    async def _probe(self) -> None:
        await self.hq.providers.probe()
        self.say("looked for installed agents")
