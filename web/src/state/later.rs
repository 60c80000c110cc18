//! What is worked out behind the first look, in turns so short that no key waits for one.

use chainwalk_core::packet::Family;

use super::State;

impl State {
    /// Whether something is still to be worked out.
    pub(crate) fn owes(&self) -> bool {
        let told = self.told.as_ref().is_none_or(|told| told.is_whole());
        !told || self.paste.known_past().is_none() || self.paste.findings().is_none()
    }

    /// Takes a turn at it; says whether there is something new to show.
    pub(crate) fn work(&self) -> bool {
        let paste = &self.paste;
        let told = self.told.as_ref().filter(|told| !told.is_whole());
        let families = [
            told.map(|told| told.packet().family()),
            paste.known_past().is_none().then_some(Family::Ipv4),
        ];
        if let Some(family) = families
            .into_iter()
            .flatten()
            .find(|family| !paste.has_constants(*family))
        {
            // Everything else asks for them.
            paste.constants(family);
            return false;
        }
        match told {
            Some(told) => told.work(paste),
            None if paste.known_past().is_none() => {
                paste.past();
                true
            }
            None => paste.findings().is_none() && paste.find(),
        }
    }
}
